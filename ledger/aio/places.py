"""Where synchronous work is done while the event loop goes on.

On an asynchronous engine that is SQLAlchemy's greenlet bridge. Where the ledger opens the database
itself it is one worker thread with a synchronous engine: an asynchronous SQLite driver is a thread
too, and crosses over to it at every statement instead of at every call. What keeps tasks from
getting in each other's way is in `ledger.store.turns`.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, overload

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
)
from sqlalchemy.orm import Session
from sqlalchemy.util import greenlet_spawn

from ledger.errors import Invalid, MissingExtra, StoreError
from ledger.ledger import Ledger
from ledger.store.abandoned import gone, refuse_abandoned

AsyncBind = AsyncEngine | AsyncConnection | AsyncSession | async_scoped_session[Any]

_T = TypeVar("_T")


class Run(Protocol):
    """A place in which synchronous work is done while the event loop goes on."""

    async def __call__(self, work: Callable[[], _T], /) -> _T:
        """Do it, and give what it returns."""
        ...


def bridge(bind: AsyncBind) -> Run:
    """SQLAlchemy's bridge; on one connection or session one call after another."""
    if importlib.util.find_spec("greenlet") is None:
        raise MissingExtra(
            "async", needs="greenlet", purpose=f"A ledger on an {type(bind).__name__}"
        )
    if not isinstance(bind, AsyncConnection | AsyncSession):
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


@overload
def bound(bind: AsyncConnection | AsyncSession) -> Connection | Session: ...
@overload
def bound(bind: AsyncEngine) -> Engine: ...
def bound(bind: AsyncEngine | AsyncConnection | AsyncSession) -> Engine | Connection | Session:
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


def synchronous(target: str | os.PathLike[str]) -> str:
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


class Worker:
    """One thread, in which a ledger that opened its database itself does one call after another."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = _thread()
        self._process = os.getpid()
        self._closed = False
        engine = ledger.appender.folded.bind.engine
        for moment in ("before_cursor_execute", "commit"):
            event.listen(engine, moment, refuse_abandoned)

    async def __call__(self, work: Callable[[], _T], /) -> _T:
        """Do it behind the calls that are waiting, with the context variables of this task.

        Raises:
            StoreError: the ledger was closed, and its thread with it.
        """
        if self._closed:
            raise StoreError("The ledger was closed. Open it again: await AsyncLedger.open(...)")
        if self._process != os.getpid():  # a fork takes no thread along
            self._thread, self._process = _thread(), os.getpid()
        abandoned = threading.Event()

        def call() -> _T:
            gone.set(abandoned.is_set)
            try:
                return work()
            except StopIteration as error:  # in a Future it would never be told of
                raise RuntimeError("the work raised StopIteration") from error

        context = contextvars.copy_context()
        job = asyncio.get_running_loop().run_in_executor(self._thread, context.run, call)
        try:
            return await job  # cancelled before its turn, it is never run
        except asyncio.CancelledError:
            abandoned.set()
            raise

    async def close(self) -> None:
        """Close the ledger behind the calls that are waiting."""
        if self._closed:
            return
        await self(self._ledger.close)
        self._closed = True
        self._thread.shutdown(wait=False)


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="ledger")
