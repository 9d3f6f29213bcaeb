"""The one way into the log: onto a head that is known, or wherever it stands (store.md, 2).

Here live the steps of every write. Drafts come ready from `ledger.codec`: whatever is costly was
done before the lock. What a batch is, is in `batch`; how an engine writes it, in `on_sqlite` and
`on_postgres`; whose transaction it is, in `transaction`.

```
lock_head   the head, locked until the transaction ends
append      on condition that the log stands at exactly this head: same size, same last leaf
put         wherever the log stands; each stream must be where its drafts expect it
```
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeGuard

import attrs
from sqlalchemy import Connection

from ledger.codec.entry import Draft
from ledger.errors import StoreError
from ledger.store import on_postgres, on_sqlite, uncommitted
from ledger.store.batch import Base, Batch, Head, batch_of
from ledger.store.held import Writer
from ledger.store.riding import Riding
from ledger.store.tables import Tables

__all__ = ["Appended", "Head", "append", "appended", "lock_head", "put"]


@attrs.frozen(kw_only=True)
class Appended:
    """What an append did: in which log, its first sequence, each event's instant, the new size.

    `already` says that an earlier one had done it.
    """

    log_id: int
    first: int
    known: tuple[dt.datetime, ...]
    size: int
    already: bool = False


def lock_head(conn: Writer, tables: Tables, origin: str) -> Head:
    """Lock a log's head until the transaction ends, making the log where there is none.

    Raises:
        StoreError: The engine or its driver is none that a ledger is written through.
    """
    if _is_postgres(conn):
        return on_postgres.head(conn, tables, origin)
    return on_sqlite.head(conn, tables, origin)


def append(
    conn: Writer,
    tables: Tables,
    head: Head,
    drafts: Sequence[Draft],
    *,
    notify: bool = True,
    riding: Riding | None = None,
) -> Appended:
    """Append drafts on condition that the log stands at a head, all of them or none.

    The head need not be locked: size and last leaf are compared as the log is written. A refusal
    may come when some rows are written, so the transaction (or the savepoint) must then be rolled
    back; leaving `transaction.writing` by the error does that. `notify` tells PostgreSQL's
    listeners at the commit. What is `riding` is written by the same statement (PostgreSQL only).

    Raises:
        HeadMoved: The log does not stand at that head; nothing is written.
        WrongExpectedVersion: A draft's stream has moved on, or is (not) there yet; a stream that is
            not there has version -1.
        AlreadyRecorded: A draft's id is taken, in the log or by another draft. `sequence` is -1
            where the database could not be asked any more.
        InvalidDate: A `recorded_at` does not say its time zone.
        Behind: A row that rides is elsewhere.
    """
    if not drafts:
        return Appended(log_id=head.log_id, first=head.size, known=(), size=head.size)
    batch = batch_of(drafts)
    if _is_postgres(conn):
        base = on_postgres.append(conn, tables, head, batch, notify=notify, riding=riding)
    else:
        base = on_sqlite.append(conn, tables, head, batch)
    uncommitted.note(conn, tables, base)
    return _appended(base, batch)


def appended(head: Head, drafts: Sequence[Draft]) -> Appended:
    """What an append of drafts onto a head will have done.

    Raises:
        AlreadyRecorded, WrongExpectedVersion, InvalidDate: As for `append`.
    """
    base = Base(log_id=head.log_id, size=head.size, known_at=head.known_at)
    return _appended(base, batch_of(drafts))


def put(
    conn: Writer, tables: Tables, origin: str, drafts: Sequence[Draft], *, notify: bool = True
) -> Appended:
    """Append drafts wherever the log stands, all of them or none; the log is made if need be.

    Raises:
        WrongExpectedVersion: As for `append`.
        AlreadyRecorded: As for `append`.
        InvalidDate: As for `append`.
    """
    if not drafts:
        head = lock_head(conn, tables, origin)
        return Appended(log_id=head.log_id, first=head.size, known=(), size=head.size)
    batch = batch_of(drafts)
    if _is_postgres(conn):
        base = on_postgres.put(conn, tables, origin, batch, notify=notify)
    else:
        base = on_sqlite.put(conn, tables, origin, batch)
    uncommitted.note(conn, tables, base)
    return _appended(base, batch)


def _appended(base: Base, batch: Batch) -> Appended:
    return Appended(
        log_id=base.log_id,
        first=base.size,
        known=(*batch.known(base.known_at),),
        size=base.size + len(batch.drafts),
    )


def _is_postgres(conn: Writer) -> TypeGuard[Connection]:
    match conn.dialect.name, conn.dialect.driver:
        case "sqlite", _:
            return False
        case "postgresql", "psycopg" | "psycopg_async" | "asyncpg":
            return True
        case name, driver:
            raise StoreError(
                f"A ledger cannot be written through {name}+{driver}. Make the engine with a URL "
                "that begins with postgresql+psycopg:// or sqlite:///"
            )
