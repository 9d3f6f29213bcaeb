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
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ManagesConnection, StaticPool

from ledger.errors import StoreError
from ledger.store.fetching import is_psycopg
from ledger.store.follow import wake
from ledger.store.refusals import driver_error, refusal, unreachable
from ledger.store.turns import OnlyConnection, only_connection

Bind = Engine | Connection

_Way = contextlib.AbstractContextManager[Connection]


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
    except _REFUSALS as error:
        raise refusal(error) from driver_error(error)


def writing(bind: Bind, *, once: bool = False) -> _Way:
    """A Connection to write with: committed where the bind is an Engine, else left to the host.

    An error inside undoes what was written inside, and nothing that a host wrote before. With
    `once` there is a single `append` or `put` inside and nothing else is written: on PostgreSQL
    that is one statement, which needs no BEGIN and no COMMIT.

    Raises:
        StoreError: The database refused; `stored` is "unknown" when the connection was lost
            while the transaction ended. Raised `from` the driver's error.
    """
    if isinstance(bind, Connection):
        return _Told(_savepoint(bind))
    if (only := only_connection(bind)) is not None:
        return _Told(_in_turn(only, bind, _Committed, nested=_savepoint))
    if once and bind.dialect.name == "postgresql" and _reads_committed(bind):
        return _Told(_Alone(bind))
    return _Told(_Committed(bind))


class _Told(_Way):
    """A way in which the driver's errors are told as the ledger's own.

    Here and in the ways of an Engine there are no generators: one event's append would feel them.
    """

    def __init__(self, way: _Way) -> None:
        self._way = way

    def __enter__(self) -> Connection:
        try:
            return self._way.__enter__()
        except _REFUSALS as error:
            raise refusal(error) from driver_error(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        try:
            done = self._way.__exit__(kind, error, trace)
        except _REFUSALS as late:
            raise refusal(late) from driver_error(late)
        if isinstance(error, _REFUSALS):
            raise refusal(error) from driver_error(error)
        return done


_REFUSALS: Final = (DBAPIError, sqlite3.Error, PoolTimeout)


def _reads_committed(engine: Engine) -> bool:
    """Whether a statement sees what was committed before it; engine and server may say else."""
    dialect = engine.dialect
    wanted = engine.get_execution_options().get("isolation_level")
    wanted = wanted or getattr(dialect, "_on_connect_isolation_level", None)
    wanted = wanted or getattr(dialect, "default_isolation_level", None)
    return wanted in {None, "READ COMMITTED", "AUTOCOMMIT"}


@contextlib.contextmanager
def _in_turn(
    only: OnlyConnection,
    engine: Engine,
    way: Callable[[Engine], _Way],
    *,
    nested: Callable[[Connection], _Way] = contextlib.nullcontext,
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


def _refuse_a_hosts_transaction(engine: Engine) -> None:
    """On an engine's one connection the end of ours would be the end of what a host has begun."""
    held = cast("StaticPool", engine.pool).connection
    if _is_open(held.driver_connection) and _autocommit(held) is not False:
        raise StoreError(
            "The engine has only one connection, and a transaction of yours is open on it. End "
            "that first; or hand its Connection or Session over, Ledger(connection), and what is "
            "recorded will be part of it."
        )


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OSError as error:  # asyncpg's is not wrapped
        raise unreachable(error) from error


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
            if isinstance(engine.pool, StaticPool):
                conn.commit()


class _Committed(_Way):
    """A transaction of ours; it is SQLAlchemy's too if anything is executed through it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Connection:
        conn = self._conn = _connected(self._engine)
        try:
            mode = _refuse_autocommit(conn)
            if conn.dialect.name == "postgresql" and not _reads_committed(self._engine):
                # The lock on the head keeps writers apart; a snapshot older than it refuses.
                _set(conn, isolation_level="READ COMMITTED")
            _begin(conn, mode)
        except BaseException:
            conn.close()
            raise
        return conn

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        conn = self._conn
        with contextlib.closing(conn):
            if error is not None:
                _roll_back(conn)
                return
            _commit(conn)
            wake(self._engine)


def _commit(conn: Connection) -> None:
    try:
        if conn.in_transaction():
            conn.commit()
        else:
            conn.connection.commit()
    except BaseException as error:
        # SQLAlchemy takes this for the end of the transaction, SQLite may keep it open: what was
        # refused would be stored by the next append on this connection.
        _roll_back(conn)
        if isinstance(error, DBAPIError | sqlite3.Error):
            raise refusal(error, committing=True) from driver_error(error)
        raise


def _roll_back(conn: Connection) -> None:
    # A connection that was lost cannot be rolled back, and the error on its way says so.
    with contextlib.suppress(SQLAlchemyError, sqlite3.Error):
        conn.rollback()
        conn.connection.rollback()


class _Alone(_Way):
    """No transaction: the driver commits each statement by itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._switched: Any = None

    def __enter__(self) -> Connection:
        conn = self._conn = _connected(self._engine)
        try:
            _refuse_autocommit(conn)
            if is_psycopg(conn):
                # By the driver's own switch: SQLAlchemy would set the isolation, there and back.
                held: Any = conn.connection.driver_connection
                self._switched = held
                held.autocommit = True
            else:
                _set(conn, isolation_level="AUTOCOMMIT")
        except BaseException:
            self._let_go()
            raise
        return conn

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._let_go()
        if isinstance(error, DBAPIError):
            raise refusal(error, committing=True) from error.orig

    def _let_go(self) -> None:
        conn = self._conn
        with contextlib.closing(conn):
            if self._switched is None or conn.invalidated:
                return
            try:
                self._switched.autocommit = False
            except BaseException as error:  # what was written stands; the connection is done for
                conn.invalidate(error)
                if not isinstance(error, conn.dialect.loaded_dbapi.Error):
                    raise


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
def _savepoint(conn: Connection) -> Iterator[Connection]:
    _refuse_autocommit(conn)
    if not conn.in_transaction():
        conn.begin()
    # Without this SQLite would take our SAVEPOINT for the transaction, and RELEASE would commit.
    _begin_immediate(conn)
    with conn.begin_nested():
        yield conn


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
        _begin_immediate(conn)


def _begin(conn: Connection, mode: object) -> None:
    """Begin a transaction of ours, on SQLite with the write lock and mostly behind SQLAlchemy.

    `mode` is what the driver says of its autocommit.
    """
    if conn.dialect.name != "sqlite":
        conn.begin()
    elif conn.engine.dispatch.begin:
        # A host's listener sends a BEGIN once SQLAlchemy begins, and as a rule one without the
        # lock: ours takes its place now, or the two would meet later.
        conn.begin()
        conn.connection.rollback()
    elif mode is False:
        # Since Python 3.12 the driver may always be in a transaction, begun without the lock.
        with contextlib.closing(conn.connection.cursor()) as cursor:
            cursor.execute("ROLLBACK")
    _begin_immediate(conn)


def _begin_immediate(conn: Connection) -> None:
    """Take SQLite's write lock now: a lock taken later can fail at once, whatever the time-out."""
    held = conn.connection
    if conn.dialect.name == "sqlite" and not _is_open(held.driver_connection):
        with contextlib.closing(held.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")


def _in_transaction(conn: Connection) -> bool:
    """Whether SQLite itself is in a transaction; SQLAlchemy believes so before the driver is."""
    return _is_open(conn.connection.driver_connection)


def _is_open(driver_connection: object) -> bool:
    return bool(getattr(driver_connection, "in_transaction", False))


def in_autocommit(conn: Connection) -> bool:
    """Whether the driver commits each statement by itself.

    sqlite3's older autocommit (isolation_level None) honours BEGIN and commit(), so it is none.
    """
    return _autocommit(conn.connection) is True


def _autocommit(held: ManagesConnection) -> object:
    """What the driver's connection says of its autocommit; None where it knows none."""
    outer: Any = held.dbapi_connection
    inner = held.driver_connection
    if inner is outer or getattr(outer, "autocommit", None) is True:
        return getattr(outer, "autocommit", None)
    # What an asynchronous driver's connection wraps: asyncpg's nothing, aiosqlite's sqlite3's.
    wrapped: Any = getattr(inner, "_conn", inner)
    try:
        return getattr(wrapped, "autocommit", None)
    except sqlite3.ProgrammingError:  # since Python 3.12 it tells that in its own thread alone
        return outer.run_async(partial(_told_in_its_thread, wrapped))


def _told_in_its_thread(wrapped: sqlite3.Connection, held: Any) -> Any:
    ask = partial(getattr, wrapped, "autocommit", None)
    return held._execute(ask)  # noqa: SLF001 - aiosqlite opens no other way into its thread


def _refuse_autocommit(conn: Connection) -> object:
    """What the driver says of its autocommit, which may not be that it is on."""
    mode = _autocommit(conn.connection)
    if mode is True:
        raise StoreError(
            "The connection is in autocommit, where an append could be stored by halves. Hand over "
            "a Connection, or an Engine, that was made without isolation_level='AUTOCOMMIT'."
        )
    return mode
