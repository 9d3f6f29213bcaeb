"""A lock for what threads share and asyncio's tasks share too.

Under SQLAlchemy's asynchronous engines the ledger's synchronous code runs in greenlets, and the
tasks of an event loop are one thread: to a `threading.RLock` they all are its owner, so two of them
could be inside at once. Here a task is an owner of its own, and while it waits the loop goes on.
Transactions are in `transaction`; the database's own locks are none of this file's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from concurrent.futures import Future
from typing import Final
from weakref import WeakKeyDictionary

import attrs
from sqlalchemy import Connection, Engine
from sqlalchemy.pool import Pool, SingletonThreadPool, StaticPool
from sqlalchemy.util import await_only

Lock = contextlib.AbstractContextManager[object]
"""What `with` takes a turn at; the same owner may take it again inside."""


def lock_for(bind: Engine | Connection) -> Lock:
    """The lock that suits who uses an engine: threads, or tasks (of one event loop or of several).

    Example:
        >>> from sqlalchemy import create_engine
        >>> type(lock_for(create_engine("sqlite://"))).__name__
        'RLock'
    """
    return Turn() if bind.dialect.is_async else threading.RLock()


@attrs.define(eq=False)
class OnlyConnection:
    """Whose turn it is at the one connection of an engine, or of one of its threads.

    `held` is that connection inside a transaction of ours; a nested one joins it.
    """

    turn: Lock
    held: Connection | None = None


_only: Final[WeakKeyDictionary[Pool, OnlyConnection]] = WeakKeyDictionary()
_of_threads: Final[WeakKeyDictionary[Pool, threading.local]] = WeakKeyDictionary()
_finding: Final = threading.Lock()


def only_connection(engine: Engine) -> OnlyConnection | None:
    """What an engine's threads or tasks take turns at; None where each call gets a connection.

    SQLAlchemy's own pool of a database in memory has one for each thread, which a host and the
    ledger share there.

    Example:
        >>> from sqlalchemy import create_engine
        >>> only_connection(create_engine("sqlite:///claims.db")) is None
        True
    """
    pool = engine.pool
    if isinstance(pool, SingletonThreadPool):
        with _finding:
            own = _of_threads.setdefault(pool, threading.local())
        if not hasattr(own, "only"):
            own.only = OnlyConnection(threading.RLock())
        found: OnlyConnection = own.only
        return found
    if not isinstance(pool, StaticPool):
        return None
    with _finding:
        return _only.setdefault(pool, OnlyConnection(lock_for(engine)))


class Turn:
    """A reentrant lock that passes from owner to owner in the order of their asking.

    A task waits without holding up its loop, provided that it is inside SQLAlchemy's bridge, as
    every statement on an asynchronous engine must be. A task that is cancelled while it waits
    leaves the queue, and hands on what it was given in the same moment.

    Example:
        >>> turn = Turn()
        >>> with turn, turn:
        ...     "inside"
        'inside'
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()  # held for a few instructions, never while waiting
        self._owner: object = None
        self._depth = 0
        self._waiting: deque[tuple[object, Future[None]]] = deque()

    def __enter__(self) -> None:
        me = _asker()
        with self._guard:
            if self._owner is None or self._owner == me:
                self._owner = me
                self._depth += 1
                return
            place: Future[None] = Future()
            self._waiting.append((me, place))
        try:
            _wait(me, place)
        except BaseException:
            if not place.cancel():  # too late to leave the queue: it is ours already
                self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._depth -= 1
            if not self._depth:
                self._hand_on()

    def _hand_on(self) -> None:
        self._owner = None
        while self._waiting:
            owner, place = self._waiting.popleft()
            if place.set_running_or_notify_cancel():
                self._owner, self._depth = owner, 1
                place.set_result(None)
                return


def _asker() -> object:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop in this thread
        task = None
    return threading.get_ident() if task is None else task


def _wait(asker: object, place: Future[None]) -> None:
    if isinstance(asker, asyncio.Task):
        await_only(asyncio.wrap_future(place))
    else:
        place.result()
