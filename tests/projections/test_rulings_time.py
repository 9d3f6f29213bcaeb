"""Certain, possible and not yet; two knobs; names of a day: as examples (model.md, 1 and 3)."""

from __future__ import annotations

import datetime as dt

import pytest

from ledger import Party
from ledger.errors import AmbiguousName, InvalidClaim, InvalidView, UnknownName


def certainty(told, said):
    rows = told.ledger.as_of(said=said).claims().rows
    return {row.id: row.certainty for row in rows}.get("c1", "not yet")


def as_said(told, uttered, *said):
    """What a claim is at each of some cuts."""
    told.claim("c1", "river", uttered=uttered)
    return [certainty(told, cut) for cut in said]


def test_words_of_a_day_are_certain_from_that_day_on(told):
    cuts = ("2023-01-04", "2023-01-05")
    assert as_said(told, "2023-01-05", *cuts) == ["not yet", "certain"]


@pytest.mark.parametrize("month", ["2023-01", "2023-01-XX"])
def test_words_of_a_month_are_possible_until_it_is_over(told, month):
    cuts = ("2022-12-31", "2023-01-01", "2023-01-30", "2023-01-31")
    assert as_said(told, month, *cuts) == ["not yet", "possible", "possible", "certain"]


@pytest.mark.parametrize("mark", ["?", "~", "%"])
def test_a_mark_never_widens_a_bound(told, mark):
    cuts = ("2023-01-04", "2023-01-05")
    assert as_said(told, f"2023-01-05{mark}", *cuts) == ["not yet", "certain"]


def test_one_of_a_set_of_days_is_possible_from_its_first_to_its_last(told):
    cuts = ("2023-01-02", "2023-01-03", "2023-01-08", "2023-01-09")
    uttered = "[2023-01-03..2023-01-09]"
    assert as_said(told, uttered, *cuts) == ["not yet", "possible", "possible", "certain"]


def test_an_interval_was_said_by_its_end_as_one_of_a_set_was(told):
    cuts = ("2023-01-02", "2023-01-03", "2023-01-09")
    assert as_said(told, "2023-01-03/2023-01-09", *cuts) == ["not yet", "possible", "certain"]


def test_one_of_two_days_is_about_neither_day_between_and_an_interval_about_all(told):
    told.claim("one", "river", about="[2023-01-03,2023-01-09]")
    told.claim("all", "river", about="2023-01-03/2023-01-09")
    view = told.ledger.as_of()
    assert set(view.claims(about="2023-01-05").ids) == {"all"}
    assert set(view.claims(about="2023-01-09").ids) == {"all", "one"}


def test_an_open_start_is_possible_however_early(told):
    cuts = ("1900-01-01", "2023-01-09")
    assert as_said(told, "../2023-01-09", *cuts) == ["possible", "certain"]


def test_words_without_a_date_are_possible_however_early_and_certain_once_recorded(told):
    cuts = ("1900-01-01", "2023-02-28", "2023-03-01")
    assert as_said(told, None, *cuts) == ["possible", "possible", "certain"]


def test_the_recording_clamps_an_open_end(told):
    cuts = ("2023-01-04", "2023-02-28", "2023-03-01")
    assert as_said(told, "2023-01-05/..", *cuts) == ["not yet", "possible", "certain"]


def test_both_ends_count_to_the_second(told):
    cuts = ("2023-01-05T21:59:59Z", "2023-01-05T22:00:00Z")
    assert as_said(told, "2023-01-05T22:00:00Z", *cuts) == ["not yet", "certain"]


def test_a_day_in_no_zone_lasts_fifty_hours_against_an_instant(told):
    """From 00:00 at UTC+14 to 24:00 at UTC-12."""
    begins = ("2023-01-04T09:59:59Z", "2023-01-04T10:00:00Z")
    ends = ("2023-01-06T11:59:59Z", "2023-01-06T12:00:00Z")
    assert as_said(told, "2023-01-05", *begins, *ends) == [
        "not yet",
        "possible",
        "possible",
        "certain",
    ]


def test_a_plain_date_as_a_knob_is_the_end_of_that_day_in_utc(told):
    cuts = ("2023-01-05", "2023-01-06")
    assert as_said(told, "2023-01-05T22:00:00-05:00", *cuts) == ["not yet", "certain"]


def test_a_knobs_day_may_be_of_a_zone(told):
    told.claim("c1", "river", uttered="2023-01-05T22:00:00Z")
    ahead = dt.timezone(dt.timedelta(hours=4))
    assert len(told.ledger.as_of(said="2023-01-05").claims()) == 1
    assert len(told.ledger.as_of(said="2023-01-05", zone=ahead).claims()) == 0


def test_the_publication_clamps_what_the_document_carries(told):
    told.claim("c1", "river", uttered="2023-01/2023-12", document="gazette-1")
    found = [certainty(told, cut) for cut in ("2023-01-05", "2023-01-06")]
    assert found == ["possible", "certain"]


def test_a_position_tells_its_possible_claims_and_decides_without_them(told):
    told.claim("sure", "river", uttered="2023-01-03")
    told.claim("maybe", "river", uttered="2023-01", stance="opposes")
    one = told.ledger.as_of(said="2023-01-09").position("river", "quay")
    assert (one.status, one.stance, [e.claim for e in one.possible]) == (
        "held",
        "supports",
        ["maybe"],
    )


def test_possible_claims_alone_make_a_possible_position(told):
    told.claim("maybe", "river", uttered="2023-01")
    assert told.stands("river", "2023-01-09") == ("possible", None)
    assert told.stands("river", "2022-12-31") == ("silent", None)


def test_words_surely_after_their_publication_or_recording_are_refused(told):
    for fields in ({"uttered": "2023-01-07", "document": "gazette-1"}, {"uttered": "2023-03-03"}):
        with pytest.raises(InvalidClaim):
            told.claim("c1", "river", **fields)


def test_a_naive_instant_and_a_future_known_are_refused(told):
    with pytest.raises(InvalidView):
        told.ledger.as_of(said=dt.datetime(2023, 1, 5, 12))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidView, match="future"):
        told.ledger.as_of(known="2023-03-02")


def test_the_two_knobs_ask_four_questions(told):
    told.claim("early", "river", uttered="2023-01-03")
    told.clock.now = dt.datetime(2023, 3, 10, 12, tzinfo=dt.UTC)
    told.claim("late", "river", uttered="2023-01-05", stance="opposes")
    ledger = told.ledger
    assert told.stands("river") == ("held", "opposes")
    assert told.stands("river", "2023-01-04") == ("held", "supports")
    assert ledger.replay("2023-03-05").position("river", "quay").stance == "supports"
    assert told.stands("river", "2023-01-09", "2023-03-05") == ("held", "supports")
    changed = ledger.diff(
        ledger.as_of(said="2023-01-09", known="2023-03-05"), ledger.as_of(said="2023-01-09")
    )
    assert [row.id for row in changed.learnt] == ["late"]
    assert [one.party for one in changed.positions] == ["river"]


def test_known_alone_is_the_replay_of_that_date(told):
    told.claim("c1", "river", uttered="2023-01-03")
    replay, known = told.ledger.replay("2023-03-01"), told.ledger.as_of(known="2023-03-01")
    assert (replay.said, replay.basis) == (known.said, known.basis)


# -- names -----------------------------------------------------------------------------------------


@pytest.fixture
def rivermouth(told):
    """A town's name that stood for three powers in turn, and for two of them at once."""
    told.ledger.name("delta", "Rivermouth", metonym=True, period="1991/..")
    told.ledger.name("union", "Rivermouth", metonym=True, period="../1991-01-01")
    told.ledger.name("harbour", "Rivermouth", period="2020-01-01/2021-01-01", rank=1)
    told.ledger.name("river", "Rivermouth", metonym=True, period="2022-01-01/2023-01-01")
    return told


@pytest.mark.parametrize(
    "on, bearers",
    [
        ("1990-06-01", {"union": True}),
        ("1991-06-01", {"delta": False}),  # it began on an unknown day of the year
        ("1995-06-01", {"delta": True}),
        ("2020-06-01", {"delta": True}),  # the lowest rank wins
        ("2022-06-01", {"delta": True, "river": True}),  # equal ranks are all given
        ("2023-01-01", {"delta": True}),  # a period is half-open
    ],
)
def test_a_name_denotes_whom_it_stood_for_on_the_day(rivermouth, on, bearers):
    found = rivermouth.ledger.as_of().denoted("Rivermouth", on=on)
    assert {one.party: one.certain for one in found} == bearers


@pytest.mark.parametrize(
    "on, names",
    [
        ("1990-06-01", {"Delta": True}),
        ("1991-06-01", {"Delta": True, "Rivermouth": False}),
        ("1995-06-01", {"Delta": True, "Rivermouth": True}),
        (None, {"Delta": None, "Rivermouth": None}),
    ],
)
def test_a_party_is_called_what_it_was_called_on_the_day(rivermouth, on, names):
    view = rivermouth.ledger.as_of()
    assert {one.name: one.certain for one in view.names("delta", on=on)} == names
    assert [one.metonym for one in view.names("delta", on="1995-06-01")] == [False, True]
    before = rivermouth.ledger.as_of(known=rivermouth.at_start)
    assert [one.name for one in before.names("delta", on=on)] == ["Delta"]


def test_a_registered_name_with_a_period_is_one_then_alone(rivermouth):
    rivermouth.ledger.name("delta", "Delta", period="1990/..")
    rivermouth.ledger.register(Party("mouth", name="The Mouth", kind="state"))
    rivermouth.ledger.merge("delta", "mouth")
    view = rivermouth.ledger.as_of()
    assert [str(one) for one in view.names("delta", on="1980-01-01")] == [
        "delta is called The Mouth, always"
    ]
    assert view.names("mouth") == view.names("delta")
    assert "delta is called Rivermouth (metonym), since 1991" in map(str, view.names("delta"))


def test_a_name_of_two_is_ambiguous_and_of_none_unknown(rivermouth):
    view = rivermouth.ledger.as_of()
    with pytest.raises(AmbiguousName):
        view.resolve("Rivermouth", on="2022-06-01")
    assert view.resolve("Rivermouth", on="1995-06-01") == "delta"
    with pytest.raises(AmbiguousName, match="denotes delta only possibly on 1991-06-01") as told:
        view.resolve("Rivermouth", on="1991-06-01")
    assert told.value.near == ("delta",)
    with pytest.raises(UnknownName):
        view.resolve("Hillside", on="1995-06-01")


def test_names_are_limited_by_what_was_known_and_not_by_what_was_said(rivermouth):
    before = rivermouth.ledger.as_of(said="2023-01-01", known=rivermouth.at_start)
    assert before.denoted("Rivermouth", on="1995-06-01") == ()
    now = rivermouth.ledger.as_of(said="1950-01-01")
    assert [one.party for one in now.denoted("Rivermouth", on="1995-06-01")] == ["delta"]


def test_a_merged_party_is_found_by_either_name(told):
    told.ledger.register(Party("stream", name="The Stream", kind="state"))
    told.ledger.merge("river", "stream")
    assert told.ledger.as_of().resolve("The Stream") == "river"
    assert told.ledger.as_of().resolve("River") == "river"


def test_of_two_periods_of_one_name_the_surer_tells(told):
    told.ledger.name("river", "Old Water", period="2000-01-01/2010-01-01")
    told.ledger.name("river", "Old Water", period="2005/2006", metonym=True)
    (one,) = told.ledger.as_of().denoted("Old Water", on="2005-06-01")
    assert one.certain
