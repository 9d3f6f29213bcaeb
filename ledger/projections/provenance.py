"""Where a claim comes from: chain, words, document, utterance, and every event that touched it."""

from __future__ import annotations

import datetime as dt

import attrs

from ledger.errors import InvalidDocument, InvalidView
from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.quotation import Quotation, context
from ledger.model.text import show
from ledger.projections import naming
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased, erased, erased_of
from ledger.projections.logbook import because, changed
from ledger.projections.reporters import chains_of
from ledger.projections.rollup import reach
from ledger.projections.saying import bounds, mates
from ledger.projections.versions import QuoteCheck, check_quotes


@attrs.frozen(kw_only=True)
class TracedLink(Answer):
    """A link of the chain, with the document's words for it."""

    party: str
    kind: str
    role: str
    words: str
    cue: str

    def __str__(self) -> str:
        role = f" ({self.role})" if self.role else ""
        words = f": “{self.words}”" if self.words else ""
        cue = f" “{self.cue}”" if self.cue else ""
        return f"{self.party} {self.kind.replace('_', ' ')}{cue}{role}{words}"


@attrs.frozen(kw_only=True)
class Touch(Answer):
    """An event that touched the claim: its place in the log, when, by whom."""

    sequence: int
    type: str
    recorded: dt.datetime
    recorder: str
    detail: str

    def __str__(self) -> str:
        tail = f": {self.detail}" if self.detail else ""
        when = self.recorded.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return f"#{self.sequence} {when} {self.type} by {self.recorder}{tail}"


@attrs.frozen(kw_only=True)
class Trace(Answer):
    """A claim with its attribution chain, quotation, document, log entries and proof.

    `leaf_hash` is the RFC 6962 hash of the entry (hex), `root` the root of the tree of `size`
    entries to which `proof` leads. `erased` says what was erased of the claim and of its document.
    """

    claim: str
    ledger_id: str
    claimant: tuple[str, ...]
    act: str
    stance: str
    proposition: str
    text: str
    said: Bounds
    uttered: str
    chains: tuple[tuple[TracedLink, ...], ...]
    quotation: Quotation | None
    before: str
    after: str
    document: str
    title: str
    publisher: str
    published: str
    sha256: str
    utterance: str
    other_reports: tuple[str, ...]
    later_versions: tuple[QuoteCheck, ...]
    relations: tuple[str, ...]
    events: tuple[Touch, ...]
    sequence: int
    basis: int
    erased: tuple[Erased, ...] = ()
    leaf_hash: str = ""
    size: int = 0
    root: str = ""
    proof: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.act:
            told = [f"{self.claim}: {self.said}", *(f"  {one}" for one in self.erased)]
            return "\n".join([*told, *(f"  {touch}" for touch in self.events), *self._proved()])
        who = " or ".join(self.claimant) or "(nobody named)"
        when = f"{self.said}"
        if self.uttered not in ("", when):
            when += f" (uttered {self.uttered})"
        lines = [
            f"{self.claim}: {who} {self.act} {self.proposition} ({self.stance}), {when}",
            f"  proposition: {self.text}",
        ]
        for chain in self.chains:
            lines += [f"  {'  ' * depth}{link}" for depth, link in enumerate(chain)]
        if self.quotation:
            at = ", ".join(f"{start}-{end}" for start, end in self.quotation.ranges)
            lines.append(f"  quotation: …{self.before}[{self.quotation.exact}]{self.after}…")
            lines.append(f"    {self.quotation.mode}, code points {at or 'not located'}")
            lines += [f"    {one}" for one in self.quotation.renderings]
        if self.document:
            title = f" {self.title!r}" if self.title else ""
            lines.append(f"  document: {self.document}{title}, {self.publisher}")
            lines.append(f"    published {self.published or 'unknown'}, sha256 {self.sha256}")
        lines += [f"  {one}" for one in self.erased]
        lines += [f"  later version: {one}" for one in self.later_versions]
        lines += [f"  same utterance: {other}" for other in self.other_reports]
        lines += [f"  {relation}" for relation in self.relations]
        lines += [f"  {touch}" for touch in self.events]
        return "\n".join([*lines, *self._proved()])

    def _proved(self) -> list[str]:
        if not self.leaf_hash:
            return []
        return [
            f"  leaf {self.leaf_hash} at {self.sequence} of {self.size}",
            f"  root {self.root}, {len(self.proof)} hashes between",
        ]


def trace(facts: Facts, id_: str, document_text: str | None = None) -> Trace:
    """A claim (by ledger id) with its chain, quotation, document and events.

    `document_text` is the text of a document that was registered without it.

    Raises:
        InvalidDocument: it is not that of the claim's document, or the claim is in none.
    """
    if facts.is_lost(id_):
        return _of_a_lost_claim(facts, id_)
    claim = facts.effective[id_]
    assert isinstance(claim, ev.ClaimRecorded)  # noqa: S101 - the caller found a claim
    document = facts.get(claim.document, ev.DocumentRegistered)
    proposition = facts.get(facts.canonical(claim.proposition), ev.PropositionDefined)
    if document_text is not None and claim.document is None:
        raise InvalidDocument(
            f"Claim {show(facts.public(id_))} is in no document. Leave the text out.",
            field="document_text",
            given=document_text,
        )
    texts = {claim.document: document_text} if claim.document and document_text else {}
    checks = check_quotes(facts, claim.document, texts, act=id_) if claim.document else ()
    text = document_text or (document.text if document else None)
    before, after = ("", "")
    if text and claim.quote and claim.quote.ranges:
        before, after = context(text, claim.quote)
    return Trace(
        claim=facts.public(id_),
        ledger_id=id_,
        claimant=tuple(map(facts.public, facts.claimants(claim))),
        act=claim.act,
        stance=facts.stance(claim),
        proposition=facts.public(facts.canonical(claim.proposition)),
        text=proposition.text if proposition else "",
        said=bounds(facts, id_),
        chains=tuple(_links(facts, claim, index) for index in range(len(claim.chains))),
        quotation=claim.quote,
        before=before,
        after=after,
        document=facts.public(claim.document),
        title=(document.title or "") if document else "",
        publisher=facts.public(facts.canonical(document.publisher)) if document else "",
        published=str(document.published or "") if document else "",
        sha256=document.sha256 if document else "",
        uttered=str(claim.uttered or ""),
        utterance=claim.utterance_key or "",
        later_versions=tuple(
            one for one in checks if one.field == "quote" and one.version != one.document
        ),
        other_reports=tuple(sorted(facts.public(one) for one in mates(facts, id_) if one != id_)),
        relations=tuple(sorted(_relations(facts, id_))),
        events=tuple(_touches(facts, id_)),
        sequence=facts.stored[id_].sequence,
        basis=facts.size,
        erased=erased_of(facts, _told_of(facts, id_, claim)),
    )


def _told_of(facts: Facts, id_: str, claim: ev.ClaimRecorded) -> tuple[str, ...]:
    """The claim, and its document and proposition where there is something to tell of them."""
    there = claim.document if claim.document in facts.stored else None
    gone = claim.proposition in facts.lost
    return tuple(filter(None, (id_, there, claim.proposition if gone else None)))


def find(facts: Facts, claim: str) -> str:
    """The ledger's id of a claim to be traced, which may be lost.

    Raises:
        UnknownClaim: there is no such claim; near matches are named.
        InvalidView: it is a withdrawal.
    """
    naming.check("claim", claim)
    known = facts.id_of("claim", claim) or claim
    id_ = known if facts.is_lost(known) else naming.find(facts, "claim", claim)
    if not facts.is_lost(id_) and not isinstance(facts.effective[id_], ev.ClaimRecorded):
        raise InvalidView(
            f"{show(claim)} is a withdrawal: trace the claim that it takes back.",
            field="claim",
            given=claim,
        )
    return id_


def _of_a_lost_claim(facts: Facts, id_: str) -> Trace:
    """What can be told of a claim when nobody can tell any more whose it was or on what."""
    return Trace(
        claim=facts.public(id_),
        ledger_id=id_,
        claimant=(),
        act="",
        stance="",
        proposition="",
        text="",
        uttered="",
        before="",
        after="",
        document="",
        title="",
        publisher="",
        published="",
        sha256="",
        utterance="",
        said=bounds(facts, id_),
        chains=(),
        quotation=None,
        other_reports=(),
        later_versions=(),
        relations=(),
        events=tuple(_touches(facts, id_)),
        sequence=facts.stored[id_].sequence,
        basis=facts.size,
        erased=erased(facts, id_),
    )


def _links(facts: Facts, claim: ev.ClaimRecorded, index: int) -> tuple[TracedLink, ...]:
    words = {(one.chain, one.link): one for one in claim.link_words}
    links = []
    for place, link in enumerate(chains_of(facts, claim)[index]):
        told = words.get((index, place))
        links.append(
            TracedLink(
                party=facts.public(facts.canonical(link.agent)),
                kind=link.kind,
                role=link.role,
                words=told.words.exact if told and told.words else "",
                cue=told.cue.exact if told and told.cue else "",
            )
        )
    return tuple(links)


def _relations(facts: Facts, id_: str) -> list[str]:
    found = []
    for edge_id in facts.indexed("relations_from", id_):
        edge = facts.get(edge_id, ev.ClaimsRelated)
        if edge and facts.act(edge.target):
            found.append(f"{edge.relation} {facts.public(edge.target)}")
    for edge_id in facts.indexed("relations_to", id_):
        edge = facts.get(edge_id, ev.ClaimsRelated)
        if edge and facts.act(edge.claim):
            found.append(f"{facts.public(edge.claim)} {edge.relation} this")
    return found


def _touches(facts: Facts, id_: str) -> list[Touch]:
    """What touched a record, in log order."""
    found = sorted(
        (facts.stored[one] for one in touching(facts, id_)), key=lambda one: one.sequence
    )
    return [
        Touch(
            sequence=one.sequence,
            type=one.type,
            recorded=one.recorded,
            recorder=one.recorder.name or one.recorder.id,
            detail=f"{_detail(facts, one)}{_in_vain(facts, one, id_)}",
        )
        for one in found
    ]


def _in_vain(facts: Facts, stored: ev.StoredEvent, claim: str) -> str:
    """That a withdrawal takes nothing back here, since one of the two was changed after it."""
    if not isinstance(stored.event, ev.ClaimWithdrawn) or not facts.live(stored.id):
        return ""
    mine, theirs = reach(facts, claim), reach(facts, stored.id)
    if not mine or not theirs or not mine.keys().isdisjoint(theirs):
        return ""
    return " (takes back nothing here: it reaches nobody whom the claim reaches)"


def touching(facts: Facts, id_: str) -> set[str]:
    """The events of a record, and those that changed, withdrew, related or erased it."""
    found = {id_}
    queue = [id_]
    while queue:
        here = queue.pop()
        later = [*facts.changes_of(here)]
        if here == id_:
            for relation in ("withdrawals_of", "relations_from", "relations_to"):
                later += facts.indexed(relation, here)
        queue += [one for one in later if one not in found]
        found.update(later)
    for one in tuple(found):
        erasures = facts.erasures.get(one, {}).values()
        found.update(erasing.id for erasing in erasures if erasing.id in facts.stored)
    return found


def _detail(facts: Facts, stored: ev.StoredEvent) -> str:
    struck = "" if facts.live(stored.id) else " (struck out)"
    match stored.event:
        case ev.RecordAmended() as event:
            return f"{changed(event)}{because(stored)}{struck}"
        case ev.Remains() as event:
            return f"(erased: {', '.join(event.slots)}){struck}"
        case ev.ClaimCorrected() as event:
            return f"{changed(event)}, by {facts.public(event.document)}{struck}"
        case ev.ContentErased() as event:
            return f"{', '.join(event.slots)}, because {event.reason}, by {event.authority}"
        case ev.ClaimWithdrawn() as event:
            return f"by {' or '.join(map(facts.public, facts.claimants(event)))}{struck}"
        case ev.ClaimsRelated() as event:
            target = facts.public(event.target)
            return f"{facts.public(event.claim)} {event.relation} {target}{struck}"
        case _:
            return struck.strip()
