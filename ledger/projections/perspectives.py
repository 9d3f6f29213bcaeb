"""Who disagrees with whom: contradictions, divergent characterisations, and tables of positions.

A contradiction is one proposition, held against each other by two parties with claims of their
own. A divergence is one occurrence told in two ways without denial (model.md, 5, rulings).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import attrs

from ledger.model import events as ev
from ledger.model.claim import AGREEING
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.policies import Policy
from ledger.projections.positions import certainty, unless_silent, withdrawals
from ledger.projections.rollup import claims_reaching, may_reach, reach
from ledger.projections.scope import EVERYTHING, Scope
from ledger.projections.standing import Position
from ledger.projections.wording import lost


@attrs.frozen(kw_only=True)
class Positions(Answer):
    """A list of positions, without the silent ones."""

    rows: tuple[Position, ...]
    incomplete: int = 0
    said: Knob
    basis: int

    def __iter__(self) -> Iterator[Position]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        none = ["(nobody holds a position)", *lost(self.incomplete)]
        return "\n".join(map(str, self.rows or none))


@attrs.frozen(kw_only=True)
class Contradiction(Answer):
    """Two parties of which one supports and one opposes a proposition, by claims of their own.

    `doubtful` are the claims that were possibly withdrawn, and claims which deny that some of
    them were said.
    """

    proposition: str
    supports: str
    opposes: str
    supporting: tuple[str, ...]
    opposing: tuple[str, ...]
    doubtful: tuple[str, ...] = ()

    def __str__(self) -> str:
        doubts = f"; in doubt: {', '.join(self.doubtful)}" if self.doubtful else ""
        return (
            f"{self.proposition}: {self.supports} supports ({', '.join(self.supporting)}), "
            f"{self.opposes} opposes ({', '.join(self.opposing)}){doubts}"
        )


@attrs.frozen(kw_only=True)
class Divergence(Answer):
    """Two claims of two parties that describe one occurrence differently, without denial."""

    claims: tuple[str, str]
    parties: tuple[str, str]
    propositions: tuple[str, str]
    occurrence: str | None

    def __str__(self) -> str:
        (a, b), (p, q), (x, y) = self.claims, self.parties, self.propositions
        return f"{p} says {x} ({a}), {q} says {y} ({b})"


def positions_within(
    facts: Facts, scope: Scope, said: Knob, policy: str | Policy = "latest"
) -> Positions:
    """The positions of a found scope that names something, silent ones left out."""
    on, party = scope.propositions(facts), scope.shown_party(facts)
    if party is not None or on is None:
        return positions_of(facts, party or "", said, policy, on=on)
    rows = [
        found
        for proposition in on
        for one in _parties_on(facts, proposition)
        if (found := unless_silent(facts, one, proposition, said, policy)) is not None
    ]
    return Positions(rows=(*rows,), incomplete=facts.lost_claims, said=said, basis=facts.size)


def positions_of(
    facts: Facts,
    party: str,
    said: Knob,
    policy: str | Policy = "latest",
    *,
    on: Collection[str] | None = None,
) -> Positions:
    """Where a party stands on some shown propositions, or on everything; silent ones left out."""
    asked = on
    if asked is None:
        said_to = (facts.get(id_, ev.ClaimRecorded) for id_ in claims_reaching(facts, party))
        asked = {facts.canonical(claim.proposition) for claim in said_to if claim is not None}
    found = {one: unless_silent(facts, party, one, said, policy) for one in asked}
    return of_one_party(facts, found, on, said, facts.size)


def of_one_party(
    facts: Facts,
    found: Mapping[str, Position | None],
    on: Collection[str] | None,
    said: Knob,
    basis: int,
) -> Positions:
    """Positions of a party, in the order asked for, else by what the propositions are called."""
    order = sorted(found, key=facts.public) if on is None else on
    rows = (found.get(one) for one in order)
    told = tuple(one for one in rows if one is not None and one.status != "silent")
    return Positions(rows=told, incomplete=facts.lost_claims, said=said, basis=basis)


def _parties_on(facts: Facts, proposition: str) -> list[str]:
    reached = {party for claim in facts.claims_on(proposition) for party in reach(facts, claim)}
    return sorted(reached, key=facts.public)


_Holder = tuple[str, tuple[str, ...], frozenset[str]]
"""A party that holds something, its own words for it, and what casts doubt on them."""


def contradictions(
    facts: Facts, said: Knob, *, one: str | None = None, on: Collection[str] | None = None
) -> tuple[Contradiction, ...]:
    """Every pair of parties with claims of their own that hold against each other.

    Where they are named those between `one` shown party and others, and `on` shown propositions.
    """
    found: list[Contradiction] = []
    wanted = None if on is None else set(on)
    for proposition, _ in facts.of_type(ev.PropositionDefined):
        if facts.canonical(proposition) != proposition or not (
            wanted is None or proposition in wanted
        ):
            continue
        held: dict[str, list[_Holder]] = {"supports": [], "opposes": []}
        for party in speakers_on(facts, proposition):
            stand = unless_silent(facts, party, proposition, said)
            if stand and stand.status == "held" and stand.stance in held and (own := _own(stand)):
                held[stand.stance].append((stand.party, own, _doubts(stand, own)))
        shown, asked = facts.public(proposition), None if one is None else facts.public(one)
        found += [
            Contradiction(
                proposition=shown,
                supports=party,
                opposes=other,
                supporting=words,
                opposing=theirs,
                doubtful=tuple(sorted(doubts | more)),
            )
            for (party, words, doubts), (other, theirs, more) in itertools.product(*held.values())
            if asked is None or asked in (party, other)
        ]
    return tuple(sorted(found, key=lambda one: (one.proposition, one.supports, one.opposes)))


def _own(stand: Position) -> tuple[str, ...]:
    """The standing claims of its own on which a party's position rests."""
    return tuple(one.claim for one in stand.evidence if one.own and not one.withdrawn)


def _doubts(stand: Position, own: Collection[str]) -> frozenset[str]:
    """The claims of its own that may have been taken back, and those that deny its words."""
    return frozenset(own).intersection(stand.possibly_withdrawn).union(stand.contested_by)


def speakers_on(facts: Facts, proposition: str) -> list[str]:
    """The parties that made claims of their own on a proposition."""
    found = {
        party
        for claim in facts.claims_on(proposition)
        for party, path in reach(facts, claim).items()
        if path.own
    }
    return sorted(found, key=facts.public)


def spoken_on(facts: Facts, party: str) -> tuple[str, ...]:
    """The shown propositions on which a party made claims of its own."""
    shown = facts.canonical(party)
    found: dict[str, None] = {}
    for id_ in sorted(may_reach(facts, shown), key=lambda id_: facts.stored[id_].sequence):
        claim = facts.act(id_)
        if not isinstance(claim, ev.ClaimRecorded):
            continue
        path = reach(facts, id_).get(shown)
        if shown in facts.claimants(claim) or (path is not None and path.own):
            found[facts.canonical(claim.proposition)] = None
    return (*found,)


@attrs.frozen(eq=False)
class _Side:
    """A standing claim as one side of a divergence: on what it is, by whom; and as it is shown."""

    id: str
    proposition: str
    speakers: frozenset[str]
    claim: str
    by: str
    on: str


def divergences(facts: Facts, said: Knob, scope: Scope = EVERYTHING) -> tuple[Divergence, ...]:
    """Every pair of standing claims of two parties that characterise one occurrence differently.

    With a scope those of which one claim is on its propositions, one perhaps the other by its
    party.
    """
    on, party = scope.propositions(facts), scope.shown_party(facts)

    def wanted(a: _Side, b: _Side) -> bool:
        return (on is None or a.proposition in on or b.proposition in on) and (
            party is None or party in a.speakers or party in b.speakers
        )

    return _divergences(facts, said, wanted)


def divergences_among(
    facts: Facts, said: Knob, propositions: Collection[str]
) -> tuple[Divergence, ...]:
    """Those of which both claims are on some shown propositions."""

    def wanted(a: _Side, b: _Side) -> bool:
        return a.proposition in propositions and b.proposition in propositions

    return _divergences(facts, said, wanted)


def told_beside(facts: Facts, propositions: Iterable[str]) -> tuple[str, ...]:
    """Some shown propositions, and those that tell an occurrence which one of them tells."""
    found = dict.fromkeys(propositions)
    told = [
        [facts.canonical(one) for one in described.propositions]
        for _, described in facts.of_type(ev.OccurrenceDescribed)
    ]
    beside = [one for together in told if not found.keys().isdisjoint(together) for one in together]
    return (*(found | dict.fromkeys(beside)),)


def _divergences(
    facts: Facts, said: Knob, wanted: Callable[[_Side, _Side], bool]
) -> tuple[Divergence, ...]:
    @functools.cache
    def side(claim: str) -> _Side | None:
        return _side(facts, claim, said)

    pairs: dict[tuple[_Side, _Side], str | None] = {}
    for _, edge in facts.of_type(ev.ClaimsRelated):
        if edge.relation == "divergent_characterisation":
            a, b = sorted((edge.claim, edge.target), key=facts.public)
            if (one := side(a)) is not None and (other := side(b)) is not None:
                pairs.setdefault((one, other), None)
    for occurrence, described in facts.of_type(ev.OccurrenceDescribed):
        for pair in _told_differently(facts, described.propositions, side):
            pairs[pair] = min(pairs.get(pair) or occurrence, occurrence, key=facts.public)
    return tuple(
        Divergence(
            claims=(a.claim, b.claim),
            parties=(a.by, b.by),
            propositions=(a.on, b.on),
            occurrence=facts.public(occurrence) if occurrence else None,
        )
        for (a, b), occurrence in sorted(
            pairs.items(), key=lambda item: tuple(one.claim for one in item[0])
        )
        if wanted(a, b) and a.speakers.isdisjoint(b.speakers)
    )


def _side(facts: Facts, claim: str, said: Knob) -> _Side | None:
    """A claim that stands by a date, None where it does not."""
    event = facts.get(claim, ev.ClaimRecorded)
    if event is None or facts.act(claim) is None or certainty(facts, claim, said) != "certain":
        return None
    named = facts.claimants(event)
    if all(withdrawals(facts, claim, party, said) == "yes" for party in named):
        return None
    proposition = facts.canonical(event.proposition)
    by = " or ".join(map(facts.public, named))
    shown = facts.public(claim), by, facts.public(proposition)
    return _Side(claim, proposition, frozenset(named), *shown)


def _told_differently(
    facts: Facts, propositions: Iterable[str], side: Callable[[str], _Side | None]
) -> Iterator[tuple[_Side, _Side]]:
    """Pairs of claims that hold different facts of one occurrence, with nothing joining them."""
    found = [
        one
        for proposition in dict.fromkeys(map(facts.canonical, propositions))
        for id_ in facts.claims_on(proposition)
        if (claim := facts.get(id_, ev.ClaimRecorded)) is not None
        and facts.stance(claim) == "supports"
        and _is_fact(facts, claim.proposition)
        and (one := side(id_)) is not None
    ]
    agreeing = {one.id: _agreeing(facts, one.id) for one in found}
    for a, b in itertools.combinations(sorted(found, key=lambda one: one.claim), 2):
        if a.proposition != b.proposition and b.id not in agreeing[a.id]:
            yield a, b


def _is_fact(facts: Facts, proposition: str) -> bool:
    event = facts.get(facts.canonical(proposition), ev.PropositionDefined)
    return event is not None and event.kind == "fact"


def _agreeing(facts: Facts, claim: str) -> set[str]:
    """The claims that a relation joins to one in agreement."""
    edges = (*facts.indexed("relations_from", claim), *facts.indexed("relations_to", claim))
    told = (facts.get(id_, ev.ClaimsRelated) for id_ in edges)
    return {
        end
        for edge in told
        if edge is not None and edge.relation in AGREEING
        for end in (edge.claim, edge.target)
    }
