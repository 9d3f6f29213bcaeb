"""Who is measured against whom: our side and what both sides are handed.

The same claims go to both, typed and ready: to make them is not measured. Ours come from a ledger
that recorded the workload, and get new ids; the opponent's are made of the same events.
"""

from __future__ import annotations

import datetime as dt
import gc
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, Protocol

import attrs
from sqlalchemy import Engine

from ledger import Claim, Ledger
from ledger.codec.entry import SLOTS
from ledger.codec.envelope import seal_all
from ledger.model.events import ClaimRecorded, NewEvent, Recorder, Remains
from ledger.projecting import claims as claims_view
from ledger.recording.ids import new_id
from tests.benchmarks import workload
from tests.benchmarks.databases import Fresh
from tests.benchmarks.harness import Prepared, Work
from tests.benchmarks.raw import Counted, Row

FILLING: Final = 1_000
"""How many events are put at once where a log is only filled.

With ten thousand the opponent's pipeline may stand still on PostgreSQL, each end waiting for the
other to read.
"""


class Side(Protocol):
    """One that is measured: it makes events and it stores them."""

    def events(self, count: int) -> list[Any]:
        """The next events."""

    def put(self, events: Sequence[Any]) -> object:
        """Store them in one transaction."""

    def close(self) -> None:
        """Let go of the database."""


@attrs.frozen
class Supply:
    """What both sides are fed with: what claims name, and claims."""

    nouns: Sequence[NewEvent]
    claims: Sequence[ClaimRecorded]


def supply(count: int) -> Supply:
    """The workload as events, of a ledger in memory that recorded it.

    They live for the whole run, and the collector is told to leave them alone.
    """
    with Ledger.open(":memory:") as ledger:
        ledger.register_all(workload.nouns())
        given = iter(workload.claims(count))
        while page := list(itertools.islice(given, 1_000)):
            ledger.record_all(Claim(**fields) for fields in page)
        stored = list(ledger.events())
    nouns = [
        NewEvent(id=one.id, stream=one.stream, stream_v=one.stream_v, event=one.event)
        for one in stored
        if not isinstance(one.event, ClaimRecorded | Remains)
    ]
    found = Supply(nouns, [one.event for one in stored if isinstance(one.event, ClaimRecorded)])
    gc.collect()
    gc.freeze()
    return found


def _opening(claims: Iterator[ClaimRecorded], count: int, now: dt.datetime) -> list[NewEvent]:
    """Claims with new ids, each the first of its stream."""
    ids = [new_id(now) for _ in range(count)]
    return [
        NewEvent(id=id_, stream=id_, stream_v=0, event=event)
        for id_, event in zip(ids, claims, strict=False)
    ]


class Ours:
    """A ledger that holds what claims name; `put` is `ledger.appender.put`."""

    def __init__(self, bind: str | Engine, given: Supply, *, view: bool = False) -> None:
        self.ledger = Ledger.open(bind) if isinstance(bind, str) else Ledger(bind)
        self.put = self.ledger.appender.put
        self._claims = itertools.cycle(given.claims)
        self.put(given.nouns)
        if view:
            self.ledger.projections.add(claims_view(self.ledger.layout))
            self.ledger.projections.ready()

    def events(self, count: int) -> list[NewEvent]:
        """Claims with new ids, each in a stream of its own."""
        return _opening(self._claims, count, dt.datetime.now(dt.UTC))

    def ready(self) -> None:
        """Catch the view up after a fill."""
        self.ledger.projections.ready()

    def close(self) -> None:
        """Let go of the database."""
        self.ledger.close()


class Sealed:
    """Rows that are ready, salted, hashed and encoded, for a bare table with a counter row."""

    def __init__(self, url: str, claims: Sequence[ClaimRecorded]) -> None:
        self._counted = Counted(url)
        self.put = self._counted.put
        self._claims = itertools.cycle(claims)

    def events(self, count: int) -> list[Row]:
        """Rows with new ids, which lack a sequence."""
        now = dt.datetime.now(dt.UTC)
        new = _opening(self._claims, count, now)
        drafts = seal_all(new, log="bare", recorded_at=now, recorder=Recorder())
        return [
            (
                *(one.id, one.type, one.stream, one.stream_v, now, one.entry, one.leaf_hash),
                *map(one.slots.get, SLOTS),
            )
            for one in drafts
        ]

    def close(self) -> None:
        """Let go of the server."""
        self._counted.close()


class Checked:
    """A ledger entered by the front door: `put` is `ledger.record_all`, with all its checks."""

    def __init__(self, url: str, *, view: bool = False) -> None:
        self.ledger = Ledger.open(url)
        self.ledger.register_all(workload.nouns())
        if view:
            self.ledger.projections.add(claims_view(self.ledger.layout))
            self.ledger.projections.ready()
        self.put = self.ledger.record_all
        self._turns = itertools.count()

    def events(self, count: int) -> list[Claim]:
        """Claims that were not recorded yet."""
        given = workload.claims(count, prefix=f"turn-{next(self._turns)}")
        return [Claim(**fields) for fields in given]

    def close(self) -> None:
        """Let go of the database."""
        self.ledger.close()


def fill(side: Side, count: int) -> None:
    """Put so many events, as quickly as may be."""
    for start in range(0, count, FILLING):
        side.put(side.events(min(FILLING, count - start)))


def puts(side: Side, count: int, batch: int) -> Prepared:
    """So many events, so many to a transaction; made before the clock runs."""

    def prepare() -> Work:
        events = side.events(count)
        parts = [events[start : start + batch] for start in range(0, count, batch)]

        def work() -> None:
            for part in parts:
                side.put(part)

        return work

    return prepare


@attrs.frozen(kw_only=True)
class Arena:
    """Where it is measured, with what, and how much of it."""

    sqlite: Fresh
    postgres: Callable[[], Fresh]
    given: Supply
    rounds: int
    filled: int
    replayed: int
    small: int
    large: int
    appended: Mapping[int, int]
    """How many events are put for each size of a batch."""
    seconds: float
    """For how long writers write."""
    crowds: Sequence[int]
    """How many of them at once."""
    _urls: dict[int, str] = attrs.field(factory=dict, init=False)

    def url(self, size: int) -> str:
        """Our log of (at least) so many events in a file, which is filled once."""
        if size not in self._urls:
            self._urls[size] = self.sqlite()
            with closing(Ours(self._urls[size], self.given)) as side:
                fill(side, size)
        return self._urls[size]

    def log(self, size: int) -> Ours:
        """That log, opened."""
        return Ours(self.url(size), Supply((), self.given.claims))
