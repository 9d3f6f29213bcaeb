"""Waiting for the next commit on asyncio: what wakes a follower, on each driver.

The order is that of `ledger.store.follow`: arm, pull, wait, rest. What is heard says nothing of
what is new, and where nothing can be heard one looks four times a second.

```
aiosqlite         PRAGMA data_version, and the signal of this process, after pauses of 1 to 20 ms
psycopg, asyncpg  LISTEN on a connection of its own, reconnected when it is lost
own database      what wakes threads, in a thread for each follower
```
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import functools
import importlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.util import greenlet_spawn

from ledger.store.follow import (
    LONGEST,
    RECONNECT,
    SHORTEST,
    SLICE,
    UNHEARD,
    OwnConnection,
    Stopped,
    channel,
    waiting,
    watcher,
)
from ledger.store.layout import Layout

_T = TypeVar("_T")


class Waker(Protocol):
    """What wakes one task."""

    @property
    def armed(self) -> bool:
        """Whether commits are noticed."""

    async def arm(self, log_id: int | None) -> None:
        """Notice commits from here on; `log_id` is None while the log is not there."""

    async def wait(self, seconds: float, stopped: Stopped) -> None:
        """Return when there may be something new, when it is to give up, or after some seconds."""

    async def rest(self) -> None:
        """Notice nothing until armed again."""

    async def close(self) -> None:
        """Let go of the database."""


@contextlib.asynccontextmanager
async def waking(engine: Engine, layout: Layout) -> AsyncIterator[Waker]:
    """What wakes a task on an engine; the connection that it may need is closed at the end."""
    waker = _waker(engine, layout)
    try:
        yield waker
    finally:
        await waker.close()


def _waker(engine: Engine, layout: Layout) -> Waker:
    if not engine.dialect.is_async:
        return _InThread(engine, layout)
    match engine.dialect.driver:
        case "aiosqlite":
            return _Looking(engine)
        case "psycopg_async" | "psycopg":
            return _Psycopg(engine, layout)
        case "asyncpg":
            return _Asyncpg(engine, layout)
        case _:
            return _Sleeping()


class _InThread:
    """The waiter of an engine that is not asynchronous."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-follow")
        self._stack = contextlib.ExitStack()
        self._waiter = self._stack.enter_context(waiting(engine, layout))
        self._closed = False

    @property
    def armed(self) -> bool:
        return self._waiter.armed

    async def arm(self, log_id: int | None) -> None:
        await self._run(self._waiter.arm, log_id)

    async def wait(self, seconds: float, stopped: Stopped) -> None:
        await self._run(self._waiter.wait, seconds, lambda: self._closed or stopped())

    async def rest(self) -> None:
        await self._run(self._waiter.rest)

    async def close(self) -> None:
        self._closed = True  # a wait that was cancelled gives up, and then the thread closes
        try:
            await self._run(self._stack.close)
        finally:
            self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[..., _T], *args: Any) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, functools.partial(work, *args))


class _Looking:
    """For SQLite: whether anybody committed is asked again and again."""

    def __init__(self, engine: Engine) -> None:
        self.armed = False
        self._watcher = watcher(engine)

    async def arm(self, log_id: int | None) -> None:  # noqa: ARG002 - a version tells of all logs
        await greenlet_spawn(self._watcher.changed)
        self.armed = True

    async def wait(self, seconds: float, stopped: Stopped) -> None:
        async for _ in _pauses(seconds, stopped, SHORTEST, LONGEST):
            if await greenlet_spawn(self._watcher.changed):
                return

    async def rest(self) -> None:
        self.armed = False

    async def close(self) -> None:
        await greenlet_spawn(self._watcher.close)


class _Listening(abc.ABC):
    """For PostgreSQL: the channel on which each append of a log sends an empty notification."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self.armed = False
        self._layout = layout
        self._own = OwnConnection(engine)
        self._listening = False
        self._retry_at = 0.0
        self.errors: tuple[type[Exception], ...] = (self._own.errors, OSError)

    async def arm(self, log_id: int | None) -> None:
        self.armed = True
        if log_id is None or _now() < self._retry_at:
            return
        try:
            await self._listen(channel(self._layout, log_id))
        except self.errors:
            await self._lose()
        else:
            self._listening = True

    async def wait(self, seconds: float, stopped: Stopped) -> None:
        if not self._listening:
            self.armed = False
            await _sleep(min(seconds, UNHEARD), stopped)
            return
        end = _now() + seconds
        try:
            while not stopped() and (left := end - _now()) > 0:
                if await self._heard(min(left, SLICE)):
                    return
        except self.errors:
            await self._lose()
            self.armed = False

    async def rest(self) -> None:
        self.armed = False

    async def close(self) -> None:
        await greenlet_spawn(self._own.close)

    async def _lose(self) -> None:
        await self.close()
        self._listening = False
        self._retry_at = _now() + RECONNECT

    async def _connection(self) -> Any:
        """The driver's own connection, which knows no greenlets."""
        return (await greenlet_spawn(lambda: self._own.driver)).driver_connection

    @abc.abstractmethod
    async def _listen(self, name: str) -> None:
        """Listen to a channel from here on."""

    @abc.abstractmethod
    async def _heard(self, seconds: float) -> bool:
        """Whether something was heard, after so many seconds at most."""


class _Psycopg(_Listening):
    """It hears only while somebody waits."""

    async def _listen(self, name: str) -> None:
        await self._say(f'LISTEN "{name}"')

    async def _heard(self, seconds: float) -> bool:
        found = (await self._connection()).notifies(timeout=seconds, stop_after=1)
        return bool([one async for one in found])

    async def rest(self) -> None:
        # The server keeps what nobody fetches, for all databases in one queue that can fill up.
        await super().rest()
        if self._listening:
            self._listening = False
            try:
                await self._say("UNLISTEN *")
            except self.errors:
                await self._lose()

    async def _say(self, command: str) -> None:
        connection = await self._connection()
        await connection.set_autocommit(True)  # listening begins at a commit
        await connection.execute(command)


class _Asyncpg(_Listening):
    """Its protocol reads whatever comes at once, so nothing piles up while nobody waits."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        super().__init__(engine, layout)
        driver: Any = importlib.import_module("asyncpg")
        self.errors = (*self.errors, driver.PostgresError, driver.InterfaceError)
        self._news = asyncio.Event()
        self._lost = False

    async def _listen(self, name: str) -> None:
        self._news.clear()
        if self._listening and not self._lost:
            return
        self._lost = False
        connection = await self._connection()
        await connection.add_listener(name, self._told)
        connection.add_termination_listener(self._ended)

    async def _heard(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        if self._lost:
            raise ConnectionResetError
        return self._news.is_set()

    def _told(self, *_: object) -> None:
        self._news.set()

    def _ended(self, _: object) -> None:
        self._lost = True
        self._news.set()


class _Sleeping:
    """For drivers that cannot be listened to here."""

    def __init__(self) -> None:
        self.armed = False

    async def arm(self, log_id: int | None) -> None:  # noqa: ARG002 - nothing is noticed
        self.armed = True

    async def wait(self, seconds: float, stopped: Stopped) -> None:
        await _sleep(min(seconds, UNHEARD), stopped)

    async def rest(self) -> None:
        self.armed = False

    async def close(self) -> None:
        """There is nothing to let go of."""


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _sleep(seconds: float, stopped: Stopped) -> None:
    async for _ in _pauses(seconds, stopped, SLICE, SLICE):
        pass


async def _pauses(
    seconds: float, stopped: Stopped, shortest: float, longest: float
) -> AsyncIterator[None]:
    """Sleep so many seconds in all, in pauses that become longer, and be asked after each."""
    end, pause = _now() + seconds, shortest
    while not stopped() and (left := end - _now()) > 0:
        await asyncio.sleep(min(left, pause))
        yield
        pause = min(2 * pause, longest)
