"""How a batch is written on SQLite, whose write lock the transaction holds.

Here lives SQLite's text. It goes through the driver's own cursor, inside SQLAlchemy's transaction:
SQLAlchemy takes 15 microseconds for a statement, the cursor 3. Many rows are bound one after the
other, many names as one JSON array, since the number of parameters is limited.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import attrs
from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor

from ledger.codec.entry import SLOTS, write_instant
from ledger.store.batch import (
    NEW,
    Batch,
    Head,
    already_recorded,
    refuse_moved_head,
    wrong_version,
)
from ledger.store.tables import Tables
from ledger.store.types import stored_instant

_TEXT: Final = {
    "head": "SELECT id, size, known_at FROM {log} WHERE origin = ?",
    "new_log": "INSERT INTO {log} (origin, size) VALUES (?, 0)",
    "move_head": "UPDATE {log} SET size = ?, known_at = ? WHERE id = ? AND size = ?",
    "versions": (
        "SELECT stream, version FROM {stream} "
        "WHERE log_id = ? AND stream IN (SELECT value FROM json_each(?))"
    ),
    "new_streams": "INSERT INTO {stream} (log_id, stream, version) VALUES (?, ?, ?)",
    "move_streams": "UPDATE {stream} SET version = ? WHERE log_id = ? AND stream = ?",
    "events": (
        "INSERT INTO {event} (log_id, seq, id, type, stream, stream_v, known_at, entry, leaf_hash, "
        "slot_who, slot_what, slot_words, slot_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "taken": (
        "SELECT id, seq FROM {event} WHERE log_id = ? AND seq < ? "
        "AND id IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1"
    ),
}


@attrs.frozen(kw_only=True)
class _Text:
    head: str
    new_log: str
    move_head: str
    versions: str
    new_streams: str
    move_streams: str
    events: str
    taken: str


@functools.cache
def _text(tables: Tables) -> _Text:
    names = {name: tables.layout.qualified(name) for name in ("log", "event", "stream")}
    return _Text(**{key: text.format(**names) for key, text in _TEXT.items()})


@contextlib.contextmanager
def _cursor(conn: Connection) -> Iterator[DBAPICursor]:
    with contextlib.closing(conn.connection.cursor()) as cursor:
        yield cursor


def head(conn: Connection, tables: Tables, origin: str) -> Head:
    """The head of a log, which is made where there is none."""
    text = _text(tables)
    with _cursor(conn) as cursor:
        cursor.execute(text.head, (origin,))
        row: Any = cursor.fetchone()
        if row is None:
            cursor.execute(text.new_log, (origin,))
            cursor.execute(text.head, (origin,))
            row = cursor.fetchone()
    log_id, size, known_at = row
    return Head(
        log_id=log_id, size=size, known_at=None if known_at is None else stored_instant(known_at)
    )


def write(conn: Connection, tables: Tables, batch: Batch) -> None:
    """Write a batch.

    Raises:
        WrongExpectedVersion: A stream is elsewhere.
        AlreadyRecorded: An id is taken.
        StoreError: The head has moved since it was locked.
    """
    text = _text(tables)
    with _cursor(conn) as cursor:
        _check_streams(cursor, text, batch)
        _move_heads(cursor, text, batch)
        try:
            _insert_events(cursor, text, batch)
        except sqlite3.IntegrityError as error:
            _refuse_taken(cursor, text, batch, error)
            raise


def _check_streams(cursor: DBAPICursor, text: _Text, batch: Batch) -> None:
    cursor.execute(text.versions, (batch.head.log_id, json.dumps([*batch.moves])))
    actual = dict(cursor.fetchall())
    for name, move in batch.moves.items():
        version = actual.get(name, NEW)
        if version != move.expected:
            # An event sent twice is refused for its id, not for the stream that it opened itself.
            _refuse_taken(cursor, text, batch, None)
            raise wrong_version(name, move.expected, version)


def _move_heads(cursor: DBAPICursor, text: _Text, batch: Batch) -> None:
    head, moves = batch.head, batch.moves
    last = write_instant(batch.known[-1])
    cursor.execute(text.move_head, (batch.size, last, head.log_id, head.size))
    refuse_moved_head(head, cursor.rowcount)
    new = [(head.log_id, name, m.version) for name, m in moves.items() if m.expected == NEW]
    old = [(m.version, head.log_id, name) for name, m in moves.items() if m.expected != NEW]
    if new:
        cursor.executemany(text.new_streams, new)
    if old:
        cursor.executemany(text.move_streams, old)


def _insert_events(cursor: DBAPICursor, text: _Text, batch: Batch) -> None:
    head = batch.head
    for start, drafts in batch.parts():
        rows = [
            (
                *(head.log_id, head.size + place),
                *(draft.id, draft.type, draft.stream, draft.stream_v),
                *(write_instant(batch.known[place]), draft.entry, draft.leaf_hash),
                *map(draft.slots.get, SLOTS),
            )
            for place, draft in enumerate(drafts, start)
        ]
        cursor.executemany(text.events, rows)


def _refuse_taken(
    cursor: DBAPICursor, text: _Text, batch: Batch, cause: BaseException | None
) -> None:
    """Raise AlreadyRecorded if an event before this append has the id of a draft."""
    # An append that was refused half-way has left rows of its own, from the head's size onwards.
    cursor.execute(text.taken, (batch.head.log_id, batch.head.size, json.dumps(batch.ids)))
    row: Any = cursor.fetchone()
    if row is not None:
        raise already_recorded(*row) from cause
