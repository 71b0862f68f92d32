"""Table of entries in SQLite or PostgreSQL: one writer at a time, rows that are only added."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pricing.errors import LedgerError
from pricing.tools.libraries import load_library
from settlement.claims.entry import Entry

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class Database:
    """Entries at a URL of SQLAlchemy; the table is created if it does not exist.

    Raises
    ------
    LedgerError
        If the database is neither SQLite nor PostgreSQL, or cannot be reached.
    """

    def __init__(self, url: str) -> None:
        load_library("sqlalchemy", extra="batch")
        from sqlalchemy import BigInteger, Column, MetaData, Table, Text, create_engine, event
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._engine: Engine = create_engine(url)
        except SQLAlchemyError as error:
            raise LedgerError(f"url must be one of SQLAlchemy: {error}") from error
        if self._engine.dialect.name not in ("sqlite", "postgresql"):
            raise LedgerError(f"url must be of SQLite or PostgreSQL, got {self._engine.dialect.name}")
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        self._table = Table(
            "crashcover_entries",
            MetaData(),
            Column("place", BigInteger, primary_key=True, autoincrement=False),
            Column("key", Text, unique=True, nullable=False),
            Column("claim", Text, index=True, nullable=False),
            Column("entry", Text, nullable=False),
        )
        with self.writing() as connection:
            self._table.create(connection, checkfirst=True)

    @contextmanager
    def writing(self) -> Iterator["Connection"]:
        """Begin a transaction that excludes other writers; it is committed at the end, or nothing is written.

        Raises
        ------
        LedgerError
            If the database refuses.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # Until the transaction ends; the number is ours.
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7110617)")
                yield connection
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger cannot be read or written: {str(error).splitlines()[0]}") from error

    def add(self, connection: "Connection", entry: Entry) -> None:
        """Add an entry."""
        values = {"place": entry.place, "key": entry.key, "claim": entry.claim, "entry": entry.to_bytes().decode()}
        connection.execute(self._table.insert().values(values))

    def find(self, connection: "Connection", key: str) -> Entry | None:
        """Return the entry with an idempotency key."""
        found = self._select(connection, self._table.c.key == key)
        return found[0] if found else None

    def of_claim(self, connection: "Connection", claim: str) -> list[Entry]:
        """Return the entries of a claim, in order."""
        return self._select(connection, self._table.c.claim == claim)

    def since(self, connection: "Connection", place: int) -> list[Entry]:
        """Return the entries from a place on, in order.

        Raises
        ------
        LedgerError
            If one is missing, or is at another place than it says.
        """
        entries = self._select(connection, self._table.c.place >= place)
        for at, entry in enumerate(entries, start=place):
            if entry.place != at:
                raise LedgerError(f"entry {at} of the ledger is missing: the next one is {entry.place}")
        return entries

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _select(self, connection: "Connection", condition: Any) -> list[Entry]:
        from sqlalchemy import select

        rows = connection.execute(select(self._table.c.entry).where(condition).order_by(self._table.c.place))
        return [Entry.from_bytes(row.entry.encode()) for row in rows]


def _leave_transactions_to_us(connection: Any, _: object) -> None:
    """Stop the driver from beginning transactions late, and wait for the disk at every commit."""
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
