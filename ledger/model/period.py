"""Since when and until when a name or a membership holds: `Period`.

Here lives the noun and what it answers for a range of days. Who bears which name or role is in
`ledger.model.party`.

Inside, a period is half-open: `until` is the first day on which it no longer holds. Its ends are
days, or one unknown day of a month, a year, or a set:

```
   since 1991 (began on some day of it)            until 1995 (over on some day of it)
   |- - - possible - - -|====== certain ======|- - - possible - - -|
   1991-01-01           1991-12-31   1994-12-31                    1995-12-30
```
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal, Self

import attrs

from ledger.errors import InvalidDate
from ledger.model.moment import Edtf
from ledger.model.text import show

Coverage = Literal["certain", "possible", "no"]
_SUREST: Final[tuple[Coverage, ...]] = ("certain", "possible", "no")

BoundsRule = Literal["closed", "half_open"]
"""Whether a file's `until` is the last day that counts, or the first that does not."""

_OPEN: Final = ".."
_UNKNOWN: Final = "unknown"
_EVER: Final = 0
_FAR: Final = dt.date.max.toordinal() + 1
"""Days are counted by their ordinals; these two stand for the days before and after all others."""


@attrs.frozen(kw_only=True)
class Period:
    """A stretch of days; an end left out holds for ever, an unknown end might be any day.

    Made by `Period.parse`, `Period.of_interval` or `Period.from_text`; `Period()` is always.

    Example:
        >>> print(Period.parse("1991-08-30", "2020", bounds="closed"))
        since 1991-08-30, before [2020-01-02..2021-01-01]
    """

    since: Edtf | None = None
    until: Edtf | None = None
    unknown_start: bool = False
    unknown_end: bool = False

    @classmethod
    def parse(
        cls,
        since: str | dt.date | Edtf | None = None,
        until: str | dt.date | Edtf | None = None,
        *,
        bounds: BoundsRule = "half_open",
        field: str = "period",
    ) -> Self:
        """Read the two ends: a day, month, year or set, ".." or None for open, or "unknown".

        Under `bounds="closed"` the last day counts; it is kept as the day after, and one unknown
        last day as one unknown day after.

        Raises:
            InvalidDate: if an end is anything else, or the period runs backwards or is empty.

        Example:
            >>> Period.parse("2020-01-01", "2020-12-31", bounds="closed").until
            Edtf('2021-01-01')
            >>> Period.parse("2020-01-01", "2019-12-31")
            Traceback (most recent call last):
            ledger.errors.InvalidDate: since 2020-01-01 is after until 2019-12-31. ...
        """
        if bounds not in ("closed", "half_open"):
            raise InvalidDate(
                f"bounds={show(bounds)} is no rule. Write closed where the last day counts, "
                "half_open where it does not.",
                field="bounds",
                given=bounds,
            )
        first, last = _read(since, f"{field}.since"), _read(until, f"{field}.until")
        _check_order(first, last, bounds, field)
        return cls(
            since=first,
            until=_day_after(last) if bounds == "closed" and last else last,
            unknown_start=since == _UNKNOWN,
            unknown_end=until == _UNKNOWN,
        )

    @classmethod
    def of_interval(
        cls, interval: str | Edtf, *, bounds: BoundsRule = "half_open", field: str = "period"
    ) -> Self:
        """Read an EDTF interval; an end that is empty is unknown, ".." is open.

        Raises:
            InvalidDate: if it is no interval, or none that can be.

        Example:
            >>> Period.of_interval("1991-08-30/..").covers(None, None)
            'possible'
        """
        if isinstance(interval, str) and interval.count("/") == 1 and "[" in interval:
            since, _, until = interval.partition("/")  # a set inside an interval is none of EDTF's
            return cls.parse(since or _UNKNOWN, until or _UNKNOWN, bounds=bounds, field=field)
        date = Edtf.parse(interval, field=field)
        if date.kind != "interval":
            raise InvalidDate(
                f"{show(date.text)} has no two ends. Write since and until with a slash between: "
                f"{date.text}/.. begins then and has no end.",
                field=field,
                given=interval,
            )
        since, _, until = date.text.partition("/")
        return cls.parse(since or _UNKNOWN, until or _UNKNOWN, bounds=bounds, field=field)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote.

        Raises:
            InvalidDate: if it is no such text.

        Example:
            >>> Period.from_text("../..") == ALWAYS
            True
        """
        given: object = text
        since, slash, until = text.partition("/") if isinstance(given, str) else ("", "", "")
        if not slash:
            raise InvalidDate(
                f"{show(text)} is no stored period: it lacks the slash.", field="period", given=text
            )
        first, last = (
            None if end in ("", _OPEN) else Edtf.parse(end, field="period")
            for end in (since, until)
        )
        _check_order(first, last, "half_open", "period")
        return cls(since=first, until=last, unknown_start=not since, unknown_end=not until)

    def to_text(self) -> str:
        """The period as one text, "since/until", half-open: ".." is open, nothing unknown.

        Example:
            >>> Period.parse("1991-08-30", "unknown").to_text(), ALWAYS.to_text()
            ('1991-08-30/', '../..')
        """
        since = str(self.since or ("" if self.unknown_start else _OPEN))
        return f"{since}/{self.until or ('' if self.unknown_end else _OPEN)}"

    def covers(self, first: dt.date | None, last: dt.date | None) -> Coverage:
        """Whether the period holds on all days of a range, possibly on one of them, or on none.

        `first` and `last` are included; None is a range without that end. A day is certain if
        every choice of unknown ends holds it, as long as the period lasts a day at least.

        Example:
            >>> period, day = Period.parse("1991", "unknown"), dt.date(1991, 8, 30)
            >>> period.covers(day, day), period.covers(dt.date(1990, 1, 1), day.replace(year=1990))
            ('possible', 'no')
        """
        begin, end = _range(first, last)
        (since_min, _), (_, until_max) = self._since(), self._until()
        if begin > until_max - 1 or end < since_min:
            return "no"
        surely_from, surely_to = self._surely()
        return "certain" if surely_from <= begin and end <= surely_to else "possible"

    def _surely(self) -> tuple[int, int]:
        """The first and the last day on which it holds whatever its ends are; perhaps none."""
        (since_min, since_max), (until_min, until_max) = self._since(), self._until()
        # It lasts a day at least, so it begins before it is over at the latest, and the reverse.
        return min(since_max, until_max - 1), max(until_min - 1, since_min)

    def _since(self) -> tuple[int, int]:
        if self.since is None:
            return _EVER, _FAR if self.unknown_start else _EVER
        return _ordinals(self.since)

    def _until(self) -> tuple[int, int]:
        if self.until is None:
            return _EVER + 1 if self.unknown_end else _FAR + 1, _FAR + 1
        return _ordinals(self.until)

    def __str__(self) -> str:
        words = []
        if self.since or self.unknown_start:
            words.append(f"since {self.since or 'an unknown day'}")
        if self.until or self.unknown_end:
            words.append(f"before {self.until or 'an unknown day'}")
        return ", ".join(words) or "always"


ALWAYS: Final = Period()
"""The period without ends."""


def cover(periods: Sequence[Period], first: dt.date | None, last: dt.date | None) -> Coverage:
    """Whether some periods together hold on all days of a range, possibly on one, or on none.

    Example:
        >>> terms = [Period.parse("2019", "2023-02-01"), Period.parse("2023-02-01", "2027")]
        >>> cover(terms, dt.date(2023, 1, 20), dt.date(2023, 2, 10))
        'certain'
    """
    told: dict[Period, Coverage] = {one: one.covers(first, last) for one in periods}
    if len(told) == 1 or "certain" in told.values() or "possible" not in told.values():
        return next((one for one in _SUREST if one in told.values()), "no")
    begin, end = _range(first, last)
    for surely_from, surely_to in sorted(one._surely() for one in told):  # noqa: SLF001 - theirs
        if surely_from > begin:
            break
        begin = max(begin, surely_to + 1)
    return "certain" if begin > end else "possible"


def _range(first: dt.date | None, last: dt.date | None) -> tuple[int, int]:
    begin = _EVER if first is None else first.toordinal()
    return begin, _FAR if last is None else last.toordinal()


def _read(value: str | dt.date | Edtf | None, field: str) -> Edtf | None:
    if value is None or value in (_OPEN, _UNKNOWN):
        return None
    date = Edtf.parse(value, field=field)
    timed = any(isinstance(one, dt.datetime) for one in (date.earliest, date.latest))
    if date.kind == "interval" or timed:
        raise InvalidDate(
            f"{show(date.text)} is no end of a period. Write a day, a month or a year, one unknown "
            'day as [2019-03-01..2019-03-09], ".." for an open end, or "unknown".',
            field=field,
            given=value,
        )
    return date


def _check_order(since: Edtf | None, until: Edtf | None, bounds: BoundsRule, field: str) -> None:
    if since is None or until is None:
        return
    first, last = _ordinals(since)[0], _ordinals(until)[1]
    given = f"{since}/{until}"
    if first > last:
        raise InvalidDate(
            f"since {since} is after until {until}. Write the earlier end first.",
            field=field,
            given=given,
        )
    if first == last and bounds == "half_open":
        raise InvalidDate(
            f"since {since} until {until} is empty under half-open bounds, where until is the "
            f"first day that no longer counts. For a closed period write bounds='closed'.",
            field=field,
            given=given,
        )


def _day_after(last: Edtf) -> Edtf | None:
    """The first day that no longer counts, for the last day that does; None if it is too far."""
    begin, end = _ordinals(last)
    if begin == _FAR - 1:
        return None
    mark = {(True, True): "%", (True, False): "?", (False, True): "~"}.get(
        (last.uncertain, last.approximate), ""
    )
    low, high = (
        "" if day + 1 >= _FAR else f"{dt.date.fromordinal(day + 1)}{mark}" for day in (begin, end)
    )
    return Edtf.parse(low if low == high else f"[{low}..{high}]")


def _ordinals(date: Edtf) -> tuple[int, int]:
    low, high = date.earliest, date.latest
    return (
        _EVER if low is None else low.toordinal(),
        _FAR + 1 if high is None else high.toordinal(),
    )
