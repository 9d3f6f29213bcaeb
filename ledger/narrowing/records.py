"""The records that are no acts, read once and kept, and whether what was read still holds.

Here lives the memory of narrowed questions: parties, names, memberships, merges, topics and
propositions of a log, which are few, and the frames of a few prefixes made of them.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import attrs
from sqlalchemy import Connection, Table

from ledger.codec.envelope import opened
from ledger.folding import Fold, Folded
from ledger.model import events as ev
from ledger.narrowing.driver import Driver
from ledger.projections.changing import changed_by
from ledger.projections.effective import Facts
from ledger.projections.frame import Frame
from ledger.projections.positions import topics_around
from ledger.store import cells, read
from ledger.store.collector import collector_paused
from ledger.store.tables import Tables

_KEPT: Final = 4
_STEP: Final = 5_000
PLACES: Final = 4_000


@attrs.define
class Places:
    """Instants of a log, by sequence, as far as somebody looked; they never fall."""

    sequences: list[int] = attrs.field(factory=list)
    instants: list[dt.datetime] = attrs.field(factory=list)
    sizes: dict[dt.datetime, int] = attrs.field(factory=dict)

    def note(self, sequence: int, instant: dt.datetime) -> None:
        """Keep a place, unless there are plenty."""
        if len(self.sequences) < PLACES:
            at = bisect.bisect_left(self.sequences, sequence)
            self.sequences.insert(at, sequence)
            self.instants.insert(at, instant)

    def between(self, instant: dt.datetime, size: int) -> tuple[int, int]:
        """Between which sizes that of an instant lies."""
        at = bisect.bisect_right(self.instants, instant)
        low = self.sequences[at - 1] + 1 if at else 0
        return low, self.sequences[at] if at < len(self.sequences) else size


@attrs.define
class Records:
    """The records of a log that are no acts, as read so far, and frames made of them."""

    log_id: int
    build: int
    size: int = 0
    last: bytes = b""
    version: int = -2
    headed: int = -3
    head: tuple[int, dt.datetime] | None = None
    places: Places = attrs.field(factory=Places)
    driver: Driver | None = None
    events: list[ev.StoredEvent] = attrs.field(factory=list)
    sequences: list[int] = attrs.field(factory=list)
    erasures: dict[str, dict[int, ev.StoredEvent]] = attrs.field(factory=dict)
    gone: list[ev.StoredEvent] = attrs.field(factory=list)
    frames: OrderedDict[tuple[int, int], Frame] = attrs.field(factory=OrderedDict)

    def frame(self, basis: int) -> Frame:
        """The frame of a prefix; prefixes that differ by acts alone have one frame."""
        many = self._many(basis)
        if many not in self.frames:
            self.frames[many] = self.made(basis)
            while len(self.frames) > _KEPT:
                self.frames.popitem(last=False)
        self.frames.move_to_end(many)
        return self.frames[many]

    def made(self, basis: int) -> Frame:
        """A frame of a prefix for one question alone."""
        records, gone = self._many(basis)
        with collector_paused():
            return Frame(self.events[:records], erasures=self.erasures, gone=self.gone[:gone])

    def _many(self, basis: int) -> tuple[int, int]:
        gone = bisect.bisect_left(self.gone, basis, key=attrgetter("sequence"))
        return bisect.bisect_left(self.sequences, basis), gone


def held_of(fold: Fold) -> Records | None:
    """What is kept of a log, where anything is."""
    return fold.kept if isinstance(fold.kept, Records) else None


def beside(facts: Facts, proposition: str) -> tuple[str, ...]:
    """The shown propositions of a proposition's topics, itself included; none where it has none.

    Those of topics inside them too; of several that are one the topics of all count.
    """

    def found() -> tuple[str, ...]:
        topics = topics_around(facts, proposition)
        inside = {one for topic in topics for one in facts.indexed("propositions_in", topic)}
        shown = {facts.canonical(one) for one in inside}
        return tuple(sorted(shown)) if shown - {proposition} else ()

    return facts.memo("beside", proposition, found)


def caught_up(conn: Connection, folded: Folded, basis: int) -> Records | None:
    """The records of a log whose cells are served up to a basis; None where they are not."""
    found = cells.served(conn, folded.tables, folded.origin)
    if found is None or found[2] < basis:
        return None
    log_id, build, position = found
    held = held_of(folded.fold)
    if (
        held is None
        or (held.log_id, held.build) != (log_id, build)
        or not _goes_on(conn, folded.tables, held)
    ):
        held = folded.fold.kept = Records(log_id, build)
    if held.size < position:
        known, before = len(held.events), held.size
        _read_on(conn, folded.tables, held, position)
        if before and any(isinstance(one.event, ev.ContentErased) for one in held.events[known:]):
            held = folded.fold.kept = Records(log_id, build)  # what was read of it may be gone
            _read_on(conn, folded.tables, held, position)
    return held


def _goes_on(conn: Connection, tables: Tables, held: Records) -> bool:
    """Whether the stored log still holds what was read of it: a file may be put back."""
    if not held.size:
        return True
    leaves = read.leaf_hashes(conn, tables, held.log_id, held.size - 1, held.size)
    return next(leaves, None) == held.last


def _read_on(conn: Connection, tables: Tables, held: Records, stop: int) -> None:
    link = cells.tables_of(tables.layout, held.build)[1]
    start, log = held.size, held.log_id
    new = cells.framed(conn, link, (log, stop), start)
    with collector_paused():
        held.events += events_at(conn, tables, log, new)
    held.sequences += sorted(new)
    for one in held.events[-len(new) :] if new else ():
        if isinstance(one.event, ev.ContentErased):
            held.erasures.setdefault(one.event.target, {})[one.sequence] = one
    held.gone = _gone(conn, tables, held, stop, link)
    held.last = next(read.leaf_hashes(conn, tables, log, stop - 1, stop))
    held.size = stop


def _gone(
    conn: Connection, tables: Tables, held: Records, stop: int, link: Table
) -> list[ev.StoredEvent]:
    """The acts of which something was erased, what they change, and what touches either.

    What is held of them is not read again: after an erasure nothing is held.
    """
    key, start = (held.log_id, stop), held.size
    found = {one.sequence: one for one in held.gone}
    new = cells.linked(conn, link, key, cells.ERASED, start=start)
    new |= cells.linked(conn, link, key, cells.TOUCH, found, start=start)
    while new:
        fresh = events_at(conn, tables, key[0], new)
        found |= {one.sequence: one for one in fresh}
        records = {id_ for one in fresh if (id_ := changed_by(one)) is not None}
        rows = read.rows_by_id(conn, tables, key[0], records)
        new = cells.linked(conn, link, key, cells.TOUCH, new) | {row.seq for row in rows}
        new -= found.keys()
    return [found[seq] for seq in sorted(found)]


def events_at(
    conn: Connection, tables: Tables, log_id: int, sequences: Iterable[int]
) -> list[ev.StoredEvent]:
    """The events at some sequences, in order."""
    given = sorted(sequences)
    return [
        opened(row)
        for at in range(0, len(given), _STEP)
        for row in read.rows_at(conn, tables, log_id, given[at : at + _STEP])
    ]
