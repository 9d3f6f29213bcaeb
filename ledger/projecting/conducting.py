"""Conducting: which build is to be run, by whom, and when it comes to be read.

Here lives what lies around a `Run`: the cursor is found or begun, owned, and at the end of a build
the pointer is switched, under the lock of the log's head so that no append comes in between.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.errors import InvalidProjection, ProjectionFailed
from ledger.model.fields import check_flag
from ledger.projecting import building
from ledger.projecting.owning import owning
from ledger.projecting.registry import Entry, Outcome, Site, Status
from ledger.projecting.running import Moved, Orders, Run
from ledger.store import cursors
from ledger.store.append import lock_head
from ledger.store.cursors import Build, Cursor
from ledger.store.transaction import writing

_NEAR: Final = 1_000
"""How many events the switch itself takes at most, while appends wait."""


def conduct(site: Site, entry: Entry, at: Cursor | None, orders: Orders) -> Outcome:
    """Own a build, run it, and let it be read once it is complete."""
    if at is None:
        return elsewhere(site, entry, None)
    with owning(site, at.key) as fence:
        if fence is None:
            return elsewhere(site, entry, at)
        run = Run(
            site=site,
            projection=entry.of(at.key.build),
            key=at.key,
            fence=fence,
            orders=orders,
        )
        switched = False
        if at.phase == "building":
            outcome = run.go()
            while outcome.status == "caught_up" and orders.until is None and not switched:
                if not (orders.switch or _is_awaited(site, run)):
                    break
                switched = _switch(run)
                outcome = outcome if switched else run.go()
            if outcome.status != "caught_up":
                return outcome
        run.wait = orders.wait
        return attrs.evolve(run.go(), switched=switched)


def _is_awaited(site: Site, run: Run) -> bool:
    """Whether a complete build is to be read untold: nothing is, or it takes over."""
    key = run.key
    with site.reading() as conn:
        served = cursors.served(conn, site.tables, key.log_id).get(key.name)
    return served is None or (run.projection.takes_over and served.version < key.version)


def _switch(run: Run) -> bool:
    """Make the indexes, take the last events under the head's lock, move the pointer."""
    site, tables = run.site, run.site.tables
    with writing(site.bind) as conn:
        building.make_indexes(conn, run.projection)
    try:
        with writing(site.bind) as conn:
            size = lock_head(conn, tables, site.folded.origin).size
            held = cursors.cursor(conn, tables, run.key, lock=True)
            if held is None or held.fence != run.fence or size - held.position > _NEAR:
                return False
            if held.position < size:
                run.step(conn, held.position, size)
            building.switch(conn, tables, held)
    except (Moved, ProjectionFailed):
        return False
    return True


def begun(site: Site, entry: Entry) -> Cursor | None:
    """The cursor that a run moves, begun where there is none; None where nothing is to be run."""
    with site.reading() as conn:
        log_id, size = site.log_id(conn), site.size(conn)
        if log_id is None:
            return None
        held = cursors.cursors(conn, site.tables, log_id, entry.name)
    at = building.to_run(held, entry)
    if at is not None or any(one.key.version == entry.version for one in held):
        return at
    return _begin(site, Build(log_id, entry.name, entry.version, 0), entry, size)


def begun_anew(site: Site, entry: Entry, *, in_place: bool) -> Cursor | None:
    """The cursor of a rebuild: one that was not finished, or a new one.

    Raises:
        InvalidProjection: the tables have fixed names, and `in_place` was not said.
    """
    check_flag(in_place, "in_place")
    with site.reading() as conn:
        log_id, size = site.log_id(conn), site.size(conn)
        if log_id is None:
            return None
        held = [
            one
            for one in cursors.cursors(conn, site.tables, log_id, entry.name)
            if one.key.version == entry.version
        ]
    unfinished = [one for one in held if one.phase == "building"]
    if unfinished:
        return unfinished[-1]
    if not held:
        return _begin(site, Build(log_id, entry.name, entry.version, 0), entry, size)
    if entry.side_by_side:
        build = held[-1].key.build + 1
        return _begin(site, Build(log_id, entry.name, entry.version, build), entry, size)
    if not in_place:
        raise InvalidProjection(
            f"The tables of {entry.name} v{entry.version} have fixed names, so it cannot be built "
            "beside what is read. Register a function of the build's number that makes the "
            f"projection, or type: rebuild({entry.name!r}, in_place=True)",
            field="in_place",
        )
    with writing(site.bind) as conn:
        at = cursors.cursor(conn, site.tables, held[-1].key, lock=True)
        if at is not None:
            building.begin_anew(conn, site.tables, at, entry.of(at.key.build))
        return cursors.cursor(conn, site.tables, held[-1].key)


def _begin(site: Site, key: Build, entry: Entry, size: int) -> Cursor:
    with writing(site.bind) as conn:
        return building.begin(conn, site.tables, key, entry.of(key.build), size=size)


def elsewhere(site: Site, entry: Entry, at: Cursor | None) -> Outcome:
    """The outcome of a run that had nothing to do here."""
    with site.reading() as conn:
        size = site.size(conn)
    status: Status = "elsewhere" if at is not None or size else "caught_up"
    return Outcome(
        name=entry.name,
        version=entry.version,
        build=0 if at is None else at.key.build,
        status=status,
        position=0 if at is None else at.position,
        size=size,
    )
