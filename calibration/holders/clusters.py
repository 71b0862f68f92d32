"""Addresses that seem to belong to one hand, found in a holder list alone: equal pieces, one funder, one birth, a name.

A reason gives a confidence by judgement. Confidences of one group of addresses combine as independent evidence, and
groups that share an address are joined from `MERGED_FROM` on. The stated entity of an address overrules all of this.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

#: Groups of addresses count as one hand from this confidence on.
MERGED_FROM = 0.7
#: Balances count as equal pieces from this share of all listed tokens on; smaller ones are equal by chance.
LEAST_PIECE = 1e-4
#: Digits that equal balances share: exports round.
_DIGITS = 6
#: Balances of so few significant digits are round numbers, which grants to different people have as well.
_ROUND_DIGITS = 2
#: Addresses first seen within this time of each other were made together.
_ONE_BIRTH = timedelta(hours=1)
_FEWEST_PIECES = 3
#: Confidence that a group is one hand. Judgement.
FUNDER, NAME, EQUAL, ROUND, PAIR, BIRTH = 0.9, 0.9, 0.8, 0.7, 0.5, 0.6
#: Words of a name tag that say what a wallet is for, and not whose it is.
_PURPOSE = r"(?:hot|cold|wallet|deposit|deposits|withdrawals?|treasury|multisig|safe|vesting|team|\d+|#\d+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Addresses that seem to belong to one hand.

    Parameters
    ----------
    addresses : tuple of str
        The addresses, largest balance first.
    balance : float
        What they hold together, in the unit of the list.
    reasons : tuple of str
        Reasons for the suspicion.
    confidence : float
        Probability that it is one hand. Judgement.
    """

    addresses: tuple[str, ...]
    balance: float
    reasons: tuple[str, ...]
    confidence: float

    @property
    def is_merged(self) -> bool:
        """True if it counts as one hand."""
        return self.confidence >= MERGED_FROM


def find_clusters(
    balances: pd.Series, details: pd.DataFrame, *, singles: Iterable[str], entities: Mapping[str, str]
) -> tuple[Cluster, ...]:
    """Find groups of addresses that seem to belong to one hand.

    Parameters
    ----------
    balances : Series of float
        Balance by address.
    details : DataFrame
        Columns ``name``, ``first_seen`` and ``funded_by`` by address, with missing values.
    singles : iterable of str
        Addresses whose owner may hold others: not those of exchanges, pools and contracts.
    entities : mapping of str to str
        Stated owner by address; such an address is left out.

    Returns
    -------
    tuple of Cluster
        Largest balance first; those of at least `MERGED_FROM` share no address.
    """
    open_questions = [address for address in singles if address not in entities]
    held = balances.loc[open_questions].sort_values(ascending=False, kind="stable")
    known = details.loc[held.index]
    total = float(balances.sum())
    evidence: dict[tuple[str, ...], list[tuple[str, float]]] = {}
    for addresses, reason, confidence in (
        *_of_one_funder(known),
        *_of_one_name(known),
        *_equal_pieces(held[held >= LEAST_PIECE * total]),
        *_born_together(known),
    ):
        evidence.setdefault(tuple(sorted(addresses)), []).append((reason, confidence))
    groups = [
        (addresses, tuple(reason for reason, _ in found), 1.0 - float(np.prod([1.0 - c for _, c in found])))
        for addresses, found in evidence.items()
    ]
    amounts = {str(address): float(balance) for address, balance in held.items()}
    clusters = [_cluster(amounts, *group) for group in _joined(groups)]
    return tuple(sorted(clusters, key=lambda each: -each.balance))


def _cluster(
    held: Mapping[str, float], addresses: tuple[str, ...], reasons: tuple[str, ...], confidence: float
) -> Cluster:
    ordered = sorted(addresses, key=lambda address: -held[address])
    balance = math.fsum(held[address] for address in addresses)
    return Cluster(addresses=tuple(ordered), balance=balance, reasons=reasons, confidence=confidence)


_Group = tuple[tuple[str, ...], tuple[str, ...], float]


def _joined(groups: list[_Group]) -> Iterator[_Group]:
    """Join groups that count as one hand and share an address; the least confidence holds for the whole."""
    from scipy.cluster.hierarchy import DisjointSet  # here, because whoever has no list needs not wait for it

    sure = [group for group in groups if group[2] >= MERGED_FROM]
    hands = DisjointSet(address for addresses, _, _ in sure for address in addresses)
    for addresses, _, _ in sure:
        for address in addresses[1:]:
            hands.merge(addresses[0], address)
    for subset in hands.subsets():
        inside = [group for group in sure if group[0][0] in subset]
        reasons = tuple(dict.fromkeys(reason for _, found, _ in inside for reason in found))
        yield tuple(sorted(subset)), reasons, min(confidence for *_, confidence in inside)
    yield from (group for group in groups if group[2] < MERGED_FROM)


def _of_one_funder(known: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], str, float]]:
    for funder, rows in known.groupby("funded_by", sort=False):
        if len(rows) > 1:
            yield tuple(rows.index), f"{len(rows)} were funded by {funder}", FUNDER


def _of_one_name(known: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], str, float]]:
    owners = known["name"].dropna().map(owner_in)
    for owner, names in owners[owners != ""].groupby(owners, sort=False):
        if len(names) > 1:
            yield tuple(names.index), f"{len(names)} are named {owner}", NAME


def owner_in(name: str) -> str:
    """Return the owner that a name tag names, without the number and the purpose of the wallet.

    Examples
    --------
    >>> owner_in("MANTRA: Team 3"), owner_in("Robinhood 6"), owner_in("OKX Cold Wallet")
    ('mantra', 'robinhood', 'okx')
    """
    owner = name.split(":")[0].casefold().strip()
    return re.sub(rf"(?:\s+{_PURPOSE})+$", "", owner)


def _equal_pieces(held: pd.Series) -> Iterator[tuple[tuple[str, ...], str, float]]:
    digits = pd.Series([f"{each:.{_DIGITS}g}" for each in held], index=held.index)
    repeated = digits[digits.duplicated(keep=False)]
    for text, rows in repeated.groupby(repeated.to_numpy(), sort=False):
        balance = float(str(text))
        is_round = balance == float(f"{balance:.{_ROUND_DIGITS}g}")
        confidence = PAIR if len(rows) < _FEWEST_PIECES else ROUND if is_round else EQUAL
        yield tuple(rows.index), f"{len(rows)} hold {balance:,.10g} each", confidence


def _born_together(known: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], str, float]]:
    births = known["first_seen"].dropna().sort_values(kind="stable")
    runs = (births.diff() > _ONE_BIRTH).cumsum()
    for _, run in births.groupby(runs, sort=False):
        if len(run) >= _FEWEST_PIECES:
            first = run.iloc[0]
            yield tuple(run.index), f"{len(run)} were first seen from {first:%Y-%m-%d %H:%M} on", BIRTH
