"""Claims that are not plain: of one occasion several are told, or one of several made them."""

from __future__ import annotations

import pytest

from ledger import Document, Ledger, Membership, Party, Proposition
from ledger.errors import NotFound, UnknownClaim, UnknownDocument
from ledger.narrowing import plain
from ledger.narrowing.plain import Touched
from ledger.projecting import cells
from ledger.projections import positions
from ledger.projections.standing import Position


@pytest.fixture(params=["sqlite", "postgres"])
def mill(request, tmp_path, clock):
    """A ledger with the tables of cells, in which a mill may speak; none in memory asks at once."""
    file = tmp_path / "claims.db"
    url = file if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with Ledger.open(url, clock=clock) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all(
            [Party("mill", name="Mill"), Party("board", name="Board"), Membership("mill", "board")]
        )
        ledger.register_all([Proposition("shut", text="Shut"), Proposition("open", text="Open")])
        yield ledger


def say(ledger, id_, stance="supports", **fields):
    """A claim of the mill on whether it is shut, of an occasion that has a name."""
    given = {"claimant": "mill", "act": "assert", "proposition": "shut", "utterance": "u", **fields}
    ledger.record(id=id_, stance=stance, **given)


def told(view, party="mill"):
    """The position, and whether one statement alone comes to it; it is that of the whole log."""
    found = [view.position(party, "shut") for _ in range(2)]  # the second of what is kept
    by_one = plain.position(view._folded, view.basis, (party, "shut"), view.said, "latest")
    with view.facts() as facts:
        who, what = facts.id_of("party", party), facts.id_of("proposition", "shut")
        assert found == [positions.position(facts, who, what, view.said)] * 2
    assert isinstance(by_one, Position | Touched | None)
    return found[0], isinstance(by_one, Position)


@pytest.mark.parametrize("party", ["mill", "board"])
def test_two_reports_of_one_occasion_are_no_two_occasions(mill, party):
    say(mill, "C1", uttered="2023-01")
    before = mill.as_of()
    assert told(before, party)[0].utterances == 1
    say(mill, "C2", uttered="2023-01-05/2023-02-10")
    found, _ = told(mill.as_of(), party)
    assert found.utterances == 1
    assert str(found.last_stated) == "2023-01-05..2023-01-31"
    found, _ = told(before, party)
    assert str(found.last_stated) == "2023-01-01..2023-01-31"


def test_who_said_both_on_one_occasion_did_not_turn_round(mill):
    say(mill, "C1", uttered="2023-01-05")
    say(mill, "C2", "opposes", uttered="2023-01-05")
    found, plainly = told(mill.as_of())
    assert (found.status, plainly) == ("conflicted", False)


def test_what_was_told_of_something_else_dates_the_occasion_too(mill):
    say(mill, "C1", uttered="2023-01")
    say(mill, "C2", proposition="open", uttered="2023-01-09")
    found, plainly = told(mill.as_of())
    assert (str(found.last_stated), plainly) == ("2023-01-09", False)


def test_an_occasion_of_one_claim_is_plain_as_long_as_that_is_all(mill):
    say(mill, "C1", uttered="2023-01")
    before = mill.as_of()
    assert told(before)[1]
    say(mill, "C2", proposition="open", uttered="2023-01-09")
    mill.position("mill", "shut")  # it is read on
    assert told(before)[1]
    assert not told(mill.as_of())[1]


def test_what_one_of_two_said_is_not_plain(mill):
    say(mill, "C1", claimant=["mill", "board"], utterance=None, uttered="2023-01-05")
    for party, status in (("mill", "possible"), ("board", "held")):
        found, plainly = told(mill.as_of(), party)
        assert (found.status, plainly) == (status, False)


def test_a_document_that_a_change_or_a_withdrawal_names_dates_it(mill):
    for day, id_ in ((10, "first"), (20, "second"), (25, "third")):
        paper = Document(id_, publisher="board", published=f"2023-01-{day}", text="Shut.")
        mill.register(paper)
    say(mill, "C1", utterance=None, document="first")
    mill.amend("C1", document="second", reason="a slip")
    found, _ = told(mill.as_of())
    assert str(found.last_stated) == "..2023-01-20"
    mill.withdraw("C1", claimant="mill", document="third")
    assert told(mill.as_of(said="2023-02-01"))[0].status == "withdrawn"


def test_a_claim_and_a_document_are_found_by_the_ledgers_id_once_they_are_recorded(mill):
    before = mill.as_of()
    paper = mill.register_all(
        [Party("paper", name="Paper"), Document("d", text="Shut.", publisher="paper")]
    )[-1]
    who = {"claimant": "mill", "act": "assert", "proposition": "shut"}
    said = mill.record(**who, uttered="2023", document="d")  # no host's id
    for _ in range(2):  # the second time of what is kept
        now = mill.as_of()
        assert now.trace(said.ledger_id).ledger_id == said.ledger_id
        assert now.document(paper.ledger_id).id == "d"
        with pytest.raises(UnknownClaim, match=r"No claim .* is in this view"):
            before.trace(said.ledger_id)
        with pytest.raises(UnknownDocument, match=r"No document .* is in this view"):
            before.document(paper.ledger_id)


@pytest.mark.parametrize("behind", [False, True])
def test_an_id_of_something_else_is_told_as_the_folded_log_does(mill, behind):
    other = Ledger(mill._folded.bind)  # what it enters, the tables have not come to yet
    writer = other if behind else mill
    writer.register_all(
        [Party("paper", name="Paper"), Document("d", text="Shut.", publisher="paper")]
    )
    said = writer.record(
        id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023", document="d"
    )
    view = mill.as_of()
    for ask, why in (
        (lambda: view.position("C1", "shut"), "No party 'C1' .* It is the id of a claim"),
        (lambda: view.position("mill", "d"), "No proposition 'd' .* It is the id of a document"),
        (lambda: view.silences(said.ledger_id), "is no topic: it is the id of a claim_recorded"),
        (lambda: view.trace("d"), "No claim 'd' .* It is the id of a document"),
        (lambda: view.resting_on("C1"), "No document 'C1' .* It is the id of a claim"),
        (lambda: view.trace("shut"), "No claim 'shut' .* It is the id of a proposition"),
    ):
        for _ in range(2):
            with pytest.raises(NotFound, match=why):
                ask()


def test_a_claim_that_an_amendment_puts_on_an_occasion_has_its_bounds(mill):
    say(mill, "C1", utterance=None, uttered="2023")
    say(mill, "C2", proposition="open", uttered="2023-01-05")
    before = mill.as_of()
    mill.amend("C1", reason="said together", utterance="u")
    found, _ = told(mill.as_of())
    assert str(found.last_stated) == "2023-01-05"
    found, _ = told(before)
    assert str(found.last_stated).startswith("2023-01-01..")


def test_a_mistyped_id_is_told_the_near_one_once(mill):
    say(mill, "first-word", uttered="2023-01-03")
    say(mill, "second-word", uttered="2023-01-04")
    view = mill.as_of()
    for ask, close in (
        (lambda: view.trace("first-wrd"), "first-word"),
        (lambda: view.position("mil", "shut"), "mill"),
        (lambda: view.position("mill", "shtu"), "shut"),
    ):
        for _ in range(2):
            with pytest.raises(NotFound, match=f"Did you mean '{close}'") as told_so:
                ask()
            assert told_so.value.near == (close,)
