"""Dates as written: read with their bounds, or refused with what to type."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidDate
from ledger.model.moment import Edtf, write_bound

FOUR_HOURS_EAST = dt.timezone(dt.timedelta(hours=4))


def day(text):
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    "text, earliest, latest",
    [
        ("2024-03-04", "2024-03-04", "2024-03-04"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("1900-02", "1900-02-01", "1900-02-28"),
        ("2024", "2024-01-01", "2024-12-31"),
        ("0001", "0001-01-01", "0001-12-31"),
        ("9999-12-31", "9999-12-31", "9999-12-31"),
        ("2024-03-XX", "2024-03-01", "2024-03-31"),
        ("2024-XX-XX", "2024-01-01", "2024-12-31"),
        ("2024-XX", "2024-01-01", "2024-12-31"),
        ("202X", "2020-01-01", "2029-12-31"),
        ("20XX", "2000-01-01", "2099-12-31"),
        ("99XX", "9900-01-01", "9999-12-31"),
    ],
)
def test_a_date_gives_its_first_and_last_day(text, earliest, latest):
    date = Edtf.parse(text)

    assert (date.kind, date.earliest, date.latest) == ("date", day(earliest), day(latest))


@pytest.mark.parametrize(
    "text, earliest, latest, unknown",
    [
        ("2024-03/2024-05-06", "2024-03-01", "2024-05-06", (False, False)),
        ("2023/2024", "2023-01-01", "2024-12-31", (False, False)),
        ("2024-03-04/2024-03-04", "2024-03-04", "2024-03-04", (False, False)),
        ("2024-03-04/2024-03", "2024-03-04", "2024-03-31", (False, False)),
        ("2024-03-04/..", "2024-03-04", None, (False, False)),
        ("../2024-03-04", None, "2024-03-04", (False, False)),
        ("../..", None, None, (False, False)),
        ("1991-08-30/", "1991-08-30", None, (False, True)),
        ("/1991", None, "1991-12-31", (True, False)),
        ("/..", None, None, (True, False)),
        ("/", None, None, (True, True)),
    ],
)
def test_an_interval_gives_its_outer_days_and_tells_open_from_unknown(
    text, earliest, latest, unknown
):
    date = Edtf.parse(text)

    assert date.kind == "interval"
    assert date.earliest == (earliest and day(earliest))
    assert date.latest == (latest and day(latest))
    assert (date.unknown_start, date.unknown_end) == unknown


@pytest.mark.parametrize(
    "text, earliest, latest",
    [
        ("[2022-12-12..2023-02-22]", "2022-12-12", "2023-02-22"),
        ("[..2023-02-22]", None, "2023-02-22"),
        ("[2023-02-22..]", "2023-02-22", None),
        ("[2024-03-04]", "2024-03-04", "2024-03-04"),
        ("[2024-03-04,2024-01,2024-02..2024-05]", "2024-01-01", "2024-05-31"),
        ("[..2024-01-01,2024-03-04]", None, "2024-03-04"),
        ("[2024-01-01,2024-03-04..]", "2024-01-01", None),
        ("[2024-01-01,2024-01-01]", "2024-01-01", "2024-01-01"),
        ("[2024-01..2024-01-09]", "2024-01-01", "2024-01-09"),
        ("[2024-01-30..2024-01]", "2024-01-30", "2024-01-31"),
    ],
)
def test_a_set_gives_the_outer_days_of_its_members(text, earliest, latest):
    date = Edtf.parse(text)

    assert date.kind == "set"
    assert date.earliest == (earliest and day(earliest))
    assert date.latest == (latest and day(latest))
    assert (date.unknown_start, date.unknown_end) == (False, False)


@pytest.mark.parametrize(
    "text, utc",
    [
        ("2024-03-04T12:00:00Z", "2024-03-04T12:00:00+00:00"),
        ("2024-03-04T12:00:00+04:00", "2024-03-04T08:00:00+00:00"),
        ("2024-03-04T22:00:00-03:30", "2024-03-05T01:30:00+00:00"),
        ("2024-03-04T12:00:00.5Z", "2024-03-04T12:00:00.500000+00:00"),
        ("2024-03-04T12:00:00.000001Z", "2024-03-04T12:00:00.000001+00:00"),
    ],
)
def test_an_instant_is_both_its_bounds_in_utc(text, utc):
    date = Edtf.parse(text)

    assert date.earliest == date.latest
    assert isinstance(date.earliest, dt.datetime)
    assert date.earliest.isoformat() == utc
    assert (date.kind, str(date)) == ("date", text)


@pytest.mark.parametrize(
    "text, uncertain, approximate",
    [
        ("2024-03-04", False, False),
        ("2024-03?", True, False),
        ("2024~", False, True),
        ("2024-03-XX%", True, True),
        ("2023?/2024~", True, True),
        ("../2024?", True, False),
        ("2023~/..", False, True),
        ("[2023~..2024]", False, True),
        ("[2023,2024?]", True, False),
    ],
)
def test_marks_are_told_and_never_widen(text, uncertain, approximate):
    date = Edtf.parse(text)
    bare = Edtf.parse(text.replace("?", "").replace("~", "").replace("%", ""))

    assert (date.uncertain, date.approximate) == (uncertain, approximate)
    assert (date.earliest, date.latest) == (bare.earliest, bare.latest)


def test_two_dates_are_equal_if_their_texts_are():
    assert Edtf.parse("2024-03") == Edtf.parse("2024-03")
    assert hash(Edtf.parse("2024-03")) == hash(Edtf.parse("2024-03"))
    assert Edtf.parse("2024-03") != Edtf.parse("2024-03-XX")
    assert repr(Edtf.parse("2024-03")) == "Edtf('2024-03')"


def test_pythons_own_dates_are_read_as_they_write_themselves():
    date = Edtf.parse(dt.date(2024, 3, 4))

    assert date == Edtf.parse("2024-03-04")
    assert Edtf.parse(date) is date
    noon = dt.datetime(2024, 3, 4, 12, tzinfo=FOUR_HOURS_EAST)
    assert Edtf.parse(noon) == Edtf.parse("2024-03-04T12:00:00+04:00")
    assert Edtf.parse(noon).earliest == noon


def test_an_instant_in_a_zone_with_seconds_keeps_its_place():
    local_mean_time = dt.timezone(dt.timedelta(hours=3, minutes=19, seconds=24))
    noon = dt.datetime(1890, 1, 1, 12, tzinfo=local_mean_time)

    assert Edtf.parse(noon).earliest == noon


@pytest.mark.parametrize(
    "value, words",
    [
        # a day that does not exist
        ("2023-02-30", "2023-02-30 is no day: February 2023 has 28 days. Write 2023-02 if"),
        ("2024-04-31", "April 2024 has 30 days"),
        ("2024-04-00", "April 2024 has 30 days"),
        ("2023-13-01", "month 13; months run from 01 to 12"),
        ("2023-00-00", "Write 2023 if only the year is known."),
        ("2023-00-10", "month 00"),
        ("2023-00", "month 00"),
        ("0000-01-01", "the years run from 0001 to 9999"),
        ("00XX", "the years run from 0001 to 9999"),
        ("10000-01-01", "the years run from 0001 to 9999"),
        ("Y12000", "the years run from 0001 to 9999"),
        ("-0043-03-15", "the years run from 0001 to 9999"),
        # another way of writing
        ("2023-2-3", "Write 2023-02-03."),
        ("2023/02/22", "Write 2023-02-22."),
        ("20240304", "Write 2024-03-04."),
        ("22-02-2023", "Write 2023-02-22."),
        ("22/02/2023", "Write 2023-02-22."),
        ("02/22/2023", "Write 2023-02-22."),
        ("22.2.2023", "Write 2023-02-22."),
        ("03/03/2023", "Write 2023-03-03."),
        ("02/03/2023", "ambiguous. Write 2023-03-02 or 2023-02-03, as YYYY-MM-DD"),
        ("2023/02", "Write 2023-02."),
        ("2/2023", "Write 2023-02."),
        ("2023-2", "Write 2023-02."),
        ("99/99/2023", "is no date. Write a day as 2024-03-04"),
        ("2023-2-30", "is no date. Write a day as 2024-03-04"),
        ("2024-03-04?~", "Write 2024-03-04%."),
        ("2024-03-04??", "Write 2024-03-04?."),
        ("2024-03-04~%", "Write 2024-03-04%."),
        # forms of the standard that are not read
        ("2024-21", "is a season"),
        ("2024-21", "as [2024-03..2024-05] for one unknown day of these, or 2024-03/2024-05"),
        ("2024-41", "is a season"),
        ("2024-42", "month 42"),
        ("{2024-01,2024-02}", "several days at once"),
        ("1950S2", "significant digits"),
        ("19", "19XX"),
        ("196", "196X"),
        ("2024-W10", "is a week"),
        ("2024-064", "is a day of the year"),
        ("P3D", "is a duration"),
        ("2004-06~-11", "has a mark inside"),
        ("?2004-06-11", "has a mark inside"),
        ("1XXX", "X where none may be"),
        ("2024-1X", "X where none may be"),
        ("2024-XX-04", "X where none may be"),
        ("202X-03", "X where none may be"),
        ("202X-XX?", "X where none may be"),
        ("2024-01-01..2024-02-01", "lacks a form"),
        # times of day
        ("2023-02-22T25:00:00Z", "hour 25"),
        ("2024-03-04T24:00:00Z", "hour 24"),
        ("2024-03-04T12:60:00Z", "minute 60"),
        ("2024-03-04T12:00:61Z", "second 61"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("2024-03-04T12:00:00", "no zone. Add Z or +04:00, or give the day alone: 2024-03-04"),
        ("2024-03-04T12:00:00+25:00", "hour of an offset 25"),
        ("2024-03-04T12:00:00+04:60", "minute of an offset 60"),
        ("2024-03-04T12:00Z", "is no instant"),
        ("2024-03-04t12:00:00z", "is no instant"),
        ("2024-03-04T12:00:00+0400", "is no instant"),
        ("2024-03-04T12:00:00.1234567Z", "at most six digits"),
        ("2024-03-04T12:00:00Z?", "marks a time of day"),
        ("2023-02-30T12:00:00Z", "February 2023 has 28 days"),
        ("0001-01-01T00:00:00+04:00", "the years run from 0001 to 9999"),
        ("9999-12-31T23:00:00-04:00", "the years run from 0001 to 9999"),
        ("2024-03-04T12:00:00Z/2024-03-05", "times of day stand alone. Write the day, 2024-03-04"),
        ("../2024-03-05T12:00:00Z", "times of day stand alone"),
        ("[2024-03-04T12:00:00Z..2024-03-05]", "inside a set"),
        # intervals and sets
        ("2024-03-04/2024-02-01", "The interval '2024-03-04/2024-02-01' runs backwards"),
        ("[2024-03-04..2024-02-01]", "The set '[2024-03-04..2024-02-01]' runs backwards"),
        ("2024-02-30/2024-03-01", "2024-02-30 is no day: February 2024 has 29 days"),
        ("2024-03-04/05", "'05'"),
        ("2024-03-04/2024-03-05/2024-03-06", "is no date"),
        ("[]", "is no set"),
        ("[..]", "is no set"),
        ("[2024-01-01..2024-02-01", "is no set"),
        ("[2024-01-01,]", "empty place"),
        ("[,2024-01-01]", "empty place"),
        ("[2024-01-01,..2024-02-01]", "empty place"),
        ("[2024-01-01..,2024-02-01]", "empty place"),
        ("[2024-01-01..,2024-01-01..]", "empty place"),
        ("[2024-01-01,..]", "empty place"),
        ("[2024-01-01..2024-02-01]?", "is no set"),
        # signs
        ("", "is empty"),
        ("  ", "is empty"),
        (" 2024-03-04", "has a blank in front. Write '2024-03-04'"),
        ("2024-03-04 ", "has a blank at the end"),
        ("2024-03-04\n", "has a line feed at the end"),
        ("2024-03-04T12:00:00Z\n", "has a line feed at the end"),
        ("[2024-01-01, 2024-02-01]", "has a blank inside"),
        ("2024-03-04 12:00:00Z", "between a day and a time write T"),
        ("٢٠٢٤-٠٣-٠٤", "only the digits 0-9 and the signs of ISO 8601 count. Write 2024-03-04."),
        ("２０２４-03-04", "Write 2024-03-04."),
        ("2024–03–04", "Write 2024-03-04."),
        ("2024年3月4日", "Write a day as 2024-03-04"),
        ("2024-03-04\0", "is no date"),
        ("yesterday", "is in words"),
        ("Tuesday", "is in words"),
        ("4 März 2024", "is in words"),
        ("?" * 2000, "too long for a date"),
        # what is no text
        (None, "date must be text, a date or a datetime, got nothing"),
        (20240304, "got int 20240304"),
        (True, "got bool True"),
        (b"2024-03-04", "got bytes"),
        (dt.datetime(2024, 3, 4, 12), "Add Z or +04:00, or give the day alone: 2024-03-04"),  # noqa: DTZ001
    ],
)
def test_what_is_no_date_is_refused_with_what_to_type(value, words):
    with pytest.raises(InvalidDate) as caught:
        Edtf.parse(value)

    assert words in caught.value.message
    assert caught.value.given == value


def test_the_date_that_pandas_puts_where_there_is_none_is_refused():
    with pytest.raises(InvalidDate, match=r"uttered must be text, .* NaTType NaT.* Leave it"):
        Edtf.parse(pd.NaT, field="uttered")


def test_a_refusal_names_its_field():
    with pytest.raises(InvalidDate, match="uttered must be text") as caught:
        Edtf.parse(3.5, field="uttered")  # type: ignore[arg-type]

    assert caught.value.field == "uttered"


@given(st.text(alphabet="0123XY?~%-/.[],{}TZ:+ W\n٢", max_size=30))
def test_every_text_is_read_or_refused(text):
    try:
        date = Edtf.parse(text)
    except InvalidDate:
        return
    assert str(date) == text
    if date.earliest is not None and date.latest is not None:
        assert date.earliest <= date.latest


def test_the_dates_of_the_worked_example_give_the_bounds_listed_there(shared):
    seed = json.loads(shared("data/seed/claims.json").read_text(encoding="utf-8"))
    times = [
        claim[axis] for claim in seed["claims"] for axis in ("uttered", "published", "about")
    ] + [seed["document"]["published"]]
    listed = {time["edtf"]: (time["earliest"], time["latest"]) for time in times}

    assert len(listed) == 13
    for text, expected in listed.items():
        date = Edtf.parse(text)
        found = tuple(end and write_bound(end) for end in (date.earliest, date.latest))
        assert found == expected, text


def test_the_hostile_dates_are_accepted_and_refused_as_their_table_asks(shared):
    path = shared("data/hostile/dates.jsonl")
    lines = path.read_bytes().split(b"\n")
    verdicts = json.loads((path.parent / "expected.json").read_text())["files"][path.name]
    # The publication, which these two contradict, is not known to a date.
    elsewhere = {31, 32}
    # Of what may be warned of or refused: year 0, a leap second and an instant without zone are
    # refused; null is a date left out.
    warnings = {11, 17, 18, 25}
    seen = {}
    for number, verdict in verdicts:
        claim = json.loads(lines[number - 1])
        if claim["type"] != "claim" or number in elsewhere:
            continue
        try:
            Edtf.parse(claim["uttered"])
        except InvalidDate:
            seen[number] = "refuse"
        else:
            seen[number] = "accept"
        assert seen[number] == ("refuse" if number in warnings else verdict), lines[number - 1]
    assert len(seen) == 28


def texts_of_every_form():
    """Texts of every form that both readers know; it pads unknown ends and drops times of day."""
    single = ["2024-03-04", "2024-02", "1900-02", "2024", "2024-02-XX", "2024-XX", "2024-XX-XX"]
    single += ["202X", "20XX", "1985-04?", "1985~", "1985-04-12%"]
    return [
        *single,
        *("2023-01/2024-02-03", "2023?/2024~", "2024-01-01/..", "../2024-02", "../.."),
        *("[2022-12-12..2023-02-22]", "[..2023-02]", "[2023-02..]", "[2024-01,2024-03..2024-05]"),
    ]


def test_bounds_agree_with_an_independent_reader():
    edtf = pytest.importorskip("edtf")

    for text in texts_of_every_form():
        ours, theirs = Edtf.parse(text), edtf.parse_edtf(text)
        low, high = theirs.lower_strict(), theirs.upper_strict()
        assert ours.earliest == (None if low == -float("inf") else dt.date(*low[:3])), text
        assert ours.latest == (None if high == float("inf") else dt.date(*high[:3])), text
