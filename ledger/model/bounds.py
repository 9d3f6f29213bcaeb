"""When an act of saying can have happened: at or after its lows, at or before its highs.

Here lives `Bounds`, and what it answers for a cut on the axis of saying. What the bounds of a
claim are made of (its own date, its document's, the entry's, another claim's) is known to
`ledger.projections`.

```
   lows                                             highs
   uttered.earliest      |- - - - - - - - - -|      uttered.latest, published.latest, recorded
 ------------------------|-------------------|------------------>
      not yet            |     possible      |     certain
```

Sets, because a day and an instant in it have no order; each end counts, the tightest decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final, Literal, Self

import attrs

from ledger.model.moment import (
    Bound,
    Edtf,
    Knob,
    earliest_reading,
    latest_reading,
    maybe_reached,
    surely_before,
    surely_reached,
    write_bound,
)

SortKey = tuple[bool, dt.datetime, dt.datetime]
_NONE: Final[frozenset[Bound]] = frozenset()
_NO_INSTANT: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_BEHIND: Final = dt.timedelta(hours=-12)
_AHEAD: Final = dt.timedelta(hours=14)
_ZERO: Final = dt.timedelta()


@attrs.frozen(kw_only=True)
class Bounds:
    """The ends between which one act of saying lies; every end holds, and counts itself.

    Example:
        >>> bounds = Bounds.of(Edtf.parse("[2022-12-12..2023-02-22]"))
        >>> print(bounds, bounds.said_by(Knob.parse("2023-01-18")))
        2022-12-12..2023-02-22 possible
    """

    lows: frozenset[Bound] = _NONE
    highs: frozenset[Bound] = _NONE

    @classmethod
    def of(cls, edtf: Edtf | None, *highs: Bound | None) -> Self:
        """The bounds of a date and further upper bounds; no date is an open start.

        Example:
            >>> print(Bounds.of(None, dt.date(2023, 2, 22), None))
            ..2023-02-22
        """
        low, high = (edtf.earliest, edtf.latest) if edtf else (None, None)
        return cls(
            lows=_NONE if low is None else frozenset({low}),
            highs=frozenset(end for end in (high, *highs) if end is not None),
        )

    def with_highs(self, highs: Iterable[Bound]) -> Bounds:
        """The same with further upper bounds: the earliest day of them and the earliest instant."""
        days, instants = list[dt.date](), list[dt.datetime]()
        for end in highs:
            if isinstance(end, dt.datetime):
                instants.append(end)
            else:
                days.append(end)
        tightest = {min(ends) for ends in (days, instants) if ends}
        return attrs.evolve(self, highs=self.highs.union(tightest))

    def meet(self, *others: Bounds) -> Bounds:
        """What lies in all; it may be empty."""
        return Bounds(
            lows=self.lows.union(*(one.lows for one in others)),
            highs=self.highs.union(*(one.highs for one in others)),
        )

    def empty(self) -> bool:
        """Whether nothing can lie between: some end is surely over before the start."""
        return self.precedes(self)

    def said_by(self, knob: Knob) -> Literal["certain", "possible", "not_yet"]:
        """Whether the act lies at or before the cut.

        Example:
            >>> Bounds.of(None, dt.date(2023, 1, 18)).said_by(Knob.parse("2023-01-17"))
            'possible'
        """
        # Every claim of every position is asked this: generators would take as long again.
        for high in self.highs:
            if surely_reached(high, knob):
                return "certain"
        for low in self.lows:
            if not maybe_reached(low, knob):
                return "not_yet"
        return "possible"

    def precedes(self, other: Bounds) -> bool:
        """Whether the act is over, in every reading, before the other can have begun."""
        return any(surely_before(high, low) for high in self.highs for low in other.lows)

    def first_day(self) -> dt.date | None:
        """The first day on which it can have happened, anywhere on Earth; None is open.

        Example:
            >>> noon = dt.datetime(2023, 1, 18, 11, 59, tzinfo=dt.UTC)
            >>> print(Bounds(lows=frozenset({noon})).first_day())
            2023-01-17
        """
        return max((_local_day(low, _BEHIND) for low in self.lows), default=None)

    def last_day(self) -> dt.date | None:
        """The last day on which it can have happened, anywhere on Earth; None is open."""
        return min((_local_day(high, _AHEAD) for high in self.highs), default=None)

    def sort_key(self) -> SortKey:
        """A key that lists by latest bound, then earliest: open starts first, open ends last.

        A day counts as its widest reading. The key orders lists and proves nothing: ask
        `precedes` for that.
        """
        low, high = self.earliest, self.latest
        return (
            high is None,
            _NO_INSTANT if high is None else latest_reading(high),
            _NO_INSTANT if low is None else earliest_reading(low),
        )

    @property
    def earliest(self) -> Bound | None:
        """The tightest lower bound, to be shown; None is open."""
        return _tightest(self.lows, self.highs, later=True)

    @property
    def latest(self) -> Bound | None:
        """The tightest upper bound, to be shown; None is open."""
        return _tightest(self.highs, self.lows, later=False)

    def __str__(self) -> str:
        low, high = self.earliest, self.latest
        if low is not None and low == high:
            return write_bound(low)
        return "..".join("" if end is None else write_bound(end) for end in (low, high))


def first_of(several: Sequence[Bounds], among: Sequence[Bounds] = ()) -> Bounds:
    """When the first of some acts was: not before the earliest, nor after the end of any of them.

    `among` are those that may be it, where not all may, in the order in which they are listed.

    Example:
        >>> year, day = Bounds.of(Edtf.parse("2022")), Bounds.of(Edtf.parse("2022-09-01"))
        >>> print(first_of([year, day]), last_of([year, day]))
        2022-01-01..2022-09-01 2022-09-01..2022-12-31
    """
    lows = [one.earliest for one in among or several]
    low = None if None in lows else min(filter(None, lows), key=earliest_reading)
    highs = filter(None, (one.latest for one in several))
    return _between(low, min(highs, key=latest_reading, default=None)) or (among or several)[0]


def last_of(several: Sequence[Bounds], among: Sequence[Bounds] = ()) -> Bounds:
    """When the last of some acts was; as `first_of`."""
    highs = [one.latest for one in among or several]
    high = None if None in highs else max(filter(None, highs), key=latest_reading)
    lows = filter(None, (one.earliest for one in several))
    return _between(max(lows, key=earliest_reading, default=None), high) or (among or several)[-1]


def _between(low: Bound | None, high: Bound | None) -> Bounds | None:
    """Bounds with these ends; None of a day and an instant that read as the wrong way round."""
    if low is not None and high is not None and _local_day(low, _ZERO) > _local_day(high, _ZERO):
        return None
    return Bounds(
        lows=_NONE if low is None else frozenset({low}),
        highs=_NONE if high is None else frozenset({high}),
    )


def _tightest(ends: frozenset[Bound], opposite: frozenset[Bound], *, later: bool) -> Bound | None:
    pick = max if later else min
    instant = pick((end for end in ends if isinstance(end, dt.datetime)), default=None)
    day = pick((end for end in ends if not isinstance(end, dt.datetime)), default=None)
    if instant is None or day is None:
        return instant or day
    if surely_before(day, instant):
        return instant if later else day
    if surely_before(instant, day):
        return day if later else instant
    # Neither is tighter. An instant at both ends is the date of the act; one at a single end is
    # when somebody recorded it, and must not show, nor order, before what the text says.
    return instant if instant in opposite else day


def _local_day(bound: Bound, offset: dt.timedelta) -> dt.date:
    if not isinstance(bound, dt.datetime):
        return bound
    try:
        return (bound.astimezone(dt.UTC) + offset).date()
    except OverflowError:
        return dt.date.max if offset > _ZERO else dt.date.min
