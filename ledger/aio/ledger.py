"""The asynchronous ledger: that of `ledger.ledger`, awaited."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
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

from ledger import observing
from ledger.aio.awaiting import Method, awaited, iterated
from ledger.aio.cursor import AsyncCursor
from ledger.aio.places import AsyncBind, Run, Worker, bound, bridge, synchronous
from ledger.aio.view import AsyncView
from ledger.aio.waking import Waker, waking
from ledger.appending import Clock, utc_now
from ledger.errors import MissingEntry, StoreError, TimedOut
from ledger.following import Types
from ledger.handed import Id
from ledger.ledger import Ledger
from ledger.model.events import Recorder, StoredEvent
from ledger.projections.difference import Difference
from ledger.store import read, schema
from ledger.store.follow import Stop, never, stopped_of
from ledger.store.layout import Layout
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

    A call that is cancelled stores nothing, unless it was being written; to be sure, record again
    with the same id: what is stored already is not stored twice.

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
        origin: str = "default",
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> Self:
        """Open a database by path or URL; create the tables or upgrade them where needed.

        The ledger then works in a thread of its own, through a synchronous driver; an
        asynchronous one in the URL is passed over.

        Raises:
            ForeignDatabase: the file belongs to another application, or is no database.
            SchemaNewer: the tables are of a later version of this library.
        """
        ledger = cls(target, layout=layout, origin=origin, clock=clock, recorder=recorder)
        try:
            await ledger.run_sync(lambda it: schema.ensure(it.appender.folded.bind, it.layout))
        except BaseException:
            await ledger.close()
            raise
        return ledger

    async def run_sync(
        self, work: Callable[Concatenate[Ledger, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a function that takes a `Ledger`, such as an importer, and give what it returns.

        Example:
            >>> async def main() -> int:
            ...     async with await AsyncLedger.open(":memory:") as ledger:
            ...         return await ledger.run_sync(lambda ledger: ledger.verify().size)
            >>> asyncio.run(main())
            0
        """
        return await self._run(functools.partial(work, self._ledger(), *args, **kwargs))

    async def close(self) -> None:
        """Let go of the database, where the ledger opened it itself."""
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
        """What a second view shows otherwise than a first: claims learnt, positions changed."""
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
        `name`.

        Raises:
            StoreError: the ledger is bound to a host's connection or session.
            MissingEntry: the log ends before `after`: it was restored from an older copy, or cut.
        """
        stopped, last = stopped_of(stop), max(after, -1)
        async with self._woken() as waker:
            while not stopped():
                log_id, size = await self.run_sync(_head)  # what is stored meanwhile comes next
                if size <= last:
                    raise MissingEntry(
                        f"Everything up to sequence {last} was read already, but the log holds "
                        f"{size} events: it was restored from an older copy, or cut.",
                        sequence=size,
                    )
                if behind := size - 1 - last:
                    await waker.rest()
                elif waker.armed:
                    self._tell_lag(name, 0, dt.timedelta())
                    if idle:
                        idle(last)
                    await waker.wait(poll, stopped)
                    continue
                else:
                    await waker.arm(log_id)
                    continue
                async for one in self.events(after=last, stream=stream, types=types):
                    if stopped():
                        return
                    if behind:
                        self._tell_lag(name, behind, dt.datetime.now(dt.UTC) - one.recorded)
                        behind = 0
                    yield one
                    last = one.sequence
                last = max(last, size - 1)

    @contextlib.asynccontextmanager
    async def _woken(self) -> AsyncIterator[Waker]:
        await self.run_sync(_head)  # which refuses a host's connection or session
        folded = self._ledger().appender.folded
        async with waking(folded.bind.engine, folded.layout) as waker:
            yield waker

    def _tell_lag(self, name: str, events: int, age: dt.timedelta) -> None:
        log = self._ledger().appender.folded
        seconds = max(0.0, age.total_seconds())
        observing.lag(log.origin, log.bind.dialect.name, name, events=events, seconds=seconds)

    async def wait_for(
        self,
        sequence: int,
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - the same call as that of `Ledger`
        poll: float = 1.0,
    ) -> bool:
        """True as soon as this database shows the event at a sequence (a replica may be late).

        Raises:
            TimedOut: it did not within `timeout` seconds.
            StoreError: the ledger is bound to a host's connection or session.
        """
        clock = asyncio.get_running_loop().time
        end, log_id = clock() + timeout, None
        if (await self.run_sync(_head))[1] > sequence:
            return True
        async with self._woken() as waker:
            while True:
                await waker.arm(log_id)
                log_id, size = await self.run_sync(_head)
                if size > sequence:
                    return True
                if clock() >= end:
                    raise TimedOut(
                        f"The event at sequence {sequence} did not come within {timeout:g} "
                        f"seconds: the log holds {size} events.",
                        sequence=sequence,
                        head=size - 1,
                    )
                await waker.wait(min(poll, max(0.0, end - clock())), never)

    async def cursor(self, name: str) -> AsyncCursor:
        """How far a consumer of yours has come, kept in this database under its name.

        Raises:
            InvalidCursor: that is no name.
        """
        return AsyncCursor(cursor=self._ledger().cursor(name), run=self._run)

    checkpoint = awaited(Ledger.checkpoint)
    prove = awaited(Ledger.prove)
    prove_growth = awaited(Ledger.prove_growth)
    bundle = awaited(Ledger.bundle)
    verify = awaited(Ledger.verify)


def _head(ledger: Ledger) -> tuple[int | None, int]:
    """The number of the log, and how many events another transaction sees."""
    folded = ledger.appender.folded
    if not isinstance(folded.host, Engine):
        raise StoreError(
            "A ledger bound to a host's connection or session cannot wait for events: its "
            "transaction would stay open meanwhile, and might never show them. Wait with one bound "
            "to the engine: AsyncLedger(engine)"
        )
    with folded.reading() as conn:
        head = read.head(conn, folded.tables, folded.origin)
    return (None, 0) if head is None else (head.log_id, head.size)
