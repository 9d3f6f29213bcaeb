"""What is left of an event once some of its slots were erased.

Here lives that alone, for events at hand; `ledger.codec.envelope` reads the same from stored rows.
When and why it was done is told by `ledger.projections.erased`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, cast, get_args

import attrs

from ledger.model import events as ev

SLOTS: Final = ("who", "what", "words", "by")

NAMELESS: Final = ""
"""The name of a party whose name was erased; it goes by the ledger's own id."""

KINDLESS: Final = "x-ledger:gone"
"""The kind of a party whose kind was erased."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "claim_recorded": ("who", "what"),
    "claim_withdrawn": ("who", "what"),
    "party_named": ("who", "what"),
    "party_registered": (),  # what others say of it, and what it said, hangs on it
}
_CHANGEABLE: Final = {cls: attrs.fields_dict(cls) for cls in get_args(ev.Event)}


def needed(type_: str) -> tuple[str, ...]:
    """The slots without which nothing is left of an event of this type but `Remains`."""
    return _NEEDED.get(type_, ("what",))


def said_in(event: ev.Event | ev.Remains) -> Iterator[tuple[str, str, Any]]:
    """What an event says: slot, field and value, without fields that hold their default.

    Example:
        >>> list(said_in(ev.TopicDefined(key="lachin", label="The corridor")))
        [('what', 'key', 'lachin'), ('what', 'label', 'The corridor')]
    """
    if isinstance(event, ev.Remains):
        return
    for slot, field, default in _FIELDS[type(event)]:
        value = getattr(event, field)
        if field == "changes":
            for name, one in value.items():
                yield slot_of_change(cast("ev.Change", event), name), name, one
        elif default is attrs.NOTHING or value != default:
            yield slot, field, value


def slots_of(event: ev.Event | ev.Remains) -> tuple[str, ...]:
    """The slots in which an event says something; `by`, which every event has, is not told."""
    if isinstance(event, ev.Remains):
        return event.left
    found = {slot for slot, _, _ in said_in(event)}
    return tuple(slot for slot in SLOTS if slot in found)


def slot_of_change(change: ev.Change, field: str) -> str:
    """In which slot a change keeps the new value of a field: in that of the field itself."""
    cls = next(cls for cls, name in ev.TYPE_NAMES.items() if name == change.record_type)
    return str(_CHANGEABLE[cls][field].metadata["slot"])


def default_of(field: attrs.Attribute[Any]) -> Any:
    """What a field holds where nothing was said."""
    factory = getattr(field.default, "factory", None)
    return field.default if factory is None else factory()


_FIELDS: Final[Mapping[type[Any], tuple[tuple[str, str, Any], ...]]] = {
    cls: tuple((one.metadata["slot"], one.name, default_of(one)) for one in attrs.fields(cls))
    for cls in get_args(ev.Event)
}
"""The fields of each type of event: in which slot, under which name, and what no news is there."""


def without(stored: ev.StoredEvent, slots: Collection[str]) -> ev.StoredEvent:
    """A stored event as it is read once these slots of it are empty; itself where nothing goes."""
    there = {*slots_of(stored.event), "by"} - set(stored.erased)
    gone = [slot for slot in SLOTS if slot in slots and slot in there]
    if not gone:
        return stored
    all_gone = tuple(slot for slot in SLOTS if slot in gone or slot in stored.erased)
    return attrs.evolve(
        stored,
        recorder=ev.Recorder(id=stored.recorder.id) if "by" in gone else stored.recorder,
        event=_left(stored, all_gone),
        erased=all_gone,
    )


def _left(stored: ev.StoredEvent, gone: Collection[str]) -> ev.Event | ev.Remains:
    event = stored.event
    lost = tuple(slot for slot in needed(stored.type) if slot in gone)
    if not lost and not isinstance(event, ev.Remains):
        return blanked(event, stored.id, gone)
    left = tuple(slot for slot in slots_of(event) if slot not in gone)
    key = getattr(event, "key", None) if "what" in left else None
    return ev.Remains(stored.type, lost, left, key)


def blanked(event: ev.Event, id_: str, gone: Collection[str]) -> ev.Event:
    """An event without what it said in some slots.

    A party whose `who` goes has no name, one whose `what` goes no kind and no members.
    """
    blank: dict[str, Any] = {}
    for field in attrs.fields(type(event)):
        if field.metadata["slot"] in gone and field.default is not attrs.NOTHING:
            blank[field.name] = default_of(field)
    if isinstance(event, ev.PartyRegistered) and "who" in gone:
        blank |= {"key": id_, "name": NAMELESS}
    if isinstance(event, ev.PartyRegistered) and "what" in gone:
        blank |= {"kind": KINDLESS}
    if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
        changes = event.changes.items()
        blank["changes"] = {k: v for k, v in changes if slot_of_change(event, k) not in gone}
    return attrs.evolve(event, **blank) if blank else event
