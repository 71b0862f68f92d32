"""States of a claim, which only move forward, and the accounts of the ledger."""

from enum import StrEnum

from pricing.errors import LedgerError


class State(StrEnum):
    """State of a policy or claim."""

    ACTIVE = "active"
    """The policy is in force."""
    CANDIDATE = "candidate"
    """The decision is that the trigger fired; the amount is reserved."""
    INDETERMINATE = "indeterminate"
    """The index could not tell; the limit is reserved until a second index decides."""
    UNRESOLVED = "unresolved"
    """The second index could not tell either; anyone may propose an amount and post a bond."""
    PROPOSED = "proposed"
    """An amount is proposed, and may be challenged until its deadline."""
    CHALLENGED = "challenged"
    """Two amounts with equal bonds; an arbiter rules."""
    CONFIRMED = "confirmed"
    """The amount is due."""
    REJECTED = "rejected"
    """Nothing is due."""
    PAYING = "paying"
    """The payment is instructed, or about to be."""
    PAID = "paid"
    """The payment instruction has left."""


class Account(StrEnum):
    """Account of the ledger. Its balance is the money that it holds; the balances of all accounts add up to zero."""

    OUTSIDE = "outside"
    """The rest of the world: it pays in, so its balance is negative."""
    POOL = "pool"
    """Free capital; negative if more is reserved than there is."""
    PREMIUM = "premium"
    """Premiums received."""
    RESERVES = "reserves"
    """Money set aside for claims that are not decided."""
    PAYABLE = "payable"
    """Money due and not yet instructed."""
    IN_TRANSIT = "in_transit"
    """Money whose instruction is leaving."""
    PAID = "paid"
    """Money paid to customers."""
    BONDS = "bonds"
    """Bonds of proposers and challengers."""
    BURNT = "burnt"
    """Halves of lost bonds, which nobody gets."""


_MOVES: dict[State | None, tuple[State, ...]] = {
    None: (State.ACTIVE, State.CANDIDATE, State.INDETERMINATE),  # a policy that is sold is in force, recorded or not
    State.ACTIVE: (State.CANDIDATE, State.INDETERMINATE),
    State.CANDIDATE: (State.CONFIRMED, State.REJECTED, State.INDETERMINATE),
    State.INDETERMINATE: (State.CONFIRMED, State.REJECTED, State.UNRESOLVED),
    State.UNRESOLVED: (State.PROPOSED,),
    State.PROPOSED: (State.CHALLENGED, State.CONFIRMED, State.REJECTED),
    State.CHALLENGED: (State.CONFIRMED, State.REJECTED),
    State.CONFIRMED: (State.PAYING,),
    State.PAYING: (State.PAID,),
    State.REJECTED: (),
    State.PAID: (),
}


def require_move(claim: str, before: State | None, after: State) -> None:
    """Require that a claim may go from a state to another.

    Raises
    ------
    LedgerError
        If it may not.
    """
    if after not in _MOVES[before]:
        allowed = ", ".join(_MOVES[before]) or "nothing, it is final"
        raise LedgerError(f"claim {claim!r} is {before or 'unknown'} and cannot become {after} (next: {allowed})")
