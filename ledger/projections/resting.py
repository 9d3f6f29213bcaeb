"""What rests on a document, what is attributed to a party, and what would fall with a document.

The way back from a claim to its words is `ledger.projections.provenance`; here is the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.difference import Changed, differing
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased, erased_of
from ledger.projections.positions import certainty, position
from ledger.projections.provenance import Trace, trace
from ledger.projections.rollup import may_reach, reach
from ledger.projections.saying import back_from, bounds, mates
from ledger.projections.standing import Certainty, Position
from ledger.projections.versions import QuoteCheck, check_quotes, earlier, later

Part = Literal["claims", "is reached", "on behalf of", "reports", "says", "addressed", "mentioned"]


@attrs.frozen(kw_only=True)
class Resting(Answer):
    """One claim or withdrawal that a document carries."""

    claim: str
    claimant: tuple[str, ...]
    act: str
    stance: str
    proposition: str
    said: Bounds
    words: str
    reaches: tuple[str, ...]
    elsewhere: tuple[str, ...]

    def __str__(self) -> str:
        who = " or ".join(self.claimant) or "(nobody named)"
        quote = f" “{self.words}”" if self.words else ""
        what = f"{self.act} {self.proposition}" + (f" ({self.stance})" if self.stance else "")
        also = f", also reported as {', '.join(self.elsewhere)}" if self.elsewhere else ""
        return f"{self.claim}: {who} {what}, {self.said}{quote}{also}"


@attrs.frozen(kw_only=True)
class RestingOn(Answer):
    """Everything that rests on a document: its claims, corrections and revisions.

    `falls` are the positions that would change without it. `quotes` says whether its quotations,
    and those of earlier versions, are in its text. `erased` says what was erased of the document
    and its claims; `incomplete` counts the claims of which erasure has removed the document.
    """

    document: str
    title: str
    publisher: str
    published: str
    sha256: str
    earlier: tuple[str, ...]
    later: tuple[str, ...]
    claims: tuple[Resting, ...]
    corrects: tuple[str, ...]
    falls: tuple[Changed, ...]
    quotes: tuple[QuoteCheck, ...]
    erased: tuple[Erased, ...] = ()
    incomplete: int = 0
    basis: int

    def __str__(self) -> str:
        title = f" {self.title!r}" if self.title else ""
        published = f", published {self.published}" if self.published else ""
        lines = [f"{self.document}{title}, {self.publisher}{published}"]
        lines += [f"  revises {one}" for one in self.earlier[-1:]]
        lines += [f"  revised by {one}" for one in self.later]
        lines += [f"  {one}" for one in self.claims] or ["  carries no claim"]
        lines += [f"  corrects {one}" for one in self.corrects]
        lines += [f"  {one}" for one in self.quotes if one.status != "stands"]
        lines += [f"  {one}" for one in self.erased]
        lines += _untold(self.incomplete)
        if self.falls:
            lines.append("  without it:")
            lines += [f"    {one}" for one in self.falls]
        return "\n".join(lines)


@attrs.frozen(kw_only=True)
class Attributed(Answer):
    """One claim in which a party has a part, which, and through whom the words came."""

    claim: str
    part: Part
    path: tuple[str, ...]
    through: tuple[str, ...]
    certainty: Certainty
    act: str
    stance: str
    proposition: str
    said: Bounds
    document: str

    def __str__(self) -> str:
        way = f", via {' > '.join(self.path)}" if len(self.path) > 1 else ""
        through = f", through {' > '.join(self.through)}" if self.through else ""
        where = f", in {self.document}" if self.document else ""
        sure = "" if self.certainty == "certain" else " [possible]"
        what = f"{self.act} {self.proposition} ({self.stance}), {self.said}"
        return f"{self.claim} {self.part}: {what}{way}{through}{where}{sure}"


@attrs.frozen(kw_only=True)
class AttributedTo(Answer):
    """All claims in which a party has a role, in order of saying.

    `incomplete` counts the claims of which erasure has removed whose they were.
    """

    party: str
    rows: tuple[Attributed, ...]
    incomplete: int = 0
    basis: int

    def __iter__(self) -> Iterator[Attributed]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        rows = (f"  {row}" for row in self.rows)
        return "\n".join([self.party, *rows, *_untold(self.incomplete)])


@attrs.frozen(kw_only=True)
class PositionTrace(Answer):
    """A position, and the trace of each claim that bears on it."""

    position: Position
    traces: tuple[Trace, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.position), *map(str, self.traces)])


def _untold(incomplete: int) -> list[str]:
    return [f"  erased claims that may belong here: {incomplete}"] if incomplete else []


def resting_on(facts: Facts, document: str, said: Knob) -> RestingOn:
    """Everything that rests on a document, by its ledger id."""
    event = facts.effective[document]
    assert isinstance(event, ev.DocumentRegistered)  # noqa: S101 - the caller found a document
    before = earlier(facts, document)
    return RestingOn(
        document=event.key,
        title=event.title or "",
        publisher=facts.public(facts.canonical(event.publisher)),
        published=str(event.published or ""),
        sha256=event.sha256,
        earlier=tuple(map(facts.public, before)),
        later=tuple(map(facts.public, later(facts, document))),
        claims=tuple(_resting(facts, act) for act in _acts_in(facts, document)),
        corrects=tuple(map(facts.public, _corrected_by(facts, document))),
        falls=falls_with(facts, document, said),
        quotes=tuple(
            row
            for one in (*before, document)
            for row in check_quotes(facts, one, {})
            if row.version == event.key
        ),
        erased=erased_of(facts, (document, *_acts_in(facts, document))),
        incomplete=facts.lost_claims,
        basis=facts.size,
    )


def _acts_in(facts: Facts, document: str) -> list[str]:
    return [id_ for id_ in facts.indexed("acts_in", document) if facts.act(id_) is not None]


def _corrected_by(facts: Facts, document: str) -> list[str]:
    return [
        change.target
        for _, change in facts.of_type(ev.ClaimCorrected)
        if change.document == document
    ]


def _resting(facts: Facts, id_: str) -> Resting:
    act = facts.act(id_)
    assert act is not None  # noqa: S101 - the caller listed acts
    claim = act if isinstance(act, ev.ClaimRecorded) else None
    on = [claim.proposition] if claim else []
    targets = act.claims if isinstance(act, ev.ClaimWithdrawn) else ()
    return Resting(
        claim=facts.public(id_),
        claimant=tuple(map(facts.public, facts.claimants(act))),
        act=claim.act if claim else "withdraws",
        stance=facts.stance(claim) if claim else "",
        proposition=", ".join(
            facts.public(facts.canonical(one) if claim else one) for one in (*on, *targets)
        ),
        said=bounds(facts, id_),
        words=act.quote.exact if act.quote else "",
        reaches=tuple(sorted(map(facts.public, reach(facts, id_)))),
        elsewhere=tuple(facts.public(one) for one in mates(facts, id_) if one != id_),
    )


def falls_with(facts: Facts, document: str, said: Knob) -> tuple[Changed, ...]:
    """The positions that would come out otherwise if a document had carried nothing."""
    acts = _acts_in(facts, document)
    shown = {cell: tuple(map(facts.public, cell)) for cell in touched_by(facts, document)}
    touched = sorted(shown, key=shown.__getitem__)
    before = {cell: position(facts, *cell, said) for cell in touched}
    with facts.without(acts):
        after = {cell: position(facts, *cell, said) for cell in touched}
    return tuple(
        found for cell in touched if (found := differing(before[cell], after[cell])) is not None
    )


def touched_by(facts: Facts, document: str) -> set[tuple[str, str]]:
    """The parties and propositions on whose positions the acts in a document may bear.

    They lend their dates to what they refer back to, and to other reports of that: without a date
    it may reach more parties.
    """
    acts = _acts_in(facts, document)
    claims = {mate for one in back_from(facts, *acts) for mate in mates(facts, one)}
    found = _cells_of(facts, claims)
    if not (others := claims.difference(acts)):
        return found
    with facts.without(acts):
        return found | _cells_of(facts, others)


def _cells_of(facts: Facts, claims: Iterable[str]) -> set[tuple[str, str]]:
    """The parties that some claims reach, with what they are on; of withdrawals nothing."""
    return {
        (party, facts.canonical(claim.proposition))
        for id_ in claims
        if (claim := facts.get(id_, ev.ClaimRecorded)) is not None
        for party in reach(facts, id_)
    }


def attributed_to(facts: Facts, party: str, said: Knob) -> AttributedTo:
    """Everything in which a party has a part by a date, by its ledger id."""
    who = facts.canonical(party)
    rows = [row for row in _attributed(facts, who, said) if row is not None]
    rows.sort(key=lambda row: (row.said.sort_key(), row.claim))
    return AttributedTo(
        party=facts.public(who),
        rows=tuple(rows),
        incomplete=facts.lost_claims,
        basis=facts.size,
    )


def _attributed(facts: Facts, who: str, said: Knob) -> Iterator[Attributed | None]:
    near = may_reach(facts, who)
    for id_, claim in facts.of_type(ev.ClaimRecorded):
        if facts.act(id_) is None:
            continue
        named = id_ in near or who in map(facts.canonical, (*claim.addressees, *claim.mentions))
        if named and (state := certainty(facts, id_, said)) != "not_yet":
            yield _part(facts, id_, claim, who, state)


def _part(
    facts: Facts, id_: str, claim: ev.ClaimRecorded, who: str, state: Certainty
) -> Attributed | None:
    path = reach(facts, id_).get(who)
    part: Part | None = None
    if path is not None:
        part = "claims" if path.own else "is reached"
        state = state if path.certain else "possible"
    else:
        part = _other_part(facts, claim, who)
    if part is None:
        return None
    start = who if path is None else path.parties[0]
    return Attributed(
        claim=facts.public(id_),
        part=part,
        path=tuple(map(facts.public, path.parties)) if path else (),
        through=_through(facts, claim, start),
        certainty=state,
        act=claim.act,
        stance=facts.stance(claim),
        proposition=facts.public(facts.canonical(claim.proposition)),
        said=bounds(facts, id_),
        document=facts.public(claim.document),
    )


def _other_part(facts: Facts, claim: ev.ClaimRecorded, who: str) -> Part | None:
    """A part in a claim that gives its party no position."""
    for chain in claim.chains:
        for link in chain:
            if facts.canonical(link.agent) == who:
                return {"reports": "reports", "on_behalf_of": "on behalf of"}.get(  # type: ignore[return-value]
                    link.kind, "says"
                )
    if who in map(facts.canonical, claim.addressees):
        return "addressed"
    return "mentioned" if who in map(facts.canonical, claim.mentions) else None


def _through(facts: Facts, claim: ev.ClaimRecorded, start: str) -> tuple[str, ...]:
    """The parties that stand before one in the chain, outermost first."""
    for chain in claim.chains:
        agents = [facts.canonical(link.agent) for link in chain]
        if start in agents:
            return tuple(map(facts.public, agents[: agents.index(start)]))
    return ()


def evidence(facts: Facts, party: str, proposition: str, said: Knob) -> PositionTrace:
    """A position with the traces of the claims that bear on it, the deciding ones first."""
    found = position(facts, party, proposition, said)
    rows = (*found.evidence, *found.set_aside, *found.possible)
    ids = dict.fromkeys(row.ledger_id for row in rows)
    return PositionTrace(position=found, traces=tuple(trace(facts, id_) for id_ in ids))
