"""One occurrence as each party tells it, side by side (model.md, 5, rulings).

Which accounts diverge is `.perspectives`; here every party that described the occurrence in its own
words is listed with its position on each description, whatever that is.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ledger.model import events as ev
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.perspectives import Divergence, divergences_among, speakers_on
from ledger.projections.positions import certainty, position
from ledger.projections.rollup import reach
from ledger.projections.standing import Evidence, Position
from ledger.projections.wording import listed, lost, marked_up


@attrs.frozen(kw_only=True)
class Account(Answer):
    """How one party describes an occurrence: a proposition, and its position on that.

    `speaks_for` are the parties above it that its words reach.
    """

    party: str
    proposition: str
    text: str
    position: Position
    speaks_for: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[Evidence, ...]:
        """The claims of its own behind the account, certain and possible."""
        found = self.position
        return tuple(one for one in (*found.evidence, *found.set_aside, *found.possible) if one.own)

    def __str__(self) -> str:
        above = f", for {listed(self.speaks_for)}" if self.speaks_for else ""
        lines = [f"{self.party}{above}: {self.position.short()}"]
        lines += [f"    {'possible: ' * (one.certainty == 'possible')}{one}" for one in self.words]
        return "\n".join(lines)


@attrs.frozen(kw_only=True)
class Accounts(Answer):
    """The descriptions of one occurrence, side by side, and which of them diverge."""

    occurrence: str
    label: str
    rows: tuple[Account, ...]
    divergences: tuple[Divergence, ...]
    incomplete: int = 0
    said: Knob
    basis: int

    def __iter__(self) -> Iterator[Account]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        lines = [f"{self.occurrence}: {self.label}"]
        told = ""
        for row in self.rows:
            if row.proposition != told:
                told = row.proposition
                lines.append(f'  {row.proposition}: "{row.text}"')
            lines += [f"    {line}" for line in str(row).splitlines()]
        lines += [f"  divergent: {one}" for one in self.divergences]
        lines += ["  (nobody described it)"] * (not self.rows)
        lines += [f"  {line}" for line in lost(self.incomplete)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The descriptions with their quotations."""
        parts = [
            (
                f"{row.proposition} ({row.text}), {row.party}: {row.position.short()}",
                [(str(attrs.evolve(one, quote="")), one.quote) for one in row.words],
            )
            for row in self.rows
        ]
        return marked_up(
            f"{self.occurrence}: {self.label}",
            [*parts, ("divergent", [(str(one), "") for one in self.divergences])],
        )


def accounts(facts: Facts, occurrence: str, said: Knob) -> Accounts:
    """Who describes an occurrence how, by its ledger id."""
    event = facts.get(occurrence, ev.OccurrenceDescribed)
    told = event.propositions if event else ()
    shown = facts.public(occurrence)
    return Accounts(
        occurrence=shown,
        label=event.label if event else "",
        rows=tuple(
            row
            for proposition in dict.fromkeys(map(facts.canonical, told))
            for party in speakers_on(facts, proposition)
            if (row := _account(facts, party, proposition, said)) is not None
        ),
        divergences=divergences_among(facts, said, frozenset(map(facts.canonical, told))),
        incomplete=facts.lost_claims,
        said=said,
        basis=facts.size,
    )


def _account(facts: Facts, party: str, proposition: str, said: Knob) -> Account | None:
    stand = position(facts, party, proposition, said)
    event = facts.get(proposition, ev.PropositionDefined)
    found = Account(
        party=stand.party,
        proposition=stand.proposition,
        text=event.text if event else "",
        position=stand,
        speaks_for=_above(facts, party, proposition, said),
    )
    return found if found.words else None


def _above(facts: Facts, party: str, proposition: str, said: Knob) -> tuple[str, ...]:
    """Whom else a party's own words on a proposition, said by a date, reach for certain."""
    above = {
        facts.public(other)
        for id_ in facts.claims_on(proposition)
        if certainty(facts, id_, said) == "certain"
        and (own := reach(facts, id_).get(party)) is not None
        and own.own
        for other, path in reach(facts, id_).items()
        if path.certain and path.parties[0] == party and other != party
    }
    return tuple(sorted(above))
