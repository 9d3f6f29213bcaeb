"""The rows of named cursors: how far each host that follows by itself has come (store.md, 4).

Here live the statements alone; when one moves is decided in `ledger.consuming`. They stand in
`ledger_cursor` beside those of projections: theirs have version 0, where a projection's begin at 1,
so a consumer and a projection may have one name.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, select, update

from ledger.store.fetching import insertion
from ledger.store.tables import Tables

VERSION: Final = 0


def place(conn: Connection, tables: Tables, log_id: int, name: str) -> int | None:
    """How many events a consumer has handled, None where it never moved."""
    c = tables.cursor.c
    query = select(c.position).where(
        c.log_id == log_id, c.name == name, c.version == VERSION, c.build == 0
    )
    return conn.scalar(query)


def move(conn: Connection, tables: Tables, log_id: int, name: str, *, start: int, to: int) -> bool:
    """Move a cursor on if it stands at `start`; False, and nothing done, where it does not."""
    c = tables.cursor.c
    moved = (
        update(tables.cursor)
        .where(c.log_id == log_id, c.name == name, c.version == VERSION, c.build == 0)
        .where(c.position == start)
        .values(position=to)
    )
    if conn.execute(moved).rowcount == 1:
        return True
    if start > 0:
        return False
    # Another first move that is not committed yet is waited for, and then this one does nothing.
    begun = insertion(conn, tables.cursor).values(_row(log_id, name, to)).on_conflict_do_nothing()
    return conn.execute(begun, execution_options={"preserve_rowcount": True}).rowcount == 1


def put(conn: Connection, tables: Tables, log_id: int, name: str, *, to: int) -> None:
    """Let a cursor stand at a place, wherever it stood."""
    one = insertion(conn, tables.cursor).values(_row(log_id, name, to))
    key = ["log_id", "name", "version", "build"]
    conn.execute(one.on_conflict_do_update(index_elements=key, set_={"position": to}))


def _row(log_id: int, name: str, position: int) -> dict[str, Any]:
    key = {"log_id": log_id, "name": name, "version": VERSION, "build": 0}
    return {**key, "phase": "consumer", "position": position, "fence": 0}
