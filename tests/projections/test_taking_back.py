"""The fold forgets its last events as if they had not come: a host may roll back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
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
        "flags": {id_: told for id_, told in facts.flags.items() if told},
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
    kept = data.draw(st.integers(0, len(events)))
    facts = Facts().extend(events)
    state(facts)
    taken = [facts.take_back() for _ in events[kept:]]
    assert taken == events[kept:][::-1]
    assert state(facts) == state(Facts().extend(events[:kept]))
    assert state(facts.extend(events[kept:])) == state(Facts().extend(events))
