"""A view as provenance: PROV-JSON, PROV-N, and PROV-O as Turtle, through the package `prov`.

A claim is an entity that an utterance (an activity) generated; its claimant is an agent, whom it
is attributed to; whom that one spoke for, a delegation; its document, what it was quoted from. All
links of a chain are there, numbered. A withdrawal is an activity that invalidates a claim.

The package holds the whole document in memory, and so does this.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Final

from ledger.codec.canonical import jcs
from ledger.errors import MissingExtra
from ledger.interchange.out.iris import TERMS, Iris
from ledger.interchange.out.jsonl import renderings_of
from ledger.interchange.out.leaving import Entered, Leaving, leaving
from ledger.model import events as ev
from ledger.model.attribution import innermost
from ledger.model.quotation import Quotation
from ledger.view import View

try:
    from prov.model import PROV, ProvDocument
except ImportError as error:
    raise MissingExtra("prov", needs="prov", purpose="Exporting PROV") from error

_AGENT: Final = {"person": "Person", "software": "SoftwareAgent"}

Given = Mapping[str, Any]


def write(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write PROV-JSON; gives the number of its statements."""
    found = document(view, iris=iris)
    file.write(str(found.serialize(format="json", indent=1)).encode() + b"\n")
    return len(found.records)


def write_provn(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write PROV-N, the notation for people."""
    found = document(view, iris=iris)
    file.write(found.get_provn().encode() + b"\n")
    return len(found.records)


def write_turtle(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write PROV-O as Turtle.

    Raises:
        MissingExtra: rdflib is not installed.
    """
    try:
        import rdflib  # noqa: F401, PLC0415 - asked here, so that the error names the extra
    except ImportError as error:
        raise MissingExtra("rdf", needs="rdflib", purpose="Exporting PROV-O") from error
    found = document(view, iris=iris)
    with warnings.catch_warnings():  # prov asks rdflib by names that rdflib would not have used
        warnings.simplefilter("ignore", DeprecationWarning)
        text = found.serialize(format="rdf", rdf_format="turtle")
    file.write(str(text).encode() + b"\n")
    return len(found.records)


def document(view: View, *, iris: Iris) -> ProvDocument:
    """The records of a view as one document of `prov`.

    Example:
        >>> from ledger import Ledger, Party
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Party("az", name="Azerbaijan", kind="state"))
        ...     found = document(ledger.as_of(), iris=Iris.of(None, "default"))
        >>> [str(one.label) for one in found.records]
        ['Azerbaijan']
    """
    made = _Document(iris)
    for record in leaving(view):
        made.take(record)
    return made.document


class _Document:
    """A document in the making."""

    def __init__(self, iris: Iris) -> None:
        self._iris = iris
        self.document = ProvDocument()
        self.document.add_namespace("id", iris.base)
        self.document.add_namespace("ledger", TERMS)

    def take(self, record: Leaving) -> None:
        """Add the statements of one record."""
        made, event = self.document, record.event
        match event:
            case ev.PartyRegistered():
                self._party(record, event)
            case ev.PartyNamed():
                fields = _told(
                    name=event.name,
                    metonym=event.metonym,
                    period=event.period.to_text(),
                    rank=event.rank,
                    language=event.language,
                )
                name = self._id("name", record.id)
                made.entity(name, self._typed("Name", fields))
                made.wasInfluencedBy(self._id("party", event.party), name)
            case ev.MembershipRecorded():
                fields = _told(
                    role=event.role, period=event.period.to_text(), speaks_for=event.speaks_for
                )
                made.wasInfluencedBy(
                    self._id("party", event.member),
                    self._id("party", event.organisation),
                    other_attributes=self._typed("memberOf", fields),
                )
            case ev.PartiesMerged() | ev.PropositionsMerged():
                kind = "party" if isinstance(event, ev.PartiesMerged) else "proposition"
                made.alternateOf(self._id(kind, event.merged), self._id(kind, event.kept))
                if isinstance(event, ev.PropositionsMerged) and event.negated:
                    made.wasInfluencedBy(
                        self._id(kind, event.merged),
                        self._id(kind, event.kept),
                        other_attributes=self._typed("negationOf"),
                    )
            case ev.TopicDefined():
                self._group("topic", record.id, event.label)
                self._inside("topic", event.part_of and [event.part_of], "topic", record.id)
            case ev.PropositionDefined():
                fields = {"prov:label": event.text, **_told(kind=event.kind)}
                self._entity("proposition", record.id, "Proposition", fields)
                self._inside("topic", event.topics, "proposition", record.id)
            case ev.OccurrenceDescribed():
                self._group("occurrence", record.id, event.label)
                for one in event.propositions:
                    self._inside("occurrence", [record.id], "proposition", one)
            case ev.DocumentRegistered():
                self._document(record, event)
            case ev.ClaimRecorded():
                self._claim(record, event)
            case ev.ClaimWithdrawn():
                self._withdrawal(record, event)
            case ev.ClaimsRelated():
                fields = self._typed(event.relation, _told(note=event.note))
                made.wasInfluencedBy(
                    self._id("claim", event.claim),
                    self._id("claim", event.target),
                    other_attributes=fields,
                )
            case _:
                return

    def _id(self, kind: str, id_: str) -> str:
        return f"id:{self._iris.local(kind, id_)}"

    def _qualified(self, name: str) -> Any:
        return self.document.valid_qualified_name(name)

    def _typed(self, word: str, fields: Given | None = None) -> dict[str, Any]:
        return {"prov:type": self._qualified(f"ledger:{word}"), **(fields or {})}

    def _entity(self, kind: str, id_: str, type_: str, fields: Given) -> None:
        self.document.entity(self._id(kind, id_), self._typed(type_, fields))

    def _group(self, kind: str, id_: str, label: str) -> None:
        self.document.collection(self._id(kind, id_), {"prov:label": label})

    def _inside(self, kind: str, groups: Iterable[str] | None, member: str, id_: str) -> None:
        for group in groups or ():
            self.document.hadMember(self._id(kind, group), self._id(member, id_))

    def _party(self, record: Leaving, event: ev.PartyRegistered) -> None:
        type_ = PROV[_AGENT.get(event.kind, "Organization")]
        fields: dict[str, Any] = {"prov:type": type_, **_told(kind=event.kind)}
        if not record.gone:
            fields["prov:label"] = event.name
        id_ = self._id("party", record.id)
        self.document.agent(id_, fields)
        for member in event.members:
            self.document.wasInfluencedBy(
                id_,
                self._id("party", member),
                other_attributes=self._typed("jointMember"),
            )

    def _document(self, record: Leaving, event: ev.DocumentRegistered) -> None:
        fields = _told(
            published=event.published,
            sha256=event.sha256,
            length=event.length,
            language=event.language,
        )
        fields |= {"prov:label": event.title} if event.title else {}
        fields |= {"prov:location": event.url} if event.url else {}
        fields |= {"prov:value": event.text} if event.text else {}
        self._entity("document", record.id, "Document", fields)
        self.document.wasAttributedTo(
            self._id("document", record.id),
            self._id("party", event.publisher),
            other_attributes=self._typed("publisher"),
        )
        if record.revises is not None:
            self.document.revision(
                self._id("document", record.id), self._id("document", record.revises)
            )

    def _claim(self, record: Leaving, event: ev.ClaimRecorded) -> None:
        told, id_ = record.told, self._id("claim", record.id)
        assert told is not None  # noqa: S101 - claims are told
        fields = _told(
            act=event.act,
            stance=event.stance,
            factuality=event.factuality,
            capacity=event.capacity,
            uttered=event.uttered,
            about=event.about,
            expires=event.expires,
            conditions=event.conditions,
            language=event.language,
            basis=event.basis,
            note=event.note,
            extra=jcs(dict(event.extra)).decode() if event.extra else None,
            certainty=told.certainty,
            withdrawn=told.withdrawn or None,
            corrected=told.corrected or None,
            **_quoted(event.quote),
            **_placed(record.entered),
        )
        on = self._qualified(self._id("proposition", event.proposition))
        self._entity("claim", record.id, "Claim", {"ledger:proposition": on, **fields})
        for word, parties in (("addressee", event.addressees), ("mention", event.mentions)):
            for one in parties:
                self.document.wasInfluencedBy(
                    id_,
                    self._id("party", one),
                    other_attributes=self._typed(word),
                )
        utterance = self._utterance(event, record.id)
        self.document.wasGeneratedBy(id_, utterance)
        self._chains(id_, utterance, event)
        if event.document is not None:
            quoted = event.quote is not None
            derived = self.document.quotation if quoted else self.document.primary_source
            derived(id_, self._id("document", event.document), activity=utterance)

    def _utterance(self, act: ev.Act, id_: str) -> str:
        """The occasion: one activity for all the claims that share it."""
        key = f"of-{id_}" if act.utterance_key is None else act.utterance_key
        utterance = self._id("utterance", key)
        known = self.document.get_record(utterance)
        if not known:
            fields = _told(uttered=act.uttered)
            self.document.activity(utterance, other_attributes=self._typed("Utterance", fields))
        elif act.uttered is not None:
            known[0].add_attributes(_told(uttered=act.uttered))
        return utterance

    def _chains(self, of: str | None, utterance: str, act: ev.Act) -> None:
        """Every link of every chain; `chain` and `place` tell where it stands."""
        words = {(one.chain, one.link): one for one in act.link_words}
        for index, chain in enumerate(act.chains):
            claimant = innermost(chain)
            for place, link in enumerate(chain):
                told = words.get((index, place))
                fields = _told(
                    link=link.kind,
                    chain=index,
                    place=place,
                    role=link.role,
                    words=told.words.exact if told and told.words else None,
                    cue=told.cue.exact if told and told.cue else None,
                )
                agent = self._id("party", link.agent)
                if place == claimant:
                    self.document.wasAssociatedWith(utterance, agent, other_attributes=fields)
                    if of is not None:
                        self.document.wasAttributedTo(of, agent, other_attributes=fields)
                elif link.kind == "on_behalf_of" and place:
                    speaker = next(
                        one.agent for one in reversed(chain[:place]) if one.kind != "on_behalf_of"
                    )
                    self.document.actedOnBehalfOf(
                        self._id("party", speaker), agent, utterance, other_attributes=fields
                    )
                else:
                    self.document.wasInfluencedBy(of or utterance, agent, other_attributes=fields)

    def _withdrawal(self, record: Leaving, event: ev.ClaimWithdrawn) -> None:
        fields = _told(
            uttered=event.uttered,
            utterance=event.utterance_key,
            capacity=event.capacity,
            note=event.note,
            **_quoted(event.quote),
            **_placed(record.entered),
        )
        id_ = self._id("withdrawal", record.id)
        self.document.activity(id_, other_attributes=self._typed("Withdrawal", fields))
        for claim in event.claims:
            self.document.wasInvalidatedBy(self._id("claim", claim), id_)
        if event.document is not None:
            self.document.used(id_, self._id("document", event.document))
        self._chains(None, id_, event)


def _told(**fields: Any) -> dict[str, Any]:
    """Attributes of ours; dates as they are written."""
    return {
        f"ledger:{key}": one if isinstance(one, bool | int) else str(one)
        for key, one in fields.items()
        if one is not None and one != ""
    }


def _quoted(quote: Quotation | None) -> dict[str, Any]:
    if quote is None:
        return {}
    at = " ".join(f"{start}-{end}" for start, end in quote.ranges)
    return {
        "quote": quote.exact,
        "mode": quote.mode,
        "ranges": at,
        "prefix": quote.prefix,
        "suffix": quote.suffix,
        "renderings": jcs(renderings_of(quote)).decode() if quote.renderings else None,
    }


def _placed(entered: Entered) -> dict[str, Any]:
    return {
        "sequence": entered.sequence,
        "entry": entered.ledger_id,
        "recorded": entered.recorded.isoformat(),
        "recorder": entered.recorder.id,
    }
