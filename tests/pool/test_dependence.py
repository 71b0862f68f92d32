import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from calibration import calibrate, shipped_market
from pool import Dependence, TokenRisk
from pool.dependence import draw_log_worst, draw_shape, draw_shared
from pricing.errors import InvalidModelError, NotSimulatedError

SHIPPED = shipped_market(datetime(2025, 7, 1, tzinfo=UTC)).laws[-1]
#: A law with one index at every depth, as ranks are drawn.
LAW = replace(SHIPPED, own=replace(SHIPPED.own, index=2.9))
OF_LAW = Dependence.of_law(LAW)
N = 200_000
#: Largest z of all comparisons below, some fifty: one in five thousand by chance.
MOST_SIGMAS = 4.5


def draw(dependence, token, *, n_months=1, asset="OM", seed=1, n_scenarios=N):
    shared = draw_shared(dependence, n_months=n_months, n_scenarios=n_scenarios, seed=seed)
    return draw_log_worst(dependence, token, shared, asset=asset, seed=seed)


def assert_frequency(happened, probability):
    error = math.sqrt(probability * (1.0 - probability) / len(happened))
    assert abs(happened.mean() - probability) <= MOST_SIGMAS * error


@pytest.mark.parametrize("drop", [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize(("centre", "rate"), [(-2.0, 0.0), (-2.0, 0.05), (-1.5, 0.3)])
def test_draws_follow_the_law_of_the_worst_drop(drop, centre, rate):
    """200,000 draws, seed 1, against the law's own formula."""
    drawn = draw(OF_LAW, TokenRisk(centre=centre, crash_rate=rate))
    log_drop = -math.log1p(-drop)
    exact = float(LAW.exceedance(log_drop, np.array([centre]), np.array([rate]))[0])
    assert_frequency(drawn >= math.log(log_drop), exact)


@pytest.mark.parametrize("n_months", [2, 3])
@pytest.mark.parametrize("drop", [0.2, 0.3, 0.5])
def test_months_are_independent_where_the_level_is_certain(drop, n_months):
    """200,000 draws, seed 1: the worst of n months stays below a drop with the n-th power of the probability of one."""
    certain = LAW.known_exactly()
    token = TokenRisk(centre=-1.9, crash_rate=0.05)
    drawn = draw(replace(OF_LAW, level_error=0.0), token, n_months=n_months)
    log_drop = -math.log1p(-drop)
    one = float(certain.exceedance(log_drop, np.array([token.centre]), np.array([token.crash_rate]))[0])
    assert_frequency(drawn >= math.log(log_drop), 1.0 - (1.0 - one) ** n_months)


def test_ranks_of_crashes_take_the_index_of_deep_ones():
    law = replace(LAW, own=replace(LAW.own, index=2.3, deep_index=3.4))
    assert Dependence.of_law(law).crash_index == 3.4


def test_tokens_correlate_as_the_dependence_says():
    """200,000 draws, seed 1; the standard error of a correlation is at most 1 / sqrt(n)."""
    dependence = replace(Dependence.of_law(LAW), spread_slope=0.0)
    token = TokenRisk(centre=-1.9, crash_rate=0.0)
    first, second = (draw(dependence, token, asset=asset) for asset in ("BTC", "OM"))
    assert abs(np.corrcoef(first, second)[0, 1] - dependence.correlation) < MOST_SIGMAS / math.sqrt(N)
    assert 0.6 < dependence.correlation < 0.8  # shocks of 0.33 against a spread of 0.21


def test_crashes_of_ones_own_are_independent():
    """A level so low that only own crashes reach a tenth: 200,000 draws, seed 1."""
    dependence = Dependence(shocks=(-0.3, 0.3), spread=0.2, crash_threshold=0.16, crash_index=2.3)
    token = TokenRisk(centre=-9.0, crash_rate=0.2)
    first, second = (draw(dependence, token, asset=asset) >= math.log(0.32) for asset in ("BTC", "OM"))
    one = -math.expm1(-0.2 * 2.0**-2.3)
    assert_frequency(first, one)
    assert_frequency(first & second, one * one)


def test_tokens_of_a_group_correlate_more_than_others():
    """200,000 draws, seed 1, against the variances of the parts; a token's own part is of its class."""
    dependence = Dependence(shocks=(-0.3, 0.3), spread=0.2, level_error=0.1, group_spread=0.25, member_spread=0.15)
    risk = TokenRisk(centre=-2.0, crash_rate=0.0)
    major, other = replace(risk, group="majors"), replace(risk, group="exchanges")
    draws = [draw(dependence, token, asset=asset) for token, asset in ((major, "A"), (major, "B"), (other, "C"))]
    found = np.corrcoef([*draws, draw(dependence, risk, asset="D")])
    common, member, alone = 0.3**2 + 0.1**2, 0.25**2 + 0.15**2, 0.2**2
    exact = {
        (0, 1): (common + 0.25**2) / (common + member),
        (0, 2): common / (common + member),
        (0, 3): common / math.sqrt((common + member) * (common + alone)),
    }
    for pair, correlation in exact.items():
        assert abs(found[pair] - correlation) < MOST_SIGMAS / math.sqrt(N), pair


def test_a_token_without_a_group_is_drawn_as_if_there_were_none():
    token = TokenRisk(centre=-1.9, crash_rate=0.05)
    plain = Dependence.of_law(LAW)
    grouped = replace(plain, group_spread=0.9, member_spread=0.0)
    np.testing.assert_array_equal(draw(plain, token), draw(grouped, replace(token, own_share=1.0)))


def test_a_group_without_anything_of_its_members_own_falls_as_one():
    dependence = Dependence(shocks=(-0.3, 0.3), spread=0.2, group_spread=0.3, member_spread=0.0)
    token = TokenRisk(centre=-2.0, crash_rate=0.0, group="majors")
    first, second = (draw(dependence, token, asset=asset, n_months=3) for asset in ("BTC", "ETH"))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("own_share", [0.0, 0.147, 0.5])
def test_a_share_of_the_crashes_comes_alone(own_share):
    """A level so low that only own crashes reach a tenth: 200,000 draws, seed 1."""
    token = TokenRisk(centre=-9.0, crash_rate=0.4, own_share=own_share)
    drawn = draw(Dependence(shocks=(0.0,), spread=0.2, crash_threshold=0.16, crash_index=2.3), token)
    assert_frequency(drawn >= math.log(0.32), -math.expm1(-own_share * 0.4 * 2.0**-2.3))


def test_the_error_of_the_level_is_shared_by_tokens_and_months():
    dependence = Dependence(shocks=(0.0,), spread=0.0, level_error=0.3)
    token = TokenRisk(centre=-2.0, crash_rate=0.0)
    first, second = (draw(dependence, token, asset=asset, n_months=3) for asset in ("BTC", "OM"))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(np.sort(first), -2.0 + 0.3 * ndtri((np.arange(N) + 0.5) / N), rtol=0.0, atol=1e-12)


def test_shapes_correlate_as_the_dependence_says():
    """200,000 draws, seed 1."""
    dependence = Dependence(shocks=(0.0,), spread=0.2, shape_correlation=0.43)
    shared = draw_shared(dependence, n_months=1, n_scenarios=N, seed=1)
    shapes = [draw_shape(dependence, shared, asset=asset, seed=1) for asset in ("BTC", "OM")]
    assert abs(np.corrcoef(*shapes)[0, 1] - 0.43) < MOST_SIGMAS / math.sqrt(N)


def test_a_calibration_gives_the_risk_of_its_token():
    times = pd.date_range("2025-01-01", "2025-06-20", freq="h", tz="UTC")
    returns = 0.01 * np.random.default_rng(1).standard_normal(len(times))
    calibration = calibrate(pd.Series(np.exp(np.cumsum(returns)), times))
    risk = TokenRisk.of_calibration(calibration)
    day = [month.window for month in calibration.worst_months].index(timedelta(hours=24))
    assert risk == TokenRisk(centre=calibration.worst_months[day].centre, crash_rate=calibration.crashes[day].rate)
    with pytest.raises(NotSimulatedError, match="window must be one for which the market has a law, got 2h"):
        TokenRisk.of_calibration(calibration, timedelta(hours=2))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shocks", ()),
        ("shocks", (math.nan,)),
        ("spread", -0.1),
        ("spread_slope", math.inf),
        ("level_error", math.inf),
        ("crash_threshold", 0.0),
        ("crash_index", math.nan),
        ("shape_correlation", 1.0),
        ("group_spread", -0.1),
        ("member_spread", math.nan),
    ],
)
def test_a_wrong_dependence_is_refused(field, value):
    with pytest.raises(InvalidModelError, match=field):
        Dependence(**{"shocks": (0.0,), "spread": 0.2, field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [("centre", math.nan), ("crash_rate", -0.1), ("group", ""), ("own_share", 1.1), ("own_share", -0.1)],
)
def test_a_wrong_token_is_refused(field, value):
    with pytest.raises(InvalidModelError, match=field):
        TokenRisk(**{"centre": -2.0, "crash_rate": 0.05, field: value})
