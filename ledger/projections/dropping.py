"""Why a claim on a proposition does not count towards a party's position, in words.

Here lives what never was collected: struck out, corrected away, moved to another proposition, made
by others, or not said yet. What is collected and then decides nothing is told by `.explaining`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs

from ledger.model import events as ev
from ledger.model.attribution import claimant_of, spoken_for
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.rollup import beneath, reach
from ledger.projections.saying import bounds
from ledger.projections.wording import listed, when


@attrs.frozen(kw_only=True)
class Weighing(Answer):
    """A claim in one step: kept or dropped, and why."""

    claim: str
    kept: bool
    why: str

    def __str__(self) -> str:
        return f"{'+' if self.kept else '-'} {self.claim}: {self.why}"


def set_aside_as(act: str) -> str:
    """Why a claim without a stance is set aside."""
    told = {
        "decline_to_comment": "a refusal to comment",
        "avoid": "an evasion",
        "reference_only": "a mere reference",
    }.get(act, "no side told")
    return f"{told}: neither a stance nor silence, it ends nothing"


def not_counted(
    facts: Facts, party: str, proposition: str, said: Knob, kept: Collection[str]
) -> list[Weighing]:
    """The claims ever recorded on a proposition that do not count for a party, each with why."""
    found = []
    for id_ in _ever_on(facts, proposition):
        if id_ not in kept:
            why = _why(facts, id_, party, proposition, said)
            found.append(Weighing(claim=facts.public(id_), kept=False, why=why))
    return sorted(found, key=lambda one: one.claim)


def _ever_on(facts: Facts, proposition: str) -> Iterator[str]:
    """The claims on a proposition now, or as they were entered before somebody changed them."""
    group = set(facts.merged_group(proposition))
    seen = {id_ for one in group for id_ in facts.indexed("claims_on", one)}
    yield from seen
    targets = [change.target for _, change in facts.of_type(ev.RecordAmended)]
    targets += [change.target for _, change in facts.of_type(ev.ClaimCorrected)]
    for target in dict.fromkeys(targets):
        stored = facts.stored.get(target)
        entered = stored.event if stored else None
        on_it = isinstance(entered, ev.ClaimRecorded) and entered.proposition in group
        if on_it and target not in seen:
            yield target


def _why(facts: Facts, id_: str, party: str, proposition: str, said: Knob) -> str:
    claim = facts.get(id_, ev.ClaimRecorded)
    if claim is None:
        return _struck_out(facts, id_)
    if id_ in facts.never_said:
        papers = (facts.public(one) for one in facts.corrected_by.get(id_, ()))
        return f"never said, as its publisher corrected ({listed(papers)})"
    if facts.canonical(claim.proposition) != proposition:
        moved = facts.public(facts.canonical(claim.proposition))
        return f"entered on this proposition, and changed since: it is on {moved}"
    if facts.act(id_) is None:
        return "its proposition was struck out"
    if party not in reach(facts, id_):
        return _unreached(facts, id_, claim, party)
    return f"not said yet by {said}: {when(bounds(facts, id_))}"


def _struck_out(facts: Facts, id_: str) -> str:
    for change in reversed(facts.changes_of(id_)):
        amendment = facts.get(change, ev.RecordAmended)
        if amendment is not None and amendment.strike_out:
            why = amendment.reason or "the reason was erased"
            return f"struck out by {facts.public(change)}: {why}"
    return "its content was erased"


def _unreached(facts: Facts, id_: str, claim: ev.ClaimRecorded, party: str) -> str:
    """Why a claim that was made does not reach a party."""
    by = facts.claimants(claim)
    shown, names = facts.public(party), listed(map(facts.public, by), "or") if by else ""
    if not by:
        return "nobody is named as its claimant"
    passed_on = {facts.canonical(link.agent) for chain in claim.chains for link in chain}
    if not beneath(facts, party) & {one for who in by for one in facts.merged_group(who)}:
        if party in passed_on:
            return f"{shown} passes on words of {names}: that takes no position"
        down = any(set(facts.merged_group(party)) & beneath(facts, who) for who in by)
        if down:
            return f"words of {names}, above {shown}: they go up, never down"
        return f"words of {names}, who does not speak for {shown}"
    if claim.capacity == "personal":
        return f"words of {names} in personal capacity: they stay there"
    stated = {one for chain in claim.chains if claimant_of(chain) for one in spoken_for(chain)}
    if stated:
        behalf = listed(sorted({facts.public(facts.canonical(one)) for one in stated}))
        return f"words of {names} stated to be on behalf of {behalf}: that does not lead to {shown}"
    day = when(bounds(facts, id_))
    return f"words of {names}: no membership that led to {shown} held at the utterance, {day}"
