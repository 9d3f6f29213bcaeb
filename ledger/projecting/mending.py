"""Mending: events that were parked are tried again or left out; builds of old are removed.

Here lives what a person does about a projection that failed.
"""

from __future__ import annotations

import attrs
from sqlalchemy import Connection

from ledger.codec.envelope import opened
from ledger.errors import InvalidProjection, UnknownEvent, UnknownProjection
from ledger.projecting import building, telling
from ledger.projecting.looking import served_cursor
from ledger.projecting.projection import Page
from ledger.projecting.registry import Registry, Site
from ledger.projecting.running import take
from ledger.store import cursors, read
from ledger.store.cursors import Cursor, Parked
from ledger.store.transaction import writing


def at_work(site: Site, registry: Registry, conn: Connection, name: str) -> Cursor:
    """The build that is read, or else the one that is built.

    Raises:
        UnknownProjection: no such projection has begun.
    """
    at = served_cursor(site, conn, name)
    if at is None and (log_id := site.log_id(conn)) is not None:
        at = building.to_run(cursors.cursors(conn, site.tables, log_id, name), registry.find(name))
    if at is None:
        registry.find(name)
        raise UnknownProjection(
            f"The projection {name} has not begun. Type: ledger.projections.run({name!r})",
            given=name,
        )
    return at


def retry(site: Site, registry: Registry, name: str, sequence: int) -> None:
    """Let a projection take an event that it parked: now, after all that came later.

    Raises:
        ProjectionFailed: it still cannot take it; it stays parked.
        UnknownEvent: it did not park that event.
    """
    with writing(site.bind) as conn:
        at, event = _parked(site, registry, conn, name, sequence)
        projection = registry.find(name, at.key.version).of(at.key.build)
        if event.kind == "stopping":
            raise InvalidProjection(
                f"{name} waits at sequence {sequence}, so nothing was left out. Mend the "
                f"projection and type: ledger.projections.run({name!r})",
                field="sequence",
                given=sequence,
            )
        if event.kind == "effect":
            row = next(read.rows(conn, site.tables, at.key.log_id, after=sequence - 1, limit=1))
            if projection.on_live is not None:
                projection.on_live(opened(row))
        else:
            page = Page(
                conn=conn,
                tables=site.tables,
                log_id=at.key.log_id,
                start=sequence,
                stop=sequence + 1,
            )
            take(site, projection, at.key, page)
        cursors.unpark(conn, site.tables, at.key, sequence)
    telling.parked(site, at.key)


def skip(site: Site, registry: Registry, name: str, sequence: int) -> None:
    """Leave an event out for good; where the projection waits for it, it goes on.

    Raises:
        UnknownEvent: the projection neither parked that event nor waits for it.
    """
    with writing(site.bind) as conn:
        at, event = _parked(site, registry, conn, name, sequence)
        if event.kind == "stopping" and at.position == sequence:
            cursors.change(conn, site.tables, at.key, position=sequence + 1)
        cursors.park(conn, site.tables, at.key, attrs.evolve(event, kind="skipped"))
    telling.parked(site, at.key)


def _parked(
    site: Site, registry: Registry, conn: Connection, name: str, sequence: int
) -> tuple[Cursor, Parked]:
    at = at_work(site, registry, conn, name)
    locked = cursors.cursor(conn, site.tables, at.key, lock=True)
    noted = {one.sequence: one for one in cursors.parked(conn, site.tables, at.key)}
    if locked is None or sequence not in noted:
        there = ", ".join(map(str, noted)) or "none"
        raise UnknownEvent(
            f"{name} parked no event at sequence {sequence}; parked are: {there}.",
            given=str(sequence),
        )
    return locked, noted[sequence]


def prune(site: Site, registry: Registry, name: str) -> tuple[str, ...]:
    """Remove the builds that another has taken the place of, with their tables; tells which.

    Raises:
        UnknownProjection: it or a version is not registered here, so its tables are not known.
    """
    registry.find(name)
    removed: list[str] = []
    with writing(site.bind) as conn:
        log_id = site.log_id(conn)
        found = [] if log_id is None else cursors.cursors(conn, site.tables, log_id, name)
        for one in found:
            if one.phase == "retired":
                projection = registry.find(name, one.key.version).of(one.key.build)
                building.drop(conn, site.tables, one.key, projection)
                removed.append(str(one.key))
    return tuple(removed)
