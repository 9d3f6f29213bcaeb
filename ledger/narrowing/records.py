"""The records that are no acts, read once and kept, and whether what was read still holds.

Here lives the memory of narrowed questions: parties, names, memberships, merges, topics and
propositions of a log, which are few, and the frames of a few prefixes made of them.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import attrs
from sqlalchemy import Connection, Table

from ledger.codec.envelope import opened
from ledger.folding import Fold
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.narrowing.driver import Driver
from ledger.projections.changing import changed_by
from ledger.projections.effective import Facts
from ledger.projections.frame import Frame
from ledger.projections.indexing import is_of_the_frame
from ledger.projections.positions import topics_around
from ledger.store import cells, read
from ledger.store.collector import collector_paused
from ledger.store.tables import Tables
from ledger.store.uncommitted import committed

_KEPT: Final = 4
_STEP: Final = 5_000
PLACES: Final = 4_000
BEHIND: Final = 1_000
"""How many events, at most, a question reads one by one since the tables have not come to them."""

PAPERS: Final = 4_000
"""How many documents, at most, are kept for the claims that they carry."""

_UNSEEN: Final = -2


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


class Paper(NamedTuple):
    """A document, as far as a position needs it: its id, what a host calls it, the date on it."""

    id: str
    key: str
    published: Edtf | None


@attrs.define
class Records:
    """The records of a log that are no acts, as read so far, and frames made of them."""

    log_id: int
    build: int
    size: int = 0
    last: bytes = b""
    version: int = _UNSEEN
    headed: int = -3
    head: tuple[int, dt.datetime] | None = None
    places: Places = attrs.field(factory=Places)
    papers: dict[int, Paper | None] = attrs.field(factory=dict)
    driver: Driver | None = None
    events: list[ev.StoredEvent] = attrs.field(factory=list)
    sequences: list[int] = attrs.field(factory=list)
    erasures: dict[str, dict[int, ev.StoredEvent]] = attrs.field(factory=dict)
    last_erasure: int = -1
    remains: list[ev.StoredEvent] = attrs.field(factory=list)
    gone: list[ev.StoredEvent] = attrs.field(factory=list)
    frames: OrderedDict[tuple[int, int], Frame] = attrs.field(factory=OrderedDict)
    _ahead: tuple[object, Records] | None = attrs.field(default=None, init=False)

    def frame(self, basis: int) -> Frame:
        """The frame of a prefix; prefixes that differ by acts alone have one frame.

        The latest one goes on with the log: a new party costs no look at all the others.
        """
        many = self._many(basis)
        if many not in self.frames:
            before = max(self.frames, default=None)
            if before is not None and before < many and before[1] <= many[1]:
                made = self.frames.pop(before)
                made.go_on(self.events[before[0] : many[0]], gone=self.gone[: many[1]])
            else:
                made = self.made(basis)
            self.frames[many] = made
            while len(self.frames) > _KEPT:
                self.frames.popitem(last=False)
        self.frames.move_to_end(many)
        return self.frames[many]

    def made(self, basis: int) -> Frame:
        """A frame of a prefix for one question alone."""
        records, gone = self._many(basis)
        with collector_paused():
            return Frame(self.events[:records], erasures=self.erasures, gone=self.gone[:gone])

    def add(self, events: Sequence[ev.StoredEvent], gone: list[ev.StoredEvent]) -> None:
        """Keep what was read behind it; what an interrupted call has left there is replaced."""
        for one in events:
            if isinstance(one.event, ev.ContentErased):
                self.erasures.setdefault(one.event.target, {})[one.sequence] = one
                self.last_erasure = one.sequence
        known = bisect.bisect_left(self.sequences, self.size)
        self.remains = [one for one in self.remains if one.sequence < self.size]
        self.remains += [one for one in events if isinstance(one.event, ev.Remains)]
        self.events[known:] = events
        self.sequences[known:] = [one.sequence for one in events]
        self.gone = gone

    def going_on(self, beyond: Sequence[ev.StoredEvent]) -> Records:
        """The same with what lies behind it, which somebody may still roll back.

        That is the records, and the acts by which what something was erased of is changed.
        """
        new = [one for one in beyond if is_of_the_frame(one)]
        gone = self._changing_gone(beyond)
        if not new and not gone:
            return self
        key = (self.size, len(self.gone), *new, *gone)
        if self._ahead is None or self._ahead[0] != key:
            self._ahead = (
                key,
                Records(
                    self.log_id,
                    self.build,
                    size=beyond[-1].sequence + 1,
                    events=[*self.events, *new],
                    sequences=[*self.sequences, *(one.sequence for one in new)],
                    erasures=self.erasures,
                    gone=[*self.gone, *gone],
                ),
            )
        return self._ahead[1]

    def _changing_gone(self, beyond: Iterable[ev.StoredEvent]) -> list[ev.StoredEvent]:
        """Those of some later events that change an act of which something was erased."""
        known = {one.id for one in self.gone}
        found = []
        for one in beyond if known else ():
            if changed_by(one) in known:
                known.add(one.id)
                found.append(one)
        return found

    def before(self, basis: int) -> Sequence[ev.StoredEvent]:
        """The records of a prefix."""
        return self.events[: self._many(basis)[0]]

    def _many(self, basis: int) -> tuple[int, int]:
        gone = bisect.bisect_left(self.gone, basis, key=attrgetter("sequence"))
        return bisect.bisect_left(self.sequences, basis), gone


def held_of(fold: Fold) -> Records | None:
    """What is kept of a log, where anything is."""
    return fold.kept if isinstance(fold.kept, Records) else None


def around(facts: Facts, propositions: Iterable[str]) -> set[str]:
    """The shown propositions of all the topics of some, and of the topics inside those."""
    topics = {topic for one in propositions for topic in topics_around(facts, one)}
    inside = {one for topic in topics for one in facts.indexed("propositions_in", topic)}
    return set(map(facts.canonical, inside))


def beside(facts: Facts, proposition: str) -> tuple[str, ...]:
    """The shown propositions of a proposition's topics, itself included; none where it has none.

    Those of topics inside them too; of several that are one the topics of all count.
    """

    def found() -> tuple[str, ...]:
        shown = around(facts, [proposition])
        return tuple(sorted(shown)) if shown - {proposition} else ()

    return facts.memo("beside", proposition, found)


@attrs.frozen
class CaughtUp:
    """The records of a log, how far the tables of cells have come to it, and how long it is.

    The records are those that nobody can roll back any more. Beyond them, and beyond the tables, an
    event is read for itself.
    """

    records: Records
    position: int
    size: int

    @property
    def covered(self) -> int:
        """Up to where the log is told of by both."""
        return min(self.position, self.records.size)


def caught_up(conn: Connection, fold: Fold, *, fresh: bool = False) -> CaughtUp | None:
    """What is kept of a log, up to date; None where no cells are served, or are far behind.

    `fresh` says that the connection sees all that is committed by now.
    """
    tables, found = fold.tables, cells.served(conn, fold.tables, fold.origin)
    if found is None:
        return None
    log_id, build, position, size = found
    firm = min(position, committed(conn, tables, log_id, size))
    if size - firm > BEHIND or read.holds(conn, tables, log_id, "content_erased", (firm, size)):
        return None  # an erasure reaches what was read before it, and every basis
    held = _held(conn, fold, (log_id, build), fresh=fresh)
    if held.size < firm:
        known, before = len(held.events), held.size
        _read_on(conn, tables, held, firm)
        if before and any(isinstance(one.event, ev.ContentErased) for one in held.events[known:]):
            held = _put(fold, Records(log_id, build), instead_of=held)  # some of it may be gone
            _read_on(conn, tables, held, firm)
    _let_go_of_erased(fold, held)
    return CaughtUp(held, position, size)


def _let_go_of_erased(fold: Fold, held: Records) -> None:
    """Drop what is kept for others if it was read before something that is erased by now."""
    for name in ("kept", "beside"):
        other = getattr(fold, name)
        if isinstance(other, Records) and other.size <= held.last_erasure:
            setattr(fold, name, None)


def _held(conn: Connection, fold: Fold, key: tuple[int, int], *, fresh: bool) -> Records:
    """What is kept that the log goes on from as this connection sees it.

    One that began earlier sees less of it: what it needs is kept beside, so that the two do not
    take turns in reading all anew. Whoever sees all that is committed decides which is which.
    """
    for held in (fold.kept, fold.beside):
        if not isinstance(held, Records) or (held.log_id, held.build) != key:
            continue
        if _goes_on(conn, fold.tables, held):
            if fresh and held is not fold.kept:
                fold.kept, fold.beside = held, fold.kept
            return held
    held = Records(*key)
    if fresh or fold.kept is None:
        fold.kept = held
    else:
        fold.beside = held
    return held


def _put(fold: Fold, new: Records, *, instead_of: Records) -> Records:
    if fold.kept is instead_of:
        fold.kept = new
    else:
        fold.beside = new
    return new


def _goes_on(conn: Connection, tables: Tables, held: Records) -> bool:
    """Whether the stored log still holds what was read of it: a file may be put back."""
    if not held.size:
        return True
    leaves = read.leaf_hashes(conn, tables, held.log_id, held.size - 1, held.size)
    return next(leaves, None) == held.last


def _read_on(conn: Connection, tables: Tables, held: Records, stop: int) -> None:
    """Read on, all of it or nothing: whoever asked may be cut off at any statement."""
    link = cells.tables_of(tables.layout, held.build)[1]
    start, log = held.size, held.log_id
    with collector_paused():
        events = events_at(conn, tables, log, cells.framed(conn, link, (log, stop), start))
    gone = _gone(conn, tables, held, stop, events)
    last = next(read.leaf_hashes(conn, tables, log, stop - 1, stop))
    held.add(events, gone)
    held.last, held.size, held.version = last, stop, _UNSEEN


def _gone(
    conn: Connection,
    tables: Tables,
    held: Records,
    stop: int,
    events: Iterable[ev.StoredEvent],
) -> list[ev.StoredEvent]:
    """The acts of which something was erased, what they change, and what touches either.

    So are claims on a proposition of which something was. What is held of them is not read again:
    after an erasure nothing is held.
    """
    cell, link = cells.tables_of(tables.layout, held.build)
    key, start = (held.log_id, stop), held.size
    found = {one.sequence: one for one in held.gone}
    new = cells.linked(conn, link, key, cells.ERASED, start=start)
    new |= _on_gone(conn, cell, key, held, events)
    new |= cells.linked(conn, link, key, cells.TOUCH, found, start=start)
    while new:
        fresh = events_at(conn, tables, key[0], new)
        found |= {one.sequence: one for one in fresh}
        records = {id_ for one in fresh if (id_ := changed_by(one)) is not None}
        rows = read.rows_by_id(conn, tables, key[0], records)
        new = cells.linked(conn, link, key, cells.TOUCH, new) | {row.seq for row in rows}
        new -= found.keys()
    return [found[seq] for seq in sorted(found)]


def _on_gone(
    conn: Connection,
    cell: Table,
    key: tuple[int, int],
    held: Records,
    events: Iterable[ev.StoredEvent],
) -> set[int]:
    """The claims on propositions of which something was erased: in the cells of any party."""
    remains = [*held.remains, *(one for one in events if isinstance(one.event, ev.Remains))]
    if not remains:
        return set()
    lost, frame = {changed_by(one) or one.id for one in remains}, [*held.events, *events]
    on = [one.sequence for one in frame if one.id in lost and one.type == "proposition_defined"]
    if not on:
        return set()
    parties = [one.sequence for one in frame if one.type == "party_registered"]
    return cells.in_cells(conn, cell, key, [cells.NOBODY, *parties], on, start=held.size)


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
