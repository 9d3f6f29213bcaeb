"""Two knobs, what had been said and what was known; views that last; the log itself."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from ledger import Ledger, Membership, Party, Proposition, Topic
from ledger.errors import Invalid, InvalidView, UnknownClaim, UnknownParty
from ledger.store import read
from tests.counting import calls

OPEN, CLOSED = "supports", "opposes"
AHEAD = dt.timezone(dt.timedelta(hours=14))


def stands(view):
    """The board's stance on the bridge and the claims that bear it out."""
    one = view.position("board", "bridge-open")
    return one.stance, [each.claim for each in one.evidence]


def answers(ledger):
    """What every kind of question says, at several dates."""
    views = [
        ledger.as_of(),
        ledger.as_of(said="2023-02-15"),
        ledger.as_of(said="2023-02-15", known="2023-03-05"),
        ledger.replay("2023-03-15"),
        ledger.as_of(known=7),
    ]
    return [
        (
            str(view),
            view.settled,
            view.position("board", "bridge-open").to_dict(),
            view.positions(topic="bridges").to_dict(),
            view.timeline("board", "bridges").to_dict(),
            view.claims().to_dict(),
            view.trace("first").to_dict(),
            view.parties(),
            view.documents(),
        )
        for view in views
    ]


def place_of(ledger, key):
    return next(one.sequence for one in ledger.events() if getattr(one.event, "key", "") == key)


# -- the questions of the table (model.md, 3) ---------------------------------------------------


def test_without_a_knob_it_is_now_and_all_that_is_known(standing):
    assert stands(standing.as_of()) == (OPEN, ["third"])
    assert standing.position("board", "bridge-open") == standing.as_of().position(
        "board", "bridge-open"
    )
    assert standing.claims().ids == standing.as_of().claims().ids == ("first", "second", "third")


@pytest.mark.parametrize(
    "said, expected",
    [
        ("2023-01-31", (None, [])),
        ("2023-02-01", (OPEN, ["first"])),
        ("2023-02-09", (OPEN, ["first"])),
        ("2023-02-10", (CLOSED, ["second"])),
        ("2023-02-15", (CLOSED, ["second"])),
        (dt.date(2023, 2, 20), (OPEN, ["third"])),
        (dt.datetime(2023, 2, 15, 12, tzinfo=dt.UTC), (CLOSED, ["second"])),
        ("2030-01-01", (OPEN, ["third"])),
    ],
)
def test_said_asks_what_had_been_said_by_then_as_known_today(standing, said, expected):
    assert stands(standing.as_of(said=said)) == expected


@pytest.mark.parametrize(
    "date, expected",
    [
        ("2023-03-01", (OPEN, ["first"])),
        ("2023-03-09", (OPEN, ["first"])),
        ("2023-03-10T11:59:59Z", (OPEN, ["first"])),
        ("2023-03-10T12:00:00Z", (CLOSED, ["second"])),
        ("2023-03-10", (CLOSED, ["second"])),
        ("2023-03-20", (OPEN, ["third"])),
    ],
)
def test_a_replay_shows_what_the_ledger_showed_on_that_date(standing, date, expected):
    assert stands(standing.replay(date)) == expected
    for same in (standing.as_of(known=date, said=date), standing.as_of(known=date)):
        assert str(same) == str(standing.replay(date))
        assert same.claims() == standing.replay(date).claims()
        assert stands(same) == expected


@pytest.mark.parametrize(
    "said, known, expected",
    [
        ("2023-02-15", "2023-03-05", (OPEN, ["first"])),
        ("2023-02-15", "2023-03-15", (CLOSED, ["second"])),
        ("2023-02-25", "2023-03-15", (CLOSED, ["second"])),
        ("2023-02-25", "2023-03-20", (OPEN, ["third"])),
        ("2023-01-15", "2023-03-20", (None, [])),
    ],
)
def test_both_knobs_ask_what_was_then_believed_to_have_been_said(standing, said, known, expected):
    assert stands(standing.as_of(said=said, known=known)) == expected


def test_diff_tells_what_a_late_arrival_changed(standing):
    before = standing.as_of(said="2023-02-15", known="2023-03-05")
    after = standing.as_of(said="2023-02-15", known="2023-03-15")
    found = standing.diff(before, after)
    assert [one.id for one in found.learnt] == ["second"]
    assert (found.lost, found.altered) == ((), ())
    (changed,) = found.positions
    assert (changed.party, changed.proposition) == ("board", "bridge-open")
    assert (changed.before.stance, changed.after.stance) == (OPEN, CLOSED)
    assert "+ second" in str(found)
    back = standing.diff(after, before)
    assert [one.id for one in back.lost] == ["second"]
    assert back.learnt == ()


def test_diff_tells_what_an_amendment_altered(told):
    before = told.as_of()
    told.amend("third", reason="misheard", claimant="ministry")
    found = told.diff(before, told.as_of())
    ((was, is_),) = found.altered
    assert (was.claimant, is_.claimant) == (("board",), ("ministry",))
    assert [one.party for one in found.positions] == ["board", "ministry"]
    assert found.positions[1].before is None


def test_between_a_view_and_itself_there_is_no_difference(standing):
    view = standing.as_of(said="2023-02-15")
    found = standing.diff(view, standing.as_of(said="2023-02-15"))
    assert not found
    assert str(found) == "(no difference)"


# -- known --------------------------------------------------------------------------------------


def test_known_may_be_a_sequence_and_then_it_is_said_by_its_recording(standing):
    second = place_of(standing, "second")
    view = standing.as_of(known=second)
    assert (view.basis, view.settled) == (second + 1, True)
    assert view.said.instant == dt.datetime(2023, 3, 10, 12, tzinfo=dt.UTC)
    assert stands(view) == (CLOSED, ["second"])
    assert stands(standing.as_of(known=second - 1)) == (OPEN, ["first"])
    assert stands(standing.as_of(known=second, said="2023-02-05")) == (OPEN, ["first"])


@pytest.mark.parametrize("known", [-1, 9, 10**30])
def test_a_sequence_that_the_log_has_not_is_refused(standing, known):
    with pytest.raises(InvalidView) as caught:
        standing.as_of(known=known)
    assert f"known={known} is no sequence of this log" in caught.value.message
    assert "9 events, 0 to 8" in caught.value.message
    assert (caught.value.field, caught.value.given) == ("known", known)


def test_an_empty_log_has_no_sequence_at_all(ledger):
    with pytest.raises(InvalidView, match="which holds no events"):
        ledger.as_of(known=0)
    assert ledger.as_of(known="2023-03-01").basis == 0


@pytest.mark.parametrize("knob", ["said", "known"])
@pytest.mark.parametrize(
    "value, words",
    [
        ("2023-02-15T12:00:00", "zone"),
        (dt.datetime(2023, 2, 15, 12), "zone"),  # noqa: DTZ001 - that is the point
        ("2023-02", "more than one day"),
        ("2023-02-15?", "doubtful"),
        ("15 February", "15 February"),
        ("", "''"),
        (True, "True"),
    ],
)
def test_a_knob_is_a_day_or_an_instant_with_a_zone(standing, knob, value, words):
    with pytest.raises(InvalidView, match=re.escape(words)) as caught:
        standing.as_of(**{knob: value})
    assert caught.value.field == knob
    assert knob in caught.value.message


def test_a_known_in_the_future_is_refused_and_a_said_there_is_not(standing):
    for known in ("2023-03-21", "2023-03-20T12:00:01Z"):
        with pytest.raises(InvalidView, match="lies in the future: it is 2023-03-20 12:00 UTC"):
            standing.as_of(known=known)
        with pytest.raises(InvalidView, match="Ask as of today, or of an earlier day"):
            standing.replay(known)
    assert stands(standing.as_of(said="2023-03-21")) == (OPEN, ["third"])
    # at UTC+14 that day has begun
    assert standing.as_of(known="2023-03-21", zone=AHEAD).basis == 9


def test_todays_known_is_cut_to_now(told, clock):
    morning = told.as_of(known="2023-03-20")
    assert (morning.basis, morning.settled) == (9, False)
    clock.set("2023-03-20T18:00:00Z")
    told.register(Topic("evening", label="Evening"))
    assert told.as_of(known="2023-03-20").basis == 10
    assert told.as_of(known="2023-03-20T17:59:59Z").basis == 9
    assert [one.id for one in morning.topics()] == ["bridges"]


def test_a_known_day_is_of_its_zone(standing):
    # 10 March ends at UTC+14 at 10:00 UTC, two hours before the second claim was learnt
    assert stands(standing.as_of(known="2023-03-10")) == (CLOSED, ["second"])
    assert stands(standing.as_of(known="2023-03-10", zone=AHEAD)) == (OPEN, ["first"])


def test_a_view_is_settled_once_the_log_has_gone_past_it(told, clock):
    assert told.as_of(known="2023-03-19").settled
    assert not told.as_of(known="2023-03-20").settled
    assert not told.as_of().settled
    clock.set("2023-03-25T12:00:00Z")
    assert not told.as_of(known="2023-03-22").settled
    # the reason: a clock may be put back, and then the same question has another answer
    clock.set("2023-03-21T12:00:00Z")
    told.register(Topic("late", label="Late"))
    clock.set("2023-03-25T12:00:00Z")
    assert told.as_of(known="2023-03-22").basis == 10
    told.register(Topic("later", label="Later"))
    view = told.as_of(known="2023-03-22")
    assert (view.basis, view.settled) == (10, True)


def test_what_the_prefix_does_not_hold_is_unknown_and_not_silent(standing):
    with pytest.raises(UnknownParty):
        standing.replay("2023-02-28").position("board", "bridge-open")
    with pytest.raises(UnknownClaim):
        standing.as_of(known="2023-03-05").trace("second")
    assert standing.replay("2023-02-28").claims().ids == ()


# -- views last ---------------------------------------------------------------------------------


def test_a_view_keeps_its_answers_while_the_ledger_goes_on(told, clock):
    views = [told.as_of(), *(told.as_of(known=size) for size in range(5, 9))]
    views += [told.as_of(said="2023-02-15"), told.replay("2023-03-15")]

    def asked():
        return [(str(one), one.claims().to_dict(), one.parties(), one.topics()) for one in views]

    before = asked()
    clock.set("2023-04-01T12:00:00Z")
    told.name("board", "The Board")
    told.amend("first", reason="misread", strike_out=True)
    told.withdraw("third", claimant="board", uttered="2023-03-30")
    told.register(Party("guest", name="Guest"))
    assert asked() == before
    assert stands(views[0]) == (OPEN, ["third"])
    now = told.as_of()
    assert now.claims().ids == ("second", "third")
    assert now.position("board", "bridge-open").status == "withdrawn"


def test_a_ledger_opened_again_gives_the_same_answers(database, told, clock):
    if database == "sqlite://":
        pytest.skip("in memory nothing is opened again")
    with Ledger.open(database, clock=clock) as again:
        assert answers(again) == answers(told)
        assert list(again.events()) == list(told.events())
        assert again.checkpoint() == told.checkpoint()


# -- the clock ----------------------------------------------------------------------------------


def test_now_is_what_the_given_clock_says(ledger, clock):
    receipt = ledger.register(Topic("t", label="T"))
    assert receipt.recorded == clock.now
    clock.set("2023-03-02T09:30:00+04:00")
    assert ledger.as_of().said.instant == dt.datetime(2023, 3, 2, 5, 30, tzinfo=dt.UTC)
    assert ledger.as_of().known is None


def test_recorded_never_runs_backwards(told, clock):
    clock.set("2020-01-01T00:00:00Z")
    late = told.register(Topic("t", label="T"))
    assert late.recorded == dt.datetime(2023, 3, 20, 12, tzinfo=dt.UTC)
    recorded = [one.recorded for one in told.events()]
    assert recorded == sorted(recorded)
    # and now is not before what the ledger knows already
    assert stands(told.as_of()) == (OPEN, ["third"])
    assert told.as_of(known="2023-03-20").basis == 10
    assert told.verify().size == 10


# -- the log ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds, expected",
    [
        ({}, range(9)),
        ({"after": -1}, range(9)),
        ({"after": 5}, range(6, 9)),
        ({"after": 8}, []),
        ({"after": 800}, []),
        ({"limit": 0}, []),
        ({"limit": 2}, range(2)),
        ({"limit": 90}, range(9)),
        ({"after": 3, "limit": 3}, range(4, 7)),
        ({"after": 7, "limit": 3}, [8]),
    ],
)
@pytest.mark.parametrize("page", [2, 1000])
def test_the_log_is_read_from_a_place_on_and_so_far(standing, monkeypatch, bounds, expected, page):
    monkeypatch.setattr(read, "PAGE", page)
    assert [one.sequence for one in standing.events(**bounds)] == list(expected)
    assert [line.sequence for line in standing.log(**bounds)] == list(expected)


def test_lines_are_alike_however_few_events_are_looked_at_at_once(told, monkeypatch):
    why = {"reason": "misread", "authority": "the desk"}
    told.withdraw("third", claimant="board", uttered="2023-03-19")
    told.amend("first", uttered="2023-01-31", reason="misread")
    told.relate("third", "updates", "first")
    told.register(Membership("board", told.register(Party("town", name="Town")).id))
    told.merge("town", told.register(Party("city", name="City")).id)
    told.erase("second", slots="who", **why)
    whole = [(str(line), line.to_dict()) for line in told.log()]
    assert any(line["erasures"] for _, line in whole)
    monkeypatch.setattr(read, "PAGE", 1)
    assert [(str(line), line.to_dict()) for line in told.log()] == whole


def test_a_few_lines_of_a_log_take_no_look_at_the_rest(tmp_path):
    def counted(many):
        path = tmp_path / f"{many}.db"
        with Ledger.open(path) as ledger:
            ledger.register_all(Party(f"p{one}", name=f"P {one}") for one in range(many))
        with Ledger.open(path) as ledger:
            return calls(lambda: [*ledger.log(limit=3)])[0]

    counted(4)  # whatever is loaded when it is first used
    assert counted(400) < 1.1 * counted(40)


def test_a_line_of_the_log_tells_when_what_and_who(told):
    (line,) = told.log(after=7)
    assert str(line).startswith("#8 2023-03-20 12:00:00Z claim_recorded third assert")
    assert str(line).endswith("by The desk")


def test_while_the_log_is_read_more_may_be_recorded(told, monkeypatch):
    monkeypatch.setattr(read, "PAGE", 2)
    seen = []
    for stored in told.events():
        told.register(Topic(f"t{stored.sequence}", label="T"))
        seen.append(stored.sequence)
    assert seen == list(range(9))
    assert len(list(told.events())) == 18


# -- filters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "about, expected",
    [
        ("2023-02", ("first", "second", "third")),
        ("2023-02-10", ("second",)),
        ("2023-02-05/..", ("second", "third")),
        ("../2023-02-10", ("first", "second")),
        ("2022", ()),
    ],
)
def test_about_keeps_what_may_overlap(standing, about, expected):
    assert standing.as_of().claims(about=about).ids == expected


@pytest.mark.parametrize(
    "about, expected",
    [
        ("2023-02-03", True),
        ("2023-02-10", False),
        ("2023-02-21", True),
        ("2023-02-10/2023-02-20", True),
        ("[2023-02-01,2023-02-10]", False),
        ("[2023-03,2023-02-22..2023-02-28]", True),
    ],
)
def test_what_is_about_one_of_some_days_is_about_none_between(about, expected):
    with Ledger.open(":memory:") as ledger:
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        ledger.record(
            claimant="mill",
            act="assert",
            proposition="shut",
            about="[2023-02-03,2023-02-20..2023-02-22]",
        )
        assert len(ledger.claims(about=about)) == expected


@pytest.mark.parametrize(
    "published, expected",
    [("2023-02-11", ()), ("2023-02-12", ("second",)), ("2024-01-01", ("second",))],
)
def test_published_keeps_what_surely_was_out_by_then(standing, published, expected):
    assert standing.as_of().claims(published=published).ids == expected
    assert standing.claims(published=published).ids == expected


def test_filters_are_no_knobs(standing):
    assert standing.as_of(said="2023-02-05").claims(about="2023-02-10").ids == ()
    assert standing.as_of(known="2023-03-05").claims(published="2024-01-01").ids == ()
    with pytest.raises(InvalidView, match="published= is for a day"):
        standing.claims(published="2023-02-12T10:00:00Z")


def test_a_date_without_its_axis_is_refused_with_what_to_type(ledger):
    with pytest.raises(InvalidView, match=r"as_of\(said='2023-01-18'\).*known=.*replay\("):
        ledger.as_of("2023-01-18")


@pytest.mark.parametrize(
    "slip", [{"act": "asert"}, {"stance": "support"}, {"certainty": "suports"}], ids=str
)
def test_a_word_that_no_claim_can_have_is_refused_and_finds_not_nothing(standing, slip):
    with pytest.raises(Invalid, match=str(*slip.values())):
        standing.claims(**slip)
