"""What a record comes to: its event with the live amendments and corrections applied, in order.

Here lives one record's evaluation (model.md, 2). Where records are kept and found is `.effective`.

An erased change hides what it may have said: its `who` or `words` those of the record, its `what`
the record itself. A later change that says it anew is seen; the older value never comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, cast

import attrs

from ledger.errors import LedgerError
from ledger.model import events as ev
from ledger.model.erasing import NAMELESS, SLOTS, blanked, needed, slot_of_change

_CHANGES: Final = ("claim_corrected", "record_amended")
_SHARING: Final = ("party_registered", "document_registered")
"""What has names, memberships and revisions in its stream."""


class Changes(Protocol):
    """Where events are found by id, and the changes of each in recorded order."""

    @property
    def stored(self) -> Mapping[str, ev.StoredEvent]:
        """The events by id."""

    def changes_of(self, id_: str) -> tuple[str, ...]:
        """The amendments and corrections of an event."""


@attrs.define(kw_only=True)
class Evaluated:
    """A record's effective form, None where it is struck out or erased (`lost`).

    `hidden` are the slots in which an erased change may have said something else than is left.
    """

    event: ev.Event | None = None
    corrected_by: tuple[str, ...] = ()
    never_said: bool = False
    hidden: tuple[str, ...] = ()
    lost: bool = False


def changed_by(stored: ev.StoredEvent) -> str | None:
    """The event that a change changes; its whole record, where the change does not tell any more.

    A change stands in the stream of its record, which bears the id of the record's first event.
    """
    event = stored.event
    if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
        return event.target
    if isinstance(event, ev.Remains) and event.type in _CHANGES:
        return stored.stream
    return None


def is_of_another(record: ev.StoredEvent, change: ev.StoredEvent) -> bool:
    """Whether an emptied change was one of a name, membership or revision in the same stream.

    Erasing takes the changes of a record along: of one that is whole itself, none is empty.
    """
    whole = record.type in _SHARING and "what" not in record.erased
    return whole and isinstance(change.event, ev.Remains)


def live(facts: Changes, id_: str) -> bool:
    """Whether no live later amendment strikes the event out."""
    chain = Chain(facts)
    chain.look_through(id_)
    return chain.live(id_)


def hides(facts: Changes, id_: str) -> set[str]:
    """The slots in which a change, or a live amendment to it, said what nobody can tell now."""
    chain = Chain(facts)
    chain.look_through(id_)
    return chain.hides(id_)


def evaluate(facts: Changes, id_: str) -> Evaluated:
    """What an event comes to once all its live changes are applied."""
    return Chain(facts).evaluate(id_)


@attrs.define
class Chain:
    """What changes of changes come to, each asked about once: they ask about each other.

    It holds for as long as no change comes or goes.
    """

    _facts: Changes
    _live: dict[str, bool] = attrs.field(factory=dict, init=False)
    _contents: dict[str, ev.Event | ev.Remains] = attrs.field(factory=dict, init=False)
    _hidden: dict[str, set[str]] = attrs.field(factory=dict, init=False)

    def evaluate(self, id_: str) -> Evaluated:
        """What an event comes to once all its live changes are applied."""
        self.look_through(id_)
        if not self.live(id_):
            return Evaluated()
        stored = self._facts.stored[id_]
        event = stored.event
        if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
            return Evaluated(event=cast("ev.Event", self.content(id_)))
        if isinstance(event, ev.Remains):
            return Evaluated(lost=True, never_said=self._never_said(id_))
        found = Evaluated()
        for change_id in self._facts.changes_of(id_):
            if not self.live(change_id):
                continue
            change, lost = self.content(change_id), self.hides(change_id)
            held = self._facts.stored[change_id]
            if is_of_another(stored, held):
                continue
            if isinstance(change, ev.Remains):
                if not isinstance(event, ev.PartyRegistered):
                    return Evaluated(lost=True)
                if "who" in (*change.left, *held.erased):  # it may have been called otherwise
                    event = attrs.evolve(event, name=NAMELESS)
                continue
            if lost:
                found.hidden = tuple(s for s in SLOTS if s in lost or s in found.hidden)
                found.lost = found.lost or not lost.isdisjoint(needed(stored.type))
                event = blanked(event, id_, lost)
            event = changed(event, cast("ev.Change", change))
            found.lost = found.lost and not _says_whose(cast("ev.Change", change))
            if isinstance(change, ev.ClaimCorrected):
                found.corrected_by = (*found.corrected_by, change_id)
                found.never_said = change.never_said  # the publisher's last word on it
        found.event = None if found.lost else event
        return found

    def _never_said(self, id_: str) -> bool:
        """The publisher's last word on whether it was said, as far as its corrections tell."""
        changes = (self.content(one) for one in self._facts.changes_of(id_) if self.live(one))
        told = [one.never_said for one in changes if isinstance(one, ev.ClaimCorrected)]
        return bool(told) and told[-1]

    def look_through(self, id_: str) -> None:
        """Ask about the last changes first: each then finds those of it told, however deep."""
        beneath, met = [id_], {id_}
        for one in beneath:
            new = {*self._facts.changes_of(one)} - met - self._hidden.keys()
            met |= new
            beneath += new
        for one in reversed(beneath[1:]):
            self.live(one), self.content(one), self.hides(one)

    def live(self, id_: str) -> bool:
        """Whether no live later amendment strikes the event out."""
        if id_ not in self._live:
            self._live[id_] = not any(
                amendment.strike_out and self.live(change)
                for change in self._facts.changes_of(id_)
                if isinstance(amendment := self.content(change), ev.RecordAmended)
            )
        return self._live[id_]

    def content(self, id_: str) -> ev.Event | ev.Remains:
        """A change with the live amendments to itself applied: what it changes in turn."""
        if id_ not in self._contents:
            self._contents[id_] = self._content(id_)
        return self._contents[id_]

    def _content(self, id_: str) -> ev.Event | ev.Remains:
        event = self._facts.stored[id_].event
        if not isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
            return event
        for change in self._facts.changes_of(id_):
            if not self.live(change):
                continue
            if lost := self.hides(change):  # it may have said otherwise
                said = event.changes.items()
                kept = {k: v for k, v in said if slot_of_change(event, k) not in lost}
                event = attrs.evolve(event, changes=kept)
            later = self.content(change)
            if isinstance(later, ev.RecordAmended) and later.changes:
                event = attrs.evolve(event, changes={**event.changes, **later.changes})
        return event

    def hides(self, id_: str) -> set[str]:
        """The slots in which a change, or a live one to it, said what nobody can tell now."""
        if id_ not in self._hidden:
            self._hidden[id_] = self._hides(id_)
        return self._hidden[id_]

    def _hides(self, id_: str) -> set[str]:
        stored = self._facts.stored[id_]
        if isinstance(stored.event, ev.RecordAmended) and stored.event.strike_out:
            return set()
        lost = {slot for slot in stored.erased if slot != "by"}
        return lost.union(
            *(self.hides(one) for one in self._facts.changes_of(id_) if self.live(one))
        )


def is_plain(stored: ev.StoredEvent) -> bool:
    """Whether an event only says anew what it changes, and all it said is there."""
    event = stored.event
    if isinstance(event, ev.RecordAmended) and event.strike_out:
        return False
    return isinstance(event, ev.ClaimCorrected | ev.RecordAmended) and not stored.erased


def changed(event: ev.Event, change: ev.Change) -> ev.Event:
    """A record's effective form with one more change upon it; as it is where that cannot be."""
    known = {field.name for field in attrs.fields(type(event))}
    try:
        return attrs.evolve(event, **{k: v for k, v in change.changes.items() if k in known})
    except (LedgerError, TypeError, ValueError):
        return event


def _says_whose(change: ev.Change) -> bool:
    """Whether a change says anew whose words they are, or what a party is called."""
    return "chains" in change.changes or "name" in change.changes
