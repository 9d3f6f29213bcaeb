"""Erasing what other records hang on: a proposition, a party's kind and members, a change."""

from __future__ import annotations

import pytest

from ledger import Document, Ledger, Membership, Party, Proposition, Topic
from ledger.errors import AlreadyRecorded, InvalidAmendment, UnknownClaim
from ledger.projecting import cells
from tests.erasing.conftest import WHY


@pytest.fixture(params=["folded", "narrowed"])
def mill(request):
    """Two who spoke on two propositions of a topic; with the tables of cells and without."""
    with Ledger.open(":memory:") as ledger:
        if request.param == "narrowed":
            ledger.projections.add(cells(ledger.layout))
        ledger.register_all(
            [
                Topic("weir", label="The weir"),
                Party("mill", name="Mill"),
                Party("board", name="Board"),
                Party("both", name="Both", kind="joint", members=["mill", "board"]),
                Proposition("hers", text="Zuzana shut it", topic="weir"),
                Proposition("shut", text="It is shut", topic="weir"),
            ]
        )
        say(ledger, "c1", "mill", "hers")
        say(ledger, "c2", "board", "shut")
        yield ledger


def say(ledger, id_, who, what):
    ledger.record(id=id_, claimant=who, act="assert", proposition=what, uttered="2023-01-05")


def test_claims_on_an_erased_proposition_are_told_before_and_counted_after(mill):
    told = mill.erase("hers", slots="what", dry_run=True, **WHY)
    assert told.falling == ("c1",)
    assert "claims on it that will be in no position any more:\n  - c1" in str(told)
    assert mill.erase("hers", slots="what", **WHY).falling == ("c1",)
    view = mill.as_of()
    answers = [
        view.claims(),
        view.timeline("mill", "weir"),
        view.silences("weir"),
        view.position("board", "shut"),
        view.positions(party="mill"),
    ]
    assert [one.incomplete for one in answers] == [1] * 5
    assert [(gone.record, gone.slots, gone.reason) for gone in view.claims().lost] == [
        ("c1", ("what",), WHY["reason"])
    ]
    traced = view.trace("c1")
    assert [gone.slots for gone in traced.erased] == [("what",)]
    assert str(traced.said) == "2023-01-05"
    with pytest.raises(UnknownClaim, match="What the claim said is gone"):
        view.trace(told.parts[0].event)
    say(mill, "c3", "mill", "shut")
    assert mill.position("mill", "shut").incomplete == 1
    assert mill.as_of(known=view.basis - 2).position("board", "shut").incomplete == 1


def test_a_party_without_its_kind_is_still_the_same_party(mill):
    mill.erase("mill", slots="what", **WHY)
    assert mill.position("mill", "hers").status == "held"
    with pytest.raises(AlreadyRecorded, match="what is gone does not come back"):
        mill.register(Party("mill", name="Mill"))
    (line,) = (one for one in mill.as_of().parties() if one.id == "mill")
    assert (line.name, line.kind) == ("Mill", "x-ledger:gone")
    assert [gone.slots for gone in line.erased] == [("what",)]
    assert [row.party for row in mill.as_of().columns().at("2023-02-01")] == ["board", "mill"]


def test_a_party_that_was_amended_is_still_the_same_without_its_kind(mill):
    mill.amend("mill", kind="body", reason="it is no person")
    mill.erase("mill", slots="what", **WHY)
    assert mill.position("mill", "hers").status == "held"
    assert next(one.kind for one in mill.as_of().parties() if one.id == "mill") == "x-ledger:gone"


def test_a_name_that_a_party_was_amended_to_goes_behind_its_kind(mill):
    change = mill.amend("mill", name="Mara Weir", reason="misspelt").sequences[0]
    mill.erase("mill", slots="what", **WHY)
    assert next(one.name for one in mill.as_of().parties() if one.id == "mill") == ""
    told = mill.erase("mill", **WHY)
    assert (change, "who") in {(part.sequence, part.slot) for part in told.parts}
    assert next(mill.events(after=change - 1)).erased == ("who", "what")
    assert len(mill.as_of().parties()) == 3


def belonging(ledger):
    ledger.register(Membership("mill", "board", role="tenant"))
    return [one.id for one in ledger.events(types="membership_recorded")][-1]


def named(ledger):
    ledger.name("mill", "Lower Mill")
    return [one.id for one in ledger.events(types="party_named")][-1]


@pytest.mark.parametrize("made", [belonging, named])
@pytest.mark.parametrize("change", [{"period": "2023-01-01/.."}, {"strike_out": True}])
def test_what_a_party_belongs_to_or_is_called_is_erased_without_the_party(mill, made, change):
    id_ = made(mill)
    at = mill.amend(id_, reason="misread", **change).sequences[0]
    mill.erase(id_, slots="what", **WHY)
    for view in (mill.as_of(), mill.as_of(known=at)):
        assert {one.id for one in view.parties()} == {"mill", "board", "both"}
        assert view.position("mill", "hers").status == "held"
        assert view.position("mill", "hers").erased == ()
    mill.erase("mill", slots="who", **WHY | {"reason": "her name"})
    person = next(one for one in mill.as_of().parties() if one.erased)
    assert [(one.slots, one.reason) for one in person.erased] == [(("who",), "her name")]


def test_a_name_that_was_emptied_of_its_period_goes_with_the_other_names(mill):
    id_ = named(mill)
    at = mill.amend(id_, name="Upper Mill", reason="misread").sequences[0]
    mill.erase(id_, slots="what", **WHY)
    told = mill.erase("mill", **WHY)
    assert {(at - 1, "who"), (at, "who")} <= {(part.sequence, part.slot) for part in told.parts}
    assert {"who", "what"} <= set(next(mill.events(after=at - 1)).erased)


def test_an_erased_revision_leaves_its_document_behind(mill):
    mill.register_all([Document(f"d{n}", publisher="board", text=f"text {n}") for n in (1, 2)])
    mill.register(Document("d3", publisher="board", text="text 3", revises="d2"))
    revision = next(one.id for one in mill.events(types="document_revised"))
    changed = mill.amend(revision, strike_out=True, reason="of another")
    mill.amend(changed.ledger_id, strike_out=True, reason="it was")
    mill.erase(revision, slots="what", **WHY)
    assert [one.id for one in mill.as_of().documents()] == ["d1", "d2", "d3"]


def test_what_was_struck_out_stays_so_when_it_is_erased(mill):
    struck = mill.amend("c1", strike_out=True, reason="entered twice")
    told = mill.erase("c1", slots=["who", "what"], **WHY)
    assert {(part.sequence, part.slot) for part in told.parts} == {
        (struck.sequences[0] - 2, "who"),
        (struck.sequences[0] - 2, "what"),
    }
    for view in (mill.as_of(), mill.as_of(known=struck.sequences[0])):
        assert view.claims().incomplete == 0
        assert view.claims().ids == ("c2",)


def test_a_joint_party_without_its_members_speaks_for_itself_alone(mill):
    say(mill, "c3", "both", "shut")
    assert mill.position("mill", "shut").status == "held"
    mill.erase("both", slots="what", **WHY)
    assert mill.position("mill", "shut").status == "silent"
    assert mill.position("both", "shut").status == "held"


def test_an_erased_change_is_not_struck_out_for_the_older_value_to_come_back(mill):
    change = mill.amend("c1", claimant="board", reason="misheard")
    mill.erase(change.ledger_id, slots="who", **WHY)
    with pytest.raises(InvalidAmendment, match="would bring back what it had changed"):
        mill.amend(change, strike_out=True, reason="a slip")
    assert mill.position("mill", "hers").status == "silent"
    mill.amend("c1", claimant="board", reason="heard again")
    assert mill.position("board", "hers").status == "held"
    with pytest.raises(AlreadyRecorded):
        mill.record(id="c1", claimant="mill", act="deny", proposition="hers")


def test_an_erased_change_of_a_change_hides_what_that_one_said_too(mill):
    first = mill.amend("c1", claimant="both", reason="misheard")
    second = mill.amend(first, claimant="board", reason="misheard again")
    mill.erase(second.ledger_id, slots="who", **WHY)
    assert [mill.position(who, "hers").status for who in ("mill", "both", "board")] == [
        "silent"
    ] * 3
    assert mill.claims().incomplete == 1
    with pytest.raises(InvalidAmendment, match="would bring back"):
        mill.amend(first, strike_out=True, reason="a slip")


def test_a_striking_out_whose_reason_was_erased_can_be_taken_back(mill):
    gone = mill.amend("c1", strike_out=True, reason="Zuzana told us so")
    mill.erase(gone.ledger_id, slots="words", **WHY)
    mill.amend(gone, strike_out=True, reason="it was right")
    assert mill.position("mill", "hers").status == "held"


@pytest.mark.parametrize("gone, slot, others", [("hers", "what", 1), ("c3", "who", 0)])
def test_what_its_publisher_took_for_never_said_is_not_counted_as_lost(mill, gone, slot, others):
    mill.register(Document("paper", publisher=Party("gazette", name="Gazette"), text="Text."))
    said = {"claimant": "board", "act": "assert", "proposition": "hers", "document": "paper"}
    mill.record(id="c3", **said)
    mill.correct("c3", document="paper", never_said=True)
    mill.erase(gone, slots=slot, **WHY)
    assert mill.claims().incomplete == mill.position("board", "shut").incomplete == others
    assert len(mill.claims().lost) == others
