"""Write the tables of docs/pegs.md: errors of the rule for pegged and wrapped tokens, and the record of pegs.

Usage: ``CRASHCOVER_DATA=folder python -m docs.studies.pegs`` (fifteen seconds)

Every token is looked at every 30 days. A token counts as pegged, or not, by its name.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from calibration.market.panel import STEP
from calibration.pegs.recognise import DAYS, PEGGED_BELOW, robust_volatility
from calibration.pegs.record import RECORDS
from docs.studies.blocks import markdown_table, write_block
from docs.studies.panel import DATA, PANEL

PAGE = "pegs.md"
EVERY = 30
#: Tokens of the files that are pegged to the dollar, and those that follow another currency or gold.
DOLLARS = {"BUSD", "DAI", "PAX", "TUSD", "USDC", "USDT"}
OTHERS_PEGGED = {"AUD", "EUR", "EURC", "GBP", "PAXG"}
#: Names by which the lists of the largest tokens call the members of each class.
CLASSES = {
    "reserve": (
        *("Tether", "Tether USDt", "USD Coin", "USDC", "TrueUSD", "Dai", "Multi-collateral DAI", "Binance USD", "BUSD"),
        *("Pax Dollar", "Paxos Standard", "Gemini Dollar", "First Digital USD", "PayPal USD", "HUSD", "USDK"),
        *("World Liberty Financial USD", "Ripple USD", "STASIS EURO", "EURC"),
    ),
    "synthetic": ("USDD", "Neutrino USD", "TerraUSD", "Fei USD", "Ethena USDe", "sUSD"),
}


def daily_files() -> dict[str, pd.DataFrame]:
    """Return the daily closes of each file, one column per token, without leveraged tokens."""
    hourly = pd.read_parquet(DATA / PANEL).set_index("open_time")
    hourly.index = (hourly.index + STEP).rename("time")
    binance = pd.read_parquet(DATA / "panel/binance_spot_daily_202101_202209.parquet").drop_duplicates()
    coinbase = pd.read_csv(DATA / "panel/coinbase_spot_daily_2020_202510.csv.gz", parse_dates=["date"])
    names = binance["symbol"].astype(str).str.removesuffix("USDT")
    binance = binance.assign(symbol=names, date=pd.to_datetime(binance["date"]))[~names.str.endswith(("UP", "DOWN"))]
    return {
        "Binance, hourly": hourly[hourly.index.hour == 0],
        "Binance, daily": binance.pivot(index="date", columns="symbol", values="close"),
        "Coinbase, daily": coinbase.pivot(index="date", columns="base", values="close"),
    }


def windows(closes: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the log closes of 91 days, every 30 days."""
    for end in range(DAYS, len(closes), EVERY):
        yield np.log(closes.iloc[end - DAYS : end + 1])


def volatilities(closes: pd.DataFrame) -> pd.DataFrame:
    """Return robust and plain volatilities of every token and window."""
    parts = []
    for window in windows(closes):
        plain = window.diff().pow(2).mean().pow(0.5) * np.sqrt(365.25)
        parts.append(pd.DataFrame({"robust": robust_volatility(window.to_numpy()), "plain": plain}))
    return pd.concat(parts).dropna()


def recognition(closes: pd.DataFrame) -> list[str]:
    """Return the cells of one file in the table of pegged tokens."""
    found = volatilities(closes)
    dollars = found[found.index.isin(DOLLARS)]
    others = found[~found.index.isin(DOLLARS | OTHERS_PEGGED)]
    follow = found[found.index.isin(OTHERS_PEGGED)]
    return [
        f"{(dollars['robust'] < PEGGED_BELOW).sum()} of {len(dollars)}",
        f"{dollars['robust'].max():.3f}",
        f"{(dollars['plain'] < PEGGED_BELOW).sum()}",
        f"{(others['robust'] < PEGGED_BELOW).sum()} of {len(others):,}",
        f"{others['robust'].min():.3f}",
        f"{(follow['robust'] < PEGGED_BELOW).sum()} of {len(follow)}",
    ]


def tracking(closes: pd.DataFrame) -> list[str]:
    """Return the cells of one file in the table of wrapped tokens."""
    free = closes.drop(columns=[name for name in closes if name in DOLLARS | OTHERS_PEGGED])
    nearest = []
    for window in windows(free):
        values = window.to_numpy()
        for place in range(1, values.shape[1]):
            found = robust_volatility(values[:, :place] - values[:, [place]])
            if not np.isnan(found).all():
                at = int(np.nanargmin(found))
                pair = f"{free.columns[place]} and {free.columns[at]}, {window.index[-1]:%Y-%m}"
                nearest.append((found[at], pair))
    below = sum(least < PEGGED_BELOW for least, _ in nearest)
    least, pair = min(nearest)
    return [f"{below} of {len(nearest):,}", f"{least:.3f}", pair]


def record() -> Iterator[list[str]]:
    """Yield the row of each class in the table of the record."""
    listed = pd.read_csv(DATA / "panel/coinmarketcap_top200_monthly_2020_202510.csv.gz")["Name"]
    for peg, known in RECORDS.items():
        months = int(listed.isin(CLASSES[peg]).sum())
        counts = ", ".join(f"{n} ≥ {drop:.0%}" for n, drop in zip(known.losses, known.drops, strict=True))
        rates = ", ".join(f"{count / known.token_years:.3f}" for count in known.losses)
        bounds = ", ".join(f"{rate:.3f}" for rate in known.rates())
        yield [peg, str(months), f"{months / 12:.1f}", counts, rates, bounds]


def main() -> None:
    """Write the tables."""
    files = daily_files()
    head = ["file", "dollars recognised", "largest", "of them by plain volatility", "others taken for pegs", "smallest"]
    rows = [[name, *recognition(closes)] for name, closes in files.items()]
    write_block(PAGE, "recognised", markdown_table([*head, "euro, pound, gold"], rows))
    rows = [[name, *tracking(closes)] for name, closes in files.items()]
    write_block(PAGE, "tracking", markdown_table(["file", "below the limit", "smallest", "of tokens, until"], rows))
    head = ["class", "token-months", "token-years", "losses", "a year", "upper bound"]
    write_block(PAGE, "record", markdown_table(head, record()))


if __name__ == "__main__":
    main()
