"""Positions on plain claims: such as nothing in the prefix touches, each an occasion of its own.

Nearly all claims are plain: nobody withdrew, corrected, amended, related or erased them or their
document, no other report of the utterance is known, and one party made them. Of those nothing has
to be looked for, so that a position costs a tenth. It is the same position: the steps are those of
`ledger.projections.positions`; only a single claim, which orders itself, is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import attrs

from ledger.model.attribution import Linked, claimant_of
from ledger.model.bounds import Bounds
from ledger.model.claim import is_opposite
from ledger.model.moment import Edtf, Knob
from ledger.model.quotation import Quotation
from ledger.projections.effective import Facts
from ledger.projections.frame import OF_THE_FRAME, Frame
from ledger.projections.naming import name_of
from ledger.projections.positions import headed, is_past, position
from ledger.projections.rollup import Path, ways_up
from ledger.projections.runs import Run
from ledger.projections.standing import Evidence, Position

T = TypeVar("T")


@attrs.define(eq=False)
class PlainClaim:
    """A plain claim, as far as a position needs it; named like the fields of `ClaimRecorded`."""

    id: str
    sequence: int
    key: str | None
    proposition: str
    act: str
    stance: str
    factuality: str
    expires: Edtf | None
    utterance: str | None
    utterance_key: str | None
    document: str | None
    conditions: str | None
    quote: Quotation | None
    bounds: Bounds
    claimant: str
    path: Path | None
    document_key: str


def way(
    frame: Frame, chain: Sequence[Linked], capacity: str, bounds: Bounds, party: str
) -> tuple[str, Path | None] | None:
    """The claimant of a chain, and how it reaches a party; None where nobody is named."""
    named = claimant_of(chain)
    if named is None:
        return None
    claimant = frame.canonical(named)
    if claimant == party:
        return claimant, frame.memo("plain_way", party, lambda: Path((party,)))
    days = bounds.first_day(), bounds.last_day()
    return claimant, ways_up(frame, chain, days, capacity).get(party)


def plain_position(
    frame: Frame, cell: tuple[str, str], claims: Sequence[PlainClaim], said: Knob, basis: int
) -> Position:
    """The position of a party on a proposition, by shown ids, where all claims on it are plain.

    The claims are those of the prefix that reach the party, in recorded order. A silence is told
    without the last word on the topic.
    """
    party, proposition = cell
    told = [(one, by) for one in claims if (by := one.bounds.said_by(said)) != "not_yet"]
    if len(told) > 1:
        facts = cast("Facts", _PlainFacts(frame, party, [one for one, _ in told], basis))
        return position(facts, party, proposition, said)
    found: dict[str, Any] = dict(headed(frame, party, proposition))
    if told:
        ((claim, by),) = told
        found |= _on_one(frame, claim, said, surely=by == "certain")
    else:
        found["status"] = "silent"
    return Position(**found, incomplete=frame.lost_claims, said=said, basis=basis)


def _on_one(frame: Frame, claim: PlainClaim, said: Knob, *, surely: bool) -> dict[str, Any]:
    stance, bounds = frame.stance(cast("Any", claim)), claim.bounds
    path = claim.path or Path((claim.claimant,))
    certain = path.certain and surely
    shown = claim.key or claim.id
    evidence = (
        Evidence(
            claim=shown,
            claimant=(frame.public(claim.claimant),),
            speaker=name_of(frame, claim.claimant),
            act=claim.act,
            opposite=is_opposite(claim.act, claim.stance, stance),
            stance=stance,
            factuality=claim.factuality,
            said=bounds,
            certainty="certain" if certain else "possible",
            withdrawn=False,
            document=claim.document_key,
            utterance=claim.utterance_key or "",
            path=tuple(map(frame.public, path.parties)),
            quote=claim.quote.exact if claim.quote else "",
            conditions=claim.conditions,
            ledger_id=claim.id,
        ),
    )
    aside = stance == "undeclared"
    if not aside and not certain:
        return {"status": "possible", "possible": evidence}
    run = Run(stance=stance, claims=(shown,), first=bounds, last=bounds, ledger_ids=(claim.id,))
    ends = claim.expires.latest if claim.expires else None
    return {
        "status": "undeclared" if aside else "held",
        "stance": None if aside else stance,
        "acts": (claim.act,),
        "factuality": (claim.factuality,),
        "conditions": (claim.conditions,) if claim.conditions else (),
        "speakers": (evidence[0].speaker,),
        "evidence": () if aside else evidence,
        "utterances": 1,
        "first_stated": bounds,
        "last_stated": bounds,
        "lapsed": ends is not None and is_past(ends, said),
        "set_aside": evidence if aside else (),
        "runs": () if aside else (run,),
    }


class _PlainFacts:
    """What `Facts` tells of plain claims on one cell, without anything to look for."""

    def __init__(self, frame: Frame, party: str, claims: Sequence[PlainClaim], basis: int) -> None:
        self._frame, self._party = frame, party
        self._claims = {one.id: one for one in claims}
        self._documents = {one.document: one.document_key for one in claims}
        self.size, self.lost_claims = basis, frame.lost_claims
        self.effective, self.stored = frame.effective, self._claims
        self.canonical, self.stance = frame.canonical, frame.stance

    def claims_on(self, _proposition: str) -> tuple[str, ...]:
        return tuple(self._claims)

    def memo(self, question: str, id_: str, answer: Callable[[], T]) -> T:
        found: Any
        match question:
            case "bounds":
                found = self._claims[id_].bounds
            case "reach":
                found = {self._party: self._claims[id_].path}
            case "may_reach" | "claims_on":
                found = self._claims
            case _ if question in OF_THE_FRAME:
                return self._frame.memo(question, id_, answer)
            case _:  # nothing of these claims is kept there
                return answer()
        return cast("T", found)

    def get(self, id_: str | None, cls: type[T]) -> T | None:
        found = self._claims.get(id_ or "")
        return self._frame.get(id_, cls) if found is None else cast("T", found)

    def act(self, id_: str) -> PlainClaim | None:
        return self._claims.get(id_)

    def indexed(self, relation: str, id_: str) -> tuple[str, ...]:
        return () if id_ in self._claims else self._frame.indexed(relation, id_)

    def erased(self, _id: str) -> set[str]:
        return set()

    def claimants(self, claim: PlainClaim) -> tuple[str, ...]:
        return (claim.claimant,)

    def public(self, id_: str | None) -> str:
        if (claim := self._claims.get(id_ or "")) is not None:
            return claim.key or claim.id
        found = self._documents.get(id_)
        return self._frame.public(id_) if found is None else found


__all__ = ["PlainClaim", "plain_position", "way"]
