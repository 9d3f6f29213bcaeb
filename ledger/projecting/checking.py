"""The check: the rows that are served are compared with those of a fresh replay.

Here lives the comparison. The replay is made in a transaction that is rolled back, and it leaves
out what the served build parked.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, Table, select

from ledger.projecting import building
from ledger.projecting.projection import Page, Projection
from ledger.projecting.registry import Entry, Site
from ledger.projecting.running import BATCH
from ledger.projections.answer import Answer, plain
from ledger.store import cursors, read
from ledger.store.cursors import Build, Cursor
from ledger.store.transaction import writing


@attrs.frozen(kw_only=True)
class Checked(Answer):
    """What a check of a projection found; `difference` tells the first row that differs.

    `sequence` is that of the event which that row is about, where its table has a column `seq`.
    """

    name: str
    version: int
    build: int
    position: int
    rows: int
    difference: str | None
    sequence: int | None = None

    @property
    def ok(self) -> bool:
        """Whether every row is as a replay makes it."""
        return self.difference is None

    def __str__(self) -> str:
        told = f"{self.name} v{self.version} at {self.position} events"
        if self.ok:
            return f"ok: {told}, {self.rows} rows"
        return f"not as replayed: {told}: {self.difference}"


class _RollBack(Exception):
    pass


def check(site: Site, entry: Entry, build: int) -> Checked:
    """Replay what a build has read, and compare."""
    found: list[Checked] = []
    with contextlib.suppress(_RollBack), writing(site.bind) as conn:
        if isinstance(site.bind, Engine):
            building.repeatable(conn)
        key = Build(site.log_id(conn) or 0, entry.name, entry.version, build)
        held = cursors.cursor(conn, site.tables, key, lock=not isinstance(site.bind, Engine))
        assert held is not None  # noqa: S101 - whoever calls has found it
        told = _compare(site, conn, entry, _brought_up(site, conn, entry, held))
        found.append(attrs.evolve(told, position=held.position))
        raise _RollBack
    return found[0]


def _brought_up(site: Site, conn: Connection, entry: Entry, held: Cursor) -> Cursor:
    """The build with what it has not read yet, where an erasure is among that.

    What was erased is not replayed any more, though it is in its rows until it has read so.
    """
    size = site.size(conn)
    ahead = held.position, size
    if not read.holds(conn, site.tables, held.key.log_id, "content_erased", ahead):
        return held
    state = _take(site, conn, entry.of(held.key.build), held, [ahead])
    return attrs.evolve(held, position=size, state=state)


def _compare(site: Site, conn: Connection, entry: Entry, held: Cursor) -> Checked:
    served = entry.of(held.key.build)
    if entry.factory is None or not served.tables:
        expected = {table.name: [*_rows(conn, table, held)] for table in served.tables}
        for table in served.tables:
            building.empty(conn, table, held.key.log_id)
        state = _replay(site, conn, served, held)
        pairs = [(table.name, iter(expected[table.name]), table) for table in served.tables]
    else:
        spare = 1 + max(
            one.key.build for one in cursors.cursors(conn, site.tables, held.key.log_id, entry.name)
        )
        fresh = entry.of(spare)
        building.make_tables(conn, site.tables, fresh, indexes=False)
        state = _replay(site, conn, fresh, held)
        pairs = [
            (old.name, _rows(conn, old, held), new)
            for old, new in zip(served.tables, fresh.tables, strict=True)
        ]
    rows, difference, sequence = 0, None, None
    for name, old_rows, new in pairs:
        at = [column.name for column in new.columns].index("seq") if "seq" in new.c else None
        many, difference, sequence = _differ(name, old_rows, _rows(conn, new, held), at)
        rows += many
        if difference is not None:
            break
    if difference is None and state != held.state:
        difference = f"the state is {held.state}, a replay gives {state}"
    return Checked(
        name=held.key.name,
        version=held.key.version,
        build=held.key.build,
        position=held.position,
        rows=rows,
        difference=difference,
        sequence=sequence,
    )


def _replay(site: Site, conn: Connection, projection: Projection, held: Cursor) -> str | None:
    """Read the log as far as the build has, without what it parked; gives the state, if any."""
    noted = cursors.parked(conn, site.tables, held.key)
    left_out = [one.sequence for one in noted if one.kind != "effect"]
    fresh = attrs.evolve(held, state=None)
    return _take(site, conn, projection, fresh, _stretches(held.position, left_out))


def _take(
    site: Site,
    conn: Connection,
    projection: Projection,
    held: Cursor,
    stretches: Iterable[tuple[int, int]],
) -> str | None:
    """Write what some stretches of the log mean; gives the state that comes of it, if any."""
    state, memory = held.state, dict[str, Any]()
    for start, stop in stretches:
        page = Page(
            conn=conn,
            tables=site.tables,
            log_id=held.key.log_id,
            start=start,
            stop=stop,
            memory=memory,
        )
        if projection.evolve is None:
            projection.take(page)
        else:
            state = projection.step(state, page)
    return state


def _stretches(size: int, left_out: list[int]) -> Iterator[tuple[int, int]]:
    """The batches between the sequences that are left out."""
    start = 0
    for end in [*left_out, size]:
        for begin in range(start, min(end, size), BATCH):
            yield begin, min(begin + BATCH, end, size)
        start = end + 1


def _rows(conn: Connection, table: Table, held: Cursor) -> Iterator[tuple[Any, ...]]:
    """The rows of a log in the order of their key, or of all columns where there is none."""
    order = [*table.primary_key.columns] or [*table.columns]
    query = select(table).order_by(*order)
    if "log_id" in table.c:
        query = query.where(table.c.log_id == held.key.log_id)
    return (tuple(row) for row in conn.execute(query))


def _differ(
    name: str,
    served: Iterator[tuple[Any, ...]],
    fresh: Iterator[tuple[Any, ...]],
    at: int | None,
) -> tuple[int, str | None, int | None]:
    """How many rows are equal, the first two that are not, and the sequence in column `at`."""
    rows = 0
    for old, new in itertools.zip_longest(served, fresh):
        if old != new:
            told = f"{name} holds {plain(old)}, a replay gives {plain(new)}"
            told = told.replace("None, a replay", "no such row, a replay")
            about = [row[at] for row in (old, new) if row is not None and at is not None]
            return rows, told, min(about, default=None)
        rows += 1
    return rows, None, None
