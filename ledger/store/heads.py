"""What the database itself can compare: heads with events, streams, guards.

Here live the parts of the audit that are a statement each. What is looked at row by row is in
`audit`; values of another kind than their column are in `kinds`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import operator
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, CursorResult, RowMapping, func, literal, select, union_all

from ledger.errors import HeadMismatch, MissingGuard
from ledger.store import guards as guarding
from ledger.store import kinds, schema
from ledger.store.read import PAGE
from ledger.store.tables import Tables


def head(conn: Connection, tables: Tables, origin: str) -> RowMapping | None:
    """The head and the last stored event, in one statement: both of the same moment.

    Raises:
        HeadMismatch: It cannot be read.
    """
    log, event = tables.log, tables.event
    last = select(func.max(event.c.seq)).where(event.c.log_id == log.c.id)
    if conn.dialect.name == "sqlite":  # where a text is more than any number
        last = last.where(func.typeof(event.c.seq) == "integer")
    query = select(log.c.id, log.c.size, log.c.known_at, last.scalar_subquery().label("last"))
    try:
        return conn.execute(query.where(log.c.origin == origin)).mappings().one_or_none()
    except kinds.STUMBLES as error:
        raise HeadMismatch(f"The head of {origin} cannot be read: {error}.") from error


def check_head(origin: str, head: RowMapping, known_at: dt.datetime | None) -> None:
    """Compare a log's head with its events, as many as it counts, and the last one's instant.

    Raises:
        HeadMismatch: There are more events than it counts, or its last instant is another.
    """
    if head["last"] is not None and head["last"] >= head["size"]:
        raise HeadMismatch(
            f"The head of {origin} counts {head['size']:,} events, but there is one at sequence "
            f"{head['last']}.",
            sequence=head["size"],
        )
    if head["known_at"] != known_at:
        raise HeadMismatch(
            f"The head of {origin} says that its last event was known at {head['known_at']}, the "
            f"entries give {known_at}.",
            sequence=head["size"] - 1,
        )


def check_streams(conn: Connection, tables: Tables, log_id: int, start: int = 0) -> None:
    """Compare numbers and heads of streams, each in one statement of one moment.

    From a `start` on, of the streams that have events there, those events alone.

    Raises:
        HeadMismatch: A number is left out or stands twice, or a head says another one.
    """
    if not start and _are_counted(conn, tables, log_id):
        return
    event, stream = tables.event, tables.stream
    number = func.row_number().over(partition_by=event.c.stream, order_by=event.c.seq) - 1
    if start:
        number += func.min(event.c.stream_v).over(partition_by=event.c.stream)
    newer = event.c.seq >= start
    counted = (
        select(event.c.seq, event.c.stream, event.c.stream_v, number.label("number"))
        .where(event.c.log_id == log_id, newer)
        .subquery()
    )
    wrong = conn.execute(
        select(counted)
        .where(counted.c.stream_v != counted.c.number)
        .order_by(counted.c.seq)
        .limit(1)
    ).one_or_none()
    if wrong is not None:
        raise HeadMismatch(
            f"The event at sequence {wrong.seq} is number {wrong.number} of the stream "
            f"{wrong.stream}, but says version {wrong.stream_v}.",
            sequence=wrong.seq,
        )
    none = literal(-1)
    heads = select(stream.c.stream, none, stream.c.version).where(stream.c.log_id == log_id)
    if start:
        touched = select(event.c.stream).where(event.c.log_id == log_id, newer)
        heads = heads.where(stream.c.stream.in_(touched))
    both = union_all(
        select(event.c.stream, event.c.stream_v.label("events"), none.label("head")).where(
            event.c.log_id == log_id, newer
        ),
        heads,
    ).subquery()
    events, head = func.max(both.c.events), func.max(both.c.head)
    odd = conn.execute(
        select(both.c.stream, events.label("events"), head.label("head"))
        .group_by(both.c.stream)
        .having(events != head)
        .limit(1)
    ).one_or_none()
    if odd is not None:
        raise HeadMismatch(
            f"The head of the stream {odd.stream} is at version {odd.head}, its events end at "
            f"{odd.events} (-1: none)."
        )


def _are_counted(conn: Connection, tables: Tables, log_id: int) -> bool:
    """Whether the events of each stream are those that its head counts, in half the time.

    Both are read side by side, in the order of streams, from where reading holds no more than a
    row. A no explains nothing.
    """
    if conn.dialect.driver != "pysqlite":
        return False
    event, stream = (tables.layout.qualified(name) for name in ("event", "stream"))
    # The bound finds the events by their place, and not by the index of ids.
    events = (
        f"SELECT stream, stream_v FROM {event} WHERE log_id = ? AND seq >= 0 "  # noqa: S608
        "ORDER BY stream, seq"
    )
    heads = f"SELECT stream, version FROM {stream} WHERE log_id = ? ORDER BY stream"  # noqa: S608
    with (
        conn.exec_driver_sql(events, (log_id,)) as found,
        conn.exec_driver_sql(heads, (log_id,)) as counts,
        contextlib.suppress(conn.dialect.loaded_dbapi.Error),
    ):
        counted = ((name, at) for name, last in _one_by_one(counts) for at in range(last + 1))
        # Where one side is shorter, its end meets what the other still has.
        return all(map(operator.eq, chain(_one_by_one(found), [None]), chain(counted, [None])))
    return False


def _one_by_one(found: CursorResult[Any]) -> Iterator[Sequence[Any]]:
    """The driver's own rows, a page at a time in memory."""
    return chain.from_iterable(iter(functools.partial(found.cursor.fetchmany, PAGE), []))


def refuse_orphans(conn: Connection, tables: Tables, origin: str) -> None:
    """Where there is no head, make sure that there are no events without one.

    Raises:
        HeadMismatch: There are.
    """
    event, log = tables.event, tables.log
    orphan = conn.execute(
        select(event.c.log_id, event.c.seq)
        .where(event.c.log_id.not_in(select(log.c.id)))
        .order_by(event.c.log_id, event.c.seq)
        .limit(1)
    ).one_or_none()
    if orphan is not None:
        raise HeadMismatch(
            f"There is no log {origin!r}, but there are events of log number {orphan.log_id}, "
            "which has no head: a head was deleted.",
            sequence=orphan.seq,
        )


def check_tables(conn: Connection, tables: Tables) -> None:
    """Make sure that the tables are tables: what a view shows may change, or never end.

    Raises:
        MissingGuard: One is a view, or something else that computes its rows.
    """
    if computed := guarding.computed(conn, tables.layout):
        raise MissingGuard(
            f"The log is not guarded against changes: {', '.join(computed)} is no table but "
            "something that computes its rows. Do not trust this database; take the log from a "
            "copy that verifies."
        )


def check_guards(conn: Connection, tables: Tables) -> None:
    """Make sure that the triggers are there.

    Raises:
        MissingGuard: One is missing, changed or switched off.
    """
    missing = schema.guards(conn, tables.layout)
    if missing:
        raise MissingGuard(
            f"The log is not guarded against changes: {', '.join(missing)} "
            "is missing, changed or switched off."
        )
