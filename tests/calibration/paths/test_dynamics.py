import math
from datetime import timedelta

import numpy as np
import pytest

from calibration import WorstMonth, check_closes, fit_volatility
from calibration.paths.dynamics import PILOT, paths_of_month, stretched_volatility
from calibration.paths.volatility import PERSISTENCE_BOUND
from pricing.engine.simulation import simulate
from pricing.models.price_model import PriceModel
from pricing.models.volatility import ConstantVolatility, Garch
from pricing.surface.settings import SimulationSettings

HOUR = timedelta(hours=1)
N_PATHS = 20_000


def a_month(median_drop, dispersion=0.0, window=timedelta(hours=24)):
    """A law for which only median and dispersion are used."""
    return WorstMonth(
        window=window,
        median_drop=median_drop,
        dispersion=dispersion,
        drops=(0.2,),
        probabilities=(0.3,),
        certain_probabilities=(0.3,),
        centre=-1.6,
    )


@pytest.fixture(scope="module", params=[("constant", "normal"), ("garch", "student_t"), ("gjr", "empirical")])
def fit(request, hourly_closes):
    checked = check_closes(hourly_closes)
    law, innovations = request.param
    return fit_volatility(checked.log_returns, step=checked.step, law=law, innovations=innovations)


def log_drops(fit, volatility, spread, window):
    """Log drops of the months of the scaled model, with another seed."""
    model = PriceModel(volatility=volatility, innovations=fit.innovations, volatility_spread=spread)
    surface = simulate(model, windows=(window,), terms=("30d",), settings=SimulationSettings(n_paths=N_PATHS, seed=77))
    return -np.log1p(-surface.worst_drops[0])


@pytest.mark.parametrize(("median_drop", "window"), [(0.17, timedelta(hours=24)), (0.06, HOUR)])
def test_half_of_the_months_are_as_deep_as_asked(fit, median_drop, window):
    volatility, spread = paths_of_month(fit.law, fit.innovations, step=HOUR, month=a_month(median_drop, window=window))
    assert spread == 0.0
    drops = log_drops(fit, volatility, spread, window)
    # standard errors of two medians: 1.2533 deviations over the root of the paths; four allowed
    deviation = np.std(np.log(drops))
    error = 1.2533 * deviation * math.hypot(1.0 / math.sqrt(PILOT.n_paths), 1.0 / math.sqrt(N_PATHS))
    assert abs(math.log(np.median(drops) / -math.log1p(-median_drop))) < 4.0 * error
    assert error < 0.015


def test_the_months_are_as_unlike_each_other_as_asked(fit):
    month = a_month(0.17, dispersion=0.5)
    volatility, spread = paths_of_month(fit.law, fit.innovations, step=HOUR, month=month)
    assert 0.0 < spread < 0.5
    drops = log_drops(fit, volatility, spread, month.window)
    deep, median, shallow = np.quantile(drops, (0.84, 0.5, 0.16))
    # variances add exactly for normal logs only: five per cent allowed, and two for the median
    assert 0.5 * math.log(deep / shallow) == pytest.approx(0.5, rel=0.05)
    assert median == pytest.approx(-math.log1p(-0.17), rel=0.04)


def test_months_that_differ_enough_by_themselves_get_no_spread(fit):
    assert paths_of_month(fit.law, fit.innovations, step=HOUR, month=a_month(0.17, dispersion=0.05))[1] == 0.0


def test_only_the_level_of_the_shape_changes(fit):
    volatility, _ = paths_of_month(fit.law, fit.innovations, step=HOUR, month=a_month(0.17))
    if isinstance(fit.law, ConstantVolatility):
        assert isinstance(volatility, ConstantVolatility)
    else:
        assert isinstance(volatility, Garch)
        assert (volatility.alpha, volatility.beta, volatility.gamma) == (fit.law.alpha, fit.law.beta, fit.law.gamma)
        ratio = volatility.initial_variance / volatility.omega
        assert ratio == pytest.approx(fit.law.initial_variance / fit.law.omega)


def test_log_drops_scale_with_the_level(fit):
    once, _ = paths_of_month(fit.law, fit.innovations, step=HOUR, month=a_month(-math.expm1(-0.1)))
    twice, _ = paths_of_month(fit.law, fit.innovations, step=HOUR, month=a_month(-math.expm1(-0.2)))
    name, power = ("annual", 1) if isinstance(once, ConstantVolatility) else ("omega", 2)
    assert getattr(twice, name) == pytest.approx(2.0**power * getattr(once, name), rel=1e-12)


def test_the_level_of_the_fit_does_not_matter(fit, hourly_closes):
    # the same returns, three times as large, have the same shape and are scaled to the same months
    month = a_month(0.17, dispersion=0.4)
    checked = check_closes(np.exp(3.0 * np.log(hourly_closes)))
    names = {"Normal": "normal", "StudentT": "student_t", "Empirical": "empirical"}
    law = "constant" if isinstance(fit.law, ConstantVolatility) else ("gjr" if fit.law.gamma else "garch")
    innovations = names[type(fit.innovations).__name__]
    larger = fit_volatility(checked.log_returns, step=checked.step, law=law, innovations=innovations)
    (one, spread), (other, other_spread) = (
        paths_of_month(shape.law, shape.innovations, step=HOUR, month=month) for shape in (fit, larger)
    )
    assert other_spread == pytest.approx(spread, rel=1e-3)
    for name in ("annual",) if law == "constant" else ("omega", "initial_variance"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-3)


@pytest.mark.parametrize("factor", [1 / 24, 0.25, 4.0, 24.0])
def test_longer_steps_hold_the_variance_of_all_and_shocks_fade_as_fast_by_the_clock(factor):
    law = Garch(omega=1e-6, alpha=0.1, beta=0.7, gamma=0.1, initial_variance=4e-5)
    longer = stretched_volatility(law, factor)
    assert longer.omega / (1.0 - longer.persistence) == pytest.approx(factor * law.omega / (1.0 - law.persistence))
    assert longer.initial_variance == pytest.approx(factor * law.initial_variance)
    assert longer.persistence == pytest.approx(min(law.persistence**factor, PERSISTENCE_BOUND))
    assert longer.alpha / longer.beta == pytest.approx(law.alpha / law.beta)


def test_steps_of_the_same_length_keep_the_law(fit):
    assert stretched_volatility(fit.law, 1.0) is fit.law
    constant = ConstantVolatility(annual=0.8)
    assert stretched_volatility(constant, 24.0) is constant
