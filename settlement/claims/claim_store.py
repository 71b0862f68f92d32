"""Claims from the decision to the payment, every step an entry of the ledger."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from pricing.errors import LedgerError
from settlement.claims.database import Database
from settlement.claims.entry import Entry, Outcome, Policy, digest_of, held, moving, status_of, to_cents
from settlement.claims.ledger import Draft, Ledger, Totals, state_of
from settlement.claims.outbox import PaymentInstruction, Send
from settlement.claims.states import Account, State
from settlement.log.transparency_log import TransparencyLog

_BY_DECISION = {"FIRED": State.CANDIDATE, "INDETERMINATE": State.INDETERMINATE}
_BY_SECOND = {"FIRED": State.CONFIRMED, "NOT_FIRED": State.REJECTED, "INDETERMINATE": State.UNRESOLVED}


class ClaimStore:
    """Ledger of policies, claims and payments: append-only, double entry in whole cents.

    Every method that writes takes an idempotency key, by default its name and that of the policy. A request whose key
    exists returns the entry of the first request and changes nothing.

    Parameters
    ----------
    url : str
        SQLite or PostgreSQL database, as a URL of SQLAlchemy.
    log : TransparencyLog, optional
        Public log of the entries; by default one in memory, made from the database.

    Raises
    ------
    LedgerError
        If the database cannot be used, or entries are missing.
    CorruptLogError
        If ledger and log differ.

    Examples
    --------
    >>> store = ClaimStore("sqlite://")
    >>> store.fund(Decimal(1000), "USD", key="deposit-1").postings
    {<Account.OUTSIDE: 'outside'>: -100000, <Account.POOL: 'pool'>: 100000}
    >>> store.balance("pool")
    Decimal('1000.00')
    """

    def __init__(self, url: str = "sqlite:///claims.db", *, log: TransparencyLog | None = None) -> None:
        self.log = TransparencyLog() if log is None else log
        self._database = Database(url)
        try:
            self._ledger = Ledger(self._database, self.log)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and the log."""
        self._database.close()
        self.log.close()

    def entries(self) -> list[Entry]:
        """Return all entries, in order; the place of an entry is also its place in the public log."""
        return self._ledger.entries()

    def state(self, claim: str) -> State | None:
        """Return the state of a claim; None if the policy is unknown."""
        return state_of(self._ledger.of_claim(claim))

    def balance(self, account: str, currency: str | None = None) -> Decimal:
        """Return the money in an account.

        Parameters
        ----------
        account : str
            Name of an ``Account``, such as ``"pool"``.
        currency : str, optional
            Currency; it may be left out while the ledger has only one.

        Raises
        ------
        LedgerError
            If there is no such account, or the ledger has several currencies.
        """
        if account not in list(Account):
            raise LedgerError(f"account must be one of {', '.join(Account)}, got {account!r}")
        totals = self._ledger.catch_up()
        if currency is None and len(totals) > 1:
            raise LedgerError(f"currency must be one of {', '.join(sorted(totals))}: the ledger has several")
        chosen = totals.get(currency, {}) if currency is not None else next(iter(totals.values()), {})
        return _money(chosen.get(Account(account), 0))

    def fund(self, amount: Decimal, currency: str, *, key: str) -> Entry:
        """Record capital that was paid into the pool; the key is that of the deposit."""
        details = {"action": "fund", "amount": str(amount), "currency": currency}
        postings = moving(to_cents(amount, "amount"), Account.OUTSIDE, Account.POOL)
        return self._write(key, "", details, lambda *_: Draft(None, currency, postings))

    def activate(self, policy: Policy, *, premium: Decimal = Decimal(0), key: str | None = None) -> Entry:
        """Record a policy and the premium that was paid for it."""
        details = {"action": "activate", "premium": str(premium)}
        details |= {"limit": str(_limit(policy)), "currency": policy.currency}
        postings = moving(to_cents(premium, "premium"), Account.OUTSIDE, Account.PREMIUM)
        draft = Draft(State.ACTIVE, policy.currency, postings)
        return self._write(key, policy.cover_id, details, lambda *_: draft)

    def open(self, policy: Policy, decision: Outcome, *, key: str | None = None) -> Entry:
        """Open the claim of a policy: reserve the amount if the trigger fired, the limit if the index could not tell.

        Raises
        ------
        LedgerError
            If the decision is neither FIRED nor INDETERMINATE, its amount is 0 or above the limit, there is a claim, or
            the policy was recorded with another limit or currency.
        """
        status, limit = status_of(decision), _limit(policy)
        details = {**_decided("open", decision), "limit": str(limit), "currency": policy.currency}

        def change(history: list[Entry], _: Totals) -> Draft:
            if status not in _BY_DECISION:
                raise LedgerError(f"status must be FIRED or INDETERMINATE to open a claim, got {status}")
            for name in ("limit", "currency"):
                if history and history[0].details[name] != details[name]:
                    raise LedgerError(f"policy has {name} {history[0].details[name]}, not {details[name]}")
            most = to_cents(limit, "limit")
            cents = to_cents(decision.amount, "amount") if status == "FIRED" else most
            if not 0 < cents <= most:
                raise LedgerError(f"amount must be above 0 and at most the limit {limit}, got {decision.amount}")
            postings = moving(cents, Account.POOL, Account.RESERVES)
            return Draft(_BY_DECISION[status], policy.currency, postings, details["decision"])

        return self._write(key, policy.cover_id, details, change)

    def confirm(self, claim: str, *, key: str | None = None) -> Entry:
        """Confirm a candidate: the reserved amount becomes payable."""
        return self._step(claim, {"action": "confirm"}, State.CANDIDATE, _confirm_reserve, key)

    def reject(self, claim: str, *, reason: str, key: str | None = None) -> Entry:
        """Reject a candidate: the reserve goes back to the pool."""
        details = {"action": "reject", "reason": reason}
        return self._step(claim, details, State.CANDIDATE, lambda history, _: _decide(history, 0), key)

    def doubt(self, claim: str, *, reason: str, key: str | None = None) -> Entry:
        """Make a candidate indeterminate: the limit is reserved until a second index decides."""

        def change(history: list[Entry], _: Totals) -> Draft:
            limit = Decimal(_latest(history, State.CANDIDATE).details["limit"])
            missing = to_cents(limit, "limit") - held(history, Account.RESERVES)
            return Draft(State.INDETERMINATE, history[0].currency, moving(missing, Account.POOL, Account.RESERVES))

        return self._step(claim, {"action": "doubt", "reason": reason}, State.CANDIDATE, change, key)

    def decide_again(self, claim: str, decision: Outcome, *, key: str | None = None) -> Entry:
        """Decide an indeterminate claim by a second index; if that cannot tell either, amounts may be proposed.

        Raises
        ------
        LedgerError
            If the amount is above the reserve.
        """
        status = status_of(decision)
        details = _decided("decide_again", decision)

        def change(history: list[Entry], _: Totals) -> Draft:
            if status not in _BY_SECOND:
                raise LedgerError(f"status must be FIRED, NOT_FIRED or INDETERMINATE to decide again, got {status}")
            if status == "INDETERMINATE":
                return Draft(State.UNRESOLVED, history[0].currency, {}, details["decision"])
            cents = to_cents(decision.amount, "amount") if status == "FIRED" else 0
            return _decide(history, cents, digest=details["decision"])

        return self._step(claim, details, State.INDETERMINATE, change, key)

    def propose(
        self,
        claim: str,
        amount: Decimal,
        *,
        by: str,
        bond: Decimal,
        at: datetime,
        challenge_time: timedelta,
        key: str | None = None,
    ) -> Entry:
        """Propose the amount of an unresolved claim, with a bond; others may challenge it for a time.

        Raises
        ------
        LedgerError
            If the bond is 0, the amount is above the reserve, or the time has no offset from UTC.
        """
        deadline = _instant(at) + challenge_time
        details = {"action": "propose", "amount": str(amount), "by": by, "bond": str(bond)}
        details["deadline"] = deadline.isoformat()

        def change(history: list[Entry], _: Totals) -> Draft:
            _decide(history, to_cents(amount, "amount"))  # only for its checks
            if challenge_time <= timedelta(0):
                raise LedgerError(f"challenge_time must be positive, got {challenge_time}")
            return Draft(State.PROPOSED, history[0].currency, _bond(bond))

        return self._step(claim, details, State.UNRESOLVED, change, key)

    def challenge(self, claim: str, amount: Decimal, *, by: str, at: datetime, key: str | None = None) -> Entry:
        """Challenge a proposed amount with another one and the same bond, before the deadline.

        Raises
        ------
        LedgerError
            If it is too late, the challenger is the proposer, or the amount is the proposed one or above the reserve.
        """
        details = {"action": "challenge", "amount": str(amount), "by": by, "at": _instant(at).isoformat()}

        def change(history: list[Entry], _: Totals) -> Draft:
            proposal = _latest(history, State.PROPOSED).details
            _decide(history, to_cents(amount, "amount"))  # only for its checks
            if at >= datetime.fromisoformat(proposal["deadline"]):
                raise LedgerError(f"at must be before the deadline {proposal['deadline']}, got {at}")
            if by == proposal["by"] or amount == Decimal(proposal["amount"]):
                raise LedgerError("a challenge must be of somebody else and for another amount than the proposal")
            return Draft(State.CHALLENGED, history[0].currency, _bond(Decimal(proposal["bond"])))

        return self._step(claim, details, State.PROPOSED, change, key)

    def accept(self, claim: str, *, at: datetime, key: str | None = None) -> Entry:
        """Accept a proposed amount that nobody challenged before its deadline; the bond goes back.

        Raises
        ------
        LedgerError
            If the deadline has not passed.
        """
        details = {"action": "accept", "at": _instant(at).isoformat()}

        def change(history: list[Entry], _: Totals) -> Draft:
            proposal = _latest(history, State.PROPOSED).details
            if at < datetime.fromisoformat(proposal["deadline"]):
                raise LedgerError(f"at must be after the deadline {proposal['deadline']}, got {at}")
            bonds = moving(held(history, Account.BONDS), Account.BONDS, Account.OUTSIDE)
            return _decide(history, to_cents(Decimal(proposal["amount"]), "amount"), bonds)

        return self._step(claim, details, State.PROPOSED, change, key)

    def rule(self, claim: str, *, winner: str, reason: str, key: str | None = None) -> Entry:
        """Rule between proposer and challenger: half of the loser's bond is burnt, and the winner gets the rest.

        Otherwise one party could propose, challenge and rule for nothing.

        Raises
        ------
        LedgerError
            If the winner is neither of them.
        """

        def change(history: list[Entry], _: Totals) -> Draft:
            rivals = [_latest(history, state).details for state in (State.PROPOSED, State.CHALLENGED)]
            amounts = {rival["by"]: rival["amount"] for rival in rivals}
            if winner not in amounts:
                raise LedgerError(f"winner must be one of {', '.join(amounts)}, got {winner!r}")
            bonds = held(history, Account.BONDS)
            burnt = bonds // 4 + (bonds % 4 > 0)  # bonds are equal, so a quarter of both; an odd cent is burnt
            postings = {Account.BONDS: -bonds, Account.BURNT: burnt, Account.OUTSIDE: bonds - burnt}
            return _decide(history, to_cents(Decimal(amounts[winner]), "amount"), postings)

        details = {"action": "rule", "winner": winner, "reason": reason}
        return self._step(claim, details, State.CHALLENGED, change, key)

    def pay(self, claim: str, send: Send, *, key: str | None = None) -> Entry:
        """Pay a confirmed claim: record the order, send the instruction, record that it left.

        Call it again after a crash. The instruction has the same key each time, by which `send` recognises it.

        Parameters
        ----------
        claim : str
            Name of the policy.
        send : callable
            Sends a ``PaymentInstruction``; for a key that was sent before it does nothing, as ``Outbox`` does.
        key : str, optional
            Idempotency key of the order, and of the instruction.

        Raises
        ------
        LedgerError
            If nothing is due, or there is not enough money.
        """
        key = key or f"pay:{claim}"
        found = self._ledger.find(f"{key}:left")
        if found is not None and found.claim == claim:
            return found
        order = self._step(claim, {"action": "pay"}, State.CONFIRMED, _order, key)
        cents = order.postings[Account.IN_TRANSIT]
        send(PaymentInstruction(key=key, claim=claim, amount=_money(cents), currency=order.currency, place=order.place))
        draft = Draft(State.PAID, order.currency, moving(cents, Account.IN_TRANSIT, Account.PAID), order.digest)
        return self._write(f"{key}:left", claim, {"action": "left"}, lambda *_: draft)

    def correct(self, place: int, postings: Mapping[str, int], *, reason: str, key: str) -> Entry:
        """Correct an entry by a new one, which moves money between accounts and leaves the claim in its state.

        Parameters
        ----------
        place : int
            Place of the entry that was wrong.
        postings : dict of str to int
            Cents by which each account changes; they add up to 0.
        reason : str
            Explanation for the public.
        key : str
            Idempotency key.

        Raises
        ------
        LedgerError
            If there is no such entry, the postings do not add up, or the claim would be owed less than nothing, more
            than its limit, or anything that its state does not allow.
        """
        entries = self.entries()
        if not 0 <= place < len(entries):
            raise LedgerError(f"place must be from 0 to {len(entries) - 1}, got {place}")
        wrong = entries[place]
        if not set(postings) <= set(Account):
            raise LedgerError(f"postings must be to {', '.join(Account)}, got {', '.join(postings)}")
        if any(type(cents) is not int for cents in postings.values()):
            raise LedgerError(f"postings must be whole cents, got {dict(postings)}")
        draft = Draft(
            None, wrong.currency, {Account(name): cents for name, cents in postings.items()}, digest_of(wrong)
        )

        def change(history: list[Entry], _: Totals) -> Draft:
            _require_owed(history, draft.postings)
            return draft

        details = {"action": "correct", "place": str(place), "reason": reason, "postings": str(dict(postings))}
        return self._write(key, wrong.claim, details, change)

    def _step(
        self,
        claim: str,
        details: Mapping[str, str],
        before: State,
        change: Callable[[list[Entry], Totals], Draft],
        key: str | None,
    ) -> Entry:
        """Write the entry of a request that a claim must be in one state for."""

        def checked(history: list[Entry], totals: Totals) -> Draft:
            state = state_of(history)
            if state is not before:
                raise LedgerError(
                    f"claim {claim!r} must be {before} to {details['action']}, but it is {state or 'unknown'}"
                )
            return change(history, totals)

        return self._write(key, claim, details, checked)

    def _write(
        self,
        key: str | None,
        claim: str,
        details: Mapping[str, str],
        change: Callable[[list[Entry], Totals], Draft],
    ) -> Entry:
        return self._ledger.write(_key(key, details, claim), claim, details, change)


def _key(key: str | None, details: Mapping[str, str], claim: str) -> str:
    return key or f"{details['action']}:{claim}"


def _decided(action: str, decision: Outcome) -> dict[str, str]:
    """Describe a request that rests on a decision."""
    return {
        "action": action,
        "status": status_of(decision),
        "amount": str(decision.amount),
        "decision": digest_of(decision),
    }


def _latest(history: list[Entry], state: State) -> Entry:
    """Return the last entry by which a claim came into a state."""
    return [entry for entry in history if entry.state is state][-1]


def _limit(policy: Policy) -> Decimal:
    """Return the limit of a policy as it is written, in whole cents."""
    return Decimal(str(policy.limit)).quantize(Decimal("0.01"))


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _confirm_reserve(history: list[Entry], _: Totals) -> Draft:
    return _decide(history, held(history, Account.RESERVES))


def _decide(
    history: list[Entry], cents: int, others: Mapping[Account, int] | None = None, *, digest: str = ""
) -> Draft:
    """Turn the reserve into the amount due; the rest goes back to the pool."""
    reserve = held(history, Account.RESERVES)
    if cents > reserve:
        raise LedgerError(f"amount must be at most the reserve {_money(reserve)}, got {_money(cents)}")
    postings = {Account.RESERVES: -reserve, Account.PAYABLE: cents, Account.POOL: reserve - cents, **(others or {})}
    state = State.CONFIRMED if cents else State.REJECTED
    return Draft(state, history[0].currency, postings, digest or history[-1].digest)


def _order(history: list[Entry], totals: Totals) -> Draft:
    """Move what is payable into transit, if there is the money."""
    cents = held(history, Account.PAYABLE)
    if not cents > 0:
        raise LedgerError(f"nothing is due to claim {history[0].claim!r}: its payable is {_money(cents)}")
    if cents > totals.available:
        raise LedgerError(f"the pool has {_money(totals.available)}, but {_money(cents)} is due (fund it first)")
    postings = moving(cents, Account.PAYABLE, Account.IN_TRANSIT)
    return Draft(State.PAYING, history[0].currency, postings, history[-1].digest)


#: State in which a claim has money in an account: elsewhere, or out of its limit, a correction would be paid wrongly.
_OWED = {
    Account.RESERVES: (State.CANDIDATE, State.INDETERMINATE, State.UNRESOLVED, State.PROPOSED, State.CHALLENGED),
    Account.PAYABLE: (State.CONFIRMED,),
    Account.IN_TRANSIT: (),
}


def _require_owed(history: list[Entry], postings: Mapping[Account, int]) -> None:
    """Require that a correction leaves a claim what it may be owed; an instruction that leaves cannot be changed."""
    state = state_of(history)
    for account, states in _OWED.items():
        if not postings.get(account):
            continue
        if state not in states:
            raise LedgerError(f"{account} cannot be corrected while the claim is {state or 'unknown'}")
        limit = to_cents(Decimal(history[0].details["limit"]), "limit")
        left = held(history, account) + postings[account]
        if not 0 <= left <= limit:
            raise LedgerError(
                f"{account} of claim {history[0].claim!r} must be from 0 to its limit {_money(limit)} after a "
                f"correction, got {_money(left)}"
            )


def _bond(bond: Decimal) -> dict[Account, int]:
    cents = to_cents(bond, "bond")
    if not cents:
        raise LedgerError("bond must be above 0, got 0 (a bond makes a false proposal cost something)")
    return moving(cents, Account.OUTSIDE, Account.BONDS)


def _instant(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise LedgerError(f"at must have an offset from UTC, got {at}")
    return at
