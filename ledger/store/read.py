"""The ways out of the log: its head, its rows in order, one row, leaves, sizes (store.md, 4).

Here lives reading by sequence. What the events mean is in `ledger.projections`; all that is asked
of the database is `seq > last ORDER BY seq LIMIT n`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, bindparam, select

from ledger.codec.entry import Row
from ledger.store.batch import Head
from ledger.store.tables import Tables
from ledger.store.types import in_utc

PAGE: Final = 1_000
"""How many rows are asked for at once; only one page is held in memory."""

_PAGE_OF_LEAVES: Final = 20_000


def head(conn: Connection, tables: Tables, origin: str) -> Head | None:
    """Where a log stands, None where the database holds no log of that origin."""
    log = tables.log
    row = conn.execute(
        select(log.c.id, log.c.size, log.c.known_at).where(log.c.origin == origin)
    ).one_or_none()
    return None if row is None else Head(log_id=row.id, size=row.size, known_at=row.known_at)


def origins(conn: Connection, tables: Tables) -> tuple[str, ...]:
    """The logs that the database holds, by name."""
    origin = tables.log.c.origin
    return tuple(conn.scalars(select(origin).order_by(origin)))


def rows(
    conn: Connection,
    tables: Tables,
    log_id: int,
    *,
    after: int = -1,
    until: int | None = None,
    limit: int | None = None,
) -> Iterator[Row]:
    """The rows with `after` < sequence < `until` in order, `limit` at most, in constant memory."""
    query = _page_of_rows(tables)
    last, left = max(after, -1), limit
    while left is None or left > 0:
        many = PAGE if left is None else min(PAGE, left)
        # Bounded above too: PostgreSQL sorts all the rest of a table that it has no statistics of.
        stop = min(last + many + 1, _NO_STOP if until is None else until)
        page = conn.execute(query, {"log": log_id, "last": last, "stop": stop, "many": many}).all()
        for values in page:
            yield _row(values)
        if len(page) < PAGE:  # the end, or a hole: the audit names it
            return
        last = page[-1].seq
        left = None if left is None else left - len(page)


def row_by_id(conn: Connection, tables: Tables, log_id: int, event_id: str) -> Row | None:
    """The event with an id, None where the log has none."""
    event = tables.event
    query = select(*_columns(tables)).where(event.c.log_id == log_id, event.c.id == event_id)
    values = conn.execute(query).one_or_none()
    return None if values is None else _row(values)


def leaf_hashes(
    conn: Connection, tables: Tables, log_id: int, start: int, stop: int
) -> Iterator[bytes]:
    """The leaf hashes with `start` <= sequence < `stop` in order, 32 bytes each."""
    query = _page_of_leaves(tables)
    for first in range(start, stop, _PAGE_OF_LEAVES):
        yield from conn.scalars(
            query, {"log": log_id, "first": first, "stop": min(first + _PAGE_OF_LEAVES, stop)}
        )


def size_at(conn: Connection, tables: Tables, log_id: int, known: dt.datetime) -> int:
    """How many events were known at an instant, which is the log's size then.

    `known_at` never falls along the log, so the place is found by halving: some twenty look-ups in
    a million events, and no index that every append would have to keep.

    Raises:
        InvalidDate: The instant does not say its time zone.
    """
    instant = in_utc(known)
    event, log = tables.event, tables.log
    one = select(event.c.known_at).where(event.c.log_id == log_id, event.c.seq == bindparam("seq"))
    low, high = 0, conn.scalar(select(log.c.size).where(log.c.id == log_id)) or 0
    while low < high:
        middle = (low + high) // 2
        if conn.execute(one, {"seq": middle}).scalar_one() <= instant:
            low = middle + 1
        else:
            high = middle
    return low


_NO_STOP: Final = 2**63 - 1


@functools.cache
def _page_of_rows(tables: Tables) -> Select[*tuple[Any, ...]]:
    event = tables.event
    return (
        select(*_columns(tables))
        .where(
            event.c.log_id == bindparam("log"),
            event.c.seq > bindparam("last"),
            event.c.seq < bindparam("stop"),
        )
        .order_by(event.c.seq)
        .limit(bindparam("many"))
    )


@functools.cache
def _page_of_leaves(tables: Tables) -> Select[Any]:
    event = tables.event
    return (
        select(event.c.leaf_hash)
        .where(
            event.c.log_id == bindparam("log"),
            event.c.seq >= bindparam("first"),
            event.c.seq < bindparam("stop"),
        )
        .order_by(event.c.seq)
    )


def _columns(tables: Tables) -> tuple[Column[Any], ...]:
    c = tables.event.c
    return (
        *(c.seq, c.known_at, c.id, c.type, c.stream, c.stream_v, c.entry, c.leaf_hash),
        *(c.slot_who, c.slot_what, c.slot_words, c.slot_by),
    )


def _row(values: Sequence[Any]) -> Row:
    """A row out of the columns above."""
    seq, known_at, event_id, kind, stream, stream_v, entry, leaf, who, what, words, by = values
    return Row(
        seq=seq,
        known_at=known_at,
        id=event_id,
        type=kind,
        stream=stream,
        stream_v=stream_v,
        entry=entry,
        leaf_hash=leaf,
        who=who,
        what=what,
        words=words,
        by=by,
    )
