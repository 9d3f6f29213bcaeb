"""The fields of a record that can be corrected or amended, read as a host writes them.

A field is written as it is when the record is made: `proposition="road-blocked"`, `claimant="az"`,
`uttered="2023-01-18"`, `quote="..."`. Identity (ids, a document's bytes) is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from ledger.errors import InvalidAmendment, InvalidCorrection, InvalidParty, InvalidTopic
from ledger.model import claim as words
from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.claim import Claim
from ledger.model.document import check_url
from ledger.model.fields import to_ids, to_language
from ledger.model.moment import Edtf
from ledger.model.party import Membership, Name, Party, check_kind, check_members
from ledger.model.proposition import check_proposition_kind
from ledger.model.quotation import Quotation
from ledger.model.text import check_name, check_text, did_you_mean, near, show
from ledger.recording.claiming import Words, attribution, check_claim
from ledger.recording.intake import Intake
from ledger.recording.occasions import check_order, check_times, times_of

Reader = Callable[[Intake, Any], Any]


def _date(field: str) -> Reader:
    return lambda _, v: None if v is None else Edtf.parse(v, field=field)


def _name(field: str) -> Reader:
    return lambda _, v: check_name(v, field=field)


def _text(field: str) -> Reader:
    return lambda _, v: None if v is None else check_text(v, field=field)


def _one(kind: str) -> Reader:
    return lambda intake, v: intake.find(kind, v)


def _many(kind: str) -> Reader:
    return lambda intake, v: tuple(intake.find(kind, one) for one in to_ids(v))


def _or_none(reader: Reader) -> Reader:
    return lambda intake, v: None if v is None else reader(intake, v)


def _as_claim(field: str) -> Reader:
    """A plain word of a claim, checked where claims are checked."""

    def read(_: Intake, value: Any) -> Any:
        fields: dict[str, Any] = {"proposition": "-", "act": "assert", field: value}
        return getattr(Claim(**fields), field)

    return read


def _as_name(field: str) -> Reader:
    return lambda _, v: getattr(Name("-", **{field: v}), field)


def _as_membership(field: str) -> Reader:
    return lambda _, v: getattr(Membership("-", "+", **{field: v}), field)


_READERS: Final[Mapping[type[Any], Mapping[str, Reader]]] = {
    ev.PartyRegistered: {
        "name": _name("name"),
        "kind": lambda _, v: check_kind(v),
        "members": _many("party"),
    },
    ev.PartyNamed: {
        "name": _name("name"),
        **{field: _as_name(field) for field in ("metonym", "period", "rank", "language")},
    },
    ev.MembershipRecorded: {
        "organisation": _one("party"),
        **{field: _as_membership(field) for field in ("role", "period", "speaks_for")},
    },
    ev.TopicDefined: {"label": _name("label"), "part_of": _or_none(_one("topic"))},
    ev.PropositionDefined: {
        "text": _text("text"),
        "kind": lambda _, v: check_proposition_kind(v),
        "topics": _many("topic"),
    },
    ev.OccurrenceDescribed: {"label": _name("label"), "propositions": _many("proposition")},
    ev.DocumentRegistered: {
        "publisher": _one("party"),
        "published": _date("published"),
        "title": _or_none(_name("title")),
        "url": lambda _, v: check_url(v),
        "language": lambda _, v: to_language(v),
    },
    ev.ClaimRecorded: {
        "proposition": _one("proposition"),
        "act": lambda _, v: words.check_act(v),
        "stance": lambda _, v: words.one_of(v, words.STANCES, "stance"),
        **{
            field: _as_claim(field)
            for field in ("factuality", "capacity", "conditions", "basis", "note", "extra")
        },
        "uttered": _date("uttered"),
        "about": _date("about"),
        "expires": _date("expires"),
        "document": _or_none(_one("document")),
        "addressees": _many("party"),
        "mentions": _many("party"),
        "language": lambda _, v: to_language(v),
    },
    ev.ClaimWithdrawn: {
        "uttered": _date("uttered"),
        "document": _or_none(_one("document")),
        "capacity": _as_claim("capacity"),
        "note": _text("note"),
        "claims": _many("claim"),
    },
    ev.ClaimsRelated: {"note": _text("note")},
    ev.DocumentRevised: {},
    ev.PartiesMerged: {},
    ev.PropositionsMerged: {},
    ev.ClaimCorrected: {},
}
_WHO: Final = ("claimant", "via", "on_behalf_of", "chain")
_ACTS: Final = get_args(ev.Act)


def read_changes(
    intake: Intake,
    event: Any,
    fields: Mapping[str, Any],
    refused: type[InvalidAmendment | InvalidCorrection] = InvalidAmendment,
) -> dict[str, Any]:
    """The new values of a record's fields, by the names they have in its event.

    Raises:
        InvalidAmendment: a field that the record does not have, or that is never changed.
        InvalidCorrection: the same, where that was asked for.
    """
    readers = _READERS[type(event)]
    saying = (*_WHO, "quote", "utterance") if isinstance(event, _ACTS) else ()
    changes: dict[str, Any] = {}
    for field, value in fields.items():
        if field in readers:
            changes[field] = readers[field](intake, value)
        elif field not in saying:
            known = (*readers, *saying)
            done, instead = "amended", "strike_out=True"
            if refused is InvalidCorrection:
                done, instead = "corrected", "never_said=True"
            raise refused(
                f"{show(field)} of this record cannot be {done}."
                f"{did_you_mean(near(field, known))} What can be: {', '.join(known) or 'nothing'};"
                f" or {instead}. Ids and a document's bytes are never changed.",
                field=field,
                given=value,
            )
    if saying:
        changes |= _of_an_act(intake, event, fields, changes)
    return changes


def _of_an_act(
    intake: Intake, event: Any, fields: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    checker = Words(intake, changes.get("document", event.document))
    if "utterance" in fields:
        key = _as_claim("utterance")(intake, fields["utterance"])
        found["utterance"], found["utterance_key"] = intake.utterance(key), key
    if "quote" in fields or (event.quote and "document" in changes):
        quote = fields.get("quote", event.quote)
        found["quote"] = checker.checked(None if quote is None else Quotation.of(quote), "quote")
    who = {field: fields[field] for field in _WHO if field in fields}
    if who:
        claim = Claim(proposition="-", act="assert", **who)
        found["chains"], found["link_words"] = attribution(intake, checker, claim)
    elif "document" in changes:
        found["chains"] = _reported_anew(intake, event, changes["document"])
    return found


def _reported_anew(
    intake: Intake, event: Any, document: str | None
) -> tuple[tuple[ev.ChainLink, ...], ...]:
    """The chains with the new document's publisher in front, where the old one's stood."""
    old = intake.get(event.document, ev.DocumentRegistered)
    new = intake.get(document, ev.DocumentRegistered)
    if old is None or new is None:
        return event.chains  # type: ignore[no-any-return]  # one of two classes of events
    implied = ev.ChainLink(old.publisher, "reports")
    return tuple(
        (ev.ChainLink(new.publisher, "reports"), *chain[1:]) if chain[:1] == (implied,) else chain
        for chain in event.chains
    )


def check_record(intake: Intake, id_: str, event: Any) -> None:
    """What must hold of a record once it is changed."""
    recorded = intake.facts.stored[id_].recorded
    match event:
        case ev.ClaimRecorded() | ev.ClaimWithdrawn():
            if isinstance(event, ev.ClaimRecorded):
                check_claim(intake, event)
            if _moved(intake, id_, event):
                check_times(intake, event.uttered, event.document, recorded)
                check_order(intake, id_, event, times_of(intake, event, recorded))
        case ev.PartyRegistered():
            members = tuple(map(intake.public, event.members))
            check_members(event.key, event.kind, members)
            Party(event.key, name=event.name, kind=event.kind, members=members)
            before = intake.get(id_, ev.PartyRegistered)
            if before is None or before.members != event.members:
                _check_joint(intake, id_, event)
        case ev.DocumentRegistered():
            _check_published(intake, id_, event)
        case ev.TopicDefined():
            _check_wider(intake, id_, event)
        case ev.MembershipRecorded():
            Membership(event.member, event.organisation)  # refuses what belongs to itself
        case ev.PropositionDefined():
            for claim in intake.facts.indexed("claims_on", id_):
                if (on_it := intake.get(claim, ev.ClaimRecorded)) is not None:
                    words.check_act_kind(on_it.act, event.kind, event.key)
        case _:
            return


def _moved(intake: Intake, id_: str, act: ev.Act) -> bool:
    """Whether a change touches when an act was said; what an undo left crooked may stay so."""
    before = intake.facts.act(id_)
    return before is None or any(
        getattr(before, field, None) != getattr(act, field, None)
        for field in ("uttered", "document", "utterance", "claims")
    )


def _check_published(intake: Intake, id_: str, document: ev.DocumentRegistered) -> None:
    """Refuse a day of publication before which nobody had uttered what the document carries."""
    facts, before = intake.facts, intake.get(id_, ev.DocumentRegistered)
    if document.published is None or (before and before.published == document.published):
        return
    for id_of_act in facts.indexed("acts_in", id_):
        act = facts.act(id_of_act)
        if act is None:
            continue
        when = Bounds.of(act.uttered, document.published.latest, facts.stored[id_of_act].recorded)
        if when.empty():
            raise InvalidAmendment(
                f"Document {show(document.key)} would be published on {document.published}, before "
                f"{show(intake.public(id_of_act))} was uttered, which it carries ({act.uttered}). "
                "Give another published=, or amend the uttered= of that one first.",
                field="published",
                given=str(document.published),
            )
        check_order(intake, id_of_act, act, when)


def _check_joint(intake: Intake, id_: str, party: ev.PartyRegistered) -> None:
    """Refuse a joint party that would be a member of itself, by whatever way round."""
    seen: set[str] = set()
    canonical = intake.facts.canonical
    within = [(member, canonical(member)) for member in party.members]
    for member, here in within:
        if here == canonical(id_):
            raise InvalidParty(
                f"Party {show(party.key)} would be a member of itself through "
                f"{show(intake.public(member))}. Leave that one out of members.",
                field="members",
                given=intake.public(member),
            )
        if here not in seen:
            seen.add(here)
            for same in intake.facts.merged_group(here):
                found = intake.get(same, ev.PartyRegistered)
                within += [(member, canonical(one)) for one in (found.members if found else ())]


def _check_wider(intake: Intake, id_: str, topic: ev.TopicDefined) -> None:
    """Refuse a topic that would be part of itself, by whatever way round."""
    wider, seen = topic.part_of, set[str]()
    while wider is not None and wider not in seen:  # an undoing may have closed a circle above
        seen.add(wider)
        if wider == id_:
            raise InvalidTopic(
                f"Topic {show(topic.key)} would be part of itself through "
                f"{show(intake.public(topic.part_of))}. Leave part_of out, or name another topic.",
                field="part_of",
                given=intake.public(topic.part_of),
            )
        above = intake.get(wider, ev.TopicDefined)
        wider = above.part_of if above else None
