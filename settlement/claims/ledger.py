"""Ledger: entries in a database, each of them also in a public log at the same place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pricing.errors import CorruptLogError, LedgerError
from settlement.claims.database import Database
from settlement.claims.entry import Entry, digest_of
from settlement.claims.states import Account, State, require_move
from settlement.log.transparency_log import TransparencyLog


class Totals(NamedTuple):
    """Balances in the currency of a claim, in cents."""

    cents: Mapping[Account, int]

    @property
    def available(self) -> int:
        """Money that payments may come from; bonds belong to others."""
        accounts = (Account.POOL, Account.PREMIUM, Account.RESERVES, Account.PAYABLE)
        return sum(self.cents.get(account, 0) for account in accounts)


@dataclass(frozen=True, slots=True)
class Draft:
    """Change that a request makes: the new state, the postings and what they rest on."""

    state: State | None
    currency: str
    postings: Mapping[Account, int] = field(default_factory=dict)
    digest: str = ""


class Ledger:
    """Entries that are only added: first to the database, then to the public log.

    The database is the original. If the process stops between the two, the next start brings the log up to date.

    Raises
    ------
    LedgerError
        If the database cannot be reached, or entries are missing.
    CorruptLogError
        If an entry in the log differs from the database, or is in the log only.
    """

    def __init__(self, database: Database, log: TransparencyLog) -> None:
        self._database, self._log = database, log
        self._totals: dict[str, dict[Account, int]] = {}
        self._counted = 0
        with database.writing() as connection:
            entries = database.since(connection, 0)
        if len(log) > len(entries):
            raise CorruptLogError(f"the log has {len(log)} entries, the ledger has {len(entries)} (an old copy?)")
        for entry in entries[: len(log)]:
            if log.entry(entry.place) != entry.to_bytes():
                raise CorruptLogError(f"entry {entry.place} of the ledger was changed: the log has another one")
        self._count(entries)
        self._publish(entries)

    def write(
        self,
        key: str,
        claim: str,
        details: Mapping[str, str],
        change: Callable[[list[Entry], Totals], Draft],
    ) -> Entry:
        """Add the entry of a request, or return the one that an earlier request with the same key has added.

        Parameters
        ----------
        key : str
            Idempotency key. It is looked up before anything else.
        claim : str
            Name of the policy; empty if the request is about none.
        details : dict of str to str
            The request in words; a repeated request must have the same.
        change : callable
            Function from the entries of the claim and the balances to the change that the request makes.

        Raises
        ------
        LedgerError
            If the request is impossible, its key belongs to another one, or the ledger cannot be written.
        OSError
            If the public log cannot be written; the next start repeats this.
        """
        with self._database.writing() as connection:
            entry = self._database.find(connection, key)
            if entry is None:
                self._count(self._database.since(connection, self._counted))
                history = self._database.of_claim(connection, claim) if claim else []
                entry = self._entry(key, claim, details, change, history)
                self._database.add(connection, entry)
            elif (entry.claim, dict(entry.details)) != (claim, dict(details)):
                raise LedgerError(
                    f"key {key!r} belongs to another request: it has {dict(entry.details)} of {entry.claim!r}, "
                    f"this one has {dict(details)} of {claim!r} (use a new key)"
                )
        self.catch_up()
        return entry

    def find(self, key: str) -> Entry | None:
        """Return the entry with an idempotency key; None if there is none."""
        with self._database.writing() as connection:
            return self._database.find(connection, key)

    def of_claim(self, claim: str) -> list[Entry]:
        """Return the entries of a claim, in order."""
        with self._database.writing() as connection:
            return self._database.of_claim(connection, claim)

    def entries(self) -> list[Entry]:
        """Return all entries, in order."""
        with self._database.writing() as connection:
            return self._database.since(connection, 0)

    def catch_up(self) -> Mapping[str, Mapping[Account, int]]:
        """Publish and count the entries that were added since, also by other processes; return the balances."""
        with self._database.writing() as connection:
            entries = self._database.since(connection, min(self._counted, len(self._log)))
        self._count(entries)
        self._publish(entries)
        return self._totals

    def _entry(
        self,
        key: str,
        claim: str,
        details: Mapping[str, str],
        change: Callable[[list[Entry], Totals], Draft],
        history: list[Entry],
    ) -> Entry:
        draft = change(history, Totals(self._totals.get(history[0].currency, {}) if history else {}))
        if draft.state is not None:
            require_move(claim, state_of(history), draft.state)
        return Entry(
            place=self._counted,
            key=key,
            claim=claim,
            state=draft.state,
            currency=draft.currency,
            postings=draft.postings,
            digest=draft.digest or digest_of(dict(details)),
            details=dict(details),
        )

    def _count(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.place >= self._counted:
                totals = self._totals.setdefault(entry.currency, {})
                for account, cents in entry.postings.items():
                    totals[account] = totals.get(account, 0) + cents
                self._counted += 1

    def _publish(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.place >= len(self._log):
                self._log.append(entry.to_bytes())


def state_of(history: list[Entry]) -> State | None:
    """Return the state of a claim from its entries; None if it has none."""
    states = [entry.state for entry in history if entry.state is not None]
    return states[-1] if states else None
