"""Make the parameter files that ship with calibration: the long memory of BTC and ETH, and one market per month.

    python -m docs.studies.market_defaults FOLDER

reads hourly closes of BTC and ETH since 2017 and a panel of tokens, and writes ``calibration/data/long_memory.csv`` and
``calibration/data/markets.json``. Every row and every market is dated and knows nothing of later prices, so a
calibration as of a past day uses what could have been known then.
"""

import argparse
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.law.drop_law import TERM, token_state
from calibration.law.own_record import no_record
from calibration.market.market import WINDOWS, fit_market
from calibration.market.panel import RUN_UP, SPACING, STEP
from calibration.prices.horizons import running_squares
from calibration.prices.worst_drops import worst_log_drops
from pricing.tools.units import format_duration

DATA = Path(__file__).parents[2] / "calibration" / "data"
FIRST_MARKET = pd.Timestamp("2021-04-01", tz="UTC")
#: Figures after the point: finer than any standard error here.
DIGITS = 5
LEAD = timedelta(days=30)


def long_memory_of(asset: str, closes: pd.Series) -> pd.DataFrame:
    """Return the months of one asset, five days apart."""
    grid = closes.reindex(pd.date_range(closes.index[0], closes.index[-1], freq=STEP))
    prices = np.log(grid.to_numpy())[:, None]
    returns = np.diff(prices, axis=0, prepend=np.nan)
    spacing, term = round(SPACING / STEP), round(TERM / STEP)
    offset = round((FIRST_MARKET - grid.index[0]) / STEP) % spacing
    starts = [row for row in range(offset, len(grid) - term, spacing) if row >= LEAD / STEP]
    squares = running_squares(returns, np.array(starts), per_day=timedelta(days=1) / STEP)
    filled = grid.ffill()
    columns = {
        "asset": asset,
        "log_volatility": [float(token_state(sums, (no_record(1),)).log_volatility[0]) for sums in squares],
        "run_up": [float(np.log(filled.iloc[row] / filled.iloc[max(0, row - round(RUN_UP / STEP))])) for row in starts],
    } | {
        f"log_worst_{format_duration(window)}": np.log(
            worst_log_drops(prices, starts, window=round(window / STEP), term=term)[:, 0]
        )
        for window in WINDOWS
    }
    return pd.DataFrame(columns, index=pd.DatetimeIndex(grid.index[starts], name="start")).round(DIGITS)


def hourly_closes(path: Path) -> pd.Series:
    """Read a file labelled by the open of the bar, and label it by the close."""
    bars = pd.read_csv(path)
    times = pd.DatetimeIndex(pd.to_datetime(bars["open_time_ms"], unit="ms", utc=True)) + STEP
    return pd.Series(bars["close"].to_numpy(), index=times).groupby(level=0).first()


def write_long_memory(folder: Path) -> None:
    """Write the months of BTC and ETH."""
    pairs = ("BTC", "ETH")
    tables = [
        long_memory_of(pair, hourly_closes(folder / "intraday" / f"{pair}USDT_binance_1h_2017_202210.csv.gz"))
        for pair in pairs
    ]
    with (DATA / "long_memory.csv").open("w", encoding="utf-8") as file:
        file.write("# worst log drops of the 30 days after each start; made by docs/studies/market_defaults.py\n")
        pd.concat(tables).to_csv(file)


def rounded(value: object) -> object:
    """Round every figure of a nested value."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def write_markets(folder: Path) -> None:
    """Write one market per month, each fitted to what was known then."""
    panel = pd.read_parquet(folder / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet").set_index("open_time")
    panel.index = (panel.index + STEP).rename("close_time")
    times = [*pd.date_range(FIRST_MARKET, panel.index[-1], freq=TERM), panel.index[-1]]
    markets = []
    for time in times:
        markets.append(rounded(fit_market(panel, as_of=time).to_plain()))
        print(f"{time:%Y-%m-%d}: {markets[-1]['n_tokens']} tokens", flush=True)
    text = ",\n".join(json.dumps(market, sort_keys=True) for market in markets)
    (DATA / "markets.json").write_text(f"[\n{text}\n]\n", encoding="utf-8")


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with intraday/ and panel/")
    folder = parser.parse_args().data
    write_long_memory(folder)
    write_markets(folder)


if __name__ == "__main__":
    main()
