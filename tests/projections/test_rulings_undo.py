"""Three ways to undo, and undoing an undo, as examples (model.md, 2 and 4)."""

from __future__ import annotations

import datetime as dt

import pytest

from ledger import Membership, Occurrence, Party, Proposition
from ledger.errors import (
    InvalidAmendment,
    InvalidClaim,
    InvalidCorrection,
    InvalidMerge,
    InvalidRelation,
    InvalidWithdrawal,
    StillNamed,
)

HELD, AGAINST, SILENT = ("held", "supports"), ("held", "opposes"), ("silent", None)
WITHDRAWN = ("withdrawn", None)


@pytest.fixture
def changed(told):
    """A word and a newer one against it; the log's place before either is undone."""
    told.claim("older", "river", uttered="2023-01-03", document="courier-1")
    told.claim("newer", "river", uttered="2023-01-05", stance="opposes", document="gazette-1")
    told.before = told.ledger.checkpoint().size - 1
    told.clock.now += dt.timedelta(days=1)
    return told


# -- the table of section 4, column by column ------------------------------------------------------


def test_a_withdrawal_leaves_what_was_said_before_it_and_falls_back_on_nothing(changed):
    changed.ledger.withdraw("newer", claimant="river", uttered="2023-01-09")
    assert changed.stands("river", "2023-01-06") == AGAINST
    assert changed.stands("river", "2023-01-09") == WITHDRAWN
    assert changed.stands("river", "2023-01-09", changed.before) == AGAINST


def test_a_correction_acts_for_every_said_and_falls_back(changed):
    changed.ledger.correct("newer", document="gazette-2", never_said=True)
    assert changed.stands("river", "2023-01-06") == HELD
    assert changed.stands("river", "2023-02-01") == HELD
    assert changed.stands("river", "2023-02-01", changed.before) == AGAINST


def test_a_correction_may_give_the_words_as_they_were(changed):
    changed.ledger.correct("newer", document="gazette-2", stance="neutral")
    assert changed.stands("river", "2023-01-06") == ("held", "neutral")
    row = next(row for row in changed.ledger.claims() if row.id == "newer")
    assert (row.corrected, str(row.said)) == (True, "2023-01-05")


def test_an_amendment_acts_for_every_said_and_falls_back(changed):
    changed.ledger.amend("newer", reason="another river", strike_out=True)
    assert changed.stands("river", "2023-01-06") == HELD
    assert changed.stands("river", None, changed.before) == AGAINST
    assert changed.ledger.claims().ids == ("older",)


def test_withdrawn_claims_stay_listed_and_marked(changed):
    changed.ledger.withdraw("newer", claimant="river", uttered="2023-01-09")
    assert {row.id: row.withdrawn for row in changed.ledger.claims()} == {
        "older": False,
        "newer": True,
    }


def test_a_correction_leaves_another_papers_report_of_the_utterance_alone(told):
    told.claim("g", "river", uttered="2023-01-03", utterance="u", document="gazette-1")
    told.claim("c", "river", uttered="2023-01-03", utterance="u", document="courier-1")
    told.ledger.correct("g", document="gazette-2", stance="opposes")
    one = told.ledger.position("river", "quay")
    assert (one.status, one.because) == ("conflicted", "reports_disagree")


def test_a_withdrawal_takes_back_every_report_of_the_utterance_that_says_the_same(told):
    told.claim("g", "river", uttered="2023-01-03", utterance="u", document="gazette-1")
    told.claim("c", "river", uttered="2023-01-03", utterance="u", document="courier-1")
    told.ledger.withdraw("g", claimant="river", uttered="2023-01-09")
    assert told.stands("river") == WITHDRAWN


def test_a_report_of_another_stance_survives_the_withdrawal(told):
    told.claim("g", "river", uttered="2023-01-03", utterance="u", document="gazette-1")
    told.claim("c", "river", uttered="2023-01-03", utterance="u", stance="mixed")
    told.ledger.withdraw("g", claimant="river", uttered="2023-01-09")
    assert told.stands("river") == ("held", "mixed")


def test_a_ministry_disowns_its_speaker_and_she_still_holds_her_words(told):
    told.claim("c1", "speaker", uttered="2023-01-03")
    told.ledger.withdraw("c1", claimant="harbour", uttered="2023-01-09")
    assert told.stands("speaker") == HELD
    assert told.stands("harbour") == WITHDRAWN
    assert told.stands("delta") == WITHDRAWN


def test_a_member_leaves_a_joint_statement_for_itself_alone(told):
    told.claim("c1", "leaders", uttered="2023-01-03")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09")
    assert told.stands("river") == WITHDRAWN
    assert told.stands("delta") == HELD
    assert told.stands("leaders") == HELD


def test_a_withdrawal_that_may_be_later_leaves_the_claim_standing_and_flagged(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.ledger.withdraw("c1", claimant="river", uttered="[2023-01-05..2023-01-20]")
    one = told.ledger.as_of(said="2023-01-10").position("river", "quay")
    assert ((one.status, one.stance), one.possibly_withdrawn) == (HELD, ("c1",))
    assert told.stands("river", "2023-01-20") == WITHDRAWN


def test_a_word_that_is_only_possible_may_be_flagged_as_well(told):
    told.claim("c1", "river", uttered="[2023-01-03..2023-01-20]")
    told.ledger.withdraw("c1", claimant="river", uttered="[2023-01-03..2023-01-25]")
    one = told.ledger.as_of(said="2023-01-10").position("river", "quay")
    assert (one.status, one.possibly_withdrawn) == ("possible", ("c1",))


def test_a_withdrawal_by_one_of_two_leaves_the_claim_standing_and_flagged(told):
    told.claim("c1", "leaders", uttered="2023-01-03")
    told.ledger.withdraw("c1", claimant=["river", "delta"], uttered="2023-01-09")
    for party in ("river", "delta"):
        one = told.ledger.position(party, "quay")
        assert ((one.status, one.stance), one.possibly_withdrawn) == (HELD, ("c1",))


@pytest.mark.parametrize("behind", ["harbour", None], ids=["on behalf", "by her membership"])
def test_who_speaks_for_a_party_takes_back_what_was_said_for_it(told, behind):
    """For whom: each party that the withdrawal itself reaches (section 4)."""
    told.claim("c", "former", uttered="2022-12-20")
    told.ledger.withdraw("c", claimant="speaker", on_behalf_of=behind, uttered="2023-02-01")
    assert told.stands("harbour", "2023-02-02") == WITHDRAWN
    assert told.stands("former", "2023-02-02") == HELD
    assert told.stands("delta", "2023-02-02") == WITHDRAWN


def test_who_speaks_for_nobody_behind_a_claim_cannot_take_it_back(told):
    told.claim("c", "harbour", uttered="2022-12-20")
    for claimant in ("river", "former"):
        with pytest.raises(InvalidWithdrawal, match="whoever speaks for one of them"):
            told.ledger.withdraw("c", claimant=claimant, uttered="2023-02-01")


def test_a_withdrawal_that_an_amendment_made_void_is_ignored_and_flagged(told):
    told.claim("c", "river", uttered="2023-01-03")
    told.ledger.withdraw("c", claimant="river", uttered="2023-01-05")
    told.ledger.amend("c", claimant="delta", reason="misheard")
    assert told.stands("delta") == HELD
    touched = {one.type: one.detail for one in told.ledger.trace("c").events}
    assert "takes back nothing here" in touched["claim_withdrawn"]


def test_words_of_one_of_two_are_listed_as_withdrawn_once_both_took_them_back(told):
    told.claim("c1", ["river", "union"], uttered="2023-01-03")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09")
    assert [row.withdrawn for row in told.ledger.claims()] == [False]
    assert [row.withdrawn for row in told.ledger.claims(party="river")] == [True]
    told.ledger.withdraw("c1", claimant="union", uttered="2023-01-10")
    assert [row.withdrawn for row in told.ledger.claims()] == [True]


def test_an_earlier_withdrawal_learnt_of_late_acts_at_its_own_time(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.checkpoint().size - 1
    told.clock.now += dt.timedelta(days=30)
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-05")
    assert told.stands("river", "2023-01-06") == WITHDRAWN
    assert told.stands("river", "2023-01-06", before) == HELD


def test_taking_back_a_withdrawal_is_saying_it_again(told):
    told.claim("c1", "river", uttered="2023-01-03")
    taken = told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09")
    with pytest.raises(InvalidWithdrawal, match="saying the words again"):
        told.ledger.withdraw(taken, claimant="river", uttered="2023-01-10")
    told.claim("c2", "river", uttered="2023-01-10")
    assert told.stands("river") == HELD


def test_a_misreported_withdrawal_is_corrected_away(told):
    told.claim("c1", "river", uttered="2023-01-03")
    taken = told.ledger.withdraw("c1", claimant="river", document="gazette-1")
    told.ledger.correct(taken, document="gazette-2", never_said=True)
    assert told.stands("river") == HELD


@pytest.mark.parametrize(
    "wrong, others",
    [
        (lambda ledger: ledger.correct("c1", stance="mixed"), ("withdraw()", "amend()")),
        (lambda ledger: ledger.withdraw("c1"), ("correct()", "amend()")),
        (lambda ledger: ledger.amend("c1", stance="mixed"), ("withdraw()", "correct()")),
    ],
    ids=["correct", "withdraw", "amend"],
)
def test_each_refusal_names_the_other_two_ways(told, wrong, others):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    with pytest.raises((InvalidCorrection, InvalidWithdrawal, InvalidAmendment)) as caught:
        wrong(told.ledger)
    assert all(other in caught.value.message for other in others)


def test_nobody_takes_back_the_words_of_another(told):
    told.claim("c1", "river", uttered="2023-01-03")
    with pytest.raises(InvalidWithdrawal, match="no part"):
        told.ledger.withdraw("c1", claimant="delta", uttered="2023-01-09")


# -- undoing an undo -------------------------------------------------------------------------------


def test_an_undone_undo_is_undone_in_turn(told):
    told.claim("c1", "river", uttered="2023-01-03")
    last, seen = "c1", []
    for _ in range(4):
        receipt = told.ledger.amend(last, reason="once more", strike_out=True)
        last = receipt.ledger_id
        seen.append(told.stands("river"))
    assert seen == [SILENT, HELD, SILENT, HELD]


def test_a_claim_brought_back_while_its_proposition_stays_struck_out_is_ignored(told):
    told.ledger.register(Proposition("brief", text="The gauge is wrong"))
    told.claim("c1", "river", uttered="2023-01-03", proposition="brief")
    gone = told.ledger.amend("c1", reason="not said so", strike_out=True)
    dead = told.ledger.amend("brief", reason="not needed", strike_out=True)
    told.ledger.amend(gone.ledger_id, reason="said after all", strike_out=True)
    assert told.ledger.claims().ids == ()
    told.ledger.amend(dead.ledger_id, reason="needed after all", strike_out=True)
    assert told.ledger.claims().ids == ("c1",)


def test_a_correction_struck_out_lets_the_report_stand_again(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    gone = told.ledger.correct("c1", document="gazette-2", never_said=True)
    assert told.stands("river") == SILENT
    told.ledger.amend(gone.ledger_id, reason="of another report", strike_out=True)
    assert told.stands("river") == HELD


def test_a_publisher_that_corrects_its_correction_has_its_last_word_stand(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    told.ledger.correct("c1", document="gazette-2", never_said=True)
    never = told.ledger.checkpoint().size - 1
    told.ledger.correct("c1", document="gazette-2", act="deny", stance="opposes")
    assert told.stands("river") == ("held", "opposes")
    assert told.stands("river", known=never) == SILENT
    told.ledger.correct("c1", document="gazette-2", never_said=True)
    assert told.stands("river") == SILENT


def test_changing_an_amendment_changes_what_it_does(told):
    told.claim("c1", "river", uttered="2023-01-03")
    slip = told.ledger.amend("c1", reason="misheard", stance="mixed")
    told.ledger.amend(slip.ledger_id, reason="a slip in the slip", stance="neutral")
    assert told.stands("river") == ("held", "neutral")


def test_of_live_changes_to_one_field_the_last_in_the_log_wins(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    told.ledger.amend("c1", reason="misheard", stance="mixed")
    last = told.ledger.correct("c1", document="gazette-2", stance="opposes")
    assert told.stands("river") == AGAINST
    told.ledger.amend(last.ledger_id, reason="not of this", strike_out=True)
    assert told.stands("river") == ("held", "mixed")


def test_relations_and_withdrawals_fall_with_their_claim(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01", utterance="u", stance="opposes")
    told.claim("c3", "delta", uttered="2023-01")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-09", utterance="u")
    told.ledger.relate("c1", "replies_to", "c3")

    def said():
        return {row.id: str(row.said) for row in told.ledger.claims()}

    assert said() == {"c1": "2023-01-03", "c2": "2023-01-09", "c3": "2023-01-01..2023-01-03"}
    told.ledger.amend("c1", reason="never", strike_out=True)
    assert said() == {"c2": "2023-01-01..2023-01-31", "c3": "2023-01-01..2023-01-31"}


def test_what_live_records_name_is_not_struck_out(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    for named in ("river", "quay", "gazette-1", "port"):
        with pytest.raises(StillNamed) as caught:
            told.ledger.amend(named, reason="away", strike_out=True)
        assert caught.value.named_by


def test_an_amended_membership_acts_only_where_it_is_known(told):
    told.claim("c1", "river", uttered="2023-01-03")
    link = told.ledger.register(Membership("river", "union"))
    known = link.sequences[0]
    assert told.stands("union") == HELD
    told.ledger.amend(link.ledger_id, reason="began later", period="2023-01-04/..")
    assert told.stands("union", None, known) == HELD
    assert told.stands("union") == SILENT


def test_amending_never_moves_words_behind_their_recording(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.clock.now += dt.timedelta(days=30)
    with pytest.raises(InvalidClaim, match="recorded at 2023-03-01"):
        told.ledger.amend("c1", reason="later", uttered="2023-03-20")


def test_amending_never_moves_words_before_what_they_refer_back_to(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05")
    told.ledger.relate("c2", "reaffirms", "c1")
    with pytest.raises(InvalidRelation, match="earlier"):
        told.ledger.amend("c2", reason="earlier", uttered="2023-01-02")
    with pytest.raises(InvalidRelation, match="later"):
        told.ledger.amend("c1", reason="later", uttered="2023-01-06")


def test_nothing_refers_back_in_a_circle_of_occasions(told):
    told.claim("a1", "river", uttered="2023-01", utterance="a")
    told.claim("a2", "river", uttered="2023-01", utterance="a")
    told.claim("b1", "river", uttered="2023-01", utterance="b")
    told.claim("b2", "river", uttered="2023-01", utterance="b")
    told.ledger.relate("b1", "replies_to", "a1")
    with pytest.raises(InvalidRelation, match="circle"):
        told.ledger.relate("a2", "replies_to", "b2")


def test_nothing_refers_back_past_something_undated_to_what_is_surely_later(told):
    told.claim("c1", "river", uttered="2023-01-09")
    told.claim("undated", "river")
    told.claim("c3", "river", uttered="2023-01-05")
    told.ledger.relate("undated", "updates", "c1")
    with pytest.raises(InvalidRelation, match="earlier"):
        told.ledger.relate("c3", "updates", "undated")


# -- merges ----------------------------------------------------------------------------------------


def test_merged_parties_always_were_one_until_the_merge_is_struck_out(told):
    told.ledger.register(Party("stream", name="The Stream", kind="state"))
    told.claim("c1", "stream", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05", stance="opposes")
    before = told.ledger.checkpoint().size - 1
    merge = told.ledger.merge("river", "stream")
    assert told.stands("stream") == told.stands("river") == AGAINST
    assert told.stands("stream", "2023-01-04") == HELD
    assert told.stands("river", "2023-01-04") == HELD
    assert told.ledger.position("stream", "quay").party == "river"
    assert told.stands("stream", None, before) == HELD
    told.ledger.amend(merge.ledger_id, reason="two of them", strike_out=True)
    assert (told.stands("stream"), told.stands("river")) == (HELD, AGAINST)


def test_a_joint_party_lists_its_merged_members_by_the_id_that_is_shown(told):
    told.ledger.merge("union", "river", reason="one by two names")
    (line,) = (line for line in told.ledger.as_of().parties() if line.id == "leaders")
    assert line.members == ("delta", "union")


def test_a_negated_merge_swaps_the_stances(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "delta", proposition="jammed", uttered="2023-01-03")
    told.claim("c3", "union", proposition="jammed", uttered="2023-01-03", stance="mixed")
    merge = told.ledger.merge("quay", "jammed", negated=True)
    assert told.stands("delta") == AGAINST
    assert told.stands("union") == ("held", "mixed")
    assert [one.opposes for one in told.ledger.contradictions()] == ["delta"]
    told.ledger.amend(merge.ledger_id, reason="not the same", strike_out=True)
    assert told.stands("delta") == SILENT
    assert told.ledger.contradictions() == ()


def test_two_negations_are_none(told):
    told.ledger.register(Proposition("clear", text="The quay is clear"))
    told.claim("c1", "river", proposition="clear", uttered="2023-01-03")
    told.ledger.merge("jammed", "clear", negated=True)
    told.ledger.merge("quay", "jammed", negated=True)
    assert told.stands("river") == HELD
    assert told.ledger.position("river", "jammed").proposition == "quay"


def test_a_fact_and_an_aim_never_merge(told):
    with pytest.raises(InvalidMerge, match="fact and an aim"):
        told.ledger.merge("quay", "reopen")


def test_one_merge_at_most_takes_an_id_away_and_never_in_a_circle(told):
    told.ledger.merge("river", "union")
    for kept, merged in (("delta", "union"), ("union", "river")):
        with pytest.raises(InvalidMerge):
            told.ledger.merge(kept, merged)


def test_of_merges_that_an_undo_made_contradictory_the_earliest_stands(told):
    told.claim("c1", "union", uttered="2023-01-03")
    first = told.ledger.merge("river", "union")
    undo = told.ledger.amend(first.ledger_id, reason="two", strike_out=True)
    told.ledger.merge("delta", "union")
    told.ledger.merge("union", "river")
    assert (told.stands("delta"), told.stands("river")) == (HELD, HELD)
    told.ledger.amend(undo.ledger_id, reason="one after all", strike_out=True)
    assert (told.stands("delta"), told.stands("river")) == (SILENT, HELD)


def test_an_occurrence_told_by_merged_facts_is_told_once(told):
    told.ledger.register(Occurrence("stop", label="Stop", propositions=["quay", "jammed"]))
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "delta", proposition="jammed", uttered="2023-01-03")
    assert len(told.ledger.divergences()) == 1
    told.ledger.merge("quay", "jammed")
    assert told.ledger.divergences() == ()


def test_what_was_never_said_was_not_said_otherwise(changed):
    with pytest.raises(InvalidCorrection, match="leave stance= out, or never_said=True"):
        changed.ledger.correct("newer", document="gazette-2", never_said=True, stance="neutral")


def test_a_change_of_a_change_is_followed_however_deep(told):
    """Each level asks what is behind it: were it asked anew each time, sixty would never end."""
    told.claim("c1", "river", uttered="2023-01-03")
    last = told.ledger.amend("c1", stance="opposes", reason="misheard")
    for depth in range(60):
        stance = "supports" if depth % 2 else "neutral"
        last = told.ledger.amend(last.ledger_id, stance=stance, reason="once more")
    assert told.stands("river") == ("held", "supports")
    told.ledger.amend(last.ledger_id, strike_out=True, reason="not that one")
    assert told.stands("river") == ("held", "neutral")
