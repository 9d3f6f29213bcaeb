"""What a ledger knows of parties, topics, propositions and documents, as lists."""

from __future__ import annotations

import datetime as dt

import attrs

from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.model.period import ALWAYS, Period
from ledger.projections import scope
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased, erased
from ledger.projections.naming import names_of


@attrs.frozen(kw_only=True)
class Belonging(Answer):
    """A membership: party in party, role, period; `certain` is None where no day was asked for."""

    member: str
    organisation: str
    role: str
    period: Period
    speaks_for: bool
    certain: bool | None = None

    def __str__(self) -> str:
        role = f" as {self.role}" if self.role else ""
        speaks = "" if self.speaks_for else ", not speaking for it"
        doubt = " (possibly)" if self.certain is False else ""
        return f"{self.member} in {self.organisation}{role}, {self.period}{speaks}{doubt}"


@attrs.frozen(kw_only=True)
class NameLine(Answer):
    """A name of a party and when it is one; `certain` is None where no day was asked for."""

    party: str
    name: str
    metonym: bool = False
    period: Period = ALWAYS
    rank: int = 0
    language: str | None = None
    certain: bool | None = None

    def __str__(self) -> str:
        what = " (metonym)" if self.metonym else ""
        doubt = " (possibly)" if self.certain is False else ""
        return f"{self.party} is called {self.name}{what}, {self.period}{doubt}"


@attrs.frozen(kw_only=True)
class PartyLine(Answer):
    """A party with its names and what it belongs to; one whose name was erased has none."""

    id: str
    name: str
    kind: str
    names: tuple[str, ...]
    memberships: tuple[Belonging, ...]
    members: tuple[str, ...]
    erased: tuple[Erased, ...] = ()

    def __str__(self) -> str:
        return f"{self.id} {self.name} ({self.kind})"


@attrs.frozen(kw_only=True)
class TopicLine(Answer):
    """A topic, and the wider one it is part of."""

    id: str
    label: str
    part_of: str

    def __str__(self) -> str:
        return f"{self.id} {self.label}" + (f" (part of {self.part_of})" if self.part_of else "")


@attrs.frozen(kw_only=True)
class PropositionLine(Answer):
    """A proposition with its text, kind and topics."""

    id: str
    text: str
    kind: str
    topics: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.id} {self.text} ({self.kind})"


@attrs.frozen(kw_only=True)
class DocumentLine(Answer):
    """A document: where it stands, when it was published, its digest and length in code points."""

    id: str
    title: str
    publisher: str
    published: Edtf | None
    sha256: str
    length: int
    has_text: bool
    erased: tuple[Erased, ...] = ()

    def __str__(self) -> str:
        title = f" {self.title}" if self.title else ""
        published = f", {self.published}" if self.published else ""
        return f"{self.id}{title}, {self.publisher}{published}"


def parties(facts: Facts) -> tuple[PartyLine, ...]:
    """The parties, merged ones once, by id."""
    found = []
    for id_, party in facts.of_type(ev.PartyRegistered):
        if facts.canonical(id_) == id_:
            found.append(_party(facts, id_, party))
    return tuple(sorted(found, key=lambda one: one.id))


def _party(facts: Facts, id_: str, party: ev.PartyRegistered) -> PartyLine:
    names = [
        name.name
        for one in facts.merged_group(id_)
        for naming in facts.indexed("names_of", one)
        if (name := facts.get(naming, ev.PartyNamed)) is not None
    ]
    return PartyLine(
        id=party.key,
        name=party.name,
        kind=party.kind,
        names=tuple(dict.fromkeys(names)),
        memberships=memberships(facts, id_),
        members=tuple(facts.public(facts.canonical(member)) for member in party.members),
        erased=erased(facts, id_),
    )


def memberships(facts: Facts, party: str, on: dt.date | None = None) -> tuple[Belonging, ...]:
    """What a party belongs to, on a day (surely or possibly), or at any time."""
    found = []
    for one in facts.merged_group(party):
        for id_ in facts.indexed("memberships_of", one):
            membership = facts.get(id_, ev.MembershipRecorded)
            held = membership.period.covers(on, on) if membership and on else None
            if membership is not None and held != "no":
                found.append(
                    Belonging(
                        member=facts.public(facts.canonical(membership.member)),
                        organisation=facts.public(facts.canonical(membership.organisation)),
                        role=membership.role,
                        period=membership.period,
                        speaks_for=membership.speaks_for,
                        certain=None if held is None else held == "certain",
                    )
                )
    return tuple(found)


def names(facts: Facts, party: str, on: dt.date | None = None) -> tuple[NameLine, ...]:
    """What a party is called, on a day (surely or possibly), or at any time, in recorded order."""
    found: list[NameLine] = []
    for one in facts.merged_group(party):
        for name in names_of(facts, one):
            held = name.period.covers(on, on) if on else None
            if held != "no":
                found.append(
                    NameLine(
                        party=facts.public(facts.canonical(one)),
                        name=name.name,
                        metonym=name.metonym,
                        period=name.period,
                        rank=name.rank,
                        language=name.language,
                        certain=None if held is None else held == "certain",
                    )
                )
    return tuple(found)


def topics(facts: Facts) -> tuple[TopicLine, ...]:
    """The topics, in recorded order."""
    return tuple(
        TopicLine(id=topic.key, label=topic.label, part_of=facts.public(topic.part_of))
        for _, topic in facts.of_type(ev.TopicDefined)
    )


def propositions(facts: Facts) -> tuple[PropositionLine, ...]:
    """The propositions, merged ones once, in recorded order."""
    return tuple(
        PropositionLine(
            id=one.key,
            text=one.text,
            kind=one.kind,
            topics=tuple(map(facts.public, one.topics)),
        )
        for id_, one in facts.of_type(ev.PropositionDefined)
        if facts.canonical(id_) == id_
    )


def propositions_of(facts: Facts, topic: str) -> tuple[PropositionLine, ...]:
    """Those of one topic and of the topics inside it."""
    keys = set(map(facts.public, scope.propositions_of(facts, topic)))
    return tuple(one for one in propositions(facts) if one.id in keys)


def documents(facts: Facts) -> tuple[DocumentLine, ...]:
    """The documents, in recorded order."""
    return tuple(document(facts, id_) for id_, _ in facts.of_type(ev.DocumentRegistered))


def document(facts: Facts, id_: str) -> DocumentLine:
    """One document."""
    one = facts.effective[id_]
    assert isinstance(one, ev.DocumentRegistered)  # noqa: S101 - the caller found a document
    return DocumentLine(
        id=one.key,
        title=one.title or "",
        publisher=facts.public(facts.canonical(one.publisher)),
        published=one.published,
        sha256=one.sha256,
        length=one.length,
        has_text=one.text is not None,
        erased=erased(facts, id_),
    )
