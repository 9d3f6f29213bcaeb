"""How a batch is written on SQLite, whose write lock the transaction holds.

Here lives SQLite's text. It goes through the driver's own cursor, inside SQLAlchemy's transaction:
SQLAlchemy takes 15 microseconds for a statement, the cursor 3. Nothing is asked before it is
written: a statement that cannot be carried out tells which row it was, and only then one looks why.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import sqlite3
from collections.abc import Mapping, Sequence
from operator import length_hint
from typing import Any, Final

from sqlalchemy.engine.interfaces import DBAPICursor

from ledger.codec.entry import write_instant
from ledger.store.batch import (
    NEW,
    Base,
    Batch,
    Head,
    already_recorded,
    head_moved,
    left_out,
    wrong_version,
)
from ledger.store.held import Writer
from ledger.store.tables import Tables
from ledger.store.types import stored_instant

_TEXT: Final = {
    "base": "SELECT id, size, known_at FROM {log} WHERE origin = ?",
    "leaf": "SELECT leaf_hash FROM {event} WHERE log_id = ? AND seq = ?",
    "new_log": "INSERT INTO {log} (origin, size) VALUES (?, 0)",
    "size": "SELECT size FROM {log} WHERE id = ?",
    "move_log": "UPDATE {log} SET size = ?, known_at = ? WHERE id = ? AND size = ?",
    "move_log_on": (
        "UPDATE {log} SET size = ?, known_at = ? WHERE id = ? AND size = ? AND EXISTS "
        "(SELECT 1 FROM {event} WHERE log_id = ? AND seq = ? AND leaf_hash = ?)"
    ),
    "open_stream": "INSERT INTO {stream} (log_id, stream, version) VALUES (?, ?, ?)",
    # A version is never NULL, so a stream that is elsewhere is an error.
    "move_stream": (
        "UPDATE {stream} SET version = CASE version WHEN ? THEN ? END WHERE log_id = ? "
        "AND stream = ?"
    ),
    "version": "SELECT version FROM {stream} WHERE log_id = ? AND stream = ?",
    "event": (
        "INSERT INTO {event} (log_id, seq, id, type, stream, stream_v, known_at, entry, leaf_hash, "
        "slot_who, slot_what, slot_words, slot_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "taken": (
        "SELECT id, seq FROM {event} WHERE log_id = ? AND seq < ? "
        "AND id IN (SELECT value FROM json_each(?)) ORDER BY +seq LIMIT 1"
    ),
}


_Texts = Mapping[str, str]


@functools.cache
def _texts(tables: Tables) -> _Texts:
    """The statements by name, and the names of the tables that they write to."""
    names = {name: tables.layout.qualified(name) for name in ("log", "event", "stream")}
    texts = {key: text.format(**names) for key, text in _TEXT.items()}
    return texts | {f"{name}_table": named for name, named in names.items()}


def head(conn: Writer, tables: Tables, origin: str) -> Head:
    """The head of a log, which is made where there is none."""
    text = _texts(tables)
    with contextlib.closing(conn.connection.cursor()) as cursor:
        base = _base(cursor, text, origin)
        cursor.execute(text["leaf"], (base.log_id, base.size - 1))
        row: Any = cursor.fetchone()
    return Head(
        log_id=base.log_id,
        size=base.size,
        known_at=base.known_at,
        leaf=b"" if row is None else row[0],
    )


def append(conn: Writer, tables: Tables, head: Head, batch: Batch) -> Base:
    """Write a batch onto a head.

    Raises:
        HeadMoved: The log stands elsewhere; nothing is written.
        WrongExpectedVersion: A stream is elsewhere.
        AlreadyRecorded: An id is taken.
    """
    text = _texts(tables)
    base = Base(log_id=head.log_id, size=head.size, known_at=head.known_at)
    with contextlib.closing(conn.connection.cursor()) as cursor:
        _write(cursor, text, base, batch, leaf=head.leaf)
    return base


def put(conn: Writer, tables: Tables, origin: str, batch: Batch) -> Base:
    """Write a batch wherever the log stands.

    Raises:
        WrongExpectedVersion: A stream is elsewhere.
        AlreadyRecorded: An id is taken.
    """
    text = _texts(tables)
    with contextlib.closing(conn.connection.cursor()) as cursor:
        base = _base(cursor, text, origin)
        _write(cursor, text, base, batch)
    return base


def _base(cursor: DBAPICursor, text: _Texts, origin: str) -> Base:
    cursor.execute(text["base"], (origin,))
    row: Any = cursor.fetchone()
    if row is None:
        cursor.execute(text["new_log"], (origin,))
        cursor.execute(text["base"], (origin,))
        row = cursor.fetchone()
    log_id, size, known_at = row
    known = None if known_at is None else stored_instant(known_at)
    return Base(log_id=log_id, size=size, known_at=known)


def _write(
    cursor: DBAPICursor, text: _Texts, base: Base, batch: Batch, *, leaf: bytes = b""
) -> None:
    known = _written(batch.known(base.known_at))
    log, size = base.log_id, base.size
    move = (size + len(batch.drafts), known[-1], log, size)
    if leaf:
        cursor.execute(text["move_log_on"], (*move, log, size - 1, leaf))
    else:
        cursor.execute(text["move_log"], move)
    if cursor.rowcount != 1:
        cursor.execute(text["size"], (log,))
        row: Any = cursor.fetchone()
        raise head_moved(size, 0 if row is None else row[0])
    _move_streams(cursor, text, base, batch)
    _insert_events(cursor, text, base, batch, known)


def _written(known: Sequence[dt.datetime]) -> Sequence[str]:
    if known[0] is known[-1]:  # a running maximum
        return (write_instant(known[0]),) * len(known)
    return [write_instant(instant) for instant in known]


def _move_streams(cursor: DBAPICursor, text: _Texts, base: Base, batch: Batch) -> None:
    log = base.log_id
    new: list[tuple[Any, ...]] = []
    old: list[tuple[Any, ...]] = []
    for name, (expected, version) in batch.moves.items():
        if expected == NEW:
            new.append((log, name, version))
        else:
            old.append((expected, version, log, name))
    if new and (refused := _refused(cursor, text["open_stream"], new)):
        raise _elsewhere(cursor, text, base, batch, refused[0][1], why=refused[1])
    if new and cursor.rowcount != len(new):
        raise left_out(text["stream_table"])
    if old and (refused := _refused(cursor, text["move_stream"], old)):
        raise _elsewhere(cursor, text, base, batch, refused[0][3], why=refused[1])
    if old and cursor.rowcount != len(old):  # a stream that is not there is no error
        for row in old:
            cursor.execute(text["version"], row[2:])
            if cursor.fetchone() is None:
                raise _elsewhere(cursor, text, base, batch, row[3])


def _refused(
    cursor: DBAPICursor, text: str, rows: Sequence[tuple[Any, ...]]
) -> tuple[tuple[Any, ...], sqlite3.IntegrityError] | None:
    """Carry out a statement row by row; the row that is refused and why, None if none is."""
    taking: Any = iter(rows)  # the driver takes a row when it comes to it, and any iterable
    try:
        if len(rows) == 1:
            cursor.execute(text, rows[0])
        else:
            cursor.executemany(text, taking)
    except sqlite3.IntegrityError as error:
        return rows[max(len(rows) - length_hint(taking), 1) - 1], error
    return None


def _elsewhere(
    cursor: DBAPICursor,
    text: _Texts,
    base: Base,
    batch: Batch,
    stream: str,
    *,
    why: sqlite3.IntegrityError | None = None,
) -> Exception:
    # An event sent twice is refused for its id, not for the stream that it opened itself.
    cursor.execute(text["taken"], (base.log_id, base.size, json.dumps(batch.ids)))
    taken: Any = cursor.fetchone()
    if taken is not None:
        return already_recorded(*taken)
    cursor.execute(text["version"], (base.log_id, stream))
    row: Any = cursor.fetchone()
    expected, actual = batch.moves[stream][0], NEW if row is None else row[0]
    if why is not None and actual == expected:  # so it was something else
        return sqlite3.IntegrityError(f"stream {stream} cannot be written: {why}")
    return wrong_version(stream, expected, actual)


def _insert_events(
    cursor: DBAPICursor, text: _Texts, base: Base, batch: Batch, known: Sequence[str]
) -> None:
    log = base.log_id
    if any(draft.type == "content_erased" for draft in batch.drafts):
        cursor.execute("PRAGMA secure_delete = ON")  # of a host's connection too, from here on
    rows = [
        (
            *(log, seq, draft.id, draft.type, draft.stream, draft.stream_v, at, draft.entry),
            *(draft.leaf_hash, slot("who"), slot("what"), slot("words"), slot("by")),
        )
        for seq, (draft, at) in enumerate(zip(batch.drafts, known, strict=True), base.size)
        for slot in (draft.slots.get,)
    ]
    refused = _refused(cursor, text["event"], rows)
    if refused is None:
        if cursor.rowcount != len(rows):
            raise left_out(text["event_table"])
        return
    row, why = refused
    cursor.execute(text["taken"], (log, base.size, json.dumps([row[2]])))
    taken: Any = cursor.fetchone()
    if taken is None:
        told = f"sequence {row[1]} of log {log} cannot be written: {why}"
        raise sqlite3.IntegrityError(told) from why
    raise already_recorded(*taken)
