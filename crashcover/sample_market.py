"""A synthetic market: four tokens that do not exist, with a year of hourly closes and holder lists.

Nothing here is market data. The prices are drawn from the seed below, the holders follow a rank-size rule; the figures
are chosen so that each token shows one case: calm, a crash on the record, and two tokens with the same returns that
differ only in their holders.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pricing.tools.arrays import FloatArray

SEED = 20260101
HOURS = 365 * 24
FIRST_CLOSE = pd.Timestamp("2025-01-01T01:00Z")
SUPPLY = 1_000_000_000.0

#: Share of a shock to the variance that remains after an hour, and its split into news and memory.
_NEWS, _MEMORY = 0.06, 0.92
_TAIL = 5.0
_CRASH_HOUR = 200 * 24 + 14
_CRASH_RETURNS = (-0.06, -0.38, -0.24, -0.05, 0.09)
#: Number of digits of prices, as on an exchange.
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticToken:
    """A token that does not exist.

    Parameters
    ----------
    name : str
        Ticker, beginning with SYNTH.
    story : str
        The case that it shows.
    stream : int
        Random stream of its returns; tokens with the same stream have the same returns.
    annual_volatility : float
        Long-run standard deviation of the log return over a year, without the crash.
    first_price : float
        Opening price in USD.
    rank_exponent : float
        Exponent of the decrease of balances with the holder's rank; 0 is equality.
    staked : float
        Share of the supply that a staking contract holds for many.
    crashes : bool
        Whether its history contains the crash.
    """

    name: str
    story: str
    stream: int
    annual_volatility: float
    first_price: float
    rank_exponent: float
    staked: float = 0.0
    crashes: bool = False


CALM = SyntheticToken(
    name="SYNTH-CALM",
    story="calm, widely held",
    stream=1,
    annual_volatility=0.55,
    first_price=240.0,
    rank_exponent=0.4,
    staked=0.60,
)
WILD = SyntheticToken(
    name="SYNTH-WILD",
    story="volatile, with a crash on its record",
    stream=2,
    annual_volatility=1.15,
    first_price=3.2,
    rank_exponent=1.0,
    staked=0.10,
    crashes=True,
)
EVEN = SyntheticToken(
    name="SYNTH-EVEN",
    story="same returns as SYNTH-WHALE, widely held",
    stream=3,
    annual_volatility=0.85,
    first_price=11.0,
    rank_exponent=0.4,
    staked=0.60,
)
WHALE = SyntheticToken(
    name="SYNTH-WHALE",
    story="same returns as SYNTH-EVEN, in few hands",
    stream=3,
    annual_volatility=0.85,
    first_price=0.42,
    rank_exponent=0.8,
)
TOKENS = (CALM, WILD, EVEN, WHALE)

_LABELLED = (
    ("exchange-1", 0.03, "exchange"),
    ("exchange-2", 0.02, "exchange"),
    ("vesting-contract", 0.15, "locked"),
    ("burn-address", 0.05, "burn"),
)


def is_synthetic(name: str) -> bool:
    """Return whether a name is that of a token of the sample market."""
    return name in {token.name for token in TOKENS}


def closes(token: SyntheticToken) -> pd.Series:
    """Generate a year of hourly closes, labelled by the close of the bar in UTC."""
    returns = _returns(token)
    prices = token.first_price * np.exp(np.cumsum(returns))
    times = pd.date_range(FIRST_CLOSE, periods=HOURS, freq="h", name="time")
    return pd.Series([float(f"{price:.{_DIGITS}g}") for price in prices], index=times, name=token.name)


def _returns(token: SyntheticToken) -> FloatArray:
    """Draw GARCH(1,1) returns with Student-t shocks."""
    variance = token.annual_volatility**2 / HOURS
    random = np.random.default_rng([SEED, token.stream])
    shocks = random.standard_t(_TAIL, HOURS) * np.sqrt((_TAIL - 2.0) / _TAIL)
    returns: FloatArray = np.empty(HOURS)
    current = variance
    for hour, shock in enumerate(shocks):
        returns[hour] = np.sqrt(current) * shock
        current = variance * (1.0 - _NEWS - _MEMORY) + _NEWS * returns[hour] ** 2 + _MEMORY * current
    if token.crashes:
        returns[_CRASH_HOUR : _CRASH_HOUR + len(_CRASH_RETURNS)] += _CRASH_RETURNS
    return returns


def holders(token: SyntheticToken) -> pd.DataFrame:
    """Generate the holder list: columns address, balance and label, largest first.

    The list of SYNTH-WHALE ends after its hundred largest addresses, covers 92 % of the supply, and names exchanges, a
    vesting contract and burnt tokens. The others are complete lists, with staked tokens, an exchange and 2,000 unknown
    holders.
    """
    if token is WHALE:
        return _list(token, [("holder-1", 0.45, ""), *_LABELLED, *_small_holders(95, token.rank_exponent, 0.22)])
    shown = [("staking", token.staked, "staking"), ("exchange-1", 0.10, "exchange")]
    return _list(token, [*shown, *_small_holders(2000, token.rank_exponent, 0.90 - token.staked)])


def _small_holders(n: int, exponent: float, total: float) -> list[tuple[str, float, str]]:
    """Split a share of the supply by a power of the rank."""
    weights = np.arange(1.0, n + 1.0) ** -exponent
    return [(f"small-holder-{rank}", total * weight, "") for rank, weight in enumerate(weights / weights.sum(), 1)]


def _list(token: SyntheticToken, rows: list[tuple[str, float, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["address", "share", "label"])
    frame = frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    balances = np.floor(SUPPLY * frame["share"].to_numpy())
    balances[0] += np.rint(SUPPLY * frame["share"].sum()) - balances.sum()
    return pd.DataFrame(
        {"address": token.name.lower() + "-" + frame["address"], "balance": balances, "label": frame["label"]}
    )


def write_files(folder: Path) -> tuple[Path, Path]:
    """Write the prices of all tokens as one panel and their holders as one list.

    Returns
    -------
    prices, holders : Path
        The two files.
    """
    prices_file, holders_file = folder / "synthetic_prices.csv", folder / "synthetic_holders.csv"
    panel = pd.DataFrame({token.name: closes(token) for token in TOKENS})
    panel.to_csv(prices_file, date_format="%Y-%m-%dT%H:%M:%SZ")
    lists = [holders(token).assign(list=token.name)[["list", "address", "balance", "label"]] for token in TOKENS]
    pd.concat(lists).to_csv(holders_file, index=False)
    return prices_file, holders_file
