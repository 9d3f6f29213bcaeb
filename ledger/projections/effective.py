"""The fold: what a prefix of the log holds once amendments, corrections and merges are applied.

`Facts` takes events in order, one by one, and keeps the effective form of each record with the
indexes that questions need. It never fails: what later events made contradictory is ignored. Live,
dangling, merge, correction and erasure follow model.md, section 2.

What the changes of a record make of it is told by `ledger.projections.changing`; when something
counts as said by `.saying`, whom it reaches by `.rollup`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar, cast

from ledger.model import events as ev
from ledger.model.attribution import claimant_of
from ledger.model.claim import other_side
from ledger.model.erasing import without
from ledger.projections import changing, merging
from ledger.projections.changing import changed_by
from ledger.projections.indexing import entries, keys_of, may_bear, utterances
from ledger.projections.keys import Entry, Keys

T = TypeVar("T")
TAKEN_BACK: Final = 10_000
"""How many of the last events can be taken back."""


class Facts:
    """The folded prefix of a log: records in their effective form, and the ways to find them.

    `size` is the number of events folded: the basis of every answer given from here.
    `lost` holds the claims and propositions whose who or what was erased. `hidden` tells
    the slots of a record in which an erased change may have said something else than is left.
    `erasures` holds the erasures of each event, by sequence; in the facts of an earlier size the
    later ones too, since an erasure reaches every view. Below `floor` no event can be taken back.
    """

    def __init__(self) -> None:
        self.size = 0
        self.floor = 0
        self.lost: set[str] = set()
        self.hidden: dict[str, tuple[str, ...]] = {}
        self.erasures: dict[str, dict[int, ev.StoredEvent]] = {}
        self.last_recorded: dt.datetime | None = None
        self.stored: dict[str, ev.StoredEvent] = {}
        self.at: list[str] = []
        self.effective: dict[str, ev.Event] = {}
        self.corrected_by: dict[str, tuple[str, ...]] = {}
        self.never_said: set[str] = set()
        self._by_type: dict[type[Any], dict[str, None]] = defaultdict(dict)
        self._keys = Keys(4 * TAKEN_BACK)
        self._changes: dict[str, list[str]] = defaultdict(list)
        self._index: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._memo: dict[tuple[str, str], Any] = {}
        self._streams: dict[str, int] = {}
        self._kept: merging.Kept | None = None
        self._unsorted: set[tuple[str, str]] = set()

    # -- folding ----------------------------------------------------------------------------

    def apply(self, stored: ev.StoredEvent) -> None:
        """Take the next event of the log."""
        self.stored[stored.id] = stored
        self.at.append(stored.id)
        self.size = stored.sequence + 1
        self._streams[stored.stream] = stored.stream_v
        self.last_recorded = stored.recorded
        self._memo.clear()
        if (target := changed_by(stored)) is not None:
            self._changes[target].append(stored.id)
            if not self._goes_on(stored, target):
                self._refresh(stored.id)
        elif isinstance(stored.event, ev.Remains) or stored.id in self._changes:
            self._refresh(stored.id)
        else:  # nothing has changed it yet
            self._hold(stored.id, stored.event)
        if isinstance(stored.event, ev.ContentErased):
            self._erase(stored, stored.event)

    def take_back(self, many: int = 1) -> list[ev.StoredEvent]:
        """Forget the last events as if they had not come, which a host may do by rolling back.

        Only so many as `TAKEN_BACK` can be taken back one after the other, and none below `floor`.
        What is given is them, the last one first.
        """
        if not many:
            return []
        taken = [self._forget_last() for _ in range(many)]
        gone = {one.id for one in taken}
        self._memo.clear()
        self._keys.take_back(gone)
        for target in dict.fromkeys(map(changed_by, taken)):
            if target is not None and target not in gone and target in self.stored:
                self._refresh(target)
        self.size = taken[-1].sequence
        self.last_recorded = self.stored[self.at[-1]].recorded if self.at else None
        return taken

    def _forget_last(self) -> ev.StoredEvent:
        """Forget the last event alone; what it changed, and its keys, are still to be seen to."""
        id_ = self.at.pop()
        stored = self.stored.pop(id_)
        self._let_go(id_)
        if (target := changed_by(stored)) is not None:
            self._changes[target].remove(id_)
        if isinstance(stored.event, ev.ContentErased):
            self.erasures[stored.event.target].pop(stored.sequence)
        if stored.stream_v:
            self._streams[stored.stream] = stored.stream_v - 1
        else:
            del self._streams[stored.stream]
        return stored

    def extend(self, events: Iterable[ev.StoredEvent]) -> Facts:
        """Take many events; returns itself."""
        for stored in events:
            self.apply(stored)
        return self

    def _goes_on(self, stored: ev.StoredEvent, target: str) -> bool:
        """Lay a new change on its record as it stands; False where there is more to look at.

        Worked out from its beginning at each, a record with many changes takes the square of them.
        """
        before = dict.get(self.effective, target)  # what is held: nothing is looked up for it
        if before is None or not changing.is_plain(stored) or stored.id in self._changes:
            return False
        if changed_by(self.stored[target]) is not None:
            return False
        change = cast("ev.Change", stored.event)
        self._hold(stored.id, change)
        self._unindex(target, before)
        self._hold(target, changing.changed(before, change))
        if isinstance(change, ev.ClaimCorrected):
            self.corrected_by[target] = (*self.corrected_by.get(target, ()), stored.id)
            (self.never_said.add if change.never_said else self.never_said.discard)(target)
        return True

    def _refresh(self, id_: str | None) -> None:
        """Recompute one record, and what it changes in turn."""
        chain = changing.Chain(self)
        while id_ is not None and id_ in self.stored:
            stored = self.stored[id_]
            self._let_go(id_)
            now = chain.evaluate(id_)
            if now.corrected_by:
                self.corrected_by[id_] = now.corrected_by
            if now.hidden:
                self.hidden[id_] = now.hidden
            if now.never_said:
                self.never_said.add(id_)
            if now.lost and stored.type in ("claim_recorded", "proposition_defined"):
                self.lost.add(id_)
            if now.event is not None:
                self._hold(id_, now.event)
            elif isinstance(stored.event, ev.Remains):
                self._add_keys(id_, stored.event)
            id_ = changed_by(stored)

    def _let_go(self, id_: str) -> None:
        """Forget what a record came to, with the ways to find it; its keys stay."""
        before = self.effective.pop(id_, None)
        if before is not None:
            self._unindex(id_, before)
        for told in (self.corrected_by, self.hidden):
            told.pop(id_, None)
        for marked in (self.never_said, self.lost):
            marked.discard(id_)

    def _erase(self, erasing: ev.StoredEvent, event: ev.ContentErased) -> None:
        """Let go of what an erasure names, which whoever reads from now on never sees."""
        self.erasures.setdefault(event.target, {})[erasing.sequence] = erasing
        held = self.stored.get(event.target)
        if held is None or (left := without(held, event.slots)) is held:
            return
        self.floor, self._kept = self.size, None
        self._keys.journal.clear()
        target = changed_by(held)
        said = [held.event, self.effective.get(held.id), self.effective.get(target or "")]
        gone = {entry for event in said if event is not None for entry in keys_of(event)}
        gone = {entry for entry in gone if self._keys.get(entry) in (held.id, target)}
        if not {"who", "what"}.isdisjoint(event.slots):  # without words it names its occasion still
            gone |= {("utterance", key) for event in said for key, _ in utterances(event)}
        shared = {entry for entry in gone if not self.one_bears(*entry)}
        for entry in gone:
            self._keys.pop(entry, None)
        if target is not None:
            self._changes[target].remove(held.id)
        self.stored[held.id] = left
        if (now := changed_by(left)) is not None:
            self._changes[now] = sorted([*self._changes[now], held.id], key=self._sequence)
        for one in dict.fromkeys((held.id, target)):
            if one is not None and one in self.stored:
                self._add_keys(one, self.stored[one].event)
                if one != now:  # what a change changes, it has seen to
                    self._refresh(one)
        self._find_again(shared)

    def _find_again(self, gone: set[Entry]) -> None:
        """Which records bear a host's ids, now that less is left of those that did."""
        log = self.stored.values() if gone else ()
        keys = {key for _, key in gone}
        streams = {one.stream for one in log if may_bear(one.event, keys)}
        again = Facts().extend(one for one in log if one.stream in streams)
        for entry in gone:
            if (id_ := again.id_of(*entry)) is not None:
                self._key(entry, id_)

    def live(self, id_: str) -> bool:
        """Whether no live later amendment strikes the event out."""
        return dict.__contains__(self.effective, id_) or changing.live(self, id_)

    def changes_of(self, id_: str) -> tuple[str, ...]:
        """The amendments and corrections of a record, live or not, in recorded order."""
        return tuple(self._changes.get(id_, ()))

    # -- indexes ----------------------------------------------------------------------------

    def _hold(self, id_: str, event: ev.Event) -> None:
        """A record in its effective form, with the ways to find it."""
        self.effective[id_] = event
        self._add_to_index(id_, event)

    def _add_to_index(self, id_: str, event: ev.Event) -> None:
        self._forget_merges(id_, event)
        self._by_type[type(event)][id_] = None
        for entry in entries(event):
            self._index[entry][id_] = None
            if id_ != self.at[-1]:
                self._unsorted.add(entry)
        self._add_keys(id_, event)

    def _add_keys(self, id_: str, event: ev.Event | ev.Remains) -> None:
        for entry in keys_of(event):
            if self._keys.get(entry) not in self.effective:
                self._key(entry, id_)
        if getattr(event, "utterance_key", None) is not None:
            for key, utterance in utterances(event):
                if ("utterance", key) in self._keys:
                    self._keys.again.add(("utterance", key))
                else:
                    self._key(("utterance", key), utterance or id_)

    def _key(self, entry: Entry, id_: str) -> None:
        self._keys.put(entry, id_, event=self.at[-1])

    def _unindex(self, id_: str, event: ev.Event) -> None:
        self._forget_merges(id_, event)
        self._by_type[type(event)].pop(id_, None)
        for entry in entries(event):
            self._index[entry].pop(id_, None)

    def indexed(self, relation: str, id_: str) -> tuple[str, ...]:
        """The ids of the live records found under (relation, id), in recorded order."""
        entry = (relation, id_)
        if entry in self._unsorted:
            self._unsorted.discard(entry)
            self._index[entry] = dict.fromkeys(sorted(self._index[entry], key=self._sequence))
        return tuple(self._index.get(entry, ()))

    def memo(self, question: str, id_: str, answer: Callable[[], T]) -> T:
        """The answer to a question about a record, kept until the next event."""
        key = (question, id_)
        if key not in self._memo:
            self._memo[key] = answer()
        return cast("T", self._memo[key])

    @property
    def lost_claims(self) -> int:
        """How many claims are in no position because something was erased."""
        return self.memo("lost_claims", "", lambda: sum(1 for _ in self.lost_with_cause()))

    def is_lost(self, id_: str) -> bool:
        """Whether an id is that of a claim whose own who or what was erased."""
        return id_ in self.lost and self.stored[id_].type == "claim_recorded"

    def lost_with_cause(self) -> Iterator[tuple[str, str]]:
        """These claims, each with the record of which it was erased: itself or its proposition."""
        for id_ in sorted(self.lost, key=self._sequence):
            on = (id_,) if self.is_lost(id_) else self.indexed("claims_on", id_)
            yield from ((one, id_) for one in on if one not in self.never_said)

    def erased(self, id_: str) -> set[str]:
        """The slots of a record that were erased, or that an erased change hides; `by` apart."""
        return {*self.stored[id_].erased, *self.hidden.get(id_, ())} - {"by"}

    # -- finding ----------------------------------------------------------------------------

    def of_type(self, cls: type[T]) -> Iterator[tuple[str, T]]:
        """All live records of a type, effective, in recorded order."""
        for id_ in sorted(self._by_type.get(cls, ()), key=self._sequence):
            yield id_, cast("T", self.effective[id_])

    def _sequence(self, id_: str) -> int:
        return self.stored[id_].sequence

    def get(self, id_: str | None, cls: type[T]) -> T | None:
        """The effective record of an id, None where it is not live or of another type."""
        event = None if id_ is None else self.effective.get(id_)
        return event if isinstance(event, cls) else None

    def id_of(self, kind: str, key: str) -> str | None:
        """The ledger's id for a host's id; struck-out records keep theirs."""
        return self._keys.get((kind, key))

    def one_bears(self, kind: str, key: str) -> bool:
        """Whether a host surely gave an id to one record, or one act, only."""
        return (kind, key) not in self._keys.again

    def keys(self, kind: str) -> tuple[str, ...]:
        """All host ids of a kind."""
        return tuple(key for known, key in self._keys if known == kind)

    def public(self, id_: str | None) -> str:
        """The id to show: the host's where there is one, else the ledger's."""
        if id_ is None:
            return ""
        stored = self.stored.get(id_)
        return cast("str", getattr(stored.event if stored else None, "key", None) or id_)

    def stream_version(self, stream: str) -> int:
        """The version of a stream's last event, -1 where there is no such stream."""
        return self._streams.get(stream, -1)

    # -- merges -----------------------------------------------------------------------------

    def canonical(self, id_: str) -> str:
        """The id that is shown for a party or proposition: merges followed to their end."""
        return self._merged(id_)[0]

    def _merged(self, id_: str) -> tuple[str, bool]:
        """The kept id, and whether the way there negates."""
        if self._kept is None:
            self._kept = merging.merged_into(self)
        return merging.followed(self._kept, id_)

    def _forget_merges(self, id_: str, event: ev.Event) -> None:
        can_be = isinstance(event, ev.PartyRegistered | ev.PropositionDefined)
        about = [("merge_of", id_), ("merged_into", id_)] if can_be else []
        if isinstance(event, merging.Merge) or any(map(self._index.get, about)):
            self._kept = None

    def negated(self, proposition: str) -> bool:
        """Whether a proposition says the opposite of the one it was merged into."""
        return self._merged(proposition)[1]

    def merged_group(self, id_: str) -> tuple[str, ...]:
        """All ids that are one with this one, the shown id first."""
        return merging.group(self, self.canonical(id_))

    # -- claims -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def without(self, acts: Iterable[str]) -> Iterator[None]:
        """These facts as if some acts had never been said, for the questions asked inside.

        Whoever asks holds the fold's lock, as for any question.
        """
        gone = set(acts) - self.never_said
        self.never_said |= gone
        self._memo.clear()
        try:
            yield
        finally:
            self.never_said -= gone
            self._memo.clear()

    def act(self, id_: str) -> ev.Act | None:
        """A live claim or withdrawal that its publisher did not take for never said.

        A withdrawal falls with all that it withdraws; a claim that an undo brought back while its
        proposition stays struck out is ignored.
        """
        event = self.effective.get(id_)
        if not isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn) or id_ in self.never_said:
            return None
        if isinstance(event, ev.ClaimWithdrawn):
            return event if any(map(self.act, event.claims)) else None
        return event if event.proposition in self.effective else None

    def claims_on(self, proposition: str) -> tuple[str, ...]:
        """Live claims on a proposition, or on one merged with it."""
        each = (self.indexed("claims_on", one) for one in self.merged_group(proposition))
        claims = itertools.chain.from_iterable(each)
        return tuple(claim for claim in claims if claim not in self.never_said)

    def stance(self, claim: ev.ClaimRecorded) -> str:
        """A claim's stance on the shown proposition: swapped where a merge negates."""
        return other_side(claim.stance) if self.negated(claim.proposition) else claim.stance

    def claimants(self, act: ev.Act) -> tuple[str, ...]:
        """The parties that may have performed an act: one, several alternatives, or nobody."""
        found = (claimant_of(chain) for chain in act.chains)
        return tuple(dict.fromkeys(self.canonical(one) for one in found if one is not None))
