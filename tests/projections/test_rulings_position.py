"""Each ruling on positions, runs and disagreements as an example of its own (model.md, 5)."""

from __future__ import annotations

import pytest

from ledger import Membership, Occurrence, Party, Proposition, Topic
from ledger.errors import InvalidClaim, NotFound, UnknownClaim, UnknownParty


def test_nobody_said_anything_is_silent_with_the_last_word_on_the_topic(told):
    told.claim("c1", "speaker", uttered="2023-01-05")
    silent = told.ledger.position("speaker", "jammed")
    assert silent.status == "silent"
    assert str(silent.last_word_on_topic) == "2023-01-05"
    assert told.ledger.position("delta", "quay").last_word_on_topic is None


def test_a_word_on_a_topic_inside_is_the_last_word_on_the_topic(told):
    told.ledger.register(Topic("tolls", label="The tolls", part_of="port"))
    told.ledger.register(Proposition("due", text="Tolls are due", topic="tolls"))
    told.claim("c1", "river", proposition="due", uttered="2023-01-05")
    told.claim("c2", "delta", uttered="2023-01-06")
    assert str(told.ledger.position("river", "quay").last_word_on_topic) == "2023-01-05"
    assert told.ledger.position("delta", "due").last_word_on_topic is None
    (row,) = (row for row in told.ledger.silences("port") if row.party == "river")
    assert str(row.last_word) == "2023-01-05"


def test_a_refusal_to_comment_is_neither_silence_nor_stance(told):
    told.claim("c1", "speaker", act="decline_to_comment", uttered="2023-01-05")
    one = told.ledger.position("speaker", "quay")
    assert (one.status, one.stance) == ("undeclared", None)
    assert [e.claim for e in one.set_aside] == ["c1"]


def test_a_refusal_ends_no_run(told):
    told.claim("c1", "speaker", uttered="2023-01-03")
    told.claim("c2", "speaker", act="avoid", uttered="2023-01-04")
    told.claim("c3", "speaker", uttered="2023-01-05")
    one = told.ledger.position("speaker", "quay")
    assert [run.claims for run in one.runs] == [("c1", "c3")]


def test_two_reports_of_one_utterance_count_once_with_both_as_evidence(told):
    told.claim("c1", "river", uttered="2023-01-05", utterance="u", document="gazette-1")
    told.claim("c2", "river", uttered="2023-01-05", utterance="u", document="courier-1")
    one = told.ledger.position("river", "quay")
    assert (one.utterances, [e.claim for e in one.evidence]) == (1, ["c1", "c2"])


def test_reports_of_one_utterance_share_the_narrower_bounds(told):
    told.claim("wide", "river", uttered="2023-01", utterance="u")
    told.claim("narrow", "river", uttered="2023-01-05", utterance="u")
    rows = {row.id: str(row.said) for row in told.ledger.claims()}
    assert rows == {"wide": "2023-01-05", "narrow": "2023-01-05"}
    assert told.ledger.as_of(said="2023-01-04").claims().ids == ()


def test_reports_that_share_no_day_keep_their_own(told):
    told.claim("one", "river", uttered="2023-01-03", utterance="u")
    told.claim("other", "river", uttered="2023-01-05", utterance="u")
    rows = {row.id: str(row.said) for row in told.ledger.claims()}
    assert rows == {"one": "2023-01-03", "other": "2023-01-05"}


@pytest.mark.parametrize(
    "first, second, because",
    [
        (
            {"utterance": "u", "document": "gazette-1"},
            {"utterance": "u", "document": "gazette-1"},
            "said_both",
        ),
        (
            {"utterance": "u", "document": "gazette-1"},
            {"utterance": "u", "document": "courier-1"},
            "reports_disagree",
        ),
        ({"utterance": "u"}, {"utterance": "u"}, "reports_disagree"),
        ({}, {}, "order_unknown"),
    ],
    ids=[
        "one utterance and one document has both",
        "one utterance and two documents differ",
        "one utterance and no document has both",
        "two utterances whose dates do not tell",
    ],
)
def test_a_conflict_says_why(told, first, second, because):
    told.claim("c1", "river", uttered="2023-01-05", **first)
    told.claim("c2", "river", uttered="2023-01-05", stance="opposes", **second)
    one = told.ledger.position("river", "quay")
    assert (one.status, one.because) == ("conflicted", because)


def test_a_later_word_replaces_an_earlier_one_and_the_turn_is_a_reversal(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05", stance="opposes")
    one = told.ledger.position("river", "quay")
    assert (one.status, one.stance) == ("held", "opposes")
    assert [(t.kind, t.order_unknown) for t in one.turns] == [("reversal", False)]
    assert told.ledger.as_of(said="2023-01-04").position("river", "quay").stance == "supports"


def test_any_other_change_is_a_shift(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05", stance="neutral")
    assert [t.kind for t in told.ledger.position("river", "quay").turns] == ["shift"]


def test_a_turn_whose_order_nobody_knows_says_so(told):
    told.claim("c1", "river", uttered="2023-01")
    told.claim("c2", "river", uttered="2023-01-05", stance="opposes")
    assert [t.order_unknown for t in told.ledger.position("river", "quay").turns] == [True]


def test_softer_words_of_one_stance_go_on_with_the_run_and_note_a_shift(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05", factuality="possible")
    one = told.ledger.position("river", "quay")
    assert len(one.runs) == 1
    assert one.runs[0].shifts == ("assert, certain to assert, possible (c2)",)


def test_a_reaffirmation_extends_a_run(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05")
    told.ledger.relate("c2", "reaffirms", "c1")
    one = told.ledger.position("river", "quay")
    assert [run.claims for run in one.runs] == [("c1", "c2")]
    assert (str(one.first_stated), str(one.last_stated)) == ("2023-01-03", "2023-01-05")


def test_first_and_last_lie_where_any_of_the_words_may_have_been_either(told):
    told.claim("c1", "river", uttered="2022")
    told.claim("c2", "river", uttered="2022-09-01")
    one = told.ledger.position("river", "quay")
    ends = ("2022-01-01..2022-09-01", "2022-09-01..2022-12-31")
    assert (str(one.first_stated), str(one.last_stated)) == ends
    assert (str(one.runs[0].first), str(one.runs[0].last)) == ends


def test_what_refers_back_to_a_word_is_not_the_first(told):
    told.claim("c1", "river", uttered="2023-01-05")
    told.claim("c2", "river", uttered="2023-01")
    told.ledger.relate("c2", "reaffirms", "c1")
    one = told.ledger.position("river", "quay")
    assert (str(one.first_stated), str(one.last_stated)) == ("2023-01-05", "2023-01-05..2023-01-31")


def test_what_refers_back_is_later_whatever_the_dates_say(told):
    told.claim("c1", "river", uttered="2023-01-05")
    told.claim("c2", "river", uttered="2023-01", stance="opposes")
    assert told.ledger.position("river", "quay").because == "order_unknown"
    told.ledger.relate("c2", "reverses", "c1")
    assert told.ledger.position("river", "quay").stance == "opposes"


def test_what_refers_back_lends_its_upper_bounds(told):
    told.claim("undated", "river")
    told.claim("answer", "delta", uttered="2023-01-05", stance="opposes")
    assert told.ledger.as_of(said="2023-01-05").position("river", "quay").status == "possible"
    told.ledger.relate("answer", "replies_to", "undated")
    assert told.ledger.as_of(said="2023-01-05").position("river", "quay").status == "held"
    assert told.ledger.as_of(said="2023-01-04").position("river", "quay").status == "possible"


def test_upper_bounds_are_lent_to_every_report_of_the_utterance(told):
    told.claim("c1", "river", utterance="u", document="gazette-2")
    told.claim("c2", "delta", utterance="u", document="gazette-2")
    told.claim("answer", "union", uttered="2023-01-05")
    told.ledger.relate("answer", "replies_to", "c1")
    assert told.stands("delta", "2023-01-05") == ("held", "supports")


def test_a_reference_back_outweighs_dates_that_an_undo_brought_back(told):
    told.claim("c1", "river", uttered="2023-01-05")
    told.claim("c2", "river", uttered="2023-01-03", stance="opposes")
    redated = told.ledger.amend("c2", reason="misread", uttered="2023-01-09")
    told.ledger.relate("c2", "reverses", "c1")
    told.ledger.amend(redated.ledger_id, reason="read well", strike_out=True)
    assert told.stands("river") == ("held", "opposes")
    assert told.stands("river", "2023-01-03") == ("held", "opposes")
    assert {row.id: str(row.said) for row in told.ledger.claims()}["c1"] == "2023-01-05"


def test_the_evidence_is_that_of_the_current_run(told):
    for day, stance in enumerate(("supports", "opposes", "supports"), start=3):
        told.claim(f"c{day}", "river", uttered=f"2023-01-0{day}", stance=stance)
    one = told.ledger.position("river", "quay")
    assert [e.claim for e in one.evidence] == ["c5"]
    assert [run.claims for run in one.runs] == [("c3",), ("c4",), ("c5",)]


def test_upper_bounds_are_lent_on_through_what_is_undated_itself(told):
    told.claim("first", "river")
    told.claim("second", "river")
    told.claim("third", "river", uttered="2023-01-05")
    told.ledger.relate("second", "reaffirms", "first")
    told.ledger.relate("third", "reaffirms", "second")
    assert told.stands("river", "2023-01-05") == ("held", "supports")
    assert {str(row.said) for row in told.ledger.claims()} == {"..2023-01-05", "2023-01-05"}


def test_a_circle_that_an_undo_left_behind_silences_nobody(told):
    told.claim("c1", "river", uttered="2023-01")
    told.claim("c2", "river", uttered="2023-01", stance="opposes")
    edge = told.ledger.relate("c2", "reverses", "c1")
    gone = told.ledger.amend(edge.ledger_id, reason="slip", strike_out=True)
    told.ledger.relate("c1", "reverses", "c2")
    assert told.ledger.position("river", "quay").stance == "supports"
    told.ledger.amend(gone.ledger_id, reason="no slip", strike_out=True)
    assert told.ledger.position("river", "quay").status == "held"


def test_past_its_expiry_a_position_stays_and_is_marked_lapsed(told):
    told.claim("c1", "river", uttered="2023-01-03", expires="2023-01-10")
    for said, lapsed in (("2023-01-10", False), ("2023-01-11", True)):
        one = told.ledger.as_of(said=said).position("river", "quay")
        assert (one.status, one.lapsed) == ("held", lapsed)


def test_a_prediction_never_lapses_by_the_clock_alone(told):
    told.claim("c1", "river", act="predict", uttered="2022-01-03", about="2022-02")
    assert not told.ledger.position("river", "quay").lapsed


def test_a_denied_attribution_contests_and_takes_nothing_away(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    told.claim("never", "river", proposition="said-so", act="deny", uttered="2023-01-05")
    told.ledger.relate("never", "denies_attribution", "c1")
    one = told.ledger.position("river", "quay")
    assert (one.status, one.contested_by) == ("held", ("never",))
    assert told.ledger.as_of(said="2023-01-04").position("river", "quay").contested_by == ()


def test_wanting_needs_an_aim(told):
    with pytest.raises(InvalidClaim, match="aim"):
        told.claim("c1", "river", act="demand", uttered="2023-01-03")
    told.claim("c2", "river", act="demand", proposition="reopen", uttered="2023-01-03")
    assert told.ledger.position("river", "reopen").stance == "supports"


def test_a_position_on_a_topic_is_the_table_of_its_propositions(told):
    told.ledger.register(Topic("inner", label="Inner", part_of="port"))
    told.ledger.register(Proposition("mud", text="There is mud", topic="inner"))
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", proposition="mud", uttered="2023-01-03")
    rows = told.ledger.positions(topic="port", party="river")
    assert [row.proposition for row in rows] == ["quay", "mud"]


# -- disagreements ---------------------------------------------------------------------------------


def test_a_contradiction_is_listed_once_between_those_who_spoke(told):
    told.claim("c1", "speaker", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-03", stance="opposes")
    found = told.ledger.contradictions()
    assert [(one.proposition, one.supports, one.opposes) for one in found] == [
        ("quay", "speaker", "river")
    ]


def test_one_who_took_its_own_words_back_contradicts_nobody(told):
    told.claim("own", "harbour", uttered="2023-01-03")
    told.claim("hers", "speaker", uttered="2023-01-04")
    told.claim("against", "river", uttered="2023-01-03", stance="opposes")
    told.ledger.withdraw("own", claimant="harbour", uttered="2023-01-09")
    assert told.ledger.position("harbour", "quay").status == "held"
    assert [one.supports for one in told.ledger.contradictions()] == ["speaker"]


def test_two_descriptions_of_one_occurrence_diverge_and_contradict_not(told):
    told.ledger.register(Occurrence("the-stop", label="The stop", propositions=["quay", "jammed"]))
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "delta", proposition="jammed", uttered="2023-01-04")
    assert told.ledger.contradictions() == ()
    found = told.ledger.divergences()
    assert [(one.claims, one.occurrence) for one in found] == [(("c1", "c2"), "the-stop")]
    told.ledger.relate("c2", "elaborates", "c1")
    assert told.ledger.divergences() == ()


def test_claims_joined_as_divergent_diverge_without_an_occurrence(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "delta", proposition="jammed", uttered="2023-01-04")
    told.ledger.relate("c2", "divergent_characterisation", "c1")
    assert [one.claims for one in told.ledger.divergences()] == [("c1", "c2")]
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09")
    assert told.ledger.divergences() == ()


def test_what_the_prefix_does_not_hold_is_unknown_and_not_silent(told):
    told.ledger.register(Party("new", name="New", kind="state"))
    with pytest.raises(UnknownParty):
        told.ledger.as_of(known=told.at_start).position("new", "quay")


def test_what_is_known_since_is_no_advice_to_register_it(told):
    told.ledger.register(Party("new", name="New", kind="state", names=["Newest"]))
    told.ledger.name("river", "Stream")
    told.claim("c1", "new", uttered="2023-01-03")
    then = told.ledger.as_of(known=told.at_start)
    ids = {getattr(one.event, "key", ""): one for one in told.ledger.events()}
    since = f"it is known since {ids['new'].recorded:%Y-%m-%d %H:%M:%S} UTC, "
    for ask, words in (
        (lambda view: view.position("new", "quay"), f"No party 'new' is in this view: {since}"),
        (lambda view: view.claims(claimant="new"), since),
        (lambda view: view.resolve("Newest"), f"from sequence {ids['new'].sequence + 1} on"),
        (lambda view: view.resolve("Stream"), f"from sequence {ids['new'].sequence + 2} on"),
    ):
        with pytest.raises(NotFound) as refused:
            ask(then)
        assert words in str(refused.value)
        assert str(refused.value).endswith(" on. Ask as of a later date.")
        ask(told.ledger.as_of())
    with pytest.raises(UnknownParty, match="Register it"):
        then.position("nobody", "quay")
    with pytest.raises(UnknownClaim, match=r"No claim 'c1' is in this view\.\Z"):
        then.trace("c1")


def test_two_terms_without_a_gap_hold_on_all_days_of_an_uncertain_date(told):
    for period in ("2022-06-01/2023-02-01", "2023-02-01/2024-01-01"):
        told.ledger.register(Membership("former", "union", period=period))
    told.ledger.register(Membership("speaker", "union", period="2022-06-01/2023-02-01"))
    told.ledger.register(Membership("speaker", "union", period="2023-02-03/2024-01-01"))
    told.claim("c1", "former", uttered="[2023-01-20..2023-02-10]")
    assert told.ledger.position("union", "quay").status == "held"
    told.claim("c2", "speaker", uttered="[2023-01-20..2023-02-10]", proposition="jammed")
    assert told.ledger.position("union", "jammed").status == "possible"
