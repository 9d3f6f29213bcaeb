"""One date as text: read into its first and last day, or refused with what to type instead.

Here lives the grammar of single dates and of instants, and the words said to whoever wrote
something else. Intervals, sets and the noun `Edtf` live in `ledger.model.edtf`.

```
2024          2024-03       2024-03-04                     level 0, days
2024-03-04T12:00:00Z        2024-03-04T16:00:00.5+04:00    level 0, instants
20XX   202X   2024-XX       2024-XX-XX      2024-03-XX     level 1, unspecified from the right
2024?         2024-03~      2024-03-04%                    level 1, marks: they never widen
```

Follows ISO 8601-2:2019 (EDTF), of which this is a subset: years 0001 to 9999, ASCII digits only.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from typing import Final

import attrs

from ledger.errors import InvalidDate
from ledger.model.text import show

HOW_TO_WRITE: Final = (
    "Write a day as 2024-03-04, a month as 2024-03, a time throughout as 2024-03-01/2024-03-05, "
    "one unknown day as [2024-03-01..2024-03-05]."
)
LEAVE_OUT: Final = "Leave it out if it is not known."
MAX_SIGNS: Final = 1_000
"""A date with more is refused unread; the longest that mean something are lists of days."""

_DAYS: Final = re.compile(
    r"([0-9]{4}|[0-9]{3}X|[0-9]{2}XX)(?:-([0-9]{2}|XX)(?:-([0-9]{2}|XX))?)?([?~%]?)"
)
_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)
_TIMED: Final = re.compile(r"[0-9-]+[Tt][0-9]")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
_YEAR_FIRST: Final = re.compile(
    r"(?=[0-9]{8}|.*[-/.].*[-/.])([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})"
)
_MONTH_ONLY: Final = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})|([0-9]{1,2})[-/.]([0-9]{4})")
_YEARS: Final = "the years run from 0001 to 9999"
_WORDS: Final = re.compile(r"[^\W\d_]{3}")
_OUTSIDE: Final = {
    r"Y.*|[0-9]{5,}(-.*)?": f"is out of the supported years: {_YEARS}.",
    r"-[0-9].*": f"is before the supported years: {_YEARS}.",
    r"\.\.": "tells nothing. Leave the date out, or write one end, as ../2024-03-04.",
    r"\{.*": "names several days at once. Record each, or write [..] for one of them.",
    r"[0-9]{4}S[0-9]+": "counts significant digits. Write the years it covers, as 195X.",
    r"[0-9]{2}": "may be a century. Write all four signs of the year, as 19XX.",
    r"[0-9]{3}": "may be a decade. Write all four signs of the year, as 196X.",
    r"[0-9]{4}-?W.*": "is a week. Write its days, as 2024-03-04/2024-03-10.",
    r"[0-9]{4}-[0-9]{3}": "is a day of the year. Write its month and day, as 2024-03-04.",
    r"P[0-9].*": "is a duration. Write its two ends, as 2024-03-04/2024-03-10.",
    r"[^\[\]]+\.\.|\.\.[^\[\]]+|[^\[\]]+\.\.[^\[\]]+": (
        "lacks a form: put [ ] around it for one unknown day, or / for the dots if it lasted "
        "throughout."
    ),
    r"[0-9X-]+[?~%].+|[?~%][0-9].*": "has a mark inside. A mark goes to the end, as 2024-03~.",
    r"[0-9X-]*X[0-9X-]*[?~%]?": (
        "has an X where none may be. X stands for a whole day or month, or for the last one or "
        "two digits of a year alone: 2024-03-XX, 2024-XX, 202X, 20XX."
    ),
    rf".*{_WORDS.pattern}.*": (
        "is in words. Resolve it to a date, as 2024-03-04, and keep the words in a note."
    ),
}
"""What lies outside the subset: the form, and what to say of it."""


@attrs.frozen(kw_only=True)
class Days:
    """What one date says: its first and last day, both included, and its marks."""

    earliest: dt.date
    latest: dt.date
    uncertain: bool
    approximate: bool


def check_signs(text: str) -> None:
    """Refuse what no date can hold: nothing at all, too much, blanks, digits of other scripts.

    Raises:
        InvalidDate: with the text as it should have been written, where that can be told.
    """
    bare = text.strip()
    if not bare:
        raise InvalidDate(f"The date is empty ({show(text)}). {LEAVE_OUT}")
    if len(text) > MAX_SIGNS:
        raise InvalidDate(f"{show(text)} is too long for a date: at most {MAX_SIGNS:,} are read.")
    if bare != text:
        sign = "line feed" if "\n" in text else "blank"
        place = "in front" if text[0].isspace() else "at the end"
        raise InvalidDate(f"{show(text)} has a {sign} {place}. Write {show(bare)}.")
    if _WORDS.search(text):
        return  # words are told what they are, whatever signs stand around them
    if not text.isascii():
        plain = "".join(map(_ascii, text))
        raise InvalidDate(
            f"{show(text)} has signs that no date holds: only the digits 0-9 and the signs of "
            f"ISO 8601 count. {f'Write {plain}.' if plain.isascii() else HOW_TO_WRITE}"
        )
    if any(map(str.isspace, text)):
        raise InvalidDate(
            f"{show(text)} has a blank inside. Take it out; between a day and a time write T."
        )


def has_time(text: str) -> bool:
    """Whether the text means a time of day.

    Example:
        >>> has_time("2024-03-04T12:00:00Z"), has_time("Tuesday")
        (True, False)
    """
    return _TIMED.match(text) is not None


def read_days(text: str) -> Days:
    """Read one date of day, month or year precision.

    Raises:
        InvalidDate: if it is none, or no such day exists.

    Example:
        >>> days = read_days("2024-02-XX")
        >>> print(days.earliest, days.latest)
        2024-02-01 2024-02-29

    Follows ISO 8601-2:2019, levels 0 and 1.
    """
    match = _DAYS.fullmatch(text)
    if match is None or not _from_the_right(*match.group(1, 2, 3)):
        raise InvalidDate(explain(text))
    year, month, day, mark = match.groups()
    first, last = int(year.replace("X", "0")), int(year.replace("X", "9"))
    if first < dt.MINYEAR:
        raise InvalidDate(f"{text} is out of the supported years: {_YEARS}.")
    earliest, latest = dt.date(first, 1, 1), dt.date(last, 12, 31)
    if month not in (None, "XX"):
        length = _days_of(first, int(month), text)
        earliest, latest = dt.date(first, int(month), 1), dt.date(first, int(month), length)
        if day not in (None, "XX"):
            if not 1 <= int(day) <= length:
                raise InvalidDate(
                    f"{text} is no day: {calendar.month_name[int(month)]} {year} has {length} "
                    f"days. Write {year}-{month} if only the month is known."
                )
            earliest = latest = dt.date(first, int(month), int(day))
    return Days(
        earliest=earliest,
        latest=latest,
        uncertain=mark in {"?", "%"},
        approximate=mark in {"~", "%"},
    )


def read_instant(text: str) -> dt.datetime:
    """Read a day with a time and a zone, as an instant in UTC.

    Raises:
        InvalidDate: if it is none, has no zone, or is a leap second.

    Example:
        >>> read_instant("2024-03-04T16:00:00+04:00").isoformat()
        '2024-03-04T12:00:00+00:00'

    Follows ISO 8601-2:2019, level 0; of RFC 3339 the forms with capital T and Z.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        if text[-1] in "?~%":
            raise InvalidDate(f"{show(text)} marks a time of day; only days take ?, ~ and %.")
        raise InvalidDate(
            f"{show(text)} is no instant. Write 2024-03-04T12:00:00Z, with Z or an offset as "
            "+04:00, and at most six digits after the seconds."
        )
    day, hours, minutes, seconds, fraction, utc, sign, *offset = match.groups()
    date = read_days(day).earliest
    if seconds == "60":
        raise InvalidDate(f"{text} is a leap second, which is not read. Write second 59.")
    for name, number, most in (
        ("hour", hours, 23),
        ("minute", minutes, 59),
        ("second", seconds, 59),
        ("hour of an offset", offset[0] or "00", 23),
        ("minute of an offset", offset[1] or "00", 59),
    ):
        if int(number) > most:
            raise InvalidDate(f"{text} has {name} {number}; it runs from 00 to {most}.")
    if not utc and not sign:
        raise InvalidDate(f"{text} has no zone. Add Z or +04:00, or give the day alone: {day}.")
    shift = dt.timedelta(hours=int(offset[0] or 0), minutes=int(offset[1] or 0))
    local = dt.datetime.combine(
        date,
        dt.time(int(hours), int(minutes), int(seconds), int((fraction or "").ljust(6, "0"))),
        tzinfo=dt.timezone(-shift if sign == "-" else shift),
    )
    try:
        return local.astimezone(dt.UTC)
    except OverflowError:
        raise InvalidDate(f"{text} is, in UTC, out of the supported years: {_YEARS}.") from None


def explain(text: str) -> str:
    """What to type instead of a text that is no date.

    Example:
        >>> explain("22-02-2023")
        "'22-02-2023' is another form of a date. Write 2023-02-22."
        >>> explain("2024-03-04?~")
        "'2024-03-04?~' has two marks. Write 2024-03-04%."
    """
    guesses = _guesses(text)
    if len(guesses) == 1:
        return f"{show(text)} is another form of a date. Write {guesses[0]}."
    if guesses:
        return f"{show(text)} is ambiguous. Write {' or '.join(guesses)}, as YYYY-MM-DD."
    bare = text.rstrip("?~%")
    marks = set(text[len(bare) :])
    if bare and len(text) - len(bare) > 1:
        return f"{show(text)} has two marks. Write {bare}{marks.pop() if len(marks) == 1 else '%'}."
    for pattern, why in _OUTSIDE.items():
        if re.fullmatch(pattern, text, re.DOTALL):
            return f"{show(text)} {why}"
    return f"{show(text)} is no date. {HOW_TO_WRITE}"


def slashed(text: str) -> bool:
    """Whether slashes stand where hyphens should, so that the text is no interval.

    Example:
        >>> slashed("02/03/2023"), slashed("2023/02"), slashed("2023/2024")
        (True, True, False)
    """
    return text.count("/") != 1 or _MONTH_ONLY.fullmatch(text) is not None


def _from_the_right(year: str, month: str | None, day: str | None) -> bool:
    if "X" in year:
        return month is None
    return month != "XX" or day in (None, "XX")


def _days_of(year: int, month: int, text: str) -> int:
    if 21 <= month <= 41:  # noqa: PLR2004 - the numbers of the standard
        raise InvalidDate(
            f"{text} is a season, quarter or other part of a year, which is not read. Write its "
            f"months, as [{year:04d}-03..{year:04d}-05] for one unknown day of these, or "
            f"{year:04d}-03/{year:04d}-05 for all this time."
        )
    if not 1 <= month <= 12:  # noqa: PLR2004 - the months
        raise InvalidDate(
            f"{text} has month {month:02d}; months run from 01 to 12. Write {year:04d} if only the "
            "year is known."
        )
    return calendar.monthrange(year, month)[1]


def _guesses(text: str) -> list[str]:
    """The dates a text in another order can mean, each once and only if there is such a day."""
    orders: list[tuple[str, str, str]] = []
    if match := _YEAR_LAST.fullmatch(text):
        first, second, year = match.groups()
        orders = [(year, second, first), (year, first, second)]
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day = match.groups()
        orders = [(year, month, day)]
    elif match := _MONTH_ONLY.fullmatch(text):
        year, month = (match[1], match[2]) if match[1] else (match[4], match[3])
        return [f"{year}-{int(month):02d}"] if 1 <= int(month) <= 12 else []  # noqa: PLR2004
    found = []
    for year, month, day in orders:
        try:
            found.append(dt.date(int(year), int(month), int(day)).isoformat())
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _ascii(sign: str) -> str:
    if unicodedata.category(sign) == "Pd":
        return "-"
    return str(unicodedata.decimal(sign, sign))
