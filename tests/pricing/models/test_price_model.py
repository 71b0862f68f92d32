import math

import mpmath
import numpy as np
import pytest

from pricing import (
    ConstantVolatility,
    DoubleExponentialSizes,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    StudentT,
)
from pricing.errors import InvalidModelError, InvalidTermsError

PROBABILITIES = np.array([1e-15, 1e-6, 0.01, 0.2, 0.5, 0.8, 0.99])


def test_normal_quantiles_invert_the_error_function():
    with mpmath.workdps(40):
        for u, z in zip(PROBABILITIES, Normal().quantile(PROBABILITIES), strict=True):
            assert float(mpmath.ncdf(mpmath.mpf(float(z))) / mpmath.mpf(float(u))) == pytest.approx(1.0, abs=2e-14)


@pytest.mark.parametrize("dof", [2.1, 3.0, 4.5, 30.0])
def test_student_t_quantiles_invert_the_incomplete_beta_function(dof):
    unscaled = StudentT(dof=dof).quantile(PROBABILITIES[:4]) / math.sqrt((dof - 2.0) / dof)
    with mpmath.workdps(40):
        for u, t in zip(PROBABILITIES[:4], unscaled, strict=True):
            lower = mpmath.betainc(dof / 2, 0.5, 0, dof / (dof + mpmath.mpf(float(t)) ** 2), regularized=True) / 2
            assert float(lower / mpmath.mpf(float(u))) == pytest.approx(1.0, abs=2e-13)


def test_student_t_has_unit_variance():
    u = (np.arange(2_000_000) + 0.5) / 2_000_000
    assert np.square(StudentT(dof=8.0).quantile(u)).mean() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("law", "distribution"),
    [
        (NormalSizes(mean=-0.1, stdev=0.2), lambda x: 0.5 * math.erfc(-(x + 0.1) / 0.2 / math.sqrt(2.0))),
        (
            DoubleExponentialSizes(p_up=0.3, eta_up=12.0, eta_down=8.0),
            lambda x: 0.7 * math.exp(8.0 * x) if x < 0 else 1.0 - 0.3 * math.exp(-12.0 * x),
        ),
        (
            GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.25),
            lambda x: (1.0 + 0.25 * (-x - 0.2) / 0.1) ** -4.0,
        ),
        (GeneralizedParetoFalls(threshold=0.2, scale=0.1), lambda x: math.exp((x + 0.2) / 0.1)),
    ],
)
def test_jump_sizes_invert_their_distribution(law, distribution):
    u = PROBABILITIES[2:]
    assert [distribution(x) for x in law.quantile(u)] == pytest.approx(u.tolist(), rel=1e-12)
    assert [distribution(x) for x in law.upper_quantile(1.0 - u)] == pytest.approx(u.tolist(), rel=1e-12)


@pytest.mark.parametrize("p_up", [0.0, 1.0])
def test_one_sided_double_exponential_sizes(p_up):
    sizes = DoubleExponentialSizes(p_up=p_up, eta_up=10.0, eta_down=5.0).quantile(PROBABILITIES)
    assert (np.sign(sizes) == (1.0 if p_up else -1.0)).all()


def test_persistence_counts_half_of_gamma():
    law = Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.06, initial_variance=1e-4)
    assert law.persistence == pytest.approx(0.98)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StudentT(dof=2.0), "dof must be above 2"),
        (lambda: StudentT(dof=math.inf), "dof must be above 2 and finite"),
        (lambda: Empirical(values=[]), "between 1 and"),
        (lambda: Empirical(values=[0.1, math.nan]), "got nan at index 1"),
        (lambda: ConstantVolatility(annual=-0.1), "annual must be finite and not negative"),
        (lambda: Garch(omega=-1.0, alpha=0, beta=0, initial_variance=1), "omega must be finite and not negative"),
        (
            lambda: Garch(omega=0, alpha=0.1, beta=0, gamma=-0.2, initial_variance=1),
            "gamma must be finite and not below",
        ),
        (lambda: Garch(omega=0, alpha=0.1, beta=0, initial_variance=0), "initial_variance must be positive"),
        (lambda: NormalSizes(mean=math.nan, stdev=1), "mean must be finite"),
        (lambda: NormalSizes(mean=0, stdev=-1), "stdev must be finite and not negative"),
        (lambda: DoubleExponentialSizes(p_up=1.2, eta_up=1, eta_down=1), "p_up must be between 0 and 1"),
        (lambda: DoubleExponentialSizes(p_up=0.2, eta_up=0, eta_down=1), "eta_up must be positive"),
        (lambda: GeneralizedParetoFalls(threshold=-1, scale=1), "threshold must be finite and not negative"),
        (lambda: GeneralizedParetoFalls(threshold=0, scale=0), "scale must be positive"),
        (lambda: GeneralizedParetoFalls(threshold=0, scale=1, shape=1), "shape must be between -1 and 1"),
        (lambda: Jumps(per_year=-1, sizes=NormalSizes(mean=0, stdev=1)), "per_year must be finite and not negative"),
        (lambda: Jumps(per_year=1, sizes=0.3), "sizes must be a law"),
        (lambda: PriceModel(volatility=0.9, innovations=Normal()), "volatility must be"),
        (lambda: PriceModel(volatility=ConstantVolatility(annual=1), innovations="normal"), "innovations must be"),
        (
            lambda: PriceModel(volatility=ConstantVolatility(annual=1), innovations=Normal(), jumps=(1,)),
            "sequence of Jumps",
        ),
        (
            lambda: PriceModel(volatility=ConstantVolatility(annual=1), innovations=Normal(), annual_drift=math.inf),
            "annual_drift must be finite",
        ),
        (lambda: PriceModel(volatility=ConstantVolatility(annual=1), innovations=Normal(), step="0h"), "step must be"),
    ],
)
def test_a_part_outside_its_domain_is_named(make, message):
    with pytest.raises(InvalidModelError, match=message):
        make()


def test_a_step_must_be_a_duration():
    with pytest.raises(InvalidTermsError, match="step must be a duration"):
        PriceModel(volatility=ConstantVolatility(annual=1), innovations=Normal(), step="1")
