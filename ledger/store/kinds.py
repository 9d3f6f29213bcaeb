"""Values of another kind than their column, which SQLite keeps if a hand put them there.

Here lives what is looked at before such a value can make a reader stumble, and the search for the
row that did. PostgreSQL lets no such value in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, LargeBinary, Table, func, or_, select

from ledger.codec.entry import read_instant
from ledger.errors import ColumnMismatch, HeadMismatch, TamperEvidence
from ledger.store.tables import Tables

STUMBLES: Final = (ValueError, TypeError, OverflowError)
"""What a reader raises over a value that is none, beside the driver's own error."""

_KINDS: Final[Mapping[type[Any], str]] = {BigInteger: "integer", LargeBinary: "blob"}
_BY_HAND: Final = "holds a value of another kind than its column, such as text for bytes: it was"
_PAGE: Final = 1_000


def check_heads(conn: Connection, tables: Tables) -> None:
    """Look at the heads of logs and streams, which are read first.

    Raises:
        HeadMismatch: one of them holds a value of another kind.
    """
    if conn.dialect.name != "sqlite":
        return
    for table, what in ((tables.log, "a log"), (tables.stream, "a stream")):
        if conn.scalar(select(func.count()).select_from(table).where(_odd(table))):
            raise HeadMismatch(f"The head of {what} {_BY_HAND} changed by hand.")


def check_events(conn: Connection, tables: Tables, log_id: int, start: int, stop: int) -> None:
    """Look at events of a log before they are read; one without a number is missed.

    Raises:
        ColumnMismatch: one holds a value of another kind; its sequence is told.
    """
    if conn.dialect.name != "sqlite":
        return
    event = tables.event
    found = conn.scalar(
        select(func.min(event.c.seq)).where(
            event.c.log_id == log_id,
            func.typeof(event.c.seq) == "integer",
            event.c.seq >= start,
            event.c.seq < stop,
            _odd(event),
        )
    )
    if found is not None:
        raise by_hand(found)


def unreadable(conn: Connection, tables: Tables, log_id: int, start: int) -> TamperEvidence | None:
    """The first event from `start` on with a text that is none, or an instant that is none."""
    event = tables.event
    if conn.dialect.name != "sqlite":
        return None
    texts = [one for one in event.columns if _kind(one.type) == "text"]
    columns = ", ".join(f"CAST({one.name} AS BLOB)" for one in texts)
    query = (
        f"SELECT seq, {columns} FROM {event.name} WHERE log_id = ? AND seq >= ? "  # noqa: S608 - our own names
        f"ORDER BY seq LIMIT {_PAGE}"
    )
    while rows := conn.exec_driver_sql(query, (log_id, start)).all():
        for seq, *values in rows:
            for column, value in zip(texts, values, strict=True):
                try:
                    text = value.decode()
                    if column is event.c.known_at:
                        read_instant(text)
                except ValueError:
                    return ColumnMismatch(
                        f"The column {column.name} at sequence {seq} cannot be read: it was "
                        "changed by hand.",
                        sequence=seq,
                    )
        start = rows[-1][0] + 1
    return None


def by_hand(sequence: int) -> ColumnMismatch:
    """The alarm over a value of another kind."""
    return ColumnMismatch(
        f"The row at sequence {sequence} {_BY_HAND} changed by hand.", sequence=sequence
    )


def _odd(table: Table) -> Any:
    """Whether a row holds a value of another kind."""
    return or_(
        *(
            func.typeof(one).not_in((_kind(one.type), *(("null",) if one.nullable else ())))
            for one in table.columns
        )
    )


def _kind(type_: Any) -> str:
    return _KINDS.get(type(type_), "integer" if "INT" in str(type_).upper() else "text")
