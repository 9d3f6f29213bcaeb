"""A party's history on a proposition as runs of one stance, and the turns between them.

Listed by precedence, then latest bound, earliest bound, least claim id: by content, never by the
order of recording (model.md, 5, steps 5 and 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.saying import bounds, precedes


@attrs.frozen(kw_only=True)
class Run(Answer):
    """Claims of one stance in a row; `shifts` are changes of act or factuality inside it."""

    stance: str
    claims: tuple[str, ...]
    first: Bounds
    last: Bounds
    shifts: tuple[str, ...] = ()
    ledger_ids: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Turn(Answer):
    """The change between two runs: a reversal (supports / opposes) or another shift."""

    kind: str
    before: str
    after: str
    last_before: str
    first_after: str
    order_unknown: bool = False

    def __str__(self) -> str:
        unknown = ", order unknown" if self.order_unknown else ""
        return (
            f"{self.kind}: {self.before} ({self.last_before}) to {self.after} "
            f"({self.first_after}){unknown}"
        )


def in_order(facts: Facts, ids: Sequence[str]) -> list[str]:
    """Claims by precedence, ties by their bounds and then by shown id."""
    before = {
        id_: {other for other in ids if other != id_ and precedes(facts, other, id_)}
        for id_ in ids
    }
    left = sorted(ids, key=lambda id_: (bounds(facts, id_).sort_key(), facts.public(id_)))
    ordered: list[str] = []
    while left:
        listed = set(ordered)
        ready = next((id_ for id_ in left if before[id_] <= listed), left[0])
        ordered.append(ready)
        left.remove(ready)
    return ordered


def runs_of(
    facts: Facts, order: Sequence[str], stances: Mapping[str, str]
) -> tuple[tuple[Run, ...], tuple[Turn, ...]]:
    """The runs of claims in order, and the turns between them."""
    groups: list[list[str]] = []
    for id_ in order:
        if groups and stances[groups[-1][0]] == stances[id_]:
            groups[-1].append(id_)
        else:
            groups.append([id_])
    runs = tuple(_run(facts, group, stances[group[0]]) for group in groups)
    turns = tuple(
        _turn(facts, before, after) for before, after in zip(runs, runs[1:], strict=False)
    )
    return runs, turns


def _run(facts: Facts, group: Sequence[str], stance: str) -> Run:
    shifts = []
    claims = [facts.get(id_, ev.ClaimRecorded) for id_ in group]
    for before, after, id_ in zip(claims, claims[1:], group[1:], strict=False):
        if before and after and (before.act, before.factuality) != (after.act, after.factuality):
            shifts.append(
                f"{before.act}, {before.factuality} to {after.act}, {after.factuality} "
                f"({facts.public(id_)})"
            )
    return Run(
        stance=stance,
        claims=tuple(map(facts.public, group)),
        first=bounds(facts, group[0]),
        last=bounds(facts, group[-1]),
        shifts=tuple(shifts),
        ledger_ids=tuple(group),
    )


def _turn(facts: Facts, before: Run, after: Run) -> Turn:
    last, first = before.ledger_ids[-1], after.ledger_ids[-1]
    known = precedes(facts, last, first) or precedes(facts, first, last)
    return Turn(
        kind="reversal" if {before.stance, after.stance} == {"supports", "opposes"} else "shift",
        before=before.stance,
        after=after.stance,
        last_before=before.claims[-1],
        first_after=after.claims[0],
        order_unknown=not known,
    )
