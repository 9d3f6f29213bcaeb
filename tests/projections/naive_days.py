"""Days, instants and periods of the reference model, written anew.

A bound is a day (`date`) or an instant (`datetime`).
"""

from __future__ import annotations

import datetime as dt

from tests.projections.naive_dates import ends

EVER, FAR = -(10**7), 10**7


def is_day(bound):
    return not isinstance(bound, dt.datetime)


def begins(day):
    """The instant at which a day begins where it begins first: at UTC+14."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) - dt.timedelta(hours=14)


def is_over(day):
    """The instant at which a day is over where it is over last: at UTC-12."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) + dt.timedelta(hours=24 + 12)


def before(a, b):
    if is_day(a) == is_day(b):
        return a < b
    return is_over(a) <= b if is_day(a) else a < begins(b)


def end_of(said):
    """The first instant that is no longer in, for a cut at a day in UTC."""
    return dt.datetime.combine(said, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1)


def surely_by(bound, said):
    if is_day(said):
        return bound <= said if is_day(bound) else bound < end_of(said)
    return is_over(bound) <= said if is_day(bound) else bound <= said


def maybe_by(bound, said):
    return begins(bound) <= said if is_day(bound) and not is_day(said) else surely_by(bound, said)


def ends_of(text, *, of):
    """The first and last day that an end of a period can be; `of` says what no end means."""
    if text == "..":
        return (of, of)
    if text == "":
        return (EVER, FAR + 1)
    first, last = ends(text)
    return (first.toordinal() if first else EVER, last.toordinal() if last else FAR + 1)


def covers(period, first, last):
    """Whether a half-open period holds on all days of a range, possibly on some, or on none."""
    if period is None:
        return "certain"
    since, _, until = period.partition("/")
    (s1, s2), (u1, u2) = ends_of(since, of=EVER), ends_of(until, of=FAR + 1)
    begin = EVER if first is None else first.toordinal()
    end = FAR if last is None else last.toordinal()
    choices = [
        (s, u)
        for s in (s1, s2, min(s2, u2 - 1))
        for u in (u1, u2, max(u1, s1 + 1))
        if s < u  # it lasts a day at least
    ]
    if all(s <= begin and end < u for s, u in choices):
        return "certain"
    return "possible" if any(s <= end and begin < u for s, u in choices) else "no"


def any_covers(periods, first, last):
    """The same of several periods together, day by day."""
    told = [covers(period, first, last) for period in periods]
    if "certain" in told or "possible" not in told or first is None or last is None:
        return min(told, key=("certain", "possible", "no").index)
    days = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    every = all(any(covers(one, day, day) == "certain" for one in periods) for day in days)
    return "certain" if every else "possible"


def tightest(ends, opposite, sooner):
    """The end that decides; among a day and an instant without order, what the text tells."""
    kept = [end for end in ends if not any(sooner(other, end) for other in ends)]
    if len({is_day(end) for end in kept}) == 2:
        told = [end for end in kept if not is_day(end) and end in opposite]
        kept = told or [end for end in kept if is_day(end)]
    return kept[0] if kept else None
