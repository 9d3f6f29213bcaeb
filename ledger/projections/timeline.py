"""A party's words over time: the runs of one stance, the turns, and the claims at each turn."""

from __future__ import annotations

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased
from ledger.projections.policies import Policy
from ledger.projections.positions import unless_silent
from ledger.projections.runs import Run, Turn
from ledger.projections.scope import propositions_of
from ledger.projections.standing import Evidence, Position
from ledger.projections.wording import lost


@attrs.frozen(kw_only=True)
class Strand(Answer):
    """A party's history on one proposition."""

    proposition: str
    text: str
    runs: tuple[Run, ...]
    turns: tuple[Turn, ...]
    possible: tuple[Evidence, ...]
    status: str
    last_stated: Bounds | None
    set_aside: tuple[Evidence, ...] = ()
    possibly_withdrawn: tuple[str, ...] = ()
    contested_by: tuple[str, ...] = ()
    erased: tuple[Erased, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.proposition}: {self.text}"]
        turns = list(self.turns)
        for run in self.runs:
            lines.append(f"  {run}")
            lines += [f"    shift: {shift}" for shift in run.shifts]
            if turns:
                lines.append(f"    {turns.pop(0)}")
        lines += [f"  possible: {one}" for one in self.possible]
        lines += [f"  {one}" for one in self.erased]
        lines.append(f"  now: {self.status}")
        return "\n".join(lines)


@attrs.frozen(kw_only=True)
class Timeline(Answer):
    """A party's history on the propositions of a topic, in order of first saying.

    `incomplete` counts the claims of the view that erasure keeps out of every history.
    """

    party: str
    topic: str
    strands: tuple[Strand, ...]
    incomplete: int = 0
    said: Knob
    basis: int

    def __str__(self) -> str:
        none = f"({self.party} said nothing on {self.topic})"
        lines = [str(one) for one in self.strands] or [none]
        return "\n".join([*lines, *lost(self.incomplete)])


def timeline(
    facts: Facts, party: str, topic: str, said: Knob, policy: str | Policy = "latest"
) -> Timeline:
    """The runs and turns of a party on every proposition of a topic, or on one proposition."""
    on = propositions_of(facts, topic)
    if facts.get(topic, ev.PropositionDefined) is not None:
        on = (facts.canonical(topic),)
    found = (unless_silent(facts, party, proposition, said, policy) for proposition in on)
    spoken = sorted((one for one in found if one is not None), key=_first)
    return Timeline(
        party=facts.public(facts.canonical(party)),
        topic=facts.public(topic),
        strands=tuple(_strand(facts, one) for one in spoken),
        incomplete=facts.lost_claims,
        said=said,
        basis=facts.size,
    )


def _first(one: Position) -> tuple[bool, object, str]:
    if not one.runs:
        return True, 0, one.proposition
    return False, one.runs[0].first.sort_key(), one.proposition


def _strand(facts: Facts, one: Position) -> Strand:
    proposition = facts.get(facts.id_of("proposition", one.proposition), ev.PropositionDefined)
    return Strand(
        proposition=one.proposition,
        text=proposition.text if proposition else "",
        runs=one.runs,
        turns=one.turns,
        possible=one.possible,
        status=one.short(),
        last_stated=one.last_stated,
        set_aside=one.set_aside,
        possibly_withdrawn=one.possibly_withdrawn,
        contested_by=one.contested_by,
        erased=one.erased,
    )
