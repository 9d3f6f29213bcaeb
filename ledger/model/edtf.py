"""A date as somebody wrote it: `Edtf`, a date, an interval or a set, with the bounds it gives.

Here lives the noun, and how intervals and sets are put together. How a single date is read lives
in `ledger.model.dates`; how bounds are compared, in `ledger.model.moment`, from where the rest of
the library takes `Edtf` and `Bound` too.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import Literal

import attrs

from ledger.errors import InvalidDate
from ledger.model.dates import (
    HOW_TO_WRITE,
    LEAVE_OUT,
    Days,
    check_signs,
    explain,
    has_time,
    read_days,
    read_instant,
    slashed,
)
from ledger.model.text import bare, show

Bound = dt.date | dt.datetime
"""A plain day or an aware instant; test for the instant first, because a datetime is a date."""

Span = tuple[Bound | None, Bound | None]
"""The first and last bound of some time, both included; None where it is open or unknown."""


@attrs.frozen(kw_only=True, repr=False)
class Edtf:
    """A date as written, with its earliest and latest day; made by `Edtf.parse`.

    `earliest` and `latest` are days, or the instant itself; None is open or unknown. `kind` tells
    an interval ("throughout") from a set ("one unknown day of these"). `spans` are the members of
    a set, or else the bounds. The marks `?`, `~` and `%` do not widen the bounds. Two are equal if
    their texts are.

    Example:
        >>> Edtf.parse("[2022-12-12..2023-02-22]").latest
        datetime.date(2023, 2, 22)
        >>> Edtf.parse("2024-02-XX") == Edtf.parse("2024-02")
        False
        >>> [str(first) for first, last in Edtf.parse("[2024-02,2024-05-06]").spans]
        ['2024-02-01', '2024-05-06']

    Follows ISO 8601-2:2019: level 0; of level 1 marks, X from the right, open and unknown ends;
    of level 2 one-of-a-set.
    """

    text: str
    kind: Literal["date", "interval", "set"] = attrs.field(eq=False)
    earliest: Bound | None = attrs.field(eq=False)
    latest: Bound | None = attrs.field(eq=False)
    uncertain: bool = attrs.field(eq=False, default=False)
    approximate: bool = attrs.field(eq=False, default=False)
    unknown_start: bool = attrs.field(eq=False, default=False)
    unknown_end: bool = attrs.field(eq=False, default=False)
    spans: tuple[Span, ...] = attrs.field(
        eq=False,
        default=attrs.Factory(lambda self: ((self.earliest, self.latest),), takes_self=True),
    )

    @classmethod
    def parse(cls, value: str | dt.date | dt.datetime | Edtf, *, field: str = "date") -> Edtf:
        """Read a date, an interval or a set; a date or an aware datetime of Python will do too.

        Raises:
            InvalidDate: with `field`, what was given, and what to type instead.

        Example:
            >>> Edtf.parse("2023-02-30", field="uttered")
            Traceback (most recent call last):
            ledger.errors.InvalidDate: 2023-02-30 is no day: February 2023 has 28 days. ...
        """
        if isinstance(value, Edtf):
            return value
        try:
            return _read(_text_of(value, field))
        except InvalidDate as error:
            raise InvalidDate(error.message, field=field, given=value) from None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Edtf({self.text!r})"


def _text_of(value: object, field: str) -> str:
    if isinstance(value, str):
        return bare(value)
    none = isinstance(value, dt.datetime) and value != value  # noqa: PLR0124 - pandas' NaT
    if isinstance(value, dt.datetime) and not none:
        offset = value.utcoffset()
        if offset is not None and offset % dt.timedelta(minutes=1):
            # ISO 8601 writes offsets in minutes; a zone before standard time has seconds too.
            return (value.replace(tzinfo=dt.UTC) - offset).isoformat()
        return value.isoformat()
    if isinstance(value, dt.date) and not none:
        return value.isoformat()
    kind = "nothing" if value is None else f"{type(value).__name__} {show(value)}"
    raise InvalidDate(
        f"{field} must be text, a date or a datetime, got {kind}. {HOW_TO_WRITE} {LEAVE_OUT}"
    )


@functools.lru_cache(maxsize=10_000)  # the same few thousand days come again and again
def _read(text: str) -> Edtf:
    check_signs(text)
    if text.startswith("["):
        return _read_set(text)
    if "/" in text:
        return _read_interval(text)
    if has_time(text):
        instant = read_instant(text)
        return Edtf(text=text, kind="date", earliest=instant, latest=instant)
    days = read_days(text)
    return Edtf(
        text=text,
        kind="date",
        earliest=days.earliest,
        latest=days.latest,
        uncertain=days.uncertain,
        approximate=days.approximate,
    )


def _read_interval(text: str) -> Edtf:
    if slashed(text):
        raise InvalidDate(explain(text))
    start, _, end = text.partition("/")
    _refuse_times("an interval", start, end)
    first, last = (None if end in ("", "..") else read_days(end) for end in (start, end))
    _refuse_reversed("interval", text, first, last)
    return Edtf(
        text=text,
        kind="interval",
        earliest=first.earliest if first else None,
        latest=last.latest if last else None,
        uncertain=any(days.uncertain for days in (first, last) if days),
        approximate=any(days.approximate for days in (first, last) if days),
        unknown_start=not start,
        unknown_end=not end,
    )


def _read_set(text: str) -> Edtf:
    if not text.endswith("]") or text in {"[]", "[..]"}:
        raise InvalidDate(f"{show(text)} is no set. Write [2024-03-01..2024-03-05].")
    members = text[1:-1].split(",")
    starts: list[Days | None] = []
    ends: list[Days | None] = []
    for place, member in enumerate(members):
        start, dots, end = member.partition("..")
        _refuse_times("a set", start, end)
        inside = (dots and not start and place) or (dots and not end and place + 1 < len(members))
        if inside or not (start or end):
            raise InvalidDate(
                f"{show(text)} has an empty place. Only the first may begin, and only the last "
                "may end, with two dots."
            )
        first = read_days(start) if start else None
        last = read_days(end) if end else (None if dots else first)
        _refuse_reversed("set", text, first, last)
        starts.append(first)
        ends.append(last)
    known = [days for days in (*starts, *ends) if days]
    spans = tuple(
        (first.earliest if first else None, last.latest if last else None)
        for first, last in zip(starts, ends, strict=True)
    )
    return Edtf(
        text=text,
        kind="set",
        earliest=min((day for day, _ in spans if day), default=None) if all(starts) else None,
        latest=max((day for _, day in spans if day), default=None) if all(ends) else None,
        uncertain=any(days.uncertain for days in known),
        approximate=any(days.approximate for days in known),
        spans=spans,
    )


def _refuse_times(where: str, *parts: str) -> None:
    for part in parts:
        if has_time(part):
            raise InvalidDate(
                f"{show(part)} is a time of day inside {where}; times of day stand alone. "
                f"Write the day, {part[:10]}."
            )


def _refuse_reversed(what: str, text: str, first: Days | None, last: Days | None) -> None:
    if first and last and first.earliest > last.latest:
        raise InvalidDate(
            f"The {what} {show(text)} runs backwards: {first.earliest} is after {last.latest}. "
            "Write the earlier end first."
        )
