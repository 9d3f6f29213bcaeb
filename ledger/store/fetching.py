"""Statements in the driver's own words, for pages of the log and for each append's views.

Here lives the way past SQLAlchemy's statements and result rows, which cost several times what the
driver takes. What is asked, and what a row means, is in `read`, `views` and `cursors`.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import sqlite

from ledger.store.held import Held, Writer
from ledger.store.riding import Riding

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def fetched(conn: Writer, query: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The rows of a query in which `?` stands for each value; it may hold no other `?` or `%`.

    Raises:
        DBAPIError: The database refused.
    """
    driver = conn.dialect.driver
    text = _in_style(query, driver)
    if isinstance(conn, Held):
        found: Sequence[Sequence[Any]] = _by_the_driver(conn, text, values, _ALL)
        return found
    if is_psycopg(conn):
        return _in_binary(conn, text, values)
    return _all(conn, text, values)


def first(conn: Writer, text: str, values: Any) -> Any:
    """The first row of a statement in the driver's style, whose rows come in binary; None if none.

    Raises:
        DBAPIError: The database refused.
    """
    if not isinstance(conn, Connection):
        return _by_the_driver(conn, text, values, _FIRST)
    if not is_psycopg(conn):
        return conn.exec_driver_sql(text, values).first()
    # SQLAlchemy carries it out all the same, so that its errors and its listeners are as ever. It
    # makes no result, which takes longer than the statement.
    held: Any = conn.connection.driver_connection
    usual = held.cursor_factory
    held.cursor_factory = _fetching(usual)
    try:
        result = conn.exec_driver_sql(text, values)
    finally:
        held.cursor_factory = usual
    if result.returns_rows:  # the cursor is another one, as that of Django's connection
        return result.first()
    cursor: Any = result.context.cursor
    return cursor.first


_ALL: Final = attrgetter("fetchall")
_FIRST: Final = attrgetter("fetchone")


def _by_the_driver(conn: Held, text: str, values: Any, fetch: Callable[[Any], Any]) -> Any:
    """What psycopg fetches without SQLAlchemy, which is called upon only to tell an error."""
    driver: Any = conn.connection.driver_connection
    try:
        with driver.cursor() as cursor:
            return fetch(cursor.execute(text, values, binary=True))()
    except conn.dialect.loaded_dbapi.Error as error:
        raised(conn.known_to_sqlalchemy(), text, values, error)


def raised(conn: Connection, text: str, values: Any, error: Exception) -> NoReturn:
    """Raise what psycopg raised past SQLAlchemy as SQLAlchemy's, which looks at the connection.

    Raises:
        DBAPIError: always.
    """
    driver: Any = conn.connection.driver_connection
    usual, driver.cursor_factory = driver.cursor_factory, _raising(error)
    try:
        conn.exec_driver_sql(text, values)
    finally:
        driver.cursor_factory = usual
    raise error


def _raising(error: Exception) -> Callable[..., Any]:
    """What makes cursors that fail with an error."""

    class Raising:
        def __init__(self, *_of: object, **_how: object) -> None:
            pass

        def execute(self, *_what: object, **_how: object) -> NoReturn:
            raise error

        def close(self) -> None:
            pass

    return Raising


@functools.cache
def _fetching(usual: Any) -> Any:
    """A cursor that has fetched its first row before SQLAlchemy looks, and shows it none."""

    class Fetching(usual):  # type: ignore[misc] # whichever the host's connection makes
        description: Any = None

        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            super().execute(query, params, binary=True, **how)
            self.first = self.fetchone()
            return self

    return Fetching


def is_psycopg(conn: Writer | Engine) -> bool:
    """Whether it is psycopg's synchronous connection, whose cursors may be ours."""
    return conn.dialect.driver == "psycopg" and not conn.dialect.is_async


def changed(conn: Connection | Riding, statement: str, values: Sequence[Any]) -> int:
    """Carry out a statement with `?` for each value, as `fetched`; how many rows it changed.

    Raises:
        DBAPIError: The database refused.
    """
    if isinstance(conn, Riding):
        return conn.add(statement, values)
    return conn.exec_driver_sql(_in_style(statement, conn.dialect.driver), tuple(values)).rowcount


@functools.lru_cache(maxsize=1_000)
def _in_style(query: str, driver: str) -> str:
    """The query with the driver's placeholders.

    Example:
        >>> _in_style("SELECT ? + ?", "asyncpg")
        'SELECT $1 + $2'
    """
    if driver == "asyncpg":
        numbers = itertools.count(1)
        return re.sub(r"\?", lambda _: f"${next(numbers)}", query)
    return query.replace("?", "%s") if driver.startswith("psycopg") else query


def _in_binary(conn: Connection, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The same with bytes as bytes, and not as hexadecimal text, which takes twice the time."""
    held: Any = conn.connection.driver_connection
    driver: Any = conn.dialect.loaded_dbapi
    usual = held.cursor_factory

    def binary(*of: object, **how: object) -> Any:
        cursor = usual(*of, **how)
        cursor.format = driver.pq.Format.BINARY
        return cursor

    # SQLAlchemy carries it out all the same, so that its errors and its listeners are as ever.
    held.cursor_factory = binary
    try:
        return _all(conn, text, values)
    finally:
        held.cursor_factory = usual


def _all(conn: Connection, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The driver's own rows, which SQLAlchemy would only wrap: nobody asks them for names."""
    result = conn.exec_driver_sql(text, tuple(values))
    try:
        found: Sequence[Sequence[Any]] = result.cursor.fetchall()
    except Exception:  # noqa: BLE001 - asked again, SQLAlchemy tells it in its own words
        return conn.exec_driver_sql(text, tuple(values)).all()
    finally:
        result.close()
    return found


def insertion(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what happens where the row is there already."""
    if conn.dialect.name == "postgresql":
        # With the first use: they take a tenth of what all of the ledger takes.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table)
    return sqlite.insert(table)
