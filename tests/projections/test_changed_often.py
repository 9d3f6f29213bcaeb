"""A record that is changed again and again comes to what it comes to from its beginning."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given

from ledger import Document, Ledger, Party, Proposition
from ledger.model import events as ev
from ledger.projections import changing
from ledger.projections.effective import Facts
from tests.projections.worlds import Clock, told_to, worlds

_SAID: Any = {"claimant": "board", "act": "assert", "uttered": "2023-01-01"}


def assert_as_from_the_beginning(facts: Facts) -> None:
    for id_ in facts.stored:
        anew = changing.evaluate(facts, id_)
        assert facts.effective.get(id_) == anew.event
        assert facts.corrected_by.get(id_, ()) == anew.corrected_by
        assert (id_ in facts.never_said) is anew.never_said
        assert facts.hidden.get(id_, ()) == anew.hidden


@given(worlds())
def test_of_any_log_each_record_is_as_if_worked_out_from_its_beginning(world):
    clock, facts = Clock(), Facts()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        for event in ledger.events():
            assert_as_from_the_beginning(facts.extend([event]))


def test_corrections_amendments_and_their_undoing_upon_one_claim():
    facts = Facts()
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("board", name="Water Board"))
        ledger.register(Party("paper", name="A paper"))
        ledger.register(Proposition("p", text="It is so"))
        for id_ in "def":
            ledger.register(Document(id_, publisher="paper", text=f"It is {id_}."))
        ledger.record(id="c", proposition="p", document="d", **_SAID)
        ledger.correct("c", document="e", stance="opposes")
        ledger.amend("c", stance="mixed", reason="misread")
        ledger.correct("c", document="f", never_said=True)
        wrong = ledger.correct("c", document="e", never_said=False, stance="supports")
        ledger.amend("c", stance="opposes", reason="misread")
        ledger.amend(wrong, strike_out=True, reason="another claim was meant")
        ledger.amend("c", stance="supports", reason="misread")
        events = [*ledger.events()]
    for event in events:
        assert_as_from_the_beginning(facts.extend([event]))
    claim = facts.id_of("claim", "c")
    assert claim is not None
    assert len(facts.corrected_by[claim]) == 2
    assert claim in facts.never_said


def test_what_was_struck_out_before_it_came_changes_nothing():
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("board", name="Water Board"))
        ledger.amend("board", name="Board of Waters", reason="its new name")
        change = ledger.amend("board", name="Board", reason="its short name")
        ledger.amend(change, strike_out=True, reason="nobody calls it so")
        *before, late, undo = ledger.events()
    swapped = [
        attrs.evolve(undo, sequence=late.sequence),
        attrs.evolve(late, sequence=undo.sequence),
    ]
    facts = Facts().extend([*before, *swapped])
    assert_as_from_the_beginning(facts)
    board = facts.get(facts.id_of("party", "board"), ev.PartyRegistered)
    assert board is not None
    assert board.name == "Board of Waters"


def test_a_record_with_many_changes_takes_its_changes_and_not_their_square(monkeypatch):
    laid: list[ev.Change] = []
    changed = changing.changed

    def counted(event: ev.Event, change: ev.Change) -> ev.Event:
        laid.append(change)
        return changed(event, change)

    monkeypatch.setattr(changing, "changed", counted)
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("board", name="Water Board"))
        for number in range(50):
            ledger.amend("board", name=f"Board {number}", reason="renamed")
        events = [*ledger.events()]
    laid.clear()
    facts = Facts().extend(events)
    facts.take_back(50)
    assert len(laid) == 50
    assert facts.get(facts.id_of("party", "board"), ev.PartyRegistered) == events[0].event


@pytest.mark.parametrize("strike_out", [True, False])
def test_a_change_of_a_change_of_a_change_is_read_however_deep(strike_out):
    deep = 400
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("board", name="Water Board"))
        ledger.amend("board", name="Board of Waters", reason="its new name")
        first, change = ledger.events()
    events, target = [first], first.id
    for number in range(deep):
        event = ev.RecordAmended(
            target=target,
            strike_out=strike_out,
            changes={} if strike_out else {"name": f"Board {number}"},
            record_type="party_registered",
            reason="it was not so",
        )
        target = f"00000000-0000-7000-8000-{number:012}"
        events.append(
            attrs.evolve(change, id=target, sequence=number + 1, stream_v=number + 1, event=event)
        )
    facts = Facts().extend(events)
    board = facts.get(first.id, ev.PartyRegistered)
    assert board is not None, "of so many undoings the last one left it"
    assert board.name == ("Water Board" if strike_out else f"Board {deep - 1}")
    assert facts.live(first.id)
    facts.take_back()
    assert (facts.get(first.id, ev.PartyRegistered) is None) is strike_out
    assert changing.live(facts, first.id) is not strike_out
