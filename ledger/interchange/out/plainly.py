"""Dates for formats that know only days, months and years."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Final

from ledger.model.moment import Bound, Edtf

_PLAIN: Final = re.compile(r"\d{4}(-\d{2}){0,2}")


def plain_date(date: Edtf | None) -> str | None:
    """A day, month or year as ISO 8601 writes it; None where the date is any vaguer.

    Example:
        >>> plain_date(Edtf.parse("2023-02")), plain_date(Edtf.parse("2023?"))
        ('2023-02', None)
    """
    return date.text if date is not None and _PLAIN.fullmatch(date.text) else None


def last_day(until: Edtf | None) -> str | None:
    """The last day, month or year that counts, of the first day that does not.

    Example:
        >>> last_day(Edtf.parse("2021-01-01")), last_day(Edtf.parse("[2020-01-02..2021-01-01]"))
        ('2020-12-31', '2020')
    """
    if until is None or until.uncertain or until.approximate:
        return None
    low, high = _day_before(until.earliest), _day_before(until.latest)
    return None if low is None or high is None else _span(low, high)


def _day_before(bound: Bound | None) -> dt.date | None:
    if bound is None or isinstance(bound, dt.datetime) or bound == dt.date.min:
        return None
    return bound - dt.timedelta(days=1)


def _span(first: dt.date, last: dt.date) -> str | None:
    if first == last:
        return first.isoformat()
    if (first.day, first.month) == (1, 1) and last == dt.date(first.year, 12, 31):
        return f"{first.year:04}"
    end = calendar.monthrange(first.year, first.month)[1]
    if first.day == 1 and last == first.replace(day=end):
        return f"{first.year:04}-{first.month:02}"
    return None
