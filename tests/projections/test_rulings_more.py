"""Rulings on names and roles of the day, conditions, staleness, and how a position reads."""

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


# -- how it reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claims, said, sentence",
    [
        (
            [{"claimant": "river", "uttered": "2023-01-03"}],
            None,
            "River supported “The quay is open”: asserted on 2023-01-03.",
        ),
        (
            [{"claimant": "speaker", "uttered": "2023-01-03", "act": "deny"}],
            None,
            "Delta opposed “The quay is open”: denied by The speaker on 2023-01-03.",
        ),
        (
            [{"claimant": "delta", "uttered": "[2023-01-03..2023-01-09]"}],
            "2023-01-05",
            (
                "No certain word of Delta on “The quay is open” is known; possibly supported it "
                "(1 claim)."
            ),
        ),
        ([], None, "No word of Delta on “The quay is open” is known."),
        (
            [{"claimant": "speaker", "uttered": "2023-01-03", "act": "avoid"}],
            None,
            (
                "Delta told no side on “The quay is open”: avoided the question through The "
                "speaker on 2023-01-03."
            ),
        ),
        (
            [{"claimant": "delta", "uttered": "2023-01-03", "act": "decline_to_comment"}],
            None,
            "Delta told no side on “The quay is open”: declined to comment on 2023-01-03.",
        ),
        (
            [
                {"claimant": "delta", "uttered": "2023-01-03", "stance": "opposes"},
                {"claimant": "harbour", "uttered": "2023-01-03"},
            ],
            None,
            (
                "Delta gave conflicting words on “The quay is open” (opposes and supports): "
                "nothing tells which of the words came last."
            ),
        ),
        (
            [
                {"claimant": "delta", "uttered": "2023-01-03"},
                {"claimant": "delta", "uttered": "2023-01-05", "factuality": "probable"},
            ],
            None,
            (
                "Delta supported “The quay is open” first 2023-01-03, last 2023-01-05, on 2 "
                "occasions: asserted; asserted as probable."
            ),
        ),
        (
            [{"claimant": "delta", "uttered": "2023-01-03", "expires": "2023-01-09"}],
            None,
            (
                "Delta supported “The quay is open”: asserted on 2023-01-03. It was meant for a "
                "time that is over."
            ),
        ),
    ],
)
def test_a_position_reads_like_a_sentence(told, claims, said, sentence):
    for number, fields in enumerate(claims):
        told.claim(f"c{number}", **fields)
    who = claims[0]["claimant"] if claims and claims[0]["claimant"] == "river" else "delta"
    one = told.ledger.as_of(said=said).position(who, "quay")
    assert str(one).splitlines()[0] == sentence


def test_what_is_contested_or_perhaps_taken_back_is_said_in_the_sentence(told):
    told.claim("c1", "river", uttered="2023-01-03", document="gazette-1")
    told.claim("never", "river", proposition="said-so", act="deny", uttered="2023-01-04")
    told.ledger.relate("never", "denies_attribution", "c1")
    told.ledger.withdraw("c1", claimant="river", uttered="[2023-01-05..2023-01-20]")
    told.claim("more", "river", uttered="2023-01", stance="neutral")
    sentence = str(told.ledger.as_of(said="2023-01-09").position("river", "quay")).splitlines()[0]
    assert sentence.endswith(
        "That it was said is contested. It was possibly taken back. Beside this possibly took no "
        "side on it (1 claim)."
    )
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-06")
    gone = told.ledger.as_of(said="2023-01-09").position("river", "quay")
    assert str(gone).startswith("River took back the last word on “The quay is open”: asserted on")


def test_a_refusal_that_is_only_possible_is_told_as_that(told):
    told.claim("c1", "river", act="avoid", uttered="[2023-01-03..2023-02-20]")
    told.claim("c2", ["delta", "union"], act="decline_to_comment", uttered="2023-01-05")
    view = told.ledger.as_of(said="2023-02-01")
    for who, name in (("river", "River"), ("union", "Union")):
        one = view.position(who, "quay")
        assert (one.status, one.short()) == ("undeclared", "possibly undeclared")
        assert one.sentence() == (
            f"No certain word of {name} on “The quay is open” is known; possibly told no side "
            "(1 claim)."
        )
        assert "no stance, possible: c" in str(one)
    sure = told.ledger.as_of(said="2023-02-20").position("river", "quay")
    assert (sure.short(), sure.sentence()[:18]) == ("undeclared", "River told no side")
    told.claim("c3", "river", act="avoid", uttered="2023-01-09")
    both = told.ledger.as_of(said="2023-02-01").position("river", "quay")
    assert both.short() == "undeclared"
    assert both.sentence().endswith("Of these words 1 only possibly.")
    turned = told.ledger.diff(view, told.ledger.as_of(said="2023-02-20"))
    assert "river" in {one.party for one in turned.positions}


def test_words_of_several_kinds_are_told_each_with_who_said_them(told):
    """An act, a hedge or a condition of one day or speaker is not that of the others."""
    told.claim("c1", "river", act="call_for", proposition="reopen", uttered="2023-01-03")
    told.claim(
        *("c2", "union"),
        act="accept",
        proposition="reopen",
        uttered="2023-01-05",
        factuality="possible",
        conditions="if paid",
    )
    told.ledger.register(Party("front", name="The Front"))
    told.ledger.register_all([Membership("river", "front"), Membership("union", "front")])
    assert told.ledger.position("front", "reopen").sentence() == (
        "The Front supported “Open the quay” first 2023-01-03, last 2023-01-05, on 2 "
        "occasions: called for by River; accepted as possible by Union on the condition “if paid”."
    )


def test_words_taken_back_are_told_as_that_and_apart_from_those_that_stand(told):
    told.claim("c1", "river", act="predict", uttered="2023-01-03")
    told.ledger.withdraw("c1", claimant="river", uttered="2023-01-05")
    told.claim("c2", "river", uttered="2023-01-09", utterance="speech")
    told.claim("c3", "river", uttered="2023-01-09", utterance="speech")
    assert told.ledger.position("river", "quay").sentence() == (
        "River supported “The quay is open”: asserted on 2023-01-09. What was said on 1 other "
        "occasion was taken back."
    )


def test_a_last_word_that_was_taken_back_is_told_by_itself(told):
    told.claim("c1", "river", uttered="2023-01-02")
    told.claim("c2", "river", act="predict", uttered="2023-01-04", conditions="if it rains")
    told.ledger.withdraw("c2", claimant="river", uttered="2023-01-09")
    assert told.ledger.position("river", "quay").sentence() == (
        "River took back the last word on “The quay is open”: predicted on 2023-01-04 on the "
        "condition “if it rains”."
    )


def test_refusals_that_were_all_taken_back_say_so(told):
    for day in (3, 4):
        told.claim(f"c{day}", "river", act="avoid", uttered=f"2023-01-0{day}")
        told.ledger.withdraw(f"c{day}", claimant="river", uttered="2023-01-09")
    assert told.ledger.position("river", "quay").sentence() == (
        "River told no side on “The quay is open”: avoided the question first 2023-01-03, last "
        "2023-01-04, on 2 occasions. It was taken back."
    )


def test_of_two_words_alike_but_for_a_condition_each_is_told(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-03", conditions="if paid")
    assert told.ledger.position("river", "quay").sentence() == (
        "River supported “The quay is open” on 2023-01-03, on 2 occasions: asserted; asserted on "
        "the condition “if paid”."
    )


def test_a_possible_word_that_was_possibly_taken_back_puts_no_doubt_on_a_certain_one(told):
    told.claim("c1", "river", uttered="2023-01-02")
    told.claim("c2", "river", act="deny", uttered="[2023-01-05..2023-02-20]")
    told.ledger.withdraw("c2", claimant="river", uttered="[2023-01-06..2023-02-25]")
    one = told.ledger.as_of(said="2023-02-01").position("river", "quay")
    assert one.sentence() == (
        "River supported “The quay is open”: asserted on 2023-01-02. Beside this possibly opposed "
        "it (1 claim, possibly taken back)."
    )
    assert (one.short(), one.possibly_withdrawn) == ("supports (assert)", ("c2",))


def test_a_certain_refusal_beside_a_possible_word_is_told(told):
    told.claim("c1", "river", act="decline_to_comment", uttered="2023-01-03")
    told.claim("c2", "river", uttered="[2023-01-05..2023-02-20]")
    one = told.ledger.as_of(said="2023-02-01").position("river", "quay")
    assert one.sentence() == (
        "River told no side on “The quay is open” on 2023-01-03; possibly supported it (1 claim)."
    )
    assert (one.status, one.short()) == ("possible", "undeclared, possibly supports")


def test_a_word_on_the_opposite_is_not_told_as_one_on_this(told):
    told.claim("c1", "river", act="deny", proposition="jammed", uttered="2023-01-03")
    told.ledger.merge("quay", "jammed", negated=True)
    one = told.ledger.position("river", "quay")
    assert one.sentence() == (
        "River supported “The quay is open”: denied the opposite on 2023-01-03."
    )
    assert str(one.evidence[0]) == "c1 deny the opposite (supports), 2023-01-03"
    (line,) = told.ledger.claims(party="river")
    assert str(line) == "c1 river deny the opposite of quay (supports), 2023-01-03"


def test_a_word_against_the_opposite_was_no_word_for_it(told):
    """Who asserted that it is not jammed asserted no opposite of the open quay."""
    told.claim("c1", "river", proposition="jammed", stance="opposes", uttered="2023-01-03")
    told.claim("c2", "river", act="avoid", proposition="jammed", uttered="2023-01-02")
    told.claim("c3", "river", act="deny", proposition="jammed", uttered="2023-01-03")
    told.claim("c4", "delta", act="accuse", proposition="jammed", uttered="2023-01-03")
    told.ledger.merge("quay", "jammed", negated=True)
    assert told.ledger.position("river", "quay").sentence() == (
        "River supported “The quay is open” on 2023-01-03, on 2 occasions: asserted; denied the "
        "opposite."
    )
    assert told.ledger.position("delta", "quay").sentence() == (
        "Delta opposed “The quay is open”: raised the opposite as an accusation on 2023-01-03."
    )
    assert not any(row.opposite for row in told.ledger.claims(claimant="river", act="avoid"))


def test_a_difference_tells_who_was_not_known_from_who_was_silent(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.register(Party("late", name="Latecomer"))
    told.claim("c2", "late", uttered="2023-01-04")
    told.claim("c3", "union", uttered="2023-01-04")
    for scope in ({}, {"proposition": "quay"}):
        found = told.ledger.diff(before, told.ledger.as_of(), **scope)
        assert [str(one) for one in found.positions] == [
            "late on quay: unknown -> supports (assert)",
            "union on quay: silent -> supports (assert)",
        ]
    back = told.ledger.diff(told.ledger.as_of(), before, proposition="quay")
    assert str(back.positions[0]) == "late on quay: supports (assert) -> unknown"


def test_who_is_merged_into_another_has_not_fallen_silent(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.register(Party("stream", name="The River"))
    merge = told.ledger.merge("stream", "river")
    merged = told.ledger.as_of()
    for scope in ({}, {"party": "river"}, {"party": "stream"}, {"proposition": "quay"}):
        found = told.ledger.diff(before, merged, **scope)
        told_of = {one.party: str(one) for one in found.positions}
        assert told_of == {"stream": "stream on quay: unknown -> supports (assert)"}
    told.ledger.amend(merge.ledger_id, strike_out=True, reason="two rivers")
    assert [str(one) for one in told.ledger.diff(merged, told.ledger.as_of()).positions] == [
        "stream on quay: supports (assert) -> silent"
    ]


def test_what_changed_beside_a_merge_is_told_of_both(told):
    told.claim("c1", "river", act="deny", uttered="2023-01-03")
    merge = told.ledger.merge("union", "river")
    merged = told.ledger.as_of()
    told.ledger.amend(merge.ledger_id, strike_out=True, reason="two parties")
    told.claim("c2", "river", uttered="2023-01-05")
    told.claim("c3", "river", proposition="jammed", uttered="2023-01-05")
    for scope in ({}, {"topic": "port"}):
        found = told.ledger.diff(merged, told.ledger.as_of(), **scope)
        assert [str(one) for one in found.positions] == [
            "river on jammed: silent -> supports (assert)",
            "river on quay: opposes (deny) as union on quay -> supports (assert)",
            "union on quay: opposes (deny) -> silent",
        ]


def test_a_word_that_was_lost_with_a_merge_is_told(told):
    told.claim("c1", "river", act="deny", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.amend("c1", strike_out=True, reason="never said")
    told.ledger.merge("union", "river")
    found = told.ledger.diff(before, told.ledger.as_of(), proposition="quay")
    assert [str(one) for one in found.positions] == ["river on quay: opposes (deny) -> silent"]


def test_what_is_merged_into_its_negation_has_not_changed_sides(told):
    told.claim("c1", "river", proposition="jammed", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.merge("quay", "jammed", negated=True)
    for scope in ({}, {"party": "river"}):
        found = told.ledger.diff(before, told.ledger.as_of(), **scope)
        assert [str(one) for one in found.positions] == [
            "river on quay: silent -> opposes (assert)"
        ]


def test_a_position_that_reads_alike_is_told_with_the_claims_that_differ(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.claim("c2", "river", uttered="2023-01-04")
    (changed,) = told.ledger.diff(before, told.ledger.as_of()).positions
    assert str(changed) == "river on quay: supports (assert) -> supports (assert), by c2"


def test_what_is_in_doubt_is_told_in_every_list(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "union", act="deny", uttered="2023-01-04")
    told.claim("c3", "river", proposition="said-so", act="deny", uttered="2023-01-05")
    told.ledger.relate("c3", "denies_attribution", "c1")
    told.ledger.withdraw("c2", claimant="union", uttered="[2023-01-05..2023-02-20]")
    view = told.ledger.as_of(said="2023-02-01")
    assert view.position("river", "quay").short() == "supports (assert), contested"
    assert view.position("union", "quay").short() == "opposes (deny), possibly withdrawn"
    (strand,) = view.timeline("union", "quay").strands
    assert strand.possibly_withdrawn == ("c2",)
    assert strand.status == "opposes (deny), possibly withdrawn"
    (found,) = view.contradictions()
    assert found.doubtful == ("c2", "c3")
    assert str(found).endswith("; in doubt: c2, c3")


def test_one_of_two_claimants_is_told_as_one_of_them(told):
    told.claim("c1", ["speaker", "harbour"], uttered="2023-01-05")
    assert "asserted by The speaker or Harbour Office on" in str(
        told.ledger.position("delta", "quay")
    )


def test_what_is_possible_or_silent_is_never_the_stance(told):
    told.claim("maybe", "river", uttered="2023-01")
    possible = told.ledger.as_of(said="2023-01-09").position("river", "quay")
    silent = told.ledger.position("delta", "quay")
    for one in (possible, silent):
        assert (one.stance, one.acts, one.evidence, one.own) == (None, (), (), False)
        assert one.to_dict()["stance"] is None


def test_a_notebook_shows_the_words_as_quotations_and_escapes_them(told):
    told.ledger.register(Party("odd", name="<b>Odd</b>"))
    told.claim("c1", "odd", uttered="2023-01-03", document="gazette-1", quote="One.")
    told.claim("c2", "odd", uttered="2023-01", conditions="2 < 3", stance="opposes")
    html = told.ledger.as_of(said="2023-01-09").position("odd", "quay")._repr_html_()
    assert "&lt;b&gt;Odd&lt;/b&gt; supported" in html
    assert "<li>c1 assert (supports), 2023-01-03<blockquote>One.</blockquote></li>" in html
    assert "<p>possible: </p>" in html
    assert "on condition: 2 &lt; 3" in html
    assert "<b>" not in html


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


# -- what a second view shows otherwise ------------------------------------------------------------


def test_a_difference_tells_what_was_learnt_late_and_what_was_newly_said(told):
    told.claim("early", "river", uttered="2023-01-03")
    told.claim("later", "river", uttered="2023-01-20", stance="opposes")
    before = told.ledger.as_of(said="2023-01-10", known=told.ledger.checkpoint().size - 1)
    told.clock.now += dt.timedelta(days=30)
    told.claim("found", "delta", uttered="2023-01-05")
    told.claim("fresh", "union", uttered="2023-03-20")
    after = told.ledger.as_of()
    found = told.ledger.diff(before, after)
    assert [row.id for row in found.learnt] == ["found", "fresh"]
    assert [row.id for row in found.newly_said] == ["later"]
    assert found.late == ("found",)
    assert [(one.party, one.through) for one in found.changed_by_late] == [("delta", ("found",))]
    assert {one.party for one in found.positions} == {"river", "delta", "union"}
    assert "(learnt, late: it had been said before)" in str(found)
    assert not told.ledger.diff(after, after)


def test_a_position_that_a_membership_changed_says_through_which_claim(told):
    told.claim("c1", "river", uttered="2023-01-03")
    known = told.ledger.checkpoint().size - 1
    link = told.ledger.register(Membership("river", "union"))
    (changed,) = told.ledger.diff(told.ledger.as_of(known=known), told.ledger.as_of()).positions
    assert (changed.party, changed.through) == ("union", ("c1",))
    assert link.sequences[0] == known + 1


def test_a_position_that_reads_otherwise_is_in_the_difference(told):
    told.claim("own", "delta", uttered="2023-01-03")
    told.claim("doubted", "river", uttered="2023-01-03")
    told.claim("perhaps", "union", uttered="[2023-01-03..2023-02-20]")
    known = told.ledger.checkpoint().size - 1
    told.ledger.amend("own", claimant="harbour", reason="it was the office")
    told.ledger.withdraw("doubted", claimant="river", uttered="[2023-01-05..2023-02-20]")
    told.ledger.amend("perhaps", act="deny", stance="opposes", reason="misread")
    before = told.ledger.as_of(said="2023-02-01", known=known)
    found = told.ledger.diff(before, told.ledger.as_of(said="2023-02-01"))
    assert {one.party: one.through for one in found.positions} == {
        "delta": ("own",),
        "harbour": ("own",),
        "river": ("doubted",),
        "union": ("perhaps",),
    }
    lines = str(found).splitlines()
    assert "delta on quay: supports (assert) -> supports* (assert)" in lines
    assert "river on quay: supports (assert) -> supports (assert), possibly withdrawn" in lines
    assert "union on quay: possibly supports -> possibly opposes" in lines


def test_a_claim_that_reads_as_before_is_not_told_as_altered(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05")
    known = told.ledger.checkpoint().size - 1
    told.ledger.relate("c2", "reaffirms", "c1")
    assert told.ledger.diff(told.ledger.as_of(known=known), told.ledger.as_of()).altered == ()
