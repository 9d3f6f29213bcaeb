"""How an append that is ready gets into the log, its views with it, and under which lock.

Here live the ways of a unit to the database. What is in it is checked in `ledger.appending`.

```
ride     onto a head that is known, views and all by one statement    PostgreSQL, usual events
onto     onto a head that is known, in a transaction                  the log may have moved: None
locked   the head is locked first, and what was checked is checked again
put      wherever the log stands; most often where the last put has left it
```
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import attrs
from sqlalchemy import Connection

from ledger import observing
from ledger.codec.entry import Draft
from ledger.errors import HeadMoved, LedgerError
from ledger.folding import Folded
from ledger.merkle.tiles import STRIDE
from ledger.model.events import StoredEvent
from ledger.projecting import Projections
from ledger.projecting.inlining import Memories
from ledger.store import append as log
from ledger.store.append import Appended, Head
from ledger.store.batch import ROWS_AT_ONCE
from ledger.store.held import Writer
from ledger.store.riding import Behind
from ledger.store.transaction import writing
from ledger.unit import Unit

_PATIENCE: Final = 16
"""For how many appends the longer way is taken, once another writer, or a view behind, was met."""


@attrs.frozen
class _Left:
    """Where a put has left the log, and what the inline projections kept in mind."""

    head: Head
    memories: Memories


@attrs.define(kw_only=True, eq=False)
class Storing:
    """The ways into one log, and what is hoped of it: that nobody else writes."""

    folded: Folded
    projections: Projections
    _crowded: int = attrs.field(default=0, init=False)
    _on_foot: int = attrs.field(default=0, init=False)
    _left: deque[_Left] = attrs.field(factory=lambda: deque(maxlen=1), init=False)

    def put(self, unit: Unit, drafts: Sequence[Draft], told: observing.Append) -> Appended:
        """Store drafts wherever the log stands.

        Raises:
            WrongExpectedVersion, AlreadyRecorded, InvalidDate: as `ledger.store.append.put`.
        """
        stored, memories = self._put(unit, drafts)
        _tell(told, drafts, stored)
        if drafts:
            self._left.append(_Left(_head_after(stored, drafts[-1]), memories))
        return stored

    def _put(self, unit: Unit, drafts: Sequence[Draft]) -> tuple[Appended, Memories]:
        left = self._hoped() if drafts and self.projections.has_inline else None
        if left is not None:
            try:
                if done := self._ride(unit, left.head, drafts, left.memories):
                    return done
                with self._writing(len(drafts)) as conn:
                    stored = log.append(conn, self.folded.tables, left.head, drafts)
                    self._project(conn, unit, stored, left.memories)
            except HeadMoved:
                self._crowded = _PATIENCE
            else:
                return stored, left.memories
        memories: Memories = {}
        with self._writing(len(drafts)) as conn:
            stored = log.put(conn, self.folded.tables, self.folded.origin, drafts)
            self._project(conn, unit, stored, memories)
        return stored, memories

    def _hoped(self) -> _Left | None:
        """Where the last put has left the log, if nothing speaks against its being there yet."""
        if not self._left or not self.hopeful():
            return None
        with contextlib.suppress(IndexError):  # another thread has taken it
            return self._left.pop()
        return None

    def onto(self, unit: Unit, told: observing.Append) -> Appended | None:
        """Append if the log still ends where the unit was checked; None where it does not.

        Raises:
            WrongExpectedVersion, AlreadyRecorded: as `ledger.store.append.append`.
        """
        assert unit.head is not None  # noqa: S101 - asked by the only caller
        drafts = unit.drafts()
        try:
            stored, _ = self._ride(unit, unit.head, drafts, {}) or (None, None)
            if stored is None:
                with self._writing(len(drafts)) as conn:
                    stored = log.append(conn, self.folded.tables, unit.head, drafts)
                    self._project(conn, unit, stored, {})
        except HeadMoved:
            self._crowded = _PATIENCE
            return None
        _tell(told, drafts, stored)
        return stored

    def locked(self, unit: Unit, told: observing.Append) -> Appended | None:
        """Lock the head, check again what was checked against an earlier one, and append.

        None where nothing is left to append.

        Raises:
            LedgerError: what speaks against an entry now.
        """
        fold = self.folded.fold
        with writing(self.folded.bind) as conn:
            head = log.lock_head(conn, self.folded.tables, self.folded.origin)
            with fold.lock:
                facts = fold.at_head(conn)
                if unit.head != head:
                    if unit.head is not None:
                        told.retried()
                    unit.remake(facts, fold.lay)
                    unit.head = head  # not before: what is cut off is of the head it was checked at
            drafts = unit.drafts()
            if not drafts:
                return None
            stored = log.append(conn, self.folded.tables, head, drafts)
            self._project(conn, unit, stored, {})
        _tell(told, drafts, stored)
        return stored

    def hopeful(self) -> bool:
        """Whether no other writer was met lately; to be asked once for each append."""
        self._crowded = max(0, self._crowded - 1)
        return self._crowded == 0

    def finish(self, stored: Appended) -> None:
        """After an append: catch up what it left behind, and keep what proofs need of the tree."""
        self.projections.settle()
        if stored.first // STRIDE != stored.size // STRIDE:
            from ledger.proving import keeping  # noqa: PLC0415 - with all that proofs need, and so seldom

            with contextlib.suppress(LedgerError):  # what was appended stands; a proof asks again
                keeping.keep(self.folded)

    def _ride(
        self, unit: Unit, head: Head, drafts: Sequence[Draft], memories: Memories
    ) -> tuple[Appended, Memories] | None:
        """Append with what the inline projections write, by one statement; None where it cannot be.

        Raises:
            HeadMoved: the log does not end there.
        """
        self._on_foot = max(0, self._on_foot - 1)
        if self._on_foot or not self.projections.has_inline:
            return None

        def events() -> Sequence[StoredEvent]:
            ahead = log.appended(head, drafts)
            return unit.stored(ahead.first, ahead.known)

        at = self._sequence_of(unit, head.size)
        if (found := self.projections.riding(head.log_id, events, at, memories)) is None:
            return None
        riding, kept = found
        try:
            with writing(self.folded.bind, once=True) as conn:
                return log.append(conn, self.folded.tables, head, drafts, riding=riding), kept
        except Behind:  # it begins, or is rebuilt
            self._on_foot = _PATIENCE
            return None

    def _writing(self, many: int) -> AbstractContextManager[Writer]:
        """A transaction to append so many events in: where a statement is all of it, no more."""
        alone = many <= ROWS_AT_ONCE and not self.projections.has_inline
        return writing(self.folded.bind, once=alone)

    def _project(self, conn: Writer, unit: Unit, stored: Appended, memories: Memories) -> None:
        if isinstance(conn, Connection) and self.projections.has_inline:
            events = unit.stored(stored.first, stored.known)
            at = self._sequence_of(unit, stored.first)
            self.projections.inline(conn, stored.log_id, events, at, memories)

    def _sequence_of(self, unit: Unit, first: int) -> Callable[[str], int | None] | None:
        """What tells the sequence of an event by its id, where the fold held it before an append.

        Only an append onto the fold's own head may ask: the fold of another is another log's.
        """
        fold = self.folded.fold

        def sequence(id_: str) -> int | None:
            with fold.lock:
                held = dict.get(fold.facts.stored, id_)  # nothing is fetched for this
            return held.sequence if held is not None and held.sequence < first else None

        return None if unit.head is None else sequence


def _head_after(stored: Appended, last: Draft) -> Head:
    known_at = stored.known[-1]
    return Head(log_id=stored.log_id, size=stored.size, known_at=known_at, leaf=last.leaf_hash)


def _tell(told: observing.Append, drafts: Sequence[Draft], stored: Appended) -> None:
    told.stored(
        events=len(drafts),
        sizes=(len(one.entry) + sum(map(len, one.slots.values())) for one in drafts),
        head=stored.size,
    )
