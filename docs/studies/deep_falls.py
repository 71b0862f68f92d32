"""Write the tables on deep falls of docs/evidence.md: their Pareto index on record, and quotes with and without it.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.deep_falls`` (a minute)

Starts are five days apart. Each is quoted by the shipped market of the day, which knows nothing later.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.law.drop_law import TERM, DropLaw
from calibration.law.own_record import CRASH_EXCESS
from calibration.market.own_crash import DEEP_DROP
from calibration.market.panel import SPACING, STEP, PanelGrid, panel_grid
from calibration.prices.worst_drops import worst_log_drops
from docs.studies.blocks import markdown_table, write_block
from docs.studies.market_defaults import hourly_closes
from docs.studies.panel import DATA, read_panel
from docs.studies.terms import DAY, ENDS, FIRST, months_expected
from pricing.tools.arrays import FloatArray

PAGE = "evidence.md"
WINDOW = round(DAY / STEP)
MONTH = round(TERM / STEP)
DROPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: Smallest drops from which the index of BTC and ETH is estimated.
EARLY_DROPS = (0.15, 0.2, 0.3)
YEAR = timedelta(days=365) / TERM
N_RESAMPLES, SEED = 2_000, 1


def with_one_index(law: DropLaw) -> DropLaw:
    """Return the law with the index of shallow crashes at every depth."""
    return replace(law, own=replace(law.own, deep_index=law.own.index))


def hill(worst: FloatArray, drop: float) -> str:
    """Return the Pareto index of log drops beyond a drop, and their number in months that do not overlap."""
    least = -math.log1p(-drop)
    beyond = worst[worst >= least]
    return f"{1.0 / np.log(beyond / least).mean():.1f} ({len(beyond) * (SPACING / TERM):.0f})"


def early_rows() -> list[list[str]]:
    """Return the index of BTC and ETH before the panel."""
    worst = []
    for asset in ("BTC", "ETH"):
        own = hourly_closes(DATA / "intraday" / f"{asset}USDT_binance_1h_2017_202210.csv.gz").loc[:"2020"]
        closes = own.reindex(pd.date_range(own.index[0], own.index[-1], freq=STEP)).to_numpy()[:, None]
        starts = range(0, len(closes) - MONTH, round(SPACING / STEP))
        worst.append(worst_log_drops(np.log(closes), starts, window=WINDOW, term=MONTH)[:, 0])
    joined = np.concatenate(worst)
    return [[f"BTC and ETH, 2017 to 2020, {drop:.0%} and more", hill(joined, drop)] for drop in EARLY_DROPS]


def index_table(grid: PanelGrid, rows: Sequence[int], worst: FloatArray) -> str:
    """Tabulate the index of the record, as it was known at the end of each year."""
    logs = np.log(np.where(worst > 0.0, worst, np.nan))
    own = np.where(logs - np.nanmean(logs, axis=1, keepdims=True) > CRASH_EXCESS, worst, 0.0)
    years = grid.times[list(rows)].year.to_numpy()
    found = [
        [f"panel up to {year}, {DEEP_DROP:.0%} and more beyond the month", hill(own[years <= year], DEEP_DROP)]
        for year in (2022, 2023, 2024, 2025)
    ]
    return markdown_table(["falls in 24 h", "Pareto index (falls)"], [*early_rows(), *found])


def log_losses(quoted: FloatArray, came: np.ndarray) -> FloatArray:
    """Return the sum of the log losses of each start."""
    return np.nansum(np.where(came, -np.log(quoted), -np.log1p(-quoted)), axis=1)


def gain(before: FloatArray, after: FloatArray, months: np.ndarray) -> str:
    """Return the share of the log loss that is saved, with a 90 % interval from whole months drawn again."""
    sums = [np.bincount(months, each) for each in (before, after)]
    drawn = np.random.default_rng(SEED).integers(len(sums[0]), size=(N_RESAMPLES, len(sums[0])))
    shares = 1.0 - sums[1][drawn].sum(axis=1) / sums[0][drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.05, 0.95))
    return f"{1.0 - sums[1].sum() / sums[0].sum():+.1%} [{low:+.1%}, {high:+.1%}]"


def quotes_table(grid: PanelGrid, rows: Sequence[int], worst: FloatArray) -> str:
    """Tabulate falls over those expected, with one index and with that of deep falls."""
    drops = {DAY: DROPS}
    one, deep = (months_expected(grid, rows, drops, change) for change in (with_one_index, None))
    months = (np.arange(len(rows)) * (SPACING / TERM)).astype(np.intp)
    table = []
    for drop in DROPS:
        before, after = one[DAY, drop], deep[DAY, drop]
        counts = ~np.isnan(worst) & ~np.isnan(after)
        came = counts & (worst >= -math.log1p(-drop))
        losses = [log_losses(np.where(counts, each, np.nan), came) for each in (before, after)]
        ratios = [f"{came.sum() / each[counts].sum():.2f}" for each in (before, after)]
        yearly = f"{YEAR * came.sum() / counts.sum():.2%}"
        quoted = f"{YEAR * after[counts].mean():.2%}"
        table.append([f"{drop:.0%}", yearly, quoted, *ratios, gain(*losses, months)])
    head = ["24 h", "came a year", "quoted", "A/E, one index", "A/E", "log loss saved"]
    return markdown_table(head, table)


def main() -> None:
    """Write both tables."""
    closes = read_panel()
    for token, end in ENDS.items():
        closes.loc[end:, token] = np.nan
    grid = panel_grid(closes, None)
    rows = range(int((FIRST - grid.times[0]) / STEP), len(grid.times) - 1 - MONTH, round(SPACING / STEP))
    worst = worst_log_drops(grid.log_prices, rows, window=WINDOW, term=MONTH)
    write_block(PAGE, "indices", index_table(grid, rows, worst))
    write_block(PAGE, "deep", quotes_table(grid, rows, worst))


if __name__ == "__main__":
    main()
