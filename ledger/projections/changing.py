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
from ledger.model.erasing import SLOTS, blanked, needed, slot_of_change

_CHANGES: Final = ("claim_corrected", "record_amended")


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


def live(facts: Changes, id_: str) -> bool:
    """Whether no live later amendment strikes the event out."""
    return not any(
        amendment.strike_out and live(facts, change)
        for change in facts.changes_of(id_)
        if isinstance(amendment := _content(facts, change), ev.RecordAmended)
    )


def evaluate(facts: Changes, id_: str) -> Evaluated:
    """What an event comes to once all its live changes are applied."""
    if not live(facts, id_):
        return Evaluated()
    stored = facts.stored[id_]
    event = stored.event
    if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
        return Evaluated(event=cast("ev.Event", _content(facts, id_)))
    if isinstance(event, ev.Remains):
        return Evaluated(lost=True)
    found = Evaluated()
    for change_id in facts.changes_of(id_):
        if not live(facts, change_id):
            continue
        change, lost = _content(facts, change_id), hides(facts, change_id)
        if isinstance(change, ev.Remains):
            return Evaluated(lost=True)
        if lost:
            found.hidden = tuple(s for s in SLOTS if s in lost or s in found.hidden)
            found.lost = found.lost or not lost.isdisjoint(needed(stored.type))
            event = blanked(event, id_, lost)
        event = _changed(event, cast("ev.Change", change))
        found.lost = found.lost and not _says_whose(cast("ev.Change", change))
        if isinstance(change, ev.ClaimCorrected):
            found.corrected_by = (*found.corrected_by, change_id)
            found.never_said = change.never_said  # the publisher's last word on it
    found.event = None if found.lost else event
    return found


def _content(facts: Changes, id_: str) -> ev.Event | ev.Remains:
    """A change with the live amendments to itself applied: what it changes in turn."""
    event = facts.stored[id_].event
    if not isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
        return event
    for change in facts.changes_of(id_):
        if not live(facts, change):
            continue
        if lost := hides(facts, change):  # it may have said otherwise
            kept = {k: v for k, v in event.changes.items() if slot_of_change(event, k) not in lost}
            event = attrs.evolve(event, changes=kept)
        later = _content(facts, change)
        if isinstance(later, ev.RecordAmended) and later.changes:
            event = attrs.evolve(event, changes={**event.changes, **later.changes})
    return event


def hides(facts: Changes, id_: str) -> set[str]:
    """The slots in which a change, or a live amendment to it, said what nobody can tell now."""
    stored = facts.stored[id_]
    if isinstance(stored.event, ev.RecordAmended) and stored.event.strike_out:
        return set()
    lost = {slot for slot in stored.erased if slot != "by"}
    for change in facts.changes_of(id_):
        if live(facts, change):
            lost |= hides(facts, change)
    return lost


def _changed(event: ev.Event, change: ev.Change) -> ev.Event:
    known = {field.name for field in attrs.fields(type(event))}
    try:
        return attrs.evolve(event, **{k: v for k, v in change.changes.items() if k in known})
    except (LedgerError, TypeError, ValueError):
        return event


def _says_whose(change: ev.Change) -> bool:
    """Whether a change says anew whose words they are, or what a party is called."""
    return "chains" in change.changes or "name" in change.changes
