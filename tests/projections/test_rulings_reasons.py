"""Reasons, policies, accounts and silences: one test a ruling, in a small invented world."""

from __future__ import annotations

import datetime as dt
import html

import pytest

from ledger import Link, Membership, Occurrence, Party
from ledger.errors import InvalidView, UnknownOccurrence, UnknownTopic

TITLES = ["Resolve", "Collect", "Collapse", "Set aside", "Order", "Decide", "Return"]


def why(explanation, title, claim):
    """What one step says of a claim: kept or dropped, and the reason."""
    (step,) = [one for one in explanation.steps if one.title == title]
    found = [(one.kept, one.why) for one in step.claims if one.claim == claim]
    assert len(found) == 1, (title, claim, str(explanation))
    return found[0]


# -- explain ------------------------------------------------------------------------------------


def test_an_explanation_has_the_seven_steps_and_the_position_they_lead_to(told):
    told.claim("c1", "speaker", uttered="2023-01-05")
    found = told.ledger.explain("delta", "quay")
    assert [step.title for step in found.steps] == TITLES
    assert [step.number for step in found.steps] == list(range(1, 8))
    assert found.position == told.ledger.position("delta", "quay")
    kept, reason = why(found, "Collect", "c1")
    assert kept
    assert "by roll-up: speaker > harbour (membership) > delta (membership); certain" in reason
    assert why(found, "Decide", "c1") == (True, "supports")


@pytest.mark.parametrize(
    "claim, reason",
    [
        ({"claimant": "river"}, "words of river, who does not speak for harbour"),
        ({"claimant": "delta"}, "words of delta, above harbour: they go up, never down"),
        ({"claimant": "speaker", "capacity": "personal"}, "in personal capacity: they stay there"),
        ({"claimant": "speaker", "on_behalf_of": "union"}, "on behalf of union: that does not"),
        ({"claimant": "former", "uttered": "2023-02-01"}, "no membership that led to harbour"),
        ({"claimant": None}, "nobody is named as its claimant"),
        ({"claimant": "harbour", "uttered": "2023-02-10"}, "not said yet by 2023-02-05"),
        ({"claimant": "river", "via": ["harbour"]}, "harbour passes on words of river"),
    ],
    ids=[
        "another's words",
        "those above",
        "personal capacity",
        "on behalf of another",
        "a membership that was over",
        "nobody named",
        "not said yet",
        "passed on only",
    ],
)
def test_every_claim_that_does_not_count_is_dropped_with_the_reason(told, claim, reason):
    told.claim("c1", **{"uttered": "2023-01-05", **claim})
    found = told.ledger.as_of(said="2023-02-05").explain("harbour", "quay")
    assert found.position.status == "silent"
    kept, words = why(found, "Collect", "c1")
    assert not kept
    assert reason in words


def test_a_membership_in_a_joint_party_is_no_speaking_for_it(told):
    told.ledger.register(Party("both", name="Both", kind="joint", members=["delta", "river"]))
    told.ledger.register(Membership("speaker", "both", role="spokeswoman"))
    told.claim("c1", "speaker", uttered="2023-01-05")
    found = told.ledger.explain("both", "quay")
    assert why(found, "Collect", "c1") == (False, "words of speaker, who does not speak for both")


def test_claims_that_an_undo_took_away_are_named_with_it(told):
    told.claim("struck", "river", uttered="2023-01-05")
    told.claim("moved", "river", uttered="2023-01-05")
    told.claim("misreported", "river", uttered="2023-01-05", document="gazette-1")
    told.ledger.amend("struck", strike_out=True, reason="typed twice")
    told.ledger.amend("moved", proposition="jammed", reason="misread")
    told.ledger.correct("misreported", document="gazette-2", never_said=True)
    found = told.ledger.explain("river", "quay")
    assert found.position.status == "silent"
    assert why(found, "Collect", "struck")[1].endswith(": typed twice")
    assert "it is on jammed" in why(found, "Collect", "moved")[1]
    assert "never said, as its publisher corrected" in why(found, "Collect", "misreported")[1]


def test_what_is_possible_only_says_why(told):
    told.claim("vague", "river", uttered="[2023-01-05..2023-02-20]")
    told.claim("whose", ["river", "delta"], uttered="2023-01-05")
    told.ledger.register(Membership("river", "union", period="2023-01-04/2023-01-06"))
    told.claim("when", "river", uttered="[2023-01-03..2023-01-09]")
    view = told.ledger.as_of(said="2023-02-01")
    assert (
        "it may be later than 2023-02-01"
        in why(view.explain("river", "quay"), "Collect", "vague")[1]
    )
    assert "it may be another's words" in why(view.explain("river", "quay"), "Collect", "whose")[1]
    reason = why(view.explain("union", "quay"), "Collect", "when")[1]
    assert "a membership on the way holds on some days of its bounds only" in reason


def test_reports_of_one_occasion_and_refusals_are_told(told):
    told.claim("a", "river", uttered="2023-01-05", utterance="u", document="gazette-1")
    told.claim("b", "river", uttered="2023-01-05", utterance="u", document="courier-1")
    told.claim("c", "river", uttered="2023-01-06", act="decline_to_comment", stance="undeclared")
    found = told.ledger.explain("river", "quay")
    assert found.steps[2].words == "3 claims of 2 occasions."
    assert why(found, "Collapse", "a") == (True, "one occasion with b: evidence, counted once")
    assert "a refusal to comment" in why(found, "Set aside", "c")[1]


def test_reports_of_one_occasion_whose_dates_share_no_day_are_flagged(told):
    told.claim("a", "river", uttered="2023-01-05", utterance="u", document="gazette-1")
    told.claim("b", "river", uttered="2023-01-09", utterance="u", document="courier-1")
    found = told.ledger.explain("river", "quay")
    for one, other in ("ab", "ba"):
        told_why = f"one occasion with {other}: evidence, counted once; their dates share no day"
        assert why(found, "Collapse", one) == (True, told_why)


def test_what_is_over_names_what_came_after(told):
    told.claim("may", "river", uttered="2023-01-05")
    told.claim("june", "river", act="deny", uttered="2023-01-09")
    told.claim("july", "river", uttered="[..2023-02-20]")
    told.ledger.relate("july", "reverses", "june")
    found = told.ledger.explain("river", "quay")
    assert why(found, "Order", "may") == (False, "over: june surely came later, 2023-01-09")
    assert why(found, "Order", "june") == (False, "over: july refers back to it")
    assert why(found, "Order", "july") == (True, "nothing surely comes after it")
    assert found.steps[6].words.startswith("reversal: supports (may) to opposes (june); reversal")


def test_a_withdrawn_claim_names_its_withdrawal(told):
    told.claim("c1", "river", uttered="2023-01-05")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09", id="w1")
    found = told.ledger.explain("river", "quay")
    assert why(found, "Decide", "c1") == (False, "taken back by w1, said 2023-01-09")
    assert found.steps[5].words.startswith("withdrawn: all at the front was taken back")


def test_a_withdrawal_of_other_words_of_the_occasion_is_not_named(told):
    for claim, proposition in (("c1", "quay"), ("c2", "jammed")):
        told.claim(claim, "river", uttered="2023-01-05", utterance="u", proposition=proposition)
        told.ledger.withdraw(claim, claimant="river", uttered="2023-01-09", id=f"{claim} taken")
    found = told.ledger.explain("river", "quay")
    assert why(found, "Decide", "c1") == (False, "taken back by c1 taken, said 2023-01-09")


def test_possible_words_that_were_taken_back_possibly_stand_for_nothing(told):
    told.claim("c1", ["river", "union"], uttered="2023-01-05")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09", id="w1")
    found = told.ledger.explain("river", "quay")
    assert (found.position.status, found.position.short()) == ("possible", "possibly withdrawn")
    assert found.position.sentence().endswith("; possibly took it back (1 claim).")
    assert why(found, "Collect", "c1")[1].endswith("; taken back by w1, said 2023-01-09")


def test_merged_ids_are_told(told):
    told.ledger.merge("quay", "jammed", negated=True, reason="its opposite")
    told.claim("c1", "river", proposition="jammed", uttered="2023-01-05")
    found = told.ledger.explain("river", "quay")
    assert found.steps[0].words.endswith(
        "The proposition is quay, one with jammed (stances on jammed swapped)."
    )
    assert found.position.stance == "opposes"


def test_a_position_is_explained_in_the_view_that_gave_it(told):
    told.claim("c1", "river", uttered="2023-01-05")
    early = told.ledger.as_of(said="2023-01-06")
    position = early.position("river", "quay")
    told.claim("c2", "river", act="deny", uttered="2023-01-09")
    assert early.explain(position).position == position
    assert told.ledger.explain(position).position == position
    with pytest.raises(InvalidView, match=r"of another view.*ledger\.explain\(position\)"):
        told.ledger.as_of().explain(position)
    with pytest.raises(InvalidView, match=r"explain\(position\), or explain\(party, proposition\)"):
        told.ledger.explain("river")


# -- policies -----------------------------------------------------------------------------------


@pytest.fixture
def levels(told):
    """The state spoke first, then its office, then the office's speaker."""
    told.claim("state", "delta", uttered="2023-01-05")
    told.claim("office", "harbour", act="deny", uttered="2023-01-07")
    told.claim("voice", "speaker", uttered="2023-01-09")
    return told.ledger


def test_the_latest_word_decides_whoever_spoke_it(levels):
    assert levels.position("delta", "quay").evidence[-1].claim == "voice"


def test_own_words_come_first_if_any_is_certain(levels):
    found = levels.position("delta", "quay", policy="own_level_first")
    assert [one.claim for one in found.evidence] == ["state"]
    assert [one.claim for one in found.passed_over] == ["office", "voice"]
    assert found.policy == "own_level_first"
    early = levels.as_of(said="2023-01-04")
    assert early.position("delta", "quay", policy="own_level_first").status == "silent"


def test_without_certain_words_of_its_own_all_count(told):
    told.claim("office", "harbour", uttered="2023-01-07")
    told.claim("state", "delta", act="deny", uttered="[2023-01-05..2023-02-20]")
    view = told.ledger.as_of(said="2023-02-01")
    found = view.position("delta", "quay", policy="own_level_first")
    assert (found.stance, [one.claim for one in found.possible]) == ("supports", ["state"])


def test_only_the_shortest_paths_count_where_authority_goes_first(told):
    told.claim("office", "harbour", act="deny", uttered="2023-01-07")
    told.claim("voice", "speaker", uttered="2023-01-09")
    found = told.ledger.position("delta", "quay", policy="highest_authority_first")
    assert [one.claim for one in found.evidence] == ["office"]
    assert [one.claim for one in found.passed_over] == ["voice"]
    assert told.ledger.position("delta", "quay").stance == "supports"


def test_a_refusal_is_set_aside_whatever_the_policy(told):
    told.claim("no", "delta", act="decline_to_comment", stance="undeclared", uttered="2023-01-05")
    told.claim("office", "harbour", uttered="2023-01-07")
    found = told.ledger.position("delta", "quay", policy="own_level_first")
    assert (found.status, found.stance) == ("held", "supports")


def test_a_policy_of_a_hosts_own_is_a_function_of_candidates(levels):
    def no_speakers(candidates):
        return [one for one in candidates if "speaker" not in one.path]

    found = levels.position("delta", "quay", policy=no_speakers)
    assert (found.stance, found.policy) == ("opposes", "no_speakers")
    steps = levels.explain("delta", "quay", policy=no_speakers)
    assert "passed over by the policy no_speakers" in why(steps, "Set aside", "voice")[1]


def test_a_policy_that_does_not_exist_or_makes_claims_up_is_refused(levels):
    with pytest.raises(InvalidView, match=r"There is no policy 'own_level'.*own_level_first"):
        levels.position("delta", "quay", policy="own_level")
    with pytest.raises(InvalidView, match=r"gave back .*, which was no candidate"):
        levels.position("delta", "quay", policy=lambda candidates: ["state"])


# -- accounts and silences ----------------------------------------------------------------------


def test_an_occurrence_is_told_side_by_side_in_words_of_their_own(told):
    told.ledger.register(Occurrence("jam", label="The jam", propositions=["quay", "jammed"]))
    told.claim("open", "speaker", uttered="2023-01-05", document="gazette-1", quote="One")
    told.claim("shut", "river", proposition="jammed", uttered="[2023-01-05..2023-02-20]")
    found = told.ledger.as_of(said="2023-02-01").perspectives("jam")
    assert [(one.party, one.proposition, one.position.status) for one in found] == [
        ("speaker", "quay", "held"),
        ("river", "jammed", "possible"),
    ]
    assert found.rows[0].speaks_for == ("delta", "harbour")
    assert found.rows[0].words[0].quote == "One"
    assert found.divergences == ()
    later = told.ledger.perspectives("jam")
    assert [one.claims for one in later.divergences] == [("open", "shut")]
    told.ledger.register(Occurrence("talk", label="The talk", propositions=["said-so"]))
    assert told.ledger.perspectives("talk").divergences == ()
    assert "possible: shut" in str(found)
    assert "<blockquote>One</blockquote>" in found._repr_html_()
    assert "(nobody described it)" in str(told.ledger.as_of(said="2022-01-01").perspectives("jam"))
    with pytest.raises(UnknownOccurrence, match="Did you mean 'jam'"):
        told.ledger.perspectives("jan")


def test_whom_words_speak_for_is_told_by_what_was_said_by_then(told):
    told.ledger.register(Occurrence("jam", label="The jam", propositions=["quay", "jammed"]))
    told.claim("c1", "former", uttered="2023-01-05")
    told.claim("c2", "former", uttered="2022-12-05", proposition="jammed")
    told.ledger.register(Membership("former", "union", period="2023-02-01/.."))
    before = told.ledger.as_of(said="2023-01-31")
    assert [one.speaks_for for one in before.perspectives("jam")] == [(), ("delta", "harbour")]
    told.claim("c3", "former", uttered="2023-02-05")
    assert [one.speaks_for for one in before.perspectives("jam")] == [(), ("delta", "harbour")]
    again = told.ledger.as_of(said="2023-01-31").perspectives("jam")
    assert [one.speaks_for for one in again] == [(), ("delta", "harbour")]
    assert told.ledger.perspectives("jam").rows[0].speaks_for == ("union",)


def test_where_nobody_surely_spoke_nobody_is_called_silent(told):
    told.claim("maybe", "river", uttered="[2023-01-05..2023-02-20]")
    assert len(told.ledger.as_of(said="2023-02-01").silences("port")) == 0
    assert len(told.ledger.as_of(said="2023-02-20").silences("port")) > 0


def test_the_silent_are_listed_where_others_speak_with_their_last_word(told):
    told.claim("c1", "speaker", uttered="2023-01-05", addressees=["river"])
    told.claim("c2", "river", proposition="jammed", uttered="2023-01-09")
    told.claim("c3", "union", act="decline_to_comment", stance="undeclared", uttered="2023-01-10")
    told.claim("c4", "former", uttered="[2023-01-05..2023-02-20]")
    found = {one.party: one for one in told.ledger.as_of(said="2023-02-01").silences("port")}
    assert found["river"].propositions == ("quay",)
    assert str(found["river"].last_word) == "2023-01-09"
    assert found["river"].addressed_in == ("c1",)
    assert found["speaker"].propositions == ("jammed",)
    # A refusal is no silence, and whoever may have spoken is not called silent.
    assert found["union"].propositions == ("jammed",)
    assert found["former"].propositions == ("jammed",)
    assert found["gazette"].last_word is None
    for party, one in found.items():
        for proposition in one.propositions:
            view = told.ledger.as_of(said="2023-02-01")
            assert view.position(party, proposition).status == "silent"
    assert next(iter(found)) == "river"
    with pytest.raises(UnknownTopic):
        told.ledger.silences("ports")


# -- how it reads -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "second, words",
    [
        ({"uttered": "[2023-01-03..2023-01-07]"}, "nothing tells which of the words came last"),
        (
            {"utterance": "u", "document": "gazette-1"},
            "one document has both, said on one occasion",
        ),
        ({"utterance": "u", "document": "courier-1"}, "the reports of one occasion disagree"),
    ],
    ids=["order unknown", "said both", "reports disagree"],
)
def test_a_conflict_says_in_words_what_is_not_known(told, second, words):
    told.claim("a", "river", uttered="2023-01-05", utterance="u", document="gazette-1")
    told.claim("b", "river", act="deny", **{"uttered": "2023-01-05", **second})
    assert told.ledger.position("river", "quay").sentence() == (
        f"River gave conflicting words on “The quay is open” (supports and opposes): {words}."
    )


def test_a_notebook_shows_the_quotes_and_what_is_possible_as_that(told):
    told.claim("c1", "river", uttered="2023-01-05", document="gazette-1", quote="One")
    told.claim("c2", "delta", uttered="[2023-01-05..2023-02-20]", note="<b>")
    view = told.ledger.as_of(said="2023-02-01")
    shown = view.position("river", "quay")._repr_html_()
    assert "<blockquote>One</blockquote>" in shown
    assert html.escape("River supported “The quay is open”") in shown
    possible = view.position("delta", "quay")._repr_html_()
    assert "Delta supported" not in possible
    assert "possible: " in possible
    assert "<li>" in told.ledger.explain("river", "quay")._repr_html_()


def test_what_a_chain_reports_only_is_said_to_take_no_position(told):
    chain = [Link("gazette", "reports"), Link("union", "says"), Link("river", "says")]
    told.ledger.record(id="c1", chain=chain, proposition="quay", act="assert", uttered="2023-01-05")
    found = told.ledger.explain("union", "quay")
    assert why(found, "Collect", "c1") == (
        False,
        "union passes on words of river: that takes no position",
    )


# -- at the utterance ---------------------------------------------------------------------------


def test_a_spokeswoman_who_changed_her_office_leaves_each_word_where_it_was_said(told):
    told.ledger.register(Party("customs", name="Customs", part_of="river"))
    told.ledger.register_all(
        [
            Party("anna", name="Anna", kind="person"),
            Membership("anna", "harbour", role="speaker", period="2022-01-01/2023-01-08"),
            Membership("anna", "customs", role="speaker", period="2023-01-08/.."),
        ]
    )
    told.claim("then", "anna", uttered="2023-01-07")
    told.claim("now", "anna", act="deny", uttered="2023-01-08")
    told.claim("either", "anna", uttered="[2023-01-07..2023-01-08]", proposition="jammed")
    stands = {who: told.stands(who) for who in ("harbour", "delta", "customs", "river")}
    assert stands == {
        "harbour": ("held", "supports"),
        "delta": ("held", "supports"),
        "customs": ("held", "opposes"),
        "river": ("held", "opposes"),
    }
    for office in ("harbour", "customs"):
        assert told.ledger.position(office, "jammed").status == "possible"


def test_a_membership_learnt_of_late_changes_the_past_for_later_known_only(told):
    told.claim("c1", "union", uttered="2023-01-05")
    before = told.ledger.checkpoint().size - 1
    told.clock.now += dt.timedelta(days=1)
    told.ledger.register(Membership("union", "delta", period="2023-01-01/2023-01-10"))
    assert told.stands("delta", said="2023-01-06") == ("held", "supports")
    assert told.stands("delta", said="2023-01-06", known=before) == ("silent", None)
