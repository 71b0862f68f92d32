"""Policies and decisions as the ledger sees them."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Policy:
    cover_id: str = "C-1"
    limit: float = 100.0
    currency: str = "USD"


@dataclass(frozen=True)
class Decision:
    status: str
    amount: Decimal = Decimal(0)


FIRED = Decision("FIRED", Decimal("60.00"))
NOT_FIRED = Decision("NOT_FIRED")
UNKNOWN = Decision("INDETERMINATE")
