import math
from dataclasses import replace
from datetime import timedelta
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.law.drop_law import COVARIATES, LEAST_VOLATILITY, Level, MarketState, token_state
from calibration.prices.horizons import HALF_LIVES, running_squares
from pricing.errors import InvalidTermsError
from tests.calibration.drop_laws import a_law, a_record, a_state

NO_CRASHES = np.zeros(1)
LOG_DROPS = st.floats(0.01, 5.0)
CENTRES = st.floats(-4.0, 1.0)
RATES = st.floats(0.0, 3.0)


def probability(law, log_drop, centre=-1.6, rate=0.0):
    return float(law.exceedance(log_drop, np.array([centre]), np.array([rate]))[0])


# --- closed forms -----------------------------------------------------------------------------------------------------


@given(LOG_DROPS, CENTRES, st.floats(-1.0, 1.0), st.floats(0.0, 0.5))
def test_one_shock_without_own_crashes_is_a_normal_tail(log_drop, centre, shock, error):
    law = a_law(shocks=(shock,), error=error)
    deviation = math.hypot(math.exp(-1.4 + 0.2 * shock), error)
    expected = 1.0 - NormalDist(centre + shock, deviation).cdf(math.log(log_drop))
    assert probability(law, log_drop, centre) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(LOG_DROPS, CENTRES, RATES)
def test_shocks_are_equally_likely(log_drop, centre, rate):
    each = [probability(a_law(shocks=(shock,)), log_drop, centre, rate) for shock in (-0.3, 0.0, 0.4)]
    assert probability(a_law(), log_drop, centre, rate) == pytest.approx(np.mean(each), rel=1e-9, abs=1e-15)


@given(LOG_DROPS, RATES)
def test_own_crashes_alone_are_the_deepest_of_poisson_many(log_drop, rate):
    shallow, deep = (log_drop / 0.16) ** -2.5, (0.4 / 0.16) ** -2.5 * (log_drop / 0.4) ** -3.0
    beyond = min(1.0, shallow, deep)
    expected = -math.expm1(-rate * beyond)
    assert probability(a_law(), log_drop, centre=-1e3, rate=rate) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@given(LOG_DROPS, CENTRES, RATES)
def test_common_part_and_own_crashes_are_independent(log_drop, centre, rate):
    neither = (1.0 - probability(a_law(), log_drop, centre)) * (1.0 - probability(a_law(), log_drop, -1e3, rate))
    assert probability(a_law(), log_drop, centre, rate) == pytest.approx(1.0 - neither, rel=1e-9, abs=1e-12)


def test_half_of_the_crashes_are_as_deep_as_the_median_of_a_pareto_law():
    law = a_law().own
    assert law.beyond(law.threshold) == law.beyond(0.01) == 1.0
    assert law.beyond(law.threshold * 2.0 ** (1.0 / law.index)) == pytest.approx(0.5)


def test_deep_crashes_are_pareto_among_themselves():
    law = a_law().own
    assert law.beyond(0.8) / law.beyond(law.deep) == pytest.approx(2.0**-3.0)
    assert law.beyond(law.deep) == pytest.approx((0.4 / 0.16) ** -2.5)


def test_rates_are_log_linear_in_tail_weight_and_volatility():
    state = a_state(log_volatilities=(0.0, 0.0, math.log(1.5), 0.0), tail_weight=0.2)
    assert a_law().own.market_rates(state)[0] == pytest.approx(math.exp(-3.0 + 0.7 * 0.2) * 1.5**0.3)


# --- order and limits -------------------------------------------------------------------------------------------------


@given(LOG_DROPS, st.floats(1.0, 3.0), CENTRES, RATES)
def test_deeper_drops_are_rarer(log_drop, factor, centre, rate):
    assert probability(a_law(), log_drop * factor, centre, rate) <= probability(a_law(), log_drop, centre, rate)


@given(LOG_DROPS, CENTRES, st.floats(0.0, 2.0), RATES, st.floats(0.0, 2.0))
def test_a_higher_centre_and_a_higher_rate_make_drops_likelier(log_drop, centre, higher, rate, more):
    plain = probability(a_law(), log_drop, centre, rate)
    assert plain <= probability(a_law(), log_drop, centre + higher, rate) + 1e-15
    assert plain <= probability(a_law(), log_drop, centre, rate + more) + 1e-15


@given(CENTRES, RATES)
def test_some_drop_is_certain_and_none_is_bottomless(centre, rate):
    assert probability(a_law(), 1e-9, centre, rate) == pytest.approx(1.0)
    assert probability(a_law(), 1e9, centre, rate) < 1e-12


@given(CENTRES, st.floats(0.0, 4.0), RATES)
def test_not_knowing_the_level_makes_the_tail_heavier(centre, beyond, rate):
    law = a_law(error=0.3)
    log_drop = math.exp(centre + max(law.shocks) + beyond)  # beyond the centre of the worst month on record
    assert probability(law, log_drop, centre, rate) >= probability(law.known_exactly(), log_drop, centre, rate)


def test_known_exactly_only_drops_the_error():
    law = a_law(error=0.3)
    assert law.known_exactly() == a_law(error=0.0)
    assert replace(law.known_exactly(), level=law.level) == law


# --- from states to the centre ----------------------------------------------------------------------------------------


def test_level_by_hand():
    level = Level(intercept=-1.6, volatility_slope=0.5, run_up_slope=0.2, error=0.1)
    assert level.at(MarketState(log_volatility=0.4, run_up=-0.5)) == pytest.approx(-1.6 + 0.2 - 0.1)


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_a_token_like_its_market_is_centred_at_the_level(log_volatility, run_up):
    law, market = a_law(), MarketState(log_volatility=log_volatility, run_up=run_up)
    state = a_state(log_volatilities=(log_volatility,) * 4)
    assert law.centre(state.covariates(0), market)[0] == pytest.approx(law.level.at(market))


def test_covariates_by_hand():
    state = a_state(log_volatilities=(0.9, 0.6, 0.2, 0.1), record=a_record(excess=0.25))
    assert len(COVARIATES) == 5
    # 30 days, 240 days over 30, 10 over 30, 3 over 10, own record
    assert state.covariates(1)[0] == pytest.approx([0.2, -0.1, 0.4, 0.3, 0.25])
    centre = a_law().centre(state.covariates(1), MarketState(log_volatility=0.0, run_up=0.0))[0]
    assert centre == pytest.approx(-1.6 + 0.5 * 0.2 - 0.2 * 0.1 + 0.15 * 0.4 + 0.1 * 0.3 + 0.3 * 0.25)


@given(st.floats(-1.0, 1.0))
def test_volatility_moves_the_centre_by_its_elasticity_whatever_the_horizons(shift):
    law, market = a_law(), MarketState(log_volatility=0.0, run_up=0.0)
    base = np.array([0.9, 0.6, 0.2, 0.1])
    centres = [law.centre(a_state(log_volatilities=base + by).covariates(0), market)[0] for by in (0.0, shift)]
    assert centres[1] - centres[0] == pytest.approx(law.slopes[0] * shift, abs=1e-12)


def test_the_state_of_a_token_is_read_off_its_sums():
    returns = 0.01 * np.random.default_rng(1).standard_t(3, (2000, 2))
    sums = running_squares(returns, np.array([1999]), per_day=24.0)[0]
    state = token_state(sums, (a_record(),))
    assert np.array_equal(np.exp(state.log_volatilities), np.exp(np.log(sums.volatilities())))
    assert np.array_equal(state.log_volatility, np.log(sums.volatilities()[HALF_LIVES.index(30.0)]))
    assert np.array_equal(state.tail_weight, sums.tail_weight())


@pytest.mark.parametrize("returns", [[[0.0], [0.0]], [[np.nan], [np.nan]], [[1e-9], [-1e-9]]])
def test_a_price_that_stands_still_has_the_least_volatility_and_no_tails(returns):
    state = token_state(running_squares(np.array(returns), np.array([1]), per_day=24.0)[0], (a_record(),))
    assert np.array_equal(state.log_volatilities, np.full((4, 1), math.log(LEAST_VOLATILITY)))
    assert state.tail_weight[0] == 0.0


def test_the_window_may_be_a_text():
    assert a_law("24h").window == timedelta(hours=24)


def test_a_window_that_is_no_duration_is_named():
    with pytest.raises(InvalidTermsError, match="window must be a duration"):
        a_law("1m")


def test_sequences_become_tuples_so_that_equal_laws_are_equal():
    law = a_law()
    lists = replace(law, slopes=list(law.slopes), shocks=list(law.shocks), block_means=list(law.block_means))
    assert lists == law
    assert isinstance(lists.slopes, tuple)
