"""The asynchronous door: the same ledger and the same views, awaited.

Nothing is written twice: each method hands that of `Ledger` or `View` of the same name to
`run_sync`, which runs it where it may wait without holding up the event loop. On an asynchronous
engine that is SQLAlchemy's greenlet bridge; where the ledger opens the database itself it is one
worker thread with a synchronous engine, since an asynchronous SQLite driver is a thread too, and
crosses over to it at every statement instead of at every call. What keeps tasks from getting in
each other's way is in `ledger.store.turns`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import importlib.util
import itertools
import os
import threading
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, Final, ParamSpec, Protocol, Self, TypeVar

import attrs
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
)
from sqlalchemy.orm import Session
from sqlalchemy.util import greenlet_spawn

from ledger.appending import Clock, utc_now
from ledger.errors import Invalid, MissingEntry, MissingExtra, StoreError, TimedOut
from ledger.following import Types
from ledger.ledger import Ledger
from ledger.model.events import Recorder, StoredEvent
from ledger.model.moment import Knob
from ledger.projections.difference import Difference
from ledger.store import read, schema
from ledger.store.layout import Layout
from ledger.view import View

__all__ = ["AsyncLedger", "AsyncView"]

AsyncBind = AsyncEngine | AsyncConnection | AsyncSession | async_scoped_session[Any]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_S = TypeVar("_S")
_S_co = TypeVar("_S_co", covariant=True)
_AT_ONCE: Final = 1_000
"""How many events are fetched at one crossing: the store's page."""

_LOOK: Final = 0.05
"""How many seconds pass between two looks of one who waits for an event."""


class _Door(Protocol[_S_co]):
    """What has a synchronous twin, and runs its methods."""

    async def run_sync(
        self, work: Callable[Concatenate[_S_co, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T: ...


def _awaited(
    method: Callable[Concatenate[_S, _P], _T],
) -> Callable[Concatenate[_Door[_S], _P], Coroutine[Any, Any, _T]]:
    """The same method, awaited."""

    @functools.wraps(method)
    async def call(self: _Door[_S], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await self.run_sync(method, *args, **kwargs)

    return call


def _viewed(
    method: Callable[Concatenate[Ledger, _P], View],
) -> Callable[Concatenate[AsyncLedger, _P], Coroutine[Any, Any, AsyncView]]:
    """The same method, awaited, with a view whose questions are awaited too."""

    @functools.wraps(method)
    async def call(self: AsyncLedger, /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncView:
        view = await self.run_sync(method, *args, **kwargs)
        return AsyncView(view=view, run=self._run)

    return call


def _iterated(
    method: Callable[Concatenate[_S, _P], Iterator[_T]],
) -> Callable[Concatenate[_Door[_S], _P], AsyncGenerator[_T]]:
    """The same iterator, for `async for`; a page of it is fetched at a time."""

    @functools.wraps(method)
    async def call(self: _Door[_S], /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncGenerator[_T]:
        events = await self.run_sync(method, *args, **kwargs)
        while page := await self.run_sync(lambda _: list(itertools.islice(events, _AT_ONCE))):
            for one in page:
                yield one

    return call


class AsyncLedger:
    """A `Ledger` for asyncio: the same methods, awaited, with the same answers.

    `bind` is an AsyncEngine (the ledger begins and commits), an AsyncConnection, an AsyncSession
    or an async_scoped_session (the host does). A path or URL goes into `await AsyncLedger.open`,
    which makes the tables too. Several tasks may use one AsyncLedger at once, as far as they may
    use what it is bound to: a connection or session belongs to one task.

    A call that is cancelled stores nothing, unless its COMMIT has begun; to be sure, record again
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
        self._worker: _Worker | None = None
        self._run: _Run
        self._ledger: Callable[[], Ledger]
        if isinstance(bind, async_scoped_session):
            self._ledger = lambda: make(bind().sync_session)
            self._run = _bridge(bind)
        elif isinstance(bind, AsyncEngine | AsyncConnection | AsyncSession):
            ledger = make(_bind(bind))
            self._ledger = lambda: ledger
            self._run = _bridge(bind)
        else:
            ledger = make(_synchronous(bind))
            self._ledger = lambda: ledger
            self._run = self._worker = _Worker(ledger)

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

    register = _awaited(Ledger.register)
    register_all = _awaited(Ledger.register_all)
    name = _awaited(Ledger.name)
    record = _awaited(Ledger.record)
    record_all = _awaited(Ledger.record_all)
    relate = _awaited(Ledger.relate)
    merge = _awaited(Ledger.merge)
    withdraw = _awaited(Ledger.withdraw)
    correct = _awaited(Ledger.correct)
    amend = _awaited(Ledger.amend)
    flush = _awaited(Ledger.flush)

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
    position = _awaited(Ledger.position)
    positions = _awaited(Ledger.positions)
    claims = _awaited(Ledger.claims)
    timeline = _awaited(Ledger.timeline)
    contradictions = _awaited(Ledger.contradictions)
    divergences = _awaited(Ledger.divergences)
    trace = _awaited(Ledger.trace)

    async def diff(self, before: AsyncView, after: AsyncView) -> Difference:
        """What a second view shows otherwise than a first: claims learnt, positions changed."""
        return await self.run_sync(Ledger.diff, before.view, after.view)

    # -- the log ----------------------------------------------------------------------------

    events = _iterated(Ledger.events)
    log = _iterated(Ledger.log)

    async def follow(
        self,
        *,
        after: int = -1,
        stream: str | None = None,
        types: Types | None = None,
        stop: Callable[[], bool] | None = None,
        poll: float = 1.0,
        idle: Callable[[int], object] | None = None,
    ) -> AsyncGenerator[StoredEvent]:
        """The events beyond `after`, then each that is committed: once, in order, without end.

        It looks every `poll` seconds, and ends when `stop()` is true or its task is cancelled.
        `idle` is told up to which sequence it has looked, each time all is read.

        Raises:
            StoreError: the ledger is bound to a host's connection or session.
            MissingEntry: the log ends before `after`: it was restored from an older copy, or cut.
        """
        last = max(after, -1)
        while not (stop and stop()):
            size = await self.run_sync(_size)  # what is stored meanwhile may be read, or next time
            if size <= last:
                raise MissingEntry(
                    f"Everything up to sequence {last} was read already, but the log holds {size} "
                    "events: it was restored from an older copy, or cut.",
                    sequence=size,
                )
            async for one in self.events(after=last, stream=stream, types=types):
                if stop and stop():
                    return
                yield one
                last = one.sequence
            last = max(last, size - 1)
            if idle:
                idle(last)
            await asyncio.sleep(poll)

    async def wait_for(self, sequence: int, *, timeout: float = 10.0) -> bool:  # noqa: ASYNC109
        """True as soon as this database shows the event at a sequence (a replica may be late).

        Raises:
            TimedOut: it did not within `timeout` seconds.
            StoreError: the ledger is bound to a host's connection or session.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + timeout
        while (size := await self.run_sync(_size)) <= sequence:
            if clock() >= end:
                raise TimedOut(
                    f"The event at sequence {sequence} did not come within {timeout:g} seconds: "
                    f"the log holds {size} events.",
                    sequence=sequence,
                    head=size - 1,
                )
            await asyncio.sleep(min(_LOOK, max(0.0, end - clock())))
        return True

    checkpoint = _awaited(Ledger.checkpoint)
    verify = _awaited(Ledger.verify)


@attrs.frozen(kw_only=True, eq=False)
class AsyncView:
    """A `View` whose questions are awaited; made by `AsyncLedger.as_of` and `replay`."""

    view: View
    _run: _Run = attrs.field(repr=False)

    async def run_sync(
        self, work: Callable[Concatenate[View, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a function that takes a `View`, such as a report, and give what it returns."""
        return await self._run(functools.partial(work, self.view, *args, **kwargs))

    @property
    def said(self) -> Knob:
        """By when it had been said."""
        return self.view.said

    @property
    def known(self) -> Knob | int | None:
        """By when it was known, as it was asked for."""
        return self.view.known

    @property
    def basis(self) -> int:
        """The number of events it is computed from."""
        return self.view.basis

    @property
    def settled(self) -> bool:
        """Whether the log has gone past what was asked for as known."""
        return self.view.settled

    def __str__(self) -> str:
        return str(self.view)

    position = _awaited(View.position)
    positions = _awaited(View.positions)
    timeline = _awaited(View.timeline)
    contradictions = _awaited(View.contradictions)
    divergences = _awaited(View.divergences)
    claims = _awaited(View.claims)
    trace = _awaited(View.trace)
    resolve = _awaited(View.resolve)
    denoted = _awaited(View.denoted)
    memberships = _awaited(View.memberships)
    parties = _awaited(View.parties)
    topics = _awaited(View.topics)
    propositions = _awaited(View.propositions)
    documents = _awaited(View.documents)


def _size(ledger: Ledger) -> int:
    """How many events another transaction sees."""
    folded = ledger.appender.folded
    if not isinstance(folded.host, Engine):
        raise StoreError(
            "A ledger bound to a host's connection or session cannot wait for events: its "
            "transaction would stay open meanwhile, and might never show them. Wait with one bound "
            "to the engine: AsyncLedger(engine)"
        )
    with folded.reading() as conn:
        head = read.head(conn, folded.tables, folded.origin)
    return 0 if head is None else head.size


# -- where it runs ------------------------------------------------------------------------------


class _Run(Protocol):
    """A place in which synchronous work is done while the event loop goes on."""

    async def __call__(self, work: Callable[[], _T], /) -> _T: ...


def _bridge(bind: AsyncBind) -> _Run:
    """SQLAlchemy's bridge; on one connection or session one call after another."""
    if importlib.util.find_spec("greenlet") is None:
        raise MissingExtra(
            "async", needs="greenlet", purpose=f"A ledger on an {type(bind).__name__}"
        )
    if isinstance(bind, AsyncEngine | async_scoped_session):
        return _bridged
    turn = asyncio.Lock()

    async def run(work: Callable[[], _T], /) -> _T:
        async with turn:
            return await _bridged(work)

    return run


async def _bridged(work: Callable[[], _T], /) -> _T:
    try:
        return await greenlet_spawn(work)  # an AsyncEngine has no `run_sync` of its own
    except asyncio.CancelledError as error:
        # Until the cursor of a SELECT that was cut short is gone, SQLite keeps its lock.
        traceback.clear_frames(error.__traceback__)
        raise


def _bind(bind: AsyncEngine | AsyncConnection | AsyncSession) -> Engine | Connection | Session:
    """What a synchronous ledger is bound to inside the bridge."""
    match bind:
        case AsyncEngine():
            return bind.sync_engine
        case AsyncSession():
            return bind.sync_session
        case AsyncConnection(sync_connection=Connection() as connection):
            return connection
        case _:
            raise Invalid(
                "The AsyncConnection has not been started. Write: "
                "async with engine.connect() as connection: ... AsyncLedger(connection)",
                field="bind",
                given=bind,
            )


def _synchronous(target: str | os.PathLike[str]) -> str:
    """The target without the driver that an application's own engine may have in its URL."""
    if not isinstance(target, str) and not hasattr(target, "__fspath__"):
        raise Invalid(
            "An AsyncLedger is bound to an AsyncEngine, an AsyncConnection or an AsyncSession, not "
            f"to {type(target).__name__}. For a path write await AsyncLedger.open(path); for a "
            "synchronous Engine, Connection or Session, Ledger.",
            field="bind",
            given=target,
        )
    text = os.fspath(target)
    if "+" not in text.partition("://")[0]:
        return text
    url = make_url(text)
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)


class _Worker:
    """One thread, in which a ledger that opened its database itself does one call after another."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._abandoned = threading.Event()  # the call that is running now was cancelled
        engine = ledger.appender.folded.bind.engine
        for moment in ("before_cursor_execute", "commit"):
            event.listen(engine, moment, self._refuse_abandoned)

    async def __call__(self, work: Callable[[], _T], /) -> _T:
        abandoned = threading.Event()

        def call() -> _T:
            self._abandoned = abandoned
            return work()

        context = contextvars.copy_context()
        job = asyncio.get_running_loop().run_in_executor(self._thread, context.run, call)
        try:
            return await job  # cancelled before its turn, it is never run
        except asyncio.CancelledError:
            abandoned.set()
            raise

    def _refuse_abandoned(self, *_: object) -> None:
        if self._abandoned.is_set():
            raise asyncio.CancelledError

    async def close(self) -> None:
        """Close the ledger behind the calls that are waiting."""
        await self(self._ledger.close)
        self._thread.shutdown(wait=False)
