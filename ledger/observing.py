"""What a ledger tells of its work: spans and metrics, and nobody who listens unless asked to.

Here live the names of what can be watched and the one place where a watcher is set. Who turns them
into OpenTelemetry is `ledger.otel`; off, each call costs one look-up.

```
span                        around
ledger.append               one append: the head is locked, the rows are written
ledger.project              one batch of events, applied by a projection

metric                      unit         kind        what
ledger.append.duration      s            histogram   until the rows are written, or refused
ledger.append.events        {event}      histogram   how many events one append stored
ledger.append.size          By           histogram   their entries and slots
ledger.append.conflicts     {conflict}   counter     refused, for the ledger holds something else
ledger.append.retries       {retry}      counter     another came first, so it was prepared again
ledger.log.head             {event}      gauge       how many events the log held after the append
ledger.consumer.lag.events  {event}      gauge       events that a consumer has not seen yet
ledger.consumer.lag.time    s            gauge       for how long its oldest unseen event has waited
ledger.consumer.parked      {event}      gauge       events that a projection set aside or waits for
```

Names and units follow OpenTelemetry's semantic conventions, as do the attributes `db.system.name`
and `error.type`; `ledger.log.origin` and `ledger.consumer.name` are ours.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Literal, NamedTuple, Protocol, Self, TypeAlias

from ledger.errors import Conflict

Attributes = Mapping[str, str | int | float]


class Metric(NamedTuple):
    """What is measured: a name, what becomes of its values, their unit (UCUM), a sentence."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    description: str


DURATION: Final = Metric("ledger.append.duration", "histogram", "s", "Duration of appends")
EVENTS: Final = Metric("ledger.append.events", "histogram", "{event}", "Events in one append")
SIZE: Final = Metric("ledger.append.size", "histogram", "By", "Bytes stored by one append")
CONFLICTS: Final = Metric("ledger.append.conflicts", "counter", "{conflict}", "Appends refused")
RETRIES: Final = Metric("ledger.append.retries", "counter", "{retry}", "Appends prepared again")
HEAD: Final = Metric("ledger.log.head", "gauge", "{event}", "Events in the log")
LAG_EVENTS: Final = Metric("ledger.consumer.lag.events", "gauge", "{event}", "Events unseen")
LAG_TIME: Final = Metric("ledger.consumer.lag.time", "gauge", "s", "Age of the oldest unseen event")
PARKED: Final = Metric("ledger.consumer.parked", "gauge", "{event}", "Events set aside")
METRICS: Final = (
    *(DURATION, EVENTS, SIZE, CONFLICTS, RETRIES),
    *(HEAD, LAG_EVENTS, LAG_TIME, PARKED),
)


class Span(Protocol):
    """A piece of work under way; OpenTelemetry's own spans are such."""

    def set_attribute(self, key: str, value: str | float) -> None:
        """Say something about it that was not known at its beginning."""


class Observer(Protocol):
    """Who is told; called from any thread, inside transactions: it must be quick and not raise."""

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Something begins, and ends with the context; an error may come out of it."""

    def measured(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """A value was measured."""


class _Current:
    """The observer of this process, None when nobody listens."""

    __slots__ = ("observer",)

    def __init__(self) -> None:
        self.observer: Observer | None = None


current: Final = _Current()


def use(observer: Observer | None) -> AbstractContextManager[None]:
    """Tell this observer from now on, process-wide; `with` ends it and brings back the one before.

    Example:
        >>> with use(None):
        ...     print(current.observer)
        None
    """
    before, current.observer = current.observer, observer
    return _restoring(before)


@contextlib.contextmanager
def _restoring(before: Observer | None) -> Iterator[None]:
    try:
        yield
    finally:
        current.observer = before


def attributes(origin: str, engine: str, consumer: str | None = None) -> dict[str, str]:
    """Of which log a value tells, on which engine ("sqlite", "postgresql"), of which consumer.

    Example:
        >>> attributes("default", "sqlite")
        {'db.system.name': 'sqlite', 'ledger.log.origin': 'default'}
    """
    told = {"db.system.name": engine, "ledger.log.origin": origin}
    if consumer is not None:
        told["ledger.consumer.name"] = consumer
    return told


def lag(origin: str, engine: str, consumer: str, *, events: int, seconds: float) -> None:
    """How far a consumer is behind: 0 events and 0 seconds when it has seen all."""
    if (observer := current.observer) is not None:
        told = attributes(origin, engine, consumer)
        observer.measured(LAG_EVENTS, events, told)
        observer.measured(LAG_TIME, seconds, told)


def parked(origin: str, engine: str, consumer: str, *, events: int) -> None:
    """How many events a projection has set aside or waits for by now, 0 when none is left."""
    if (observer := current.observer) is not None:
        observer.measured(PARKED, events, attributes(origin, engine, consumer))


def refused(origin: str, engine: str, error: Conflict) -> None:
    """An entry was refused before its append, which a Session's commit would be."""
    if (observer := current.observer) is not None:
        _count(observer, attributes(origin, engine), error)


def _count(observer: Observer, told: Attributes, error: Conflict) -> None:
    observer.measured(CONFLICTS, 1, {**told, "error.type": type(error).__name__})


def projecting(origin: str, engine: str, consumer: str) -> AbstractContextManager[Span]:
    """The span around one batch that a projection applies."""
    if (observer := current.observer) is None:
        return _NOTHING
    return observer.span("ledger.project", attributes(origin, engine, consumer))


def appending(origin: str, engine: str) -> Appending | _Nothing:
    """What goes around one append; a `Conflict` that leaves it is counted by itself.

    Example:
        >>> with appending("default", "sqlite") as append:
        ...     append.retried()
        ...     append.stored(events=2, sizes=(len(entry) for entry in ("{}", "{}")), head=12)
    """
    if (observer := current.observer) is None:
        return _NOTHING
    return Appending(observer, attributes(origin, engine))


class Appending:
    """One append that is watched."""

    __slots__ = ("_attributes", "_done", "_observer", "_span", "_started", "_work")

    def __init__(self, observer: Observer, told: dict[str, str]) -> None:
        self._observer = observer
        self._attributes = told
        self._work = observer.span("ledger.append", told)
        self._done = False

    def __enter__(self) -> Self:
        self._span = self._work.__enter__()
        self._started = time.perf_counter()
        return self

    def retried(self) -> None:
        """Another append came first, so this one is prepared again."""
        self._observer.measured(RETRIES, 1, self._attributes)

    def stored(self, *, events: int, sizes: Iterable[int], head: int) -> None:
        """The rows are written: how many, the bytes of each, how many the log holds now."""
        size = sum(sizes)
        self._done = True
        self._observer.measured(EVENTS, events, self._attributes)
        self._observer.measured(SIZE, size, self._attributes)
        self._observer.measured(HEAD, head, self._attributes)
        self._span.set_attribute(EVENTS.name, events)
        self._span.set_attribute(SIZE.name, size)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        told = self._attributes
        if isinstance(error, Conflict):
            _count(self._observer, told, error)
        if error is not None:
            told = {**told, "error.type": type(error).__name__}
        if self._done or error is not None:
            self._observer.measured(DURATION, seconds, told)
        self._work.__exit__(kind, error, trace)


class _Nothing:
    """What is handed out when nobody listens."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set_attribute(self, key: str, value: str | float) -> None:
        """Nobody listens."""

    def retried(self) -> None:
        """Nobody listens."""

    def stored(self, *, events: int, sizes: Iterable[int], head: int) -> None:
        """Nobody listens; the sizes are not even counted."""


Append: TypeAlias = Appending | _Nothing
"""What `appending` hands out."""

_NOTHING: Final = _Nothing()
