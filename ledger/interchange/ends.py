"""The ends that registers write: the day of a moment, and the first of several ends.

A seat is over with its term, with the death of who sits, or when the assembly is dissolved: with
whichever comes first, each of which may be told as no more than a year.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from ledger.errors import Invalid
from ledger.model.moment import Edtf

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT")


def day_of(told: Any) -> Any:
    """The day of a moment, as memberships have no hours; anything else as it is.

    Example:
        >>> day_of("2015-01-01T00:00:00Z"), day_of("2015")
        ('2015-01-01', '2015')
    """
    return told.partition("T")[0] if isinstance(told, str) and _MOMENT.match(told) else told


def first_of(*told: Any) -> Any:
    """The earliest of some dates, each perhaps no more than a year; None where there are none.

    It lies between the earliest first and the earliest last day that they can be. What is no date
    is given back, to be refused.

    Example:
        >>> first_of("2015", None, "2015-03-23"), first_of("2015-03-23", "2016")
        ('[2015-01-01..2015-03-23]', '2015-03-23')
        >>> first_of("unknown", "2015"), first_of("..", "2015")
        ('[0001-01-01..2015-12-31]', '2015')
    """
    given = [day_of(one) for one in told if one and one != ".."]
    if len({*map(str, given)}) <= 1:
        return given[0] if given else None
    spans = []
    for one in given:
        try:
            read = Edtf.parse("../.." if one == "unknown" else one)
        except Invalid:
            return one
        low, high = read.earliest or dt.date.min, read.latest or dt.date.max
        if isinstance(low, dt.datetime) or isinstance(high, dt.datetime):
            return one
        spans.append((low, high, one))
    low, high = min(one[0] for one in spans), min(one[1] for one in spans)
    same = (one for start, end, one in spans if (start, end) == (low, high))
    return next(same, f"[{low}..{high}]")
