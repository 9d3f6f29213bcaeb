"""The ways of an Engine to a transaction of ours, and what drivers say of theirs.

Here lives how a transaction is begun, committed and rolled back. Whose it is, and which of these
ways is gone, is in `transaction`. One event's append feels each call, so there are no generators.

```
Committed   a transaction, with SQLAlchemy's Connection or, for an SQLite file, without (Held)
Alone       none: the driver commits each statement by itself (PostgreSQL)
```
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ManagesConnection

from ledger.errors import ProjectionFailed, StoreError
from ledger.store.abandoned import refuse_abandoned, to_the_end
from ledger.store.fetching import is_psycopg
from ledger.store.follow import wake
from ledger.store.held import Writer
from ledger.store.refusals import driver_error, refusal, unreachable

Way = contextlib.AbstractContextManager[Connection]

REFUSALS: Final = (DBAPIError, sqlite3.Error, PoolTimeout)
"""The errors of a driver, wrapped or not, and of a pool."""


def reads_committed(engine: Engine) -> bool:
    """Whether a statement sees what was committed before it; engine and server may say else.

    What the server says is known once the engine has connected; until then it is not taken for so.
    """
    dialect = engine.dialect
    wanted = engine.get_execution_options().get("isolation_level")
    wanted = wanted or getattr(dialect, "_on_connect_isolation_level", None)
    wanted = wanted or getattr(dialect, "default_isolation_level", None)
    return wanted in {"READ COMMITTED", "AUTOCOMMIT"}


def connected(engine: Engine) -> Connection:
    """A Connection of an engine.

    Raises:
        StoreError: The server does not answer.
    """
    try:
        return engine.connect()
    except OSError as error:  # asyncpg's is not wrapped
        raise unreachable(error) from error


def give_back(conn: Writer) -> None:
    """Give a connection back to its pool.

    What SQLAlchemy undoes then, such as an isolation level, takes a driver's word or two. A task
    that was cancelled at one of them would keep the connection's place in the pool for ever.
    """
    if conn.dialect.is_async:
        to_the_end(conn.close)
    else:
        conn.close()


@contextlib.contextmanager
def lent(engine: Engine) -> Iterator[Connection]:
    """A Connection of an engine, which is given back at the end."""
    conn = connected(engine)
    try:
        yield conn
    finally:
        give_back(conn)


W = TypeVar("W", bound=Writer)


class Told(contextlib.AbstractContextManager[W]):
    """A way in which the driver's errors are told as the ledger's own."""

    def __init__(self, way: contextlib.AbstractContextManager[W]) -> None:
        self._way = way

    def __enter__(self) -> W:
        try:
            return self._way.__enter__()
        except REFUSALS as error:
            raise refusal(error) from driver_error(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        try:
            done = self._way.__exit__(kind, error, trace)
        except REFUSALS as late:
            if isinstance(error, ProjectionFailed):  # it ended what cannot be rolled back now
                return None
            raise refusal(late) from driver_error(late)
        if isinstance(error, REFUSALS):
            raise refusal(error) from driver_error(error)
        return done


class Committed(contextlib.AbstractContextManager[W]):
    """A transaction of ours; it is SQLAlchemy's too if anything is executed through it."""

    def __init__(self, engine: Engine, opened: Callable[[Engine], W]) -> None:
        self._engine = engine
        self._opened = opened

    def __enter__(self) -> W:
        conn = self._conn = self._opened(self._engine)
        try:
            _begin(conn)
            refuse_abandoned()  # who waits for SQLite's lock cannot be interrupted
        except BaseException:
            give_back(conn)
            raise
        return conn

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        conn = self._conn
        try:
            if error is not None:
                _roll_back(conn)
                return
            _commit(conn)
            wake(self._engine)
        finally:
            give_back(conn)


def _commit(conn: Writer) -> None:
    try:
        refuse_abandoned()
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


def _roll_back(conn: Writer) -> None:
    # A connection that was lost cannot be rolled back, and the error on its way says so.
    with contextlib.suppress(SQLAlchemyError, sqlite3.Error):
        conn.rollback()
        conn.connection.rollback()


class Alone(contextlib.AbstractContextManager[W]):
    """No transaction: the driver commits each statement by itself."""

    def __init__(self, engine: Engine, opened: Callable[[Engine], W]) -> None:
        self._engine = engine
        self._opened = opened
        self._switched: Any = None

    def __enter__(self) -> W:
        conn = self._conn = self._opened(self._engine)
        try:
            refuse_autocommit(conn)
            if is_psycopg(conn):
                # By the driver's own switch: SQLAlchemy would set the isolation, there and back.
                held: Any = conn.connection.driver_connection
                self._switched = held
                with _begun_by_nobody(conn):
                    held.autocommit = True
            elif isinstance(conn, Connection):
                set_options(conn, isolation_level="AUTOCOMMIT")
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
        try:
            if self._switched is not None and not conn.invalidated:
                self._switched.autocommit = False
        except BaseException as error:  # what was written stands; the connection is done for
            conn.invalidate(error)
            if not isinstance(error, conn.dialect.loaded_dbapi.Error):
                raise
        finally:
            give_back(conn)


def set_options(conn: Connection, **options: object) -> None:
    """Set how the driver begins transactions; SQLAlchemy undoes that when the connection is let go.

    A task that is cancelled meanwhile would give a connection back to the pool with it half done.

    Raises:
        StoreError: A transaction is open on the pool's connection.
    """
    try:
        with _begun_by_nobody(conn):
            conn.execution_options(**options)
    except BaseException:
        conn.invalidate()
        raise


@contextlib.contextmanager
def _begun_by_nobody(conn: Writer) -> Iterator[None]:
    """Tell who had the driver refuse: it sets nothing while a transaction is open."""
    try:
        yield
    except conn.dialect.loaded_dbapi.Error as error:
        raise StoreError(
            f"The pool's connection is in a transaction already ({error}). Where a listener of "
            "yours executes something as a connection is made or checked out, let it commit, or "
            "set autocommit meanwhile. Nothing was written."
        ) from error


def _begin(conn: Writer) -> None:
    """Begin a transaction of ours, on SQLite with the write lock and mostly behind SQLAlchemy."""
    mode = refuse_autocommit(conn)
    if isinstance(conn, Connection) and conn.dialect.name != "sqlite":
        if conn.dialect.name == "postgresql" and not reads_committed(conn.engine):
            # The lock on the head keeps writers apart; a snapshot older than it refuses.
            set_options(conn, isolation_level="READ COMMITTED")
        conn.begin()
    elif isinstance(conn, Connection) and conn.engine.dispatch.begin:
        # A host's listener sends a BEGIN once SQLAlchemy begins, and as a rule one without the
        # lock: ours takes its place now, or the two would meet later.
        conn.begin()
        conn.connection.rollback()
    elif mode is False:
        # Since Python 3.12 the driver may always be in a transaction, begun without the lock.
        _execute(conn, "ROLLBACK")
    begin_immediate(conn)


def begin_immediate(conn: Writer) -> None:
    """Take SQLite's write lock now: a lock taken later can fail at once, whatever the time-out."""
    if conn.dialect.name == "sqlite" and not is_open(conn.connection.driver_connection):
        _execute(conn, "BEGIN IMMEDIATE")


def _execute(conn: Writer, statement: str) -> None:
    cursor = conn.connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def in_transaction(conn: Connection) -> bool:
    """Whether SQLite itself is in a transaction; SQLAlchemy believes so before the driver is."""
    return is_open(conn.connection.driver_connection)


def is_open(driver_connection: object) -> bool:
    """Whether an SQLite driver's connection is in a transaction."""
    return bool(getattr(driver_connection, "in_transaction", False))


def in_autocommit(conn: Writer) -> bool:
    """Whether the driver commits each statement by itself.

    sqlite3's older autocommit (isolation_level None) honours BEGIN and commit(), so it is none.
    """
    return autocommit_of(conn.connection) is True


def autocommit_of(held: ManagesConnection) -> object:
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


def refuse_autocommit(conn: Writer) -> object:
    """What the driver says of its autocommit, which may not be that it is on."""
    mode = autocommit_of(conn.connection)
    if mode is True:
        raise _in_autocommit()
    return mode


def refuse_hosts_autocommit(conn: Connection) -> None:
    """Refuse a host's connection whose driver, or SQLAlchemy, is set to autocommit.

    SQLite would honour a BEGIN even so; but a host that counts on it commits nothing, and all of a
    ledger's would be rolled back as the connection goes back to its pool.
    """
    refuse_autocommit(conn)
    level = conn.get_execution_options().get("isolation_level")
    if (level or getattr(conn.dialect, "_on_connect_isolation_level", None)) == "AUTOCOMMIT":
        raise _in_autocommit()


def _in_autocommit() -> StoreError:
    return StoreError(
        "The connection is in autocommit, where an append could be stored by halves. Hand over "
        "a Connection, or an Engine, that was made without isolation_level='AUTOCOMMIT'."
    )
