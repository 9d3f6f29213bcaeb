"""Since when and until when: periods, and the days they hold."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidDate
from ledger.model.moment import Edtf
from ledger.model.period import ALWAYS, Period

FIRST = dt.date(2019, 12, 20)
DAYS = [FIRST + dt.timedelta(days=n) for n in range(60)]
BEFORE, BEYOND = 0, len(DAYS) + 1  # the places of all days before and after those of the test


def day(text):
    return dt.date.fromisoformat(text)


def place(date):
    return (date - FIRST).days + 1


dates = st.sampled_from([date.isoformat() for date in DAYS] + ["2020-01", "2020-01~"])
ends = st.one_of(st.none(), st.just(".."), st.just("unknown"), dates, st.sampled_from(DAYS))
rules = st.sampled_from(["closed", "half_open"])


@st.composite
def periods(draw):
    since, until, rule = draw(ends), draw(ends), draw(rules)
    try:
        return since, until, rule, Period.parse(since, until, bounds=rule)
    except InvalidDate:
        return None, until, rule, Period.parse(None, until, bounds=rule)


def every_choice(since, until, rule):
    """Every pair of places between which the period can lie: the first in, the last not."""
    starts = ends_at(since, [BEFORE], range(BEYOND + 1))
    stops = ends_at(until, [BEYOND + 1], range(1, BEYOND + 2))
    if rule == "closed" and until not in (None, "..", "unknown"):
        stops = [stop + 1 for stop in stops]
    return [(start, stop) for start in starts for stop in stops if start < stop]


def ends_at(end, open_end, unknown):
    if end in (None, ".."):
        return open_end
    if end == "unknown":
        return unknown
    date = Edtf.parse(end)
    return range(place(date.earliest), place(date.latest) + 1)


@given(periods(), st.none() | st.sampled_from(DAYS), st.none() | st.sampled_from(DAYS))
def test_a_range_is_covered_as_counting_every_choice_of_days_says(drawn, first, last):
    since, until, rule, period = drawn
    if first and last and first > last:
        first, last = last, first
    choices = every_choice(since, until, rule)
    asked = range(place(first) if first else BEFORE, (place(last) if last else BEYOND) + 1)
    inside = [all(start <= spot < stop for start, stop in choices) for spot in asked]
    touched = [any(start <= spot < stop for start, stop in choices) for spot in asked]
    expected = "certain" if all(inside) else "possible" if any(touched) else "no"

    assert period.covers(first, last) == expected


@given(periods())
def test_a_period_reads_back_from_its_text(drawn):
    *_, period = drawn

    assert Period.from_text(period.to_text()) == period


@given(periods())
def test_the_text_of_a_period_with_plain_ends_is_an_interval(drawn):
    *_, period = drawn

    if "[" not in period.to_text():
        assert Period.of_interval(period.to_text()) == period


@pytest.mark.parametrize(
    "since, until, text, words",
    [
        (None, None, "../..", "always"),
        ("..", "..", "../..", "always"),
        ("1991-08-30", None, "1991-08-30/..", "since 1991-08-30"),
        (None, dt.date(1995, 3, 5), "../1995-03-05", "before 1995-03-05"),
        ("1991", "1995-03~", "1991/1995-03~", "since 1991, before 1995-03~"),
        ("unknown", "1995", "/1995", "since an unknown day, before 1995"),
        ("1991", "unknown", "1991/", "since 1991, before an unknown day"),
        ("unknown", "unknown", "/", "since an unknown day, before an unknown day"),
        ("unknown", None, "/..", "since an unknown day"),
        (Edtf.parse("199X"), "..", "199X/..", "since 199X"),
    ],
)
def test_a_period_has_one_text_and_words_to_show(since, until, text, words):
    period = Period.parse(since, until)

    assert (period.to_text(), str(period)) == (text, words)
    assert Period.from_text(text) == period


@pytest.mark.parametrize(
    "until, stored",
    [
        ("2020-12-31", "../2021-01-01"),
        ("2024-02-28?", "../2024-02-29?"),
        ("2020", "../[2020-01-02..2021-01-01]"),
        ("2020-02%", "../[2020-02-02%..2020-03-01%]"),
        ("9999-12-31", "../.."),
        ("9999-12-30", "../9999-12-31"),
        ("9999", "../[9999-01-02..]"),
        (None, "../.."),
        ("unknown", "../"),
    ],
)
def test_the_last_day_of_a_closed_period_is_kept_as_the_day_after(until, stored):
    period = Period.parse(None, until, bounds="closed")

    assert period.to_text() == stored
    assert Period.from_text(stored) == period


def test_a_closed_and_a_half_open_period_of_the_same_days_are_one():
    closed = Period.parse("2020-01-01", "2020-12-31", bounds="closed")

    assert closed == Period.parse("2020-01-01", "2021-01-01")
    assert closed.covers(day("2020-01-01"), day("2020-12-31")) == "certain"
    assert closed.covers(day("2020-12-31"), day("2021-01-01")) == "possible"
    assert closed.covers(day("2021-01-01"), None) == "no"
    assert closed.covers(None, day("2019-12-31")) == "no"


def test_an_end_that_is_left_out_holds_for_ever():
    assert ALWAYS.covers(None, None) == "certain"
    assert Period.parse("2020-01-01").covers(day("2020-01-01"), None) == "certain"
    assert Period.parse("2020-01-01").covers(None, dt.date.max) == "possible"
    assert Period.parse(None, "2020-01-01").covers(None, day("2019-12-31")) == "certain"
    assert Period.parse(None, "2020-01-01").covers(dt.date.min, day("2020-01-01")) == "possible"


def test_an_unknown_end_makes_the_days_towards_it_possible():
    begun = Period.parse("1991-08-30", "unknown")

    assert begun.covers(day("1991-08-30"), day("1991-08-30")) == "certain"
    assert begun.covers(day("1991-08-31"), day("1991-08-31")) == "possible"
    assert begun.covers(dt.date.max, None) == "possible"
    assert begun.covers(None, day("1991-08-29")) == "no"
    ended = Period.parse("unknown", "1991-08-30")
    assert ended.covers(day("1991-08-29"), day("1991-08-29")) == "certain"
    assert ended.covers(day("1991-08-28"), day("1991-08-29")) == "possible"
    assert ended.covers(day("1991-08-30"), None) == "no"
    assert Period.parse("unknown").covers(dt.date.max, None) == "possible"
    assert Period.parse(None, "unknown").covers(None, dt.date.min) == "possible"
    neither = Period.parse("unknown", "unknown")
    assert neither.covers(None, None) == neither.covers(FIRST, FIRST) == "possible"


def test_a_year_as_an_end_is_one_unknown_day_of_it():
    period = Period.parse("1991", "1995")

    answers = {
        text: period.covers(day(text), day(text))
        for text in (
            *("1990-12-31", "1991-01-01", "1991-12-30", "1991-12-31"),
            *("1994-12-31", "1995-01-01", "1995-12-30", "1995-12-31"),
        )
    }
    assert list(answers.values()) == [
        *("no", "possible", "possible", "certain"),
        *("certain", "possible", "possible", "no"),
    ]
    closed = Period.parse("1991", "1995", bounds="closed")
    assert closed.covers(day("1995-01-01"), day("1995-01-01")) == "certain"
    assert closed.covers(day("1995-01-02"), day("1995-12-31")) == "possible"
    assert closed.covers(day("1996-01-01"), None) == "no"


@pytest.mark.parametrize(
    "interval, text",
    [
        ("1991-08-30/..", "1991-08-30/.."),
        ("1991/", "1991/"),
        ("/1991", "/1991"),
        ("../..", "../.."),
        (Edtf.parse("2020-01-01/2021-01-01"), "2020-01-01/2021-01-01"),
    ],
)
def test_an_interval_is_read_as_a_period(interval, text):
    assert Period.of_interval(interval).to_text() == text


def test_an_interval_is_read_by_the_rule_it_is_said_to_follow():
    interval = "2020-01-01/2020-01-01"

    assert Period.of_interval(interval, bounds="closed").to_text() == "2020-01-01/2020-01-02"
    with pytest.raises(InvalidDate, match="empty under half-open"):
        Period.of_interval(interval)


@pytest.mark.parametrize(
    "since, until, rule, words",
    [
        ("2020-01-01", "2019-12-31", "half_open", "since 2020-01-01 is after until 2019-12-31"),
        ("2020-01-01", "2019-12-31", "closed", "since 2020-01-01 is after until 2019-12-31"),
        ("2022-01", "2021-12", "half_open", "since 2022-01 is after until 2021-12"),
        ("2030-01-01", "2010-01-01", "half_open", "is after"),
        ("2020-01-01", "2020-01-01", "half_open", "write bounds='closed'"),
        ("2020-01-31", "2020-01", "half_open", "is empty"),
        ("", None, "half_open", "Leave it out"),
        (None, "", "half_open", "Leave it out"),
        ("2020-02-30", "2021-01-01", "half_open", "February 2020 has 29 days"),
        ("2020/2021", None, "half_open", "no end of a period"),
        (None, "2020-01-01T12:00:00Z", "half_open", "no end of a period"),
        (2020, None, "half_open", "must be text"),
    ],
)
def test_a_period_that_cannot_be_is_refused(since, until, rule, words):
    with pytest.raises(InvalidDate) as caught:
        Period.parse(since, until, bounds=rule, field="member")

    assert words in caught.value.message
    assert caught.value.field.startswith("member")


def test_the_end_that_is_no_date_is_named():
    with pytest.raises(InvalidDate) as caught:
        Period.parse("2020-01-01", "soon", field="name")

    assert (caught.value.field, caught.value.given) == ("name.until", "soon")


@pytest.mark.parametrize("text", ["1991-08-30", "[1991..1992]", "1991-08-30T12:00:00Z"])
def test_a_single_date_is_no_period(text):
    with pytest.raises(InvalidDate, match="has no two ends"):
        Period.of_interval(text)


@pytest.mark.parametrize("text", ["", "2020-01-01", "2021-01-01/2020-01-01", "2020/sometime"])
def test_a_text_that_stores_no_period_is_refused(text):
    with pytest.raises(InvalidDate):
        Period.from_text(text)


def test_one_day_is_enough():
    assert (
        Period.parse("2020-01-31", "2020-01-31", bounds="closed").covers(
            day("2020-01-31"), day("2020-01-31")
        )
        == "certain"
    )
    assert Period.parse("2020-01-01", "2020-01-02").to_text() == "2020-01-01/2020-01-02"


def test_the_hostile_periods_are_accepted_and_refused_as_their_table_asks(shared):
    path = shared("data/hostile/intervals.jsonl")
    verdicts = dict(json.loads((path.parent / "expected.json").read_text())["files"][path.name])
    seen = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        record = json.loads(line)
        if record["type"] in ("membership", "name"):
            try:
                Period.parse(record.get("from"), record.get("until"))
            except InvalidDate:
                seen[number] = "refuse"
            else:
                seen[number] = "accept"
    # Line 7 is empty under half-open bounds; that line 10 overlaps another, no period can know.
    assert seen.pop(7) == "refuse"
    assert seen.pop(10) == "accept"
    assert seen == {number: verdicts[number] for number in seen}
    assert len(seen) == 8


def test_an_end_may_be_one_unknown_day_of_several():
    period = Period.parse("[2019-01-01..2019-02-01]", "[2020-01-02..2021-01-01]")
    assert period.covers(dt.date(2019, 6, 1), dt.date(2020, 1, 1)) == "certain"
    assert period.covers(dt.date(2020, 6, 1), dt.date(2020, 6, 1)) == "possible"
    assert period == Period.parse("[2019-01-01..2019-02-01]", "2020", bounds="closed")


def test_a_period_with_a_set_for_an_end_is_read_from_one_text():
    period = Period.parse("[2019-01-01..2019-02-01]", "2021")
    assert Period.of_interval(period.to_text()) == period
    assert Period.of_interval("[2019-01-01..2019-02-01]/") == Period.parse(
        "[2019-01-01..2019-02-01]", "unknown"
    )
    with pytest.raises(InvalidDate):
        Period.of_interval("[2019-01-01..2019-02-01")


@pytest.mark.parametrize("until", ["2020", "2020-02", "2020-02-29", "2020~", "202X", "20XX"])
def test_a_closed_end_is_read_again_as_it_was_kept(until):
    kept = Period.parse("2019", until, bounds="closed")
    assert Period.parse("2019", str(kept.until)) == kept
