"""The ways out of the log: its head, its rows in order, one row, leaves, sizes (store.md, 4).

Here lives reading by sequence. What the events mean is in `ledger.projections`; all that is asked
of the database is `seq > last AND seq < stop ORDER BY seq LIMIT n`. A filter by type or stream has
no index, which every append would have to keep: it is tried on the rows of one such stretch.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import attrs
from sqlalchemy import Column, Connection, Select, bindparam, select

from ledger.codec.entry import Row
from ledger.errors import MissingEntry
from ledger.store.batch import Head
from ledger.store.tables import Tables
from ledger.store.types import in_utc

PAGE: Final = 1_000
"""How many rows are asked for at once; only one page is held in memory."""

STRETCH: Final = 4_000
"""How many sequences are looked at in one go when only some types or one stream are wanted."""

_PAGE_OF_LEAVES: Final = 20_000


def head(conn: Connection, tables: Tables, origin: str) -> Head | None:
    """Where a log stands, None where the database holds no log of that origin."""
    row = conn.execute(_head(tables), {"origin": origin}).one_or_none()
    if row is None:
        return None
    return Head(log_id=row.id, size=row.size, known_at=row.known_at, leaf=row.leaf or b"")


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
    query = _page_of_rows(tables, by_type=False, by_stream=False)
    last, left = max(after, -1), limit
    while left is None or left > 0:
        many = PAGE if left is None else min(PAGE, left)
        # Bounded above too: PostgreSQL sorts all the rest of a table that it has no statistics of.
        stop = min(last + many + 1, _NO_STOP if until is None else until)
        found = conn.execute(query, {"log": log_id, "last": last, "stop": stop, "many": many}).all()
        for values in found:
            yield _row(values)
        if len(found) < PAGE:  # the end, or a hole: the audit names it
            return
        last = found[-1].seq
        left = None if left is None else left - len(found)


@attrs.frozen(kw_only=True)
class Page:
    """Rows in order, and the sequence up to which everything was looked at to find them."""

    rows: tuple[Row, ...]
    last: int


def page(
    conn: Connection,
    tables: Tables,
    log_id: int,
    *,
    after: int,
    until: int,
    limit: int = PAGE,
    types: Collection[str] | None = None,
    stream: str | None = None,
) -> Page:
    """The next rows with `after` < sequence < `until`, perhaps of some types or one stream only.

    `until` is at most the log's size as this connection sees it. A page may be empty though rows
    follow that match: ask again after `last`, until that is `until` - 1.

    Raises:
        MissingEntry: A row between the bounds is not there; found only where nothing is filtered.
    """
    filtered = types is not None or stream is not None
    stop = min(after + 1 + (STRETCH if filtered else limit), until)
    if stop <= after + 1 or limit < 1:
        return Page(rows=(), last=after)
    asked: dict[str, object] = {"log": log_id, "last": after, "stop": stop, "many": limit}
    if types is not None:
        asked["types"] = sorted(types)
    if stream is not None:
        asked["stream"] = stream
    query = _page_of_rows(tables, by_type=types is not None, by_stream=stream is not None)
    found = tuple(_row(values) for values in conn.execute(query, asked))
    if not filtered and len(found) < stop - after - 1:
        gap = next((at for at, row in enumerate(found, after + 1) if row.seq != at), None)
        raise missing_entry(after + 1 + len(found) if gap is None else gap, size=until)
    return Page(rows=found, last=found[-1].seq if len(found) == limit else stop - 1)


def missing_entry(sequence: int, *, size: int) -> MissingEntry:
    """The error about an event that the head counts and the table does not hold."""
    return MissingEntry(
        f"The log counts {size:,} events, but the one at sequence {sequence} is missing. "
        "ledger.verify() tells what else was changed.",
        sequence=sequence,
    )


def extent(conn: Connection, tables: Tables, log_id: int, stream: str) -> Extent:
    """Where a stream begins and how many events it has; at most two look-ups by key.

    A stream bears the id of its first event; one that does not may begin anywhere.
    """
    heads, event = tables.stream, tables.event
    version = conn.scalar(
        select(heads.c.version).where(heads.c.log_id == log_id, heads.c.stream == stream)
    )
    if version is None:
        return Extent(first=0, version=-1)
    first = conn.scalar(
        select(event.c.seq).where(
            event.c.log_id == log_id,
            event.c.id == stream,
            event.c.stream == stream,
            event.c.stream_v == 0,
        )
    )
    return Extent(first=first or 0, version=version)


@attrs.frozen(kw_only=True)
class Extent:
    """A sequence before which a stream has no event, and its last version; -1 where it has none."""

    first: int
    version: int


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
def _head(tables: Tables) -> Select[*tuple[Any, ...]]:
    log, event = tables.log, tables.event
    # In order: else PostgreSQL, without statistics, may read a whole log by its index of ids.
    leaf = (
        select(event.c.leaf_hash)
        .where(event.c.log_id == log.c.id, event.c.seq > log.c.size - 2, event.c.seq < log.c.size)
        .order_by(event.c.seq)
        .limit(1)
    )
    return select(log.c.id, log.c.size, log.c.known_at, leaf.scalar_subquery().label("leaf")).where(
        log.c.origin == bindparam("origin")
    )


@functools.cache
def _page_of_rows(tables: Tables, *, by_type: bool, by_stream: bool) -> Select[*tuple[Any, ...]]:
    event = tables.event
    query = select(*_columns(tables)).where(
        event.c.log_id == bindparam("log"),
        event.c.seq > bindparam("last"),
        event.c.seq < bindparam("stop"),
    )
    if by_type:
        query = query.where(event.c.type.in_(bindparam("types", expanding=True)))
    if by_stream:
        query = query.where(event.c.stream == bindparam("stream"))
    return query.order_by(event.c.seq).limit(bindparam("many"))


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
