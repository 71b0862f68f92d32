import numpy as np
import pytest
from scipy.stats import chi2

from calibration.paths.residuals import examine_residuals


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_ljung_box_is_its_formula(n):
    values = np.random.default_rng(n).normal(size=n) ** 2
    centred, lags = values - values.mean(), range(1, 25)
    correlations = [centred[lag:] @ centred[:-lag] / (centred @ centred) for lag in lags]
    statistic = n * (n + 2) * sum(r**2 / (n - lag) for r, lag in zip(correlations, lags, strict=True))
    found = examine_residuals(values)
    assert found.ljung_box == pytest.approx(statistic, rel=1e-9)
    assert found.ljung_box_p_value == pytest.approx(chi2.sf(statistic, 24), rel=1e-9)


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
