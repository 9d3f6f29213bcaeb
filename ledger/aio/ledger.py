"""The asynchronous ledger: that of `ledger.ledger`, awaited."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, cast

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
)

from ledger import following
from ledger.aio.awaiting import Method, awaited, iterated
from ledger.aio.cursor import AsyncCursor
from ledger.aio.places import AsyncBind, Run, Worker, bound, bridge, synchronous
from ledger.aio.view import AsyncView
from ledger.aio.waking import Waker, waking
from ledger.appending import Clock, utc_now
from ledger.errors import StoreError
from ledger.handed import Id, ready
from ledger.ledger import Ledger
from ledger.model.events import Recorder, StoredEvent
from ledger.paging import Types
from ledger.projections.difference import Difference
from ledger.store.follow import Stop, never
from ledger.store.layout import Layout
from ledger.store.refusals import passes
from ledger.view import View

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _viewed(
    method: Callable[Concatenate[Ledger, _P], View],
) -> Method[_P, Coroutine[Any, Any, AsyncView]]:
    """The same method, awaited, with a view whose questions are awaited too."""

    @functools.wraps(method)
    async def call(self: AsyncLedger, /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncView:
        view = await self.run_sync(method, *args, **kwargs)
        return AsyncView(view=view, run=self._run)

    return cast("Method[_P, Coroutine[Any, Any, AsyncView]]", call)


class AsyncLedger:
    """A `Ledger` for asyncio: the same methods, awaited, with the same answers.

    `bind` is an AsyncEngine (the ledger begins and commits), an AsyncConnection, an AsyncSession
    or an async_scoped_session (the host does). A path or URL goes into `await AsyncLedger.open`,
    which makes the tables too. Several tasks may use one AsyncLedger at once, as far as they may
    use what it is bound to: a connection or session belongs to one task.

    A cancelled call stores nothing, unless it was being written. To be sure, record again with the
    same id: nothing is stored twice.

    Raises:
        Invalid: `bind` is none of these, or an AsyncConnection that was not started.
        MissingExtra: greenlet is not installed.

    Example:
        >>> async def main() -> tuple[int, ...]:
        ...     async with await AsyncLedger.open(":memory:") as ledger:
        ...         receipt = await ledger.register(Party("az", name="Azerbaijan", kind="state"))
        ...         return receipt.sequences
        >>> from ledger import Party
        >>> asyncio.run(main())
        (0,)
    """

    def __init__(
        self,
        bind: AsyncBind | str | os.PathLike[str],
        *,
        layout: Layout | None = None,
        origin: str = "default",
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> None:
        make = functools.partial(
            Ledger, layout=layout, origin=origin, clock=clock, recorder=recorder
        )
        self._worker: Worker | None = None
        self._run: Run
        self._ledger: Callable[[], Ledger]
        if isinstance(bind, async_scoped_session):
            self._ledger = lambda: make(bind().sync_session)
            self._run = bridge(bind)
        elif isinstance(bind, AsyncEngine | AsyncConnection | AsyncSession):
            ledger = make(bound(bind))
            self._ledger = lambda: ledger
            self._run = bridge(bind)
        else:
            ledger = make(synchronous(bind))
            self._ledger = lambda: ledger
            self._run = self._worker = Worker(ledger)

    @classmethod
    async def open(
        cls,
        target: str | os.PathLike[str],
        *,
        layout: Layout | None = None,
        origin: str | None = None,
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> Self:
        """Open a database by path or URL, and its log; make or upgrade the tables where needed.

        The ledger works in a thread of its own with a synchronous driver, even if the URL names an
        asynchronous one.

        Raises:
            ForeignDatabase: the file belongs to another application, or is no database.
            SchemaNewer: the tables are of a later version of this library.
            Invalid: without `origin` the log is "default", and there are only others.
        """
        log = "default" if origin is None else origin
        ledger = cls(target, layout=layout, origin=log, clock=clock, recorder=recorder)
        try:
            await ledger.run_sync(lambda it: ready(it.appender.folded.bind, it.layout, origin))
        except BaseException:
            await ledger.close()
            raise
        return ledger

    async def run_sync(
        self, work: Callable[Concatenate[Ledger, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a function that takes a `Ledger`, such as an importer, and return its result.

        Example:
            >>> async def main() -> int:
            ...     async with await AsyncLedger.open(":memory:") as ledger:
            ...         return await ledger.run_sync(lambda ledger: ledger.verify().size)
            >>> asyncio.run(main())
            0
        """
        return await self._run(functools.partial(work, self._ledger(), *args, **kwargs))

    async def close(self) -> None:
        """Close the database, if the ledger opened it itself."""
        if self._worker is not None:
            await self._worker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Async{self._ledger()!r}"

    @property
    def layout(self) -> Layout:
        """What the tables are called, and where they live."""
        return self._ledger().layout

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._ledger().origin

    # -- entering ---------------------------------------------------------------------------

    register = awaited(Ledger.register)
    register_all = awaited(Ledger.register_all)
    name = awaited(Ledger.name)
    record = awaited(Ledger.record)
    record_all = awaited(Ledger.record_all)
    relate = awaited(Ledger.relate)
    merge = awaited(Ledger.merge)
    withdraw = awaited(Ledger.withdraw)
    correct = awaited(Ledger.correct)
    amend = awaited(Ledger.amend)
    erase = awaited(Ledger.erase)
    vacuum = awaited(Ledger.vacuum)
    flush = awaited(Ledger.flush)

    @contextlib.asynccontextmanager
    async def tagged(
        self, *, correlation: str | None = None, causation: str | None = None
    ) -> AsyncIterator[None]:
        """Mark every entry that this task makes inside with a correlation and a causation id."""
        with self._ledger().tagged(correlation=correlation, causation=causation):
            yield

    # -- asking -----------------------------------------------------------------------------

    as_of = _viewed(Ledger.as_of)
    replay = _viewed(Ledger.replay)
    position = awaited(Ledger.position)
    positions = awaited(Ledger.positions)
    claims = awaited(Ledger.claims)
    timeline = awaited(Ledger.timeline)
    contradictions = awaited(Ledger.contradictions)
    divergences = awaited(Ledger.divergences)
    explain = awaited(Ledger.explain)
    perspectives = awaited(Ledger.perspectives)
    silences = awaited(Ledger.silences)
    trace = awaited(Ledger.trace)
    resting_on = awaited(Ledger.resting_on)
    attributed_to = awaited(Ledger.attributed_to)
    evidence = awaited(Ledger.evidence)
    check_quotes = awaited(Ledger.check_quotes)

    async def diff(
        self,
        before: AsyncView,
        after: AsyncView,
        *,
        party: Id | None = None,
        topic: Id | None = None,
        proposition: Id | None = None,
    ) -> Difference:
        """What changed between two views: claims that came or went, positions that differ."""
        scope = {"party": party, "topic": topic, "proposition": proposition}
        return await self.run_sync(Ledger.diff, before.view, after.view, **scope)

    # -- the log ----------------------------------------------------------------------------

    events = iterated(Ledger.events)
    log = iterated(Ledger.log)

    async def follow(
        self,
        *,
        after: int = -1,
        stream: str | None = None,
        types: Types | None = None,
        stop: Stop | asyncio.Event | None = None,
        poll: float = 1.0,
        idle: Callable[[int], object] | None = None,
        name: str = "follow",
    ) -> AsyncGenerator[StoredEvent]:
        """The events beyond `after`, then each that is committed: once, in order, without end.

        A commit wakes it, in whatever process; it looks every `poll` seconds as well. It ends when
        `stop` is set (or `stop()` true) or its task is cancelled. `idle` is told up to which
        sequence it has looked, each time all is read. Whoever watches is told of its lag under
        `name`. A server that is away is asked again for half a minute.

        Raises:
            UnknownEventType: one of the types is none.
            StoreError: the ledger is bound to a host's connection or session; or the database
                refused.
            MissingEntry: the log ends before `after`: it was restored from an older copy, or cut.
            Invalid: `after` or `poll` is no number that it can be, or `stop` cannot be asked.
        """
        follower = following.Follower.of(
            self._ledger().appender.folded,
            after=after,
            stream=stream,
            types=types,
            stop=stop,
            poll=poll,
            idle=idle,
            name=name,
        )
        stopped = follower.stopped
        async with self._woken() as waker:
            while not stopped():
                pulled = await self._run(follower.pull)  # what is stored meanwhile comes next
                if pulled is None:
                    await waker.wait(poll, stopped)
                    continue
                if pulled.events:
                    await waker.rest()
                    for one in pulled.events:
                        if stopped():
                            return
                        yield one
                elif pulled.at_end and waker.armed:
                    follower.idle(pulled.last)
                    await waker.wait(poll, stopped)
                follower.last = pulled.last
                if pulled.at_end and not waker.armed:
                    await waker.arm(pulled.log_id)

    @contextlib.asynccontextmanager
    async def _woken(self) -> AsyncIterator[Waker]:
        await self.run_sync(_head)  # which refuses a host's connection or session
        folded = self._ledger().appender.folded
        async with waking(folded.bind.engine, folded.layout) as waker:
            yield waker

    async def wait_for(
        self,
        sequence: int,
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - the same call as that of `Ledger`
        poll: float = 1.0,
    ) -> bool:
        """Wait until this database has the event at a sequence number (a replica may be late).

        Raises:
            TimedOut: it did not within `timeout` seconds; `head` is the last that was there.
            StoreError: the ledger is bound to a host's connection or session.
            Invalid: `sequence`, `timeout` or `poll` is no number that it can be.
        """
        following.check_wait(sequence, timeout, poll)
        clock = asyncio.get_running_loop().time
        end = clock() + timeout
        log_id, size = await self.run_sync(_head)
        if size > sequence:
            return True
        async with self._woken() as waker:
            while True:
                await waker.arm(log_id)
                try:
                    log_id, size = await self.run_sync(_head)
                except StoreError as error:
                    if not passes(error) or clock() >= end:
                        raise
                if size > sequence:
                    return True
                if clock() >= end:
                    raise following.timed_out(sequence, timeout, size)
                await waker.wait(min(poll, max(0.0, end - clock())), never)

    async def cursor(self, name: str) -> AsyncCursor:
        """How far a consumer of yours has read, stored in this database under its name.

        Raises:
            InvalidCursor: the name cannot be used.
        """
        return AsyncCursor(cursor=self._ledger().cursor(name), run=self._run)

    checkpoint = awaited(Ledger.checkpoint)
    prove = awaited(Ledger.prove)
    prove_growth = awaited(Ledger.prove_growth)
    bundle = awaited(Ledger.bundle)
    verify = awaited(Ledger.verify)


def _head(ledger: Ledger) -> tuple[int | None, int]:
    """What `following.head` says of a log, where somebody may wait for more."""
    folded = ledger.appender.folded
    if not isinstance(folded.host, Engine):
        raise following.cannot_wait("Wait with one bound to the engine: AsyncLedger(engine)")
    return following.head(folded)
