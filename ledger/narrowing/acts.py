"""Which acts bear on a question: from the cells to all that touches them and all they name.

Here lives the way through the tables of `ledger.store.cells`.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs
from sqlalchemy import Connection, Engine, Table

from ledger.codec.entry import Row
from ledger.codec.envelope import opened
from ledger.folding import Fold, Folded
from ledger.model import events as ev
from ledger.narrowing.records import Records, caught_up, events_at
from ledger.projections import naming
from ledger.projections.effective import TAKEN_BACK, Facts
from ledger.projections.frame import Frame
from ledger.projections.indexing import host_ids, is_of_the_frame
from ledger.projections.near import FETCHED_KINDS
from ledger.projections.rollup import beneath
from ledger.store import cells, read
from ledger.store.tables import Tables

_LATELY: Final = 2_000
"""Among how many events a near id is looked for, where not all are held."""


@attrs.define
class Narrowed:
    """A log whose questions can be narrowed, in one snapshot of its database.

    `beyond` are the acts of the basis that the tables have not come to, or that somebody may still
    roll back: they are part of every question.
    """

    conn: Connection
    tables: Tables
    records: Records
    basis: int
    beyond: Sequence[ev.StoredEvent] = ()

    @property
    def frame(self) -> Frame:
        """The records of the basis that are no acts: who and what there is to ask about."""
        return self.records.frame(self.basis)

    @property
    def shown(self) -> Mapping[int, str]:
        """The shown propositions by the sequences of all that are."""
        frame = self.frame

        def found() -> dict[int, str]:
            live = frame.of_type(ev.PropositionDefined)
            return {frame.stored[id_].sequence: frame.canonical(id_) for id_, _ in live}

        return frame.memo("shown", "", found)

    def in_cells(
        self, parties: Iterable[str] | None, propositions: Iterable[str] | None
    ) -> set[int]:
        """The claims that bear on some parties (all) and some propositions (all)."""
        frame = self.frame
        on = None if propositions is None else self._group(propositions)
        cell, _ = self._build
        key = self.records.log_id, self.basis
        by: Iterable[int]
        if parties is None:
            by = frame.memo("anybody", "", lambda: _anybody(frame))
        else:
            under = (beneath(frame, frame.canonical(one)) for one in parties)
            by = {frame.stored[one].sequence for ids in under for one in ids}
        return cells.in_cells(self.conn, cell, key, by, on)

    def gone(self) -> set[int]:
        """The acts of which something was erased."""
        return {one.sequence for one in self.records.gone if one.sequence < self.basis}

    def of_type(self, type_: str) -> set[int]:
        """The events of a type."""
        return read.sequences_of(self.conn, self.tables, self.records.log_id, type_, self.basis)

    def naming(self, party: str) -> set[int]:
        """The acts that name a party and are in no cell of it."""
        return self.linked(cells.PART, self._group([party]))

    def uttered(self, utterance: str) -> set[int]:
        """The acts of an utterance, by a host's id or the ledger's."""
        naming.check("utterance", utterance)
        found = self.linked(cells.KEY, {cells.number_of_key("utterance", utterance)})
        return found | self.linked(cells.UTTERANCE, {cells.number_of(utterance)})

    def carried_by(self, documents: Iterable[str]) -> set[int]:
        """The documents that are known by some ids, all their versions, and the acts in any."""
        found = {seq for id_ in documents for seq in self.known_as("document", id_)}
        papers = {one.sequence for one in self.acts(found) if one.type == "document_registered"}
        return found | self.linked(cells.CARRIED, papers)

    @contextlib.contextmanager
    def with_claims(self, claims: set[int]) -> Iterator[Facts]:
        """The facts that bear on some claims, by their sequences."""
        frame, acts = self.frame, self.acts(claims)
        if len(acts) > TAKEN_BACK:  # too many to be lifted again
            frame = self.records.made(self.basis)
        with frame.with_acts(acts, self.basis, self.lately) as facts:
            yield facts

    def known_as(self, kind: str, id_: str) -> set[int]:
        """The events that are known by an id of a kind, a host's or the ledger's."""
        naming.check(kind, id_)
        found = self.linked(cells.KEY, {cells.number_of_key(kind, id_)})
        return found | {row.seq for row in self._named({id_}) if row.seq < self.basis}

    def lately(self, kind: str) -> list[str]:
        """What a host calls the last claims or documents, since somebody mistyped an id."""
        if kind not in FETCHED_KINDS:
            return []
        start = max(self.basis - _LATELY, 0)
        rows = read.rows(
            self.conn, self.tables, self.records.log_id, after=start - 1, until=self.basis
        )
        found = (key for row in rows for key in host_ids(opened(row).event))
        return [id_ for known, id_ in found if known == kind]

    def claims_by_proposition(self) -> Iterator[tuple[str, set[int]]]:
        """The shown propositions, each with the claims that may bear on it; read in one go."""
        shown = self.shown
        cell, _ = self._build
        found: dict[str, array[int]] = {one: array("q") for one in shown.values()}
        for proposition, seq in cells.all_of(self.conn, cell, (self.records.log_id, self.basis)):
            if proposition in shown:
                found[shown[proposition]].append(seq)
        while found:
            id_, claims = found.popitem()
            yield id_, set(claims)

    def _group(self, ids: Iterable[str]) -> set[int]:
        """The sequences of some records of the frame, and of those that are one with them."""
        frame = self.frame
        return {frame.stored[one].sequence for id_ in ids for one in frame.merged_group(id_)}

    def acts(self, claims: Iterable[int]) -> list[ev.StoredEvent]:
        """Some claims with all that touches them and all they name, in order."""
        fresh = [*self.beyond]
        new = {*claims} - {one.sequence for one in fresh}
        found: dict[int, ev.StoredEvent] = {}
        known: set[str] = set()
        uttered: set[int] = set()
        while new or fresh:
            fresh += events_at(self.conn, self.tables, self.records.log_id, new)
            found |= {one.sequence: one for one in fresh}
            known |= {one.id for one in fresh}
            named = {id_ for one in fresh for id_ in _names(one)} - known
            occasions = {cells.number_of(id_) for one in fresh for id_ in _utterances(one)}
            new = self.linked(cells.TOUCH, {one.sequence for one in fresh})
            new |= self.linked(cells.UTTERANCE, occasions - uttered)
            uttered |= occasions
            there = (row for row in self._named(named) if row.seq < self.basis)
            fresh = [opened(row) for row in there if row.seq not in found]
            new -= found.keys() | {one.sequence for one in fresh}
        return [found[seq] for seq in sorted(found)]

    @property
    def _build(self) -> tuple[Table, Table]:
        return cells.tables_of(self.tables.layout, self.records.build)

    def linked(self, kind: int, targets: set[int]) -> set[int]:
        """The events of the basis that are linked to some targets."""
        if not targets:
            return set()
        link, log = self._build[1], self.records.log_id
        return cells.linked(self.conn, link, (log, self.basis), kind, targets)

    def targets(self, kind: int, *, several: bool = False) -> set[int]:
        """All that events of the basis are linked to, or that several of them are."""
        key = self.records.log_id, self.basis
        return cells.targets(self.conn, self._build[1], key, kind, several=several)

    def _named(self, ids: set[str]) -> list[Row]:
        return read.rows_by_id(self.conn, self.tables, self.records.log_id, ids)


def _anybody(frame: Frame) -> tuple[int, ...]:
    """The sequences of all parties, and what stands where nobody is named."""
    parties = (one for one in frame.stored.values() if one.type == "party_registered")
    return (cells.NOBODY, *(one.sequence for one in parties))


def _names(stored: ev.StoredEvent) -> Iterator[str]:
    """The ids of acts and documents that an event names; an id too many does no harm."""
    event = stored.event
    match event:
        case ev.ClaimRecorded():
            yield from (event.document,) if event.document else ()
        case ev.ClaimWithdrawn():
            yield from event.claims
            yield from (event.document,) if event.document else ()
        case ev.ClaimsRelated():
            yield from (event.claim, event.target)
        case ev.DocumentRevised():
            yield from (event.document, event.revises)
        case ev.ClaimCorrected() | ev.RecordAmended():
            yield event.target
            yield from (event.document,) if isinstance(event, ev.ClaimCorrected) else ()
            changes = event.changes
            yield from changes.get("claims") or ()
            ends = (changes.get(name) for name in ("document", "revises", "claim", "target"))
            yield from (one for one in ends if isinstance(one, str))
        case _:
            return


def _utterances(stored: ev.StoredEvent) -> Iterator[str]:
    event = stored.event
    found: object = None
    if isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn):
        found = event.utterance
    elif isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
        found = event.changes.get("utterance")
    if isinstance(found, str):
        yield found


@contextlib.contextmanager
def of_claim(folded: Folded, claim: str) -> Iterator[Facts]:
    """The facts that bear on a claim as it is known now; of the whole log where it is folded."""
    if not folded.fold.facts.size:
        with folded.reading() as conn:
            head = read.head(conn, folded.tables, folded.origin)
        with narrowed(folded, 0 if head is None else head.size) as found:
            if found is not None:
                with found.with_claims(found.known_as("claim", claim)) as facts:
                    yield facts
                return
    with folded.facts() as facts:
        yield facts


@contextlib.contextmanager
def narrowed(folded: Folded, basis: int) -> Iterator[Narrowed | None]:
    """The log as far as a basis, to ask narrow questions of; None where it is to be folded."""
    with folded.reading() as conn, folded.fold.lock:
        yield _narrowed(conn, folded.fold, basis, fresh=isinstance(folded.host, Engine))


def _narrowed(conn: Connection, fold: Fold, basis: int, *, fresh: bool) -> Narrowed | None:
    found = caught_up(conn, fold, fresh=fresh)
    if found is None or found.size < basis:
        return None
    records, start = found.records, found.covered
    if start == found.size:
        return Narrowed(conn, fold.tables, records, basis)
    rows = read.rows(conn, fold.tables, records.log_id, after=start - 1, until=found.size)
    within = [one for one in map(opened, rows) if one.sequence < basis]
    records = records.going_on([one for one in within if one.sequence >= records.size])
    acts = [one for one in within if not is_of_the_frame(one)]
    return Narrowed(conn, fold.tables, records, basis, acts)
