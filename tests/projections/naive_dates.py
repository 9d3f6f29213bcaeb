"""Dates of the reference model, read anew: the days that a written date can mean."""

from __future__ import annotations

import calendar
import datetime as dt
import functools
import itertools
from collections.abc import Iterator

__all__ = ["ends"]


@functools.cache  # a few dozen texts, asked for again and again
def ends(text: str) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last day, or twice the instant in UTC; None where it is open or unknown."""
    if "T" in text:
        instant = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
        return instant, instant
    if "/" in text:
        start, end = text.split("/")
        return first(start), last(end)
    parts = [member.split("..") for member in text.strip("[]").split(",")]
    lows, highs = [first(part[0]) for part in parts], [last(part[-1]) for part in parts]
    return (
        None if None in lows else min(day for day in lows if day),
        None if None in highs else max(day for day in highs if day),
    )


def first(text: str) -> dt.date | None:
    return min(days(text)) if text.strip(".") else None


def last(text: str) -> dt.date | None:
    return max(days(text)) if text.strip(".") else None


def days(text: str) -> Iterator[dt.date]:
    """The first and last day of each month that a date's digits fit."""
    year, month, day = [*text.strip("?~%").split("-"), "XX", "XX"][:3]
    for y, m in itertools.product(fitting(year, 10000), fitting(month, 13)):
        size = calendar.monthrange(y, m)[1]
        fit = fitting(day, size + 1)
        yield from (dt.date(y, m, d) for d in (fit[0], fit[-1]))


def fitting(digits: str, end: int) -> list[int]:
    """The numbers from 1 on that may stand where digits are left open by an X."""
    if "X" not in digits:
        return [int(digits)]
    numbers = (str(n).zfill(len(digits)) for n in range(1, end))
    return [
        int(number)
        for number in numbers
        if all(d in ("X", n) for d, n in zip(digits, number, strict=True))
    ]
