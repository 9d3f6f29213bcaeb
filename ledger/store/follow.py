"""Waiting for the next commit: what wakes a reader, on each engine (store.md, 4).

Here lives how one learns that there may be something new. What is new is read by `read`: a wake-up
says nothing of it, and one that never comes costs time and no event. So whoever waits does it thus:

```
arm     from here on a commit is noticed
pull    whatever was committed before
wait    until a commit is noticed, or some seconds have passed; then pull again, whatever woke it
rest    nobody waits: nothing is noticed, and nothing piles up while the events are worked on
```

```
SQLite file       PRAGMA data_version on a connection that never writes; this process also signals
SQLite in memory  the signal, and a look every twentieth of a second
PostgreSQL        LISTEN on a connection of its own, reconnected when it is lost
other drivers     a look four times a second; an asynchronous one leaves the event loop to others
                  (on asyncio one is woken by `ledger.aio.waking`)
```
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, cast
from weakref import WeakValueDictionary

from sqlalchemy import URL, Engine
from sqlalchemy.pool import PoolProxiedConnection, SingletonThreadPool, StaticPool
from sqlalchemy.util import await_only

from ledger.errors import Invalid
from ledger.model.text import show
from ledger.store.layout import Layout

Stopped = Callable[[], bool]
"""Says whether whoever waits is to give up."""

Stop = Stopped | threading.Event
"""What a host hands in for it."""


def stopped_of(stop: object) -> Stopped:
    """What tells whether to stop: an event's `is_set`, or the function that was handed in.

    Raises:
        Invalid: it is neither.
    """
    if stop is None:
        return never
    asked = getattr(stop, "is_set", stop)
    if not callable(asked):
        raise Invalid(
            f"{show(stop)} cannot be asked whether to stop. Give a threading.Event, or a function "
            "that returns True or False.",
            field="stop",
            given=stop,
        )
    return cast("Stopped", asked)


def never() -> bool:
    """Whoever waits does not give up."""
    return False


SHORTEST: Final = 0.001
LONGEST: Final = 0.02
"""Between two looks at an SQLite file, in seconds; the first looks follow each other faster."""

_IN_MEMORY: Final = 0.05
SLICE: Final = 0.1
"""How soon, in seconds, it is noticed that whoever waits is to give up."""

UNHEARD: Final = 0.25
"""Between two looks where nothing can be heard: no log yet, no listener, another driver."""

RECONNECT: Final = 1.0
"""How long a listener that was lost is done without, in seconds."""


class Waiter(Protocol):
    """What wakes one reader; used by one thread at a time."""

    armed: bool

    def arm(self, log_id: int | None) -> None:
        """Notice commits from here on; `log_id` is None while the log is not there."""

    def wait(self, seconds: float, stopped: Stopped) -> None:
        """Return when there may be something new, when it is to give up, or after some seconds."""

    def rest(self) -> None:
        """Notice nothing until armed again."""

    def close(self) -> None:
        """Let go of the database."""


@contextlib.contextmanager
def waiting(engine: Engine, layout: Layout) -> Iterator[Waiter]:
    """A waiter for an engine; the connection that it may need is its own, and closed at the end."""
    waiter = _waiter(engine, layout)
    try:
        yield waiter
    finally:
        waiter.close()


def _waiter(engine: Engine, layout: Layout) -> Waiter:
    if engine.dialect.is_async or engine.dialect.driver not in {"pysqlite", "psycopg"}:
        return _Poller(engine)
    if engine.dialect.name == "postgresql":
        return _Listener(engine, layout)
    return watcher(engine)


def watcher(engine: Engine) -> _MemoryWatcher | _FileWatcher:
    """What tells of commits on an SQLite database."""
    if isinstance(engine.pool, StaticPool | SingletonThreadPool):
        return _MemoryWatcher(engine)
    return _FileWatcher(engine)


def wake(engine: Engine) -> None:
    """Wake the followers in this process: a transaction was committed on an SQLite database.

    Called after each commit of ours. Nobody depends on it: a follower looks for itself as well.

    Example:
        >>> from sqlalchemy import create_engine
        >>> wake(create_engine("sqlite://"))
    """
    if _signals and engine.dialect.name == "sqlite":
        signal = _signals.get(engine.url)
        if signal is not None:
            signal.give()


class _Signal:
    """A count of commits that can be waited on; one for each database with followers."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.count = 0

    def give(self) -> None:
        with self._condition:
            self.count += 1
            self._condition.notify_all()

    def changed(self, since: int, seconds: float) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self.count != since, seconds)


_signals: Final[WeakValueDictionary[URL, _Signal]] = WeakValueDictionary()
_guard: Final = threading.Lock()


def _signal_of(engine: Engine) -> _Signal:
    with _guard:
        return _signals.setdefault(engine.url, _Signal())


class _MemoryWatcher:
    """For a database that has one connection, which others use in turn."""

    def __init__(self, engine: Engine) -> None:
        self.armed = False
        self._signal = _signal_of(engine)
        self._count = 0

    def arm(self, log_id: int | None) -> None:  # noqa: ARG002 - a signal tells of all logs
        self._count = self._signal.count
        self.armed = True

    def wait(self, seconds: float, stopped: Stopped) -> None:
        if not stopped():
            self._signal.changed(self._count, min(seconds, _IN_MEMORY))
        self.changed()

    def changed(self) -> bool:
        before, self._count = self._count, self._signal.count
        return self._count != before

    def rest(self) -> None:
        self.armed = False

    def close(self) -> None:
        """There is nothing to let go of."""


class _FileWatcher:
    """For a file: `data_version` changes when any other connection, of any process, commits."""

    def __init__(self, engine: Engine) -> None:
        self.armed = False
        self._signal = _signal_of(engine)
        self._own = OwnConnection(engine)
        self._count = 0
        self._version: object = None

    def arm(self, log_id: int | None) -> None:  # noqa: ARG002 - a file's version tells of all logs
        self.changed()
        self.armed = True

    def wait(self, seconds: float, stopped: Stopped) -> None:
        end = time.monotonic() + seconds
        pause = SHORTEST
        while not stopped() and (left := end - time.monotonic()) > 0:
            self._signal.changed(self._count, min(left, pause))
            if self.changed():
                return
            pause = min(2 * pause, LONGEST)

    def changed(self) -> bool:
        before = self._count, self._version
        self._count = self._signal.count
        try:
            # By a cursor: what execute() gives is one to be awaited, with SQLAlchemy 2.0.
            with contextlib.closing(self._own.driver.cursor()) as cursor:
                cursor.execute("PRAGMA data_version")
                self._version = cursor.fetchone()
        except self._own.errors:  # whoever pulls next is told what is wrong with the file
            self._own.close()
            self._version = None
        return (self._count, self._version) != before

    def rest(self) -> None:
        self.armed = False

    def close(self) -> None:
        self._own.close()


class _Listener:
    """For PostgreSQL: the channel on which each append of a log sends an empty notification."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self.armed = False
        self._layout = layout
        self._own = OwnConnection(engine)
        self._listening = False
        self._retry_at = 0.0

    def arm(self, log_id: int | None) -> None:
        self.armed = True
        if log_id is not None and time.monotonic() >= self._retry_at:
            self._say(f'LISTEN "{channel(self._layout, log_id)}"')

    def _say(self, command: str) -> None:
        try:
            self._own.driver.autocommit = True  # listening begins at a commit
            self._own.driver.execute(command)
        except self._own.errors:
            self._lose()
        else:
            self._listening = command.startswith("LISTEN")

    def wait(self, seconds: float, stopped: Stopped) -> None:
        if not self._listening:
            self.armed = False
            _doze(min(seconds, UNHEARD), stopped, time.sleep)
            return
        end = time.monotonic() + seconds
        try:
            while not stopped() and (left := end - time.monotonic()) > 0:
                if list(self._own.driver.notifies(timeout=min(left, SLICE), stop_after=1)):
                    return
        except self._own.errors:
            self._lose()
            self.armed = False

    def _lose(self) -> None:
        self._own.close()
        self._listening = False
        self._retry_at = time.monotonic() + RECONNECT

    def rest(self) -> None:
        # The server keeps what nobody fetches, for all databases in one queue that can fill up.
        self.armed = False
        if self._listening:
            self._say("UNLISTEN *")

    def close(self) -> None:
        self._own.close()


class _Poller:
    """For drivers that cannot be listened to here."""

    def __init__(self, engine: Engine) -> None:
        self.armed = False
        self._sleep = _leave_to_others if engine.dialect.is_async else time.sleep

    def arm(self, log_id: int | None) -> None:  # noqa: ARG002 - nothing is noticed
        self.armed = True

    def wait(self, seconds: float, stopped: Stopped) -> None:
        _doze(min(seconds, UNHEARD), stopped, self._sleep)

    def rest(self) -> None:
        self.armed = False

    def close(self) -> None:
        """There is nothing to let go of."""


def _doze(seconds: float, stopped: Stopped, sleep: Callable[[float], object]) -> None:
    end = time.monotonic() + seconds
    while not stopped() and (left := end - time.monotonic()) > 0:
        sleep(min(left, SLICE))


def _leave_to_others(seconds: float) -> None:
    await_only(asyncio.sleep(seconds))


class OwnConnection:
    """A driver's connection beside the engine's pool, made as the pool makes its own."""

    def __init__(self, engine: Engine) -> None:
        self._pool = engine.pool.recreate()
        self._held: PoolProxiedConnection | None = None
        dbapi: Any = engine.dialect.loaded_dbapi
        self.errors: type[Exception] = dbapi.Error

    @property
    def driver(self) -> Any:
        """The driver's own connection; made at first use, and again after `close`."""
        if self._held is None:
            self._held = self._pool.connect()
            self._held.detach()
        return self._held.dbapi_connection

    def close(self) -> None:
        """Let go of it, lost or not."""
        held, self._held = self._held, None
        if held is not None:
            driver: Any = held.dbapi_connection
            held.invalidate()  # else the pool would reset it first, which a lost one cannot do
            with contextlib.suppress(self.errors):
                driver.close()
        self._pool.dispose()


def channel(layout: Layout, log_id: int) -> str:
    """The name of the channel on which the appends to a log are told.

    A prefix has 31 characters at most and a log's number 19, so it fits into PostgreSQL's 63.

    Example:
        >>> channel(Layout(prefix="claims_"), 1)
        'claims_log_1'
    """
    return f"{layout.table('log')}_{log_id}"
