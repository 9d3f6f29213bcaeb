"""The ways to tail a log, by name, right ones and a wrong one.

A feed yields each event's sequence and the name its writer gave it, as they come, until its reader
has had enough or it has lost patience.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import Final

import sqlalchemy as sa

from ledger.codec.envelope import opened
from ledger.store import read, transaction
from tests.proof.paths import TABLES, Place, engine, ledger

Feed = Callable[[Place], Generator[tuple[int, str], None, None]]
PAGE: Final = 97
"""An odd page, so that its end falls inside appends."""
PATIENCE: Final = 60
"""Seconds after which a reader that has not come to the end tells what it saw."""


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


FEEDS: Final[dict[str, Feed]] = {"events(after=)": polled, "follow()": followed}
