"""Why a position is what it is: the steps of model.md, 5, with every claim kept or dropped.

The steps are taken by `.positions`; here they are told in words. Which claims never came into
question, and why, is `.dropping`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import attrs

from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.deciding import Counted
from ledger.projections.dropping import Weighing, not_counted, set_aside_as
from ledger.projections.effective import Facts
from ledger.projections.policies import Policy
from ledger.projections.positions import Weighed, answered, certainty, twins, weigh
from ledger.projections.rollup import reach
from ledger.projections.saying import bounds, one_occasion, precedes, refers_back
from ledger.projections.standing import Position
from ledger.projections.wording import listed, marked_up, when


@attrs.frozen(kw_only=True)
class Step(Answer):
    """One step of the way to a position: what was done, and what it meant for each claim."""

    number: int
    title: str
    words: str
    claims: tuple[Weighing, ...] = ()

    def __str__(self) -> str:
        head = f"{self.number}. {self.title}. {self.words}".rstrip()
        return "\n".join([head, *(f"   {one}" for one in self.claims)])


@attrs.frozen(kw_only=True)
class Explanation(Answer):
    """A position, and the seven steps that lead to it."""

    position: Position
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join([self.position.sentence(), *map(str, self.steps)])

    def _repr_html_(self) -> str:
        """The sentence and the steps, each with its claims."""
        parts = [
            (f"{step.number}. {step.title}. {step.words}", [(str(one), "") for one in step.claims])
            for step in self.steps
        ]
        return marked_up(
            self.position.sentence(), [(head, lines or [("no claim", "")]) for head, lines in parts]
        )


def explain(
    facts: Facts, party: str, proposition: str, said: Knob, policy: str | Policy = "latest"
) -> Explanation:
    """The steps to a position, by the ledger ids of party and proposition."""
    found = weigh(facts, party, proposition, said, policy)
    position = answered(facts, found, said)
    steps = [
        ("Resolve", *_resolved(facts, found)),
        ("Collect", *_collected(facts, found, said)),
        ("Collapse", *_collapsed(facts, found)),
        ("Set aside", *_set_aside(facts, found)),
        ("Order", *_ordered(facts, found)),
        ("Decide", *_decided(facts, found, said)),
        ("Return", *_returned(position)),
    ]
    return Explanation(
        position=position,
        steps=tuple(
            Step(number=number, title=title, words=words, claims=tuple(claims))
            for number, (title, words, claims) in enumerate(steps, start=1)
        ),
    )


_Told = tuple[str, Sequence[Weighing]]


def _resolved(facts: Facts, found: Weighed) -> _Told:
    told = []
    for what, id_ in (("party", found.party), ("proposition", found.proposition)):
        others = [one for one in facts.merged_group(id_) if one != id_]
        swapped = [facts.public(one) for one in others if facts.negated(one)]
        merged = f", one with {listed(sorted(map(facts.public, others)))}" if others else ""
        merged += f" (stances on {listed(swapped)} swapped)" if swapped else ""
        told.append(f"The {what} is {facts.public(id_)}{merged}.")
    return " ".join(told), ()


def _all(found: Weighed) -> list[Counted]:
    return [*found.certain.values(), *found.possible, *found.aside, *found.passed_over]


def _collected(facts: Facts, found: Weighed, said: Knob) -> _Told:
    kept = {one.id: one for one in _all(found)}
    told = [
        Weighing(
            claim=facts.public(id_),
            kept=True,
            why=_why_kept(facts, kept[id_], found.party, said),
        )
        for id_ in sorted(kept, key=lambda id_: (bounds(facts, id_).sort_key(), facts.public(id_)))
    ]
    dropped = not_counted(facts, found.party, found.proposition, said, kept)
    words = f"{_number(len(told), 'claim')} said by {said} may count, {len(dropped)} may not."
    return words, [*told, *dropped]


def _why_kept(facts: Facts, one: Counted, party: str, said: Knob) -> str:
    doubts = []
    if not one.said:
        doubts.append(f"it may be later than {said}")
    if not one.path.certain:
        several = len(one.claim.chains) > 1
        doubts.append(
            "it may be another's words"
            if several
            else "a membership on the way holds on some days of its bounds only"
        )
    if one.path.own:
        way = "own words"
    else:
        steps = zip(one.path.how, one.path.parties[1:], strict=True)
        ups = (f" > {facts.public(to)} ({how.replace('_', ' ')})" for how, to in steps)
        way = f"by roll-up: {facts.public(one.path.parties[0])}{''.join(ups)}"
    sure = f"possible only, for {listed(doubts)}" if doubts else "certain"
    if doubts and one.withdrawn:
        sure += f"; taken back by {listed(_taken_back_by(facts, one, party, said))}"
    return f"{one.claim.act}, {one.stance}, said {when(bounds(facts, one.id))}; {way}; {sure}"


def _collapsed(facts: Facts, found: Weighed) -> _Told:
    occasions: dict[str, list[str]] = defaultdict(list)
    for one in _all(found):
        occasions[one.claim.utterance or one.id].append(one.id)
    told = []
    for several in occasions.values():
        for id_ in several if len(several) > 1 else ():
            others = listed(facts.public(one) for one in several if one != id_)
            apart = "" if one_occasion(facts, id_)[1] else "; their dates share no day"
            why = f"one occasion with {others}: evidence, counted once{apart}"
            told.append(Weighing(claim=facts.public(id_), kept=True, why=why))
    words = f"{_number(len(_all(found)), 'claim')} of {_number(len(occasions), 'occasion')}."
    return words, told


def _set_aside(facts: Facts, found: Weighed) -> _Told:
    told = [
        Weighing(claim=facts.public(one.id), kept=False, why=set_aside_as(one.claim.act))
        for one in found.aside
    ]
    told += [
        Weighing(
            claim=facts.public(one.id),
            kept=False,
            why=f"passed over by the policy {found.policy}: it counts other claims first",
        )
        for one in found.passed_over
    ]
    return f"{len(found.certain)} certain and {len(found.possible)} possible remain.", told


def _ordered(facts: Facts, found: Weighed) -> _Told:
    frontier = {one.id for one in found.frontier}
    told = []
    for place, id_ in enumerate(found.order, 1):
        later = None
        if id_ not in frontier:
            later = next(other for other in found.order[place:] if precedes(facts, id_, other))
        if later is None:
            why = "nothing surely comes after it"
        elif refers_back(facts, later, id_):
            why = f"over: {facts.public(later)} refers back to it"
        else:
            why = f"over: {facts.public(later)} surely came later, {when(bounds(facts, later))}"
        told.append(Weighing(claim=facts.public(id_), kept=later is None, why=why))
    return f"{_number(len(frontier), 'claim')} at the front.", told


def _decided(facts: Facts, found: Weighed, said: Knob) -> _Told:
    told = []
    for one in found.frontier:
        takers = _taken_back_by(facts, one, found.party, said)
        if one.withdrawn:
            why = f"taken back by {listed(takers)}"
        elif one.possibly_withdrawn:
            why = f"{one.stance}, possibly taken back by {listed(takers)}"
        else:
            why = str(one.stance)
        told.append(Weighing(claim=facts.public(one.id), kept=not one.withdrawn, why=why))
    stance = f", {found.stance}" if found.stance else ""
    because = f", because {found.because}" if found.because else ""
    return f"{found.status}{stance}{because}: {_RULE[found.status]}.", told


_RULE = {
    "held": "what is left at the front has one stance",
    "conflicted": "what is left at the front has several stances",
    "withdrawn": "all at the front was taken back, and nothing older comes back for it",
    "possible": "no stance is certain, and a possible claim decides nothing",
    "undeclared": "nothing said has a stance",
    "silent": "nothing was said",
}


def _taken_back_by(facts: Facts, one: Counted, party: str, said: Knob) -> list[str]:
    """The withdrawals that reach the party and were or may have been said, by shown id."""
    found = {
        f"{facts.public(id_)}, said {when(bounds(facts, id_))}"
        for twin in twins(facts, one.id)
        for id_ in facts.indexed("withdrawals_of", twin)
        if party in reach(facts, id_) and certainty(facts, id_, said) != "not_yet"
    }
    return sorted(found)


def _returned(position: Position) -> _Told:
    told = [
        Weighing(
            claim=one.claim,
            kept=True,
            why="the answer rests on it" if position.evidence else "shown as what was set aside",
        )
        for one in (position.evidence or position.set_aside)
    ]
    notes = [str(turn) for turn in position.turns]
    notes += [f"contested by {claim}" for claim in position.contested_by]
    notes += ["past what it was meant for: lapsed"] if position.lapsed else []
    if position.erased_parts:
        notes.append(f"{_number(position.erased_parts, 'claim')} with erased parts")
    if position.incomplete:
        notes.append(f"{_number(position.incomplete, 'erased claim')} of this view in no position")
    return f"{'; '.join(notes)}." if notes else "", told


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
