"""The position of a party on a proposition: collect, collapse, order, decide (model.md, 5).

The steps below carry the numbers of the contract. When an act was said is `.saying`, whom it
reaches `.rollup`, which of it counts `.policies`, the decision `.deciding`, the list of turns
`.runs`, the answer `.standing`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.claim import is_opposite
from ledger.model.moment import Bound, Knob, surely_before
from ledger.projections.deciding import Counted, Status, current_run, decide, distinct
from ledger.projections.effective import Facts
from ledger.projections.erased import erased, erased_of
from ledger.projections.naming import name_of
from ledger.projections.policies import Candidate, Policy, kept_by, policy_of
from ledger.projections.rollup import may_reach, reach
from ledger.projections.runs import at_front, ends_of, in_order, runs_of
from ledger.projections.saying import bounds
from ledger.projections.standing import Evidence, Position


@attrs.frozen(eq=False)
class Weighed:
    """What the first six steps found of a party on a proposition, by their shown ledger ids."""

    party: str
    proposition: str
    policy: str
    passed_over: list[Counted]
    aside: list[Counted]
    certain: Mapping[str, Counted]
    possible: list[Counted]
    order: list[str]
    frontier: list[Counted]
    status: Status
    stance: str | None
    because: str | None


def certainty(facts: Facts, id_: str, said: Knob) -> Literal["certain", "possible", "not_yet"]:
    """Whether an act was said by a date."""
    return bounds(facts, id_).said_by(said)


def withdrawals(facts: Facts, id_: str, party: str, said: Knob) -> Literal["no", "possible", "yes"]:
    """Whether a claim was taken back for a party by a date (model.md, 4).

    A withdrawal acts on the utterance: on every report of it with the same proposition and
    stance; and for each party that the withdrawal itself reaches.
    """
    found: Literal["no", "possible", "yes"] = "no"
    for twin in twins(facts, id_):
        for withdrawal in facts.indexed("withdrawals_of", twin):
            path = reach(facts, withdrawal).get(party)
            state = certainty(facts, withdrawal, said) if path else "not_yet"
            if path is None or state == "not_yet":
                continue
            if state == "certain" and path.certain:
                return "yes"
            found = "possible"
    return found


def twins(facts: Facts, id_: str) -> tuple[str, ...]:
    """The reports of one utterance that say the same of the same."""
    claim = facts.get(id_, ev.ClaimRecorded)
    if claim is None or claim.utterance is None:
        return (id_,)
    alike = claim.utterance, facts.canonical(claim.proposition), facts.stance(claim)
    return facts.memo("twins", " ".join(alike), functools.partial(_reports, facts, *alike))


def _reports(facts: Facts, utterance: str, shown: str, stance: str) -> tuple[str, ...]:
    return tuple(
        mate
        for mate in facts.indexed("acts_of_utterance", utterance)
        if isinstance(other := facts.act(mate), ev.ClaimRecorded)
        and facts.canonical(other.proposition) == shown
        and facts.stance(other) == stance
    )


def weigh(
    facts: Facts, party: str, proposition: str, said: Knob, policy: str | Policy = "latest"
) -> Weighed:
    """The steps 1 to 6 of a position (model.md, 5)."""
    who, what = facts.canonical(party), facts.canonical(proposition)
    collected = _collect(facts, who, what, said)
    aside = _in_order(facts, (one for one in collected if one.stance == "undeclared"))
    taking = [one for one in collected if one.stance != "undeclared"]
    name, taken = _that_count(facts, taking, policy)
    kept = {one.id for one in taken}
    certain = {one.id: one for one in taken if one.certain}
    possible = _in_order(facts, (one for one in taken if not one.certain))
    order = in_order(facts, list(certain))
    # A circle that an undo left is cut where the list cuts it.
    frontier = [certain[id_] for id_ in at_front(facts, order)]
    status, stance, because = decide(frontier, possible, aside)
    return Weighed(
        party=who,
        proposition=what,
        policy=name,
        passed_over=_in_order(facts, (one for one in taking if one.id not in kept)),
        aside=aside,
        certain=certain,
        possible=possible,
        order=order,
        frontier=frontier,
        status=status,
        stance=stance,
        because=because,
    )


def _that_count(
    facts: Facts, taking: list[Counted], policy: str | Policy
) -> tuple[str, list[Counted]]:
    """The name of a policy, and the claims that it lets count."""
    name, keeps = policy_of(policy)
    if name == "latest":
        return name, taking
    candidates = {
        Candidate(
            claim=facts.public(one.id),
            path=tuple(map(facts.public, one.path.parties)),
            how=one.path.how,
            act=one.claim.act,
            stance=one.stance,
            certain=one.certain,
            withdrawn=one.withdrawn,
        ): one
        for one in taking
    }
    return name, [candidates[one] for one in kept_by(name, keeps, tuple(candidates))]


def position(
    facts: Facts, party: str, proposition: str, said: Knob, policy: str | Policy = "latest"
) -> Position:
    """The position of a party on a proposition, by their ledger ids (model.md, 5, steps 1 to 7)."""
    return answered(facts, weigh(facts, party, proposition, said, policy), said)


def unless_silent(
    facts: Facts, party: str, proposition: str, said: Knob, policy: str | Policy = "latest"
) -> Position | None:
    """The position as `position`; None of a silent party, whose last word is not looked for."""
    found = weigh(facts, party, proposition, said, policy)
    return None if found.status == "silent" else answered(facts, found, said)


def headed(facts: Facts, party: str, proposition: str) -> dict[str, str]:
    """What every position begins with, by shown ledger ids: two ids, and what they stand for."""
    about = facts.get(proposition, ev.PropositionDefined)
    return {
        "party": facts.public(party),
        "proposition": facts.public(proposition),
        "name": name_of(facts, party),
        "text": about.text if about else "",
    }


def answered(facts: Facts, found: Weighed, said: Knob) -> Position:
    """Step 7: what was weighed, as an answer."""
    stances = {id_: one.stance for id_, one in found.certain.items()}
    taken_back = {id_ for id_, one in found.certain.items() if one.withdrawn}
    runs, turns = runs_of(facts, found.order, stances, taken_back)
    current = current_run(
        found.status,
        found.stance,
        frontier=found.frontier,
        runs=runs,
        certain=found.certain,
        aside=found.aside,
    )
    told = _shown(facts, current)
    first, last_said = ends_of(facts, [one.id for one in current]) if current else (None, None)
    ends = {one.id for one in found.frontier if found.status == "withdrawn" or not one.withdrawn}
    last = [one for one in current if one.id in ends] or current
    who, what, order, certain = found.party, found.proposition, found.order, found.certain
    return Position(
        **headed(facts, who, what),
        status=found.status,
        stance=found.stance,
        because=found.because,
        acts=distinct(one.claim.act for one in last),
        factuality=distinct(one.claim.factuality for one in last),
        conditions=distinct(one.claim.conditions for one in last if one.claim.conditions),
        speakers=distinct(one.speaker for one in told if one.speaker),
        evidence=told if found.status != "undeclared" else (),
        utterances=len({one.claim.utterance or one.id for one in current}),
        first_stated=first,
        last_stated=last_said,
        lapsed=_lapsed(current, said),
        contested_by=_contested(facts, [*found.frontier, *current], said),
        possible=_shown(facts, found.possible),
        possibly_withdrawn=tuple(
            facts.public(one.id)
            for one in (*(certain[id_] for id_ in order), *found.possible)
            if one.possibly_withdrawn
        ),
        set_aside=_shown(facts, found.aside),
        runs=runs,
        turns=turns,
        last_word_on_topic=(
            last_word(facts, who, topics_around(facts, what), said)
            if found.status == "silent"
            else None
        ),
        policy=found.policy,
        passed_over=_shown(facts, found.passed_over),
        erased=erased_of(facts, _bearing(facts, found)),
        incomplete=facts.lost_claims,
        said=said,
        basis=facts.size,
    )


def _collect(facts: Facts, party: str, proposition: str, said: Knob) -> list[Counted]:
    """Step 2: the effective claims that reach the party, said by the date for sure or perhaps."""
    found = []
    on = facts.memo("claims_on", proposition, lambda: dict.fromkeys(facts.claims_on(proposition)))
    worth_a_look = may_reach(facts, party)
    # The few are looked for among the many: else all parties on a proposition take its square.
    mine = on.keys() & worth_a_look.keys()
    for id_ in sorted(mine, key=lambda id_: facts.stored[id_].sequence):
        path = reach(facts, id_).get(party)
        claim = facts.get(id_, ev.ClaimRecorded)
        state = certainty(facts, id_, said) if path else "not_yet"
        if path is None or claim is None or state == "not_yet":
            continue
        taken = withdrawals(facts, id_, party, said)
        found.append(
            Counted(
                id=id_,
                claim=claim,
                stance=facts.stance(claim),
                path=path,
                said=state == "certain",
                certain=state == "certain" and path.certain,
                withdrawn=taken == "yes",
                possibly_withdrawn=taken == "possible",
            )
        )
    return found


def _in_order(facts: Facts, claims: Iterable[Counted]) -> list[Counted]:
    by_id = {one.id: one for one in claims}
    return [by_id[id_] for id_ in in_order(facts, list(by_id))]


def _bearing(facts: Facts, found: Weighed) -> list[str]:
    """Every claim that reaches the party, in the order of the log."""
    others = (one.id for one in (*found.possible, *found.aside, *found.passed_over))
    return sorted({*found.certain, *others}, key=lambda id_: facts.stored[id_].sequence)


def _shown(facts: Facts, claims: Sequence[Counted]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            claim=facts.public(one.id),
            claimant=tuple(map(facts.public, named)),
            speaker=" or ".join(name_of(facts, party) for party in named),
            act=one.claim.act,
            opposite=is_opposite(one.claim.act, one.claim.stance, one.stance),
            stance=one.stance,
            factuality=one.claim.factuality,
            said=bounds(facts, one.id),
            certainty="certain" if one.certain else "possible",
            withdrawn=one.withdrawn,
            document=facts.public(one.claim.document),
            utterance=one.claim.utterance_key or "",
            path=tuple(map(facts.public, one.path.parties)),
            quote=one.claim.quote.exact if one.claim.quote else "",
            conditions=one.claim.conditions,
            erased=erased(facts, one.id),
            ledger_id=one.id,
        )
        for one in claims
        for named in (facts.claimants(one.claim),)
    )


def _lapsed(current: Sequence[Counted], said: Knob) -> bool:
    """Past the expiry of all that stands, the position stays, marked."""
    standing = [one.claim.expires for one in current if not one.withdrawn]
    ends = [expires.latest if expires else None for expires in standing]
    return bool(ends) and all(end is not None and is_past(end, said) for end in ends)


def is_past(end: Bound, said: Knob) -> bool:
    """Whether an expiry is surely over at a date."""
    if isinstance(end, dt.datetime):
        return end < said.end()
    return surely_before(end, said.at)


def _contested(facts: Facts, claims: Sequence[Counted], said: Knob) -> tuple[str, ...]:
    """Claims that deny that these words were said."""
    found = []
    for one in claims:
        for relation in facts.indexed("relations_to", one.id):
            edge = facts.effective[relation]
            if (
                isinstance(edge, ev.ClaimsRelated)
                and edge.relation == "denies_attribution"
                and facts.act(edge.claim) is not None
                and certainty(facts, edge.claim, said) == "certain"
                and not taken_back(facts, edge.claim, said)
            ):
                found.append(facts.public(edge.claim))
    return tuple(sorted(set(found)))


def taken_back(facts: Facts, claim: str, said: Knob) -> bool:
    """Whether everybody who may have made a claim surely took it back."""
    act = facts.act(claim)
    by = facts.claimants(act) if act else ()
    return bool(by) and all(withdrawals(facts, claim, party, said) == "yes" for party in by)


def last_word(facts: Facts, party: str, topics: set[str], said: Knob) -> Bounds | None:
    """The date of the party's last word, for certain, on any proposition of the topics."""
    latest: Bounds | None = None
    for id_ in may_reach(facts, party):
        claim = facts.get(id_, ev.ClaimRecorded)
        if claim is None or topics.isdisjoint(topics_of(facts, claim.proposition)):
            continue
        path = reach(facts, id_).get(party)
        if path is not None and path.certain and certainty(facts, id_, said) == "certain":
            when = bounds(facts, id_)
            if latest is None or when.sort_key() > latest.sort_key():
                latest = when
    return latest


def topics_of(facts: Facts, proposition: str) -> set[str]:
    """The topics of a proposition, and of all that are one with it."""
    group = (facts.get(one, ev.PropositionDefined) for one in facts.merged_group(proposition))
    return {topic for one in group if one for topic in one.topics}


def topics_around(facts: Facts, proposition: str) -> set[str]:
    """The topics of a proposition, and all inside those: a word on them is one on its topic."""
    topics = topics_of(facts, proposition)
    return {inside for topic in topics for inside in topics_within(facts, topic)}


def topics_within(facts: Facts, topic: str) -> tuple[str, ...]:
    """A topic, and the topics inside it at any depth."""
    found = {topic: None}
    queue = [topic]
    for here in queue:
        inside = [one for one in facts.indexed("topics_in", here) if one not in found]
        found.update(dict.fromkeys(inside))
        queue.extend(inside)
    return tuple(found)
