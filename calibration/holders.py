"""A holder list made fit for use: one row an owner, and for each owner what kind it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.numeric import find_non_numbers
from pricing.errors import DataError


class Category(Enum):
    """What stands behind an address; the value is the label in a file."""

    HOLDER = "holder"
    EXCHANGE = "exchange"
    BRIDGE = "bridge"
    STAKING = "staking"
    POOL = "pool"
    LOCKED = "locked"
    TREASURY = "treasury"
    CONTRACT = "contract"
    BURN = "burn"


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


class HolderFindingKind(Enum):
    """What is remarkable about a holder list."""

    DUPLICATE_ADDRESS = "an address stands on the list more than once; its balances were added"
    ZERO_BALANCE = "an address holds nothing; it was left out"
    SUPPLY_UNKNOWN = "the supply is not known; the listed total takes its place, so shares are upper bounds"
    BURN_LISTED = "well-known burn addresses are on the list and counted as holders"
    LIST_CUT = "the list ends before the supply is reached; measures have bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFinding:
    """One remarkable fact about a holder list.

    Parameters
    ----------
    kind : HolderFindingKind
        What was found.
    message : str
        The fact with its figures.
    """

    kind: HolderFindingKind
    message: str


def read_holders(
    holders: pd.DataFrame, labels: Labels | None, burn_addresses: frozenset[str] = frozenset()
) -> tuple[pd.DataFrame, tuple[HolderFinding, ...]]:
    """Check a holder list, merge what belongs together and name each owner's category.

    Parameters
    ----------
    holders : DataFrame
        Columns ``address``, ``balance`` and, optionally, ``label``.
    labels : mapping or Series, optional
        Category by address; it overrules the column, and both overrule `burn_addresses`.
    burn_addresses : frozenset of str
        Addresses that count as burnt where nothing else is said.

    Returns
    -------
    frame : DataFrame
        Columns ``address``, ``balance`` (positive, falling) and ``category``.
    findings : tuple of HolderFinding
        What was merged or left out.

    Raises
    ------
    DataError
        If a column is missing, a balance is not a finite number or negative, or a label is unknown or contradicted.
    """
    for column in ("address", "balance"):
        if column not in holders.columns:
            raise DataError(f"holders must have the columns address and balance, got {list(holders.columns)}")
    addresses = pd.Series([_normal(address, row) for row, address in enumerate(holders["address"])], dtype=object)
    balances = _balances(holders["balance"], addresses)
    book = dict.fromkeys(burn_addresses, Category.BURN) | _label_book(holders, addresses, labels)
    merged = pd.Series(balances).groupby(addresses.to_numpy(), sort=False).sum()
    findings = _merging_findings(len(addresses), merged) + _burn_findings(merged, book)
    held = merged[merged > 0.0].sort_values(ascending=False, kind="stable")
    if held.empty:
        raise DataError(f"holders must hold something, got {len(holders)} rows without a positive balance")
    categories = [book.get(address, Category.HOLDER) for address in held.index]
    return pd.DataFrame({"address": held.index, "balance": held.to_numpy(), "category": categories}), findings


def _normal(address: object, row: int) -> str:
    """Write hexadecimal addresses in lower case; others, such as base58, tell case apart."""
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


def _label_book(holders: pd.DataFrame, addresses: pd.Series, labels: Labels | None) -> dict[str, Category]:
    book: dict[str, Category] = {}
    if "label" in holders.columns:
        column: dict[str, Category] = {}
        for address, label in zip(addresses, holders["label"], strict=True):
            if isinstance(label, str | Category) and label != "":
                category = _category(label, address)
                if column.setdefault(address, category) is not category:
                    raise DataError(f"label of {address} must be one, got {column[address].value} and {category.value}")
        book |= column
    if labels is not None:
        book |= {
            _normal(address, row): _category(label, address) for row, (address, label) in enumerate(labels.items())
        }
    return book


def _category(label: object, address: object) -> Category:
    if isinstance(label, Category):
        return label
    known = {category.value: category for category in Category}
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


def _merging_findings(n_rows: int, merged: pd.Series) -> tuple[HolderFinding, ...]:
    findings = []
    if repeated := n_rows - len(merged):
        findings.append(
            HolderFinding(
                kind=HolderFindingKind.DUPLICATE_ADDRESS, message=f"{repeated} rows were added to earlier ones"
            )
        )
    if empty := int((merged == 0.0).sum()):
        findings.append(HolderFinding(kind=HolderFindingKind.ZERO_BALANCE, message=f"{empty} addresses hold nothing"))
    return tuple(findings)
