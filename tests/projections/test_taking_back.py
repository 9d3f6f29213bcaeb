"""The fold forgets its last events as if they had not come: a host may roll back."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Document, Ledger, Party, Proposition
from ledger.model import events as ev
from ledger.projections.effective import Facts
from tests.projections.worlds import Clock, told_to, worlds


def state(facts: Facts) -> dict[str, object]:
    """All that a question can see of a fold."""
    return {
        "log": (facts.at, facts.size, facts.last_recorded, facts.lost_claims),
        "stored": facts.stored,
        "effective": facts.effective,
        "found": {entry: facts.indexed(*entry) for entry, ids in facts._index.items() if ids},
        "changed": {id_: facts.changes_of(id_) for id_ in facts.stored},
        "corrected": facts.corrected_by,
        "never said": facts.never_said,
        "keys": facts._keys,
        "types": {cls: sorted(ids) for cls, ids in facts._by_type.items() if ids},
        "streams": facts._streams,
        "merged": {id_: facts.canonical(id_) for id_ in facts.stored},
    }


@given(worlds(), st.data())
def test_a_fold_that_took_events_back_is_the_fold_before_them(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        events = list(ledger.events())
    kept, at_once = data.draw(st.integers(0, len(events))), data.draw(st.integers(1, 20))
    facts = Facts().extend(events)
    state(facts)
    taken: list[ev.StoredEvent] = []
    while left := len(events) - kept - len(taken):
        taken += facts.take_back(min(at_once, left))
    assert taken == events[kept:][::-1]
    assert state(facts) == state(Facts().extend(events[:kept]))
    assert state(facts.extend(events[kept:])) == state(Facts().extend(events))


def test_every_kind_of_change_is_taken_back_one_by_one():
    said: dict[str, Any] = {"claimant": "board", "act": "assert", "uttered": "2023-01-01"}
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("board", name="Water Board"))
        ledger.register(Party("paper", name="A paper"))
        ledger.register(Proposition("p", text="It is so"))
        ledger.register(Proposition("q", text="It was so"))
        ledger.register(Document("d", publisher="paper", text="It is so."))
        ledger.register(Document("e", publisher="paper", text="It is not."))
        for id_ in ("c1", "c2", "c3"):
            ledger.record(id=id_, proposition="p", document="d", utterance="speech", **said)
        ledger.amend("c1", proposition="q", reason="misread")
        ledger.amend("c1", proposition="p", reason="read well")
        ledger.correct("c2", document="e", never_said=True)
        ledger.correct("c3", document="e", stance="opposes")
        ledger.merge("p", "q", reason="one and the same")
        struck = ledger.amend("c1", strike_out=True, reason="twice")
        ledger.record(id="c1", proposition="q", utterance="another", **said)
        ledger.amend("c1", strike_out=True, reason="twice")
        ledger.amend(struck, strike_out=True, reason="it was not twice")
        events = list(ledger.events())
    erased = ev.Remains(type="claim_recorded", slots=("who",))
    claim = next(one for one in events if one.type == "claim_recorded")
    events.append(
        attrs.evolve(
            claim, sequence=len(events), id="erased", stream="erased", stream_v=0, event=erased
        )
    )
    facts = Facts().extend(events)
    for size in range(len(events), 0, -1):
        now = state(facts)
        assert now == state(Facts().extend(events[:size]))
        assert facts.memo("size", "", lambda: facts.size) == size
        facts.take_back()
    assert state(facts) == state(Facts())


@pytest.mark.parametrize(
    "nouns",
    [
        (Party("a", name="A"), Party("b", name="B")),
        (Proposition("a", text="A"), Proposition("b", text="B")),
    ],
)
def test_what_was_merged_is_so_again_once_its_own_undoing_is_undone(nouns):
    with Ledger.open(":memory:") as ledger:
        ledger.register_all(nouns)
        merge = ledger.merge("a", "b", reason="one and the same").ledger_id
        apart = ledger.amend(merge, strike_out=True, reason="not so")
        gone = ledger.amend("b", strike_out=True, reason="nobody")
        ledger.amend(apart.ledger_id, strike_out=True, reason="so after all")
        with ledger._folded.facts() as facts:
            assert state(facts) == state(Facts().extend(ledger.events()))
        ledger.amend(gone.ledger_id, strike_out=True, reason="somebody")
        with ledger._folded.facts() as facts:
            assert state(facts) == state(Facts().extend(ledger.events()))
            assert len({facts.canonical(one) for one in facts.at[:2]}) == 1
            facts.take_back()
            assert state(facts) == state(Facts().extend([*ledger.events()][:-1]))
