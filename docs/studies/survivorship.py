"""Write the table of survivorship in docs/evidence.md: how often tokens that are gone fell, against those that live.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.survivorship``
"""

import numpy as np
import pandas as pd

from calibration import PEGGED
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA, read_panel
from pricing.tools.arrays import BoolArray

DAILY = "panel/binance_spot_daily_202101_202209.parquet"
DAY, MONTH = pd.Timedelta(days=1), pd.Timedelta(days=30)
#: Tokens that follow another price and are not in the hourly panel, and leveraged ones.
OTHER_PEGS, LEVERAGED = {"SUSD", "UST", "GBP", "AUD", "PAX"}, ("UP", "DOWN", "BULL", "BEAR")
#: Days on which a ticker became another asset or was redenominated (MANIFEST of the data), and the end of the old LUNA.
CUTS = {
    "SUN": ("2021-06-17", "2021-06-22"),
    "COCOS": ("2021-01-20", "2021-01-26"),
    "DREP": ("2021-04-01", "2021-04-05"),
    "BTCST": ("2021-03-17", "2021-03-21"),
    "LUNA": ("2022-05-28", "2022-12-31"),
}
FEWEST_DAYS = 20
FIRST_START = pd.Timestamp("2021-04-01", tz="UTC")
DROPS = (0.2, 0.3, 0.4)
N_RESAMPLES, SEED = 2_000, 1


def read_daily() -> pd.DataFrame:
    """Return daily closes of the pairs of 2021 and 2022 by token, without pegs, leverage and changes of asset."""
    rows = pd.read_parquet(DATA / DAILY).drop_duplicates()
    closes = rows.assign(token=rows["symbol"].str.removesuffix("USDT")).pivot_table(
        index="date", columns="token", values="close"
    )
    closes.index = pd.to_datetime(closes.index, utc=True)
    for token, (first, last) in CUTS.items():
        closes.loc[first:last, token] = np.nan
    kept = [
        name for name in closes if name not in PEGGED | OTHER_PEGS and (name == "JUP" or not name.endswith(LEVERAGED))
    ]
    return closes[kept]


def token_months(closes: pd.DataFrame, alive: set[str]) -> pd.DataFrame:
    """Return one row per token and 30 days with its worst fall from one daily close to the next."""
    falls = 1.0 - closes / closes.shift()
    parts = []
    for start in pd.date_range(FIRST_START, closes.index[-1] - MONTH, freq=MONTH):
        term = falls[(falls.index >= start) & (falls.index < start + MONTH)]
        known = term.notna().sum() >= FEWEST_DAYS
        parts.append(pd.DataFrame({"token": term.columns, "fall": term.max().to_numpy()})[known.to_numpy()])
    return pd.concat(parts, ignore_index=True).assign(alive=lambda frame: frame["token"].isin(alive))


def ratio_and_load(fell: BoolArray, alive: BoolArray) -> tuple[float, float]:
    """Return how much likelier a token-month of the dead fell, and what that adds to a rate taken from the living."""
    ratio = fell[~alive].mean() / fell[alive].mean()
    return ratio, (1.0 - alive.mean()) * (ratio - 1.0)


def intervals(months: pd.DataFrame, drop: float) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the number of falls, the two figures, and their 90 % intervals; whole tokens are drawn again."""
    fell, alive = (months["fall"] >= drop).to_numpy(), months["alive"].to_numpy()
    places = list(months.groupby("token").indices.values())
    rng, found = np.random.default_rng(SEED), []
    for _ in range(N_RESAMPLES):
        drawn = np.concatenate([places[each] for each in rng.integers(len(places), size=len(places))])
        if fell[drawn][alive[drawn]].any():
            found.append(ratio_and_load(fell[drawn], alive[drawn]))
    return int(fell.sum()), np.array(ratio_and_load(fell, alive)), np.quantile(found, [0.05, 0.95], axis=0)


def main() -> None:
    """Write the table."""
    panel = read_panel()
    last = panel.apply(lambda closes: closes.last_valid_index())
    alive = set(panel.columns[last >= panel.index[-1] - 5 * DAY])
    months = token_months(read_daily(), alive)
    n_tokens = months.groupby("token")["alive"].first()
    rows = []
    for drop in DROPS:
        n_falls, (ratio, load), ((low, low_load), (high, high_load)) = intervals(months, drop)
        rows.append(
            (
                f"{drop:.0%}",
                n_falls,
                f"{ratio:.2f} [{low:.2f}, {high:.2f}]",
                f"{load:.1%} [{low_load:.1%}, {high_load:.1%}]",
            )
        )
    head = ("fall from close to close", "token-months", "gone over living", "adds to a rate of the living")
    count = f"{len(n_tokens)} pairs, {int((~n_tokens).sum())} of them gone by {panel.index[-1]:%B %Y}."
    write_block("evidence.md", "survivorship", f"{markdown_table(head, rows)}\n\n{count}")


if __name__ == "__main__":
    main()
