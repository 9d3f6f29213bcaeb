"""Where the log stands, and stood at a known-date, from what is kept of it.

Here lives what a view needs before it is asked anything. A size that was found once for an instant
that is past stays; and each place in the log that was looked at makes the next search shorter.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

import attrs
from sqlalchemy import Connection

from ledger.codec.entry import read_instant
from ledger.errors import StoreError
from ledger.folding import Folded
from ledger.narrowing.driver import Driver
from ledger.narrowing.plain import quick, up_to_date
from ledger.narrowing.records import PLACES, Records, held_of
from ledger.narrowing.statements import Statements, statements
from ledger.store import read
from ledger.store.fetching import fetched
from ledger.store.held import Held
from ledger.store.types import stored_instant


class Stored:
    """A log in one moment as the database tells it, inside a transaction."""

    def __init__(self, conn: Connection, folded: Folded) -> None:
        self._conn, self._tables = conn, folded.tables
        self._head = read.head(conn, folded.tables, folded.origin)
        self.size = 0 if self._head is None else self._head.size
        self.last = None if self._head is None else self._head.known_at

    def recorded_at(self, sequence: int) -> dt.datetime:
        """When an event was recorded."""
        return read.recorded_at(self._conn, self._tables, self._log, sequence)

    def size_at(self, instant: dt.datetime) -> int:
        """How many events were known at an instant."""
        return read.size_at(self._conn, self._tables, self._log, instant) if self._head else 0

    @property
    def _log(self) -> int:
        return -1 if self._head is None else self._head.log_id


@attrs.frozen
class AtOnce:
    """The same as one statement told it; the little that is asked beyond stays as it was."""

    size: int
    last: dt.datetime | None
    _log_id: int
    _folded: Folded

    def recorded_at(self, sequence: int) -> dt.datetime:
        """When an event was recorded."""
        with self._folded.reading() as conn:
            return read.recorded_at(conn, self._folded.tables, self._log_id, sequence)

    def size_at(self, instant: dt.datetime) -> int:
        """How many events were known at an instant."""
        if self.last is None or instant >= self.last:
            return self.size
        with self._folded.reading() as conn:
            return min(read.size_at(conn, self._folded.tables, self._log_id, instant), self.size)


@attrs.frozen
class Heading:
    """A log in one moment, told by what is kept of it and by single look-ups."""

    size: int
    last: dt.datetime
    _driver: Driver
    _texts: Statements
    _held: Records

    def recorded_at(self, sequence: int) -> dt.datetime:
        """When an event was recorded."""
        rows = self._driver.rows(self._texts.recorded, (self._held.log_id, sequence))
        if not rows:
            raise StoreError(f"The event at sequence {sequence} could not be read. Ask again.")
        return read_instant(rows[0][0])

    def size_at(self, instant: dt.datetime) -> int:
        """How many events were known at an instant."""
        if instant >= self.last:
            return self.size
        places = self._held.places
        if (found := places.sizes.get(instant)) is not None:
            return found
        low, high = places.between(instant, self.size)
        while low < high:
            middle = (low + high) // 2
            recorded = self.recorded_at(middle)
            if middle < self._held.size:
                places.note(middle, recorded)
            if recorded <= instant:
                low = middle + 1
            else:
                high = middle
        if low < self._held.size and len(places.sizes) < PLACES:
            places.sizes[instant] = low
        return low


Moment = Stored | AtOnce | Heading
"""A log in one moment: how many events it holds, and when the last of them was recorded."""


def _heading(folded: Folded, driver: Driver) -> Heading | None:
    """Where the log stands now; None where that has to be read through a transaction."""
    held = held_of(folded.fold)
    if held is None:
        return None
    texts = statements(folded.tables, held.build, "sqlite")
    if not up_to_date(driver, folded, held):
        return None
    if held.head is None or held.headed != held.version:
        rows = driver.rows(texts.head, (held.log_id,))
        if not rows or rows[0][1] is None or driver.version() != held.version:
            return None
        held.head = rows[0][0], read_instant(rows[0][1])
        held.headed = held.version
    return Heading(*held.head, driver, texts, held)


def _at_once(folded: Folded) -> AtOnce | None:
    """Where the log stands now, by one statement; None where it cannot be asked so, or is not."""
    log = folded.tables.layout.qualified("log")
    query = f"SELECT id, size, known_at FROM {log} WHERE origin = ?"  # noqa: S608 - a checked name

    def ask(conn: Held) -> AtOnce | None:
        rows = fetched(conn, query, (folded.origin,))
        if not rows:
            return None
        log_id, size, known_at = rows[0]
        return AtOnce(size, known_at and stored_instant(known_at), log_id, folded)

    return folded.at_once(ask)


@contextlib.contextmanager
def moment(folded: Folded) -> Iterator[Moment]:
    """The log as it stands now."""
    driver = quick(folded)
    if driver is not None:
        with folded.fold.lock:
            found = _heading(folded, driver)
            if found is not None:
                yield found
                return
    if (at_once := _at_once(folded)) is not None:
        yield at_once
        return
    with folded.reading() as conn:
        yield Stored(conn, folded)
