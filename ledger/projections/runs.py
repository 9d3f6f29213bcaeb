"""A party's history on a proposition as runs of one stance, and the turns between them.

Listed by precedence, then latest bound, earliest bound, least claim id: by content, never by the
order of recording (model.md, 5, steps 5 and 7).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds, first_of, last_of
from ledger.model.moment import Bound
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.saying import (
    bounds,
    mates,
    precedes,
    referrers,
    refers_back_to,
    same_occasion,
)


class Worded(Protocol):
    """How a claim was made, as far as a shift is told by it."""

    @property
    def act(self) -> str:
        """What was done by saying it."""

    @property
    def factuality(self) -> str:
        """How sure of it."""


@attrs.frozen(kw_only=True)
class Run(Answer):
    """Claims of one stance in a row; `shifts` are changes of act or factuality inside it.

    `withdrawn` are those of the claims that were taken back: they keep their place.
    """

    stance: str
    claims: tuple[str, ...]
    first: Bounds
    last: Bounds
    shifts: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    ledger_ids: tuple[str, ...] = attrs.field(repr=False)

    def __str__(self) -> str:
        until = f" to {self.last}" if self.last != self.first else ""
        told = (f"{id_} [withdrawn]" if id_ in self.withdrawn else id_ for id_ in self.claims)
        return f"{self.first}{until}: {self.stance} ({', '.join(told)})"


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
    left = sorted(ids, key=lambda id_: (bounds(facts, id_).sort_key(), facts.public(id_)))
    if _keeps_precedence(facts, left):
        return left
    before = {
        id_: {other for other in ids if other != id_ and precedes(facts, other, id_)} for id_ in ids
    }
    ordered: list[str] = []
    while left:
        listed = set(ordered)
        ready = next((id_ for id_ in left if before[id_] <= listed), left[0])
        ordered.append(ready)
        left.remove(ready)
    return ordered


def _keeps_precedence(facts: Facts, ids: Sequence[str]) -> bool:
    """Whether no claim precedes one listed before it; one pass, where all pairs would be many.

    The tightest ends of what comes later in the list stand for every claim there.
    """
    days: list[dt.date] = []
    instants: list[dt.datetime] = []
    later: set[str] = set()
    for place in range(len(ids) - 1, -1, -1):
        here = bounds(facts, ids[place])
        if Bounds(highs=frozenset((*days, *instants))).precedes(here):
            return False
        if not later.isdisjoint(_referred_to(facts, ids[place])):
            return False
        later.add(ids[place])
        for end in here.highs:
            if isinstance(end, dt.datetime):
                instants = [min([end, *instants])]
            else:
                days = [min([end, *days])]
    return True


def at_front(facts: Facts, order: Sequence[str]) -> list[str]:
    """Of claims in order those that none of the later ones surely came after.

    A claim that shares its utterance with none, and that no reference leads to or from, is told by
    its dates alone: the latest starts of all behind it stand for every pair.
    """
    front: list[str] = []
    starts: dict[bool, Bound] = {}  # the latest day, the latest instant
    for place in range(len(order) - 1, -1, -1):
        id_ = order[place]
        here = bounds(facts, id_)
        if len(mates(facts, id_)) > 1 or _is_referred(facts, id_):
            over = any(precedes(facts, id_, later) for later in reversed(order[place + 1 :]))
        else:
            over = here.precedes(Bounds(lows=frozenset(starts.values())))
        if not over:
            front.append(id_)
        for low in here.lows:
            kind = isinstance(low, dt.datetime)
            starts[kind] = max(low, starts.get(kind, low))
    return front[::-1]


def _is_referred(facts: Facts, id_: str) -> bool:
    return any(refers_back_to(facts, id_)) or any(referrers(facts, id_))


def _referred_to(facts: Facts, id_: str) -> set[str]:
    """The acts that an act refers back to, with all reports of their occasions."""
    return {mate for target in refers_back_to(facts, id_) for mate in mates(facts, target)}


def runs_of(
    facts: Facts, order: Sequence[str], stances: Mapping[str, str], withdrawn: Collection[str]
) -> tuple[tuple[Run, ...], tuple[Turn, ...]]:
    """The runs of claims in order, and the turns between them."""
    groups: list[list[str]] = []
    for id_ in order:
        if groups and stances[groups[-1][0]] == stances[id_]:
            groups[-1].append(id_)
        else:
            groups.append([id_])
    runs = tuple(_run(facts, group, stances[group[0]], withdrawn) for group in groups)
    turns = tuple(_turn(facts, before, after) for before, after in itertools.pairwise(runs))
    return runs, turns


def ends_of(facts: Facts, ids: Sequence[str]) -> tuple[Bounds, Bounds]:
    """When the first and the last of some claims were said, in the order of their list.

    What refers back to another is not the first, what is referred back to not the last, whatever
    the dates say.
    """
    said = {id_: bounds(facts, id_) for id_ in ids}
    if len(ids) == 1:
        return said[ids[0]], said[ids[0]]
    back = {id_: (_referred_to(facts, id_) & said.keys()) - {id_} for id_ in ids}
    referred = set().union(*back.values())
    first = [said[id_] for id_ in ids if not back[id_]]
    last = [said[id_] for id_ in ids if id_ not in referred]
    every = [*said.values()]
    return first_of(every, first), last_of(every, last)


def _run(facts: Facts, group: Sequence[str], stance: str, withdrawn: Collection[str]) -> Run:
    shifts = []
    for former, id_ in itertools.pairwise(group):
        before, after = facts.get(former, ev.ClaimRecorded), facts.get(id_, ev.ClaimRecorded)
        if before is None or after is None or same_occasion(facts, former, id_):
            continue  # reports of one utterance differ in their words; nobody moved
        if told := shift(before, after, facts.public(id_)):
            shifts.append(told)
    first, last = ends_of(facts, group)
    return Run(
        stance=stance,
        claims=tuple(map(facts.public, group)),
        first=first,
        last=last,
        shifts=tuple(shifts),
        withdrawn=tuple(facts.public(id_) for id_ in group if id_ in withdrawn),
        ledger_ids=tuple(group),
    )


def shift(before: Worded, after: Worded, shown: str) -> str:
    """A change of act or factuality between two claims in a row, in words; empty if there is none.

    `shown` is what the host calls the later one.
    """
    was, now = (before.act, before.factuality), (after.act, after.factuality)
    return "" if was == now else f"{', '.join(was)} to {', '.join(now)} ({shown})"


def _turn(facts: Facts, before: Run, after: Run) -> Turn:
    last, first = before.ledger_ids[-1], after.ledger_ids[-1]
    known = precedes(facts, last, first) or precedes(facts, first, last)
    return turn(before, after, order_unknown=not known)


def turn(before: Run, after: Run, *, order_unknown: bool = False) -> Turn:
    """What two runs that follow each other make."""
    return Turn(
        kind="reversal" if {before.stance, after.stance} == {"supports", "opposes"} else "shift",
        before=before.stance,
        after=after.stance,
        last_before=before.claims[-1],
        first_after=after.claims[0],
        order_unknown=order_unknown,
    )
