"""The log as it grows: following its events as they come, and waiting for one.

Here live `followed` and `wait_for`, and the steps that whoever waits in another way takes too. What
wakes a follower is in `ledger.store.follow`, how a page is read in `ledger.paging`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Generator
from typing import Final, Self

import attrs
from sqlalchemy import Engine

from ledger import observing
from ledger.errors import MissingEntry, StoreError, TimedOut
from ledger.folding import Folded
from ledger.model.events import StoredEvent
from ledger.model.fields import check_seconds, check_told
from ledger.model.text import check_name
from ledger.paging import Pulled, Types, Wanted, bounded, bounds, pull
from ledger.store import read
from ledger.store.follow import Stopped, never, stopped_of, waiting
from ledger.store.refusals import passes

PATIENCE: Final = 30.0
"""For how many seconds a follower goes on asking a server that cannot be reached."""


def followed(follower: Follower) -> Generator[StoredEvent, None, None]:
    """The events that a follower comes to, a thread waiting for each commit.

    Raises:
        StoreError: The ledger is bound to a host's connection; or the database refused.
        MissingEntry: The log ends before what was read: it was restored from an older copy, or cut.
    """
    return _followed(follower, _engine_of(follower.log))


def wait_for(log: Folded, sequence: int, *, timeout: float, poll: float) -> bool:
    """True as soon as this database shows the event at a sequence, which a replica may do late.

    Raises:
        TimedOut: It did not within `timeout` seconds; `head` is the last sequence that was there.
        StoreError: The ledger is bound to a host's connection; or the database refused.
        Invalid: `sequence`, `timeout` or `poll` is no number that it can be.
    """
    check_wait(sequence, timeout, poll)
    engine, end = _engine_of(log), time.monotonic() + timeout
    log_id, size = head(log)
    if size > sequence:
        return True
    with waiting(engine, log.tables.layout) as waiter:
        while True:
            waiter.arm(log_id)
            try:
                log_id, size = head(log)
            except StoreError as error:
                if not passes(error) or time.monotonic() >= end:
                    raise
            if size > sequence:
                return True
            left = end - time.monotonic()
            if left <= 0:
                raise timed_out(sequence, timeout, size)
            waiter.wait(min(left, poll), never)


def check_wait(sequence: int, timeout: float, poll: float) -> None:
    """Refuse what nobody can wait for.

    Raises:
        Invalid: `sequence`, `timeout` or `poll` is no number that it can be.
    """
    bounded("sequence", sequence, 0)
    check_seconds(timeout, "timeout")
    check_seconds(poll, "poll")


def timed_out(sequence: int, timeout: float, size: int) -> TimedOut:
    """The error of an event that did not come in time."""
    return TimedOut(
        f"The event at sequence {sequence} did not come within {timeout:g} seconds: "
        + (f"the last one is {size - 1}." if size else "the log is empty."),
        sequence=sequence,
        head=size - 1,
    )


@attrs.define(kw_only=True)
class Follower:
    """One reader that goes on; `last` is the sequence up to which it has looked.

    Whoever waits between two looks does it in a way of its own: a thread here, a task in `aio`.
    """

    log: Folded
    wanted: Wanted
    stopped: Stopped
    poll: float
    idle: Callable[[int], object]
    name: str
    last: int
    begun: bool = False
    lost_at: float | None = None

    @classmethod
    def of(
        cls,
        log: Folded,
        *,
        after: int,
        stream: str | None,
        types: Types | None,
        stop: object,
        poll: float,
        idle: Callable[[int], object] | None,
        name: str,
    ) -> Self:
        """A reader of what lies beyond `after`.

        Raises:
            UnknownEventType: one of the types is none.
            Invalid: `after` or `poll` is no number that it can be, or `stop` or `idle` is none.
            InvalidText: `name` is no name.
        """
        wanted = Wanted.of(types, stream)
        bounded("after", after, -1)
        check_seconds(poll, "poll")
        check_told(idle, "idle")
        check_name(name, field="name")
        return cls(
            log=log,
            wanted=wanted,
            stopped=stopped_of(stop),
            poll=poll,
            idle=idle or _nothing,
            name=name,
            last=after,
        )

    def pull(self) -> Pulled | None:
        """The next page; None where the server is away for the moment.

        Raises:
            StoreError: it was away at the first look, or for half a minute; or the database
                refused.
            MissingEntry: the log ends before what was read.
        """
        try:
            if not self.begun:
                self.last = max(self.last, bounds(self.log, self.wanted, self.last)[0])
            pulled = pull(self.log, self.wanted, after=self.last, limit=read.PAGE)
        except StoreError as error:
            now = time.monotonic()
            self.lost_at = now if self.lost_at is None else self.lost_at
            if not self.begun or not passes(error) or now - self.lost_at > PATIENCE:
                raise
            return None
        self.begun, self.lost_at = True, None
        if pulled.size <= self.last:
            raise MissingEntry(
                f"Everything up to sequence {self.last} was read already, but the log holds "
                f"{pulled.size} events: it was restored from an older copy, or cut. If that was "
                "meant, follow it from its beginning: after=-1",
                sequence=pulled.size,
            )
        self._report(pulled)
        return pulled

    def _report(self, pulled: Pulled) -> None:
        if observing.current.observer is None:
            return
        behind, age = pulled.size - 1 - self.last, 0.0
        if pulled.events:
            age = (dt.datetime.now(dt.UTC) - pulled.events[0].recorded).total_seconds()
        observing.lag(
            self.log.origin,
            self.log.bind.dialect.name,
            self.name,
            events=behind,
            seconds=max(age, 0.0),
        )


def _followed(follower: Follower, engine: Engine) -> Generator[StoredEvent, None, None]:
    with waiting(engine, follower.log.tables.layout) as waiter:
        while not follower.stopped():
            pulled = follower.pull()
            if pulled is None:
                waiter.wait(follower.poll, follower.stopped)
                continue
            if pulled.events:
                waiter.rest()
                for event in pulled.events:
                    if follower.stopped():
                        return
                    yield event
            elif pulled.at_end and waiter.armed:
                follower.idle(pulled.last)
                waiter.wait(follower.poll, follower.stopped)
            follower.last = pulled.last
            if pulled.at_end and not waiter.armed:
                waiter.arm(pulled.log_id)


def head(log: Folded) -> tuple[int | None, int]:
    """The number of the log, and how many events another transaction sees."""
    with log.reading() as conn:
        held = read.head(conn, log.tables, log.origin)
    return (None, 0) if held is None else (held.log_id, held.size)


def _engine_of(log: Folded) -> Engine:
    if isinstance(log.bind, Engine):
        return log.bind
    raise cannot_wait("Follow with one bound to the engine: Ledger(connection.engine).follow()")


def cannot_wait(typed: str) -> StoreError:
    """The error of a ledger in a host's transaction; `typed` is what to write instead."""
    return StoreError(
        "A ledger bound to a host's connection or session cannot wait for events: its transaction "
        f"would stay open meanwhile, and might never show them. {typed}"
    )


def _nothing(_: int) -> None:
    return None
