"""Compare shapes of paths by the terms and windows that the anchors do not fix: which persistence, which law.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.path_shape`` (about five minutes); writes a table of
docs/calibration.md.

Twelve tokens of each of 49 months, drawn with a seed, are calibrated with the shipped market, as known at the time;
the law for 30 days and for 1 and 24 hours is the same for all shapes. The score is the mean log loss over falls of 10,
20, 30 and 40 %.
"""

import sys
import warnings

import numpy as np
import pandas as pd

import calibration.paths.volatility
from calibration import calibrate, shipped_market
from calibration.market.panel import STEP, PanelGrid, panel_grid
from calibration.prices.worst_drops import worst_log_drops
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import read_panel
from pricing import PrecisionWarning, SimulationSettings, simulate
from pricing.tools.units import parse_duration

STARTS = pd.date_range("2021-04-01", periods=49, freq="30D", tz="UTC")
PER_MONTH, SEED = 12, 5
DROPS = (0.1, 0.2, 0.3, 0.4)
CELLS = {
    "4 h, 30 d": ("4h", "30d"),
    "72 h, 30 d": ("72h", "30d"),
    "24 h, 7 d": ("24h", "7d"),
    "24 h, 90 d": ("24h", "90d"),
}
SHAPES = {
    f"{law}, persistence up to {bound}": (law, bound) for law in ("garch", "gjr") for bound in (0.97, 0.985, 0.999)
} | {"constant volatility": ("constant", 0.985)}


def drawn(closes: pd.DataFrame, grid: PanelGrid) -> list[tuple[pd.Timestamp, str, int]]:
    """Draw tokens with 90 days of closes before the start."""
    draw = np.random.default_rng(SEED)
    chosen = []
    for start in STARTS:
        row = int((start - grid.times[0]) / STEP)
        complete = np.flatnonzero((~np.isnan(grid.log_prices[row - 2160 : row + 2161])).mean(axis=0) > 0.95)
        tokens = draw.choice(complete, min(PER_MONTH, len(complete)), replace=False)
        chosen += [(start, closes.columns[token], row) for token in tokens]
    return chosen


def loss_of(shape: tuple[str, float], closes: pd.DataFrame, grid: PanelGrid) -> list[float]:
    """Return the mean log loss of a shape in every cell."""
    law, calibration.paths.volatility.PERSISTENCE_BOUND = shape
    losses = {cell: [] for cell in CELLS}
    for start, token, row in drawn(closes, grid):
        model = calibrate(closes[token].dropna(), as_of=start, market=shipped_market(start), law=law).model
        surface = simulate(
            model,
            windows=sorted({window for window, _ in CELLS.values()}),
            terms=sorted({term for _, term in CELLS.values()}),
            settings=SimulationSettings(n_paths=4_000, seed=SEED),
        )
        prices = grid.log_prices[:, [closes.columns.get_loc(token)]]
        for cell, (window, term) in CELLS.items():
            hours, length = (int(parse_duration(text, cell) / STEP) for text in (window, term))
            worst = worst_log_drops(prices, [row], window=hours, term=length)[0, 0]
            quoted = np.clip(surface.exceedance(DROPS, window=window, term=term).value, 1e-4, 1.0 - 1e-4)
            came = worst >= -np.log1p(-np.array(DROPS))
            losses[cell].append(float(np.mean(-np.where(came, np.log(quoted), np.log1p(-quoted)))))
    return [float(np.mean(values)) for values in losses.values()]


def main() -> None:
    """Write the table."""
    warnings.simplefilter("ignore", PrecisionWarning)
    closes = read_panel()
    grid = panel_grid(closes, None)
    rows = []
    for name, shape in SHAPES.items():
        rows.append([name, *(f"{loss:.4f}" for loss in loss_of(shape, closes, grid))])
        print(name, file=sys.stderr, flush=True)
    write_block("calibration.md", "shapes", markdown_table(["shape", *CELLS], rows))


if __name__ == "__main__":
    main()
