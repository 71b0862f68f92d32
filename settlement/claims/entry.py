"""Entry of the ledger: postings that add up to zero, and the bytes that go into the public log."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from decimal import Decimal
from typing import Any, Protocol, Self

from pricing.errors import LedgerError
from settlement.claims.states import Account, State

#: Largest amount of an entry, in cents.
_MOST = 10**17


class Policy(Protocol):
    """Fields of a policy that the ledger needs; a ``Cover`` has them."""

    @property
    def cover_id(self) -> str:
        """Name of the policy, and of its claim."""

    @property
    def limit(self) -> float:
        """Largest payment, in `currency`."""

    @property
    def currency(self) -> str:
        """Currency of the limit."""


class Outcome(Protocol):
    """Fields of a decision that the ledger needs; it is a dataclass."""

    @property
    def status(self) -> str:
        """FIRED, NOT_FIRED, RUNNING or INDETERMINATE, in letters of any case; or a member of an enum of that name."""

    @property
    def amount(self) -> Decimal:
        """Amount due, in the currency of the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry.

    Parameters
    ----------
    place : int
        Place in the ledger and in its public log, from 0.
    key : str
        Idempotency key: a request with a key that exists returns this entry.
    claim : str
        Name of the policy; empty if the entry is of none.
    state : State, optional
        State of the claim from here on; None if it stays.
    currency : str
        Currency of the postings.
    postings : dict of str to int
        Cents by which the balance of each account changes; they add up to 0.
    digest : str
        SHA-256 sum of what the entry rests on: the decision, or else the request.
    details : dict of str to str
        Request in words.
    """

    place: int
    key: str
    claim: str
    state: State | None
    currency: str
    postings: Mapping[Account, int]
    digest: str
    details: Mapping[str, str]

    def __post_init__(self) -> None:
        if sum(self.postings.values()):
            raise LedgerError(f"postings must add up to 0, got {dict(self.postings)} cents in entry {self.key!r}")

    def to_bytes(self) -> bytes:
        """Write the entry as JSON with sorted names: these bytes are its entry in the public log."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Self:
        """Read an entry of the public log.

        Raises
        ------
        LedgerError
            If it is not an entry, or its postings do not add up to 0.
        """
        try:
            fields = json.loads(text)
            state = None if fields["state"] is None else State(fields["state"])
            postings = {Account(account): int(cents) for account, cents in fields["postings"].items()}
            return cls(**{**fields, "state": state, "postings": postings})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise LedgerError(f"not an entry of the ledger: {error}") from error


def held(entries: Iterable[Entry], account: Account) -> int:
    """Return the cents that entries brought into an account."""
    return sum(entry.postings.get(account, 0) for entry in entries)


def moving(cents: int, source: Account, target: Account) -> dict[Account, int]:
    """Return postings that move money from one account to another."""
    return {source: -cents, target: cents}


def to_cents(amount: object, field: str) -> int:
    """Turn an amount into cents.

    Raises
    ------
    LedgerError
        If it is negative, too large, not a Decimal or int, or has fractions of a cent.
    """
    if isinstance(amount, bool) or not isinstance(amount, (Decimal, int)):
        raise LedgerError(f"{field} must be a Decimal, got {amount!r} (floats are not exact: Decimal('0.10'))")
    if not Decimal(amount).is_finite() or not 0 <= amount * 100 <= _MOST:
        raise LedgerError(f"{field} must be from 0 to {_MOST // 100:,}, got {amount}")
    cents = int(amount * 100)
    if cents != amount * 100:
        raise LedgerError(f"{field} must have whole cents, got {amount} (round it in the decision)")
    return cents


def status_of(decision: Outcome) -> str:
    """Return the status of a decision in capital letters."""
    return str(getattr(decision.status, "name", decision.status)).upper()


def digest_of(value: Any) -> str:
    """Return the SHA-256 sum of a decision or another plain value, as hexadecimal text."""
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()
