"""How a batch is written on PostgreSQL, whose head row the transaction has locked.

Here lives PostgreSQL's text, for psycopg: `%b` parameters are binary, many rows are arrays. After
the statement that locks the head, an append is one statement (and one more per 5,000 events).

Streams are looked up one by one: a join would be planned once for a young table and then read all
of it, at every append, until the next ANALYZE.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ledger.codec.entry import SLOTS, Draft
from ledger.store.batch import Batch, Head, already_recorded, refuse_moved_head, wrong_version
from ledger.store.tables import Tables
from ledger.store.types import stored_instant

_COLUMNS: Final = (
    *("id", "type", "stream", "stream_v", "known_at", "entry", "leaf_hash"),
    *("slot_who", "slot_what", "slot_words", "slot_by"),
)

_TEXT: Final = {
    "head": "SELECT id, size, known_at FROM {log} WHERE origin = %b FOR UPDATE",
    "new_log": "INSERT INTO {log} (origin, size) VALUES (%b, 0) ON CONFLICT (origin) DO NOTHING",
    # `unnest` pads a short array with NULL, so a slot that no draft has is sent as NULL.
    "first_events": """
WITH head AS (
  UPDATE {log} SET size = %b::bigint, known_at = %b::timestamptz
  WHERE id = %b::bigint AND size = %b::bigint
  RETURNING id
), asked AS (
  SELECT head.id AS log_id, x.stream, x.expected, x.version, coalesce((
    SELECT s.version FROM {stream} AS s
    WHERE s.log_id = head.id AND s.stream = x.stream), -1) AS actual
  FROM head, unnest(%b::text[], %b::bigint[], %b::bigint[]) AS x(stream, expected, version)
), moved AS (
  INSERT INTO {stream} (log_id, stream, version)
  SELECT log_id, stream, version FROM asked WHERE actual = expected
  ON CONFLICT (log_id, stream) DO UPDATE SET version = excluded.version
), written AS (
  INSERT INTO {event} (log_id, seq, {columns})
  SELECT head.id, %b::bigint + x.ord - 1, {selected}
  FROM head, {unnest}
)
SELECT (SELECT count(*) FROM head),
  (SELECT array_agg(stream) FROM asked WHERE actual <> expected),
  (SELECT array_agg(actual) FROM asked WHERE actual <> expected)
""",
    "more_events": """
INSERT INTO {event} (log_id, seq, {columns})
SELECT %b::bigint, %b::bigint + x.ord - 1, {selected}
FROM {unnest}
""",
    "taken": (
        "SELECT id, seq FROM {event} WHERE log_id = %b::bigint AND seq < %b::bigint "
        "AND id = ANY(%b::text[]) ORDER BY seq LIMIT 1"
    ),
}
_UNNEST: Final = """unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::timestamptz[],
    %b::text[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[]
  ) WITH ORDINALITY AS x({columns}, ord)"""


@attrs.frozen(kw_only=True)
class _Text:
    head: str
    new_log: str
    first_events: str
    more_events: str
    taken: str


@functools.cache
def _text(tables: Tables) -> _Text:
    columns = ", ".join(_COLUMNS)
    words = {name: tables.layout.qualified(name) for name in ("log", "event", "stream")}
    words |= {
        "columns": columns,
        "selected": ", ".join(f"x.{name}" for name in _COLUMNS),
        "unnest": _UNNEST.format(columns=columns),
    }
    return _Text(**{key: text.format(**words) for key, text in _TEXT.items()})


def head(conn: Connection, tables: Tables, origin: str) -> Head:
    """The head of a log, locked; it is made where there is none."""
    text = _text(tables)
    row = conn.exec_driver_sql(text.head, (origin,)).one_or_none()
    if row is None:
        conn.exec_driver_sql(text.new_log, (origin,))
        row = conn.exec_driver_sql(text.head, (origin,)).one()
    log_id, size, known_at = row
    return Head(
        log_id=log_id, size=size, known_at=None if known_at is None else stored_instant(known_at)
    )


def write(conn: Connection, tables: Tables, batch: Batch) -> None:
    """Write a batch.

    A stream that is elsewhere leaves the others written, an id that is taken aborts the
    transaction: after either it must be rolled back.

    Raises:
        WrongExpectedVersion: A stream is elsewhere.
        AlreadyRecorded: An id is taken.
        StoreError: The head has moved since it was locked.
    """
    text = _text(tables)
    try:
        for start, drafts in batch.parts():
            arrays = (*_arrays(drafts, batch.known[start : start + len(drafts)]),)
            if start:
                place = (batch.head.log_id, batch.head.size + start)
                conn.exec_driver_sql(text.more_events, (*place, *arrays))
            else:
                _write_first(conn, text, batch, arrays)
    except IntegrityError as error:
        _refuse_taken(tables, batch, error)
        raise


def _write_first(conn: Connection, text: _Text, batch: Batch, arrays: tuple[object, ...]) -> None:
    head, moves = batch.head, batch.moves
    streams = (
        list(moves),
        [move.expected for move in moves.values()],
        [move.version for move in moves.values()],
    )
    locked, elsewhere, actual = conn.exec_driver_sql(
        text.first_events,
        (batch.size, batch.known[-1], head.log_id, head.size, *streams, head.size, *arrays),
    ).one()
    refuse_moved_head(head, locked)
    if elsewhere:
        # An event sent twice is refused for its id, not for the stream that it opened itself.
        taken = conn.exec_driver_sql(text.taken, (head.log_id, head.size, batch.ids)).one_or_none()
        if taken is not None:
            raise already_recorded(taken.id, taken.seq)
        raise wrong_version(elsewhere[0], moves[elsewhere[0]].expected, actual[0])


def _arrays(drafts: Sequence[Draft], known: Sequence[dt.datetime]) -> Iterator[object]:
    """The drafts by columns, in the order above."""
    yield [draft.id for draft in drafts]
    yield [draft.type for draft in drafts]
    yield [draft.stream for draft in drafts]
    yield [draft.stream_v for draft in drafts]
    yield list(known)
    yield [draft.entry for draft in drafts]
    yield [draft.leaf_hash for draft in drafts]
    for name in SLOTS:
        column = [draft.slots.get(name) for draft in drafts]
        yield column if any(slot is not None for slot in column) else None


def _refuse_taken(tables: Tables, batch: Batch, error: IntegrityError) -> None:
    """Raise AlreadyRecorded if it is an event's id that the driver's error is about."""
    diagnosis = getattr(error.orig, "diag", None)
    if getattr(diagnosis, "constraint_name", None) == tables.layout.table("event_id_key"):
        # The transaction is aborted and cannot be asked any more; the detail quotes the key.
        detail = getattr(diagnosis, "message_detail", None) or ""
        taken = next((name for name in batch.ids if name in detail), "")
        raise already_recorded(taken) from error.orig
