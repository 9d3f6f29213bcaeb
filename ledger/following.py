"""The log as it grows: reading its events in constant memory, and following them as they come.

Here live `events`, `follow` and `wait_for`. What wakes a follower is in `ledger.store.follow`, what
is asked of the database in `ledger.store.read`. No transaction, lock or pooled connection is held
while the caller looks at an event.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Collection, Generator, Iterator
from typing import Any, Final, Protocol

import attrs
from sqlalchemy import Connection, Engine

from ledger import observing
from ledger.codec.converter import type_called
from ledger.codec.entry import Row
from ledger.codec.envelope import opened
from ledger.errors import Invalid, MissingEntry, StoreError, TimedOut
from ledger.model.events import StoredEvent
from ledger.store import read
from ledger.store.collector import collector_paused
from ledger.store.follow import Stop, Stopped, Waiter, never, stopped_of, waiting
from ledger.store.tables import Tables

Types = str | type[Any] | Collection[str | type[Any]]
"""Event types, by stored name or by class; one or several."""

PATIENCE: Final = 30.0
"""For how many seconds a follower goes on asking a server that cannot be reached."""


class Log(Protocol):
    """One log in a database."""

    @property
    def bind(self) -> object:
        """What the ledger is bound to."""

    @property
    def tables(self) -> Tables:
        """The tables it is in."""

    @property
    def origin(self) -> str:
        """Its name."""

    def reading(self) -> contextlib.AbstractContextManager[Connection]:
        """A connection to read with."""


def events(
    log: Log,
    *,
    after: int = -1,
    stream: str | None = None,
    types: Types | None = None,
    limit: int | None = None,
) -> Iterator[StoredEvent]:
    """The events beyond `after` that the log holds now, in order, a page in memory at a time.

    `stream` and `types` leave out others. Neither has an index: the log is read from `after`, or
    from where the stream begins, to where it ends.

    Raises:
        UnknownEventType: One of the types is none.
        Invalid: `after` or `limit` is no number that it can be.
        MissingEntry: An event that the log counts is not there.
    """
    _bounded("after", after, -1)
    if limit is not None:
        _bounded("limit", limit, 0)
    return _events(log, after, limit, _Wanted.of(types, stream))


def follow(
    log: Log,
    *,
    after: int = -1,
    stream: str | None = None,
    types: Types | None = None,
    stop: Stop | None = None,
    poll: float = 1.0,
    idle: Callable[[int], object] | None = None,
    name: str = "follow",
) -> Generator[StoredEvent, None, None]:
    """The events beyond `after`, then each that comes: every one once, in order, without end.

    A commit wakes it; it looks every `poll` seconds as well. `stop` is asked between events and
    while waiting; a `threading.Event` will do. `idle` is told, each time all is read, up to
    which sequence everything was looked at. Lag is reported under `name`. A server that is away is
    asked again for half a minute.

    Raises:
        UnknownEventType: One of the types is none.
        StoreError: The ledger is bound to a host's connection; or the database refused.
        MissingEntry: The log ends before `after`: it was restored from an older copy, or cut.
        Invalid: `after` or `poll` is no number that it can be, or `stop` cannot be asked.
    """
    _bounded("after", after, -1)
    _seconds("poll", poll)
    follower = _Follower(
        log=log,
        engine=_engine_of(log),
        wanted=_Wanted.of(types, stream),
        stopped=stopped_of(stop),
        poll=poll,
        idle=idle or _nothing,
        name=name,
        last=after,
    )
    return follower.events()


def wait_for(log: Log, sequence: int, *, timeout: float = 10.0, poll: float = 1.0) -> bool:
    """True as soon as this database shows the event at a sequence, which a replica may do late.

    Raises:
        TimedOut: It did not within `timeout` seconds; `head` is the last sequence that was there.
        StoreError: The ledger is bound to a host's connection; or the database refused.
        Invalid: `sequence`, `timeout` or `poll` is no number that it can be.
    """
    _bounded("sequence", sequence, 0)
    _seconds("timeout", timeout)
    _seconds("poll", poll)
    engine, end = _engine_of(log), time.monotonic() + timeout
    if _head(log)[1] > sequence:
        return True
    with waiting(engine, log.tables.layout) as waiter:
        log_id = None
        while True:
            waiter.arm(log_id)
            log_id, size = _head(log)
            if size > sequence:
                return True
            left = end - time.monotonic()
            if left <= 0:
                raise TimedOut(
                    f"The event at sequence {sequence} did not come within {timeout:g} seconds: "
                    + (f"the last one is {size - 1}." if size else "the log is empty."),
                    sequence=sequence,
                    head=size - 1,
                )
            waiter.wait(min(left, poll), never)


@attrs.frozen(kw_only=True)
class _Wanted:
    """Which events are wanted; None is any."""

    types: frozenset[str] | None
    stream: str | None

    @classmethod
    def of(cls, types: Types | None, stream: str | None) -> _Wanted:
        if types is None:
            return cls(types=None, stream=stream)
        several = (
            types if isinstance(types, Collection) and not isinstance(types, str) else (types,)
        )
        return cls(types=frozenset(map(type_called, several)), stream=stream)


@attrs.frozen(kw_only=True)
class _Pulled:
    """What one look at the log gave: events, up to where it looked, and the log's size."""

    events: list[StoredEvent]
    last: int
    size: int
    log_id: int | None


def _pull(
    log: Log, wanted: _Wanted, *, after: int, limit: int, until: int | None = None
) -> _Pulled:
    with log.reading() as conn:
        head = read.head(conn, log.tables, log.origin)
        if head is None:
            return _Pulled(events=[], last=after, size=0, log_id=None)
        page = read.page(
            conn,
            log.tables,
            head.log_id,
            after=after,
            until=head.size if until is None else min(until, head.size),
            limit=limit,
            types=wanted.types,
            stream=wanted.stream,
        )
    with collector_paused():
        found = list(map(opened, page.rows))
    return _Pulled(events=found, last=page.last, size=head.size, log_id=head.log_id)


def _events(log: Log, after: int, limit: int | None, wanted: _Wanted) -> Iterator[StoredEvent]:
    last, size, version = _bounds(log, wanted, after)
    left = size if limit is None else limit
    while left > 0 and last + 1 < size:
        pulled = _pull(log, wanted, after=last, limit=min(left, read.PAGE), until=size)
        yield from pulled.events
        if pulled.last == last:  # a host has rolled back what was counted
            return
        last, left = pulled.last, left - len(pulled.events)
        if version is not None and pulled.events and pulled.events[-1].stream_v >= version:
            return


def entries(log: Log, *, until: int) -> Iterator[Row]:
    """The first `until` entries with their slots as stored, in order, a page in memory at a time.

    Raises:
        MissingEntry: One of them is not there.
    """
    last = -1
    while last + 1 < until:
        with log.reading() as conn:
            head = read.head(conn, log.tables, log.origin)
            if head is None:
                raise read.missing_entry(0, size=until)
            page = read.page(conn, log.tables, head.log_id, after=last, until=until)
        yield from page.rows
        last = page.last


def _bounds(log: Log, wanted: _Wanted, after: int) -> tuple[int, int, int | None]:
    """Where to begin, the log's size, and the version that ends a stream."""
    with log.reading() as conn:
        head = read.head(conn, log.tables, log.origin)
        if head is None:
            return after, 0, None
        if wanted.stream is None:
            return after, head.size, None
        extent = read.extent(conn, log.tables, head.log_id, wanted.stream)
    if extent.version < 0:
        return head.size - 1, head.size, None
    return max(after, extent.first - 1), head.size, extent.version


@attrs.define(kw_only=True)
class _Follower:
    """One reader that goes on; `last` is the sequence up to which it has looked."""

    log: Log
    engine: Engine
    wanted: _Wanted
    stopped: Stopped
    poll: float
    idle: Callable[[int], object]
    name: str
    last: int
    lost_at: float | None = None

    def events(self) -> Generator[StoredEvent, None, None]:
        begun = False
        with waiting(self.engine, self.log.tables.layout) as waiter:
            while not self.stopped():
                pulled = self._pull(waiter, begun=begun)
                if pulled is None:
                    continue
                begun = True
                if pulled.events:
                    waiter.rest()
                    for event in pulled.events:
                        if self.stopped():
                            return
                        yield event
                elif pulled.last + 1 == pulled.size and waiter.armed:
                    self.idle(pulled.last)
                    waiter.wait(self.poll, self.stopped)
                self.last = pulled.last
                if pulled.last + 1 >= pulled.size and not waiter.armed:
                    waiter.arm(pulled.log_id)

    def _pull(self, waiter: Waiter, *, begun: bool) -> _Pulled | None:
        """The next page; None where the server is away for the moment."""
        try:
            if not begun:
                self.last = max(self.last, _bounds(self.log, self.wanted, self.last)[0])
            pulled = _pull(self.log, self.wanted, after=self.last, limit=read.PAGE)
        except StoreError as error:
            now = time.monotonic()
            self.lost_at = now if self.lost_at is None else self.lost_at
            if not begun or not _passes(error) or now - self.lost_at > PATIENCE:
                raise
            waiter.wait(self.poll, self.stopped)
            return None
        self.lost_at = None
        if pulled.size <= self.last:
            raise MissingEntry(
                f"Everything up to sequence {self.last} was read already, but the log holds "
                f"{pulled.size} events: it was restored from an older copy, or cut. If that was "
                "meant, follow it from its beginning: after=-1",
                sequence=pulled.size,
            )
        self._report(pulled)
        return pulled

    def _report(self, pulled: _Pulled) -> None:
        if observing.current.observer is None:
            return
        behind, age = pulled.size - 1 - self.last, 0.0
        if pulled.events:
            age = (dt.datetime.now(dt.UTC) - pulled.events[0].recorded).total_seconds()
        observing.lag(
            self.log.origin,
            self.engine.dialect.name,
            self.name,
            events=behind,
            seconds=max(age, 0.0),
        )


def _passes(error: StoreError) -> bool:
    """Whether the same question may be answered later: the server was away, or a lock was held."""
    cause: Any = error.__cause__
    if getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return True
    # psycopg's name for what is no fault of the question.
    return type(cause).__module__.startswith("psycopg") and any(
        cls.__name__ == "OperationalError" for cls in type(cause).__mro__
    )


def _head(log: Log) -> tuple[int | None, int]:
    with log.reading() as conn:
        head = read.head(conn, log.tables, log.origin)
    return (None, 0) if head is None else (head.log_id, head.size)


def _engine_of(log: Log) -> Engine:
    if isinstance(log.bind, Engine):
        return log.bind
    raise StoreError(
        "A ledger bound to a host's connection or session cannot wait for events: its transaction "
        "would stay open meanwhile, and might never show them. Follow with one bound to the "
        "engine: Ledger(connection.engine).follow()"
    )


def _bounded(field: str, given: object, least: int) -> None:
    """Refuse what is no whole number from `least` on."""
    if type(given) is not int or given < least:
        raise Invalid(
            f"{field} must be a whole number, {least} or more, not {given!r}.",
            field=field,
            given=given,
        )


def _seconds(field: str, given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        raise Invalid(
            f"{field} is a number of seconds, 0 or more, not {given!r}.", field=field, given=given
        )


def _nothing(_: int) -> None:
    return None
