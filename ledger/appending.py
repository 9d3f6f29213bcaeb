"""One append: checked and encoded before any lock is taken, and again where another came first.

```
enter    intake makes and checks events against the facts held; a refusal is looked at again
         against the log as it is now
write    one transaction, on the condition that the log still ends where the facts did; else the
         head is locked first, the entries are checked anew, and only what changed is encoded
take     the fold gets what was stored, without reading it back
```
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Final, Self, TypeVar

import attrs
from sqlalchemy import Engine

from ledger import loading, observing
from ledger.codec.envelope import opened
from ledger.errors import AlreadyRecorded, LedgerError
from ledger.folding import Folded
from ledger.model.events import NewEvent, Recorder, StoredEvent
from ledger.narrowing import thrifty
from ledger.projecting import Projections
from ledger.projecting.running import refuse_inside
from ledger.projections.missing import Unheld
from ledger.receipt import Receipt, receipt
from ledger.recording.intake import Intake, Made
from ledger.store import read
from ledger.store.append import Appended
from ledger.store.uncommitted import has_appended
from ledger.storing import Storing
from ledger.unit import Entered, Entry, Unit

T = TypeVar("T")
Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The clock of this machine, in UTC."""
    return dt.datetime.now(dt.UTC)


_NO_TAGS: Final[tuple[str | None, str | None]] = (None, None)
tags: Final[ContextVar[tuple[str | None, str | None]]] = ContextVar("ledger_tags", default=_NO_TAGS)
"""The causation and correlation ids of what is entered now."""


@attrs.define(kw_only=True, eq=False)
class Appender:
    """The write path of one ledger."""

    folded: Folded
    clock: Clock
    recorder: Recorder
    projections: Projections
    _fetching: Self | None = attrs.field(default=None, init=False)
    _storing: Storing = attrs.field(init=False)

    @_storing.default
    def _into_this_log(self) -> Storing:
        return Storing(folded=self.folded, projections=self.projections)

    def append(self, entry: Entry) -> list[Receipt]:
        """Make the events of an entry and store them, all or nothing.

        Raises:
            LedgerError: what speaks against it; `stored` says whether anything may be stored.
        """
        with self.watched() as told:
            return self.thriftily(lambda path: path.append_alone(entry, told))

    def append_alone(self, entry: Entry, told: observing.Append) -> list[Receipt]:
        """The same by this path alone, in a unit of its own."""
        unit = Unit(self.folded.origin)
        self.enter(unit, self.entered(entry))
        return self.write(unit, told)

    def thriftily(self, work: Callable[[Self], T]) -> T:
        """Work done by a fold that fetches what it is asked for, or else by the whole one.

        What raises `Unheld` has stored nothing, and is done once more.
        """
        if (fetching := self.fetching()) is not None:
            with contextlib.suppress(Unheld):
                return work(fetching)
        return work(self)

    def fetching(self) -> Self | None:
        """This path by a fold that fetches what it is asked for, where one can be had."""
        folded = thrifty(self.folded)
        if folded is None:
            return None
        if self._fetching is None or self._fetching.folded is not folded:
            self._fetching = attrs.evolve(self, folded=folded)
        return self._fetching

    def append_at_once(self, entry: Entry) -> list[Receipt]:
        """The same, never pending and in no company: for what others must not wait with."""
        return Appender.append(self, entry)

    def put(self, events: Iterable[NewEvent]) -> Appended:
        """Store typed events as they are, in one append: for bulk loads and copies of a log.

        What they say is not checked against the log; that their streams stand where each event's
        `stream_v` says, and that no id is taken, is. What an event names must come before it, or
        with it: inline views look for it there. The very same events put again are no news: the
        answer is then that of the first time, with `already`.

        Raises:
            Invalid: one of them is no NewEvent, or has no id, stream, version or event.
            CodecError: a field holds what it would not be read with again.
            WrongExpectedVersion: a stream is elsewhere.
            AlreadyRecorded: an id is taken by another content.
        """
        unit = Unit(self.folded.origin)
        entered = self.entered(_as_given)
        entered.new = loading.typed(events)
        unit.entries.append(entered)
        drafts = entered.sealed(entered.new, unit.origin)
        with self.watched() as told:
            try:
                stored = self._storing.put(unit, drafts, told)
            except AlreadyRecorded:
                there = self._there(entered.new)
                if there is None:
                    raise
                return there
        self._storing.finish(stored)
        return stored

    def _there(self, events: Sequence[NewEvent]) -> Appended | None:
        """What an earlier put of these events did; None unless all stand there as they are."""
        with self.folded.connected() as conn:
            tables = self.folded.tables
            head = read.head(conn, tables, self.folded.origin)
            if head is None:
                return None
            rows = [read.row_by_id(conn, tables, head.log_id, new.id) for new in events]
        known = []
        for place, (row, new) in enumerate(zip(rows, events, strict=True)):
            if row is None or rows[0] is None or row.seq != rows[0].seq + place:
                return None
            found = opened(row)
            if (found.event, row.stream, row.stream_v) != (new.event, new.stream, new.stream_v):
                return None
            known.append(row.known_at)
        first = rows[0].seq if rows and rows[0] else head.size
        return Appended(
            log_id=head.log_id, first=first, known=(*known,), size=head.size, already=True
        )

    def load(
        self,
        events: Iterable[NewEvent],
        *,
        chunk: int = loading.CHUNK,
        progress: loading.Progress | None = None,
    ) -> loading.Loaded:
        """Store a stream of typed events as `put` does, in constant memory, an append a chunk.

        What an earlier load has stored of the same stream is passed over, so one that was
        interrupted goes on when it is typed again. `progress` is told after each chunk.

        Raises:
            Invalid, CodecError: as `put`; the chunks before stand.
            AlreadyRecorded: an id is taken by other content; the chunks before stand.
            WrongExpectedVersion: a stream is elsewhere; the chunks before stand.
        """
        return loading.load(self.folded, self.put, events, chunk=chunk, progress=progress)

    # -- entering ---------------------------------------------------------------------------

    def entered(self, entry: Entry) -> Entered:
        """An entry with the circumstances of this moment.

        Raises:
            InvalidProjection: a projection takes an event just now, and is not to record.
        """
        refuse_inside(self.folded.bind)
        causation, correlation = tags.get()
        return Entered(
            entry=entry,
            now=self.clock(),
            recorder=self.recorder,
            causation=causation,
            correlation=correlation,
        )

    def enter(self, unit: Unit, entered: Entered) -> None:
        """Check an entry against the log and the unit's other entries, and put it behind those.

        Raises:
            LedgerError: what speaks against it; the unit is then as it was.
        """
        fold = self.folded.fold
        if fold.fetches or not self._enter_as_held(unit, entered):
            with self.folded.connected() as conn, fold.lock:
                if not fold.goes_on(conn, unit) or not self._made_as_held(unit, entered):
                    fold.at_head(conn)
                    self._make(unit, entered)
        unit.entries.append(entered)

    def _enter_as_held(self, unit: Unit, entered: Entered) -> bool:
        """Check against what is folded already; False where that must be looked at again.

        Another process may have stored what was missed, or a rollback taken what was found.
        """
        fold = self.folded.fold
        with fold.lock:
            if not self.folded.checked:
                return False
            firm = fold.firm and not has_appended(self.folded.bind)
            if not fold.laid(unit) and not (firm and fold.head()):
                return False
            return self._made_as_held(unit, entered)

    def _made_as_held(self, unit: Unit, entered: Entered) -> bool:
        try:
            self._make(unit, entered)
        except LedgerError:
            return False
        return bool(entered.new)

    def _make(self, unit: Unit, entered: Entered) -> None:
        fold = self.folded.fold
        if not fold.laid(unit):
            head = fold.head()
            unit.head = head if not unit.entries or head == unit.head else None
        if unit.entries:
            entered.make(fold.lay(unit))
        else:
            entered.make(fold.facts)

    # -- storing ----------------------------------------------------------------------------

    def watched(self) -> AbstractContextManager[observing.Append]:
        """What goes around one append, for those who watch."""
        return observing.appending(self.folded.origin, self.folded.bind.dialect.name)

    def write(self, unit: Unit, told: observing.Append) -> list[Receipt]:
        """Store what a unit holds, in one append, all or nothing.

        Raises:
            LedgerError: as `append`.
        """
        stored: Appended | None = None
        # Without a last leaf to compare, the number of a log rolled back may now be another log's.
        if unit.head is not None and unit.head.leaf and len(unit) and self._storing.hopeful():
            stored = self._storing.onto(unit, told)
        if stored is None and len(unit):
            stored = self._storing.locked(unit, told)
        events: list[StoredEvent] = []
        if stored is not None:
            events = unit.stored(stored.first, stored.known)
            self._take(unit, events)
            self._storing.finish(stored)
        placed = {one.id: one for one in events}
        return [
            receipt(made, entered.there, placed, stored.size if stored else entered.size)
            for entered in unit.entries
            for made in entered.made
        ]

    def _take(self, unit: Unit, events: Sequence[StoredEvent]) -> None:
        assert unit.head is not None  # noqa: S101 - what was stored was checked against a head
        leaves = [draft.leaf_hash for draft in unit.drafts()]
        with self.folded.fold.lock:
            self.folded.fold.take(unit.head, events, leaves)
            self.folded.fold.firm &= isinstance(self.folded.host, Engine)


def _as_given(_: Intake) -> Iterable[Made]:
    """The entry that makes nothing: the events are there already."""
    return ()
