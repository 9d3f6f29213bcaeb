"""The driver's own connection to an SQLite file, for questions that cost less than a checkout.

Here lives one connection beside the engine's pool, made as the pool makes them and closed with it,
and whether anything was committed since it was asked last. It reads and never begins anything, so
it holds up nobody.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Final

import attrs
from sqlalchemy import Dialect, Engine, event

from ledger.store.engines import is_in_memory
from ledger.store.turns import only_connection
from ledger.store.ways import REFUSALS


class Gone(Exception):
    """The connection cannot be asked any more."""


@attrs.frozen
class Found:
    """What a query found, to be fetched as from a result of SQLAlchemy's and from its cursor."""

    _rows: list[Any]

    @property
    def cursor(self) -> Found:
        """What it was fetched with."""
        return self

    def fetchall(self) -> list[Any]:
        """All of it."""
        return self._rows

    def close(self) -> None:
        """Nothing is open any more."""


@attrs.frozen
class _Words:
    """What of a dialect is asked for; the dialect itself would be kept alive by it."""

    name: str = "sqlite"
    driver: str = "pysqlite"
    is_async: bool = False


class Driver:
    """A connection to read with; another thread may close it at any time."""

    def __init__(self, engine: Engine) -> None:
        self.dialect = _Words()
        self._lock = threading.Lock()  # SQLite does not outlive a close in the midst of a query
        self._pool = weakref.ref(engine.pool)
        self._number = next(_numbers) << 32
        lent = engine.raw_connection()
        self._connection: Any = lent.driver_connection
        lent.detach()
        self._process = os.getpid()
        self.usable = True
        # Since Python 3.12 a driver may always be in a transaction, which would stand still here.
        # Without a write-ahead log a commit keeps new readers out, and this one holds a lock then.
        always = getattr(self._connection, "autocommit", None) is False
        self.failed = always or not _logs_ahead(self._connection)
        self._finish = weakref.finalize(self, _close, self._connection, self._process)

    def rows(self, query: str, values: Sequence[Any]) -> list[Any] | None:
        """The rows of a query, None where the connection can no longer be asked."""
        if not self.usable or self._process != os.getpid():
            return None
        with self._lock:
            try:
                if self.usable:
                    found: list[Any] = self._connection.execute(query, values).fetchall()
                    return found
            except sqlite3.Error:
                self.failed = True  # such as a file that one connection locks for itself
        self.close()
        return None

    def exec_driver_sql(self, query: str, values: Sequence[Any]) -> Found:
        """The rows of a query, as a Connection of SQLAlchemy has them.

        Raises:
            Gone: it can no longer be asked.
        """
        rows = self.rows(query, values)
        if rows is None:
            raise Gone
        return Found(rows)

    def version(self) -> int:
        """A number that is another one once anybody else has committed; -1 if it cannot be had.

        SQLite's own, of 32 bits, says nothing beside that of another connection.
        """
        found = self.rows("PRAGMA data_version", ())
        return self._number + found[0][0] if found else -1

    def suits(self, engine: Engine) -> bool:
        """Whether it can be asked, and was made here, with the pool that the engine has now."""
        here = self._process == os.getpid()
        return self.usable and here and self._pool() is engine.pool

    def close(self) -> None:
        """Close it, after the query that runs now; whoever asks then is told so."""
        self.usable = False
        if self._process == os.getpid():
            with self._lock:
                self._finish()


def _logs_ahead(connection: Any) -> bool:
    try:
        found: list[Any] = connection.execute("PRAGMA journal_mode").fetchall()
    except sqlite3.Error:
        return False
    return found == [("wal",)]


def _close(connection: Any, process: int) -> None:
    if process != os.getpid():
        _of_a_parent.append(connection)  # SQLite's, which a forked child must not even close
        return
    with contextlib.suppress(sqlite3.Error):
        connection.close()


_of_a_parent: Final[list[Any]] = []


_numbers: Final = itertools.count(1)
_drivers: Final[weakref.WeakKeyDictionary[Dialect, Driver]] = weakref.WeakKeyDictionary()
"""By dialect: engines that differ in their options share it, and the pool."""

_heard: Final[weakref.WeakSet[Engine]] = weakref.WeakSet()

_making: Final = threading.Lock()


def driver_of(engine: Engine) -> Driver | None:
    """The one connection of an engine; None where it is no SQLite file, or none can be had."""
    found = _drivers.get(engine.dialect)
    if found is not None and found.suits(engine):
        return found  # asked for before the lock of a fold: a checkout may have to wait
    if found is not None and found.failed:
        return None
    alone = only_connection(engine) is not None or is_in_memory(engine)
    if engine.dialect.driver != "pysqlite" or alone:
        return None
    with _making:
        found = _drivers.get(engine.dialect)
        if engine not in _heard:
            _heard.add(engine)
            event.listen(engine, "engine_disposed", _disposed)
        if found is None or not found.suits(engine):
            try:
                new = Driver(engine)
            except REFUSALS:
                return None  # whoever asks in another way is told why
            if found is not None:
                found.close()  # of a pool that was disposed of, whoever did it
            found = _drivers[engine.dialect] = new
            if found.failed:
                found.close()
    return None if found.failed else found


def _disposed(engine: Engine) -> None:
    found = _drivers.get(engine.dialect)
    if found is not None:
        found.close()
