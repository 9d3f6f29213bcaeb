"""Whose transaction it is: the ledger ends only what it began (store.md, 3).

Here live the two ways to get a Connection, `reading` and `writing`. What is done with it is in
`append`, `read`, `schema` and `audit`.

```
            Engine (ours or a host's)                Connection (a host's)
reading     one snapshot, ended with the question    joined as it is
writing     committed, or rolled back on an error    joined, inside a SAVEPOINT
  once      on PostgreSQL without a transaction      joined, inside a SAVEPOINT
```
"""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Callable, Iterator
from typing import Final, Literal, overload

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ManagesConnection, StaticPool

from ledger.errors import StoreError
from ledger.store.binds import Bind
from ledger.store.fetching import is_psycopg
from ledger.store.held import Held, Writer
from ledger.store.refusals import driver_error, refusal
from ledger.store.turns import OnlyConnection, only_connection
from ledger.store.ways import (
    REFUSALS,
    Alone,
    Committed,
    Told,
    Way,
    autocommit_of,
    begin_immediate,
    connected,
    in_autocommit,
    in_transaction,
    is_open,
    lent,
    reads_committed,
    refuse_hosts_autocommit,
    set_options,
)


@contextlib.contextmanager
def reading(bind: Bind) -> Iterator[Connection]:
    """A Connection to read with: of an Engine, one that sees a single moment of the database.

    Raises:
        StoreError: The database refused; raised `from` the driver's error.
    """
    try:
        if isinstance(bind, Connection):
            yield bind
        else:
            only = only_connection(bind)
            with _snapshot(bind) if only is None else _in_turn(only, bind, _snapshot) as conn:
                yield conn
    except REFUSALS as error:
        raise refusal(error, reading=True) from driver_error(error)


@overload
def writing(bind: Bind, *, once: Literal[False] = False) -> Way: ...
@overload
def writing(bind: Bind, *, once: bool) -> contextlib.AbstractContextManager[Writer]: ...
def writing(bind: Bind, *, once: bool = False) -> contextlib.AbstractContextManager[Writer]:
    """A Connection to write with: committed where the bind is an Engine, else left to the host.

    An error inside undoes what was written inside, and nothing that a host wrote before. With
    `once` there is a single `append` or `put` inside and nothing else is executed: on PostgreSQL
    that is one statement, which needs no BEGIN and no COMMIT. It needs no Connection either, where
    the driver is sqlite3 or psycopg and nobody listens to SQLAlchemy.

    Raises:
        StoreError: The database refused; `stored` is "unknown" when the connection was lost
            while the transaction ended. Raised `from` the driver's error.
    """
    only = only_connection(bind.engine)
    if isinstance(bind, Connection):
        return Told(_savepoint(bind) if only is None else _beside(only, bind))
    if only is not None:
        return Told(_in_turn(only, bind, _committed, nested=_savepoint))
    if once and bind.dialect.name == "postgresql" and reads_committed(bind):
        if is_psycopg(bind) and not _is_listened_to(bind):
            return Told(Alone(bind, Held))
        return Told(Alone(bind, connected))
    if once and bind.dialect.driver == "pysqlite" and not _is_watched(bind):
        return Told(Committed(bind, Held))
    return Told(_committed(bind))


def asking(engine: Engine) -> contextlib.AbstractContextManager[Held] | None:
    """A connection for single statements that read, each of which sees a moment of its own.

    None where there is none: it needs no BEGIN and no end with psycopg alone, and where nobody
    listens to SQLAlchemy.
    """
    if not is_psycopg(engine) or only_connection(engine) is not None or _is_listened_to(engine):
        return None
    return Told(Alone(engine, Held))


def _committed(engine: Engine) -> Way:
    return Committed(engine, connected)


def _is_watched(engine: Engine) -> bool:
    """Whether a host does something of its own where a Connection is made or begins."""
    return bool(engine.dispatch.begin or engine.dispatch.engine_connect)


def _is_listened_to(engine: Engine) -> bool:
    """Whether a host is told of statements, too; those of an append to SQLite it never hears."""
    told, dialect = engine.dispatch, engine.dialect.dispatch
    return bool(
        _is_watched(engine)
        or told.before_cursor_execute
        or told.after_cursor_execute
        or dialect.do_execute
        or dialect.handle_error
        or engine.logger.isEnabledFor(logging.INFO)
    )


@contextlib.contextmanager
def _in_turn(
    only: OnlyConnection,
    engine: Engine,
    way: Callable[[Engine], Way],
    *,
    nested: Callable[[Connection], Way] = contextlib.nullcontext,
) -> Iterator[Connection]:
    """Wait for an engine's one connection, and join what this thread or task began on it."""
    with only.turn:
        if only.held is not None:
            with nested(only.held) as conn:
                yield conn
            return
        _refuse_a_hosts_transaction(engine)
        with way(engine) as conn:
            only.held = conn
            try:
                yield conn
            finally:
                only.held = None


@contextlib.contextmanager
def _beside(only: OnlyConnection, conn: Connection) -> Iterator[Connection]:
    """A host's transaction, once no other task reads: what ends its reading would end this too."""
    with only.turn, _savepoint(conn) as joined:
        yield joined


def _refuse_a_hosts_transaction(engine: Engine) -> None:
    """On an engine's one connection the end of ours would be the end of what a host has begun."""
    if isinstance(engine.pool, StaticPool):
        shared = _is_begun(engine.pool.connection)
    else:
        with contextlib.closing(engine.raw_connection()) as lent:  # the host's, where it has one
            shared = _is_begun(lent)
    if shared:
        raise StoreError(
            "The engine has only one connection, and a transaction of yours is open on it. End "
            "that first; or hand its Connection or Session over, Ledger(connection), and what is "
            "recorded will be part of it."
        )


def _is_begun(held: ManagesConnection) -> bool:
    return is_open(held.driver_connection) and autocommit_of(held) is not False


@contextlib.contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    with lent(engine) as conn:
        if conn.dialect.name == "postgresql":
            set_options(conn, isolation_level="REPEATABLE READ")
        conn.begin()
        if conn.dialect.name == "postgresql":
            # Not by an option: undone, it says READ WRITE in all that the connection begins later,
            # whatever the role or the server prefers.
            conn.exec_driver_sql("SET TRANSACTION READ ONLY").close()
        if conn.dialect.name == "sqlite" and not in_transaction(conn):
            conn.exec_driver_sql("BEGIN")
            # The lock of a reader is taken here: without a write-ahead log a commit that waits for
            # readers keeps new ones out, and one that was kept out behind a lock of ours would keep
            # those waiting for whom the commit waits.
            conn.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").close()
        try:
            yield conn
        finally:
            # In memory a write nested in this read has joined it, and its caller has a receipt.
            if only_connection(engine) is not None:
                conn.commit()
        if conn.dialect.name == "postgresql":
            # After a ROLLBACK psycopg prepares all of the connection's statements anew. All that
            # was asked is answered: what is lost with the connection now is none of it.
            with contextlib.suppress(DBAPIError):
                conn.commit()


@contextlib.contextmanager
def _savepoint(conn: Connection) -> Iterator[Connection]:
    refuse_hosts_autocommit(conn)
    if not conn.in_transaction():
        conn.begin()
    _refuse_a_savepoint_for_a_transaction(conn)
    # Without this SQLite would take our SAVEPOINT for the transaction, and RELEASE would commit.
    begin_immediate(conn)
    with conn.begin_nested():
        yield conn


_BEGUN: Final = "ledger_begun"
"""Under which name a connection keeps the transaction that was seen to be one of SQLite's."""


def _refuse_a_savepoint_for_a_transaction(conn: Connection) -> None:
    """Refuse to write inside a host's savepoint of which nobody saw that something is around it.

    Raises:
        StoreError: SQLite may take it for the transaction, and commit all at its release.
    """
    if conn.dialect.name != "sqlite" or not conn.in_nested_transaction():
        return
    seen = conn.info.get(_BEGUN)
    begins_by_itself = conn.engine.dispatch.begin or autocommit_of(conn.connection) is False
    if begins_by_itself or (seen is not None and seen() is conn.get_transaction()):
        return
    raise StoreError(
        "This savepoint was set before a ledger was bound to the engine. Where it was the first "
        "statement, SQLite commits all at its release, whatever is rolled back around it; nobody "
        "can tell that now. Nothing was written. Make the ledger once, Ledger(engine), before the "
        "first savepoint: at the start of the application."
    )


def watch_savepoints(bind: Bind) -> None:
    """On SQLite, begin a transaction before a host's savepoint is set as the first statement.

    SQLite would take the SAVEPOINT itself for the transaction: its release commits, and neither the
    ledger's rows nor the host's can be rolled back after it. Python's driver begins nothing before
    a SAVEPOINT. To be called once an engine is known to hold a ledger; again is no harm.
    """
    engine = bind.engine
    if bind.dialect.name == "sqlite" and not event.contains(engine, "savepoint", _begin_before):
        event.listen(engine, "savepoint", _begin_before)


def _begin_before(conn: Connection, _name: str) -> None:
    if not in_autocommit(conn):
        begun = conn.get_transaction()
        if begun is not None and not conn.in_nested_transaction():
            conn.info[_BEGUN] = weakref.ref(begun)
        begin_immediate(conn)
