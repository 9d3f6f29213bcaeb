"""A position over days: from which day on it has which status and stance, as steps.

For a plain day as `said`, an act is possibly said from one day on and surely from another, and
taken back from a third; between such days nothing changes. Here the claims on a proposition are
told over to every party that they reach, and each cell's days are gone through once (model.md, 5,
step 6).

```
silent --possible--|--held: supports----------|--conflicted--|--withdrawn------------>
```

Where order does not follow from days alone (an act refers back to another, an utterance has several
reports, an instant bounds an act from below), the position itself is asked on each of the days.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Bound, Knob
from ledger.projections.effective import Facts
from ledger.projections.positions import twins, weigh
from ledger.projections.rollup import reach
from ledger.projections.saying import bounds, refers_back_to

SILENT: Final = 0
STATES: Final[Sequence[tuple[str, str | None]]] = (
    ("silent", None),
    ("held", "supports"),
    ("held", "opposes"),
    ("held", "neutral"),
    ("held", "mixed"),
    ("conflicted", None),
    ("withdrawn", None),
    ("possible", None),
    ("undeclared", None),
)
"""Status and stance of each number of a state."""

_NUMBER: Final = {state: number for number, state in enumerate(STATES)}
_CONFLICTED: Final = _NUMBER["conflicted", None]
_WITHDRAWN: Final = _NUMBER["withdrawn", None]
_POSSIBLE: Final = _NUMBER["possible", None]
_UNDECLARED: Final = _NUMBER["undeclared", None]
_NEVER: Final = dt.date.max.toordinal() + 1
_EVER: Final = dt.date.min.toordinal()
_EASTERNMOST: Final = dt.timedelta(hours=14)

Steps = list[tuple[int, int]]
"""Days, as ordinals, and the state from each on; before the first all is silent."""


@attrs.frozen
class _Days:
    """An act's days: possibly said, surely said, over for those after, begun at the earliest."""

    maybe: int
    sure: int
    over: int
    begun: int
    plain: bool


@attrs.frozen
class _Told:
    """A claim in a cell: its days, its stance, whether it surely reaches, when it is taken back."""

    id: str
    days: _Days
    stance: str
    certain: bool
    taken: int


def steps_on(facts: Facts, proposition: str) -> dict[str, Steps]:
    """The steps of every party that claims on a proposition reach; both by shown ids."""
    cells: dict[str, list[_Told]] = {}
    intricate: set[str] = set()
    occasions: Counter[tuple[str, str]] = Counter()
    for id_ in facts.claims_on(proposition):
        claim = facts.get(id_, ev.ClaimRecorded)
        if claim is None:
            continue
        days, stance = _days(bounds(facts, id_)), facts.stance(claim)
        straight = days.plain and not any(refers_back_to(facts, id_))
        for party, path in reach(facts, id_).items():
            taken = _taken(facts, id_, party)
            cells.setdefault(party, []).append(_Told(id_, days, stance, path.certain, taken))
            if not straight:
                intricate.add(party)
            if claim.utterance is not None:
                occasions[party, claim.utterance] += 1
    intricate.update(party for (party, _), many in occasions.items() if many > 1)
    return {
        party: _asked(facts, party, proposition, told) if party in intricate else _steps(told)
        for party, told in cells.items()
    }


def _days(of: Bounds) -> _Days:
    try:
        over = min((_day_of(high, _EASTERNMOST) for high in of.highs), default=_NEVER)
    except OverflowError:
        over = _EVER - 1
    begun = max((_day_of(low) for low in of.lows), default=_EVER)
    return _Days(
        maybe=begun,
        sure=min((_day_of(high) for high in of.highs), default=_NEVER),
        over=over,
        begun=begun,
        plain=over >= begun and not any(isinstance(low, dt.datetime) for low in of.lows),
    )


def _day_of(bound: Bound, ahead: dt.timedelta = dt.timedelta()) -> int:
    if isinstance(bound, dt.datetime):
        return (bound.astimezone(dt.UTC) + ahead).toordinal()
    return bound.toordinal()


def _taken(facts: Facts, id_: str, party: str) -> int:
    """The day from which a claim is surely taken back for a party."""
    found = _NEVER
    for twin in twins(facts, id_):
        for withdrawal in facts.indexed("withdrawals_of", twin):
            path = reach(facts, withdrawal).get(party)
            if path is not None and path.certain:
                found = min(found, _days(bounds(facts, withdrawal)).sure)
    return found


def _asked(facts: Facts, party: str, proposition: str, told: Iterable[_Told]) -> Steps:
    """The steps as the position itself tells them, day after day."""
    days = {day for one in told for day in (one.days.maybe, one.days.sure, one.taken)}
    found = []
    for day in sorted(days - {_NEVER}):
        said = Knob(at=dt.date.fromordinal(day))
        one = weigh(facts, party, proposition, said)
        found.append((day, _NUMBER[one.status, one.stance]))
    return _shortened(found)


def _shortened(steps: Iterable[tuple[int, int]]) -> Steps:
    found: Steps = []
    before = SILENT
    for day, state in steps:
        if state != before:
            found.append((day, state))
            before = state
    return found


def _steps(told: Sequence[_Told]) -> Steps:
    """The steps where days alone decide what precedes what: what is over before another begins."""
    changes: list[tuple[int, int, int]] = []
    for at, one in enumerate(told):
        days = one.days
        said = min(days.maybe, days.sure)
        changes.append((said, _SAID, at))
        if one.stance != "undeclared" and one.certain:
            changes.append((days.sure, _SURE, at))
            if one.taken < _NEVER:
                changes.append((max(one.taken, days.sure), _TAKEN, at))
    changes.sort()
    cell = _Cell(told)
    found: Steps = []
    for day, group in itertools.groupby(changes, key=itemgetter(0)):
        for _, what, at in group:
            cell.change(what, at)
        if day < _NEVER:
            found.append((day, cell.state()))
    return _shortened(found)


_SAID: Final = 0
_SURE: Final = 1
_TAKEN: Final = 2


class _Cell:
    """The frontier of a cell, and what else was said, on the day that is gone through."""

    def __init__(self, told: Sequence[_Told]) -> None:
        self._told = told
        self._aside = self._possible = 0
        self._frontier: list[tuple[int, int]] = []
        self._in: set[int] = set()
        self._back: set[int] = set()
        self._standing: Counter[str] = Counter()
        self._begun = _EVER - 1

    def change(self, what: int, at: int) -> None:
        one = self._told[at]
        if what == _SAID:
            if one.stance == "undeclared":
                self._aside += 1
            else:
                self._possible += 1
        elif what == _SURE:
            self._possible -= 1
            heapq.heappush(self._frontier, (one.days.over, at))
            self._in.add(at)
            self._standing[one.stance] += 1
            self._begun = max(self._begun, one.days.begun)
            while self._frontier and self._frontier[0][0] < self._begun:
                self._leave(heapq.heappop(self._frontier)[1])
        elif at in self._in:
            self._back.add(at)
            self._less(one.stance)

    def _leave(self, at: int) -> None:
        self._in.discard(at)
        if at not in self._back:
            self._less(self._told[at].stance)

    def _less(self, stance: str) -> None:
        self._standing[stance] -= 1
        if not self._standing[stance]:
            del self._standing[stance]

    def state(self) -> int:
        if self._in:
            stances = [*self._standing]
            if len(stances) == 1:
                return _NUMBER["held", stances[0]]
            return _CONFLICTED if stances else _WITHDRAWN
        if self._possible:
            return _POSSIBLE
        return _UNDECLARED if self._aside else SILENT


__all__ = ["SILENT", "STATES", "Steps", "steps_on"]
