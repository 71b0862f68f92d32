"""The dependence against observed tokens: 8,698 token-months from April 2021 on, 51 starts 30 days apart.

The law of the worst drop gives every token its probability at every start; the dependence says how many fall together.
For each statistic of the panel, 400 panels of 51 months are drawn. In the sample (the latest market) the panel has to
lie within the middle 98 % of them; walking forward (at each start the market of that time) within the middle 99 %.
"""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from calibration import shipped_market
from calibration.market.market import PEGGED, WINDOWS
from calibration.market.panel import (
    eligible,
    market_blocks,
    market_index,
    market_state,
    outcomes,
    panel_grid,
    states_at,
)
from pool import Dependence, TokenRisk
from pool.dependence import SHAPE_CORRELATION, draw_log_worst, draw_shared

N_PANELS = 400
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
LATEST = datetime(2025, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def panel(market_data):
    frame = pd.read_parquet(market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet")
    frame = frame.set_index("open_time")
    frame.index += HOUR  # labelled by the open there, by the close here
    return panel_grid(frame[[name for name in frame.columns if name not in PEGGED]], None)


@pytest.fixture(scope="module")
def months(panel):
    """Rows of the starts, and the states of all tokens at each."""
    step = MONTH // HOUR
    starts = list(range(panel.times.get_loc("2021-04-01 00:00:00+00:00"), len(panel.times) - step, step))
    blocks = tuple(market_blocks(panel, window // HOUR) for window in WINDOWS)
    return starts, states_at(panel, starts, blocks)


def fallen_together(panel, months, window, market_at):
    """Observed and simulated log worst drops, month by month: shapes (n_tokens,) and (n_tokens, N_PANELS)."""
    place = list(WINDOWS).index(window)
    starts, states = months
    came = np.log(np.maximum(outcomes(panel, starts, window // HOUR), 1e-9))
    index = market_index(panel)
    for number, (start, state) in enumerate(zip(starts, states, strict=True)):
        law = market_at(panel.times[start].to_pydatetime()).laws[place]
        tokens = np.flatnonzero(eligible(panel, start, state))
        centres = law.centre(state.covariates(place), market_state(state, tokens, index, start))
        rates = law.own.market_rates(state) * state.records[place].credibility_factor
        dependence = Dependence.of_law(law)
        shared = draw_shared(dependence, n_months=1, n_scenarios=N_PANELS, seed=number)
        drawn = [
            draw_log_worst(
                dependence,
                TokenRisk(centre=centres[token], crash_rate=rates[token]),
                shared,
                asset=str(token),
                seed=number,
            )
            for token in tokens
        ]
        yield came[number, tokens], np.array(drawn)


def statistics(numbers, n_tokens):
    """Median, 90 % quantile and largest share of a month, and how often two tokens of a month fall both."""
    shares = numbers / n_tokens[:, None]
    pairs = (numbers * (numbers - 1.0)).sum(axis=0) / (n_tokens * (n_tokens - 1.0)).sum()
    return np.array([*np.quantile(shares, [0.5, 0.9], axis=0), shares.max(axis=0), pairs])


@pytest.fixture(scope="module")
def in_sample(panel, months):
    market = shipped_market(LATEST)
    return {window: list(fallen_together(panel, months, window, lambda _: market)) for window in WINDOWS}


@pytest.fixture(scope="module")
def walking_forward(panel, months):
    return list(fallen_together(panel, months, timedelta(hours=24), shipped_market))


def compare(months, drop):
    """Statistics of the panel, and their ranks among simulated ones."""
    log_drop = math.log(-math.log1p(-drop))
    n_tokens = np.array([len(came) for came, _ in months])
    numbers = np.array([np.count_nonzero(came >= log_drop) for came, _ in months])
    drawn = np.array([np.count_nonzero(tokens >= log_drop, axis=0) for _, tokens in months])
    found, expected = statistics(numbers[:, None], n_tokens), statistics(drawn, n_tokens)
    return found[:, 0], (np.mean(expected < found, axis=1) + np.mean(expected <= found, axis=1)) / 2.0


def test_the_panel_is_the_one_that_is_quoted(in_sample):
    """Median, 90 % quantile and worst share of tokens with 30 % in 24 hours: 2.7, 16.5 and 97.8 %."""
    found, _ = compare(in_sample[timedelta(hours=24)], 0.3)
    np.testing.assert_allclose(found[:3], [0.027, 0.165, 0.978], atol=0.0006)


@pytest.mark.parametrize("drop", [0.2, 0.3])
def test_as_many_fall_together_in_a_day_as_the_dependence_says(in_sample, drop):
    _, places = compare(in_sample[timedelta(hours=24)], drop)
    assert ((places > 0.01) & (places < 0.99)).all(), places


@pytest.mark.parametrize("drop", [0.2, 0.3])
def test_and_as_it_said_before(walking_forward, drop):
    _, places = compare(walking_forward, drop)
    assert ((places > 0.005) & (places < 0.995)).all(), places


@pytest.mark.parametrize("drop", [0.05, 0.1])
def test_as_many_fall_together_in_an_hour_as_the_dependence_says(in_sample, drop):
    _, places = compare(in_sample[timedelta(hours=1)], drop)
    assert ((places > 0.01) & (places < 0.99)).all(), places


@pytest.mark.parametrize(("window", "drop"), [(24, 0.5), (1, 0.2)])
def test_pairs_fall_together_as_often_even_where_months_differ(in_sample, window, drop):
    """Of drops this rare the law expects too many in quiet months; pairs are what a pool's tail is made of."""
    _, places = compare(in_sample[timedelta(hours=window)], drop)
    assert 0.01 < places[3] < 0.99, places


def test_tokens_share_how_abrupt_a_month_is(in_sample):
    """Share of variance between months of what 24 hours leave of 1 hour; 51 months give it a standard error of 0.07."""
    hours, days = ([came for came, _ in in_sample[window]] for window in WINDOWS)
    month = np.repeat(np.arange(len(days)), [len(came) for came in days])
    hour, day = np.concatenate(hours), np.concatenate(days)
    traded = (hour > math.log(1e-4)) & (day > math.log(1e-4))
    hour, day, month = hour[traded], day[traded], month[traded]
    left = hour - np.polyval(np.polyfit(day, hour, 1), day)
    means = np.bincount(month, left) / np.bincount(month)
    share = means.var() / (means.var() + (left - means[month]).var())
    assert share == pytest.approx(SHAPE_CORRELATION, abs=0.14)
