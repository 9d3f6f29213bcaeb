"""The run: a build is moved along the log, batch by batch, each in one transaction with its cursor.

Here lives the loop of an owner. Batches are sorted and large, since one index entry after another
costs least so; a batch that fails is halved until the event that fails stands alone.

```
move the cursor (compare-and-set, fence)  ->  rows  ->  commit  ->  effects, noted when done
event fails   retried with pauses  ->  parked, the others go on   or   the run ends, "failing"
```
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import attrs
from sqlalchemy import Connection, Engine, NestedTransaction
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ledger.errors import InvalidProjection, ProjectionFailed
from ledger.model.fields import check_seconds, check_told
from ledger.projecting import building, telling
from ledger.projecting.effects import Effects
from ledger.projecting.failing import momentary
from ledger.projecting.parking import park
from ledger.projecting.projection import Page, Projection
from ledger.projecting.registry import Outcome, Site, Status
from ledger.store import cursors
from ledger.store.binds import Bind
from ledger.store.collector import collector_paused
from ledger.store.cursors import Build, Kind
from ledger.store.transaction import writing

BATCH: Final = 20_000
_FIRST: Final = 100
_LONG: Final = 0.5
"""Seconds after which a batch was too large: on SQLite every writer waits for its end."""

_GAP: Final = 0.12
"""Seconds to leave others the lock then: SQLite's waiting writers look ten times a second."""

_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_ABORTED: Final = "25P02"

Progress = Callable[[int, int], None]
"""Told after each batch how many events are done, and how many there are."""

Wait = Callable[[float], object]
"""Waits for news of the log, so many seconds at most; may come back early."""


@attrs.frozen(kw_only=True)
class Orders:
    """What a run is asked to do.

    Raises:
        InvalidProjection: a batch of no events, or fewer than none to be read.
        Invalid: who is to be told, or to wait, cannot be called; `poll` is no time to wait.
    """

    until: int | None = None
    batch: int = BATCH
    progress: Progress | None = None
    stop: threading.Event = attrs.field(factory=threading.Event)
    wait: Wait | None = None
    poll: float = 1.0
    switch: bool = False

    def __attrs_post_init__(self) -> None:
        if type(self.batch) is not int or self.batch < 1:
            raise InvalidProjection(
                f"A batch holds at least one event, not {self.batch!r}. Leave it out for "
                f"{BATCH:,}.",
                field="batch",
                given=self.batch,
            )
        if self.until is not None and (type(self.until) is not int or self.until < 0):
            raise InvalidProjection(
                f"until is a number of events, 0 or more, not {self.until!r}. Leave it out for "
                "all that the log holds.",
                field="until",
                given=self.until,
            )
        check_seconds(self.poll, "poll")
        check_told(self.progress, "progress")
        check_told(self.wait, "wait", such_as="time.sleep")


class Moved(Exception):
    """Somebody else moved the cursor."""


@attrs.define(kw_only=True)
class Run:
    """One owner's way along the log with one build."""

    site: Site
    projection: Projection
    key: Build
    fence: int
    orders: Orders
    wait: Wait | None = None
    width: int = _FIRST
    position: int = 0
    size: int = 0
    applied: int = 0
    parked: int = 0
    stuck_at: int | None = None
    beaten: float = 0.0
    memory: dict[str, Any] = attrs.field(factory=dict)

    def go(self) -> Outcome:
        """Run to the head (or to `until`), or for ever where there is something to wait with."""
        status = self._refresh()
        telling.parked(self.site, self.key)
        while status is None:
            goal = self._goal()
            telling.lag(self.site, self.key, position=self.position, size=self.size)
            if self.orders.stop.is_set():
                status = "stopped"
            elif self.position < goal:
                status = self._advance(goal)
            elif self.wait is None:
                self._make_effects()
                status = "caught_up"
            else:
                self._make_effects()
                status = self._idle()
        return self.outcome(status)

    def outcome(self, status: Status) -> Outcome:
        """What came of it so far."""
        return Outcome(
            name=self.key.name,
            version=self.key.version,
            build=self.key.build,
            status=status,
            position=self.position,
            size=self.size,
            applied=self.applied,
            parked=self.parked,
        )

    def step(self, conn: Connection, start: int, stop: int) -> None:
        """Take the events from `start` to before `stop`, in the transaction of `conn`.

        Raises:
            Moved: the cursor is not at `start`, or not ours any more.
            ProjectionFailed: an event could not be taken.
        """
        if not self._move(conn, start, stop):
            raise Moved
        page = Page(
            conn=conn,
            tables=self.site.tables,
            log_id=self.key.log_id,
            start=start,
            stop=stop,
            memory=self.memory,
        )
        with collector_paused():
            take(self.site, self.projection, self.key, page)
        if self.stuck_at is not None and start <= self.stuck_at < stop:
            cursors.unpark(conn, self.site.tables, self.key, self.stuck_at)
            telling.parked(self.site, self.key, conn)

    def _move(self, conn: Connection, start: int, stop: int) -> bool:
        now = self.site.clock()
        return cursors.move(
            conn, self.site.tables, self.key, start=start, stop=stop, fence=self.fence, now=now
        )

    def _goal(self) -> int:
        with self.site.reading() as conn:
            self.size = self.site.size(conn)
        return self.size if self.orders.until is None else min(self.orders.until, self.size)

    def _refresh(self) -> Status | None:
        """Look where the cursor stands; "elsewhere" where it is not ours."""
        with self.site.reading() as conn:
            held = cursors.cursor(conn, self.site.tables, self.key)
            noted = cursors.parked(conn, self.site.tables, self.key)
        if held is None or held.fence != self.fence:
            return "elsewhere"
        self.position = held.position
        self.stuck_at = next((one.sequence for one in noted if one.kind == "stopping"), None)
        return None

    def _advance(self, goal: int) -> Status | None:
        """Go on to a goal by batches, which grow as long as they take no time worth mentioning."""
        failures = 0
        while self.position < goal and not self.orders.stop.is_set():
            stop = min(self.position + min(self.width, self.orders.batch), goal)
            begun = time.monotonic()
            try:
                with telling.batch(self.site, self.key), writing(self.site.bind) as conn:
                    self.step(conn, self.position, stop)
            except Moved:
                self.memory.clear()
                if (status := self._refresh()) is not None:
                    return status
            except ProjectionFailed as failure:
                self.memory.clear()
                if stop - self.position > 1:
                    ahead = failure.sequence - self.position
                    self.width = ahead if ahead > 0 else (stop - self.position) // 2
                elif failures < self.projection.retries:
                    failures += 1
                    self.orders.stop.wait(min(_PAUSE * 2**failures, _LONGEST_PAUSE))
                elif (status := self._set_aside(failure, failures + 1)) is not None:
                    return status
                else:
                    failures = 0
            else:
                failures, many = 0, stop - self.position
                late = time.monotonic() - begun > _LONG
                self.width = max(1, many // 2) if late else min(self.orders.batch, self.width * 2)
                self._passed(stop)
                if late and self.site.bind.dialect.name == "sqlite":
                    self.orders.stop.wait(_GAP)
                self._make_effects()
        return None

    def _passed(self, stop: int) -> None:
        self.applied += stop - self.position
        self.position = stop
        telling.lag(self.site, self.key, position=stop, size=self.size)
        if self.orders.progress is not None:
            self.orders.progress(stop, self.size)

    def _set_aside(self, failure: ProjectionFailed, attempts: int) -> Status | None:
        """Park the event at the cursor and pass it, or note that it stops the build.

        Raises:
            InvalidProjection: a table is gone: that is no event's fault, and each would be parked.
        """
        kind: Kind = "parked" if self.projection.on_failure == "park" else "stopping"
        start = self.position
        with writing(self.site.bind) as conn:
            if gone := building.missing(conn, self.projection):
                raise InvalidProjection(
                    f"The table {gone[0]} of the projection {self.key.name} v{self.key.version} is "
                    "gone, so it can take no event. Type: "
                    f"ledger.projections.rebuild({self.key.name!r}, in_place=True)",
                    field="tables",
                    given=gone[0],
                ) from failure
            stop = start + 1 if kind == "parked" else start
            if not self._move(conn, start, stop):
                return "elsewhere"
            why = (failure.message, attempts)
            park(conn, self.site, self.key, start, kind=kind, why=why)
        telling.parked(self.site, self.key)
        if kind == "stopping":
            return "failing"
        self.parked += 1
        self._passed(stop)
        return None

    def _make_effects(self) -> None:
        if self.projection.on_live is not None:
            effects = Effects(
                site=self.site,
                projection=self.projection,
                key=self.key,
                fence=self.fence,
                stop=self.orders.stop,
            )
            if many := effects.catch_up(self.position):
                self.parked += many
                telling.parked(self.site, self.key)

    def _idle(self) -> Status | None:
        """Wait for news, and say every now and then that the owner is alive."""
        assert self.wait is not None  # noqa: S101 - go() has looked
        self.wait(self.orders.poll)
        # A sign of life is a commit too: given at each news, it would be news to every other owner.
        if time.monotonic() - self.beaten >= self.orders.poll:
            with writing(self.site.bind) as conn:
                now = self.site.clock()
                alive = cursors.beat(conn, self.site.tables, self.key, self.fence, now)
            self.beaten = time.monotonic()
            if not alive:
                return "elsewhere"
        return self._refresh()


_taking: Final[ContextVar[tuple[str, Engine] | None]] = ContextVar("ledger_taking", default=None)


def refuse_inside(bind: Bind) -> None:
    """Refuse to record while a projection takes an event: it would wait for its own transaction.

    Raises:
        InvalidProjection: one does, on the same engine.
    """
    name, engine = _taking.get() or ("", None)
    if engine is bind.engine:
        raise InvalidProjection(
            f"The projection {name} tried to record while it took an event. It may only write its "
            "own tables; what reacts to events by recording follows the log: "
            "for event in ledger.follow(): ...",
            field="projection",
            given=name,
        )


def take(site: Site, projection: Projection, key: Build, page: Page) -> None:
    """Let a projection take a page, in the transaction that has moved its cursor.

    Raises:
        ProjectionFailed: it could not take an event, or it did not leave the transaction as it was.
    """
    conn = page.conn
    inside = _taking.set((projection.name, conn.engine))
    try:
        if projection.evolve is not None:
            held = cursors.cursor(conn, site.tables, key)
            state = projection.step(None if held is None else held.state, page)
            cursors.change(conn, site.tables, key, state=state)
        elif projection.unguarded:
            projection.take(page)
        else:
            _take_guarded(projection, page)
    finally:
        _taking.reset(inside)


def _take_guarded(projection: Projection, page: Page) -> None:
    """In a savepoint that can be released only where the transaction is the same, and goes on."""
    conn, begun = page.conn, page.conn.begin_nested()
    try:
        projection.take(page)
    except BaseException as failure:
        if begun.is_active:
            with contextlib.suppress(SQLAlchemyError):
                _end_what_is_inside(conn, begun, commit=False)
                begun.rollback()
        if _is_abortion(failure.__cause__):  # a statement behind the one that was passed over
            raise _ended(projection, page, failure.__cause__) from failure.__cause__
        raise
    if not begun.is_active:
        raise _ended(projection, page)
    try:
        _end_what_is_inside(conn, begun, commit=True)
        begun.commit()
    except DBAPIError as error:
        begun.rollback()  # SQLAlchemy's own account of it, which is open yet
        if momentary(error):
            raise
        raise _ended(projection, page, error) from error.orig


def _end_what_is_inside(conn: Connection, begun: NestedTransaction, *, commit: bool) -> None:
    """End the savepoints that a projection has set and left open."""
    while (inner := conn.get_nested_transaction()) is not None and inner is not begun:
        inner.commit() if commit else inner.rollback()


def _is_abortion(error: BaseException | None) -> bool:
    return getattr(getattr(error, "orig", None), "sqlstate", None) == _ABORTED


def _ended(
    projection: Projection, page: Page, error: BaseException | None = None
) -> ProjectionFailed:
    why = (
        "ended the transaction that it was called in; what it committed is stored. Leave out its "
        "commit() and rollback()"
    )
    if _is_abortion(error):
        why = (
            "passed over an error of the database, which undoes all of the transaction. Let it "
            "out, or put what may fail into a savepoint: with conn.begin_nested()"
        )
    return ProjectionFailed(
        f"The projection {projection.name} {why}: its rows and its place in the log belong "
        "together.",
        projection=projection.name,
        sequence=page.start,
    )
