"""Checked holder lists: addresses are merged into entities, one row each, with a category."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.holders.clusters import Cluster, find_clusters
from calibration.holders.columns import find_columns, lookalikes
from calibration.holders.details import independent_addresses, is_exchange, kept_still, read_details
from calibration.holders.sums import find_sum, names_among_addresses, sums_up
from calibration.holders.units import find_step
from calibration.prices.numeric import find_non_numbers
from pricing.errors import DataError


class Category(Enum):
    """Category of an address's owner; the value is the label in a file."""

    HOLDER = "holder"
    INDEPENDENT = "independent"
    TEAM = "team"
    EXCHANGE = "exchange"
    BRIDGE = "bridge"
    STAKING = "staking"
    POOL = "pool"
    LOCKED = "locked"
    TREASURY = "treasury"
    CONTRACT = "contract"
    BURN = "burn"

    __hash__ = object.__hash__  # lists of thousands are compared with sets of categories


#: Owners who hold for others, or none: what they have says nothing about a single hand.
PUBLIC = frozenset(
    {Category.EXCHANGE, Category.BRIDGE, Category.STAKING, Category.POOL, Category.CONTRACT, Category.BURN}
)
_SYNONYMS = {"insider": Category.TEAM, "investor": Category.TEAM, "unknown": Category.HOLDER}
#: Addresses that nobody can spend from, hexadecimal ones in lower case.
BURN_ADDRESSES = frozenset(
    {
        "0x0000000000000000000000000000000000000000",
        "0x0000000000000000000000000000000000000001",
        "0x000000000000000000000000000000000000dead",
        "0xdead000000000000000000000000000000000000",
        "0xdead000000000000000042069420694206942069",
        "1nc1nerator11111111111111111111111111111111",
    }
)
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+")

Labels = Mapping[str, str | Category] | pd.Series
Entities = Mapping[str, str] | pd.Series
Stated = TypeVar("Stated", str, Category)


class HolderFindingKind(Enum):
    """Kind of irregularity of a holder list."""

    ENTITIES_MERGED = "several addresses belong to one entity; their balances were added"
    DUPLICATE_ADDRESS = "an address is on the list more than once; its balances were added"
    ZERO_BALANCE = "an address holds nothing; it was left out"
    SUPPLY_UNKNOWN = "the supply is not known; the listed total is used instead, so shares are upper bounds"
    BURN_LISTED = "well-known burn addresses are on the list and counted as holders"
    LIST_CUT = "the list ends before the supply is reached; measures have bounds"
    ONE_HAND = "addresses seem to belong to one hand; an entity for each of them overrules this"
    TIMELESS = "first_seen and locked_until are not used: the time of the list is not known"
    NEXT_TO_NOTHING = "the list shows next to nothing of the supply; concentration counts as unknown"
    SHARES_ONLY = "the list holds shares of a supply that is not given; the supply counts as 1"
    SMALLEST_UNITS = "amounts look like smallest units of the token; shares do not depend on it, amounts do"
    UNITS_MIXED = "balances differ so much that some may be in smallest units"
    SUM_SUSPECTED = "an address holds as much as all others together; if it is a total, remove it"
    NAMES_AMONG_ADDRESSES = "rows hold a name where all others hold an address; if one is a sum or a rest, remove it"
    COLUMNS_UNUSED = "columns that look like label or entity are not used; rename them to have them read"


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFinding:
    """One irregularity of a holder list.

    Parameters
    ----------
    kind : HolderFindingKind
        Kind of irregularity.
    message : str
        The fact with its figures.
    """

    kind: HolderFindingKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HolderList:
    """A checked list of holders.

    Parameters
    ----------
    frame : DataFrame
        One row per owner and category, largest first: ``address`` (the name, for an entity), ``balance`` (positive),
        ``category``, ``hand`` (the entity or cluster that it belongs to, or the address), ``still``, true if a lock
        outlasts the longest term, and ``unlabelled``, true if neither a category nor an entity is stated.
    clusters : tuple of Cluster
        Addresses that seem to belong to one hand.
    findings : tuple of HolderFinding
        Merged and omitted rows.
    """

    frame: pd.DataFrame = field(repr=False)
    clusters: tuple[Cluster, ...]
    findings: tuple[HolderFinding, ...]


def read_holders(
    holders: pd.DataFrame,
    labels: Labels | None,
    burn_addresses: frozenset[str] = frozenset(),
    entities: Entities | None = None,
    as_of: datetime | None = None,
) -> HolderList:
    """Check a holder list, assign each owner's category and merge addresses of one entity.

    Balances of one entity in different categories stay separate: a founder's vesting contract is not in the float,
    their wallets are.

    Parameters
    ----------
    holders : DataFrame
        Columns ``address``, ``balance`` and, optionally, ``label`` (a category), ``entity`` (a name), ``name`` (a name
        tag), ``first_seen``, ``funded_by`` and ``locked_until``, in any spelling; without ``balance``, ``share``:
        fractions of the supply.
    labels : mapping or Series, optional
        Category by address; it overrules the column, and both overrule `burn_addresses`. An address without a label
        whose name is that of a known exchange is one.
    burn_addresses : frozenset of str
        Addresses that count as burnt unless labelled otherwise.
    entities : mapping or Series, optional
        Name of the owner by address; it overrules the column. An address without a name is an entity of its own.
    as_of : datetime, optional
        Time of the list; without it ages and locks are not used.

    Raises
    ------
    DataError
        If a column is missing, a balance is not a finite number or negative, a row is a sum, a label is unknown, a time
        is none, or a label or an entity is given twice with different values.
    """
    columns = find_columns(holders.columns)
    unused = lookalikes(holders.columns, columns.values())
    holders = holders.rename(columns={theirs: ours for ours, theirs in columns.items()})
    if "address" not in columns or not columns.keys() & {"balance", "share"}:
        raise DataError(f"holders must have the columns address and balance, got {list(holders.columns)}")
    addresses = pd.Series([_normal(address, row) for row, address in enumerate(holders["address"])], dtype=object)
    balances = _balances(holders["balance" if "balance" in columns else "share"], addresses)
    _refuse_sums(holders["address"], balances)
    categories = dict.fromkeys(burn_addresses, Category.BURN) | _book(holders, addresses, "label", labels, _category)
    owners = _book(holders, addresses, "entity", entities, _owner)
    details = read_details(holders, addresses)
    for address, name in details["name"].dropna().items():
        if is_exchange(name):
            categories.setdefault(str(address), Category.EXCHANGE)
    by_address = pd.Series(balances).groupby(addresses.to_numpy(), sort=False).sum()
    by_address.index = by_address.index.astype(object)  # plain texts are read faster, one by one
    held = by_address[by_address > 0.0]
    if held.empty:
        raise DataError(f"holders must hold something, got {len(holders)} rows without a positive balance")
    pooled = {address for address, category in categories.items() if category in PUBLIC}
    details.loc[details["funded_by"].isin(pooled), "funded_by"] = None  # an exchange funds everybody
    clusters = find_clusters(
        held, details, singles=[address for address in held.index if address not in pooled], entities=owners
    )
    still = kept_still(details, as_of=as_of)
    for address in still:
        categories.setdefault(address, Category.LOCKED)
    for address in independent_addresses(details, clusters, as_of=as_of):
        if categories.get(address, Category.HOLDER) is Category.HOLDER:
            categories[address] = Category.INDEPENDENT
    frame = _merge(held, categories, owners, clusters, still)
    findings = (
        *_merging_findings(addresses, by_address),
        *_burn_findings(by_address, categories),
        *_entity_findings(len(held) - len(frame)),
        *_cluster_findings(clusters, float(held.sum())),
        *_row_findings(addresses, balances),
        *_column_findings(unused),
        *(_timeless_findings(details) if as_of is None else ()),
    )
    return HolderList(frame=frame, clusters=clusters, findings=findings)


def holds_shares(holders: pd.DataFrame) -> bool:
    """Return whether a list holds shares of the supply instead of balances."""
    return "balance" not in find_columns(holders.columns)


def _refuse_sums(names: pd.Series, balances: npt.NDArray[np.float64]) -> None:
    found = find_sum(names.tolist(), balances)
    if found:
        row, slip = found
        raise DataError(f"address at row {row} {slip}")


def _merge(
    held: pd.Series,
    categories: Mapping[str, Category],
    owners: Mapping[str, str],
    clusters: Sequence[Cluster],
    still: frozenset[str],
) -> pd.DataFrame:
    hands = {
        address: f"{cluster.addresses[0]} and {len(cluster.addresses) - 1} others"
        for cluster in clusters
        if cluster.is_merged
        for address in cluster.addresses
    }
    rows = pd.DataFrame(
        {
            "address": [owners.get(address, address) for address in held.index],
            "balance": held.to_numpy(),
            "category": [categories.get(address, Category.HOLDER) for address in held.index],
            "hand": [owners.get(address, hands.get(address, address)) for address in held.index],
            "still": [address in still and categories[address] is Category.LOCKED for address in held.index],
            "unlabelled": [address not in categories and address not in owners for address in held.index],
        }
    )
    if not rows["address"].is_unique:
        rows = rows.groupby(["address", "category", "still"], sort=False, as_index=False).agg(
            {"balance": "sum", "unlabelled": "all", "hand": "first"}
        )
    return rows.sort_values("balance", ascending=False, kind="stable", ignore_index=True)


def _normal(address: object, row: int) -> str:
    """Write hexadecimal addresses in lower case; others, such as base58, are case-sensitive."""
    if not isinstance(address, str) or not address.strip():
        raise DataError(f"address at row {row} must be a text, got {address!r}")
    text = address.strip()
    return text.lower() if _HEXADECIMAL.fullmatch(text) else text


def _balances(balances: pd.Series, addresses: pd.Series) -> npt.NDArray[np.float64]:
    def refuse(bad: npt.NDArray[np.bool_], demand: str, slip: str) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"balance at row {row} ({addresses[row]}) must be {demand}, got {balances.iloc[row]!r} {slip}"
            )

    refuse(find_non_numbers(balances), "a number", "(a text: read the column as numbers)")
    values = balances.to_numpy(dtype=np.float64, na_value=np.nan)
    refuse(~np.isfinite(values), "finite", "(a missing balance: leave the row out, or write 0)")
    refuse(values < 0.0, "0 or more", "(a debt, or a transfer instead of a balance)")
    return values


def _book(
    holders: pd.DataFrame,
    addresses: pd.Series,
    column: str,
    stated: Mapping[str, Any] | pd.Series | None,
    read: Callable[[object, object], Stated],
) -> dict[str, Stated]:
    """Read labels or entities of addresses from a column of the list and from a mapping, which has priority."""
    book: dict[str, Stated] = {}
    if column in holders.columns:
        for address, text in zip(addresses, holders[column], strict=True):
            if isinstance(text, str | Category) and text != "":
                entry = read(text, address)
                if book.setdefault(address, entry) != entry:
                    raise DataError(f"{column} of {address} must be one, got {_text(book[address])} and {_text(entry)}")
    if stated is not None:
        book |= {_normal(address, row): read(text, address) for row, (address, text) in enumerate(stated.items())}
    return book


def _text(entry: object) -> object:
    return entry.value if isinstance(entry, Category) else entry


def _owner(name: object, address: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"entity of {address} must be a name, got {name!r}")
    return name.strip()


def _category(label: object, address: object) -> Category:
    if isinstance(label, Category):
        return label
    known = {category.value: category for category in Category} | _SYNONYMS
    category = known.get(label.strip().lower()) if isinstance(label, str) else None
    if category is None:
        raise DataError(f"label of {address} must be one of {', '.join(known)}, got {label!r}")
    return category


def _burn_findings(merged: pd.Series, book: Mapping[str, Category]) -> tuple[HolderFinding, ...]:
    overlooked = merged[[address in BURN_ADDRESSES and address not in book for address in merged.index]]
    if overlooked.empty:
        return ()
    message = (
        f"{overlooked.sum() / merged.sum():.2%} of the listed balances; label them burn to take them out of the supply"
    )
    return (HolderFinding(kind=HolderFindingKind.BURN_LISTED, message=message),)


def _entity_findings(n_merged: int) -> tuple[HolderFinding, ...]:
    if n_merged == 0:
        return ()
    message = f"{n_merged} addresses were added to others of their entity"
    return (HolderFinding(kind=HolderFindingKind.ENTITIES_MERGED, message=message),)


def _merging_findings(addresses: pd.Series, merged: pd.Series) -> Iterator[HolderFinding]:
    repeated = np.flatnonzero(addresses.duplicated())
    if len(repeated):
        message = f"{len(repeated)} rows were added to earlier ones, the first is {addresses[repeated[0]]}"
        yield HolderFinding(kind=HolderFindingKind.DUPLICATE_ADDRESS, message=message)
    if empty := int((merged == 0.0).sum()):
        yield HolderFinding(kind=HolderFindingKind.ZERO_BALANCE, message=f"{empty} addresses hold nothing")


def _cluster_findings(clusters: Sequence[Cluster], listed: float) -> Iterator[HolderFinding]:
    merged = [cluster for cluster in clusters if cluster.is_merged]
    if merged:
        largest = merged[0]
        message = (
            f"{len(merged)} groups, {sum(each.balance for each in merged) / listed:.2%} of the listed balances; the "
            f"largest has {largest.balance / listed:.2%}: {' and '.join(largest.reasons)} "
            f"(confidence {largest.confidence:.2f})"
        )
        yield HolderFinding(kind=HolderFindingKind.ONE_HAND, message=message)


def _timeless_findings(details: pd.DataFrame) -> Iterator[HolderFinding]:
    dated = details[["first_seen", "locked_until"]].notna().any(axis=None)
    if dated:
        yield HolderFinding(kind=HolderFindingKind.TIMELESS, message="give as_of, the time of the list")


def _row_findings(addresses: pd.Series, balances: npt.NDArray[np.float64]) -> Iterator[HolderFinding]:
    place = sums_up(balances)
    if place is not None:
        message = f"row {place + 1} of the list, {addresses[place]}, with {balances[place]:g}"
        yield HolderFinding(kind=HolderFindingKind.SUM_SUSPECTED, message=message)
    if step := find_step(balances):
        message = f"the one after {step[0]:g} is {step[1]:g}"
        yield HolderFinding(kind=HolderFindingKind.UNITS_MIXED, message=message)
    names = names_among_addresses(addresses.tolist())
    if names:
        message = f"{len(names)} rows, the first is row {names[0] + 1} of the list, {addresses[names[0]]!r}"
        yield HolderFinding(kind=HolderFindingKind.NAMES_AMONG_ADDRESSES, message=message)


def _column_findings(unused: Sequence[str]) -> Iterator[HolderFinding]:
    if unused:
        yield HolderFinding(kind=HolderFindingKind.COLUMNS_UNUSED, message=", ".join(unused))
