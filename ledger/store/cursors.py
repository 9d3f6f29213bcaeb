"""Cursors: how far each build of a projection has read, who moves it, and what it could not take.

Here live the statements on `ledger_cursor`, `ledger_served` and `ledger_parked`. When a cursor is
moved, and with which rows in the same transaction, is decided in `ledger.projecting`.

```
phase      building   catches up beside what is served; its indexes come last
           live       moves with the log
           retired    another build took its place; nobody moves it any more
position   how many events it has read, which is the sequence of the next one
effects    the same for effects outside the database; NULL where it has none
fence      a number that grows with each owner: a stale owner's batch carries an older one
```

A cursor moves by compare-and-set, in the transaction of the rows that it counts.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any, Final, Literal

import attrs
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)

from ledger.store.fetching import changed, insertion
from ledger.store.tables import Tables

Phase = Literal["building", "live", "retired"]
Kind = Literal["parked", "stopping", "effect", "skipped"]

_FIELDS: Final = ("phase", "position", "effects", "state", "fence", "owner", "beat_at")


@attrs.frozen
class Build:
    """One build of one version of one log's projection: the key of its cursor.

    Example:
        >>> print(Build(log_id=1, name="claims", version=2, build=3))
        claims v2, build 3
    """

    log_id: int
    name: str
    version: int
    build: int

    def __str__(self) -> str:
        return f"{self.name} v{self.version}, build {self.build}"


@attrs.frozen(kw_only=True)
class Cursor:
    """A row of `ledger_cursor`."""

    key: Build
    phase: Phase
    position: int
    effects: int | None
    state: str | None
    fence: int
    owner: str | None
    beat_at: dt.datetime | None


@attrs.frozen(kw_only=True)
class Parked:
    """An event that a build could not take.

    `kind` is "parked" (the others went on), "stopping" (the build waits for it), "effect" (its
    rows were taken, its effect failed) or "skipped" (somebody decided to leave it out).
    """

    sequence: int
    event_id: str
    kind: Kind
    reason: str
    attempts: int
    at: dt.datetime


def cursors(
    conn: Connection, tables: Tables, log_id: int, name: str | None = None, *, lock: bool = False
) -> list[Cursor]:
    """The cursors of a log, or of one of its projections, by name, version and build."""
    c = tables.cursor.c
    query = select(tables.cursor).where(c.log_id == log_id, c.version > 0)  # 0: `consumers`
    query = query.order_by(c.name, c.version, c.build)
    if name is not None:
        query = query.where(c.name == name)
    if lock:  # SQLite leaves it out: there the transaction holds the only write lock
        query = query.with_for_update()
    return [_cursor(row) for row in conn.execute(query)]


def cursor(conn: Connection, tables: Tables, key: Build, *, lock: bool = False) -> Cursor | None:
    """One cursor, None where that build was never begun."""
    query = select(tables.cursor).where(*_is(tables.cursor, key))
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _cursor(row)


def begin(
    conn: Connection, tables: Tables, key: Build, *, phase: Phase, effects: int | None
) -> None:
    """Begin a build at the log's start, unless somebody else just did."""
    values = {**attrs.asdict(key), "phase": phase, "position": 0, "effects": effects, "fence": 0}
    conn.execute(insertion(conn, tables.cursor).values(values).on_conflict_do_nothing())


def move(
    conn: Connection,
    tables: Tables,
    key: Build,
    *,
    start: int,
    stop: int,
    fence: int | None,
    now: dt.datetime | None = None,
) -> bool:
    """Move a cursor on, if it stands at `start` and, where a fence is given, is still owned so."""
    if fence is None:  # in an append, where each microsecond is every append's
        values = (stop, key.log_id, key.name, key.version, key.build, start)
        return changed(conn, _move_live(tables), values) == 1
    c = tables.cursor.c
    one = update(tables.cursor).where(*_is(tables.cursor, key), c.position == start)
    one = one.where(c.fence == fence).values(position=stop, beat_at=now)
    return conn.execute(one).rowcount == 1


@functools.cache
def _move_live(tables: Tables) -> str:
    return (
        f"UPDATE {tables.layout.qualified('cursor')} SET position = ? WHERE log_id = ? "  # noqa: S608 - a checked name
        "AND name = ? AND version = ? AND build = ? AND position = ? AND phase = 'live'"
    )


def move_effects(
    conn: Connection, tables: Tables, key: Build, *, stop: int, fence: int, now: dt.datetime
) -> bool:
    """Note that the effects of all events before `stop` are done; False for a stale owner."""
    c = tables.cursor.c
    one = update(tables.cursor).where(*_is(tables.cursor, key), c.fence == fence)
    return conn.execute(one.values(effects=stop, beat_at=now)).rowcount == 1


def change(conn: Connection, tables: Tables, key: Build, **values: Any) -> None:
    """Set columns of a cursor whose row this transaction has locked or moved already."""
    conn.execute(update(tables.cursor).where(*_is(tables.cursor, key)).values(**values))


def take(
    conn: Connection,
    tables: Tables,
    key: Build,
    *,
    owner: str,
    now: dt.datetime,
    stale: dt.datetime | None,
) -> int | None:
    """Become the owner of a cursor and get its new fence; None while another is at work.

    An owner whose last beat is before `stale` is taken for dead; without `stale` any owner is.
    """
    c = tables.cursor.c
    held = cursor(conn, tables, key, lock=True)
    if held is None or held.phase == "retired":
        return None
    seen = None if held.owner in (None, owner) else held.beat_at
    if seen is not None and stale is not None and seen >= stale:
        return None
    one = update(tables.cursor).where(*_is(tables.cursor, key), c.fence == held.fence)
    taken = conn.execute(one.values(owner=owner, fence=held.fence + 1, beat_at=now))
    return held.fence + 1 if taken.rowcount == 1 else None


def beat(conn: Connection, tables: Tables, key: Build, fence: int, now: dt.datetime) -> bool:
    """Say that the owner is alive; False for a stale one."""
    one = update(tables.cursor).where(*_is(tables.cursor, key), tables.cursor.c.fence == fence)
    return conn.execute(one.values(beat_at=now)).rowcount == 1


def release(conn: Connection, tables: Tables, key: Build, fence: int) -> None:
    """Give a cursor up, if it is still one's own."""
    one = update(tables.cursor).where(*_is(tables.cursor, key), tables.cursor.c.fence == fence)
    conn.execute(one.values(owner=None, beat_at=None))


def forget(conn: Connection, tables: Tables, key: Build) -> None:
    """Remove a build's cursor and what it parked."""
    for table in (tables.parked, tables.cursor):
        conn.execute(delete(table).where(*_is(table, key)))


def others_on(conn: Connection, tables: Tables, key: Build) -> bool:
    """Whether another log has a cursor of the same name, version and build."""
    c = tables.cursor.c
    query = select(c.log_id).where(
        c.name == key.name, c.version == key.version, c.build == key.build, c.log_id != key.log_id
    )
    return conn.execute(query.limit(1)).one_or_none() is not None


def served(conn: Connection, tables: Tables, log_id: int) -> dict[str, Build]:
    """Which build of each projection of a log is read."""
    c = tables.served.c
    query = select(c.log_id, c.name, c.version, c.build).where(c.log_id == log_id)
    return {row.name: Build(*row) for row in conn.execute(query)}


def served_names(conn: Connection, tables: Tables, origin: str) -> frozenset[str]:
    """Which projections of a log are read, whatever else is wrong with it."""
    log, served_ = tables.log, tables.served
    query = select(served_.c.name).join(log, log.c.id == served_.c.log_id)
    return frozenset(conn.scalars(query.where(log.c.origin == origin)))


def serve(conn: Connection, tables: Tables, key: Build) -> None:
    """Point to a build: from the commit on it is the one that is read."""
    one = insertion(conn, tables.served).values(attrs.asdict(key))
    conn.execute(
        one.on_conflict_do_update(
            index_elements=["log_id", "name"],
            set_={"version": one.excluded.version, "build": one.excluded.build},
        )
    )


def park(conn: Connection, tables: Tables, key: Build, event: Parked) -> None:
    """Note an event that could not be taken, over what was noted of it before."""
    unpark(conn, tables, key, event.sequence)
    values = attrs.asdict(event)
    values["seq"] = values.pop("sequence")
    conn.execute(insert(tables.parked).values(**attrs.asdict(key), **values))


def unpark(conn: Connection, tables: Tables, key: Build, sequence: int) -> None:
    """Forget what was noted of an event."""
    parked_ = tables.parked
    conn.execute(delete(parked_).where(*_is(parked_, key), parked_.c.seq == sequence))


def forget_reasons(conn: Connection, tables: Tables, log_id: int, events: Sequence[str]) -> None:
    """Forget why events could not be taken: a failure's own words may quote what was erased."""
    one = update(tables.parked).where(
        tables.parked.c.log_id == log_id, tables.parked.c.event_id == bindparam("event")
    )
    conn.execute(one.values(reason="(erased)"), [{"event": event} for event in events])


def parked(conn: Connection, tables: Tables, key: Build) -> list[Parked]:
    """What a build could not take, in the log's order."""
    c = tables.parked.c
    query = (
        select(c.seq.label("sequence"), c.event_id, c.kind, c.reason, c.attempts, c.at)
        .where(*_is(tables.parked, key))
        .order_by(c.seq)
    )
    return [Parked(**row._asdict()) for row in conn.execute(query)]


def table_number(conn: Connection, tables: Tables) -> int | None:
    """PostgreSQL: the number of this table of cursors; another schema may hold one of its name."""
    query = text("SELECT CAST(to_regclass(:name) AS oid)")
    found: int | None = conn.scalar(query, {"name": tables.layout.qualified("cursor")})
    return found


def lock_names(conn: Connection, tables: Tables, made: Sequence[Table]) -> None:
    """Let nobody else make or drop tables of these names until this transaction ends.

    On SQLite the transaction holds the only write lock.
    """
    if conn.dialect.name != "postgresql":
        return
    beside = "CAST(CAST(to_regclass(:beside) AS oid) AS bigint)"
    query = text(f"SELECT pg_advisory_xact_lock(hashtextextended(:name, {beside}))")
    for name in sorted(table.fullname for table in made):
        conn.execute(query, {"name": name, "beside": tables.layout.qualified("cursor")})


def lock_session(conn: Connection, number: int) -> bool:
    """PostgreSQL: take an advisory lock that lives as long as this connection."""
    query = text("SELECT pg_try_advisory_lock(:number)")
    return bool(conn.scalar(query, {"number": number}))


def unlock_session(conn: Connection, number: int) -> None:
    """PostgreSQL: let go of that lock, before the connection returns to its pool."""
    conn.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})


def _cursor(row: Any) -> Cursor:
    key = Build(row.log_id, row.name, row.version, row.build)
    return Cursor(key=key, **{name: getattr(row, name) for name in _FIELDS})


def _is(table: Table, key: Build) -> Sequence[ColumnElement[bool]]:
    c = table.c
    return (
        c.log_id == key.log_id,
        c.name == key.name,
        c.version == key.version,
        c.build == key.build,
    )
