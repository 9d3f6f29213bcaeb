"""When an act of saying can have happened, asked at a cut."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.model.bounds import Bounds, first_of, last_of
from ledger.model.moment import Edtf, Knob, maybe_reached

START = dt.date(2023, 1, 10)
NOON = dt.datetime(2023, 1, 12, 12, tzinfo=dt.UTC)

days = st.integers(0, 8).map(lambda n: START + dt.timedelta(days=n))
instants = st.integers(0, 8 * 24).map(
    lambda n: dt.datetime.combine(START, dt.time(), tzinfo=dt.UTC) + dt.timedelta(hours=n)
)
zones = st.sampled_from([dt.UTC, *(dt.timezone(dt.timedelta(hours=h)) for h in (-12, 4, 14))])


def knobs_of(kind):
    return st.builds(lambda at, zone: Knob.parse(at, zone=zone), kind, zones)


def bounds_of(ends):
    return st.builds(
        lambda lows, highs: Bounds(lows=lows, highs=highs),
        st.frozensets(ends, max_size=2),
        st.frozensets(ends, max_size=3),
    )


# What can be compared without a doubt: cuts and bounds of one kind, or any bounds at an instant.
bounds_and_cut = st.one_of(
    st.tuples(bounds_of(days), bounds_of(days), knobs_of(days)),
    st.tuples(bounds_of(instants), bounds_of(instants), knobs_of(days)),
    st.tuples(bounds_of(days | instants), bounds_of(days | instants), knobs_of(instants)),
)


def of(text, *highs):
    return Bounds.of(text and Edtf.parse(text), *highs)


@pytest.mark.parametrize(
    "text, cut, answer",
    [
        ("2023-01-18", "2023-01-17", "not_yet"),
        ("2023-01-18", "2023-01-18", "certain"),
        ("[2022-12-12..2023-02-22]", "2022-12-11", "not_yet"),
        ("[2022-12-12..2023-02-22]", "2022-12-12", "possible"),
        ("[2022-12-12..2023-02-22]", "2023-02-21", "possible"),
        ("[2022-12-12..2023-02-22]", "2023-02-22", "certain"),
        ("[..2023-01-18]", "0001-01-01", "possible"),
        ("[2023-01-18..]", "9999-12-31", "possible"),
        ("../..", "2023-01-18", "possible"),
        ("2023-01-18", "2023-01-17T09:59:59Z", "not_yet"),
        ("2023-01-18", "2023-01-18T12:00:00Z", "possible"),
        ("2023-01-18", "2023-01-19T12:00:00Z", "certain"),
        ("2023-01-18T12:00:00Z", "2023-01-18", "certain"),
    ],
)
def test_a_date_is_certain_possible_or_not_yet_at_a_cut(text, cut, answer):
    assert of(text).said_by(Knob.parse(cut)) == answer


def test_any_upper_bound_makes_it_certain_each_in_its_own_kind():
    recorded = dt.datetime(2023, 2, 23, 10, tzinfo=dt.UTC)
    bounds = of("[2022-12-12..]", dt.date(2023, 2, 22), recorded, None)

    assert bounds.highs == {dt.date(2023, 2, 22), recorded}
    assert bounds.said_by(Knob.parse("2023-02-21")) == "possible"
    assert bounds.said_by(Knob.parse("2023-02-22")) == "certain"
    assert bounds.said_by(Knob.parse("2023-02-23T09:59:59Z")) == "possible"
    assert bounds.said_by(Knob.parse("2023-02-23T10:00:00Z")) == "certain"


def test_no_date_is_an_open_start():
    bounds = of(None, dt.date(2023, 2, 22))

    assert bounds.lows == frozenset()
    assert bounds.said_by(Knob.parse("0001-01-01")) == "possible"


def test_further_upper_bounds_are_added_and_lower_ones_kept():
    bounds = of("2023-01-18").with_highs([dt.date(2023, 1, 20), NOON])

    assert bounds.lows == {dt.date(2023, 1, 18)}
    assert bounds.highs == {dt.date(2023, 1, 18), dt.date(2023, 1, 20), NOON}


def test_two_bounds_meet_in_what_both_allow():
    both = of("[2023-01-10..2023-01-14]").meet(of("[2023-01-12..2023-01-18]"))

    assert str(both) == "2023-01-12..2023-01-14"
    assert not both.empty()


def test_bounds_that_share_no_day_meet_in_nothing():
    assert of("2023-01-10").meet(of("2023-01-11")).empty()
    assert not of("2023-01-10").meet(of("2023-01-10")).empty()
    assert not Bounds().empty()


def test_a_day_and_an_instant_in_its_widest_reading_do_meet():
    assert not of("2023-01-13").meet(of("2023-01-12T10:00:00Z")).empty()
    assert of("2023-01-13").meet(of("2023-01-12T09:59:59Z")).empty()


def test_one_act_precedes_another_if_it_is_over_before_that_can_begin():
    assert of("[..2023-01-17]").precedes(of("2023-01-18"))
    assert not of("[..2023-01-18]").precedes(of("2023-01-18"))
    assert not of("2023-01-18").precedes(of("[..2023-01-20]"))
    assert not of("[2023-01-18..]").precedes(of("2023-01-20"))


def test_the_days_of_an_instant_are_those_it_is_anywhere_on_earth():
    just_before, just = (
        dt.datetime(2023, 1, 12, 12, tzinfo=dt.UTC) - dt.timedelta(microseconds=n) for n in (1, 0)
    )
    evening = dt.datetime(2023, 1, 12, 10, tzinfo=dt.UTC)

    assert of(just_before.isoformat()).first_day() == dt.date(2023, 1, 11)
    assert of(just.isoformat()).first_day() == dt.date(2023, 1, 12)
    assert of((evening - dt.timedelta(microseconds=1)).isoformat()).last_day() == dt.date(
        2023, 1, 12
    )
    assert of(evening.isoformat()).last_day() == dt.date(2023, 1, 13)


def test_the_days_are_the_tightest_and_open_ends_have_none():
    bounds = of("2023-01-10").meet(of("[2023-01-08..2023-01-12]"))

    assert (bounds.first_day(), bounds.last_day()) == (dt.date(2023, 1, 10),) * 2
    assert (Bounds().first_day(), Bounds().last_day()) == (None, None)


def test_days_stop_where_the_calendar_does():
    first, last = of("0001-01-01T00:00:00Z"), of("9999-12-31T23:59:59Z")

    assert (first.first_day(), last.last_day()) == (dt.date.min, dt.date.max)


@pytest.mark.parametrize(
    "text, highs, shown",
    [
        ("2023-01-18", (), "2023-01-18"),
        ("2022-12-12/2023-02-22", (), "2022-12-12..2023-02-22"),
        ("[..2023-01-18]", (), "..2023-01-18"),
        ("[2023-01-18..]", (), "2023-01-18.."),
        (None, (), ".."),
        ("2023-01-12T12:00:00Z", (), "2023-01-12T12:00:00Z"),
        ("[2022..2024]", (dt.date(2023, 2, 22), dt.date(2023, 3, 1)), "2022-01-01..2023-02-22"),
        # recorded on the day itself: the day is what the text says
        ("2023-01-12", (NOON,), "2023-01-12"),
        (None, (dt.date(2023, 1, 12), NOON), "..2023-01-12"),
        # an instant in the day of publication: the instant is what the text says
        ("2023-01-12T12:00:00Z", (dt.date(2023, 1, 12),), "2023-01-12T12:00:00Z"),
        # recorded before the last day it could be
        ("[2023-01-01..2023-02-22]", (NOON,), "2023-01-01..2023-01-12T12:00:00Z"),
        # recorded after
        ("[2023-01-01..2023-01-10]", (NOON,), "2023-01-01..2023-01-10"),
    ],
)
def test_bounds_show_their_tightest_ends(text, highs, shown):
    assert str(of(text, *highs)) == shown


def test_the_tighter_start_is_shown():
    assert of("2023-01-12T12:00:00Z").meet(of("2023-01-12")).earliest == NOON
    assert Bounds(lows=frozenset({NOON, dt.date(2023, 1, 12)})).earliest == dt.date(2023, 1, 12)
    assert Bounds(lows=frozenset({NOON, dt.date(2023, 1, 10)})).earliest == NOON
    assert Bounds(lows=frozenset({NOON, dt.date(2023, 1, 15)})).earliest == dt.date(2023, 1, 15)


def test_a_list_is_sorted_by_latest_bound_then_earliest_open_starts_first_open_ends_last():
    in_order = [
        "[..2023-01-10]",
        "[2023-01-05..2023-01-10]",
        "2023-01-10",
        "2023-01-11T12:00:01Z",
        "[2023-01-01..2023-01-11]",
        "9999-12-31",
        "../..",
        "[2023-01-05..]",
    ]

    assert sorted(set(in_order), key=lambda text: of(text).sort_key()) == in_order


@given(days, instants)
def test_recording_it_on_the_day_moves_nothing_in_a_list(day, recorded):
    bounds = of(day.isoformat())
    later = bounds.with_highs([recorded])
    assume(not later.empty())

    assert later.sort_key() == bounds.sort_key()


@given(bounds_and_cut)
def test_narrowing_never_moves_a_claim_past_its_bounds(drawn):
    wide, other, knob = drawn
    narrow = wide.meet(other)
    assume(not narrow.empty())

    if wide.said_by(knob) != "possible":
        assert narrow.said_by(knob) == wide.said_by(knob)


@given(bounds_and_cut, st.integers(1, 400))
def test_with_a_later_cut_a_claim_only_becomes_surer(drawn, hours):
    bounds, _, knob = drawn
    step = dt.timedelta(hours=hours) if knob.instant else dt.timedelta(days=hours)
    later = Knob.parse(knob.at + step, zone=knob.zone)
    order = ("not_yet", "possible", "certain")
    assume(not bounds.empty())

    assert order.index(bounds.said_by(knob)) <= order.index(bounds.said_by(later))


@given(bounds_of(days | instants), bounds_of(days | instants), knobs_of(instants))
def test_if_one_precedes_another_it_is_certain_once_the_other_has_surely_begun(one, other, knob):
    assume(not other.empty())
    if one.precedes(other) and other.said_by(knob) == "certain":
        assert one.said_by(knob) == "certain"


@given(bounds_of(days | instants), bounds_of(days | instants))
def test_two_acts_do_not_precede_each_other(one, other):
    assume(not (one.empty() or other.empty()))
    assert not (one.precedes(other) and other.precedes(one))


@given(bounds_of(days | instants), bounds_of(days | instants))
def test_meeting_has_no_order_and_repeats_nothing(one, other):
    assert one.meet(other) == other.meet(one)
    assert one.meet(one) == one


@given(bounds_of(days))
def test_days_are_shown_as_the_outermost_of_what_all_bounds_allow(bounds):
    assert bounds.earliest == bounds.first_day() == max(bounds.lows, default=None)
    assert bounds.latest == bounds.last_day() == min(bounds.highs, default=None)


@given(instants, knobs_of(days))
def test_an_instant_lies_within_the_days_it_is_given(instant, knob):
    bounds = of(instant.isoformat())
    local = instant.astimezone(knob.zone).date()

    assert bounds.first_day() <= local <= bounds.last_day()
    assert maybe_reached(instant, knob) is (local <= knob.day)


def test_the_claims_of_the_worked_example_are_said_when_it_says_so(shared):
    seed = json.loads(shared("data/seed/claims.json").read_text(encoding="utf-8"))
    published = Edtf.parse(seed["document"]["published"]["edtf"]).latest
    bounds = {c["id"]: of(c["uttered"]["edtf"], published) for c in seed["claims"]}

    def said(answer, cut):
        knob = Knob.parse(cut)
        return [id_ for id_, bound in bounds.items() if bound.said_by(knob) == answer]

    between = ["C08", "C09", "C10", "C11", "C12", "C13"]
    assert said("certain", "2022-12-11") == ["C07"]
    assert said("possible", "2022-12-11") == ["C11", "C16"]
    assert said("certain", "2023-01-17") == ["C07"]
    assert said("possible", "2023-01-17") == [*between, "C16"]
    assert said("certain", "2023-01-18") == ["C07", "C14", "C15", "C16"]
    assert said("possible", "2023-01-18") == between
    assert said("certain", "2023-02-21") == ["C07", "C14", "C15", "C16"]
    assert said("possible", "2023-02-21") == between
    assert len(said("certain", "2023-02-22")) == 16


@given(st.lists(st.tuples(days, days).map(sorted), min_size=1, max_size=4), st.data())
def test_the_first_and_the_last_of_several_acts_lie_in_their_bounds(spans, data):
    several = [Bounds(lows=frozenset({low}), highs=frozenset({high})) for low, high in spans]
    when = [data.draw(st.dates(low, high)) for low, high in spans]
    for found, end in ((first_of(several), min(when)), (last_of(several), max(when))):
        assert found.earliest <= end <= found.latest
    # No tighter ones would do: all acts may have been as early, or as late, as each could be.
    assert first_of(several).earliest == min(low for low, _ in spans)
    assert first_of(several).latest == min(high for _, high in spans)
    assert last_of(several).earliest == max(low for low, _ in spans)
    assert last_of(several).latest == max(high for _, high in spans)


ends_of_any_kind = st.one_of(
    st.tuples(days, days).map(sorted),
    st.tuples(instants, instants).map(sorted),
    days.map(lambda day: (day, day)),
)


@given(st.lists(ends_of_any_kind, min_size=1, max_size=4))
def test_days_beside_instants_never_read_the_wrong_way_round(spans):
    several = [Bounds(lows=frozenset({low}), highs=frozenset({high})) for low, high in spans]
    for found in (first_of(several), last_of(several)):
        low, high = found.earliest, found.latest
        assert str(low)[:10] <= str(high)[:10]
        assert low in {low for low, _ in spans}
        assert high in {high for _, high in spans}


@pytest.mark.parametrize(
    "texts, first, last",
    [
        (("2023-01-08", "2023-01-09T03:00:00Z"), "2023-01-08..2023-01-09T03:00:00Z", None),
        (("2023-01-08T12:00:00Z", "2023-01-09"), None, "2023-01-08T12:00:00Z..2023-01-09"),
    ],
)
def test_of_a_day_and_an_instant_in_reach_of_it_the_listed_one_is_told(texts, first, last):
    """A day may last until noon of the next in UTC: the ends of the two would cross."""
    several = [of(text) for text in texts]
    assert str(first_of(several)) == (first or texts[0])
    assert str(last_of(several)) == (last or texts[1])


def test_who_cannot_be_the_first_or_the_last_lends_only_the_other_end():
    month, day = of("2023-01"), of("2023-01-05")
    assert str(first_of([day, month], [day])) == "2023-01-05"
    assert str(last_of([day, month], [month])) == "2023-01-05..2023-01-31"


def test_the_first_of_several_is_open_where_one_has_no_start_and_the_last_where_one_has_no_end():
    several = [of("[..2023-01-18]"), of("2023-01-12"), of("[2023-01-10..]")]
    assert [str(first_of(several)), str(last_of(several))] == ["..2023-01-12", "2023-01-12.."]
