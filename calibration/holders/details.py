"""Optional columns of a holder list about single addresses: name, first appearance, funder and end of a lock."""

from collections.abc import Collection
from datetime import datetime, timedelta

import pandas as pd

from calibration.holders.clusters import Cluster, owner_in
from pricing.errors import DataError

#: Columns of text, and columns of times.
TEXTS, TIMES = ("name", "funded_by"), ("first_seen", "locked_until")
#: An address that acts on its own has been seen for so long. Judgement.
INDEPENDENT_AGE = timedelta(days=365)
#: A lock keeps tokens still only if it outlasts the longest term that the laws know.
LOCK_HORIZON = timedelta(days=360)


#: Exchanges whose wallets explorers name.
_EXCHANGES = frozenset(
    {
        *("binance", "bitfinex", "bitget", "bithumb", "bitstamp", "bitvavo", "bybit", "coinbase", "crypto.com"),
        *("gate", "gate.io", "gemini", "htx", "huobi", "kraken", "kucoin", "mexc", "okx", "robinhood", "upbit"),
    }
)


def is_exchange(name: str) -> bool:
    """Return whether a name tag is that of a known exchange's wallet.

    Examples
    --------
    >>> is_exchange("Binance 8"), is_exchange("OKX Cold Wallet"), is_exchange("MANTRA: Team 1")
    (True, True, False)
    """
    return owner_in(name) in _EXCHANGES


def read_details(holders: pd.DataFrame, addresses: pd.Series) -> pd.DataFrame:
    """Read what a list says about each address; the first row of an address counts.

    Parameters
    ----------
    holders : DataFrame
        List with our names of columns.
    addresses : Series of str
        Address of each row, as it is compared.

    Returns
    -------
    DataFrame
        Index address; columns ``name`` and ``funded_by``, texts or missing, and ``first_seen`` and ``locked_until``,
        UTC times or missing.

    Raises
    ------
    DataError
        If a time is not one.
    """
    frame = pd.DataFrame(index=pd.Index(addresses, dtype=object))
    for column in TEXTS:
        frame[column] = [_text(cell) for cell in holders[column]] if column in holders else None
    for column in TIMES:
        times: list[object] = [pd.NaT] * len(holders)
        if column in holders:
            rows = enumerate(zip(holders[column], addresses, strict=True))
            times = [_time(cell, column, row, address) for row, (cell, address) in rows]
        frame[column] = pd.DatetimeIndex(times, tz="UTC")
    frame = frame[~frame.index.duplicated()]
    hexadecimal = frame["funded_by"].str.startswith("0x", na=False)
    frame.loc[hexadecimal, "funded_by"] = frame.loc[hexadecimal, "funded_by"].str.lower()
    return frame


def _text(cell: object) -> str | None:
    return cell.strip() or None if isinstance(cell, str) else None


def _time(cell: object, column: str, row: int, address: str) -> object:
    if cell is None or cell is pd.NA or cell != cell or (isinstance(cell, str) and not cell.strip()):
        return pd.NaT
    try:
        time = pd.Timestamp(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise DataError(f"{column} at row {row} ({address}) must be a date such as 2025-04-13, got {cell!r}") from error
    return time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")


def independent_addresses(
    details: pd.DataFrame,
    clusters: Collection[Cluster],
    *,
    as_of: datetime | None,
) -> frozenset[str]:
    """Return the addresses that act on their own as far as a list can show.

    They have been seen for a year, their funder is known, is no exchange or contract and funded no other address of the
    list, and they are in no cluster, however uncertain.

    Parameters
    ----------
    details : DataFrame
        As ``read_details`` gives it, without funders that are exchanges or contracts.
    clusters : collection of Cluster
        Suspected hands.
    as_of : datetime, optional
        Time of the list; without it no age is known.
    """
    if as_of is None:
        return frozenset()
    funders = details["funded_by"]
    own_funder = funders.notna() & ~funders.duplicated(keep=False)
    old = details["first_seen"] <= pd.Timestamp(as_of) - INDEPENDENT_AGE
    suspected = {address for cluster in clusters for address in cluster.addresses}
    return frozenset(details.index[own_funder & old & ~details.index.isin(suspected)])


def kept_still(details: pd.DataFrame, *, as_of: datetime | None) -> frozenset[str]:
    """Return the addresses whose lock outlasts the longest term from a time on.

    Parameters
    ----------
    details : DataFrame
        As ``read_details`` gives it.
    as_of : datetime, optional
        Time of the list; without it no lock is known to last.
    """
    if as_of is None:
        return frozenset()
    return frozenset(details.index[details["locked_until"] > pd.Timestamp(as_of) + LOCK_HORIZON])
