"""Compare volatilities as predictors of a month's worst drop, out of time: which one earns its place in the law.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.volatility_choice`` (about ten minutes); writes a table of
docs/market.md.

Twenty tokens of each of 51 months, drawn with a seed. Each candidate is measured with closes up to the start of the
month only. Slopes compare tokens within months and are fitted to earlier months; the score is the share of the variance
within a month that they explain in that month. Models of ``arch`` are fitted to half a year of hourly returns, cut at
four deviations as in the law.
"""

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from arch.univariate import EGARCH, GARCH, HARCH, SkewStudent, StudentsT, ZeroMean

from calibration.market.panel import STEP, outcomes, panel_grid
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import read_panel

STARTS = pd.date_range("2021-04-01", periods=51, freq="30D", tz="UTC")
PER_MONTH, SEED, MONTH, HALF_YEAR = 20, 3, 720, 4380
WARM_UP = 6

Volatilities = Callable[[np.ndarray], list[float]]


def realised(hours: int) -> Volatilities:
    """Take the root mean square of the last returns."""
    return lambda returns: [float(np.log(np.sqrt(np.mean(np.square(returns[-hours:])))))]


def cut(returns: np.ndarray) -> np.ndarray:
    """Cut returns at four deviations of the ten days before."""
    deviation = pd.Series(np.square(returns)).ewm(halflife=240).mean().shift().bfill().pow(0.5).to_numpy()
    return np.clip(returns, -4.0 * deviation, 4.0 * deviation)


def horizons(returns: np.ndarray) -> list[float]:
    """Take logs of cut volatilities at the half-lives of the law."""
    squares = pd.Series(np.square(cut(returns)))
    logs = [0.5 * float(np.log(squares.ewm(halflife=24 * days).mean().iloc[-1])) for days in (30, 240, 10, 3)]
    return [logs[0], *(other - logs[0] for other in logs[1:])]


def fitted(make: Callable[[], object], law: type) -> Volatilities:
    """Take the mean variance that a model of ``arch`` expects over the next 30 days."""

    def forecast(returns: np.ndarray) -> list[float]:
        sample = cut(returns)[-HALF_YEAR:]
        scale = np.sqrt(np.mean(sample**2))
        model = ZeroMean(sample / scale, volatility=make(), distribution=law(), rescale=False)
        result = model.fit(disp="off", show_warning=False)
        method = "simulation" if isinstance(model.volatility, EGARCH) else "analytic"
        path = result.forecast(horizon=MONTH, method=method, simulations=200, random_state=np.random.RandomState(SEED))
        variance = float(np.mean(path.variance.to_numpy()[-1]))
        return [float(0.5 * np.log(np.clip(variance, 1e-2, 1e2)) + np.log(scale))]

    return forecast


CANDIDATES: dict[str, Volatilities] = {
    "realised, 90 days": realised(2160),
    "realised, 30 days": realised(720),
    "realised, 90 days, cut": lambda returns: realised(2160)(cut(returns)),
    "four horizons, cut (the law)": horizons,
    "GARCH, Student-t": fitted(lambda: GARCH(p=1, q=1), StudentsT),
    "GJR, skewed t": fitted(lambda: GARCH(p=1, o=1, q=1), SkewStudent),
    "EGARCH, Student-t": fitted(lambda: EGARCH(p=1, o=1, q=1), StudentsT),
    "HARCH 1h 6h 24h 7d, Student-t": fitted(lambda: HARCH([1, 6, 24, 168]), StudentsT),
}


def measure() -> pd.DataFrame:
    """Measure every candidate and outcome of the drawn token-months."""
    grid = panel_grid(read_panel(), None)
    rows = [int((start - grid.times[0]) / STEP) for start in STARTS]
    worst = {hours: outcomes(grid, rows, hours) for hours in (1, 24)}
    draw = np.random.default_rng(SEED)
    table = []
    for month, row in enumerate(rows):
        complete = ~np.isnan(grid.returns[row + 1 - 2160 : row + 1]).any(axis=0) & ~np.isnan(worst[24][month])
        usable = np.flatnonzero(complete & (np.nan_to_num(grid.returns[row + 1 - 2160 : row + 1]).std(axis=0) > 1e-3))
        for token in draw.choice(usable, min(PER_MONTH, len(usable)), replace=False):
            returns = grid.returns[: row + 1, token]
            returns = returns[~np.isnan(returns)]
            measured = {f"{name}|{k}": v for name, how in CANDIDATES.items() for k, v in enumerate(how(returns))}
            log_worst = {f"log worst {hours}h": float(np.log(worst[hours][month, token])) for hours in worst}
            table.append({"month": month} | measured | log_worst)
        print(f"{STARTS[month]:%Y-%m-%d}", file=sys.stderr, flush=True)
    return pd.DataFrame(table)


def explained(rows: pd.DataFrame, name: str, hours: int) -> float:
    """Return the share of the variance within months that slopes of earlier months explain."""
    columns = [column for column in rows if column.startswith(f"{name}|")]
    within = rows[[*columns, f"log worst {hours}h"]] - rows.groupby("month")[
        [*columns, f"log worst {hours}h"]
    ].transform("mean")
    values, target = within[columns].to_numpy(), within[f"log worst {hours}h"].to_numpy()
    left = total = 0.0
    for month in range(WARM_UP, rows["month"].max() + 1):
        past, now = (rows["month"] < month).to_numpy(), (rows["month"] == month).to_numpy()
        ridge = 0.1 * np.eye(len(columns))
        slopes = np.linalg.solve(values[past].T @ values[past] + ridge, values[past].T @ target[past])
        left += float(np.sum(np.square(target[now] - values[now] @ slopes)))
        total += float(np.sum(np.square(target[now])))
    return 1.0 - left / total


def main() -> None:
    """Write the table."""
    warnings.simplefilter("ignore")
    measured = measure()
    rows = [[name, *(f"{explained(measured, name, hours):.1%}" for hours in (24, 1))] for name in CANDIDATES]
    head = ["volatility", "worst drop in 24 h", "worst drop in 1 h"]
    write_block("market.md", "volatilities", markdown_table(head, rows))


if __name__ == "__main__":
    main()
