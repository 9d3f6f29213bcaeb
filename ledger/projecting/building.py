"""Builds: how one begins, how its tables are made and emptied, and how it comes to be read.

Here lives everything that happens to a build once. What moves it along is `running`.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger.projecting.projection import Projection
from ledger.projecting.registry import Entry
from ledger.store import cursors
from ledger.store.cursors import Build, Cursor
from ledger.store.grants import give_alike
from ledger.store.tables import Tables


def make_tables(conn: Connection, tables: Tables, projection: Projection, *, indexes: bool) -> None:
    """Make the tables that are not there; a replay is twice as fast while they have no index."""
    cursors.lock_names(conn, tables, projection.tables)
    gone = missing(conn, projection)
    for table in projection.tables:
        if table.fullname not in gone:
            continue
        if indexes or not table.indexes:
            table.create(conn)
        else:
            conn.execute(CreateTable(table, if_not_exists=True))
        give_alike(conn, table, tables.cursor)


def missing(conn: Connection, projection: Projection) -> list[str]:
    """The names of its tables that are not there."""
    there, schema = inspect(conn).has_table, conn.schema_for_object
    return [one.fullname for one in projection.tables if not there(one.name, schema=schema(one))]


def make_indexes(conn: Connection, projection: Projection) -> None:
    """Make the indexes that were left out."""
    for table in projection.tables:
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            conn.execute(CreateIndex(index, if_not_exists=True))


def empty(conn: Connection, table: Table, log_id: int) -> None:
    """Remove a log's rows: those with its number, or all where the table belongs to one log."""
    every = delete(table)
    conn.execute(every.where(table.c.log_id == log_id) if "log_id" in table.c else every)


def begin(
    conn: Connection, tables: Tables, key: Build, projection: Projection, *, size: int
) -> Cursor:
    """Begin a build: live at once on an empty log, else beside whatever is read now."""
    now_live = size == 0 and key.name not in cursors.served(conn, tables, key.log_id)
    effects = None if projection.on_live is None else size
    cursors.begin(conn, tables, key, phase="live" if now_live else "building", effects=effects)
    make_tables(conn, tables, projection, indexes=now_live)
    if now_live:
        cursors.serve(conn, tables, key)
    begun = cursors.cursor(conn, tables, key)
    assert begun is not None  # noqa: S101 - the line above wrote it
    return begun


def begin_anew(conn: Connection, tables: Tables, cursor: Cursor, projection: Projection) -> None:
    """Empty a build's tables and let it read the log from the start; its owner loses it."""
    make_tables(conn, tables, projection, indexes=False)
    for table in projection.tables:
        empty(conn, table, cursor.key.log_id)
    cursors.change(
        conn,
        tables,
        cursor.key,
        phase="building",
        position=0,
        state=None,
        fence=cursor.fence + 1,
        owner=None,
        beat_at=None,
    )
    for event in cursors.parked(conn, tables, cursor.key):
        cursors.unpark(conn, tables, cursor.key, event.sequence)


def to_run(held: list[Cursor], entry: Entry) -> Cursor | None:
    """The cursor that a plain run moves: what is live, else what is being built."""
    found = [one for one in held if one.key.version == entry.version]
    for phase in ("live", "building"):
        for one in reversed(found):
            if one.phase == phase:
                return one
    return None


def switch(conn: Connection, tables: Tables, cursor: Cursor) -> None:
    """Let a build be read from the commit on; the one before is retired, and its owner loses it.

    Effects go on where the one before left them, so none is missed and none is made twice.
    """
    before = cursors.served(conn, tables, cursor.key.log_id).get(cursor.key.name)
    effects = cursor.effects
    if before is not None and before != cursor.key:
        held = cursors.cursor(conn, tables, before, lock=True)
        if held is not None:
            if held.effects is not None and effects is not None:
                effects = held.effects
            cursors.change(conn, tables, before, phase="retired", fence=held.fence + 1, owner=None)
    cursors.change(conn, tables, cursor.key, phase="live", effects=effects)
    cursors.serve(conn, tables, cursor.key)


def drop(conn: Connection, tables: Tables, key: Build, projection: Projection) -> None:
    """Remove a build: its cursor, and its tables unless another log has rows in them."""
    cursors.lock_names(conn, tables, projection.tables)
    shared = cursors.others_on(conn, tables, key)
    for table in projection.tables:
        if not shared:
            table.drop(conn, checkfirst=True)
        elif "log_id" in table.c:
            empty(conn, table, key.log_id)
    cursors.forget(conn, tables, key)


def repeatable(conn: Connection) -> None:
    """See one moment of the database from here on, where this transaction has only begun."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
