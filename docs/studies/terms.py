"""Write the tables on terms of docs/calibration.md: falls over those expected by term, and what an empty window sees.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.terms`` (about a minute)

Starts are five days apart. Each is quoted by the shipped market of the day, which knows nothing later, with the state
of the market and of the tokens at the start.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration import shipped_market
from calibration.law.drop_law import TERM, DropLaw
from calibration.law.law_anchors import over_term
from calibration.market.market import WINDOWS
from calibration.market.panel import (
    SPACING,
    STEP,
    PanelGrid,
    eligible,
    market_blocks,
    market_index,
    market_state,
    panel_grid,
    states_at,
)
from calibration.prices.worst_drops import worst_log_drops
from docs.studies.blocks import markdown_table, write_block
from docs.studies.market_defaults import hourly_closes
from docs.studies.panel import DATA, read_panel

PAGE = "calibration.md"
FIRST = pd.Timestamp("2021-04-01", tz="UTC")
DAY = timedelta(days=1)
TERMS = tuple(days * DAY for days in (7, 30, 90, 180))
DROPS = {timedelta(hours=1): (0.1, 0.2, 0.3), DAY: (0.2, 0.3, 0.4, 0.5)}
#: LUNA is another asset from then on, and starts and terms that span the change are no months of one token.
ENDS = {"LUNA": pd.Timestamp("2022-05-13T01:00Z")}


def months_expected(
    grid: PanelGrid,
    rows: Sequence[int],
    drops: Mapping[timedelta, Sequence[float]],
    change: Callable[[DropLaw], DropLaw] | None = None,
) -> dict[tuple[timedelta, float], np.ndarray]:
    """Return the probability of each fall in 30 days, shape (n_starts, n_tokens); NaN if a token does not count."""
    index = market_index(grid)
    states = states_at(grid, list(rows), tuple(market_blocks(grid, round(window / STEP)) for window in WINDOWS))
    found = {
        (window, drop): np.full((len(rows), len(grid.tokens)), np.nan) for window in drops for drop in drops[window]
    }
    for number, (row, state) in enumerate(zip(rows, states, strict=True)):
        counts = eligible(grid, row, state) & ~np.isnan(grid.log_prices[row])
        market = market_state(state, counts, index, row)
        laws = shipped_market(grid.times[row].to_pydatetime()).laws
        for place, law in enumerate(map(change, laws) if change else laws):
            centres = law.centre(state.covariates(place), market)
            rates = law.own.market_rates(state) * state.records[place].credibility_factor
            for drop in drops.get(law.window, ()):
                quoted = law.exceedance(-np.log1p(-drop), centres, rates)
                found[law.window, drop][number] = np.where(counts, quoted, np.nan)
    return found


def accuracy_table(grid: PanelGrid) -> str:
    """Tabulate the number of falls over the number expected."""
    rows = range(int((FIRST - grid.times[0]) / STEP), len(grid.times) - 1 - round(TERM / STEP), round(SPACING / STEP))
    cells: dict[tuple[timedelta, float], list[str]] = {}
    for (window, drop), month in months_expected(grid, rows, DROPS).items():
        for term in TERMS:
            ended = [row for row in rows if row + term / STEP < len(grid.times)]
            worst = worst_log_drops(grid.log_prices, ended, window=round(window / STEP), term=round(term / STEP))
            expected = over_term(month[: len(ended)], window, term)
            counts = ~np.isnan(worst) & ~np.isnan(expected)
            ratio = (worst[counts] >= -np.log1p(-drop)).sum() / expected[counts].sum()
            cells.setdefault((window, drop), []).append(f"{ratio:.2f}")
    named = [[f"{window / STEP:.0f} h ≥ {drop:.0%}", *ratios] for (window, drop), ratios in cells.items()]
    return markdown_table(["fall", *(f"{term / DAY:.0f} d" for term in TERMS)], named)


def first_over_second(closes: pd.DataFrame) -> list[str]:
    """Return falls within 24 hours in the first day over those that the second day adds, and their number."""
    prices = np.log(closes.to_numpy())
    starts = range(24, len(prices) - 48, 12)
    worst = [worst_log_drops(prices, starts, window=24, term=term) for term in (24, 48)]
    known = ~np.isnan(prices[list(starts)]) & ~np.isnan(worst[0])
    counts = [[(known & (each >= -np.log1p(-drop))).sum() for each in worst] for drop in (0.15, 0.2)]
    return [f"{one / (two - one):.2f} ({one:,})" for one, two in counts]


def window_table(closes: pd.DataFrame) -> str:
    """Tabulate what the first, empty window sees."""
    rows = []
    for asset in ("BTC", "ETH"):
        own = hourly_closes(DATA / "intraday" / f"{asset}USDT_binance_1h_2017_202210.csv.gz").loc[:"2020"]
        regular = own.reindex(pd.date_range(own.index[0], own.index[-1], freq=STEP)).to_frame()
        rows.append([f"{asset}, 2017 to 2020", *first_over_second(regular)])
    for year, part in closes.groupby(closes.index.year):
        rows.append([f"panel, {year}", *first_over_second(part)])
    return markdown_table(["", "24 h ≥ 15 %", "24 h ≥ 20 %"], rows)


def main() -> None:
    """Write both tables."""
    closes = read_panel()
    for token, end in ENDS.items():
        closes.loc[end:, token] = np.nan
    write_block(PAGE, "windows", window_table(closes))
    write_block(PAGE, "terms", accuracy_table(panel_grid(closes, None)))


if __name__ == "__main__":
    main()
