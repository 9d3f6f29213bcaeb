"""Values of another kind than their column, which SQLite keeps if a hand put them there.

Here lives what is looked at before such a value can make a reader stumble, and the search for the
row that did. PostgreSQL lets no such value in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    LargeBinary,
    Table,
    bindparam,
    cast,
    func,
    or_,
    select,
)

from ledger.codec.entry import read_instant
from ledger.errors import ColumnMismatch, HeadMismatch, TamperEvidence
from ledger.store.tables import Tables

STUMBLES: Final = (ValueError, TypeError, OverflowError)
"""What a reader raises over a value that is none, beside the driver's own error."""

_KINDS: Final[Mapping[type[Any], str]] = {BigInteger: "integer", LargeBinary: "blob"}
_TEXT: Final[frozenset[type[Any]]] = frozenset({str})
_NUMBER: Final[frozenset[type[Any]]] = frozenset({int})
_BYTES: Final[frozenset[type[Any]]] = frozenset({bytes})
_SLOT: Final[frozenset[type[Any]]] = frozenset({bytes, type(None)})
_INSTANT: Final[frozenset[type[Any]]] = frozenset({str, dt.datetime})
_OF_ROW: Final = (
    *(_NUMBER, _INSTANT, _TEXT, _TEXT, _TEXT, _NUMBER, _TEXT, _BYTES),
    *(_SLOT, _SLOT, _SLOT, _SLOT),
)
"""What the driver gives for each field of a `Row`."""

_BY_HAND: Final = "holds a value of another kind than its column, such as text for bytes: it was"
_PAGE: Final = 1_000


def check_heads(conn: Connection, tables: Tables, *, streams: bool = True) -> None:
    """Look at the heads of logs and, if they are wanted, of streams, which are read first.

    Raises:
        HeadMismatch: one of them holds a value of another kind.
    """
    if conn.dialect.name != "sqlite":
        return
    for table, what in ((tables.log, "a log"), (tables.stream, "a stream"))[: 1 + streams]:
        if conn.scalar(select(func.count()).select_from(table).where(_odd(table))):
            raise HeadMismatch(f"The head of {what} {_BY_HAND} changed by hand.")


def usual(columns: Iterable[Iterable[Any]]) -> bool:
    """Whether the columns of some rows, in the order of the fields of a `Row`, hold their kinds."""
    return all(
        kinds.issuperset(map(type, values)) for kinds, values in zip(_OF_ROW, columns, strict=True)
    )


def odd(values: Iterable[Any]) -> bool:
    """Whether a row holds a value of another kind; its values are in the order of `Row`."""
    return not usual((value,) for value in values)


def unreadable(conn: Connection, tables: Tables, log_id: int, start: int) -> TamperEvidence | None:
    """The first event from `start` on with a text or an instant that is none, or an odd value."""
    event = tables.event
    if conn.dialect.name != "sqlite":
        return None
    texts = [one for one in event.columns if _kind(one.type) == "text"]
    query = (
        select(event.c.seq, _odd(event), *(cast(one, LargeBinary) for one in texts))
        .where(
            event.c.log_id == log_id,
            func.typeof(event.c.seq) == "integer",
            event.c.seq >= bindparam("start"),
        )
        .order_by(event.c.seq)
        .limit(_PAGE)
    )
    while rows := conn.execute(query, {"start": start}).all():
        for seq, is_odd, *values in rows:
            if is_odd:
                return by_hand(seq)
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
