"""Amendments and corrections that would leave a record which could not have been entered."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest

from ledger import Document, Ledger, Membership, Party, Proposition, Topic
from ledger import errors as er
from ledger.interchange.out.exporting import export


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"claims": []}, "one claim or more"),
        ({"claims": ["other"]}, "is a withdrawal itself"),
        ({"claims": ["c3"]}, "has no part in 'c3'"),
        ({"claimant": "stranger"}, "has no part in 'c1'"),
        ({"uttered": None}, "keeps uttered= or document="),
    ],
)
def test_an_amended_withdrawal_still_has_to_be_one(town, unchanged, fields, words):
    town.withdraw("c1", claimant="board", uttered="2023-02-27", id="back")
    town.withdraw("c2", claimant="ministry", uttered="2023-02-27", id="other")
    with unchanged(town), pytest.raises(er.InvalidWithdrawal, match=words):
        town.amend("back", reason="read again", **fields)
    assert town.amend("back", reason="read again", uttered="2023-02-26").stored == "stored"


def test_a_corrected_withdrawal_still_has_to_be_one(town, unchanged):
    town.withdraw("c1", claimant="board", document="gazette-1", id="back")
    with unchanged(town), pytest.raises(er.InvalidWithdrawal, match="has no part in 'c3'"):
        town.correct("back", document="gazette-2", claims=["c3"])


def test_words_that_stand_in_the_correction_alone_are_recorded_as_its_own_report(town, unchanged):
    with unchanged(town), pytest.raises(er.InvalidQuotation) as caught:
        town.correct("c1", document="gazette-2", quote="Corrected.")
    assert caught.value.field == "quote.exact"
    assert "never_said=True" in caught.value.message
    assert "a claim in that document" in caught.value.message
    town.correct("c1", document="gazette-2", never_said=True)
    town.record(
        claimant="board",
        act="deny",
        proposition="bridge-open",
        uttered="2023-02-20",
        document="gazette-2",
        quote="Corrected.",
    )
    assert town.as_of(said="2023-02-21").position("board", "bridge-open").stance == "opposes"


def test_what_was_never_said_cannot_be_taken_back_until_that_is_corrected(town, unchanged):
    town.correct("c1", document="gazette-2", never_said=True)
    with unchanged(town), pytest.raises(er.InvalidWithdrawal, match="'c1' was never said"):
        town.withdraw("c1", claimant="board", uttered="2023-02-27")
    town.correct("c1", document="gazette-2", stance="supports")
    assert town.withdraw("c1", claimant="board", uttered="2023-02-27").stored == "stored"


def test_an_aim_that_somebody_demands_cannot_become_a_fact(town, unchanged):
    town.record(id="c4", claimant="board", act="demand", proposition="open-bridge")
    with unchanged(town), pytest.raises(er.InvalidClaim, match="demand wants something"):
        town.amend("open-bridge", kind="fact", reason="read again")
    town.amend("c4", act="assert", reason="it was said so")
    assert town.amend("open-bridge", kind="fact", reason="read again").stored == "stored"


def test_an_amended_membership_cannot_lead_back_to_its_member(town, unchanged):
    seat = town.register(Membership("stranger", "board"))
    with unchanged(town), pytest.raises(er.InvalidMembership, match="cannot belong to itself"):
        town.amend(seat, organisation="stranger", reason="read again")


def test_a_record_is_not_brought_back_under_an_id_that_another_took(ledger_of_two_days):
    ledger = ledger_of_two_days
    gone = ledger.amend("a", reason="wrong", strike_out=True)
    ledger.record(id="a", claimant="board", act="assert", proposition="safe", stance="opposes")
    with pytest.raises(er.AlreadyRecorded, match="two records cannot bear it"):
        ledger.amend(gone.ledger_id, reason="right after all", strike_out=True)
    assert ledger.claims().ids == ("a",)


def test_amending_to_and_fro_ends_where_it_was_amended_to_last(ledger_of_two_days):
    ledger = ledger_of_two_days
    for stance in ("opposes", "supports", "opposes"):
        ledger.amend("a", reason="again", stance=stance)
    assert ledger.position("board", "safe").stance == "opposes"
    assert ledger.amend("a", reason="again", stance="opposes").stored == "already_stored"


def test_a_claim_amended_into_another_document_is_reported_by_its_publisher(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.amend("a", reason="another paper", document="courier-1", quote="is safe")
    assert [link.party for link in ledger.trace("a").chains[0]] == ["courier", "board"]


def test_a_document_is_not_made_to_appear_before_what_it_carries_was_uttered(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.register(Document("late", publisher="courier", published="2023-02-20", text="Late."))
    fields = {"claimant": "board", "act": "assert", "proposition": "safe", "document": "late"}
    ledger.record(id="l", uttered="2023-02-12", **fields)
    ledger.record(id="o", uttered="2001-01-01", **fields | {"document": None})
    ledger.withdraw("o", id="w", claimant="board", document="late")
    with pytest.raises(er.InvalidAmendment, match=r"before 'l' was uttered, .*2023-02-12"):
        ledger.amend("late", reason="masthead", published="2023-02-11")
    ledger.amend("l", reason="slip", uttered="2000-01-01")
    with pytest.raises(er.InvalidRelation, match="refers back"):
        ledger.amend("late", reason="masthead", published="2000-01-01")
    ledger.amend("late", reason="masthead", published="2023-02-19")


def test_a_publication_that_an_undo_put_before_the_utterance_bounds_nothing(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.register(Document("late", publisher="courier", published="2023-02-11", text="Late."))
    fields = {"claimant": "board", "act": "assert", "proposition": "safe", "document": "late"}
    moved = ledger.amend("late", reason="masthead", published="2023-02-20")
    ledger.record(id="l", uttered="2023-02-12", **fields)
    ledger.amend(moved, reason="it was right", strike_out=True)
    assert str(ledger.trace("l").said) == "2023-02-12"
    assert "l" not in ledger.as_of(said="2023-02-11").claims().ids


def test_what_was_struck_out_is_amended_no_more(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.amend("a", reason="twice", strike_out=True)
    with pytest.raises(er.InvalidAmendment, match="'a' was struck out: new fields would show no"):
        ledger.amend("a", reason="late", note="Later")


def test_what_stands_in_no_document_is_corrected_by_nobody(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.record(id="n", claimant="board", act="assert", proposition="safe")
    with pytest.raises(er.InvalidCorrection, match="'n' is in no document"):
        ledger.correct("n", document="courier-1", never_said=True)


def test_a_document_of_another_publisher_is_reported_by_that_one(ledger_of_two_days):
    ledger = ledger_of_two_days
    before = ledger.as_of().basis - 1
    told = [row.id for row in ledger.claims(document="gazette-1").rows]
    change = ledger.amend("gazette-1", reason="masthead misread", publisher="courier")
    assert {reporter(ledger, claim) for claim in told} == {"courier"}
    assert {reporter(ledger.as_of(known=before), claim) for claim in told} == {"gazette"}
    copy = io.BytesIO()
    export(ledger.as_of(), "jsonl", copy)
    chains = [json.loads(line).get("chain") for line in copy.getvalue().splitlines()]
    assert "gazette" not in {chain[0]["agent"] for chain in chains if chain}
    ledger.amend(change, reason="it was the Gazette", strike_out=True)
    assert {reporter(ledger, claim) for claim in told} == {"gazette"}


def reporter(asked, claim):
    return asked.trace(claim).chains[0][0].party


def test_a_joint_party_is_no_member_of_itself_and_a_topic_no_part_of_itself(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.register(Party("pair", name="Both", kind="joint", members=["board", "gazette"]))
    with pytest.raises(er.InvalidParty, match="belong to itself"):
        ledger.amend("pair", reason="slip", members=["pair", "board"])
    ledger.register(Party("more", name="More", kind="joint", members=["pair", "board"]))
    with pytest.raises(er.InvalidParty, match="a member of itself through 'more'"):
        ledger.amend("pair", reason="slip", members=["board", "more"])
    ledger.register_all([Topic("wide", label="Wide"), Topic("narrow", label="N", part_of="wide")])
    with pytest.raises(er.InvalidTopic, match="part of itself through 'narrow'"):
        ledger.amend("wide", reason="slip", part_of="narrow")


def test_topics_that_an_undoing_left_in_a_circle_take_others_in(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.register_all(Topic(one, label=one) for one in ("wide", "narrow", "third"))
    moved = ledger.amend("wide", reason="slip", part_of="narrow")
    undone = ledger.amend(moved, reason="it was none", strike_out=True)
    ledger.amend("narrow", reason="slip", part_of="wide")
    ledger.amend(undone, reason="it was one after all", strike_out=True)
    ledger.amend("third", reason="slip", part_of="narrow")
    inside = {one.id: one.part_of for one in ledger.as_of().topics()}
    assert inside | {"wide": "narrow", "narrow": "wide", "third": "narrow"} == inside


def test_a_denial_taken_back_contests_no_more(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.register(Proposition("board-said-so", text="The board said that the dam is safe"))
    ledger.record(
        id="denial",
        claimant="board",
        act="deny",
        proposition="board-said-so",
        uttered="2024-03-05",
    )
    ledger.relate("denial", "denies_attribution", "a")
    assert ledger.position("board", "safe").contested_by == ("denial",)
    ledger.withdraw("denial", claimant="board", uttered="2024-03-06")
    assert ledger.position("board", "safe").contested_by == ()


def test_a_list_for_a_party_marks_what_is_withdrawn_for_that_party(ledger_of_two_days):
    ledger = ledger_of_two_days
    ledger.register_all([Party("city", name="City"), Membership("board", "city")])
    ledger.withdraw("a", claimant="city", uttered="2024-03-06")
    assert [row.withdrawn for row in ledger.claims(party="city")] == [True]
    assert [row.withdrawn for row in ledger.claims(party="board")] == [False]
    assert ledger.position("city", "safe").status == "withdrawn"
    assert ledger.position("board", "safe").status == "held"


@pytest.fixture
def ledger_of_two_days(database):
    clock = iter(dt.datetime(2024, 3, 10, tzinfo=dt.UTC) + dt.timedelta(hours=n) for n in range(99))
    with Ledger.open(database, clock=lambda: next(clock)) as ledger:
        gazette = Party("gazette", name="Gazette", kind="publisher")
        courier = Party("courier", name="Courier", kind="publisher")
        ledger.register_all(
            [
                Party("board", name="Water board"),
                Proposition("safe", text="The dam is safe"),
                Document(
                    "gazette-1", publisher=gazette, published="2024-03-05", text="It is safe."
                ),
                Document(
                    "courier-1", publisher=courier, published="2024-03-05", text="All is safe."
                ),
            ]
        )
        ledger.record(
            id="a",
            claimant="board",
            act="assert",
            proposition="safe",
            uttered="2024-03-04",
            document="gazette-1",
            quote="is safe",
        )
        yield ledger


@pytest.mark.parametrize("version", ["new", "0", 1.5, True, [0]])
def test_an_expected_version_is_a_whole_number(town, unchanged, version):
    for change in (
        lambda: town.amend("c1", note="n", reason="read again", expected=version),
        lambda: town.correct("c1", document="gazette-2", never_said=True, expected=version),
    ):
        told = r"is no version\. Give a whole number, from receipt\.version"
        with unchanged(town), pytest.raises(er.Invalid, match=told) as caught:
            change()
        assert (type(caught.value), caught.value.field) == (er.Invalid, "expected")
        assert caught.value.given is version
