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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
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
NEVER: Final = dt.date.max.toordinal() + 1
_EVER: Final = dt.date.min.toordinal()
_AHEAD: Final = dt.timedelta(hours=14)

Steps = list[tuple[int, int]]
"""Days, as ordinals, and the state from each on; before the first all is silent."""


class Days(NamedTuple):
    """An act's days: possibly said (begun, at the earliest), surely said, over for those after."""

    maybe: int
    sure: int
    over: int
    plain: bool


class Told(NamedTuple):
    """A claim in a cell: its days, its stance, whether it surely reaches, when it is taken back.

    `straight` says that what precedes it follows from days alone, unless another claim in the cell
    is of its `utterance`.
    """

    id: str
    sequence: int
    days: Days
    stance: str
    certain: bool
    taken: int
    straight: bool
    utterance: str | None


Intricate = Callable[[str, Sequence[Told]], Steps]
"""The steps of a party, where order does not follow from days, given what was told."""


def steps_on(facts: Facts, proposition: str) -> dict[str, Steps]:
    """The steps of every party that claims on a proposition reach; both by shown ids."""
    cells: dict[str, list[Told]] = {}
    for party, one in told_on(facts, facts.claims_on(proposition)):
        cells.setdefault(party, []).append(one)
    return steps_of(cells, lambda party, told: asked(facts, party, proposition, told))


def told_on(facts: Facts, claims: Iterable[str]) -> Iterator[tuple[str, Told]]:
    """What some claims tell, by their ids, with each party that they reach."""
    for id_ in claims:
        claim = facts.get(id_, ev.ClaimRecorded)
        if claim is None:
            continue
        days, stance = days_of(bounds(facts, id_)), facts.stance(claim)
        straight = days.plain and not any(refers_back_to(facts, id_))
        sequence, utterance = facts.stored[id_].sequence, claim.utterance
        for party, path in reach(facts, id_).items():
            taken = _taken(facts, id_, party)
            yield (
                party,
                Told(id_, sequence, days, stance, path.certain, taken, straight, utterance),
            )


def steps_of(cells: Mapping[str, Sequence[Told]], intricate: Intricate) -> dict[str, Steps]:
    """The steps of each party, given what was told of it on one proposition."""
    return {
        party: _steps(told) if _follows_from_days(told) else intricate(party, told)
        for party, told in cells.items()
    }


def _follows_from_days(told: Sequence[Told]) -> bool:
    if not all(one.straight for one in told):
        return False
    occasions = [one.utterance for one in told if one.utterance is not None]
    return len(occasions) == len({*occasions})


def days_of(of: Bounds) -> Days:
    """The days of an act that lies in these bounds."""
    maybe, sure, over, plain = _EVER, NEVER, NEVER, True
    for high in of.highs:
        if isinstance(high, dt.datetime):
            instant = high.astimezone(dt.UTC)
            sure = min(sure, instant.toordinal())
            over = min(over, _easternmost(instant))
        else:
            day = high.toordinal()
            sure, over = min(sure, day), min(over, day)
    for low in of.lows:
        if isinstance(low, dt.datetime):
            maybe, plain = max(maybe, low.astimezone(dt.UTC).toordinal()), False
        else:
            maybe = max(maybe, low.toordinal())
    return Days(maybe, sure, over, plain=plain and over >= maybe)


def _easternmost(instant: dt.datetime) -> int:
    """The last day that an instant is on, anywhere on Earth; none where it ends the calendar."""
    try:
        return (instant + _AHEAD).toordinal()
    except OverflowError:
        return _EVER - 1


def _taken(facts: Facts, id_: str, party: str) -> int:
    """The day from which a claim is surely taken back for a party."""
    found = NEVER
    for twin in twins(facts, id_):
        for withdrawal in facts.indexed("withdrawals_of", twin):
            path = reach(facts, withdrawal).get(party)
            if path is not None and path.certain:
                found = min(found, days_of(bounds(facts, withdrawal)).sure)
    return found


def asked(facts: Facts, party: str, proposition: str, told: Iterable[Told]) -> Steps:
    """The steps as the position itself tells them, day after day."""
    days = {day for one in told for day in (one.days.maybe, one.days.sure, one.taken)}
    found = []
    for day in sorted(days - {NEVER}):
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


def _steps(told: Sequence[Told]) -> Steps:
    """The steps where days alone decide what precedes what: what is over before another begins."""
    changes: list[tuple[int, int, int]] = []
    for at, one in enumerate(told):
        days = one.days
        said = min(days.maybe, days.sure)
        changes.append((said, _SAID, at))
        if one.stance != "undeclared" and one.certain:
            changes.append((days.sure, _SURE, at))
            if one.taken < NEVER:
                changes.append((max(one.taken, days.sure), _TAKEN, at))
    changes.sort()
    cell = _Cell(told)
    found: Steps = []
    for day, group in itertools.groupby(changes, key=itemgetter(0)):
        for _, what, at in group:
            cell.change(what, at)
        if day < NEVER:
            found.append((day, cell.state()))
    return _shortened(found)


_SAID: Final = 0
_SURE: Final = 1
_TAKEN: Final = 2


class _Cell:
    """The frontier of a cell, and what else was said, on the day that is gone through."""

    def __init__(self, told: Sequence[Told]) -> None:
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
            self._begun = max(self._begun, one.days.maybe)
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
