"""The SQL that writes, once per layout and engine.

Here lives text only; what is bound to it and what its results mean is in `append`. It is raw SQL
because an append is the hot path: Core takes 9 microseconds a statement (store.md, 8).

On PostgreSQL an append is one statement over arrays, after the one that locks the head. Streams are
looked up one by one: a join would be planned once for a young table and then read all of it, at
every append, until the next ANALYZE. A stream that is elsewhere leaves the others standing,
therefore a refused append must be rolled back; `transaction.writing` does.
"""

from __future__ import annotations

import functools
from typing import Final

import attrs

from ledger.errors import StoreError
from ledger.store.tables import Tables

ROWS_AT_ONCE: Final = 5_000
"""The largest number of events that one statement carries."""

COLUMNS: Final = (
    "id, type, stream, stream_v, known_at, entry, leaf_hash, "
    "slot_who, slot_what, slot_words, slot_by"
)


@attrs.frozen(kw_only=True)
class SqliteText:
    """What is sent to SQLite: parameters are `?`, many rows are bound one after the other."""

    head: str
    new_log: str
    move_head: str
    versions: str
    new_streams: str
    move_streams: str
    events: str
    taken: str


@attrs.frozen(kw_only=True)
class PostgresText:
    """What is sent to PostgreSQL through psycopg: parameters are `%b`, many rows are arrays."""

    head: str
    new_log: str
    versions: str
    first_events: str
    more_events: str
    taken: str


_SQLITE: Final = {
    "head": "SELECT id, size, known_at FROM {log} WHERE origin = ?",
    "new_log": "INSERT INTO {log} (origin, size) VALUES (?, 0)",
    "move_head": "UPDATE {log} SET size = ?, known_at = ? WHERE id = ? AND size = ?",
    "versions": (
        "SELECT stream, version FROM {stream} "
        "WHERE log_id = ? AND stream IN (SELECT value FROM json_each(?))"
    ),
    "new_streams": "INSERT INTO {stream} (log_id, stream, version) VALUES (?, ?, ?)",
    "move_streams": ("UPDATE {stream} SET version = ? WHERE log_id = ? AND stream = ?"),
    "events": (
        "INSERT INTO {event} (log_id, seq, {columns}) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "taken": (
        "SELECT id, seq FROM {event} WHERE log_id = ? AND seq < ? "
        "AND id IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1"
    ),
}

# `unnest` pads a short array with NULL, so a slot that no draft has is sent as NULL, not as array.
_UNNEST: Final = """unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::timestamptz[],
    %b::text[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[]
  ) WITH ORDINALITY AS x({columns}, ord)"""

_POSTGRES: Final = {
    "head": "SELECT id, size, known_at FROM {log} WHERE origin = %b FOR UPDATE",
    "new_log": "INSERT INTO {log} (origin, size) VALUES (%b, 0) ON CONFLICT (origin) DO NOTHING",
    "versions": (
        "SELECT stream, version FROM {stream} "
        "WHERE log_id = %b::bigint AND stream = ANY(%b::text[])"
    ),
    "first_events": """
WITH h AS (
  UPDATE {log} SET size = %b::bigint, known_at = %b::timestamptz
  WHERE id = %b::bigint AND size = %b::bigint
  RETURNING id
), asked AS (
  SELECT h.id AS log_id, x.stream, x.expected, x.version, coalesce((
    SELECT s.version FROM {stream} AS s WHERE s.log_id = h.id AND s.stream = x.stream), -1) AS actual
  FROM h, unnest(%b::text[], %b::bigint[], %b::bigint[]) AS x(stream, expected, version)
), moved AS (
  INSERT INTO {stream} (log_id, stream, version)
  SELECT log_id, stream, version FROM asked WHERE actual = expected
  ON CONFLICT (log_id, stream) DO UPDATE SET version = excluded.version
), written AS (
  INSERT INTO {event} (log_id, seq, {columns})
  SELECT h.id, %b::bigint + x.ord - 1, {selected}
  FROM h, {unnest}
)
SELECT (SELECT count(*) FROM h),
  (SELECT array_agg(stream) FROM asked WHERE actual <> expected)
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


@functools.cache
def sqlite_text(tables: Tables) -> SqliteText:
    """SQLite's statements for the tables."""
    return SqliteText(**_filled(_SQLITE, tables))


@functools.cache
def postgres_text(tables: Tables) -> PostgresText:
    """PostgreSQL's statements for the tables."""
    return PostgresText(**_filled(_POSTGRES, tables))


def is_postgres(dialect: str, driver: str) -> bool:
    """Which of the two texts to send: true for PostgreSQL, false for SQLite.

    Raises:
        StoreError: It is neither, or a PostgreSQL driver that does not know `%b`.
    """
    if dialect == "postgresql" and driver.startswith("psycopg") and driver != "psycopg2":
        return True
    if dialect == "sqlite":
        return False
    raise StoreError(
        f"A ledger cannot be written through {dialect}+{driver}. Make the engine with a URL that "
        "begins with postgresql+psycopg:// or sqlite:///"
    )


def _filled(texts: dict[str, str], tables: Tables) -> dict[str, str]:
    layout = tables.layout
    names = {name: layout.qualified(name) for name in ("log", "event", "stream")}
    events = {
        "columns": COLUMNS,
        "selected": ", ".join(f"x.{name}" for name in COLUMNS.split(", ")),
        "unnest": _UNNEST.format(columns=COLUMNS),
    }
    return {key: text.format(**names, **events) for key, text in texts.items()}
