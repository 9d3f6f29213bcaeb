"""Claims and relations into events: attribution, words and times checked against the facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import attrs

from ledger.errors import (
    InvalidAttribution,
    InvalidClaim,
    InvalidDocument,
    InvalidQuotation,
    InvalidRelation,
)
from ledger.model import events as ev
from ledger.model.attribution import Chain, Link, chain_of, claimant_of, with_publisher
from ledger.model.bounds import Bounds
from ledger.model.claim import REFERRING_BACK, Claim, Relation, check_act_kind, check_act_stance
from ledger.model.document import MAX_TEXT, digest
from ledger.model.moment import Edtf, surely_before
from ledger.model.quotation import Quotation, anchored, within
from ledger.model.text import check_text, show
from ledger.projections.saying import (
    acts_of,
    back_from,
    bounds,
    one_occasion,
    own_bounds,
    referrers,
    refers_back_to,
)
from ledger.recording.intake import Intake, Made


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
    chains, link_words = attribution(
        intake,
        words,
        claimant=claim.claimant,
        via=claim.via,
        on_behalf_of=claim.on_behalf_of,
        chains=claim.chain,
    )
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


def times_of(intake: Intake, act: ev.Act, recorded: dt.datetime) -> Bounds:
    """The bounds of an act by its own date, its document's and its recording."""
    document = intake.get(act.document, ev.DocumentRegistered)
    published = document.published.latest if document and document.published else None
    return Bounds.of(act.uttered, published, recorded)


def check_times(
    intake: Intake,
    uttered: Edtf | None,
    document: str | None,
    recorded: dt.datetime | None = None,
) -> None:
    """Refuse words surely uttered after their publication or their recording, if not now."""
    if uttered is None or uttered.earliest is None:
        return
    published = intake.get(document, ev.DocumentRegistered)
    latest = published.published.latest if published and published.published else None
    if latest is not None and surely_before(latest, uttered.earliest):
        raise InvalidClaim(
            f"Uttered {uttered} is after {published.published if published else ''}, when "
            f"document {show(intake.public(document))} was published. An utterance is never later "
            "than the document that carries it: correct uttered=, or name the right document.",
            field="uttered",
            given=str(uttered),
        )
    if surely_before(recorded or intake.now, uttered.earliest):
        when = f"{recorded or intake.now:%Y-%m-%d %H:%M} UTC"
        now = f"it was recorded at {when}" if recorded else f"it is {when} now"
        raise InvalidClaim(
            f"Uttered {uttered} lies in the future: {now}. "
            "Record what was said once it has been said; what it speaks of goes into about=.",
            field="uttered",
            given=str(uttered),
        )


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
    intake: Intake,
    words: Words,
    *,
    claimant: Sequence[str],
    via: Sequence[str],
    on_behalf_of: Sequence[str],
    chains: Sequence[Chain],
) -> tuple[tuple[tuple[ev.ChainLink, ...], ...], tuple[ev.LinkWords, ...]]:
    """The chains of an act by ledger ids, and the document's words for their links.

    The publisher's reports link is put in front where it was left out.
    """
    if not chains:
        chains = tuple(
            chain_of(claimant=one, via=via, on_behalf_of=on_behalf_of)
            for one in (claimant or (None,))
        )
    elif claimant:
        _check_claimants(claimant, chains)
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
    for id_ in intake.facts.indexed("relations_from", claim):
        if intake.facts.effective[id_] == event:
            return intake.already(id_)
    if (there := intake.once(event)) is not None:
        return intake.already(there)
    if relation.relation in REFERRING_BACK:
        act = intake.new_act(claim) or intake.facts.act(claim)
        utterance = act.utterance if act else None
        name = show(intake.public(claim))
        check_refers_back(intake, claim, utterance, (target,), _said(intake, claim), name=name)
    return intake.made(intake.add(event))


def check_refers_back(
    intake: Intake,
    later: str | None,
    utterance: str | None,
    earlier: Sequence[str],
    when: Bounds,
    *,
    name: str,
) -> None:
    """Refuse an act surely earlier than what it refers back to, or one that closes a circle.

    What counts is the occasion: all the reports of an utterance, and what they refer back to;
    inside one utterance there is no order. `later` is None for an act that is yet to come;
    `name` is what it is called.
    """
    facts = intake.facts
    for target in earlier:
        together = _is_of(intake.new_act(target) or facts.act(target), utterance)
        behind = _straight_back if together else _back_from
        for here in behind(intake, target):
            act = intake.new_act(here) or facts.act(here)
            if here == later or (not together and _is_of(act, utterance)):
                raise InvalidRelation(
                    f"{name} would refer back to itself in a circle through "
                    f"{show(intake.public(target))}. Leave one of the relations out.",
                    field="target",
                    given=intake.public(target),
                )
            # What refers back lends ends alone, and this asks for starts.
            new = intake.new_act(here) is not None
            if not together and when.precedes(
                _said(intake, here) if new else one_occasion(facts, here)[0]
            ):
                raise InvalidRelation(
                    f"{name} ({when}) is earlier than {show(intake.public(here))} "
                    f"({_said(intake, here)}), which it refers back to. Correct uttered=, or turn "
                    "the relation round.",
                    field="uttered",
                    given=str(when),
                )


def _said(intake: Intake, id_: str) -> Bounds:
    """The bounds of an act, of this append or of the log."""
    new = intake.new_act(id_)
    return bounds(intake.facts, id_) if new is None else times_of(intake, new, intake.now)


def _back_from(intake: Intake, id_: str) -> Iterator[str]:
    """An act, and all that it refers back to, however far, by this append and by the log."""
    seen, queue = {id_}, [id_]
    while queue:
        here = queue.pop()
        for one in [here] if intake.new_act(here) else back_from(intake.facts, here):
            yield one
            further = [target for target in intake.behind(one) if target not in seen]
            seen.update(further)
            queue += further


def _straight_back(intake: Intake, id_: str) -> Iterator[str]:
    """An act, and all that it refers back to by itself, not by other reports of its occasion."""
    seen, queue = {id_}, [id_]
    while queue:
        here = queue.pop()
        yield here
        stored = () if intake.new_act(here) else refers_back_to(intake.facts, here)
        further = {*stored, *intake.behind(here)} - seen
        seen |= further
        queue += further


def _is_of(act: ev.Act | None, utterance: str | None) -> bool:
    return act is not None and utterance is not None and act.utterance == utterance


def check_order(intake: Intake, id_: str | None, act: ev.Act, when: Bounds) -> None:
    """Refuse an act surely earlier than what it names, or later than a namer.

    What other reports of its utterance name, or are named by, counts too where they share one
    time. `id_` is None for an act that is yet to come.
    """
    facts, utterance = intake.facts, act.utterance
    if isinstance(act, ev.ClaimWithdrawn):
        new, named = "the withdrawal", act.claims
    else:
        new, named = act.key or "the claim", ()
    name = show(facts.public(id_) if id_ else new)

    def inside(other: str) -> bool:
        return other == id_ or _is_of(facts.act(other), utterance)

    together = _told_with(intake, id_, act, when)
    occasion = when if id_ else when.meet(*(own_bounds(facts, one) for one in together))
    check_refers_back(intake, id_, utterance, named, occasion, name=name)
    for one in (*([id_] if id_ else []), *together):
        told = name if one == id_ else f"{name}, of one utterance with {show(facts.public(one))},"
        targets = refers_back_to(facts, one)
        behind = [it for it in targets if one == id_ or not inside(it)]
        check_refers_back(intake, id_, utterance, behind, when, name=told)
        for later in referrers(facts, one):
            if not inside(later) and bounds(facts, later).precedes(when):
                raise InvalidRelation(
                    f"{told} ({when}) would be later than {show(facts.public(later))} "
                    f"({bounds(facts, later)}), which refers back to it. Give another uttered=, or "
                    "amend that one first.",
                    field="uttered",
                    given=str(when),
                )


def _told_with(intake: Intake, id_: str | None, act: ev.Act, when: Bounds) -> tuple[str, ...]:
    """The other acts of an act's utterance; none where their dates share no day with its own."""
    if act.utterance is None:
        return ()
    others = [one for one in acts_of(intake.facts, act.utterance) if one != id_]
    shared = when.meet(*(own_bounds(intake.facts, one) for one in others))
    return () if shared.empty() else tuple(others)
