"""The dependence against observed tokens: 8,698 token-months from April 2021 on, 51 starts 30 days apart.

The law of the worst drop gives every token its probability at every start; the dependence says how many fall together.
For each statistic of the panel, 400 panels of 51 months are drawn. In the sample (the latest market) the panel has to
lie within the middle 98 % of them; walking forward (at each start the market of that time) within the middle 99 %.

The majors are held against a longer record as well: 43 months of BTC and ETH before the panel.
"""

import math
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.stats import binomtest

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
from pool.dependence import GROUP_SPREAD, MEMBER_SPREAD, SHAPE_CORRELATION, draw_log_worst, draw_shared
from pool.majors import LARGE_OWN_SHARE, is_major

N_PANELS = 400
HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
LATEST = datetime(2025, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def panel(market_data):
    frame = pd.read_parquet(market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet")
    frame = frame.set_index("open_time")
    frame.index = (frame.index + HOUR).rename("close_time")  # labelled by the open there, by the close here
    return panel_grid(frame[[name for name in frame.columns if name not in PEGGED]], None)


@pytest.fixture(scope="module")
def months(panel):
    """Rows of the starts, and the states of all tokens at each."""
    step = MONTH // HOUR
    starts = list(range(panel.times.get_loc("2021-04-01 00:00:00+00:00"), len(panel.times) - step, step))
    blocks = tuple(market_blocks(panel, window // HOUR) for window in WINDOWS)
    return starts, states_at(panel, starts, blocks)


class Month(NamedTuple):
    """Observed and simulated log worst drops of a month: shapes (n_tokens,) and (n_tokens, N_PANELS)."""

    start: pd.Timestamp
    names: list[str]
    came: npt.NDArray[np.float64]
    drawn: npt.NDArray[np.float64]
    rates: npt.NDArray[np.float64]

    def of(self, name):
        return self.names.index(name)

    @property
    def majors(self):
        return np.array([is_major(name) for name in self.names])


def log_log_drop(drop):
    return math.log(-math.log1p(-drop))


def fallen_together(panel, months, window, market_at):
    place = list(WINDOWS).index(window)
    starts, states = months
    came = np.log(np.maximum(outcomes(panel, starts, window // HOUR), 1e-9))
    index = market_index(panel)
    for number, (start, state) in enumerate(zip(starts, states, strict=True)):
        law = market_at(panel.times[start].to_pydatetime()).laws[place]
        tokens = np.flatnonzero(eligible(panel, start, state))
        centres = law.centre(state.covariates(place), market_state(state, tokens, index, start))
        rates = law.own.market_rates(state) * state.records[place].credibility_factor
        names = list(panel.tokens[tokens])
        quoted = draw_quoted(law, centres[tokens, None], rates[tokens, None], np.random.default_rng(number))
        risks = [TokenRisk(centre=centres[token], crash_rate=rates[token]) for token in tokens]
        drawn = reorder(quoted, Dependence.of_law(law), dict(zip(names, risks, strict=True)), seed=number)
        yield Month(panel.times[start], names, came[number, tokens], drawn, rates[tokens])


def draw_quoted(law, centres, rates, rng):
    """Draw from the law of each token by itself, which is what is quoted."""
    size = len(centres), N_PANELS
    shocks = rng.choice(law.shocks, size)
    spread = np.hypot(np.exp(law.spread + law.spread_slope * shocks), law.level.error)
    ratio, own = rates / rng.exponential(size=size), law.own
    depth = math.log(own.threshold) + np.log(ratio) / own.index
    deeper = np.maximum(depth - math.log(own.deep), 0.0)
    crashes = np.where(ratio >= 1.0, depth - deeper * (1.0 - own.index / own.deep_index), -np.inf)
    return np.maximum(centres + shocks + spread * rng.standard_normal(size), crashes)


def reorder(quoted, dependence, risks, *, seed):
    """Put draws into the order of the dependence, as a pool takes the paths of a surface by rank."""
    shared = draw_shared(dependence, n_months=1, n_scenarios=N_PANELS, seed=seed)
    drawn = np.empty(quoted.shape)
    for row, (name, risk) in enumerate(risks.items()):
        order = np.argsort(draw_log_worst(dependence, risk.named(name), shared, asset=name, seed=seed))
        drawn[row, order] = np.sort(quoted[row])
    return drawn


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
    log_drop = log_log_drop(drop)
    n_tokens = np.array([len(month.names) for month in months])
    numbers = np.array([np.count_nonzero(month.came >= log_drop) for month in months])
    drawn = np.array([np.count_nonzero(month.drawn >= log_drop, axis=0) for month in months])
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
    hours, days = ([month.came for month in in_sample[window]] for window in WINDOWS)
    month = np.repeat(np.arange(len(days)), [len(came) for came in days])
    hour, day = np.concatenate(hours), np.concatenate(days)
    traded = (hour > math.log(1e-4)) & (day > math.log(1e-4))
    hour, day, month = hour[traded], day[traded], month[traded]
    left = hour - np.polyval(np.polyfit(day, hour, 1), day)
    means = np.bincount(month, left) / np.bincount(month)
    share = means.var() / (means.var() + (left - means[month]).var())
    assert share == pytest.approx(SHAPE_CORRELATION, abs=0.14)


DROPS_OF_MAJORS = (0.15, 0.2, 0.25, 0.3)


@pytest.fixture(scope="module")
def long_memory():
    """Log worst drops in 24 hours of BTC and ETH, months before the panel that do not overlap."""
    path = files("calibration") / "data" / "long_memory.csv"
    rows = pd.read_csv(path, comment="#", parse_dates=["start"])
    first = pd.Timestamp("2021-04-01", tz="UTC")
    rows = rows[(rows["start"] < first) & ((first - rows["start"]) % MONTH == timedelta(0))]
    return rows.pivot(index="start", columns="asset", values=["log_worst_24h", "log_volatility"])


def falls_of_majors(months, long_memory, drop):
    """Numbers of months in which BTC fell, and in which ETH fell as well, since 2017."""
    log_drop = log_log_drop(drop)
    panel = [(month.came[month.of("BTC")], month.came[month.of("ETH")]) for month in months]
    worst = np.concatenate([long_memory["log_worst_24h"][["BTC", "ETH"]].to_numpy(), panel])
    fell = worst >= log_drop
    return len(worst), int(fell[:, 0].sum()), int(fell.all(axis=1).sum())


def chance_of_both(months, drop):
    """Probability that ETH falls, given that BTC falls."""
    log_drop = log_log_drop(drop)
    fell = [(month.drawn[[month.of("BTC"), month.of("ETH")]] >= log_drop) for month in months]
    both = sum(np.count_nonzero(each.all(axis=0)) for each in fell)
    return both / sum(np.count_nonzero(each[0]) for each in fell)


def test_the_record_of_the_majors_is_the_one_that_is_quoted(in_sample, long_memory):
    found = [falls_of_majors(in_sample[timedelta(hours=24)], long_memory, drop) for drop in DROPS_OF_MAJORS]
    assert found == [(94, 17, 16), (94, 5, 4), (94, 3, 3), (94, 1, 1)]


@pytest.mark.parametrize("drop", DROPS_OF_MAJORS)
@pytest.mark.parametrize("quoted", ["in_sample", "walking_forward"])
def test_eth_falls_with_btc_as_often_as_on_record(request, in_sample, long_memory, quoted, drop):
    """The exact interval (Clopper and Pearson 1934) of the record since 2017, 95 %."""
    months = in_sample[timedelta(hours=24)]
    _, fell, both = falls_of_majors(months, long_memory, drop)
    if quoted == "walking_forward":
        months = request.getfixturevalue(quoted)
    record = binomtest(both, fell).proportion_ci(method="exact")
    assert record.low <= chance_of_both(months, drop) <= record.high


def test_majors_deviate_from_a_month_together(in_sample):
    """Their deviations from the month's median token: 51 months give a correlation of 0.67 an error of 0.08."""
    left = [month.came - np.median(month.drawn, axis=1) for month in in_sample[timedelta(hours=24)]]
    months = in_sample[timedelta(hours=24)]
    deviations = np.array(
        [
            each[[month.of("BTC"), month.of("ETH")]] - np.median(each[~month.majors])
            for each, month in zip(left, months, strict=True)
        ]
    )
    exact = GROUP_SPREAD**2 / (GROUP_SPREAD**2 + MEMBER_SPREAD**2)
    assert np.corrcoef(deviations.T)[0, 1] == pytest.approx(exact, abs=0.16)


def test_what_majors_do_not_share_is_as_wide_as_before_the_panel(long_memory):
    """Standard deviation of BTC and ETH around their mean, at equal volatility; 43 months give it an error of 0.017."""
    gaps = long_memory.xs("ETH", axis=1, level="asset") - long_memory.xs("BTC", axis=1, level="asset")
    left = gaps["log_worst_24h"] - 0.5 * gaps["log_volatility"]
    assert left.std() / math.sqrt(2.0) == pytest.approx(MEMBER_SPREAD, abs=0.034)


def test_large_tokens_had_no_crash_of_their_own(in_sample, market_data):
    """Falls of 20 % of ranks 1 to 12 by market value, in months in which the median token fell by less than 15 %."""
    values = pd.read_csv(market_data / "panel" / "coinmarketcap_top200_monthly_2020_202510.csv.gz")
    values["snapshot_date"] = pd.to_datetime(values["snapshot_date"].astype(str), utc=True)
    law = shipped_market(LATEST).laws[-1]
    expected, came = 0.0, 0
    for month in in_sample[timedelta(hours=24)]:
        if np.median(month.came) < log_log_drop(0.15):
            known = values[values["snapshot_date"] <= month.start]
            latest = known[known["snapshot_date"] == known["snapshot_date"].max()]
            large = np.isin(month.names, latest.loc[latest["Rank"] <= 12, "Symbol"])
            expected += month.rates[large].sum() * law.own.beyond(-math.log1p(-0.2))
            came += np.count_nonzero(month.came[large] >= log_log_drop(0.2))
    assert came == 0
    assert 1.0 / (1.0 + expected) == pytest.approx(LARGE_OWN_SHARE, abs=0.005)


@pytest.mark.parametrize(("drop", "came"), [(0.4, 30), (0.5, 14)])
def test_months_with_any_deep_fall_are_not_too_many(walking_forward, drop, came):
    """Quotes of 50 % expect twice as many falls as came, but not in more months than the middle 98 % of panels have."""
    found = sum(bool((month.came >= log_log_drop(drop)).any()) for month in walking_forward)
    assert found == came
    drawn = sum((month.drawn >= log_log_drop(drop)).any(axis=0).astype(int) for month in walking_forward)
    assert 0.01 < (np.mean(drawn < found) + np.mean(drawn <= found)) / 2.0 < 0.99


def test_quantiles_of_the_number_of_tokens_lie_in_the_interval_of_the_panel(in_sample):
    """Share of tokens with 30 % in 24 hours: median, 90 % and 99 % quantile of months; 4,000 bootstraps, 95 %."""
    months, log_drop = in_sample[timedelta(hours=24)], log_log_drop(0.3)
    came = np.array([np.mean(month.came >= log_drop) for month in months])
    drawn = np.concatenate([np.mean(month.drawn >= log_drop, axis=0) for month in months])
    again = np.random.default_rng(1).choice(came, (4_000, len(came)))
    levels = [0.5, 0.9, 0.99]
    low, high = np.quantile(np.quantile(again, levels, axis=1), [0.025, 0.975], axis=1)
    found = np.quantile(drawn, levels)
    assert ((low <= found) & (found <= high)).all(), (low, found, high)


@pytest.mark.parametrize(("drop", "came"), [(0.2, 26), (0.3, 5)])
def test_october_2025_was_a_month_that_the_dependence_knows(in_sample, market_data, drop, came):
    """42 tokens on Coinbase, daily closes; no market of the tests has seen it. The middle 98 % of drawn months."""
    closes = pd.read_csv(market_data / "panel" / "coinbase_spot_daily_2020_202510.csv.gz", parse_dates=["date"])
    closes = closes.pivot(index="date", columns="symbol", values="close")["2025-09-25":"2025-10-25"].dropna(axis=1)
    falls = (1.0 - closes / closes.shift()).max()[np.log(closes).diff().std() > 0.01]  # without pegged tokens
    assert (len(falls), np.count_nonzero(falls >= drop)) == (42, came)
    drawn = [np.mean(month.drawn >= log_log_drop(drop), axis=0) for month in in_sample[timedelta(hours=24)]]
    assert 0.01 < np.mean(np.concatenate(drawn) < came / len(falls)) < 0.99
