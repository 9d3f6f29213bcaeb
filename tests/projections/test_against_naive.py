"""The projections answer as the reference model does, in any small world, at any pair of dates."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.model.moment import Edtf
from tests.projections.answers import listed, told
from tests.projections.naive import World
from tests.projections.naive_dates import ends, first
from tests.projections.worlds import PEOPLE, SAID, TOLD, Clock, crowded, scene, told_to, worlds

SCENE = len(scene())


def cuts(draw, teller):
    """Some pairs of dates: the last event and an earlier one, each with some said."""
    size = len(teller.entries)
    for known in {size - 1, draw(st.integers(SCENE - 1, size - 1), label="known")}:
        for said in draw(st.lists(st.sampled_from(SAID), min_size=2, max_size=3, unique=True)):
            yield known, said


MARKED = st.sampled_from(("", "", "", "?", "~", "%"))
SINGLE = st.tuples(
    st.dates(min_value=dt.date(1000, 1, 1)).flatmap(
        lambda day: st.sampled_from(
            (
                f"{day}",
                f"{day}"[:7],
                f"{day}"[:4],
                f"{day}"[:8] + "XX",
                f"{day}"[:5] + "XX",
                f"{day}"[:5] + "XX-XX",
                f"{day}"[:3] + "X",
                f"{day}"[:2] + "XX",
            )
        )
    ),
    MARKED,
).map("".join)
PAIR = st.tuples(SINGLE, SINGLE).map(
    lambda pair: sorted(pair, key=lambda text: first(text) or dt.date.min)
)
WRITTEN = st.one_of(
    SINGLE,
    PAIR.map("/".join),
    st.tuples(SINGLE, st.sampled_from(("", ".."))).map("/".join),
    st.tuples(st.sampled_from(("", "..")), SINGLE).map("/".join),
    PAIR.map(lambda pair: f"[{'..'.join(pair)}]"),
    PAIR.map(lambda pair: f"[{','.join(reversed(pair))}]"),
    SINGLE.map(lambda day: f"[..{day}]"),
    SINGLE.map(lambda day: f"[{day}..]"),
    st.tuples(st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 30)), st.times()).map(
        lambda pair: f"{pair[0]}T{pair[1]:%H:%M:%S}-05:00"
    ),
)


@given(WRITTEN)
def test_a_date_has_the_bounds_that_the_reference_reads(text):
    date = Edtf.parse(text)
    assert (date.earliest, date.latest) == ends(text)


@given(worlds(), st.data())
def test_claims_are_listed_as_the_reference_lists_them(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = told_to(ledger, clock, world)
        for known, said in cuts(data.draw, teller):
            view = ledger.as_of(said=said, known=known)
            expected = World(teller.entries[: known + 1]).list_claims(said)
            assert listed(view) == expected


@given(worlds(), st.data())
def test_positions_are_those_of_the_reference(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = told_to(ledger, clock, world)
        for known, said in cuts(data.draw, teller):
            view = ledger.as_of(said=said, known=known)
            reference = World(teller.entries[: known + 1])
            for who in PEOPLE:
                for what in TOLD:
                    expected = reference.position(who, what, said)
                    assert told(view.position(who, what)) == expected, (who, what, said, known)


@given(crowded(), st.sampled_from((SAID[5], SAID[7], SAID[8])))
def test_positions_of_many_words_are_those_of_the_reference(world, said):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        reference = World(told_to(ledger, clock, world).entries)
        for who in ("envoy", "ministry"):
            expected = reference.position(who, "open", said)
            assert told(ledger.as_of(said=said).position(who, "open")) == expected


@given(worlds(), st.data())
def test_disagreements_are_those_of_the_reference(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = told_to(ledger, clock, world)
        for known, said in cuts(data.draw, teller):
            view = ledger.as_of(said=said, known=known)
            reference = World(teller.entries[: known + 1])
            assert {
                (one.proposition, one.supports, one.opposes) for one in view.contradictions()
            } == reference.contradictions(said)
            assert {one.claims for one in view.divergences()} == reference.divergences(said)
