"""The one way into the log: lock the head, then append (store.md, 2).

Here live the two steps of every write. Drafts come ready from `ledger.codec`: whatever is costly
was done before the lock. What a batch is, is in `batch`; how an engine writes it, in `on_sqlite`
and `on_postgres`; whose transaction it is, in `transaction`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs
from sqlalchemy import Connection

from ledger.codec.entry import Draft
from ledger.errors import StoreError
from ledger.store import on_postgres, on_sqlite
from ledger.store.batch import Head, batch_of
from ledger.store.tables import Tables

__all__ = ["Appended", "Head", "append", "lock_head"]


@attrs.frozen(kw_only=True)
class Appended:
    """What an append did: the sequence of its first event, each event's instant, the new size."""

    first: int
    known: tuple[dt.datetime, ...]
    size: int


def lock_head(conn: Connection, tables: Tables, origin: str) -> Head:
    """Lock a log's head until the transaction ends, making the log where there is none.

    Raises:
        StoreError: The engine or its driver is none that a ledger is written through.
    """
    if _is_postgres(conn):
        return on_postgres.head(conn, tables, origin)
    return on_sqlite.head(conn, tables, origin)


def append(conn: Connection, tables: Tables, head: Head, drafts: Sequence[Draft]) -> Appended:
    """Append drafts to the log whose head is locked, all of them or none.

    A refusal may come when some rows are written, so the transaction (or the savepoint) must then
    be rolled back; leaving `transaction.writing` by the error does that.

    Raises:
        WrongExpectedVersion: A draft's stream has moved on, or is (not) there yet; a stream that is
            not there has version -1.
        AlreadyRecorded: A draft's id is taken, in the log or by another draft. `sequence` is -1
            where the database could not be asked any more.
        InvalidDate: A `recorded_at` does not say its time zone.
        StoreError: The head is not the locked one any more.
    """
    if not drafts:
        return Appended(first=head.size, known=(), size=head.size)
    batch = batch_of(head, drafts)
    if _is_postgres(conn):
        on_postgres.write(conn, tables, batch)
    else:
        on_sqlite.write(conn, tables, batch)
    return Appended(first=head.size, known=batch.known, size=batch.size)


def _is_postgres(conn: Connection) -> bool:
    match conn.dialect.name, conn.dialect.driver:
        case "sqlite", _:
            return False
        case "postgresql", "psycopg" | "psycopg_async":
            return True
        case name, driver:
            raise StoreError(
                f"A ledger cannot be written through {name}+{driver}. Make the engine with a URL "
                "that begins with postgresql+psycopg:// or sqlite:///"
            )
