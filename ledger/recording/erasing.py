"""Erasing: which slots of which events go, and the events that say so, one for each record.

Here lives the choice: of one record, of a document's text, of a person wherever they are named.
That the slots are emptied as the events are stored is the database's own doing; what happens to
its files after that is in `ledger.erasing`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import attrs

from ledger.errors import InvalidErasure
from ledger.model import events as ev
from ledger.model.erasing import NAMELESS, SLOTS, said_in, slots_of
from ledger.model.quotation import Quotation
from ledger.model.text import check_text, show
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import with_changes
from ledger.projections.indexing import keys_of
from ledger.projections.versions import earlier, later
from ledger.recording.intake import Intake, Made
from ledger.recording.named import any_record
from ledger.recording.wording import comparable, stands

_DEFAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "party_registered": ("who", "words", "by"),
    "party_named": ("who",),
    "document_registered": ("words",),
    "claim_recorded": ("words",),
    "claim_withdrawn": ("words",),
    "claims_related": ("words",),
    "claim_corrected": ("words",),
    "record_amended": ("words",),
    "parties_merged": ("words",),
    "propositions_merged": ("words",),
}
"""What goes of a type of record where nobody says which slots."""

_SHORTEST: Final = 12
"""A quotation shorter than this is looked for in its document alone: it may stand anywhere."""

_REPEATED: Final = 4096
"""So many different texts are remembered while a log is searched: most are those of a few words."""


@attrs.frozen(kw_only=True)
class Part(Answer):
    """One slot of one event: which, of which record, and what it says, where that may be shown."""

    sequence: int
    record: str
    type: str
    slot: str
    why: str
    event: str = attrs.field(repr=False)
    excerpt: str = ""

    def __str__(self) -> str:
        said = f": {self.excerpt}" if self.excerpt else ""
        return f"#{self.sequence} {self.type} {self.record}, {self.slot} ({self.why}){said}"


@attrs.frozen(kw_only=True)
class Plan:
    """What an erasure takes, where the same words or names stand that it leaves, and what falls.

    `falling` are claims that are in no position any more, as nobody can tell what they are about.
    """

    record: str
    parts: tuple[Part, ...]
    left: tuple[Part, ...]
    falling: tuple[str, ...] = ()


def plan(intake: Intake, record: str, slots: Sequence[str] | None, *, quotations: bool) -> Plan:
    """What goes of a record, of everything that names a person, or of a document's text.

    Raises:
        UnknownEvent: nothing has that id, or records of several kinds do.
        InvalidErasure: no such slot, or one that cannot go by itself.
    """
    facts = intake.facts
    id_ = any_record(intake, record)
    stored = facts.stored[id_]
    wanted = _wanted(record, stored, slots)
    if stored.type == "party_registered":
        return _of_a_person(facts, (id_, *_struck_out_before(facts, record, id_)), wanted)
    found = dict(_of_a_record(facts, id_, wanted))
    for one in _struck_out_before(facts, record, id_):
        found.update(_of_a_record(facts, one, wanted, why="bore the same id, struck out"))
    if quotations and stored.type == "document_registered":
        for act in facts.indexed("acts_in", id_):
            found.update(_of_a_record(facts, act, ("words",), why="taken from the document"))
    left = (
        *_other_versions(facts, found),
        *_own_documents(facts, found),
        *_left(facts, found, _standing(facts, _words_of(facts, found))),
    )
    falls = stored.type == "proposition_defined" and (id_, "what") in found
    return Plan(
        record=facts.public(id_),
        parts=tuple(found.values()),
        left=tuple({(one.event, one.slot): one for one in left}.values()),
        falling=tuple(map(facts.public, facts.indexed("claims_on", id_))) if falls else (),
    )


def erase(intake: Intake, planned: Plan, *, reason: str, authority: str) -> list[Made]:
    """One event for each event that loses slots, in the stream of its record.

    Raises:
        InvalidErasure: no reason, or nobody's authority.
    """
    told = {"reason": reason, "authority": authority}
    for field, value in told.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidErasure(
                f"An erasure needs {field}=: it stands in the log for ever and says why there is a "
                "gap, so write no personal data into it. Such as reason='request of the person "
                "concerned', authority='data protection officer'.",
                field=field,
                given=value,
            )
        told[field] = check_text(value, field=field)
    slots: dict[str, list[str]] = {}
    for part in planned.parts:
        slots.setdefault(part.event, []).append(part.slot)
    return [
        intake.made(
            intake.add(
                ev.ContentErased(target=event, slots=tuple(gone), **told),
                stream=intake.stream_of(event),
            )
        )
        for event, gone in slots.items()
    ]


def _wanted(record: str, stored: ev.StoredEvent, slots: Sequence[str] | None) -> tuple[str, ...]:
    alone = slots is not None and (isinstance(slots, str) or not isinstance(slots, Iterable))
    given: Any = (slots,) if alone else slots
    if given is None:
        given = _DEFAULTS.get(stored.type, ())
        if not given:
            raise InvalidErasure(
                f"{show(record)} is a {stored.type}: say what is to go, slots=['what'] (what it "
                "says; what was said about it is then in no position) or slots=['by'] (who "
                "entered it).",
                field="slots",
                given=slots,
            )
    unknown = [slot for slot in given if slot not in SLOTS]
    if unknown or not given:
        raise InvalidErasure(
            f"There is no slot {show(unknown[0]) if unknown else 'named'}. Write some of: "
            f"{', '.join(SLOTS)}.",
            field="slots",
            given=slots,
        )
    kept = {"content_erased": set(SLOTS) - {"by"}, "record_amended": {"what"}}
    kept["claim_corrected"] = kept["record_amended"]
    refused = sorted(kept.get(stored.type, set()) & set(given))
    if refused:
        raise InvalidErasure(
            f"{show(record)} is a {stored.type}, which cannot lose its {refused[0]}: the log could "
            "not tell any more what was done. Erase the record itself, which takes its changes "
            "along; of an erasure only slots=['by'].",
            field="slots",
            given=slots,
        )
    return tuple(slot for slot in SLOTS if slot in given)


def _of_a_record(
    facts: Facts, id_: str, slots: Collection[str], *, why: str = ""
) -> Iterator[tuple[tuple[str, str], Part]]:
    for one in with_changes(facts, id_):
        reason = why or ("asked for" if one == id_ else f"changes {facts.public(id_)}")
        for slot in there(facts.stored[one]):
            if slot in slots:
                yield (one, slot), _part(facts, one, slot, reason)


def _struck_out_before(facts: Facts, given: str, id_: str) -> Iterator[str]:
    """The records that a host knew by the same id before they were struck out."""
    keys = {one for one in keys_of(facts.stored[id_].event) if not facts.one_bears(*one)}
    if given == id_ or not keys:
        return
    for one, stored in facts.stored.items():
        if one != id_ and not keys.isdisjoint(keys_of(stored.event)):
            yield one


def there(stored: ev.StoredEvent) -> tuple[str, ...]:
    """The slots of an event that hold something still.

    Of a striking out the `what` stays: it tells of nothing but the record, which would be back.
    """
    event = stored.event
    kept = "what" if isinstance(event, ev.RecordAmended) and event.strike_out else ""
    by = ("by",) if stored.recorder.name and "by" not in stored.erased else ()
    return (*(one for one in slots_of(event) if one not in (kept, *stored.erased)), *by)


def _part(facts: Facts, id_: str, slot: str, why: str) -> Part:
    stored = facts.stored[id_]
    return Part(
        sequence=stored.sequence,
        record=facts.public(id_),
        type=stored.type,
        slot=slot,
        why=why,
        event=id_,
        excerpt="; ".join(show(text, 60) for text in list(texts(stored, slot))[:4]),
    )


# -- a person --------------------------------------------------------------------------------------


def _of_a_person(facts: Facts, ids: Sequence[str], slots: Collection[str]) -> Plan:
    """Their names, and every slot in which one of these stands as a word of its own.

    `ids` are a party's, and of those who bore the same host's id before they were struck out.
    """
    found: dict[tuple[str, str], Part] = {}
    names: set[str] = set()
    group = {*ids}.union(*map(facts.merged_group, ids))
    streams = {facts.stored[one].stream for one in group}
    for one, stored in facts.stored.items():
        event = stored.event
        names_one = isinstance(event, ev.PartyNamed) and event.party in group
        # Of which name an emptied one is, or an emptied change to one, its stream alone tells.
        emptied = isinstance(event, ev.Remains) and stored.stream in streams
        if one in group or names_one or emptied:
            for target in with_changes(facts, one):
                names |= set(map(comparable, _names_in(facts.stored[target])))
                for slot, why in (("who", "their name"), ("what", "asked for")):
                    if slot in slots and slot in there(facts.stored[target]):
                        found[target, slot] = _part(facts, target, slot, why)
    named = [*_standing(facts, names)]
    for one, slot in named:
        if slot in slots and slot in ("words", "by"):
            found[one, slot] = _part(facts, one, slot, "names them")
    return Plan(
        record=facts.public(ids[0]),
        parts=tuple(found.values()),
        left=tuple(_left(facts, found, named)),
    )


def _names_in(stored: ev.StoredEvent) -> Iterator[str]:
    for slot, field, value in said_in(stored.event):
        if slot == "who" and field == "name" and value != NAMELESS:
            yield str(value)


def _standing(facts: Facts, needles: Collection[str]) -> Iterator[tuple[str, str]]:
    """The events and slots in which one of some comparable names or quotations stands."""

    @functools.lru_cache(_REPEATED)
    def stood(text: str) -> bool:
        shown = comparable(text)
        return any(stands(needle, shown) for needle in needles)

    for id_, stored in facts.stored.items() if needles else ():
        named = {slot for slot, text in _told(stored) if stood(text)}
        yield from ((id_, slot) for slot in (there(stored) if named else ()) if slot in named)


def texts(stored: ev.StoredEvent, slot: str) -> Iterator[str]:
    """Every text in a slot of an event, down to the last field."""
    return (text for where, text in _told(stored) if where == slot)


def _told(stored: ev.StoredEvent) -> Iterator[tuple[str, str]]:
    """Every text of an event with its slot."""
    yield from (("by", text) for text in (stored.recorder.name, stored.recorder.tool) if text)
    for slot, _, value in said_in(stored.event):
        if isinstance(value, str) and value:
            yield slot, value
        else:
            yield from ((slot, text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from (value,) if value else ()
        case Mapping():
            for key, one in value.items():
                yield from (key, *_texts(one))
        case tuple() | list():
            for one in value:
                yield from _texts(one)
        case _:
            for name in _fields(cast("Any", type(value))):
                yield from _texts(getattr(value, name))


@functools.cache
def _fields(cls: type[Any]) -> tuple[str, ...]:
    # How words are quoted is none of them.
    found = attrs.fields(cls) if attrs.has(cls) else ()
    return tuple(field.name for field in found if field.name != "mode")


# -- what is left ----------------------------------------------------------------------------------


def _words_of(facts: Facts, found: Mapping[tuple[str, str], Part]) -> set[str]:
    """The quotations that go, comparable, to be looked for elsewhere."""
    quoted: set[str] = set()
    for id_, slot in found:
        event = facts.stored[id_].event
        if slot == "words":
            for _, field, quote in said_in(event):
                if field == "quote" and isinstance(quote, Quotation):
                    quoted |= {quote.exact, *(one.text for one in quote.renderings)}
            if isinstance(event, ev.DocumentRegistered):
                quoted |= set(_quoted_from(facts, id_))
    return {comparable(one) for one in quoted if len(one) >= _SHORTEST}


def _own_documents(facts: Facts, found: Mapping[tuple[str, str], Part]) -> Iterator[Part]:
    """The documents from whose texts quotations that go were taken, in however many pieces."""
    for id_, slot in found:
        event = facts.stored[id_].event
        quote, document = getattr(event, "quote", None), getattr(event, "document", None)
        stored = facts.stored.get(document) if slot == "words" and document else None
        if quote is None or stored is None or (stored.id, "words") in found:
            continue
        if "words" in there(stored):
            yield _part(facts, stored.id, "words", "holds the same")


def _other_versions(facts: Facts, found: Mapping[tuple[str, str], Part]) -> Iterator[Part]:
    """The texts of a document's other versions, which may say the same."""
    for id_, slot in found:
        if slot == "words" and isinstance(facts.stored[id_].event, ev.DocumentRegistered):
            for version in (*earlier(facts, id_), *later(facts, id_)):
                stored = facts.stored.get(version)
                if stored is not None and "words" in there(stored):
                    yield _part(facts, version, "words", "another version")


def _quoted_from(facts: Facts, document: str) -> Iterator[str]:
    for id_ in facts.indexed("acts_in", document):
        quote = getattr(facts.stored[id_].event, "quote", None)
        if quote is not None:
            yield quote.exact


def _left(
    facts: Facts, found: Mapping[tuple[str, str], Part], places: Iterable[tuple[str, str]]
) -> Iterator[Part]:
    """The slots in which the same stands, and that nobody asked to erase."""
    return (_part(facts, *one, "holds the same") for one in places if one not in found)
