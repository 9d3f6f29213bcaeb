"""Days and instants on one axis: the cut that a question makes, and the one rule of comparing.

Here live `Knob` and the comparisons; `Edtf`, `Bound` and `Span` come from next door. When an act
of saying can have happened lives in `ledger.model.bounds`.

A plain day lasts, somewhere on Earth, for fifty hours. Seen from an instant in them it is
possibly reached, and not surely:

```
   00:00 at UTC+14        00:00 UTC          24:00 UTC        24:00 at UTC-12
 --------|--------------------|------------------|-------------------|-------->
  not yet|                possibly reached                           |surely reached
```
"""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import attrs

from ledger.errors import InvalidDate, InvalidView
from ledger.model.dates import HOW_TO_WRITE, LEAVE_OUT
from ledger.model.edtf import Bound, Edtf, Span
from ledger.model.text import show

__all__ = [
    "Bound",
    "Edtf",
    "Knob",
    "Span",
    "earliest_reading",
    "latest_reading",
    "maybe_reached",
    "surely_before",
    "surely_reached",
    "write_bound",
]

_FIRST_INSTANT: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST_INSTANT: Final = dt.datetime.max.replace(tzinfo=dt.UTC)
_EASTERNMOST: Final = dt.timedelta(hours=14)
_WESTERNMOST: Final = dt.timedelta(hours=-12)
_DAY: Final = dt.timedelta(days=1)
_TICK: Final = dt.datetime.resolution


@attrs.frozen(kw_only=True)
class Knob:
    """One date of a view: an instant, or the end of a day in a zone; made by `Knob.parse`.

    Example:
        >>> knob = Knob.parse("2023-01-18")
        >>> print(knob, knob.end())
        2023-01-18 2023-01-18 23:59:59.999999+00:00
    """

    at: Bound
    zone: dt.tzinfo = dt.UTC
    _start: dt.datetime = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _first_of(self.at, self.zone), takes_self=True),
    )
    _end: dt.datetime = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: _last_of(self.at, self.zone), takes_self=True),
    )

    @classmethod
    def parse(
        cls,
        value: str | dt.date | dt.datetime,
        *,
        zone: dt.tzinfo | None = None,
        name: str = "said",
    ) -> Knob:
        """Read a day or an instant; `zone` says whose day it is, UTC if left out.

        Raises:
            InvalidView: if it is anything else, or an instant without a zone.

        Example:
            >>> Knob.parse("2023-01", name="known")
            Traceback (most recent call last):
            ledger.errors.InvalidView: known='2023-01' is more than one day. Give a day, as ...
        """
        try:
            date = Edtf.parse(value, field=name)
        except InvalidDate as error:
            told = error.message.replace(HOW_TO_WRITE, _how_to_cut(name)).removesuffix(
                f" {LEAVE_OUT}"
            )
            message = told if told.startswith(name) else f"{name}: {told}"
            raise InvalidView(message, field=name, given=value) from error
        at = date.latest
        if at is None or date.kind != "date" or date.earliest != at:
            raise InvalidView(
                f"{name}={date.text!r} is more than one day. {_how_to_cut(name)}",
                field=name,
                given=value,
            )
        if date.uncertain or date.approximate:
            raise InvalidView(
                f"{name}={date.text!r} is marked as doubtful, which a cut cannot be. "
                f"Give {write_bound(at)}.",
                field=name,
                given=value,
            )
        return cls(at=at, zone=dt.UTC if zone is None else check_zone(zone))

    @property
    def day(self) -> dt.date | None:
        """The day, None if the cut is an instant."""
        return None if isinstance(self.at, dt.datetime) else self.at

    @property
    def instant(self) -> dt.datetime | None:
        """The instant in UTC, None if the cut is a day."""
        return self.at if isinstance(self.at, dt.datetime) else None

    def starts(self) -> dt.datetime:
        """The first instant covered, in UTC: 00:00 of the day in the zone, or the instant."""
        return self._start

    def end(self) -> dt.datetime:
        """The last instant covered, in UTC, to the microsecond: what is at it is in."""
        return self._end

    def __str__(self) -> str:
        if isinstance(self.at, dt.datetime) or self.zone == dt.UTC:
            return write_bound(self.at)
        return f"{write_bound(self.at)} ({self.zone})"


def check_zone(zone: dt.tzinfo) -> dt.tzinfo:
    """Refuse what is no time zone, such as the name of one.

    Raises:
        InvalidView: it is none.
    """
    if not isinstance(zone, dt.tzinfo):
        raise InvalidView(
            f"zone={show(zone)} is no time zone. Give one of Python's: "
            "zone=zoneinfo.ZoneInfo('Asia/Tokyo').",
            field="zone",
            given=zone,
        )
    return zone


def _how_to_cut(name: str) -> str:
    number = ", or the number of an event, as known=41" if name == "known" else ""
    return f"Give a day, as 2023-01-18, or an instant, as 2023-01-18T12:00:00Z{number}."


def write_bound(bound: Bound) -> str:
    """A bound as text that `Edtf.parse` reads; instants in UTC.

    Example:
        >>> write_bound(dt.datetime(2024, 3, 4, 12, tzinfo=dt.UTC))
        '2024-03-04T12:00:00Z'
    """
    if isinstance(bound, dt.datetime):
        return bound.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return bound.isoformat()


def earliest_reading(bound: Bound) -> dt.datetime:
    """The first instant that a bound can mean: of a day, 00:00 at UTC+14.

    Example:
        >>> print(earliest_reading(dt.date(2024, 3, 4)))
        2024-03-03 10:00:00+00:00
    """
    if isinstance(bound, dt.datetime):
        return bound
    return _shifted(_midnight(bound), -_EASTERNMOST)


def latest_reading(bound: Bound) -> dt.datetime:
    """The instant by which a bound is surely over: of a day, 24:00 at UTC-12.

    Example:
        >>> print(latest_reading(dt.date(2024, 3, 4)))
        2024-03-05 12:00:00+00:00
    """
    if isinstance(bound, dt.datetime):
        return bound
    return _shifted(_midnight(bound), _DAY - _WESTERNMOST)


def surely_before(a: Bound, b: Bound) -> bool:
    """Whether a is before b in every reading; days as dates, instants as instants.

    Example:
        >>> day, noon = dt.date(2024, 3, 4), dt.datetime(2024, 3, 5, 12, tzinfo=dt.UTC)
        >>> surely_before(day, noon), surely_before(dt.date(2024, 3, 5), noon)
        (True, False)
    """
    if isinstance(a, dt.datetime):
        return a < (b if isinstance(b, dt.datetime) else earliest_reading(b))
    return latest_reading(a) <= b if isinstance(b, dt.datetime) else a < b


def surely_reached(bound: Bound, knob: Knob) -> bool:
    """Whether the bound is at or before the knob in every reading.

    Example:
        >>> surely_reached(dt.date(2024, 3, 4), Knob.parse("2024-03-05T11:59:59Z"))
        False
        >>> surely_reached(dt.date(2024, 3, 4), Knob.parse("2024-03-04"))
        True
    """
    if isinstance(bound, dt.datetime):
        return bound <= knob.end()
    if isinstance(knob.at, dt.datetime):
        return latest_reading(bound) <= knob.at
    return bound <= knob.at


def maybe_reached(bound: Bound, knob: Knob) -> bool:
    """Whether the bound is at or before the knob in some reading.

    Example:
        >>> maybe_reached(dt.date(2024, 3, 4), Knob.parse("2024-03-03T10:00:00Z"))
        True
    """
    if isinstance(bound, dt.datetime):
        return bound <= knob.end()
    if isinstance(knob.at, dt.datetime):
        return earliest_reading(bound) <= knob.at
    return bound <= knob.at


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def _shifted(instant: dt.datetime, by: dt.timedelta) -> dt.datetime:
    try:
        return instant + by
    except OverflowError:
        return _LAST_INSTANT if by > dt.timedelta() else _FIRST_INSTANT


def _in_utc(day: dt.date, zone: dt.tzinfo, fold: Literal[0, 1]) -> dt.datetime:
    local = dt.datetime.combine(day, dt.time(fold=fold), tzinfo=zone)
    return _shifted(_midnight(day), -(local.utcoffset() or dt.timedelta()))


def _first_of(at: Bound, zone: dt.tzinfo) -> dt.datetime:
    return at if isinstance(at, dt.datetime) else _in_utc(at, zone, 0)


def _last_of(at: Bound, zone: dt.tzinfo) -> dt.datetime:
    if isinstance(at, dt.datetime):
        return at
    if at == dt.date.max:
        return _LAST_INSTANT
    # Where clocks are set at midnight the next day begins twice or not at all: the later reading
    # of its midnight is where this day is over.
    return max(_in_utc(at + _DAY, zone, fold) for fold in (0, 1)) - _TICK
