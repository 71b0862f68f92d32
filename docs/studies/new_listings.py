"""Write the table of new listings in docs/concentration.md: own crashes in the first 90 days, given volatility.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.new_listings``
"""

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.hazard.fit import HazardFit, fit_hazard
from calibration.hazard.slopes import Slope
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA, PANEL

PEGGED = ["USDT", "USDC", "TUSD", "FDUSD", "EUR", "AEUR", "EURI", "PAXG", "USDP", "DAI", "BUSD", "XUSD", "USD1"]
WRAPPED, REUSED = ["WBTC", "WBETH", "BNSOL"], ["LUNA", "FTT"]
HOUR, MONTH = pd.Timedelta(hours=1), pd.Timedelta(days=30)
FIRST_START, FIRST_LISTING = pd.Timestamp("2021-04-01", tz="UTC"), pd.Timestamp("2021-02-01", tz="UTC")
NEW_DAYS = 90
#: Above this share of falling tokens a month is a common shock and says nothing about a token's own hazard.
CALM = 0.15
#: The judgement before the panel was asked: memecoin launches of 2024 and 2025.
LAUNCHES = Slope(mean=1.2, sd=0.5, source="judgement: three launches that collapsed")
#: Nearly flat: the panel is the better judge of volatility.
VOLATILITY = Slope(mean=1.0, sd=0.5, source="judgement: impact grows with volatility")


def read_panel(data: Path) -> pd.DataFrame:
    """Return hourly closes, labelled by the end of the bar, without pegged, wrapped and reused tickers."""
    panel = pd.read_parquet(data / PANEL).set_index("open_time")
    panel.index = pd.DatetimeIndex(pd.to_datetime(panel.index, utc=True)) + HOUR
    return panel.drop(columns=[name for name in PEGGED + WRAPPED + REUSED if name in panel.columns])


def token_months(panel: pd.DataFrame, window: int) -> pd.DataFrame:
    """Return one row per token and 30 days: worst drop, age at the start, volatility of up to 90 days before."""
    prices = panel.to_numpy()
    high = panel.rolling(window + 1, min_periods=1).max().to_numpy()
    drops = pd.DataFrame(1.0 - prices / high, index=panel.index, columns=panel.columns)
    returns = np.log(panel).diff()
    listed = panel.apply(lambda closes: closes.first_valid_index())
    rows = []
    for start in pd.date_range(FIRST_START, panel.index[-1] - MONTH, freq=MONTH):
        # drops from highs before the start belong to the month before
        term = drops[(drops.index >= start + (window + 1) * HOUR) & (drops.index < start + MONTH)]
        past = returns[(returns.index >= start - 3 * MONTH) & (returns.index < start)]
        age = (start - listed) / pd.Timedelta(days=1)
        frame = pd.DataFrame(
            {"drop": term.max(), "age": age, "volatility": past.std(), "start": start, "listed": listed}
        )
        rows.append(frame[(term.notna().sum() >= 600) & (past.notna().sum() >= 168) & (age >= 0.0)])
    return pd.concat(rows)


def fit_listing(months: pd.DataFrame, drop: float) -> tuple[HazardFit, int]:
    """Fit the own hazard in calm months against the share of falling tokens; return the crashes of new listings too."""
    months = months.assign(crashed=(months["drop"] >= drop).astype(float))
    months["share"] = months.groupby("start")["crashed"].transform("mean")
    typical = months.groupby("start")["volatility"].transform("median")
    months["log_volatility"] = np.log(months["volatility"] / typical)
    months["listing"] = ((months["age"] < NEW_DAYS) & (months["listed"] >= FIRST_LISTING)).astype(float)
    calm = months[(months["share"] > 0.0) & (months["share"] <= CALM)]
    scores = calm[["listing", "log_volatility"]]
    fit = fit_hazard(calm["crashed"], calm["share"], scores, {"listing": LAUNCHES, "log_volatility": VOLATILITY})
    return fit, int(calm.loc[calm["listing"] == 1.0, "crashed"].sum())


def main() -> None:
    """Write the table."""
    panel = read_panel(DATA)
    rows = []
    for window in (24, 1):
        months = token_months(panel, window)
        for drop in (0.2, 0.3, 0.4) if window == 24 else (0.15, 0.2):
            fit, of_new = fit_listing(months, drop)
            slopes = [f"{slope.value:.2f} [{slope.lower:.2f}, {slope.upper:.2f}]" for slope in fit.slopes.values()]
            rows.append([f"{window} h ≥ {drop:.0%}", f"{fit.crashes:.0f}", of_new, *slopes])
    head = ["own crash", "crashes", "of new listings", "slope of listing, prior 1.2 ± 0.5", "slope of log volatility"]
    write_block("concentration.md", "listings", markdown_table(head, rows))


if __name__ == "__main__":
    main()
