"""Traces both ways: from a claim to its words, from a document or party to what rests on it."""

from __future__ import annotations

import pytest

from ledger import Document, Ledger, Link, Membership, Party, Proposition, Quotation
from ledger.errors import InvalidDocument, StillNamed
from ledger.projecting import cells

OLD = "The board said the dam is safe. The union called it a risk. The dam is full."
NEW = "Corrected. The board said the dam is safe. The union was not asked. The dam is full."


@pytest.fixture
def town(ledger):
    for noun in (
        Party("gazette", name="Gazette", kind="publisher"),
        Party("county", name="County", kind="state"),
        Party("board", name="Water board", kind="body", part_of="county"),
        Party("union", name="Union"),
        Party("chair", name="The chair", kind="person"),
        Membership("chair", "board", role="chair"),
        Proposition("safe", text="The dam is safe"),
        Document("d1", publisher="gazette", published="2023-02-20", text=OLD),
        Document("d0", publisher="gazette", published="2023-02-20", text="Safe, they say."),
    ):
        ledger.register(noun)
    told = {"proposition": "safe", "act": "assert", "document": "d1", "uttered": "2023-02-19"}
    ledger.record(id="c1", claimant="board", quote="the dam is safe", utterance="u1", **told)
    ledger.record(id="c2", claimant="union", quote="a risk", stance="opposes", **told)
    ledger.record(
        id="c3",
        claimant="board",
        quote="Safe",
        utterance="u1",
        **{**told, "document": "d0"},
        mentions=["union"],
    )
    return ledger


def revised(town, text=NEW, **options):
    return town.register(
        Document("d2", publisher="gazette", published="2023-02-21", text=text, **options)
    )


# -- versions -----------------------------------------------------------------------------------


def test_a_corrected_article_is_a_new_version_that_the_old_one_knows(town):
    revised(town, revises="d1")
    assert town.resting_on("d1").later == ("d2",)
    assert town.resting_on("d2").earlier == ("d1",)
    assert [one.type for one in town.log()][-2:] == ["document_registered", "document_revised"]


def test_that_it_is_one_may_be_told_later_and_twice_is_no_news(town):
    revised(town)
    assert revised(town, revises="d1").stored == "stored"
    assert revised(town, revises="d1").stored == "already_stored"
    assert town.resting_on("d1").later == ("d2",)


def test_versions_make_no_circle_and_have_one_before_them(town):
    revised(town, revises="d1")
    with pytest.raises(InvalidDocument, match="revise itself through 'd2'"):
        town.register(
            Document("d1", publisher="gazette", published="2023-02-20", text=OLD, revises="d2")
        )
    with pytest.raises(InvalidDocument, match="revises 'd1' already"):
        revised(town, revises="d0")


def test_versions_that_an_undoing_left_in_a_circle_are_revised_and_told_all_the_same(town):
    def last():
        return [*town.events()][-1].id

    revised(town, revises="d1")
    town.amend(last(), strike_out=True, reason="another article")
    gone = last()
    town.register(
        Document("d1", publisher="gazette", published="2023-02-20", text=OLD, revises="d2")
    )
    town.amend(gone, strike_out=True, reason="the same article after all")
    town.register(Document("d3", publisher="gazette", text=OLD + " More.", revises="d2"))
    assert town.resting_on("d3").earlier == ("d1", "d2")


def test_a_version_is_not_struck_out_while_another_names_it(town):
    revised(town, revises="d1")
    with pytest.raises(StillNamed):
        town.amend("d2", strike_out=True, reason="by mistake")
    link = next(one.id for one in town.log() if one.type == "document_revised")
    town.amend(link, strike_out=True, reason="another article")
    assert town.resting_on("d1").later == ()
    town.amend("d2", strike_out=True, reason="by mistake")


def test_quotations_are_found_again_in_a_later_version_and_the_lost_are_listed(town):
    revised(town, revises="d1")
    rows = {(one.claim, one.version): one for one in town.check_quotes("d1")}
    assert rows["c1", "d1"].status == "stands"
    assert (rows["c1", "d2"].status, rows["c1", "d2"].ranges) == ("moved", ((26, 41),))
    assert NEW[26:41] == "the dam is safe"
    assert rows["c2", "d2"].status == "gone"
    assert [one.claim for one in town.check_quotes().fallen] == ["c2"]
    assert "c2 quote gone in d2" in str(town.trace("c2"))
    assert "c1 quote moved in d2 at 26-41" in str(town.resting_on("d2"))


def test_words_that_stand_twice_are_told_apart_by_what_stood_around_them(town):
    quote = Quotation(exact="The dam is full", ranges=[(60, 75)])
    town.record(
        id="c4", claimant="board", act="assert", proposition="safe", document="d1", quote=quote
    )
    revised(town, NEW.replace("Corrected.", "The dam is full!"), revises="d1")
    row = next(one for one in town.check_quotes("d1") if (one.claim, one.version) == ("c4", "d2"))
    assert row.status == "moved"
    assert row.ranges[0][0] > 60


def test_a_text_that_turns_up_later_is_checked_against_its_digest(town):
    words = {"proposition": "safe", "act": "assert", "document": "d9", "claimant": "board"}
    town.register(Document("d9", publisher="gazette", text="It is safe, all say.", keep_text=False))
    town.record(id="sure", quote=Quotation(exact="is safe", ranges=[(3, 10)]), **words)
    town.record(id="made-up", quote="is lost", **words)
    assert {one.status for one in town.check_quotes("d9")} == {"unchecked"}
    found = town.check_quotes("d9", texts={"d9": "It is safe, all say."})
    assert {one.claim: one.status for one in found} == {"sure": "stands", "made-up": "gone"}
    with pytest.raises(InvalidDocument, match="not that of document 'd9'"):
        town.check_quotes("d9", texts={"d9": "another text"})
    traced = town.trace("sure", document_text="It is safe, all say.")
    assert (traced.before, traced.after) == ("It ", ", all say.")
    town.record(id="heard", claimant="board", act="deny", proposition="safe")
    with pytest.raises(InvalidDocument, match="'heard' is in no document"):
        town.trace("heard", document_text="It is safe, all say.")


# -- from a document ----------------------------------------------------------------------------


def test_a_document_tells_what_rests_on_it_and_what_falls_with_it(town):
    before = str(town.checkpoint())
    found = town.resting_on("d1")
    assert [one.claim for one in found.claims] == ["c1", "c2"]
    assert found.claims[0].elsewhere == ("c3",)
    assert found.claims[0].reaches == ("board", "county")
    falls = {(one.party, one.proposition): one.after.status for one in found.falls}
    assert falls["union", "safe"] == "silent"
    assert falls["board", "safe"] == "held"  # the other paper still has it
    assert town.position("union", "safe").status == "held"
    assert str(town.checkpoint()) == before
    assert "union on safe: opposes (assert) -> silent" in str(found)


def test_what_falls_counts_withdrawals_and_what_they_give_back(town):
    town.register(Document("d5", publisher="gazette", published="2023-02-25", text="Sorry."))
    town.withdraw("c2", claimant="union", document="d5")
    assert town.position("union", "safe").status == "withdrawn"
    found = town.resting_on("d5")
    assert [(one.act, one.proposition) for one in found.claims] == [("withdraws", "c2")]
    assert [(one.party, one.after.status) for one in found.falls] == [("union", "held")]


@pytest.fixture(params=["folded", "narrowed"])
def asked(request, town):
    """The town, with the tables of cells and without."""
    if request.param == "narrowed":
        town.projections.add(cells(town.layout))
        town.projections.ready("cells")
    return town


def test_what_a_withdrawal_took_back_of_other_reports_falls_too(asked):
    asked.register(Party("both", name="Both", kind="joint", members=["board", "union"]))
    asked.register(Document("d5", publisher="gazette", published="2023-02-25", text="Sorry."))
    said = {"act": "assert", "proposition": "safe", "uttered": "2023-02-21", "utterance": "u5"}
    asked.record(id="c5", claimant="board", **said)
    asked.record(id="c6", claimant="union", **said)
    asked.withdraw("c5", claimant="both", document="d5")
    assert asked.position("union", "safe").status == "withdrawn"
    falls = {one.party: one.after.status for one in asked.resting_on("d5").falls}
    assert falls == {"board": "held", "county": "held", "union": "held"}


def test_whom_undated_words_may_reach_without_a_report_that_dates_them_is_told(asked):
    asked.register(Membership("union", "county", period="2023-01-01/2023-02-01"))
    said = {"claimant": "union", "act": "assert", "proposition": "safe", "utterance": "u5"}
    asked.register(Document("d5", publisher="gazette", published="2023-02-25", text="Now."))
    asked.record(id="c5", uttered="2023-02-18", document="d5", **said)
    asked.record(id="c6", stance="neutral", **said)
    falls = {one.party: one.after for one in asked.resting_on("d5").falls}
    assert [one.claim for one in falls["county"].possible] == ["c6"]


def test_a_correction_is_listed_with_the_document_that_made_it(town):
    revised(town, revises="d1")
    town.correct("c2", document="d2", never_said=True)
    assert town.resting_on("d2").corrects == ("c2",)
    assert "c2" not in [one.claim for one in town.resting_on("d1").claims]


def test_what_was_not_said_by_a_date_falls_with_nothing(town):
    assert town.as_of(said="2020-01-01").resting_on("d0").falls == ()


# -- from a party, from a position --------------------------------------------------------------


def test_a_party_has_all_its_parts_listed_with_through_whom(town):
    rows = {one.claim: one for one in town.attributed_to("board")}
    assert (rows["c1"].part, rows["c1"].through) == ("claims", ("gazette",))
    assert "c2" not in rows
    county = {one.claim: one for one in town.attributed_to("county")}
    assert (county["c1"].part, county["c1"].path) == ("is reached", ("board", "county"))
    assert {one.part for one in town.attributed_to("gazette")} == {"reports"}
    assert {one.claim: one.part for one in town.attributed_to("union")} == {
        "c2": "claims",
        "c3": "mentioned",
    }
    assert len(town.as_of(said="2020-01-01").attributed_to("board")) == 0


def test_a_position_is_traced_claim_by_claim(town):
    found = town.evidence("county", "safe")
    assert found.position.status == "held"
    assert {one.claim for one in found.traces} == {"c1", "c3"}
    assert "quotation: …" in str(found)


# -- attribution as met in the wild -------------------------------------------------------------


def test_a_chain_of_any_depth_is_traced_link_by_link(ledger):
    depth = 12
    for number in range(depth):
        ledger.register(Party(f"p{number}", name=f"Speaker {number}"))
    ledger.register(Proposition("so", text="It is so"))
    chain = [Link(f"p{number}", "says", cue=f"cue {number}") for number in range(depth)]
    ledger.record(id="deep", chain=chain, act="assert", proposition="so")
    (links,) = ledger.trace("deep").chains
    assert [link.party for link in links] == [f"p{number}" for number in range(depth)]
    assert links[-1].cue == "cue 11"
    (row,) = ledger.attributed_to("p11")
    assert (row.part, len(row.through)) == ("claims", 11)
    assert [one.part for one in ledger.attributed_to("p3")] == ["says"]


def test_nobody_several_and_joint_claimants_are_traced(town):
    town.register(Party("both", name="Board and union", kind="joint", members=["board", "union"]))
    told = {"act": "assert", "proposition": "safe"}
    town.record(id="nobody", via=["gazette"], **told)
    town.record(id="either", claimant=["board", "union"], **told)
    town.record(id="joint", claimant="both", **told)
    assert "(nobody named)" in str(town.trace("nobody"))
    assert "board or union" in str(town.trace("either"))
    assert len(town.trace("either").chains) == 2
    rows = {one.claim: one for one in town.attributed_to("union")}
    assert rows["either"].certainty == "possible"
    assert (rows["joint"].part, rows["joint"].path) == ("is reached", ("both", "union"))


def test_a_quotation_carries_its_original_and_a_translation_marked(town):
    quote = {
        "exact": "a risk",
        "renderings": [
            {"text": "ein Risiko", "language": "de", "original": True},
            {"text": "un risque", "language": "fr", "by": "our desk"},
        ],
    }
    town.record(
        id="c7", claimant="union", act="assert", proposition="safe", document="d1", quote=quote
    )
    traced = town.trace("c7")
    assert [one.original for one in traced.quotation.renderings] == [True, False]
    assert "original (de): “ein Risiko”" in str(traced)
    assert "translation (fr, by our desk): “un risque”" in str(traced)
    town.verify()
    bind = town.appender.folded.host
    assert Ledger(bind).trace("c7").quotation == traced.quotation
    (*_, stored) = Ledger(bind).events()
    assert getattr(stored.event, "quote", None) == traced.quotation
