"""Running premiums: against constant hazards, against drawdown insurance in closed form, and by their laws."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    Normal,
    PriceModel,
    PricingBasis,
    Reference,
    SimulationSettings,
    premium,
    simulate,
)
from pricing.closed_form import drawdown_probability, drawdown_survival, insurance_rate
from pricing.errors import InvalidTermsError, NotSimulatedError, UnresolvedError
from pricing.premiums.running_premiums import (
    perpetual_running_rate,
    running_premium,
    running_rate,
    running_rate_estimate,
    stop_values,
)
from pricing.principles import StandardDeviationPrinciple
from tests.reference_tables import rows

hazards = st.floats(0.0, 4.0)
rates = st.floats(-0.1, 0.5)
lengths = st.lists(st.floats(0.001, 0.5), min_size=1, max_size=6)


def fired_by(years, hazard):
    return [-math.expm1(-hazard * year) for year in years]


@given(hazard=hazards, rate=rates, lengths=lengths)
def test_a_constant_hazard_costs_itself(hazard, rate, lengths):
    years = np.cumsum(lengths).tolist()
    probabilities = fired_by(years, hazard)
    assert running_rate(years, probabilities, rate=rate) == pytest.approx(hazard, rel=1e-6, abs=1e-12)
    perpetual = perpetual_running_rate(years, probabilities, rate=abs(rate) + 0.01)
    assert perpetual == pytest.approx(hazard, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("rate", [0.07, -0.5, -0.6])
def test_two_hazards_against_the_integrals(rate):
    def survival(year):
        return math.exp(-0.5 * min(year, 0.25) - 2.0 * max(year - 0.25, 0.0))

    annuity = [quad(lambda t: math.exp(-rate * t) * survival(t), *ends)[0] for ends in ((0.0, 0.25), (0.25, 1.0))]
    expected = (0.5 * annuity[0] + 2.0 * annuity[1]) / sum(annuity)
    fired = [1.0 - survival(0.25), 1.0 - survival(1.0)]
    assert running_rate([0.25, 1.0], fired, rate=rate) == pytest.approx(expected, rel=1e-13)


def test_the_last_hazard_goes_on_for_ever():
    """A hazard of 0.5 for a quarter and of 2 from then on, discounted at 7 %."""
    quarter = -math.expm1(-0.57 * 0.25) / 0.57
    later = math.exp(-0.57 * 0.25) / 2.07
    fired = [-math.expm1(-0.125), -math.expm1(-0.125 - 0.5)]
    expected = (0.5 * quarter + 2.0 * later) / (quarter + later)
    assert perpetual_running_rate([0.25, 0.5], fired, rate=0.07) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_a_fine_grid_reaches_finite_drawdown_insurance(rate):
    """The hazard is smooth, so the error falls with the square of the interval: 2e-5 at 200 intervals."""
    law = {"drop": 0.4, "volatility": 0.9, "log_drift": rate - 0.405}
    years = np.linspace(0.0, 0.5, 201)[1:]
    probabilities = [drawdown_probability(term_years=float(year), **law) for year in years]
    exact = insurance_rate(term_years=0.5, rate=rate, **law)
    assert running_rate(years.tolist(), probabilities, rate=rate) == pytest.approx(exact, rel=2e-5)


@pytest.mark.parametrize("row", rows("drawdown_insurance_perpetual"))
def test_perpetual_drawdown_insurance_against_the_table(row):
    """Up to ten times h^2 / sigma^2 the hazard moves; from there on the first mode of the series is alone."""
    distance = -math.log1p(-row["drop_k"])
    law = {
        "drop": row["drop_k"],
        "current_drawdown": row["current_drawdown"],
        "volatility": row["sigma"],
        "log_drift": row["r"] - row["sigma"] ** 2 / 2.0,
    }
    years = np.geomspace(0.001, 10.0, 160) * distance**2 / row["sigma"] ** 2
    probabilities = [1.0 - drawdown_survival(term_years=float(year), **law) for year in years]
    rate = perpetual_running_rate(years.tolist(), probabilities, rate=row["r"])
    assert rate == pytest.approx(row["fair_premium_rate_per_unit_benefit"], rel=5e-5)


@given(lengths=lengths, steps=st.lists(st.floats(0.0, 0.3), min_size=6, max_size=6), rate=rates)
def test_the_rate_lies_between_the_hazards_and_makes_the_cover_worth_nothing(lengths, steps, rate):
    years = np.cumsum(lengths).tolist()
    survived = np.cumsum(steps[: len(years)])
    probabilities = (-np.expm1(-survived)).tolist()
    between = np.diff(survived, prepend=0.0) / lengths
    premium = running_rate(years, probabilities, rate=rate)
    assert min(between) - 1e-9 <= premium <= max(between) + 1e-9
    values = stop_values(years, probabilities, running_premium=premium, rate=rate)
    assert values.shape == (len(years),)
    assert values[0] == pytest.approx(0.0, abs=1e-12)


def test_without_a_rate_nothing_is_discounted():
    """Half a year at a hazard of 0.2 and half a year at 0.6, each lived through for (1 - e^-h/2) / h years."""
    fired = [-math.expm1(-0.1), -math.expm1(-0.4)]
    lived = [fired[0] / 0.2, (fired[1] - fired[0]) / 0.6]
    assert running_rate([0.5, 1.0], fired) == pytest.approx(fired[1] / sum(lived), rel=1e-12)
    values = stop_values([0.5, 1.0], fired, running_premium=0.5)
    assert values == pytest.approx([fired[1] - 0.5 * sum(lived), (0.6 - 0.5) * lived[1] / (1.0 - fired[0])], rel=1e-12)


def test_the_rest_of_a_cover_is_a_cover():
    """After a quarter without the trigger, what is left is priced as a cover of its own."""
    years, hazard_sums = [0.25, 0.5, 1.0], np.array([0.1, 0.5, 0.6])
    fired = (-np.expm1(-hazard_sums)).tolist()
    values = stop_values(years, fired, running_premium=0.7, rate=0.05)
    rest, rest_fired = [0.25, 0.75], (-np.expm1(-(hazard_sums[1:] - 0.1))).tolist()
    assert values[1] == pytest.approx(stop_values(rest, rest_fired, running_premium=0.7, rate=0.05)[0], rel=1e-12)
    assert values[1] > 0.0 > values[2]  # the storm of the second quarter is worth having, the calm after it is not


TERMS = ("5d", "10d", "20d", "30d")
MODEL = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())


def simulated(seed, *, rare_drops=False):
    settings = SimulationSettings(n_paths=2_000, seed=seed, rare_drops=rare_drops)
    return simulate(MODEL, terms=TERMS, settings=settings)


def test_a_simulated_rate_is_that_of_its_probabilities():
    surface = simulated(1)
    probabilities = [surface.exceedance(0.2, term=term).value for term in TERMS]
    estimate = running_rate_estimate(surface, DropTrigger(drop=0.2), terms=TERMS, rate=0.04)
    assert estimate.value == running_rate([5 / 365, 10 / 365, 20 / 365, 30 / 365], probabilities, rate=0.04)


def test_a_simulated_rate_is_that_of_its_trigger():
    windows, references = ("6h", "24h"), (Reference.ROLLING_HIGH, Reference.INCEPTION)
    surface = simulate(
        MODEL, windows=windows, references=references, settings=SimulationSettings(n_paths=1_000, seed=1)
    )
    rates = set()
    for window in windows:
        for reference in references:
            fired = surface.exceedance(0.15, window=window, reference=reference).value
            trigger = DropTrigger(drop=0.15, window=window, reference=reference)
            found = running_rate_estimate(surface, trigger, terms=("30d",)).value
            assert found == pytest.approx(-math.log1p(-fired) * 365 / 30, rel=1e-12)
            rates.add(found)
    assert len(rates) == 3  # from inception, the window does not matter


def test_the_error_over_one_term_is_the_slope_times_that_of_the_probability():
    """One interval has one hazard, -ln(1 - p) / T, whatever the riskless rate."""
    surface = simulated(1)
    fired = surface.exceedance(0.2)
    estimate = running_rate_estimate(surface, DropTrigger(drop=0.2), terms=("30d",), rate=0.04)
    assert estimate.value == pytest.approx(-math.log1p(-fired.value) * 365 / 30, rel=1e-12)
    expected = fired.standard_error / (1.0 - fired.value) * 365 / 30
    assert estimate.standard_error == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rare_drops", [False, True])
def test_the_error_is_that_of_the_linearised_rate(rare_drops):
    """The gradient by numerical derivatives, the covariance counted path by path."""
    surface = simulated(1, rare_drops=rare_drops)
    years = [5 / 365, 10 / 365, 20 / 365, 30 / 365]
    weights = np.ones(2_000) if surface.weights is None else surface.weights
    by_term = {
        signal.term_steps // 24: drops for signal, drops in zip(surface.signals, surface.worst_drops, strict=True)
    }
    fired = np.stack([weights * (by_term[days] >= 0.25) for days in (5, 10, 20, 30)])
    probabilities = fired.mean(axis=1)
    gradient = [
        (running_rate(years, probabilities + move, rate=0.04) - running_rate(years, probabilities - move, rate=0.04))
        / 2e-6
        for move in 1e-6 * np.eye(4)
    ]
    expected = math.sqrt(gradient @ np.cov(fired, bias=True) @ gradient / 2_000)
    estimate = running_rate_estimate(surface, DropTrigger(drop=0.25), terms=TERMS, rate=0.04)
    assert estimate.standard_error == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("ignore:one of 4 paths carries")
def test_one_set_of_paths_summed_in_two_orders_is_one_probability():
    """0.1 + 0.2 + 0.3 is more than 0.3 + 0.2 + 0.1."""
    surface = simulate(MODEL, terms=("5d", "10d"), settings=SimulationSettings(n_paths=4, seed=1))
    drops = np.array([[0.6, 0.5, 0.4, 0.1], [0.6, 0.7, 0.8, 0.1]])
    surface = replace(surface, worst_drops=drops, weights=np.array([0.1, 0.2, 0.3, 3.4]))
    estimate = running_rate_estimate(surface, DropTrigger(drop=0.3), terms=("5d", "10d"))
    assert estimate.value == pytest.approx(running_rate([5 / 365, 10 / 365], [0.15, 0.15]), rel=1e-12)


@pytest.mark.usefixtures("one_pilot")
@pytest.mark.parametrize(("weighted", "n_seeds"), [(False, 150), (True, 30)])
def test_errors_agree_with_the_scatter_over_seeds(weighted, n_seeds):
    # 2,000 paths per seed; the scatter of n normal values has relative error 1 / sqrt(2 n), z < 4. Weights take longer.
    trigger = DropTrigger(drop=0.25)
    estimates = [
        running_rate_estimate(simulated(seed, rare_drops=weighted), trigger, terms=TERMS) for seed in range(n_seeds)
    ]
    scatter = np.std([estimate.value for estimate in estimates], ddof=1)
    stated = np.mean([estimate.standard_error for estimate in estimates])
    assert abs(scatter / stated - 1.0) < 4.0 / math.sqrt(2 * n_seeds)


def test_what_was_not_simulated_or_never_fired_has_no_rate():
    surface = simulated(1)
    with pytest.raises(NotSimulatedError, match="holds no rolling high of 24h over 7d"):
        running_rate_estimate(surface, DropTrigger(drop=0.2), terms=("7d",))
    with pytest.raises(UnresolvedError, match="none of 2000 paths fell by 90%"):
        running_rate_estimate(surface, DropTrigger(drop=0.9), terms=TERMS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: running_rate([], []), "must have the same length of at least 1"),
        (lambda: running_rate([1.0], [0.1, 0.2]), "must have the same length"),
        (lambda: running_rate([[0.5, 1.0]], [[0.1, 0.2]]), "must have the same length"),
        (lambda: running_rate([1.0, 0.5], [0.1, 0.2]), "years must be positive, increasing and finite"),
        (lambda: running_rate([0.0, 0.5], [0.1, 0.2]), "years must be positive"),
        (lambda: running_rate([0.5, math.inf], [0.1, 0.2]), "years must be"),
        (lambda: running_rate([0.5, 1.0], [0.2, 0.1]), "probabilities must not decrease"),
        (lambda: running_rate([0.5, 1.0], [-0.2, 0.1]), "probabilities must not decrease"),
        (lambda: running_rate([0.5, 1.0], [0.2, 1.0]), "probabilities must not decrease, from at least 0 to below 1"),
        (lambda: running_rate([0.5], [math.nan]), "probabilities must not decrease"),
        (lambda: running_rate([0.5], [0.1], rate=math.inf), "rate must be finite"),
        (lambda: perpetual_running_rate([0.5], [0.1], rate=0.0), "rate must be positive for a premium without end"),
    ],
)
def test_terms_name_what_is_wrong(make, message):
    with pytest.raises(InvalidTermsError, match=message):
        make()


BY_TEN_DAYS = ("10d", "20d", "30d")


def make_cover(**changes):
    trigger = DropTrigger(drop=0.25)
    terms = {"cover_id": "C-1", "asset": "OM", "payout": FullPayout(), "limit": 1_000.0, "currency": "USD"}
    return Cover(trigger=trigger, **{**terms, **changes})


def simulate_terms(seed, n_paths):
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    return simulate(
        model, terms=BY_TEN_DAYS, waiting_periods=("0h", "48h"), settings=SimulationSettings(n_paths=n_paths, seed=seed)
    )


def test_without_loadings_a_running_premium_is_the_running_rate():
    """Hits of equal likelihood and constant hazards between terms differ by 1e-3 of what 10 days discount: 1e-5."""
    surface = simulate_terms(1, 20_000)
    pure = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.0), expense_ratio=0.0, interest_rate=0.04)
    fair = running_rate_estimate(surface, DropTrigger(drop=0.25), terms=BY_TEN_DAYS, rate=0.04)
    found = running_premium(make_cover(), surface, pure, terms=BY_TEN_DAYS)
    assert found.value == pytest.approx(1_000.0 * fair.value, rel=2e-4)
    assert 1_000.0 * fair.standard_error <= found.standard_error * (1.0 + 1e-3) < 1.1 * 1_000.0 * fair.standard_error


def test_a_running_premium_is_worth_the_gross_premium():
    """Without interest: paid over the mean time until the trigger, which constant hazards between terms give."""
    surface = simulate_terms(1, 20_000)
    cover = make_cover(waiting_period="48h")
    fired = [surface.exceedance(0.25, window="24h", term=term, waiting_period="48h").value for term in BY_TEN_DAYS]
    alive, days = 1.0 - np.array([0.0, *fired]), 0.0
    for before, after in pairwise(alive):
        days += 10.0 * (before - after) / math.log(before / after)
    basis = PricingBasis(fixed_expense=3.0)
    gross = premium(cover, surface, basis).gross
    assert running_premium(cover, surface, basis, terms=BY_TEN_DAYS).value == pytest.approx(
        gross * 365.0 / days, rel=1e-12
    )


def test_the_errors_of_premium_and_time_are_added():
    """Over one interval and without interest, the trigger is awaited for -T p / log(1 - p)."""
    surface = simulate_terms(1, 2_000)
    fired, priced = surface.exceedance(0.25), premium(make_cover(), surface)

    def years(probability):
        return -30.0 / 365.0 * probability / math.log1p(-probability)

    slope = (years(fired.value + 1e-6) - years(fired.value - 1e-6)) / 2e-6
    found = running_premium(make_cover(), surface, terms=("30d",))
    assert found.value == pytest.approx(priced.gross / years(fired.value), rel=1e-12)
    error = (priced.standard_error + found.value * abs(slope) * fired.standard_error) / years(fired.value)
    assert found.standard_error == pytest.approx(error, rel=1e-6)


def test_errors_of_running_premiums_cover_the_scatter_over_seeds():
    # 100 seeds of 2,000 paths: the scatter of 100 normal values has relative error 1 / sqrt(200), z < 4. The stated
    # error adds up those of premium and time and may be larger, here by at most a tenth.
    found = [running_premium(make_cover(), simulate_terms(seed, 2_000), terms=BY_TEN_DAYS) for seed in range(100)]
    scatter = np.std([each.value for each in found], ddof=1)
    stated = np.mean([each.standard_error for each in found])
    assert -4.0 / math.sqrt(200) - 0.1 < scatter / stated - 1.0 < 4.0 / math.sqrt(200)


def test_terms_must_end_with_that_of_the_cover():
    with pytest.raises(InvalidTermsError, match="terms must end with the term of the cover"):
        running_premium(make_cover(), simulate_terms(1, 100), terms=("10d", "20d"))
    with pytest.raises(InvalidTermsError, match="terms must end with the term of the cover, got \\(\\)"):
        running_premium(make_cover(), simulate_terms(1, 100), terms=())


def test_terms_are_durations():
    surface, cover = simulate_terms(1, 100), make_cover()
    with pytest.raises(InvalidTermsError, match="terms must be a duration"):
        running_premium(cover, surface, terms=("1m",))
    with pytest.raises(InvalidTermsError, match="terms must be a duration"):
        running_rate_estimate(surface, cover.trigger, terms=("1m",))
