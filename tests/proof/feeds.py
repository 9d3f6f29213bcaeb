"""The ways to tail a log, by name, right ones and a wrong one.

A feed yields each event's sequence and the name its writer gave it, as they come, until its reader
has had enough or it has lost patience and tells what it saw.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from ledger.aio import AsyncLedger
from ledger.codec.envelope import opened
from ledger.model.events import StoredEvent
from ledger.store import read, transaction
from tests.proof.paths import asynchronous
from tests.proof.places import PATIENCE, TABLES, Place, engine, ledger

Feed = Callable[[Place], Generator[tuple[int, str], None, None]]
PAGE: Final = 97
"""An odd page, so that its end falls inside appends."""


def name_of(event) -> str:
    return event.event.key


def polled(place: Place) -> Generator[tuple[int, str], None, None]:
    """`Ledger.events(after=last)`, again and again."""
    mine, last, give_up = ledger(place), -1, time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        for event in mine.events(after=last, limit=PAGE):
            last = event.sequence
            yield last, name_of(event)
        time.sleep(0.002)


def followed(place: Place) -> Generator[tuple[int, str], None, None]:
    """`Ledger.follow`, woken by the writers' commits."""
    give_up = time.monotonic() + PATIENCE
    with contextlib.closing(ledger(place).follow(stop=lambda: time.monotonic() > give_up)) as all_:
        for event in all_:
            yield event.sequence, name_of(event)


def awaited(place: Place) -> Generator[tuple[int, str], None, None]:
    """`AsyncLedger.follow` on an AsyncEngine, a step of its loop at a time."""
    give_up = time.monotonic() + PATIENCE
    with asyncio.Runner() as runner:
        bind = create_async_engine(asynchronous(place.url))
        events = AsyncLedger(bind, origin=place.origin).follow(
            stop=lambda: time.monotonic() > give_up, poll=0.02
        )
        try:
            with contextlib.suppress(StopAsyncIteration):
                while True:
                    event = runner.run(_next(events))
                    yield event.sequence, name_of(event)
        finally:
            runner.run(events.aclose())
            runner.run(bind.dispose())


async def _next(events: AsyncGenerator[StoredEvent]) -> StoredEvent:
    return await anext(events)


def by_event_id(place: Place) -> Generator[tuple[int, str], None, None]:
    """WRONG on purpose: resumes after the largest event id, which was made before the lock."""
    event, last = TABLES.event, ""
    while True:
        with transaction.reading(engine(place.url)) as conn:
            head = read.head(conn, TABLES, place.origin)
            assert head is not None
            query = sa.select(event.c.id).where(event.c.log_id == head.log_id, event.c.id > last)
            ids = conn.scalars(query.order_by(event.c.id).limit(PAGE)).all()
            rows = [read.row_by_id(conn, TABLES, head.log_id, one) for one in ids]
        for row in rows:
            assert row is not None
            last = row.id
            yield row.seq, name_of(opened(row))


FEEDS: Final[dict[str, Feed]] = {
    "events(after=)": polled,
    "follow()": followed,
    "AsyncLedger.follow()": awaited,
}
IN_MEMORY: Final = {name: feed for name, feed in FEEDS.items() if feed is not awaited}
"""Those that read a database in memory: an asynchronous driver would open one of its own."""
