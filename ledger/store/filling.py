"""Many rows into a table, by the quickest way of the database.

On SQLite fifty rows go into one statement: most of what a row takes by itself, 1.2 microseconds
beside 0.4, is to begin and to end its statement. psycopg copies, which takes half of an INSERT.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Date, Table, Text

from ledger.store.fetching import raised

_ROWS: Final = 50
"""More of them bring little; a statement once took no more than 999 parameters."""

MANY: Final = 50
"""From how many rows on to copy is the quicker."""

_TYPES: Final[Mapping[type, str]] = {BigInteger: "int8", Date: "date", Text: "text"}


def fill(conn: Connection, into: str, row: str, given: Sequence[tuple[Any, ...]]) -> None:
    """Add rows: `into` is the statement as far as VALUES, `row` what stands there for each.

    Example:
        >>> from sqlalchemy import create_engine
        >>> with create_engine("sqlite://").begin() as conn:
        ...     _ = conn.exec_driver_sql("CREATE TABLE kept (log INTEGER, seq INTEGER)")
        ...     fill(conn, "INSERT INTO kept VALUES", "(7, ?)", [(seq,) for seq in range(120)])
        ...     conn.exec_driver_sql("SELECT count(*), min(log), max(seq) FROM kept").one()
        (120, 7, 119)
    """
    whole = len(given) - len(given) % _ROWS
    if whole:
        several = f"{into} {', '.join([row] * _ROWS)}"
        starts = range(0, whole, _ROWS)
        flat = itertools.chain.from_iterable
        conn.exec_driver_sql(several, [tuple(flat(given[at : at + _ROWS])) for at in starts])
    if rest := [*given[whole:]]:
        conn.exec_driver_sql(f"{into} {row}", rest)


def copy(conn: Connection, table: Table, given: Sequence[tuple[Any, ...]]) -> None:
    """Add rows of a table's columns, from the first one on, by psycopg.

    Raises:
        DBAPIError: a row is there already; the transaction is aborted.
    """
    columns = [*table.columns][: len(given[0])]
    names = ", ".join(column.name for column in columns)
    text = f"COPY {table.fullname} ({names}) FROM STDIN (FORMAT BINARY)"
    dbapi: Any = conn.dialect.loaded_dbapi
    driver: Any = conn.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(text) as into:
            into.set_types([_TYPES[type(column.type)] for column in columns])
            for row in given:
                into.write_row(row)
    except dbapi.Error as error:
        raised(conn, text, (), error)
