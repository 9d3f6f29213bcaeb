"""The unit: the entries of one append, what they come to against the facts, and their bytes.

An entry is checked when it is handed in, and again where others appended in the meantime: it then
gets the same ids, and what came out the same is not encoded anew. Here is no database: what is
stored when is in `ledger.appending`, which facts there are in `ledger.folding`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs

from ledger.codec.converter import VERSIONS, type_name
from ledger.codec.entry import Draft
from ledger.codec.envelope import seal_all
from ledger.model.events import NewEvent, Recorder, StoredEvent
from ledger.projections.effective import Facts
from ledger.recording.intake import Intake, Made
from ledger.store.append import Head

Entry = Callable[[Intake], Iterable[Made]]


@attrs.define(eq=False, kw_only=True)
class Entered:
    """One entry: what makes its records, and what it made of them when last asked."""

    entry: Entry
    now: dt.datetime
    recorder: Recorder
    causation: str | None = None
    correlation: str | None = None
    ids: dict[int, str] = attrs.field(factory=dict)
    made: Sequence[Made] = ()
    new: Sequence[NewEvent] = ()
    there: dict[str, StoredEvent] = attrs.field(factory=dict)
    """The events of the records that were there already, in the version they have come to."""
    size: int = 0
    """How many events the facts held that it was checked against."""

    def make(self, facts: Facts) -> None:
        """Check the entry against facts and make its events, with the same ids as before.

        Raises:
            LedgerError: whatever speaks against it; it is then left as it was.
        """
        intake = Intake(facts, now=self.now, ids=self.ids)
        made = list(self.entry(intake))
        self.made, self.new = made, intake.new
        there = [one.already for one in made if one.already and one.already in facts.stored]
        self.there = {id_: _latest(facts, id_) for id_ in there}
        self.size = facts.size

    def stored(self, new: NewEvent, sequence: int, recorded: dt.datetime) -> StoredEvent:
        """One of its events with a place in the log."""
        name = type_name(new.event)
        return StoredEvent(
            sequence=sequence,
            id=new.id,
            type=name,
            type_v=VERSIONS[name],
            stream=new.stream,
            stream_v=new.stream_v,
            recorded=recorded,
            recorder=self.recorder,
            causation=self.causation,
            correlation=self.correlation,
            event=new.event,
        )

    def sealed(self, events: Sequence[NewEvent], log: str) -> list[Draft]:
        """Events of it in bytes, salted and hashed."""
        return seal_all(
            events,
            log=log,
            recorded_at=self.now,
            recorder=self.recorder,
            causation=self.causation,
            correlation=self.correlation,
        )


def _latest(facts: Facts, id_: str) -> StoredEvent:
    stored = facts.stored[id_]
    return attrs.evolve(stored, stream_v=facts.stream_version(stored.stream))


def _same(kept: tuple[NewEvent, Draft] | None, new: NewEvent) -> bool:
    return kept is not None and (kept[0] is new or kept[0] == new)


class Unit:
    """The entries of one append in order; `head` is where the log stood when they were checked.

    It is None where they were checked against different ones.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.entries: list[Entered] = []
        self.head: Head | None = None
        self._drafts: dict[str, tuple[NewEvent, Draft]] = {}

    def __len__(self) -> int:
        return sum(len(entered.new) for entered in self.entries)

    def remake(self, facts: Facts, lay: Callable[[Unit], object]) -> None:
        """Check every entry anew, each against the facts with those before it applied.

        Raises:
            LedgerError: the first refusal.
        """
        entries = self.entries
        self.entries = list[Entered]()
        try:
            for place, entered in enumerate(entries):
                entered.make(facts)
                self.entries.append(entered)
                if place + 1 < len(entries):
                    lay(self)
        finally:
            self.entries = entries

    def drafts(self) -> list[Draft]:
        """The events in bytes, salted and hashed; what is unchanged is taken as it was made."""
        kept = self._drafts
        self._drafts = dict[str, tuple[NewEvent, Draft]]()
        for entered in self.entries:
            fresh = [new for new in entered.new if not _same(kept.get(new.id), new)]
            if fresh:
                drafts = entered.sealed(fresh, self.origin)
                kept |= {new.id: (new, draft) for new, draft in zip(fresh, drafts, strict=True)}
            for new in entered.new:
                self._drafts[new.id] = kept[new.id]
        # One for each event: an id that comes twice is for the store to refuse.
        return [self._drafts[new.id][1] for _, new in self._all()]

    def stored(self, first: int, known: Iterable[dt.datetime]) -> list[StoredEvent]:
        """The events with their places in the log."""
        places = enumerate(self._all(), first)
        return [
            entered.stored(new, sequence, recorded)
            for (sequence, (entered, new)), recorded in zip(places, known, strict=True)
        ]

    def provisional(
        self, entry: int, first: int, known: dt.datetime | None
    ) -> Iterator[StoredEvent]:
        """The events from an entry on, as they would stand behind a log that ends so."""
        for sequence, (entered, new) in enumerate(self._all(entry), first):
            known = entered.now if known is None else max(known, entered.now)
            yield entered.stored(new, sequence, known)

    def _all(self, entry: int = 0) -> Iterator[tuple[Entered, NewEvent]]:
        for entered in self.entries[entry:]:
            for new in entered.new:
                yield entered, new
