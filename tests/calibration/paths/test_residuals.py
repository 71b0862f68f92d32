import numpy as np
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox

from calibration.paths.residuals import examine_residuals, ljung_box


@pytest.mark.parametrize(("n", "lags"), [(50, 1), (200, 10), (1000, 24)])
def test_ljung_box_agrees_with_statsmodels(n, lags):
    values = np.random.default_rng(n).normal(size=n) ** 2
    reference = acorr_ljungbox(values, lags=[lags])
    statistic, p_value = ljung_box(values, lags)
    assert statistic == pytest.approx(float(reference["lb_stat"].iloc[0]), rel=1e-12)
    assert p_value == pytest.approx(float(reference["lb_pvalue"].iloc[0]), rel=1e-9)


def test_moments_of_a_two_point_law():
    # -1 with probability 3/4 and 3 with 1/4: mean 0, variance 3, skewness 2/sqrt(3), kurtosis 7/3
    found = examine_residuals(np.tile([-1.0, -1.0, -1.0, 3.0], 50))
    assert found.mean == pytest.approx(0.0, abs=1e-15)
    assert found.variance == pytest.approx(3.0)
    assert found.skewness == pytest.approx(2.0 / np.sqrt(3.0))
    assert found.excess_kurtosis == pytest.approx(7.0 / 3.0 - 3.0)


def test_dependence_of_squares_alone_is_seen():
    rng = np.random.default_rng(3)
    scale = np.repeat(rng.choice([0.5, 2.0], 40), 50)
    found = examine_residuals(scale * rng.normal(size=2000))
    assert found.ljung_box_squared_p_value < 1e-6
    assert found.ljung_box_p_value > 1e-6
