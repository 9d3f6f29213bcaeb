"""A record with the ids that are shown in place of the ledger's own, and without what is gone.

Here is one function, by type of event. Which records leave is in `.leaving`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from ledger.model import events as ev
from ledger.model.quotation import Quotation
from ledger.projections.effective import Facts

Held = Callable[[str], bool]
"""Whether an act of saying leaves as well."""


def shown(facts: Facts, event: ev.Event, held: Held) -> ev.Event | None:
    """The event by the ids that are shown; None where nothing of it is left to say."""
    public = facts.public
    match event:
        case ev.PartyRegistered():
            return attrs.evolve(event, members=tuple(map(public, event.members)))
        case ev.PartyNamed():
            if event.party not in facts.effective:
                return None
            return attrs.evolve(event, party=public(event.party))
        case ev.MembershipRecorded():
            return attrs.evolve(
                event, member=public(event.member), organisation=public(event.organisation)
            )
        case ev.PartiesMerged() | ev.PropositionsMerged():
            return attrs.evolve(event, kept=public(event.kept), merged=public(event.merged))
        case ev.TopicDefined():
            return attrs.evolve(event, part_of=next(iter(_live(facts, [event.part_of])), None))
        case ev.PropositionDefined():
            return attrs.evolve(event, topics=_live(facts, event.topics))
        case ev.OccurrenceDescribed():
            told = _live(facts, event.propositions)
            return attrs.evolve(event, propositions=told) if told else None
        case ev.DocumentRegistered():
            return attrs.evolve(event, publisher=public(event.publisher))
        case ev.ClaimRecorded():
            found = attrs.evolve(
                event,
                proposition=public(event.proposition),
                addressees=tuple(map(public, event.addressees)),
                mentions=tuple(map(public, event.mentions)),
            )
            return _act(facts, found)
        case ev.ClaimWithdrawn():
            claims = tuple(public(one) for one in event.claims if held(one))
            return _act(facts, attrs.evolve(event, claims=claims)) if claims else None
        case ev.ClaimsRelated():
            if not (held(event.claim) and held(event.target)):
                return None
            return attrs.evolve(event, claim=public(event.claim), target=public(event.target))
        case _:
            return None


def _live(facts: Facts, ids: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(facts.public(one) for one in ids if one in facts.effective)


def _act(facts: Facts, act: ev.Act) -> ev.Act:
    chains = tuple(
        tuple(attrs.evolve(link, agent=facts.public(link.agent)) for link in chain)
        for chain in act.chains
    )
    there = act.document in facts.effective
    return attrs.evolve(
        act,
        chains=chains,
        utterance=None,
        utterance_key=act.utterance_key or act.utterance,
        document=facts.public(act.document) if there else None,
        quote=act.quote if there else _unplaced(act.quote),
        link_words=act.link_words
        if there
        else tuple(
            attrs.evolve(one, words=_unplaced(one.words), cue=_unplaced(one.cue))
            for one in act.link_words
        ),
    )


def _unplaced(quote: Quotation | None) -> Quotation | None:
    """Words without places: the document that they stood in is gone."""
    return (
        quote
        if quote is None
        else attrs.evolve(quote, ranges=(), parts=quote.pieces[1:] and quote.pieces)
    )
