"""Columns: the positions of everybody on everything in one prefix, held as whole numbers.

Made once for a basis, they answer every day of saying from memory. Which steps a position takes is
told in `ledger.projections.steps`; here they are laid out, a cell's behind one another, the cells
by party and proposition.

```
cells   party  proposition  start        steps   day  state
          0         0         0   ------>          d1   held supports
          0         3         2   --.              d2   conflicted
                                    `--->          d1   possible
```
"""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import importlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from ledger.errors import InvalidView
from ledger.folding import Folded
from ledger.model import events as ev
from ledger.model.fields import check_told
from ledger.model.moment import Knob
from ledger.model.text import show
from ledger.narrowing.acts import narrowed
from ledger.narrowing.telling import Telling
from ledger.projections.effective import Facts
from ledger.projections.steps import SILENT, STATES, Steps, steps_on
from ledger.store.collector import collector_paused

Progress = Callable[[int, int], None]


@attrs.frozen(kw_only=True)
class Cell:
    """Where a party stands on a proposition, in two words; a row of a sheet."""

    party: str
    proposition: str
    status: str
    stance: str | None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Sheet:
    """The cells of a day that are not silent, as columns of one length.

    `party` and `proposition` are places in `parties` and `propositions`, `state` is one in
    `STATES`; iterating gives the rows, by party and proposition.
    """

    parties: tuple[str, ...]
    propositions: tuple[str, ...]
    party: Any
    proposition: Any
    state: Any
    said: Knob
    basis: int

    def __repr__(self) -> str:
        """How much it is: its columns may be a million long."""
        return f"<{len(self):,} cells said by {self.said}, of {self.basis:,} events>"

    def __len__(self) -> int:
        return len(self.state)

    def __iter__(self) -> Iterator[Cell]:
        for party, proposition, state in zip(self.party, self.proposition, self.state, strict=True):
            status, stance = STATES[state]
            yield Cell(
                party=self.parties[party],
                proposition=self.propositions[proposition],
                status=status,
                stance=stance,
            )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Columns:
    """The positions of a prefix over all days; made by `View.columns`.

    Parties and propositions are named by their hosts' ids; those of one that was merged lead to
    what it is shown as.
    """

    parties: tuple[str, ...]
    propositions: tuple[str, ...]
    basis: int
    _shown: Mapping[tuple[str, str], str]
    _party: Any
    _proposition: Any
    _start: Any
    _day: Any
    _state: Any

    def __repr__(self) -> str:
        """How much it is: its columns may be a million long."""
        of = f"{len(self.parties):,} parties on {len(self.propositions):,} propositions"
        return f"<columns of {of}, of {self.basis:,} events>"

    @property
    def nbytes(self) -> int:
        """How many bytes are held, without the ids."""
        held = (self._party, self._proposition, self._start, self._day, self._state)
        return sum(memoryview(one).nbytes for one in held)

    def at(self, said: str | dt.date | Knob, *, party: str | None = None) -> Sheet:
        """Where everybody stood on everything on a day, or one party.

        Raises:
            InvalidView: the date is no plain day, or the party is none of this prefix.
        """
        knob, day = _plain_day(said)
        low, high = 0, len(self._party)
        if party is not None:
            low, high = self._of(self._place("party", self.parties, party))
        numbers = numpy() if high - low >= _FEW else None
        if numbers is None:
            columns = self._few(day, low, high)
        else:
            columns = self._many(numbers, day, low, high)
        return Sheet(
            parties=self.parties,
            propositions=self.propositions,
            party=columns[0],
            proposition=columns[1],
            state=columns[2],
            said=knob,
            basis=self.basis,
        )

    def cell(self, party: str, proposition: str, said: str | dt.date | Knob) -> Cell:
        """Where one party stood on one proposition on a day.

        Raises:
            InvalidView: the date is no plain day, or one of them is none of this prefix.
        """
        _, day = _plain_day(said)
        who = self._place("party", self.parties, party)
        what = self._place("proposition", self.propositions, proposition)
        low, high = self._of(who)
        cell = bisect.bisect_left(self._proposition, what, low, high)
        state = SILENT
        if cell < high and self._proposition[cell] == what:
            start = self._start[cell]
            step = bisect.bisect_right(self._day, day, start, self._start[cell + 1])
            state = self._state[step - 1] if step > start else SILENT
        status, stance = STATES[state]
        return Cell(
            party=self.parties[who],
            proposition=self.propositions[what],
            status=status,
            stance=stance,
        )

    def _of(self, party: int) -> tuple[int, int]:
        """The cells of a party, from the first to behind the last."""
        low = bisect.bisect_left(self._party, party)
        return low, bisect.bisect_right(self._party, party, low)

    def _place(self, kind: str, ids: Sequence[str], given: str) -> int:
        if isinstance(given, str):
            shown = self._shown.get((kind, given), given)
            place = bisect.bisect_left(ids, shown)
            if place < len(ids) and ids[place] == shown:
                return place
        raise InvalidView(f"No {kind} {show(given)} is in these columns.", field=kind, given=given)

    def _few(self, day: int, low: int, high: int) -> tuple[Any, Any, Any]:
        start, days, states = self._start, self._day, self._state
        after = bisect.bisect_right
        rows = [
            (cell, states[at])
            for cell in range(low, high)
            if (at := after(days, day, start[cell], start[cell + 1]) - 1) >= start[cell]
            and states[at] != SILENT
        ]
        party, proposition = self._party, self._proposition
        return (
            [party[cell] for cell, _ in rows],
            [proposition[cell] for cell, _ in rows],
            [state for _, state in rows],
        )

    def _many(self, np: Any, day: int, low: int, high: int) -> tuple[Any, Any, Any]:
        start = np.frombuffer(self._start, dtype="i8")[low : high + 1]
        first, stop = int(start[0]), int(start[-1])
        days = np.frombuffer(self._day, dtype="i4")[first:stop]
        reached = (days <= day).view("i1")
        many = np.add.reduceat(reached, start[:-1] - first, dtype="i4")
        last = start[:-1] + many - 1
        states = np.frombuffer(self._state, dtype="i1")[last]
        kept = np.flatnonzero((many > 0) & (states != SILENT))
        return (
            np.frombuffer(self._party, dtype="i4")[low:high][kept],
            np.frombuffer(self._proposition, dtype="i4")[low:high][kept],
            states[kept],
        )


def _plain_day(said: str | dt.date | Knob) -> tuple[Knob, int]:
    """A day as a knob and as a number."""
    knob = said if isinstance(said, Knob) else Knob.parse(said)
    if knob.day is None or knob.zone != dt.UTC:
        raise InvalidView(
            f"Columns are by plain days, such as said='2023-02-22', not {knob}. For an "
            "instant, or another zone's day, ask view.positions(...).",
            field="said",
            given=str(said),
        )
    return knob, knob.day.toordinal()


_FEW: Final = 50


@functools.cache
def numpy() -> Any:
    """The extra that makes it some twenty times as fast, None where it is not installed."""
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


def columns_of(folded: Folded, basis: int, progress: Progress | None = None) -> Columns:
    """The columns of a prefix; `progress` is told how many propositions are done, of how many."""
    check_told(progress, "progress")
    with narrowed(folded, basis) as found:
        if found is not None:
            frame, each = found.frame, Telling.of(found).each()
            return _laid_out(frame, basis, each, len(_propositions(frame)), progress)
    with folded.facts_at(basis) as facts:
        shown = _propositions(facts)
        whole = ((one, steps_on(facts, one)) for one in shown)
        return _laid_out(facts, basis, whole, len(shown), progress)


def _propositions(facts: Facts) -> list[str]:
    return [id_ for id_, _ in facts.of_type(ev.PropositionDefined) if facts.canonical(id_) == id_]


def _laid_out(
    facts: Facts,
    basis: int,
    each: Iterable[tuple[str, dict[str, Steps]]],
    many: int,
    progress: Progress | None,
) -> Columns:
    told: list[tuple[str, str, bytes, bytes]] = []
    with collector_paused():
        for done, (proposition, cells) in enumerate(each, 1):
            key = facts.public(proposition)
            told += [
                (
                    facts.public(party),
                    key,
                    array("i", [day for day, _ in steps]).tobytes(),
                    bytes(state for _, state in steps),
                )
                for party, steps in cells.items()
                if steps
            ]
            if progress is not None:
                progress(done, many)
        told.sort()
    parties = _ids(facts, ev.PartyRegistered, (one[0] for one in told))
    propositions = _ids(facts, ev.PropositionDefined, (one[1] for one in told))
    place = {key: at for at, key in enumerate(parties)}
    on = {key: at for at, key in enumerate(propositions)}
    start, at = array("q", [0]), 0
    for *_, states in told:
        at += len(states)
        start.append(at)
    return Columns(
        parties=parties,
        propositions=propositions,
        basis=basis,
        shown=_merged(facts),
        party=array("i", [place[one[0]] for one in told]),
        proposition=array("i", [on[one[1]] for one in told]),
        start=start,
        day=array("i", b"".join(one[2] for one in told)),
        state=array("b", b"".join(one[3] for one in told)),
    )


def _ids(facts: Facts, cls: type[Any], told: Iterable[str]) -> tuple[str, ...]:
    """The ids of what is shown of a type, and of what was told of, in order."""
    shown = (id_ for id_, _ in facts.of_type(cls) if facts.canonical(id_) == id_)
    return tuple(sorted({*map(facts.public, shown), *told}))


def _merged(facts: Facts) -> dict[tuple[str, str], str]:
    """By kind and id, what those that were merged are shown as."""
    kinds: Mapping[str, type[Any]] = {
        "party": ev.PartyRegistered,
        "proposition": ev.PropositionDefined,
    }
    return {
        (kind, facts.public(id_)): facts.public(facts.canonical(id_))
        for kind, cls in kinds.items()
        for id_, _ in facts.of_type(cls)
        if facts.canonical(id_) != id_
    }
