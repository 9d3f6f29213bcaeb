"""The ways out of the log: its head, its rows in order, one row, leaves, sizes (store.md, 4).

Here lives reading by sequence. What the events mean is in `ledger.projections`; all that is asked
of the database is `seq > last AND seq < stop ORDER BY seq LIMIT n`. A filter by type or stream has
no index, which every append would have to keep: it is tried on the rows of one such stretch.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, cast

import attrs
from sqlalchemy import Connection, Select, bindparam, select

from ledger.codec.entry import Row, row_of
from ledger.errors import MissingEntry
from ledger.model.text import is_storable
from ledger.store.batch import Head
from ledger.store.fetching import fetched
from ledger.store.riding import Riding
from ledger.store.tables import Tables
from ledger.store.types import in_utc, stored_instant

PAGE: Final = 1_000
"""How many rows are asked for at once; only one page is held in memory."""

STRETCH: Final = 4_000
"""How many sequences are looked at in one go when only some types or one stream are wanted."""

_PAGE_OF_LEAVES: Final = 20_000

SlimRow = tuple[int, str, str, bytes | None, bytes | None]
"""Of a row of the log its sequence, id and type, and the slots who and what."""


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
    last, left = max(after, -1), limit
    while left is None or left > 0:
        many = PAGE if left is None else min(PAGE, left)
        # Bounded above too: PostgreSQL sorts all the rest of a table that it has no statistics of.
        stop = min(last + many + 1, _NO_STOP if until is None else until)
        found = _found(conn, tables, (log_id, last, stop, many))
        yield from found
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
    found = _found(conn, tables, (log_id, after, stop, limit), types=types, stream=stream)
    if not filtered and len(found) < stop - after - 1:
        gap = next((at for at, row in enumerate(found, after + 1) if row.seq != at), None)
        raise missing_entry(after + 1 + len(found) if gap is None else gap, size=until)
    return Page(rows=(*found,), last=found[-1].seq if len(found) == limit else stop - 1)


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
    query = f"{_selected(tables)} WHERE log_id = ? AND id = ?"
    return next(_rows_of(fetched(conn, query, (log_id, event_id))), None)


def rows_at(conn: Connection, tables: Tables, log_id: int, sequences: Collection[int]) -> list[Row]:
    """The rows at some sequences, in order; one that is not there is left out."""
    return _rows_among(conn, tables, log_id, ("seq", "bigint"), sequences)


def rows_by_id(conn: Connection, tables: Tables, log_id: int, ids: Collection[str]) -> list[Row]:
    """The events with some ids, in order; one that is not there is left out."""
    given = [id_ for id_ in ids if is_storable(id_)]
    return _rows_among(conn, tables, log_id, ("id", "text"), given)


def holds(
    conn: Connection, tables: Tables, log_id: int, type_: str, within: tuple[int, int]
) -> bool:
    """Whether there is an event of a type at the sequences from one on, before another."""
    start, stop = within
    return stop > start and bool(_found(conn, tables, (log_id, start - 1, stop, 1), types=(type_,)))


def sequences_of(conn: Connection, tables: Tables, log_id: int, type_: str, stop: int) -> set[int]:
    """The sequences before `stop` of the events of a type; each row is looked at, none is read."""
    query = (
        f"SELECT seq FROM {tables.layout.qualified('event')} "  # noqa: S608 - a checked name
        "WHERE log_id = CAST(? AS bigint) AND seq < CAST(? AS bigint) AND type = ?"
    )
    return {seq for (seq,) in fetched(conn, query, (log_id, stop, type_))}


def sequences(
    conn: Connection | Riding, tables: Tables, log_id: int, ids: Collection[str]
) -> dict[str, int]:
    """The sequences of events by their ids, in one query."""
    if not ids:
        return {}
    if isinstance(conn, Riding):
        with conn.looking() as looking:
            return sequences(looking, tables, log_id, ids)
    among, given = "= ANY(CAST(? AS text[]))", cast("str | list[str]", [*ids])
    if conn.dialect.name == "sqlite":  # the number of its parameters is limited
        among, given = "IN (SELECT value FROM json_each(?))", json.dumps(given)
    query = (
        f"SELECT id, seq FROM {tables.layout.qualified('event')} WHERE log_id = ? AND id {among}"  # noqa: S608 - a checked name
    )
    return dict(cast("Sequence[tuple[str, int]]", fetched(conn, query, (log_id, given))))


def slim_rows(
    conn: Connection, tables: Tables, log_id: int, start: int, stop: int
) -> Sequence[SlimRow]:
    """The rows with `start` <= sequence < `stop` in order, only what views are made from."""
    query = (
        f"SELECT seq, id, type, slot_who, slot_what FROM {tables.layout.qualified('event')} "  # noqa: S608 - a checked name
        "WHERE log_id = ? AND seq >= ? AND seq < ? ORDER BY seq"
    )
    return cast("Sequence[SlimRow]", fetched(conn, query, (log_id, start, stop)))


def _rows_among(
    conn: Connection, tables: Tables, log_id: int, by: tuple[str, str], values: Collection[Any]
) -> list[Row]:
    if not values:
        return []
    name, kind = by
    given: Any = sorted(set(values))
    selected = _selected(tables)
    if conn.dialect.name == "sqlite":  # joined, or it would read the table by its order
        given = json.dumps(given)
        columns, _, table = selected.partition(" FROM ")
        columns = columns.replace(" id,", f" {table}.id,").replace(" type,", f" {table}.type,")
        query = f"{columns} FROM json_each(?) CROSS JOIN {table} ON {table}.{name} = value"
        query += f" AND {table}.log_id = CAST(? AS bigint)"
        found = fetched(conn, query, (given, log_id))
    else:
        query = f"{selected} WHERE {name} = ANY(CAST(? AS {kind}[])) AND log_id = CAST(? AS bigint)"
        found = fetched(conn, query, (given, log_id))
    return sorted(_rows_of(found), key=lambda row: row.seq)


def pages(
    conn: Connection, tables: Tables, log_id: int, start: int, stop: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows with `start` <= sequence < `stop` in order, a page at a time.

    Each is as the driver has it: its values in the order of the fields of a `Row`, and the instant
    as it is stored. They end before a page that would be empty.
    """
    return _paged(conn, _selected(tables), (log_id, start, stop))


def entries(
    conn: Connection, tables: Tables, log_id: int, start: int, stop: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """As `pages`, of each row only its sequence, entry and leaf hash."""
    query = f"SELECT seq, entry, leaf_hash FROM {tables.layout.qualified('event')}"  # noqa: S608 - checked
    return _paged(conn, query, (log_id, start, stop))


def _paged(
    conn: Connection, selected: str, bounds: tuple[int, int, int]
) -> Iterator[Sequence[Sequence[Any]]]:
    query = (
        f"{selected} WHERE log_id = CAST(? AS bigint) AND seq >= CAST(? AS bigint) "
        "AND seq < CAST(? AS bigint) ORDER BY seq"
    )
    log_id, start, stop = bounds
    for first in range(start, stop, PAGE):
        found = fetched(conn, query, (log_id, first, min(first + PAGE, stop)))
        if not found:  # perhaps the head counts without end
            return
        yield found


def leaf_hashes(
    conn: Connection, tables: Tables, log_id: int, start: int, stop: int
) -> Iterator[bytes]:
    """The leaf hashes with `start` <= sequence < `stop` in order, 32 bytes each."""
    query = (
        f"SELECT leaf_hash FROM {tables.layout.qualified('event')} "  # noqa: S608 - a checked name
        "WHERE log_id = CAST(? AS bigint) AND seq >= CAST(? AS bigint) "
        "AND seq < CAST(? AS bigint) ORDER BY seq"
    )
    for first in range(start, stop, _PAGE_OF_LEAVES):
        last = min(first + _PAGE_OF_LEAVES, stop)
        yield from (leaf for (leaf,) in fetched(conn, query, (log_id, first, last)))


def size_at(conn: Connection, tables: Tables, log_id: int, known: dt.datetime) -> int:
    """How many events were known at an instant, which is the log's size then.

    `known_at` never falls along the log, so the place is found by halving: some twenty look-ups in
    a million events, and no index that every append would have to keep.

    Raises:
        InvalidDate: The instant does not say its time zone.
    """
    instant, log = in_utc(known), tables.log
    low, high = 0, conn.scalar(select(log.c.size).where(log.c.id == log_id)) or 0
    while low < high:
        middle = (low + high) // 2
        if recorded_at(conn, tables, log_id, middle) <= instant:
            low = middle + 1
        else:
            high = middle
    return low


def recorded_at(conn: Connection, tables: Tables, log_id: int, sequence: int) -> dt.datetime:
    """When the event at a sequence was recorded."""
    # In order: else PostgreSQL, without statistics, may read a whole log by its index of ids.
    query = (
        f"SELECT known_at FROM {tables.layout.qualified('event')} "  # noqa: S608 - a checked name
        "WHERE log_id = CAST(? AS bigint) AND seq > CAST(? AS bigint) AND seq < CAST(? AS bigint) "
        "ORDER BY seq LIMIT 1"
    )
    ((found,),) = fetched(conn, query, (log_id, sequence - 1, sequence + 1))
    return stored_instant(found)


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


def _found(
    conn: Connection,
    tables: Tables,
    bounds: tuple[int, int, int, int],
    *,
    types: Collection[str] | None = None,
    stream: str | None = None,
) -> list[Row]:
    """The rows of a log between two sequences, so many at most: those four bounds in this order."""
    log_id, last, stop, many = bounds
    # psycopg types a number by its value: uncast, each mix would be prepared and planned anew.
    bounded = "log_id = CAST(? AS bigint) AND seq > CAST(? AS bigint) AND seq < CAST(? AS bigint)"
    query = f"{_selected(tables)} WHERE {bounded}"
    values: list[Any] = [log_id, last, stop]
    if types is not None:
        query += f" AND type IN ({', '.join('?' * len(types)) or 'NULL'})"
        values += sorted(types)
    if stream is not None:
        query += " AND stream = ?"
        values.append(stream)
    values.append(many)
    return [*_rows_of(fetched(conn, f"{query} ORDER BY seq LIMIT ?", values))]


@functools.cache
def _selected(tables: Tables) -> str:
    """The columns of a `Row`, in the order of its fields."""
    columns = (
        "seq, known_at, id, type, stream, stream_v, entry, leaf_hash, slot_who, slot_what, "
        "slot_words, slot_by"
    )
    return f"SELECT {columns} FROM {tables.layout.qualified('event')}"  # noqa: S608 - a checked name


def _rows_of(found: Iterable[Sequence[Any]]) -> Iterator[Row]:
    given: object = None
    known: dt.datetime | None = None
    for seq, known_at, *others in found:
        if known_at != given:  # the events of one append share an instant
            given, known = known_at, stored_instant(known_at)
        yield row_of((seq, known, *others))
