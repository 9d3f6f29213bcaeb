"""Whose transaction it is: the ledger ends only what it began (store.md, 3).

Here live the two ways to get a Connection, `reading` and `writing`. What is done with it is in
`append`, `read`, `schema` and `audit`.

```
            Engine (ours or a host's)                Connection (a host's)
reading     one snapshot, rolled back at the end     joined as it is
writing     committed, or rolled back on an error    joined, inside a SAVEPOINT
  once      on PostgreSQL without a transaction      joined, inside a SAVEPOINT
```
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.errors import StoreError
from ledger.store.engines import OneConnection
from ledger.store.follow import wake
from ledger.store.refusals import driver_error, refusal, unreachable

Bind = Engine | Connection


@contextlib.contextmanager
def reading(bind: Bind) -> Iterator[Connection]:
    """A Connection to read with: of an Engine, one that sees a single moment of the database.

    Raises:
        StoreError: The database refused; raised `from` the driver's error.
    """
    with _told(), _turn(bind) as held:
        if isinstance(held, Connection):
            yield held
        else:
            with _snapshot(held) as conn, _holding(held, conn):
                yield conn


@contextlib.contextmanager
def writing(bind: Bind, *, once: bool = False) -> Iterator[Connection]:
    """A Connection to write with: committed where the bind is an Engine, else left to the host.

    An error inside undoes what was written inside, and nothing that a host wrote before. With
    `once` there is a single `append` or `put` inside and nothing else is written: on PostgreSQL
    that is one statement, which needs no BEGIN and no COMMIT.

    Raises:
        StoreError: The database refused; `stored` is "unknown" when the connection was lost
            while the transaction ended. Raised `from` the driver's error.
    """
    with _told(), _turn(bind) as held:
        if isinstance(held, Connection):
            with _savepoint(held):
                yield held
        elif once and held.dialect.name == "postgresql":
            with _alone(held) as conn:
                yield conn
        else:
            with _committed(held) as conn, _holding(held, conn):
                yield conn


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, sqlite3.Error, PoolTimeout) as error:
        raise refusal(error) from driver_error(error)


@contextlib.contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        conn = engine.connect()
    except OSError as error:  # asyncpg's is not wrapped
        raise unreachable(error) from error
    with conn:
        yield conn


@contextlib.contextmanager
def _turn(bind: Bind) -> Iterator[Bind]:
    """In memory there is one connection: wait for it, and join what this thread began on it."""
    if isinstance(bind, Engine) and isinstance(bind.pool, OneConnection):
        with bind.pool.turn:
            yield bind if bind.pool.held is None else bind.pool.held
    else:
        yield bind


@contextlib.contextmanager
def _holding(engine: Engine, conn: Connection) -> Iterator[None]:
    if not isinstance(engine.pool, OneConnection):
        yield
        return
    engine.pool.held = conn
    try:
        yield
    finally:
        engine.pool.held = None


@contextlib.contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    with _connected(engine) as conn:
        if conn.dialect.name == "postgresql":
            _set(conn, isolation_level="REPEATABLE READ", postgresql_readonly=True)
        conn.begin()
        if conn.dialect.name == "sqlite" and not _in_transaction(conn):
            conn.exec_driver_sql("BEGIN")
        try:
            yield conn
        finally:
            # In memory a write nested in this read has joined it, and its caller has a receipt.
            if isinstance(engine.pool, OneConnection):
                conn.commit()


@contextlib.contextmanager
def _committed(engine: Engine) -> Iterator[Connection]:
    with _connected(engine) as conn:
        _refuse_autocommit(conn)
        conn.begin()
        _begin_immediate(conn)
        yield conn
        try:
            conn.commit()
        except BaseException as error:
            # SQLAlchemy takes this for the end of the transaction, SQLite may keep it open: what
            # was refused would be stored by the next append on this connection.
            with contextlib.suppress(SQLAlchemyError, sqlite3.Error):
                conn.connection.rollback()
            if isinstance(error, DBAPIError):
                raise refusal(error, committing=True) from error.orig
            raise
        wake(engine)


@contextlib.contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    with _connected(engine) as conn:
        _refuse_autocommit(conn)
        _set(conn, isolation_level="AUTOCOMMIT")
        try:
            yield conn
        except DBAPIError as error:
            raise refusal(error, committing=True) from error.orig


def _set(conn: Connection, **options: object) -> None:
    """Set how the driver begins transactions; SQLAlchemy undoes that when the connection is let go.

    A task that is cancelled meanwhile would give a connection back to the pool with it half done.
    """
    try:
        conn.execution_options(**options)
    except BaseException:
        conn.invalidate()
        raise


@contextlib.contextmanager
def _savepoint(conn: Connection) -> Iterator[None]:
    _refuse_autocommit(conn)
    if not conn.in_transaction():
        conn.begin()
    # Without this SQLite would take our SAVEPOINT for the transaction, and RELEASE would commit.
    _begin_immediate(conn)
    with conn.begin_nested():
        yield


def _begin_immediate(conn: Connection) -> None:
    """Take SQLite's write lock now: a lock taken later can fail at once, whatever the time-out."""
    if conn.dialect.name == "sqlite" and not _in_transaction(conn):
        with contextlib.closing(conn.connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")


def _in_transaction(conn: Connection) -> bool:
    """Whether SQLite itself is in a transaction; SQLAlchemy believes so before the driver is."""
    return bool(getattr(conn.connection.driver_connection, "in_transaction", False))


def in_autocommit(conn: Connection) -> bool:
    """Whether the driver commits each statement by itself.

    sqlite3's older autocommit (isolation_level None) honours BEGIN and commit(), so it is none.
    """
    held = conn.connection
    layers = (held.dbapi_connection, held.driver_connection)
    inner = getattr(held.driver_connection, "_conn", None)  # aiosqlite's
    return any(getattr(layer, "autocommit", None) is True for layer in (*layers, inner))


def _refuse_autocommit(conn: Connection) -> None:
    if in_autocommit(conn):
        raise StoreError(
            "The connection is in autocommit, where an append could be stored by halves. Hand over "
            "one without isolation_level='AUTOCOMMIT', or the Engine."
        )
