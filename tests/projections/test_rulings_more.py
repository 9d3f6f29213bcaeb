"""Rulings on names and roles of the day, conditions, staleness, and bad questions."""

from __future__ import annotations

import datetime as dt

import pytest

from ledger import Membership, Party, Proposition
from ledger.errors import (
    AmbiguousName,
    InvalidView,
    UnknownClaim,
    UnknownName,
    UnknownParty,
    UnknownProposition,
)

# -- names and roles at the utterance --------------------------------------------------------------


@pytest.fixture
def harbourtown(told):
    """One capital that stood for a union, for a country nobody recognised, and for a country."""
    told.ledger.name("union", "Harbourtown", metonym=True, period="../1991-08-30")
    told.ledger.name("river", "Harbourtown", metonym=True, period="1991-08-30/1991-12-26")
    told.renamed = told.ledger.name("delta", "Harbourtown", metonym=True, period="1991-12-26/..")
    return told


def test_one_capital_is_three_parties_in_three_years(harbourtown):
    view = harbourtown.ledger.as_of()
    for year, party in ((1990, "union"), (1991, "river"), (1992, "delta")):
        day = f"{year}-10-01"
        who = view.resolve("Harbourtown", on=day)
        harbourtown.claim(f"c{year}", who, uttered=day)
        assert who == party
    held = {row.party for row in harbourtown.ledger.positions(topic="port")}
    assert held == {"union", "river", "delta"}


def test_an_amended_name_denotes_another_for_later_known_only(harbourtown):
    before = harbourtown.ledger.checkpoint().size - 1
    harbourtown.ledger.amend(
        harbourtown.renamed.ledger_id, period="1992-03-01/..", reason="it was renamed later"
    )
    assert harbourtown.ledger.as_of(known=before).resolve("Harbourtown", on="1992-01-01") == "delta"
    with pytest.raises(UnknownName):
        harbourtown.ledger.as_of().resolve("Harbourtown", on="1992-01-01")


def test_a_name_that_is_of_two_parties_that_day_is_refused_with_both(harbourtown):
    harbourtown.ledger.name("union", "Harbourtown", period="1992-01-01/..")
    with pytest.raises(AmbiguousName, match="delta, union"):
        harbourtown.ledger.as_of().resolve("Harbourtown", on="1992-06-01")


def test_a_spokeswoman_who_changed_ministry_speaks_for_the_one_she_was_of_that_day(told):
    told.ledger.register(Party("roads", name="Roads Office", part_of="river"))
    told.ledger.register(Party("anna", name="Anna", kind="person"))
    told.ledger.register(Membership("anna", "harbour", period="2020/2023-01-04"))
    told.ledger.register(Membership("anna", "roads", period="2023-01-04/.."))
    told.claim("old", "anna", uttered="2023-01-03")
    told.claim("new", "anna", uttered="2023-01-05", stance="opposes")
    told.claim("between", "anna", uttered="[2023-01-03..2023-01-05]", stance="mixed")
    for office, state, stance in (("harbour", "delta", "supports"), ("roads", "river", "opposes")):
        for party in (office, state):
            one = told.ledger.position(party, "quay")
            assert (one.status, one.stance) == ("held", stance)
            assert [e.claim for e in one.possible] == ["between"]


def test_a_membership_learnt_late_rolls_up_old_words_for_later_known_only(told):
    told.claim("c1", "river", uttered="2023-01-03")
    known = told.ledger.checkpoint().size - 1
    told.ledger.register(Membership("river", "union", period="2022/.."))
    assert told.stands("union", "2023-01-04") == ("held", "supports")
    assert told.stands("union", "2023-01-04", known) == ("silent", None)


# -- one occasion, withdrawn words, numbers --------------------------------------------------------


def test_withdrawn_words_keep_their_place_in_the_history(told):
    told.claim("c1", "river", uttered="2023-01-03", stance="opposes")
    told.claim("c2", "river", uttered="2023-01-05")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09")
    one = told.ledger.position("river", "quay")
    assert (one.status, one.stance) == ("held", "supports")
    assert [run.claims for run in one.runs] == [("c1",), ("c2",)]
    assert [run.withdrawn for run in one.runs] == [("c1",), ()]
    assert [turn.kind for turn in one.turns] == ["reversal"]
    lines = str(told.ledger.timeline("river", "quay")).splitlines()
    assert "  2023-01-03: opposes (c1 [withdrawn])" in lines
    assert "  2023-01-05: supports (c2)" in lines
    before = told.ledger.as_of(said="2023-01-08").timeline("river", "quay")
    assert "withdrawn" not in str(before)


def test_what_is_listed_reads_as_text(told):
    view = told.ledger.as_of()
    (ended,) = view.memberships("former")
    assert str(ended) == "former in harbour as spokesman, before 2023-01-01"
    assert str(view.parties()[0]) == "courier Courier (publisher)"
    assert [str(one) for one in view.topics()] == ["port The port"]
    assert str(view.propositions(topic="port")[0]) == "quay The quay is open (fact)"
    assert str(view.documents()[0]) == "gazette-1, gazette, 2023-01-06"


def test_a_new_number_updates_and_reverses_nothing(told):
    for number in ("2.5", "3"):
        told.ledger.register(Proposition(f"tons-{number}", text=f"It was {number} t", topic="port"))
    told.claim("first", "river", proposition="tons-2.5", uttered="2023-01-03")
    told.claim("second", "river", proposition="tons-3", uttered="2023-01-05")
    told.ledger.relate("second", "updates", "first")
    strands = told.ledger.timeline("river", "port").strands
    assert [(one.proposition, one.turns) for one in strands] == [("tons-2.5", ()), ("tons-3", ())]
    assert told.ledger.contradictions() == ()


def test_conditions_are_those_of_the_last_word(told):
    told.claim("c1", "river", uttered="2023-01-03", conditions="once it is dry")
    assert told.ledger.position("river", "quay").conditions == ("once it is dry",)
    told.claim("c2", "river", uttered="2023-01-05")
    assert told.ledger.position("river", "quay").conditions == ()
    assert len(told.ledger.position("river", "quay").evidence) == 2


def test_where_the_last_words_differ_all_their_conditions_are_told(told):
    told.claim("c1", "river", uttered="2023-01-05", conditions="once it is dry")
    told.claim("c2", "river", uttered="2023-01-05", conditions="if we are paid", act="predict")
    one = told.ledger.position("river", "quay")
    assert one.conditions == ("once it is dry", "if we are paid")
    assert one.acts == ("assert", "predict")


def test_a_conditional_stance_is_another_proposition_where_that_matters(told):
    told.ledger.register(Proposition("if-dry", text="Once it is dry, the quay is open"))
    told.claim("c1", "river", proposition="if-dry", uttered="2023-01-03")
    assert told.stands("river") == ("silent", None)


def test_a_softer_last_word_tells_how_sure_it_is_now(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05", factuality="possible")
    assert told.ledger.position("river", "quay").factuality == ("possible",)


@pytest.mark.parametrize(
    "uttered, said, days",
    [
        ("2023-01-03", "2023-01-13", 10),
        ("[2023-01-01..2023-01-03]", "2023-01-03", 0),
        ("2023-01-03T12:00:00Z", "2023-01-04T11:00:00Z", 1),
    ],
)
def test_staleness_is_a_number_of_days_since_the_last_word(told, uttered, said, days):
    told.claim("c1", "river", uttered=uttered)
    one = told.ledger.as_of(said=said).position("river", "quay")
    assert (one.stale_days, one.to_dict()["stale_days"]) == (days, days)


def test_a_reaffirmation_makes_a_position_fresh_again(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-09")
    told.ledger.relate("c2", "reaffirms", "c1")
    assert told.ledger.as_of(said="2023-01-10").position("river", "quay").stale_days == 1
    assert told.ledger.position("delta", "quay").stale_days is None


# -- bad questions ---------------------------------------------------------------------------------


def test_bad_questions_say_what_to_ask(told):
    ledger = told.ledger
    with pytest.raises(UnknownParty, match="Did you mean 'river'"):
        ledger.position("rivre", "quay")
    with pytest.raises(UnknownParty, match="Did you mean one of 'river'"):
        ledger.position("River", "quay")
    with pytest.raises(UnknownProposition, match="quay"):
        ledger.position("river", "quai")
    with pytest.raises(InvalidView, match="zone"):
        ledger.as_of(said=dt.datetime(2023, 1, 5, 12))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidView, match="future"):
        ledger.as_of(known="2999-01-01")
    with pytest.raises(InvalidView, match="more than one day"):
        ledger.as_of(said="2023-01")


def test_the_id_of_another_thing_is_told_as_that_and_not_as_struck_out(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    correction = told.ledger.correct("c1", document="gazette-2", act="deny", stance="opposes")
    with pytest.raises(UnknownClaim, match="no claim: it is the id of a claim_corrected event"):
        told.ledger.correct(correction, document="gazette-2", never_said=True)
    with pytest.raises(UnknownParty, match="no party: it is the id of a claim_corrected event"):
        told.ledger.position(correction.ledger_id, "quay")
