"""What is registered: the projections of one ledger, by name and version.

Here lives which value stands for which build. A host hands over a projection, or a function that
makes the projection of a build: builds of such a one can stand side by side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

import attrs
from sqlalchemy import Connection

from ledger.errors import InvalidProjection, UnknownProjection
from ledger.folding import Folded
from ledger.model.fields import check_flag
from ledger.model.text import did_you_mean, is_storable, near, show
from ledger.projecting.projection import Mode, Projection
from ledger.projections.answer import Answer
from ledger.store import read
from ledger.store.binds import Bind
from ledger.store.tables import Tables

Factory = Callable[[int], Projection]
Clock = Callable[[], dt.datetime]
Status = Literal["caught_up", "stopped", "elsewhere", "failing"]


@attrs.frozen(kw_only=True)
class Outcome(Answer):
    """The result of a run of a projection.

    `status` is "caught_up" (or `until` is reached), "stopped" (as you asked), "elsewhere" (another
    process runs it, or its build was retired) or "failing" (it waits for an event that it cannot
    take). `applied` counts the events handled in this run, `parked` those that it parked;
    `switched` says whether this build is now the one in use.
    """

    name: str
    version: int
    build: int
    status: Status
    position: int
    size: int
    applied: int = 0
    parked: int = 0
    switched: bool = False

    def __str__(self) -> str:
        set_aside = f", {self.parked} parked" if self.parked else ""
        return (
            f"{self.name} v{self.version}: {self.status.replace('_', ' ')} at {self.position} of "
            f"{self.size} events{set_aside}"
        )


@attrs.frozen(kw_only=True)
class Entry:
    """A registered projection, its mode, and how further builds of it are made."""

    first: Projection
    mode: Mode
    factory: Factory | None

    @property
    def name(self) -> str:
        """The projection's name."""
        return self.first.name

    @property
    def version(self) -> int:
        """The projection's version."""
        return self.first.version

    @property
    def side_by_side(self) -> bool:
        """Whether two builds of this version can stand beside one another."""
        return self.factory is not None or not self.first.tables

    @property
    def given(self) -> Projection | Factory:
        """What a host has handed in."""
        return self.first if self.factory is None else self.factory

    def of(self, build: int) -> Projection:
        """The projection of a build.

        Raises:
            InvalidProjection: it was registered as a value, and its tables have one name only.
        """
        if build == 0 or not self.first.tables:
            return self.first
        if self.factory is None:
            raise InvalidProjection(
                f"{self.name} v{self.version} has tables of fixed names, so there is no build "
                f"{build} of it. Register a function of the build's number that makes it, with "
                "the number in the tables' names.",
                field="build",
                given=build,
            )
        return self.factory(build)


def check_named(name: object) -> None:
    """Refuse what no projection is asked for by.

    Raises:
        InvalidProjection: it is no text, such as the projection itself.
    """
    if not is_storable(name):
        told = f"by {show(name)}"
        if isinstance(name, Projection):
            told = f"by itself: type {name.name!r}"
        raise InvalidProjection(
            f"A projection is asked for by its name, a text, not {told}.",
            field="name",
            given=name,
        )


def entry_of(projection: Projection | Factory, mode: Mode) -> Entry:
    """What `add` was given, looked at.

    Raises:
        InvalidProjection: no projection, or one whose effects cannot wait for the commit.
    """
    factory = None if isinstance(projection, Projection) else projection
    first = projection(0) if callable(projection) else projection
    if not isinstance(first, Projection):
        raise InvalidProjection(
            f"{show(first)} is no projection. Hand over a Projection, or a function of the build's "
            "number that makes one.",
            field="projection",
            given=first,
        )
    if mode not in ("inline", "deferred"):
        raise InvalidProjection(
            f'There is no mode {mode!r}. Write "inline" or "deferred".', field="mode", given=mode
        )
    if mode == "inline" and first.on_live is not None:
        raise InvalidProjection(
            f"{first.name} has effects outside the database (on_live), and an append may still be "
            'rolled back. Register it with mode="deferred".',
            field="mode",
            given=mode,
        )
    return Entry(first=first, mode=mode, factory=factory)


class Registry:
    """The entries of a ledger."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], Entry] = {}
        self.inline: tuple[Entry, ...] = ()

    def add(self, entry: Entry, *, replace: bool = False) -> None:
        """Take an entry up; the same projection may come again, another not unless it is meant.

        Raises:
            InvalidProjection: another one of the same name and version is there.
            Invalid: `replace` is neither True nor False.
        """
        check_flag(replace, "replace")
        there = self._entries.get((entry.name, entry.version))
        if there is not None and not replace and there.given is not entry.given:
            raise InvalidProjection(
                f"Another projection {entry.name} v{entry.version} is registered here already. "
                f"Give this one a version of its own (version={entry.version + 1}); or, to put it "
                "in the place of the other, write add(..., replace=True).",
                field="name",
                given=entry.name,
            )
        self._entries[entry.name, entry.version] = entry
        found = [one for one in self._entries.values() if one.mode == "inline"]
        self.inline = tuple(sorted(found, key=lambda one: (one.name, one.version)))

    def take_over(self, other: Registry) -> None:
        """Take up what another holds and this does not."""
        for entry in other.all():
            if (entry.name, entry.version) not in self._entries:
                self.add(entry)

    def all(self) -> list[Entry]:
        """Every entry, by name and version."""
        return [self._entries[key] for key in sorted(self._entries)]

    def find(self, name: str, version: int | None = None) -> Entry:
        """The entry of a name, of a version or of the highest one.

        Raises:
            InvalidProjection: that is no name.
            UnknownProjection: nothing was registered so.
        """
        check_named(name)
        versions = [one for one in self.all() if one.name == name]
        if version is not None:
            versions = [one for one in versions if one.version == version]
        if not versions:
            told = name if version is None else f"{name} v{version}"
            close = near(name, {one.name for one in self.all()})
            raise UnknownProjection(
                f"No projection {show(told)} is registered here.{did_you_mean(close)} "
                "Type: ledger.projections.add(...)",
                given=name,
                near=close,
            )
        return versions[-1]


@attrs.frozen(kw_only=True)
class Site:
    """Where projections run: the log, a clock, and for how long an owner is taken for alive."""

    folded: Folded
    clock: Clock
    patience: dt.timedelta

    @property
    def bind(self) -> Bind:
        """Where transactions come from."""
        return self.folded.bind

    @property
    def tables(self) -> Tables:
        """The log's tables."""
        return self.folded.tables

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read with; what a Session holds back stays there."""
        return self.folded.connected()

    def flush(self) -> None:
        """Write what a Session holds back, before a host's question is answered."""
        if (write := self.folded.before_reading) is not None:
            write()

    def log_id(self, conn: Connection) -> int | None:
        """The log's number, None before its first event."""
        head = read.head(conn, self.tables, self.folded.origin)
        return None if head is None else head.log_id

    def size(self, conn: Connection) -> int:
        """How many events the log holds."""
        head = read.head(conn, self.tables, self.folded.origin)
        return 0 if head is None else head.size
