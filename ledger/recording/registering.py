"""Parties, names, memberships, topics, propositions, occurrences and documents into events."""

from __future__ import annotations

from typing import assert_never, cast

from ledger.errors import InvalidDocument, InvalidMerge
from ledger.model import events as ev
from ledger.model.document import Document
from ledger.model.fields import check_flag
from ledger.model.party import Membership, Name, Party
from ledger.model.proposition import Occurrence, Proposition, Topic
from ledger.model.text import check_text, show
from ledger.projections import naming
from ledger.projections.effective import Facts
from ledger.projections.indexing import KEYED
from ledger.recording.intake import Intake, Made

Noun = Party | Membership | Topic | Proposition | Occurrence | Document


def register(intake: Intake, noun: Noun) -> Made:
    """One noun into events; the same noun again makes none.

    Raises:
        NotFound: it names something that is not registered.
        AlreadyRecorded: its id is taken by another content.
    """
    match noun:
        case Party():
            return _party(intake, noun)
        case Membership():
            return _membership(intake, noun)
        case Topic():
            part_of = None if noun.part_of is None else intake.find("topic", noun.part_of)
            return _keyed(intake, ev.TopicDefined(key=noun.id, label=noun.label, part_of=part_of))
        case Proposition():
            topics = tuple(intake.find("topic", topic) for topic in noun.topic)
            return _keyed(
                intake,
                ev.PropositionDefined(key=noun.id, text=noun.text, kind=noun.kind, topics=topics),
            )
        case Occurrence():
            told = tuple(intake.find("proposition", one) for one in noun.propositions)
            return _keyed(
                intake, ev.OccurrenceDescribed(key=noun.id, label=noun.label, propositions=told)
            )
        case Document():
            return _document(intake, noun)
        case _:
            assert_never(noun)


Keyed = ev.TopicDefined | ev.PropositionDefined | ev.OccurrenceDescribed | ev.DocumentRegistered


def _keyed(intake: Intake, event: Keyed) -> Made:
    kind = KEYED[type(event)]
    taken = intake.taken(kind, event.key, event)
    if taken is not None:
        same = intake.original(taken) == event
        return intake.same_or_refuse(kind, event.key, taken, same=same)
    return intake.made(intake.add(event))


def _party(intake: Intake, noun: Party) -> Made:
    members = tuple(intake.find("party", member) for member in noun.members)
    above = [intake.find("party", party) for party in noun.part_of]
    event = ev.PartyRegistered(key=noun.id, name=noun.name, kind=noun.kind, members=members)
    names = (*noun.names, *noun.metonyms)
    taken = intake.taken("party", noun.id, event)
    if taken is None:
        id_ = intake.add(event)
        named = [name(intake, id_, one).id for one in names]
        stream = intake.stream_of(id_)
        belongs = [intake.add(_belonging(id_, party), stream=stream) for party in above]
        return intake.made(id_, [*named, *belongs])
    same = (
        intake.original(taken) == event
        and all(intake.alike("names_of", taken, _naming(taken, one)) for one in names)
        and all(intake.alike("memberships_of", taken, _belonging(taken, one)) for one in above)
    )
    events = 1 + len(names) + len(above)
    return intake.same_or_refuse("party", noun.id, taken, same=same, events=events)


def _belonging(member: str, organisation: str) -> ev.MembershipRecorded:
    return ev.MembershipRecorded(member=member, organisation=organisation)


def _membership(intake: Intake, noun: Membership) -> Made:
    member = intake.find("party", noun.member)
    event = ev.MembershipRecorded(
        member=member,
        organisation=intake.find("party", noun.organisation),
        role=noun.role,
        period=noun.period,
        speaks_for=noun.speaks_for,
    )
    if (there := intake.alike("memberships_of", member, event)) is not None:
        return intake.already(there)
    return intake.made(intake.add(event, stream=intake.stream_of(member)))


def _naming(party: str, one: Name) -> ev.PartyNamed:
    return ev.PartyNamed(
        party=party,
        name=one.text,
        metonym=one.metonym,
        period=one.period,
        rank=one.rank,
        language=one.language,
    )


def name(intake: Intake, party: str, one: Name) -> Made:
    """A further name of a party (by ledger id)."""
    event = _naming(party, one)
    if (there := intake.alike("names_of", party, event)) is not None:
        return intake.already(there)
    return intake.made(intake.add(event, stream=intake.stream_of(party)))


def _document(intake: Intake, noun: Document) -> Made:
    made = _keyed(
        intake,
        ev.DocumentRegistered(
            key=noun.id,
            publisher=intake.find("party", str(noun.publisher)),
            sha256=noun.sha256,
            length=noun.length or 0,
            published=noun.published,
            title=noun.title,
            url=noun.url,
            language=noun.language,
            text=noun.text if noun.keep_text else None,
        ),
    )
    return made if noun.revises is None else _revised(intake, made, noun.id, noun.revises)


def _revised(intake: Intake, made: Made, key: str, given: str) -> Made:
    """The document as a later version of another one, which may be told when it is there already.

    Raises:
        InvalidDocument: it revises another one already, or itself by whatever way round.
    """
    earlier = intake.find("document", given)
    event = ev.DocumentRevised(document=made.id, revises=earlier)
    before = _revises(intake, made.id)
    if before == earlier or intake.once(event) is not None:
        return intake.already(made.id)
    if before is not None:
        raise InvalidDocument(
            f"Document {show(key)} revises {show(intake.public(before))} already, and a version "
            "has one before it. Strike that out first: ledger.amend(id, strike_out=True, "
            "reason=...).",
            field="revises",
            given=given,
        )
    # No document revises one that is new, but itself.
    here = earlier if made.already is not None or earlier == made.id else None
    seen: set[str] = set()
    while here is not None and here not in seen:  # an undoing may have closed a circle before
        seen.add(here)
        if here == made.id:
            raise InvalidDocument(
                f"Document {show(key)} would revise itself through {show(given)}. Leave revises "
                "out, or name the version before it.",
                field="revises",
                given=given,
            )
        here = _revises(intake, here)
    id_ = intake.add(event, stream=intake.stream_of(made.id))
    return Made(made.id, made.public, (*made.events, id_))


def _revises(intake: Intake, document: str) -> str | None:
    """The version before a document."""
    for id_ in intake.facts.indexed("revision_of", document):
        event = intake.get(id_, object)
        if isinstance(event, ev.DocumentRevised) and event.document == document:
            return event.revises
    return next(iter(intake.behind(document)), None)


def _kind_of(intake: Intake, *given: str) -> str:
    """What ids are of, a party or a proposition, by the first that is known."""
    for one in given:
        for kind, cls in (("party", ev.PartyRegistered), ("proposition", ev.PropositionDefined)):
            if intake.get(intake.taken(kind, one) or one, cls) is not None:
                return kind
    return "party"


def _in_the_way(facts: Facts, keep: str, away: str) -> str:
    """What keeps two records from being merged, and how that is undone."""
    gone, kept = (facts.indexed("merge_of", one) for one in (away, keep))
    if not gone and not kept:
        return "they are one record. Name two."
    id_, told = (gone or kept)[0], "they are one already"
    if gone:
        into = cast("ev.PartiesMerged", facts.effective[id_]).kept
        told = f"{show(facts.public(away))} was merged into {show(facts.public(into))} before"
    return f"{told}. Strike that out first: ledger.amend({id_!r}, strike_out=True, reason=...)."


def merge(intake: Intake, kept: str, merged: str, *, negated: bool, reason: str) -> Made:
    """Two parties or two propositions that always were one.

    Raises:
        InvalidMerge: the same record twice, a circle, an id already merged away, a fact with an
            aim, or a negated merge of parties.
    """
    check_flag(negated, "negated")
    if reason != "":
        reason = check_text(reason, field="reason")
    for one in (kept, merged):
        naming.check("record", one)
    kind = _kind_of(intake, kept, merged)
    keep, away = intake.find(kind, kept), intake.find(kind, merged)
    facts = intake.facts
    gone = facts.indexed("merge_of", away)
    event: ev.PartiesMerged | ev.PropositionsMerged
    event = ev.PartiesMerged(kept=keep, merged=away, reason=reason)
    if kind == "proposition":
        event = ev.PropositionsMerged(kept=keep, merged=away, negated=negated, reason=reason)
    if gone and facts.effective[gone[0]] == event:
        return intake.already(gone[0])
    if (there := intake.once(event)) is not None:
        return intake.already(there)
    if facts.canonical(keep) == facts.canonical(away) or gone:
        raise InvalidMerge(
            f"{show(kept)} and {show(merged)} cannot be merged: {_in_the_way(facts, keep, away)}",
            field="merged",
            given=merged,
        )
    if kind == "party" and negated:
        raise InvalidMerge("Only propositions can be merged negated.", field="negated", given=True)
    kinds = [p.kind for id_ in (keep, away) if (p := intake.get(id_, ev.PropositionDefined))]
    if len(set(kinds)) > 1:
        raise InvalidMerge(
            f"{show(kept)} and {show(merged)} are a fact and an aim: whether a thing is so and "
            "whether it is wanted are never one proposition.",
            field="merged",
            given=merged,
        )
    return intake.made(intake.add(event))
