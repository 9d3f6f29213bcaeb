"""What stands where something was erased: which parts of which record, when, why, by whose word.

Here lives the placeholder that answers carry. What an erasure leaves of an event is
`ledger.model.erasing`; how one is made, `ledger.recording.erasing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import attrs

from ledger.model import events as ev
from ledger.model.erasing import SLOTS
from ledger.projections.answer import Answer
from ledger.projections.changing import is_of_another
from ledger.projections.effective import Facts


@attrs.frozen(kw_only=True)
class Erased(Answer):
    """Parts of a record that were erased: `slots` of who, what, words and by.

    `recorded` is when the erasure was recorded, `sequence` its sequence number. Both are None if a
    part is missing without an erasure; `verify` then raises an error.
    """

    record: str
    slots: tuple[str, ...]
    recorded: dt.datetime | None
    reason: str
    authority: str
    sequence: int | None

    def __str__(self) -> str:
        parts = ", ".join(self.slots)
        if self.recorded is None:
            return f"{self.record}: {parts} missing, and no erasure says why: verify the log"
        day = self.recorded.astimezone(dt.UTC).date()
        return (
            f"{self.record}: {parts} erased on {day} (#{self.sequence}), because {self.reason}, "
            f"by the authority of {self.authority}"
        )


def erased(facts: Facts, id_: str) -> tuple[Erased, ...]:
    """What was erased of a record and its changes, an erasure after the other."""
    missing = facts.erased(id_)
    if not missing:
        return ()
    found: dict[tuple[str, str, dt.datetime], Erased] = {}
    for one in with_changes(facts, id_):
        for sequence, event, recorded in _erasures(facts, one):
            key = (event.reason, event.authority, recorded)
            slots = {*event.slots, *(found[key].slots if key in found else ())}
            found[key] = Erased(
                record=facts.public(id_),
                slots=tuple(slot for slot in SLOTS if slot in slots),
                recorded=recorded,
                reason=event.reason,
                authority=event.authority,
                sequence=sequence if key not in found else found[key].sequence,
            )
            missing -= slots
    if missing:
        untold = Erased(
            record=facts.public(id_),
            slots=tuple(slot for slot in SLOTS if slot in missing),
            recorded=None,
            reason="",
            authority="",
            sequence=None,
        )
        return (*found.values(), untold)
    return tuple(found.values())


def erased_of_event(facts: Facts, id_: str) -> Iterator[Erased]:
    """The erasures of one event by itself, without those of its changes."""
    for sequence, event, recorded in _erasures(facts, id_):
        yield Erased(
            record=facts.public(id_),
            slots=event.slots,
            recorded=recorded,
            reason=event.reason,
            authority=event.authority,
            sequence=sequence,
        )


def erased_of(facts: Facts, ids: Iterable[str]) -> tuple[Erased, ...]:
    """The same of several records."""
    return tuple(one for id_ in ids for one in erased(facts, id_))


def with_changes(facts: Facts, id_: str) -> Iterator[str]:
    """A record, its amendments and corrections, and those of these."""
    yield id_
    for change in facts.changes_of(id_):
        if not is_of_another(facts.stored[id_], facts.stored[change]):
            yield from with_changes(facts, change)


def _erasures(facts: Facts, id_: str) -> Iterator[tuple[int, ev.ContentErased, dt.datetime]]:
    for sequence, stored in sorted(facts.erasures.get(id_, {}).items()):
        if isinstance(stored.event, ev.ContentErased) and sequence > facts.stored[id_].sequence:
            yield sequence, stored.event, stored.recorded
