"""Cuts, and the comparing of days with instants."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidView
from ledger.model.moment import (
    Edtf,
    Knob,
    earliest_reading,
    latest_reading,
    maybe_reached,
    surely_before,
    surely_reached,
    write_bound,
)

UTC = dt.UTC
FOUR_HOURS_EAST = dt.timezone(dt.timedelta(hours=4))


def day(text):
    return dt.date.fromisoformat(text)


def instant(text):
    return dt.datetime.fromisoformat(text)


def zone(name):
    try:
        return zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip(f"no time zone data for {name}")


def bound_of(text):
    bound = Edtf.parse(text).latest
    assert bound is not None
    return bound


days = st.dates()
zones = st.integers(-14 * 4, 14 * 4).map(
    lambda quarters: dt.timezone(quarters * dt.timedelta(minutes=15))
)
instants = st.builds(
    lambda date, time, here: dt.datetime.combine(date, time, tzinfo=here),
    st.dates(min_value=dt.date(1, 1, 3), max_value=dt.date(9999, 12, 29)),
    st.times(),
    zones,
)
bounds = days | instants


def test_a_plain_day_cuts_at_its_end_in_utc():
    knob = Knob.parse("2023-01-18")

    assert (knob.day, knob.instant) == (day("2023-01-18"), None)
    assert knob.starts() == instant("2023-01-18T00:00:00+00:00")
    assert knob.end() == instant("2023-01-18T23:59:59.999999+00:00")
    assert str(knob) == "2023-01-18"
    assert knob == Knob.parse(dt.date(2023, 1, 18))


def test_a_day_in_a_zone_cuts_at_its_end_there():
    knob = Knob.parse("2023-01-18", zone=FOUR_HOURS_EAST)

    assert knob.starts() == instant("2023-01-17T20:00:00+00:00")
    assert knob.end() == instant("2023-01-18T19:59:59.999999+00:00")
    assert str(knob) == "2023-01-18 (UTC+04:00)"
    assert knob != Knob.parse("2023-01-18")


def test_an_instant_cuts_at_itself():
    knob = Knob.parse("2023-01-18T12:00:00+04:00", zone=FOUR_HOURS_EAST)

    assert knob.day is None
    assert knob.instant == knob.starts() == knob.end() == instant("2023-01-18T08:00:00+00:00")
    assert str(knob) == "2023-01-18T08:00:00Z"
    assert knob == Knob.parse(instant("2023-01-18T08:00:00+00:00"), zone=FOUR_HOURS_EAST)


@pytest.mark.parametrize(
    "name, date, start, end",
    [
        # clocks go back over midnight: the day's last hour comes twice, with a minute of the next
        ("America/St_Johns", "2006-10-28", "2006-10-28T02:30", "2006-10-29T03:30"),
        # clocks go forward at midnight: the next day begins at 01:00
        ("Asia/Beirut", "2024-03-30", "2024-03-29T22:00", "2024-03-30T22:00"),
        ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00", "2024-03-31T21:00"),
        # the day after was left out of the calendar
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", "2011-12-30T10:00"),
    ],
)
def test_a_day_is_as_long_as_the_clocks_of_its_zone_make_it(name, date, start, end):
    knob = Knob.parse(date, zone=zone(name))

    assert knob.starts() == instant(f"{start}+00:00")
    assert knob.end() + dt.datetime.resolution == instant(f"{end}+00:00")


@given(days, st.sampled_from(["Europe/London", "America/Sao_Paulo", "Asia/Baku", "Asia/Beirut"]))
def test_the_instants_around_the_end_of_a_day_stand_on_either_side_of_it(date, name):
    if not dt.date(1990, 1, 1) < date < dt.date(2100, 1, 1):
        date = date.replace(year=1990 + date.year % 100, day=1)
    here = zone(name)
    knob = Knob.parse(date, zone=here)

    assert knob.end().astimezone(here).date() == date
    assert (knob.end() + dt.datetime.resolution).astimezone(here).date() > date


@pytest.mark.parametrize(
    "value, words",
    [
        (
            "2023-01",
            "said='2023-01' is more than one day. Give a day, as 2023-01-18, or an instant",
        ),
        ("2023", "more than one day"),
        ("2023-01-XX", "more than one day"),
        ("2023-01-01/2023-01-01", "more than one day"),
        ("2023-01-01/..", "more than one day"),
        ("../..", "more than one day"),
        ("[2023-01-01]", "more than one day"),
        ("2023-01-18?", "Give 2023-01-18."),
        ("2023-01-18T12:00:00", "said: 2023-01-18T12:00:00 has no zone. Add Z or +04:00"),
        (dt.datetime(2023, 1, 18, 12), "no zone"),  # noqa: DTZ001
        ("2023-02-30", "February 2023 has 28 days"),
        ("", "said: The date is empty"),
        (None, "said must be text"),
    ],
)
def test_a_cut_that_is_no_day_and_no_instant_is_refused(value, words):
    with pytest.raises(InvalidView) as caught:
        Knob.parse(value)

    assert words in caught.value.message
    assert (caught.value.field, caught.value.given) == ("said", value)


def test_a_refused_cut_is_called_by_its_name():
    with pytest.raises(InvalidView, match=r"^known='2023'") as caught:
        Knob.parse("2023", name="known")

    assert caught.value.field == "known"


@pytest.mark.parametrize("hours", [-12, 0, 14])
def test_the_first_and_the_last_day_there_are_can_be_cut_at(hours):
    here = dt.timezone(dt.timedelta(hours=hours))
    first, last = (Knob.parse(date, zone=here) for date in (dt.date.min, dt.date.max))

    assert first.starts() < first.end() < last.starts() < last.end()
    assert last.end() == dt.datetime.max.replace(tzinfo=UTC)


def test_a_day_is_read_from_its_first_to_its_last_hour_on_earth():
    assert earliest_reading(day("2024-03-04")) == instant("2024-03-04T00:00:00+14:00")
    assert latest_reading(day("2024-03-04")) == instant("2024-03-05T00:00:00-12:00")


def test_an_instant_has_one_reading():
    noon = instant("2024-03-04T12:00:00+04:00")

    assert earliest_reading(noon) == latest_reading(noon) == noon


def test_readings_stop_where_time_does():
    assert earliest_reading(dt.date.min) == dt.datetime.min.replace(tzinfo=UTC)
    assert latest_reading(dt.date.max) == dt.datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "a, b, before",
    [
        ("2024-03-04", "2024-03-05", True),
        ("2024-03-04", "2024-03-04", False),
        ("2024-03-05", "2024-03-04", False),
        ("2024-03-04T12:00:00+00:00", "2024-03-04T12:00:00.000001+00:00", True),
        ("2024-03-04T12:00:00+00:00", "2024-03-04T16:00:00+04:00", False),
        ("2024-03-04", "2024-03-05T12:00:00+00:00", True),
        ("2024-03-04", "2024-03-05T11:59:59.999999+00:00", False),
        ("2024-03-03T09:59:59.999999+00:00", "2024-03-04", True),
        ("2024-03-03T10:00:00+00:00", "2024-03-04", False),
    ],
)
def test_a_bound_is_surely_before_another_only_in_every_reading(a, b, before):
    assert surely_before(bound_of(a), bound_of(b)) is before


@pytest.mark.parametrize(
    "bound, cut, surely, maybe",
    [
        # day against day: as dates
        ("2024-03-04", "2024-03-04", True, True),
        ("2024-03-05", "2024-03-04", False, False),
        # an instant against a day: within the day's end in UTC
        ("2024-03-04T23:59:59.999999Z", "2024-03-04", True, True),
        ("2024-03-05T00:00:00Z", "2024-03-04", False, False),
        # an instant against an instant: at it is in
        ("2024-03-04T12:00:00Z", "2024-03-04T12:00:00Z", True, True),
        ("2024-03-04T12:00:00.000001Z", "2024-03-04T12:00:00Z", False, False),
        # a day against an instant: the widest reading
        ("2024-03-04", "2024-03-03T09:59:59.999999Z", False, False),
        ("2024-03-04", "2024-03-03T10:00:00Z", False, True),
        ("2024-03-04", "2024-03-05T11:59:59.999999Z", False, True),
        ("2024-03-04", "2024-03-05T12:00:00Z", True, True),
    ],
)
def test_a_bound_is_reached_surely_or_maybe(bound, cut, surely, maybe):
    end, knob = bound_of(bound), Knob.parse(cut)

    assert (surely_reached(end, knob), maybe_reached(end, knob)) == (surely, maybe)


def test_an_instant_is_reached_by_the_end_of_a_day_in_the_zone_of_the_cut():
    evening = instant("2024-03-04T21:00:00+00:00")

    assert surely_reached(evening, Knob.parse("2024-03-04"))
    assert not maybe_reached(evening, Knob.parse("2024-03-04", zone=FOUR_HOURS_EAST))


@given(bounds, bounds)
def test_no_bound_is_before_another_and_after_it(a, b):
    assert not (surely_before(a, b) and surely_before(b, a))
    assert not surely_before(a, a)


@given(bounds, bounds, bounds)
def test_what_is_before_what_is_before_is_before(a, b, c):
    if surely_before(a, b) and surely_before(b, c):
        assert surely_before(a, c)


@given(bounds, bounds, zones)
def test_what_is_surely_reached_is_maybe_reached(bound, cut, here):
    knob = Knob.parse(cut, zone=here)

    assert maybe_reached(bound, knob) or not surely_reached(bound, knob)


@given(bounds, instants)
def test_reached_and_after_an_instant_exclude_each_other(bound, cut):
    knob = Knob.parse(cut)

    assert maybe_reached(bound, knob) is not surely_before(cut, bound)


@given(bounds)
def test_a_bound_that_is_written_reads_as_itself(bound):
    assert Edtf.parse(write_bound(bound)).earliest == bound
