"""How a position reads: as a sentence, in lists and in a notebook; and what is in doubt."""

from __future__ import annotations

import pytest

from ledger import Membership, Party


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
        "2023-01-04, on 2 occasions. What was said for certain was taken back."
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
