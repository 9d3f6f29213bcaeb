"""Claims and relations into events: attribution, words and times checked against the facts."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ledger.errors import (
    InvalidAttribution,
    InvalidDocument,
    InvalidQuotation,
    InvalidRelation,
)
from ledger.model import events as ev
from ledger.model.attribution import Link, chain_of, claimant_of, with_publisher
from ledger.model.claim import REFERRING_BACK, Claim, Relation, check_act_kind, check_act_stance
from ledger.model.document import MAX_TEXT, digest
from ledger.model.quotation import Quotation, anchored, within
from ledger.model.text import check_text, show
from ledger.recording.intake import Intake, Made
from ledger.recording.occasions import check_order, check_refers_back, check_times, said, times_of


def record(intake: Intake, claim: Claim, *, document_text: str | None = None) -> Made:
    """A claim into an event; the same claim under the same id makes none.

    `document_text` is the text of a document that was registered without it: the words are
    checked against it, and it is not kept.

    Raises:
        NotFound: it names something that is not registered.
        Invalid: what it says cannot be, or its words are not in the document.
        AlreadyRecorded: its id is taken by another content.
    """
    document = None if claim.document is None else intake.find("document", claim.document)
    words = Words(intake, document, document_text)
    chains, link_words = attribution(intake, words, claim)
    event = ev.ClaimRecorded(
        chains=chains,
        addressees=parties(intake, claim.addressees),
        mentions=parties(intake, claim.mentions),
        capacity=claim.capacity,
        key=claim.id,
        proposition=intake.find("proposition", claim.proposition),
        act=claim.act,
        stance=claim.stance,
        factuality=claim.factuality,
        uttered=claim.uttered,
        about=claim.about,
        expires=claim.expires,
        utterance=intake.utterance(claim.utterance),
        utterance_key=claim.utterance,
        document=document,
        conditions=claim.conditions,
        language=claim.language,
        quote=words.checked(claim.quote, "quote"),
        link_words=link_words,
        basis=claim.basis,
        note=claim.note,
        extra=claim.extra,
    )
    check_claim(intake, event)
    check_times(intake, event.uttered, event.document)
    taken = intake.taken("claim", claim.id, event)
    if taken is not None and claim.id is not None:
        same = intake.original(taken) == event
        return intake.same_or_refuse("claim", claim.id, taken, same=same)
    if event.utterance is not None:
        check_order(intake, None, event, times_of(intake, event, intake.now))
    return intake.made(intake.add(event))


def check_claim(intake: Intake, event: ev.ClaimRecorded) -> None:
    """What must hold of a claim's words whenever one is entered or amended."""
    proposition = intake.get(event.proposition, ev.PropositionDefined)
    check_act_stance(event.act, event.stance)
    if proposition is not None:
        check_act_kind(event.act, proposition.kind, proposition.key)


def parties(intake: Intake, given: Sequence[str]) -> tuple[str, ...]:
    """Parties by their ledger ids."""
    return tuple(intake.find("party", one) for one in given)


@attrs.frozen
class Words:
    """Checks words against the document at hand: its kept text, a text given now, or its length."""

    intake: Intake
    document: str | None
    text: str | None = None

    def __attrs_post_init__(self) -> None:
        """A text is that of a document, or nothing would be checked against it."""
        if self.text is None:
            return
        check_text(self.text, field="document_text", limit=MAX_TEXT)
        if self.document is None:
            raise InvalidDocument(
                "document_text is the text of a document, and none is named. Name it in "
                "document=, or leave the text out.",
                field="document_text",
                given=self.text,
            )

    def checked(self, quote: Quotation | None, field: str) -> Quotation | None:
        """The quotation with its ranges, as the document bears it out."""
        if quote is None:
            return None
        if self.document is None:
            if quote.ranges:
                raise InvalidQuotation(
                    f"The {field} {show(quote.exact)} has ranges but no document. Name it in "
                    "document=, or leave the ranges out.",
                    field=field,
                    given=quote.ranges,
                )
            return quote
        document = self.intake.get(self.document, ev.DocumentRegistered)
        if document is None:
            return quote
        if self.text is not None and digest(self.text) != document.sha256:
            raise InvalidDocument(
                f"The text given is not that of document {show(document.key)}: its digest is "
                f"{digest(self.text)}, the document has {document.sha256}.",
                field="document_text",
                given=digest(self.text),
            )
        text = document.text if self.text is None else self.text
        if text is None:
            return within(quote, document.length, document=document.key)
        return anchored(quote, text, document=document.key)


def attribution(
    intake: Intake, words: Words, act: Claim
) -> tuple[tuple[tuple[ev.ChainLink, ...], ...], tuple[ev.LinkWords, ...]]:
    """The chains of an act by ledger ids, and the document's words for their links.

    The publisher's reports link is put in front where it was left out.
    """
    chains = act.chain or tuple(
        chain_of(claimant=one, via=act.via, on_behalf_of=act.on_behalf_of)
        for one in (act.claimant or (None,))
    )
    if act.chain and act.claimant:
        _check_claimants(act.claimant, chains)
    document = intake.get(words.document, ev.DocumentRegistered)
    publisher = document.publisher if document else None
    found: list[tuple[ev.ChainLink, ...]] = []
    told: list[ev.LinkWords] = []
    for index, chain in enumerate(chains):
        by_id = tuple(attrs.evolve(one, agent=intake.find("party", one.agent)) for one in chain)
        links = with_publisher(by_id, publisher)
        found.append(tuple(ev.ChainLink(one.agent, one.kind, one.role) for one in links))
        told += [
            ev.LinkWords(
                chain=index,
                link=place,
                words=words.checked(one.words, f"chain[{place}].words"),
                cue=words.checked(one.cue, f"chain[{place}].cue"),
            )
            for place, one in enumerate(links)
            if one.words or one.cue
        ]
    return tuple(found), tuple(told)


def _check_claimants(claimant: Sequence[str], chains: Sequence[Sequence[Link]]) -> None:
    inner = [claimant_of(chain) for chain in chains]
    if set(claimant) != set(inner):
        named = " or ".join(show(one) if one else "nobody" for one in dict.fromkeys(inner))
        raise InvalidAttribution(
            f"The claimant is {' or '.join(map(show, claimant))}, but the innermost says or cited "
            f"link of the chain is {named}. Leave claimant= out beside chain=, or mend the chain.",
            field="claimant",
            given=tuple(claimant),
        )


def relate(intake: Intake, relation: Relation) -> Made:
    """An edge between two claims into an event; the same edge again makes none.

    Raises:
        InvalidRelation: a claim that refers back to a surely later one, or in a circle.
    """
    claim, target = intake.find("claim", relation.claim), intake.find("claim", relation.target)
    for given, id_ in ((relation.claim, claim), (relation.target, target)):
        if intake.get(id_, ev.ClaimRecorded) is None:
            raise InvalidRelation(
                f"{show(given)} is a withdrawal: relations join claims. Name the claim that it "
                "takes back.",
                field="claim",
                given=given,
            )
    event = ev.ClaimsRelated(
        claim=claim, relation=relation.relation, target=target, note=relation.note
    )
    if (there := intake.alike("relations_from", claim, event)) is not None:
        return intake.already(there)
    if relation.relation in REFERRING_BACK:
        act = intake.new_act(claim) or intake.facts.act(claim)
        utterance = act.utterance if act else None
        name = show(intake.public(claim))
        check_refers_back(intake, claim, utterance, (target,), said(intake, claim), name=name)
    return intake.made(intake.add(event))
