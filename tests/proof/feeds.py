"""The ways to tail a log, by name, right ones and a wrong one.

A feed never ends: it yields each event's sequence and the name its writer gave it, as they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa

from ledger.codec.envelope import opened
from ledger.store import read, transaction
from tests.proof.paths import TABLES, Place, engine, ledger

Feed = Callable[[Place], Iterator[tuple[int, str]]]
PAGE: Final = 97
"""An odd page, so that its end falls inside appends."""


def name_of(event) -> str:
    return event.event.key


def polled(place: Place) -> Iterator[tuple[int, str]]:
    """`Ledger.events(after=last)`, again and again."""
    mine, last = ledger(place), -1
    while True:
        for event in mine.events(after=last, limit=PAGE):
            last = event.sequence
            yield last, name_of(event)
        time.sleep(0.002)


def by_event_id(place: Place) -> Iterator[tuple[int, str]]:
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


FEEDS: Final[dict[str, Feed]] = {"events": polled}
