"""What changed between two views: claims learnt or lost, and positions that came out otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.claim import other_side
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.listing import ClaimLine, Filters, claim_line, passing
from ledger.projections.perspectives import positions_of, positions_within
from ledger.projections.positions import certainty, unless_silent
from ledger.projections.scope import EVERYTHING, Scope
from ledger.projections.standing import Evidence, Position

Cell = tuple[str, str]
"""A party and a proposition, by the ids that they are shown by."""

_SHOWN: Final[Mapping[str, type[Any]]] = {
    "party": ev.PartyRegistered,
    "proposition": ev.PropositionDefined,
}


@attrs.frozen(kw_only=True)
class Changed(Answer):
    """One position that differs; None where the party was silent, or not known.

    Where a view knows of a merge, the position there is that of the kept id. `through` are the
    claims that bear on one of the two and not, or not so, on the other: they may be old, and reach
    the party by a membership that is new. `unknown` says in which of the two views there is no such
    party or proposition: "before", "after".
    """

    party: str
    proposition: str
    before: Position | None
    after: Position | None
    unknown: tuple[str, ...] = ()

    derived: ClassVar[tuple[str, ...]] = ("through",)

    @property
    def through(self) -> tuple[str, ...]:
        """The ids of the claims in which the two differ."""
        old, new = _bearing(self.before), _bearing(self.after)
        return tuple(sorted(id_ for id_ in {*old, *new} if old.get(id_) != new.get(id_)))

    def __str__(self) -> str:
        before, after = self._short("before", self.before), self._short("after", self.after)
        told = f"{self.party} on {self.proposition}: {before} -> {after}"
        return told if before != after else f"{told}, by {', '.join(self.through) or 'other ways'}"

    def _short(self, view: str, one: Position | None) -> str:
        if one is None:
            return "unknown" if view in self.unknown else "silent"
        here = (one.party, one.proposition) == (self.party, self.proposition)
        return one.short() if here else f"{one.short()} as {one.party} on {one.proposition}"


@attrs.frozen(kw_only=True)
class Difference(Answer):
    """The claims and positions in which a second view differs from a first.

    `learnt` claims were recorded after the first view; of these the `late` ones had surely been
    said by its date. `newly_said` were known then, but not yet said. `lost` are only in the first
    view, `altered` in both, with a difference.
    """

    learnt: tuple[ClaimLine, ...]
    newly_said: tuple[ClaimLine, ...]
    lost: tuple[ClaimLine, ...]
    altered: tuple[tuple[ClaimLine, ClaimLine], ...]
    late: tuple[str, ...]
    positions: tuple[Changed, ...]

    @property
    def changed_by_late(self) -> tuple[Changed, ...]:
        """The positions that a late arrival changed."""
        late = set(self.late)
        return tuple(one for one in self.positions if late.intersection(one.through))

    def __bool__(self) -> bool:
        return bool(self.learnt or self.newly_said or self.lost or self.altered or self.positions)

    def __str__(self) -> str:
        lines = [f"+ {one}" for one in self.newly_said]
        for one in self.learnt:
            late = ", late: it had been said before" if one.id in self.late else ""
            lines.append(f"+ {one} (learnt{late})")
        lines += [f"- {one}" for one in self.lost]
        lines += [f"~ {after} (was: {before})" for before, after in self.altered]
        lines += [str(one) for one in self.positions]
        return "\n".join(lines) or "(no difference)"


@attrs.frozen(kw_only=True)
class Shown:
    """What is compared of a view: its claims by id, its positions by party and proposition.

    Of what was looked up, `unknown` are the cells of a party or proposition that the view does not
    know. A cell that it shows under other ids, since it knows of a merge, has the position there;
    `turned` are those of which that is on the opposite proposition. `asked` are the party and the
    proposition of its scope, as they are shown by themselves, "" where it names none.
    """

    claims: dict[str, ClaimLine] = attrs.field(factory=dict)
    positions: dict[Cell, Position] = attrs.field(factory=dict)
    asked: Cell = ("", "")
    unknown: frozenset[Cell] = frozenset()
    turned: frozenset[Cell] = frozenset()
    said: Knob
    basis: int

    def lacks(self, other: Shown) -> Lacking:
        """What another shows and this one does not, though its log may hold it.

        Who was asked about may be merged into another in one of them: it is looked up by itself.
        """
        claims = other.claims.items()
        who, what = (mine or theirs for mine, theirs in zip(self.asked, other.asked, strict=True))
        shown = self.positions.keys() | other.positions.keys()
        cells = other.positions.keys() | {(who or one, what or on) for one, on in shown}
        return Lacking(
            claims=frozenset(
                row.sequence
                for id_, row in claims
                if id_ not in self.claims and row.sequence < self.basis
            ),
            cells=frozenset(cells - self.positions.keys()),
        )

    def with_these(self, more: Shown) -> Shown:
        """The same with what was looked up besides, in order of saying again."""
        rows = sorted(
            (self.claims | more.claims).values(), key=lambda row: (row.said.sort_key(), row.id)
        )
        return attrs.evolve(
            self,
            claims={row.id: row for row in rows},
            positions=self.positions | more.positions,
            unknown=more.unknown,
            turned=more.turned,
        )


@attrs.frozen(kw_only=True)
class Lacking:
    """Claims by sequence, and cells by party and proposition, to be looked up in a view.

    A merge, a membership or an amendment between two views brings into a scope what was there all
    the time: it is neither learnt nor lost.
    """

    claims: frozenset[int]
    cells: frozenset[Cell]

    def __bool__(self) -> bool:
        return bool(self.claims or self.cells)

    def found(self, facts: Facts) -> dict[Cell, Cell]:
        """The cells of which a view knows both, each by its ids in the ledger."""
        ids = {
            cell: (_id(facts, "party", cell[0]), _id(facts, "proposition", cell[1]))
            for cell in self.cells
        }
        return {cell: (who, what) for cell, (who, what) in ids.items() if who and what}


def shown(facts: Facts, said: Knob, scope: Scope = EVERYTHING) -> Shown:
    """All that a view shows, or what it shows of a scope; the facts are not needed after."""
    wanted = Filters(party=scope.party, topic=scope.topic, proposition=scope.proposition)
    # A line tells of a claim what it tells without a scope: whether all who made it took it back.
    lines = (claim_line(facts, id_, said, state) for id_, state in passing(facts, said, wanted))
    found = _shown(facts, said, lines, _positions(facts, said, scope))
    return attrs.evolve(found, asked=(facts.public(scope.party), facts.public(scope.proposition)))


def looked_up(facts: Facts, said: Knob, lacking: Lacking) -> Shown:
    """What a view shows of some claims and cells."""
    lines = (
        claim_line(facts, id_, said, state)
        for id_, _ in facts.of_type(ev.ClaimRecorded)
        if facts.stored[id_].sequence in lacking.claims
        and facts.act(id_) is not None
        and (state := certainty(facts, id_, said)) != "not_yet"
    )
    cells = lacking.found(facts)
    rows = {cell: unless_silent(facts, *ids, said) for cell, ids in cells.items()}
    return attrs.evolve(
        _shown(facts, said, lines, ()),
        positions={cell: row for cell, row in rows.items() if row is not None},
        unknown=lacking.cells - cells.keys(),
        turned=frozenset(cell for cell, (_, what) in cells.items() if facts.negated(what)),
    )


def _shown(
    facts: Facts, said: Knob, lines: Iterable[ClaimLine], positions: Iterable[Position]
) -> Shown:
    return Shown(
        claims={row.id: row for row in lines},
        positions={(row.party, row.proposition): row for row in positions},
        said=said,
        basis=facts.size,
    )


def diff(before: Shown, after: Shown) -> Difference:
    """What a second view shows otherwise than a first."""
    old, new = before.claims, after.claims
    stood, stands = before.positions, after.positions
    came = [row for id_, row in new.items() if id_ not in old]
    learnt = tuple(row for row in came if row.sequence >= before.basis)
    return Difference(
        learnt=learnt,
        newly_said=tuple(row for row in came if row.sequence < before.basis),
        lost=tuple(row for id_, row in old.items() if id_ not in new),
        altered=tuple(
            (old[id_], row)
            for id_, row in new.items()
            if id_ in old and _told(old[id_]) != _told(row)
        ),
        late=tuple(row.id for row in learnt if row.said.said_by(before.said) == "certain"),
        positions=tuple(
            Changed(
                party=cell[0],
                proposition=cell[1],
                before=one,
                after=other,
                unknown=("before",) * (cell in before.unknown)
                + ("after",) * (cell in after.unknown),
            )
            for cell in sorted({*stood, *stands})
            if _gist(one := stood.get(cell), cell[0], turned=cell in before.turned)
            != _gist(other := stands.get(cell), cell[0], turned=cell in after.turned)
        ),
    )


def differing(before: Position, after: Position) -> Changed | None:
    """A position that came out otherwise; None where it did not."""
    if _gist(before, before.party) == _gist(after, after.party):
        return None
    return Changed(party=before.party, proposition=before.proposition, before=before, after=after)


def _told(row: ClaimLine) -> object:
    """A claim as it reads: an end that was lent and does not show makes it no other one."""
    return str(row.said), attrs.evolve(row, said=Bounds())


def _bearing(one: Position | None) -> dict[str, str]:
    """The claims that bear on a position, each as it is told there."""
    if one is None:
        return {}
    bearing = (*one.evidence, *one.possible, *one.set_aside)
    doubted = set(one.possibly_withdrawn)
    return {
        each.claim: f"{each.certainty} {each}" + ", perhaps withdrawn" * (each.claim in doubted)
        for each in bearing
    }


def _positions(facts: Facts, said: Knob, scope: Scope) -> Iterator[Position]:
    if scope.narrow:
        yield from positions_within(facts, scope, said)
        return
    for party, _ in facts.of_type(ev.PartyRegistered):
        if facts.canonical(party) == party:
            yield from positions_of(facts, party, said)


def _id(facts: Facts, kind: str, shown: str) -> str:
    """The ledger's id of a live record by what another view shows; "" where there is none."""
    id_ = facts.id_of(kind, shown) or shown
    return id_ if facts.get(id_, _SHOWN[kind]) is not None else ""


def _gist(one: Position | None, party: str, *, turned: bool = False) -> object:
    """What makes a position another one: where it stands, on what words, and how they reach it.

    One that stands under other ids is told as the party's, on the proposition that was asked about.
    """
    if one is None:
        return None

    shown = one.party

    def side(stance: str | None) -> str | None:
        return other_side(stance) if turned and stance else stance

    def way(evidence: Evidence) -> tuple[str, ...]:
        return tuple(party if here == shown else here for here in evidence.path)

    return (
        one.status,
        side(one.stance),
        one.because,
        one.acts,
        one.factuality,
        one.conditions,
        tuple((e.claim, side(e.stance), str(e.said), way(e), e.withdrawn) for e in one.evidence),
        tuple((e.claim, side(e.stance), str(e.said), way(e)) for e in one.possible),
        tuple((e.claim, e.act, str(e.said), way(e), e.certainty) for e in one.set_aside),
        one.possibly_withdrawn,
        one.lapsed,
        one.contested_by,
    )
