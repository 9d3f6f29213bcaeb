"""The log, folded and kept in memory: caught up before every use, folded anew when it is another.

Every question is answered from `Facts`. This keeps those at the log's head, and a few of earlier
sizes. A host may roll back what was folded already, and a file may be replaced by its backup:
before each use the last event known here is compared with the stored one, by its leaf hash.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import Connection

from ledger.codec.entry import Draft
from ledger.codec.envelope import opened
from ledger.errors import InvalidView
from ledger.model.events import StoredEvent
from ledger.model.moment import Knob
from ledger.projections.effective import Facts
from ledger.store import read, schema
from ledger.store.layout import Layout
from ledger.store.tables import tables_for
from ledger.store.transaction import Bind, reading

_KEPT: Final = 4


class Folded:
    """The facts of one log at its head and at a few earlier sizes; hold `lock` while using them."""

    def __init__(self, bind: Bind, layout: Layout, origin: str) -> None:
        self.bind = bind
        self.tables = tables_for(layout)
        self.origin = origin
        self.lock = threading.RLock()
        self._checked = False
        self._log: int | None = None
        self._facts = Facts()
        self._leaf = b""
        self._past: OrderedDict[int, Facts] = OrderedDict()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; on first use it is made sure that the tables are ours."""
        with reading(self.bind) as conn:
            if not self._checked:
                schema.check(conn, self.tables.layout)
                self._checked = True
            yield conn

    @contextlib.contextmanager
    def facts_at(self, size: int) -> Iterator[Facts]:
        """The facts of the first `size` events, for as long as they are used."""
        with self.lock, self.reading() as conn:
            yield self.at(conn, size)

    def log_id(self, conn: Connection) -> int | None:
        """The number of the log in this database, None before its first event."""
        head = read.head(conn, self.tables, self.origin)
        return None if head is None else head.log_id

    def at_head(self, conn: Connection) -> Facts:
        """The facts at the log's last event."""
        if not self._facts.size:  # an empty log may be one that a host has rolled back since
            self._log = self.log_id(conn)
        if self._log is None:
            return self._facts
        if not self._follow(conn, self._log):
            self._forget()
            self._log = self.log_id(conn)
            if self._log is not None:
                self._follow(conn, self._log)
        return self._facts

    def _follow(self, conn: Connection, log: int) -> bool:
        """Fold what is new; False where the log is not the one folded so far."""
        rows = read.rows(conn, self.tables, log, after=self._facts.size - 2)
        if self._facts.size:
            last = next(rows, None)
            if last is None or last.seq != self._facts.size - 1 or last.leaf_hash != self._leaf:
                return False
        with _collector_paused():
            for row in rows:
                self._facts.apply(opened(row))
                self._leaf = row.leaf_hash
        return True

    def _forget(self) -> None:
        self._facts, self._leaf, self._log = Facts(), b"", None
        self._past.clear()

    def take(self, events: Iterable[StoredEvent], drafts: Sequence[Draft]) -> None:
        """Fold what was appended from here, without reading it back."""
        self._facts.extend(events)
        self._leaf = drafts[-1].leaf_hash

    def at(self, conn: Connection, size: int) -> Facts:
        """The facts of the first `size` events."""
        facts = self.at_head(conn)
        if facts.size == size:
            return facts
        if facts.size < size:
            raise InvalidView(
                f"The view is of {size} events, and the log holds {facts.size}: a transaction was "
                "rolled back since. Ask for a new view with ledger.as_of(...).",
                field="basis",
                given=size,
            )
        if size not in self._past:
            log = self._log if self._log is not None else -1
            rows = read.rows(conn, self.tables, log, until=size) if size else ()
            with _collector_paused():
                self._past[size] = Facts().extend(map(opened, rows))
            while len(self._past) > _KEPT:
                self._past.popitem(last=False)
        self._past.move_to_end(size)
        return self._past[size]

    def events(self, *, after: int, limit: int | None) -> Iterator[StoredEvent]:
        """The events beyond `after` that the log holds now, page by page.

        No transaction and no lock is held while the caller looks at one, so it may record.
        """
        with self.reading() as conn:
            head = read.head(conn, self.tables, self.origin)
        if head is None:
            return
        left = head.size if limit is None else min(limit, head.size)
        while left > 0 and after + 1 < head.size:
            with self.reading() as conn:
                rows = read.rows(
                    conn,
                    self.tables,
                    head.log_id,
                    after=after,
                    until=head.size,
                    limit=min(left, read.PAGE),
                )
                with _collector_paused():
                    page = list(map(opened, rows))
            if not page:
                return
            yield from page
            after, left = page[-1].sequence, left - len(page)

    def size_by(self, conn: Connection, known: Knob, now: dt.datetime) -> int:
        """How many events were known by a date; today's is cut to now.

        Raises:
            InvalidView: the date begins in the future.
        """
        if known.starts() > now:
            raise InvalidView(
                f"known={known} lies in the future: it is {now:%Y-%m-%d %H:%M} UTC now, and nobody "
                "can tell what will be known. Leave known= out for all that is known.",
                field="known",
                given=str(known),
            )
        log = self.log_id(conn)
        return 0 if log is None else read.size_at(conn, self.tables, log, min(known.end(), now))


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from going through all that is read, again and again.

    An event is a few dozen objects, which stay in a fold or on a page; none lies in a circle.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def size_of(sequence: int, facts: Facts) -> int:
    """The size of the prefix that ends with a sequence.

    Raises:
        InvalidView: the log has no such sequence.
    """
    if isinstance(sequence, bool) or not 0 <= sequence < facts.size:
        held = f"{facts.size} events, 0 to {facts.size - 1}" if facts.size else "no events"
        raise InvalidView(
            f"known={sequence} is no sequence of this log, which holds {held}.",
            field="known",
            given=sequence,
        )
    return sequence + 1
