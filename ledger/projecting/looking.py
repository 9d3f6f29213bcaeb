"""Looking: what is served, how far every build is, and how far behind.

Here lives nothing that changes anything.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import attrs
from sqlalchemy import Connection, Table

from ledger.errors import InvalidProjection, UnknownProjection
from ledger.model.text import show
from ledger.projecting import telling
from ledger.projecting.registry import Registry, Site, check_named
from ledger.projections.answer import Answer
from ledger.store import cursors
from ledger.store.cursors import Build, Cursor, Parked, Phase


@attrs.frozen(kw_only=True)
class Served:
    """The build of a projection that is in use: its tables, or its state."""

    name: str
    version: int
    build: int
    position: int
    tables: tuple[Table, ...]
    state: Any

    @property
    def table(self) -> Table:
        """Its only table, or the first one."""
        return self.tables[0]


@attrs.frozen(kw_only=True)
class ProjectionStatus(Answer):
    """The state of one build.

    `lag` counts the events that it has not read; `lag_seconds` says how long the first of them has
    waited. `mode` is None if no such projection is registered here. `parked` are the events that it
    could not take, without those that were skipped.
    """

    name: str
    version: int
    build: int
    mode: str | None
    phase: Phase
    served: bool
    position: int
    lag: int
    lag_seconds: float
    owner: str | None
    beat_at: dt.datetime | None
    parked: tuple[Parked, ...]

    def __str__(self) -> str:
        words = [f"{self.name} v{self.version}", self.phase]
        if self.build:
            words.insert(1, f"build {self.build}")
        if self.served:
            words.append("served")
        words.append(f"at {self.position}")
        if self.lag:
            words.append(f"{self.lag} events and {self.lag_seconds:.0f} s behind")
        if self.owner is not None:
            words.append(f"run by {self.owner}")
        words += [f"{one.kind} #{one.sequence}: {one.reason}" for one in self.parked]
        return ", ".join(words)


def statuses(site: Site, registry: Registry) -> tuple[ProjectionStatus, ...]:
    """How every build of every projection of the log stands."""
    modes = {(one.name, one.version): one.mode for one in registry.all()}
    with site.reading() as conn:
        log_id = site.log_id(conn)
        if log_id is None:
            return ()
        size, served = site.size(conn), cursors.served(conn, site.tables, log_id)
        return tuple(
            ProjectionStatus(
                name=one.key.name,
                version=one.key.version,
                build=one.key.build,
                mode=modes.get((one.key.name, one.key.version)),
                phase=one.phase,
                served=served.get(one.key.name) == one.key,
                position=one.position,
                lag=0 if one.phase == "retired" else size - one.position,
                lag_seconds=0.0
                if one.phase == "retired"
                else telling.waited(site, conn, log_id, one.position),
                owner=one.owner,
                beat_at=one.beat_at,
                parked=tuple(
                    event
                    for event in cursors.parked(conn, site.tables, one.key)
                    if event.kind != "skipped"
                ),
            )
            for one in cursors.cursors(conn, site.tables, log_id)
        )


def serving(site: Site, registry: Registry, name: str, conn: Connection | None = None) -> Served:
    """The build of a projection that is to be read.

    Raises:
        UnknownProjection: nothing of it is served yet, or its version is not registered here.
        InvalidProjection: `conn` is no Connection.
    """
    if conn is None:
        with site.reading() as one:
            return serving(site, registry, name, one)
    if not isinstance(conn, Connection):
        raise InvalidProjection(
            f"conn= takes the Connection of the transaction that will read it, not {show(conn)}. "
            "Of a Session that is session.connection(); leave it out to look by itself.",
            field="conn",
            given=conn,
        )
    at = served_cursor(site, conn, name)
    if at is None:
        registry.find(name)
        raise UnknownProjection(
            f"Nothing of the projection {name} is served yet. Type: "
            f"ledger.projections.run({name!r})",
            given=name,
        )
    return Served(
        name=name,
        version=at.key.version,
        build=at.key.build,
        position=at.position,
        tables=tuple(registry.find(name, at.key.version).of(at.key.build).tables),
        state=None if at.state is None else json.loads(at.state),
    )


def served_cursor(site: Site, conn: Connection, name: str) -> Cursor | None:
    """The cursor of the build that is read, None where there is none."""
    check_named(name)
    log_id = site.log_id(conn)
    key: Build | None = None
    if log_id is not None:
        key = cursors.served(conn, site.tables, log_id).get(name)
    return None if key is None else cursors.cursor(conn, site.tables, key)
