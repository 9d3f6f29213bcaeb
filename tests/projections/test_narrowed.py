"""Narrowed questions: what is read from the tables of cells answers as the folded log does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.narrowing import narrowed
from ledger.projecting import cells
from ledger.projections import perspectives, positions, timeline
from tests.projections.worlds import PEOPLE, SAID, TOLD, Clock, crowded, told_to, worlds


def narrow(view, cells, party):
    return [
        *(view.position(*cell) for cell in cells),
        view.positions(party=party),
        view.timeline(party, TOLD[0]),
    ]


def folded(view, cells, party):
    """The same, asked of the whole prefix."""
    with view.facts() as facts:
        ids = {key: facts.id_of("party", key) for key in PEOPLE}
        ids |= {key: facts.id_of("proposition", key) for key in TOLD}
        return [
            *(positions.position(facts, ids[p], ids[q], view.said) for p, q in cells),
            perspectives.positions_of(facts, ids[party], view.said),
            timeline.timeline(facts, ids[party], ids[TOLD[0]], view.said),
        ]


def is_narrowed(ledger, view):
    with narrowed(ledger._folded, view.basis) as found:
        return found is not None


PARTIES = st.sampled_from(PEOPLE)
CELLS = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TOLD))


@settings(max_examples=60)
@given(st.one_of(worlds(), crowded()), st.sampled_from(SAID), st.data())
def test_a_narrowed_answer_is_that_of_the_folded_log(world, said, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        ledger.projections.add(cells(ledger.layout))
        last = len(told_to(ledger, clock, world).entries) - 1
        asked = data.draw(st.lists(CELLS, min_size=4, max_size=4)), data.draw(PARTIES)
        for known in (data.draw(st.integers(last // 2, last)), last):
            view = ledger.as_of(said=said, known=known)
            assert is_narrowed(ledger, view)
            assert narrow(view, *asked) == folded(view, *asked)
        assert ledger.projections.check("cells").ok
