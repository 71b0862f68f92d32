"""Write the table on fine bars of docs/calibration.md: how much deeper falls are if they are watched by the minute.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.fine_bars`` (a few seconds)

For each week of each file of minutes or quarter hours, the worst log drop seen on finer closes is compared with the
mean over phases of the clock of the one that hourly closes see.
"""

import math

import numpy as np
import pandas as pd

from calibration.prices.worst_drops import worst_log_drops
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA
from pricing.tools.arrays import FloatArray

PAGE = "calibration.md"
#: Files of minutes and of quarter hours, and the length of their bars.
FILES = {
    "BTCUSDT_binance_1m_202104_202105": 1,
    "ETHUSDT_binance_1m_202104_202105": 1,
    "DOGEUSDT_binance_1m_202104_202105": 1,
    "NEARUSDT_binance_1m_202504": 1,
    "LUNAUSDT_binance_1m_202205": 1,
    "LUNAUSDT_binance_15m_202101_202106": 15,
    "ETHUSDT_binanceperp_15m_202210_202301": 15,
    "SOLUSDT_binanceperp_15m_202210_202301": 15,
    "BTCUSDT_binance_15m_202407_202507": 15,
}
#: From then on LUNA is another asset.
END = pd.Timestamp("2022-05-13T00:40Z")
WEEK = 7 * 24 * 60
MINUTES = (1, 5, 15, 30)
WINDOWS = (60, 1440)


def log_closes(name: str, minutes: int) -> FloatArray:
    """Read one file as log closes on its grid, from a full hour on."""
    bars = pd.read_csv(DATA / "intraday" / f"{name}.csv.gz")
    times = pd.to_datetime(bars["open_time_ms"], unit="ms", utc=True) + pd.Timedelta(minutes=minutes)
    closes = pd.Series(np.log(bars["close"].to_numpy()), index=times).groupby(level=0).first()
    closes = closes[:END] if name.startswith("LUNA") and minutes == 1 else closes
    grid = pd.date_range(closes.index[0].ceil("h"), closes.index[-1], freq=f"{minutes}min")
    return closes.reindex(grid).to_numpy()


def worst_of_weeks(closes: FloatArray, window: int, bars: int, minutes: int, phase: int = 0) -> FloatArray:
    """Return the logs of the worst log drops of whole weeks, seen every few bars."""
    every = bars * minutes
    seen = closes[phase::bars][:, None]
    term = WEEK // every
    starts = range(0, len(seen) - term, term)
    return np.log(worst_log_drops(seen, starts, window=max(1, window // every), term=term)[:, 0])


def deeper(name: str, minutes: int, window: int) -> dict[int, FloatArray]:
    """Return by how much deeper the falls of each week are on finer closes, in logs, by the length of these."""
    closes, hour = log_closes(name, minutes), 60 // minutes
    hourly = [worst_of_weeks(closes, window, hour, minutes, phase) for phase in range(0, hour, max(1, hour // 6))]
    n_weeks = min(map(len, hourly))
    mean = np.mean([each[:n_weeks] for each in hourly], axis=0)
    return {
        length: worst_of_weeks(closes, window, length // minutes, minutes)[:n_weeks] - mean
        for length in MINUTES
        if length >= minutes
    }


def main() -> None:
    """Write the table."""
    rows = []
    for length in MINUTES:
        cells = []
        for window in WINDOWS:
            found = [deeper(name, minutes, window) for name, minutes in FILES.items() if length >= minutes]
            weeks = np.concatenate([each[length] for each in found])
            means = np.array([each[length].mean() for each in found])
            error = means.std(ddof=1) / math.sqrt(len(means))
            cells.append(f"{math.exp(weeks.mean()):.2f} ± {math.exp(weeks.mean()) * error:.2f} ({len(weeks)})")
        rows.append([f"{length} min", *cells])
    write_block(PAGE, "fine", markdown_table(["seen every", "within 1 h", "within 24 h"], rows))


if __name__ == "__main__":
    main()
