"""Positions on plain claims: such as nothing in the prefix touches, each an occasion of its own.

Nearly all claims are plain: nobody withdrew, corrected, amended, related or erased them or their
document, no other report of the utterance is known, one party made them, and their dates agree. Of
those nothing has to be looked for, so that a position costs a tenth. It is the same position: the
steps are those of `ledger.projections.positions`; decided here are a single claim, which orders
itself, and several that can have been said in one order only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar, cast

import attrs

from ledger.model.attribution import Linked, claimant_of
from ledger.model.bounds import Bounds, first_of, last_of
from ledger.model.claim import is_opposite
from ledger.model.moment import Edtf, Knob
from ledger.model.quotation import Quotation
from ledger.projections.deciding import distinct
from ledger.projections.effective import Facts
from ledger.projections.frame import OF_THE_FRAME, Frame
from ledger.projections.naming import name_of
from ledger.projections.positions import headed, is_past, position
from ledger.projections.rollup import Path, ways_up
from ledger.projections.runs import Run, Turn, shift, turn
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


_Line = list[tuple[PlainClaim, str]]
"""Claims with their stances."""


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
    return claimant, ways_up(frame, chain, bounds, capacity).get(party)


def plain_position(
    frame: Frame, cell: tuple[str, str], claims: Sequence[PlainClaim], said: Knob, basis: int
) -> Position:
    """The position of a party on a proposition, by shown ids, where all claims on it are plain.

    The claims are those of the prefix that reach the party, in recorded order. A silence is told
    without the last word on the topic.
    """
    party, proposition = cell
    told = [(one, by) for one in claims if (by := one.bounds.said_by(said)) != "not_yet"]
    found: dict[str, Any] = dict(headed(frame, party, proposition))
    if not told:
        found["status"] = "silent"
    elif len(told) == 1:
        ((claim, by),) = told
        found |= _on_one(frame, claim, said, surely=by == "certain")
    elif line := _in_line(frame, told):
        found |= _on_line(frame, line, said)
    else:
        facts = cast("Facts", _PlainFacts(frame, party, [one for one, _ in told], basis))
        return position(facts, party, proposition, said)
    return Position(**found, incomplete=frame.lost_claims, said=said, basis=basis)


def _on_one(frame: Frame, claim: PlainClaim, said: Knob, *, surely: bool) -> dict[str, Any]:
    stance = frame.stance(cast("Any", claim))
    certain = surely and _way(claim).certain
    aside = stance == "undeclared"
    evidence = (_shown(frame, claim, stance, certain=certain),)
    if certain and not aside:
        run = Run(
            stance=stance,
            claims=(claim.key or claim.id,),
            first=claim.bounds,
            last=claim.bounds,
            shifts=(),
            ledger_ids=(claim.id,),
        )
        return _held(claim, evidence, (run,), lapsed=_lapsed(claim, said))
    if not aside:
        return {"status": "possible", "possible": evidence}
    return {
        "status": "undeclared",
        **_last_word(claim),
        "speakers": (evidence[0].speaker,),
        "utterances": 1,
        "first_stated": claim.bounds,
        "last_stated": claim.bounds,
        "lapsed": _lapsed(claim, said),
        "set_aside": evidence,
    }


def _in_line(frame: Frame, told: Sequence[tuple[PlainClaim, str]]) -> _Line:
    """Claims in the one order in which they can have been said, with their stances.

    Nothing where one of them is doubtful or takes no side, or where two may have been said in
    either order: those are weighed against one another.
    """
    line = [(one, frame.stance(cast("Any", one))) for one, _ in told]
    doubtful = any(by != "certain" or not _way(one).certain for one, by in told)
    if doubtful or any(stance == "undeclared" for _, stance in line):
        return []
    line.sort(key=lambda each: each[0].bounds.sort_key())
    pairs = itertools.pairwise(line)
    return line if all(a.bounds.precedes(b.bounds) for (a, _), (b, _) in pairs) else []


def _on_line(frame: Frame, line: _Line, said: Knob) -> dict[str, Any]:
    """What claims in line come to: the last one decides, and its run is what that rests on."""
    alike = [[*one] for _, one in itertools.groupby(line, key=itemgetter(1))]
    runs = tuple(_run([claim for claim, _ in each], each[0][1]) for each in alike)
    evidence = tuple(_shown(frame, claim, stance, certain=True) for claim, stance in alike[-1])
    lapsed = all(_lapsed(claim, said) for claim, _ in alike[-1])
    found = _held(line[-1][0], evidence, runs, lapsed=lapsed)
    found["turns"] = _turns(runs, [each[-1][0].bounds for each in alike])
    return found


def _held(
    last: PlainClaim, evidence: tuple[Evidence, ...], runs: tuple[Run, ...], *, lapsed: bool
) -> dict[str, Any]:
    """What a side comes to that is held since the last of some runs."""
    return {
        "status": "held",
        "stance": runs[-1].stance,
        **_last_word(last),
        "speakers": distinct(one.speaker for one in evidence),
        "evidence": evidence,
        "utterances": len(evidence),
        "first_stated": runs[-1].first,
        "last_stated": runs[-1].last,
        "lapsed": lapsed,
        "runs": runs,
    }


def _run(claims: Sequence[PlainClaim], stance: str) -> Run:
    bounds = [one.bounds for one in claims]
    shown = [one.key or one.id for one in claims]
    pairs = zip(itertools.pairwise(claims), shown[1:], strict=True)
    return Run(
        stance=stance,
        claims=tuple(shown),
        first=bounds[0] if len(bounds) == 1 else first_of(bounds),
        last=bounds[0] if len(bounds) == 1 else last_of(bounds),
        shifts=tuple(told for pair, by in pairs if (told := shift(*pair, by))),
        ledger_ids=tuple(one.id for one in claims),
    )


def _turns(runs: Sequence[Run], lasts: Sequence[Bounds]) -> tuple[Turn, ...]:
    """The turns between runs in line, by when the last word of each was said.

    Those may be in no order though their neighbours are: instants beside days are, two by two.
    """
    pairs = zip(itertools.pairwise(runs), itertools.pairwise(lasts), strict=True)
    return tuple(turn(*pair, order_unknown=not one.precedes(other)) for pair, (one, other) in pairs)


def _last_word(claim: PlainClaim) -> dict[str, Any]:
    return {
        "acts": (claim.act,),
        "factuality": (claim.factuality,),
        "conditions": (claim.conditions,) if claim.conditions else (),
    }


def _lapsed(claim: PlainClaim, said: Knob) -> bool:
    ends = claim.expires.latest if claim.expires else None
    return ends is not None and is_past(ends, said)


def _way(claim: PlainClaim) -> Path:
    return claim.path or Path((claim.claimant,))


def _shown(frame: Frame, claim: PlainClaim, stance: str, *, certain: bool) -> Evidence:
    return Evidence(
        claim=claim.key or claim.id,
        claimant=(frame.public(claim.claimant),),
        speaker=name_of(frame, claim.claimant),
        act=claim.act,
        opposite=is_opposite(claim.act, claim.stance, stance),
        stance=stance,
        factuality=claim.factuality,
        said=claim.bounds,
        certainty="certain" if certain else "possible",
        withdrawn=False,
        document=claim.document_key,
        utterance=claim.utterance_key or "",
        path=tuple(map(frame.public, _way(claim).parties)),
        quote=claim.quote.exact if claim.quote else "",
        conditions=claim.conditions,
        ledger_id=claim.id,
    )


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
