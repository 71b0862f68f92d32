"""Location where the studies find the panel of hourly closes that they are made from."""

import os
from pathlib import Path

import pandas as pd

from calibration import PEGGED
from calibration.market.panel import STEP

DATA = Path(os.environ.get("CRASHCOVER_DATA", "../shared/data")).resolve()
PANEL = "panel/binance_spot_1h_close_2021_202506_dev.parquet"


def read_panel() -> pd.DataFrame:
    """Read the panel, labelled by the close of the bar, without pegged tokens."""
    closes = pd.read_parquet(DATA / PANEL).set_index("open_time")
    closes.index = (closes.index + STEP).rename("close_time")
    return closes[sorted(token for token in closes if token not in PEGGED)]
