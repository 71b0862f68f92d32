"""Make ``calibration/data/bar_lengths.csv`` and the tables on bar lengths of docs/calibration.md.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.bar_lengths`` (about five minutes)

Hourly closes are thinned to those of every 2 to 24 hours, and what they show is compared with what every hour shows:
the worst drop within a day of the same months, and the measures of the same tokens at the same starts. Each row of the
file knows nothing later than its date: the first is from BTC and ETH since 2017, the others from the panel.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration import Calibration, WorstMonth, calibrate, shipped_market
from calibration.law.bar_lengths import DAY, BarEffect, bar_effect
from calibration.law.drop_law import TERM, DropLaw, TokenState, token_state
from calibration.law.law_anchors import exceedance
from calibration.law.own_record import CRASH_EXCESS, block_number, log_worst_blocks, track_excesses
from calibration.market.panel import STEP, Blocks, PanelGrid, eligible, market_blocks, panel_grid, states_at
from calibration.prices.horizons import running_squares
from calibration.prices.worst_drops import rolling_log_drops, worst_log_drops
from docs.studies.blocks import markdown_table, write_block
from docs.studies.market_defaults import DATA as SHIPPED
from docs.studies.market_defaults import DIGITS, FIRST_MARKET, hourly_closes
from docs.studies.panel import DATA, read_panel
from docs.studies.terms import ENDS
from pricing.tools.arrays import BoolArray, FloatArray

PAGE = "calibration.md"
HOURS = (2, 3, 4, 6, 8, 12, 24)
TIMES = tuple(pd.Timestamp(f"{day}T00:00Z") for day in ("2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01"))
SPACING = timedelta(days=10)
LEAD = timedelta(days=40)
#: Smaller log drops are months that stood still.
LEAST = 0.01
DROPS = (0.1, 0.2, 0.3, 0.4)
#: Tokens and quotes of the table of agreement.
N_TOKENS = 40
QUOTED = (0.1, 0.3, 0.5)
SEED = 7
#: Share of closes that must be known.
KNOWN = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class Months:
    """Starts of a panel: rows, hourly states, and which tokens count."""

    grid: PanelGrid
    blocks: tuple[Blocks, ...]
    rows: list[int]
    states: list[TokenState]
    counts: BoolArray

    def until(self, time: pd.Timestamp) -> int:
        """Return the number of starts whose term has ended at a time."""
        return sum(self.grid.times[row] + TERM <= time for row in self.rows)


def months_of(closes: pd.DataFrame) -> Months:
    """Return the months of a panel that start at midnight."""
    grid = panel_grid(closes, None)
    first = int(np.flatnonzero(grid.times.hour == 0)[0]) + round(LEAD / STEP)
    rows = list(range(first, len(grid.times) - round((TERM + DAY) / STEP), round(SPACING / STEP)))
    blocks = tuple(market_blocks(grid, window) for window in (1, 24))
    states = states_at(grid, rows, blocks)
    counts = [
        eligible(grid, row, each) & ~np.isnan(grid.log_prices[row]) for row, each in zip(rows, states, strict=True)
    ]
    return Months(
        grid=grid,
        blocks=blocks,
        rows=rows,
        states=states,
        counts=np.array(counts),
    )


def worst_within_a_day(grid: PanelGrid, rows: Sequence[int], hours: int) -> FloatArray:
    """Return the worst log drops of the months from some rows on, seen every few hours from each row on."""
    worst = np.empty((len(rows), len(grid.tokens)))
    for phase in {row % hours for row in rows}:
        chosen = [place for place, row in enumerate(rows) if row % hours == phase]
        starts = [(rows[place] - phase) // hours for place in chosen]
        thinned = grid.log_prices[phase::hours]
        worst[chosen] = worst_log_drops(thinned, starts, window=24 // hours, term=round(TERM / STEP) // hours)
    return worst


def phases(hours: int) -> range:
    """Return hours of the clock at which thinned closes begin."""
    return range(0, hours, max(1, hours // 6))


def shallower(months: Months, hours: int) -> FloatArray:
    """Return the mean log factor of hourly over thinned falls of each start, over tokens and phases of the clock."""
    by_phase = []
    for phase in phases(hours):
        rows = [row + phase for row in months.rows]
        often, seldom = (worst_within_a_day(months.grid, rows, each) for each in (1, hours))
        counts = months.counts & (often > LEAST) & (seldom > 0.1 * LEAST)
        logs = np.log(np.where(counts, often, 1.0)) - np.log(np.where(counts, seldom, 1.0))
        by_phase.append(logs.sum(axis=1) / np.maximum(counts.sum(axis=1), 1))
    return np.mean(by_phase, axis=0)


def excesses_of(months: Months, hours: int, window: int, log_factor: float) -> tuple[int, FloatArray]:
    """Return the first block, and the log worst drops of all from thinned closes less the market's hourly mean."""
    phase = months.rows[0] % hours
    rolling = rolling_log_drops(months.grid.log_prices[phase::hours], window // hours)
    first, logs = log_worst_blocks(rolling, months.grid.times[phase::hours], hours * STEP)
    market = months.blocks[0 if window == 1 else -1]
    numbers = np.arange(len(logs)) + first - market.first
    known = (numbers >= 0) & (numbers < len(market.means))
    means = np.full(len(logs), np.nan)
    means[known] = market.means[numbers[known]]
    return first, logs - means[:, None] + log_factor


def measured(months: Months, hours: int, log_factor: float, crash_shifts: Sequence[float]) -> FloatArray:
    """Return the measures of all tokens from thinned closes, shape (8, n_starts, n_tokens)."""
    phase = months.rows[0] % hours
    thinned = months.grid.log_prices[phase::hours]
    returns = np.diff(thinned, axis=0, prepend=np.full((1, thinned.shape[1]), np.nan))
    rows = np.array([(row - phase) // hours for row in months.rows])
    sums = running_squares(returns, rows, per_day=24 / hours)
    first, excesses = excesses_of(months, hours, 24, log_factor)
    means = np.zeros(len(excesses))
    tracks = [track_excesses(excesses, CRASH_EXCESS + shift) for shift in crash_shifts]
    own = [Blocks(first=first, means=means, track=track) for track in tracks]
    times = [months.grid.times[row] for row in months.rows]
    records = [tuple(each.record_at(time) for each in own) for time in times]
    return np.stack([measures(token_state(*each)) for each in zip(sums, records, strict=True)], axis=1)


def crash_shift(months: Months, hours: int, window: int, log_factor: float, time: pd.Timestamp) -> float:
    """Return the shift of the bound beyond which as many blocks lie as had an own crash within a window."""
    first, seen = excesses_of(months, hours, 24, log_factor)
    hourly_first, excesses = excesses_of(months, 1, window, 0.0)
    begin = max(first, hourly_first)
    end = min(first + len(seen), hourly_first + len(excesses), block_number(time) + 1)
    thinned, hourly = seen[begin - first : end - first], excesses[begin - hourly_first : end - hourly_first]
    known = ~np.isnan(thinned) & ~np.isnan(hourly)
    share = float((hourly[known] > CRASH_EXCESS).mean())
    return float(np.quantile(thinned[known], 1.0 - share)) - CRASH_EXCESS if share else 0.0


def measures(state: TokenState) -> FloatArray:
    """Return volatilities, tail weight, excess within a day, and logs of both credibility factors."""
    logs = [np.log(record.credibility_factor) for record in state.records]
    return np.stack([*state.log_volatilities, state.tail_weight, state.records[-1].excess, *logs])


def effect_at(months: Months, hours: int, factors: FloatArray, time: pd.Timestamp) -> BarEffect:
    """Return the effect of bars by the months that have ended at a time."""
    known = months.until(time)
    log_factor = float(factors[:known].mean())
    shifts = [crash_shift(months, hours, window, log_factor, time) for window in (1, 24)]
    hourly = np.stack([measures(state) for state in months.states], axis=1)[:, :known]
    counts = months.counts[:known]
    differences = (measured(months, hours, log_factor, shifts)[:, :known] - hourly)[:, counts]
    laws = shipped_market(time.to_pydatetime()).laws
    return BarEffect(
        log_factor,
        float(factors[:known].std() / math.sqrt(known * (SPACING / TERM))),
        *differences[:6].mean(axis=1).tolist(),
        *shifts,
        *(level_error(law, differences) for law in laws),
        *(rate_error(law, differences, place) for place, law in enumerate(laws)),
    )


def level_error(law: DropLaw, differences: FloatArray) -> float:
    """Return the standard deviation of the centre of a law, given errors of the measures."""
    latest, shorter, middle, longer, _, excess = differences[:6]
    covariates = np.stack([middle, longer - middle, shorter - middle, latest - shorter, excess], axis=1)
    return float((covariates @ np.array(law.slopes)).std())


def rate_error(law: DropLaw, differences: FloatArray, place: int) -> float:
    """Return the standard deviation of the log of the rate of own crashes, given errors of the measures."""
    market_rate = law.own.volatility_slope * differences[2] + law.own.tail_slope * differences[4]
    return float((market_rate + differences[6 + place]).std())


def majors() -> pd.DataFrame:
    """Return hourly closes of BTC and ETH before the first market."""
    files = {pair: DATA / "intraday" / f"{pair}USDT_binance_1h_2017_202210.csv.gz" for pair in ("BTC", "ETH")}
    closes = pd.DataFrame({pair: hourly_closes(path) for pair, path in files.items()})
    return closes.loc[:FIRST_MARKET].rename_axis("close_time")


def one_asset(closes: pd.DataFrame) -> pd.DataFrame:
    """Cut what is another asset."""
    closes = closes.copy()
    for token, end in ENDS.items():
        closes.loc[end:, token] = np.nan
    return closes


def write_effects(closes: pd.DataFrame) -> None:
    """Write one row for each date and length of bars."""
    rows = []
    for months, times in (
        (months_of(majors()), (FIRST_MARKET,)),
        (months_of(closes), (*TIMES, closes.index[-1])),
    ):
        for hours in HOURS:
            factors = shallower(months, hours)
            rows += [(time.isoformat(), hours, *astuple(effect_at(months, hours, factors, time))) for time in times]
            print(f"{hours} hours until {times[-1]:%Y-%m-%d}: {rows[-1][2]:.4f}", flush=True)
    columns = ["as_of", "hours", *(each.name for each in fields(BarEffect))]
    table = pd.DataFrame(rows, columns=columns).sort_values(["as_of", "hours"])
    table.to_csv(SHIPPED / "bar_lengths.csv", index=False, float_format=f"%.{DIGITS}f", lineterminator="\n")


def factor_table(last: pd.Timestamp) -> str:
    """Tabulate what the shipped effects say at the first and at the last date."""
    rows = []
    for hours in HOURS:
        first, latest = (bar_effect(hours * STEP, time.to_pydatetime()) for time in (FIRST_MARKET, last))
        rows.append(
            [
                f"{hours} h",
                f"{math.exp(first.log_factor):.3f}",
                f"{math.exp(latest.log_factor):.3f} ± {math.exp(latest.log_factor) * latest.log_factor_error:.3f}",
                f"{math.expm1(latest.volatility_30d):+.1%}",
                f"{latest.error_24h:.1%}",
            ]
        )
    heads = ["seen every", "factor, 2017 to March 2021", "factor, panel", "30-day volatility", "error of the level"]
    return markdown_table(heads, rows)


def fall_table(months: Months) -> str:
    """Tabulate falls seen on thinned closes over hourly falls that are deeper by the factor known at the start."""
    known = [place for place, row in enumerate(months.rows) if months.grid.times[row] >= FIRST_MARKET]
    counts = months.counts[known]
    depths = -np.log1p(-np.array(DROPS))[:, None, None]
    rows = []
    for hours in HOURS:
        dates = [months.grid.times[months.rows[place]].to_pydatetime() for place in known]
        factors = np.exp([bar_effect(hours * STEP, date).log_factor for date in dates])[:, None]
        seen, expected = np.zeros(len(DROPS)), np.zeros(len(DROPS))
        for phase in phases(hours):
            starts = [months.rows[place] + phase for place in known]
            often, seldom = (worst_within_a_day(months.grid, starts, each) for each in (1, hours))
            seen += ((seldom >= depths) & counts).sum(axis=(1, 2)) / len(phases(hours))
            expected += ((often >= factors * depths) & counts).sum(axis=(1, 2)) / len(phases(hours))
        rows.append([f"{hours} h", *(f"{n / m:.2f} ({n:,.0f})" for n, m in zip(seen, expected, strict=True))])
    return markdown_table(["seen every", *(f"24 h ≥ {drop:.0%}" for drop in DROPS)], rows)


def agreement(closes: pd.DataFrame, hours: int, tokens: Sequence[str], times: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """Quote covers on one grid from hourly closes and from closes of that grid.

    Returns
    -------
    DataFrame
        Columns ``token``, ``drop``, ``hourly``, ``coarse`` (probabilities in 30 days), and ``error``, the standard
        error of the log of the second that is due to the bars.
    """
    rows = []
    for token, time in zip(tokens, times, strict=True):
        known = closes[token].loc[:time].dropna()
        thinned = known[known.index.hour % hours == 0]
        market = shipped_market(time.to_pydatetime())
        step = hours * STEP
        fine = calibrate(known, market=market, grid=step, stale_ok=True, as_of=time, law="constant")
        coarse = calibrate(thinned, market=market, step=step, stale_ok=True, as_of=time, law="constant")
        for drop in QUOTED:
            month = coarse.worst_months[-1]
            rows.append((token, drop, fine.worst_months[-1].at(drop), month.at(drop), log_error(coarse, drop)))
    return pd.DataFrame(rows, columns=["token", "drop", "hourly", "coarse", "error"])


def log_error(coarse: Calibration, drop: float) -> float:
    """Return the standard error of the log of a probability that is due to bars longer than an hour."""
    law, month = coarse.market_on_grid(coarse.market).laws[-1], coarse.worst_months[-1]
    own = 1.0 - exceedance(law, drop, month.centre, 0.0) / month.at(drop)
    level = coarse.sight.bars.error(law.window) * steepness(month, drop)
    return math.hypot(level, own * coarse.sight.bars.rate_error(law.window))


def steepness(month: WorstMonth, drop: float) -> float:
    """Return by how much the log of a probability falls per log of the depth, between the nodes next to a drop."""
    place = month.drops.index(drop)
    (low, high), (often, seldom) = (each[place - 1 : place + 2 : 2] for each in (month.drops, month.probabilities))
    return math.log(often / seldom) / math.log(math.log1p(-high) / math.log1p(-low))


def sampled(closes: pd.DataFrame, number: int) -> tuple[list[str], list[pd.Timestamp]]:
    """Draw tokens, and for each a midnight with at least 600 days of closes and no gap of months before it."""
    rng = np.random.default_rng(SEED)
    long = closes.rolling(24 * 600).count() >= KNOWN * 24 * 600
    long = long[long.index.hour == 0]
    tokens = rng.permutation(long.columns[long.any()])[:number].tolist()
    return tokens, [rng.choice(long.index[long[token]]) for token in tokens]


def agreement_table(closes: pd.DataFrame) -> str:
    """Tabulate how far quotes from coarse closes are from those from hourly closes."""
    tokens, times = sampled(closes, N_TOKENS)
    rows = []
    for hours in HOURS:
        found = agreement(closes, hours, tokens, times)
        cells = []
        for drop in QUOTED:
            part = found[found["drop"] == drop]
            ratio = part["coarse"] / part["hourly"]
            near = (np.abs(np.log(ratio)) <= np.maximum(math.log(1.15), 2.0 * part["error"])).mean()
            cells.append(f"{ratio.median():.2f} ({near:.0%})")
        rows.append([f"{hours} h", *cells])
    return markdown_table(["bars and grid", *(f"24 h ≥ {drop:.0%}" for drop in QUOTED)], rows)


def main() -> None:
    """Write the file and the tables."""
    closes = one_asset(read_panel())
    write_effects(closes)
    write_block(PAGE, "factors", factor_table(closes.index[-1]))
    write_block(PAGE, "thinned", fall_table(months_of(closes)))
    write_block(PAGE, "agreement", agreement_table(closes))


if __name__ == "__main__":
    main()
