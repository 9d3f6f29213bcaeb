"""Disagreements and differences of a party, a topic, a proposition: what is left of the whole."""

from __future__ import annotations

import itertools
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, Link, Membership, Party, Proposition, Topic
from ledger.errors import UnknownParty, UnknownTopic
from ledger.projecting import cells
from ledger.testing import lachin
from tests.examples import examples
from tests.projections.worlds import (
    PEOPLE,
    SAID,
    TOLD,
    Clock,
    crowded,
    disputed,
    scene,
    told_to,
    worlds,
)

SCOPES = [
    *({"party": one} for one in PEOPLE),
    *({"proposition": one} for one in TOLD),
    *({"party": p, "proposition": q} for p, q in itertools.product(PEOPLE[:4], TOLD)),
]


def left(found, scope, party, propositions):
    """The answers that a scope leaves, by hand."""
    who, what = scope.get("party"), scope.get("proposition")
    return tuple(
        one for one in found if who in (None, *party(one)) and what in (None, *propositions(one))
    )


@settings(max_examples=examples(60))
@given(
    st.one_of(disputed(), disputed(), worlds(), crowded()),
    st.sampled_from(SAID[5:]),
    st.sampled_from(SAID[5:]),
)
def test_a_scope_leaves_out_and_changes_nothing(world, early, late):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        before, view = ledger.as_of(said=early), ledger.as_of(said=late)
        against, apart = view.contradictions(), view.divergences()
        shown, whole = view.claims(), ledger.diff(before, view)
        # Of parties and propositions that were merged, the shown one stands for both.
        same = {id_: merged(view, id_) for id_ in (*PEOPLE, *TOLD)}
        speakers = {one.id: one.claimant for one in shown}
        whole_table = [
            one for who in set(map(same.get, PEOPLE)) for one in view.positions(party=who)
        ]
        everything = sorted(whole_table, key=cell)
        for scope in SCOPES:
            by = {key: same[one] for key, one in scope.items()}
            assert view.contradictions(**scope) == left(
                against, by, lambda one: (one.supports, one.opposes), lambda one: (one.proposition,)
            )
            assert view.divergences(**scope) == left(
                apart,
                by,
                lambda one: {who for id_ in one.claims for who in speakers[id_]},
                lambda one: one.propositions,
            )
            stands = view.positions(**scope)
            assert sorted(stands, key=cell) == [one for one in everything if in_scope(one, by)]
            found = ledger.diff(before, view, **scope)
            assert found.positions == left(
                whole.positions, by, lambda one: (one.party,), lambda one: (one.proposition,)
            )
            wanted: dict[str, Any] = scope
            ids = {one.id for one in (*view.claims(**wanted), *before.claims(**wanted))}
            for name in ("learnt", "newly_said", "lost"):
                some = [one.id for one in getattr(found, name)]
                assert set(some) == {one.id for one in getattr(whole, name)} & ids


def cell(position):
    """Whose position it is, and on what."""
    return position.party, position.proposition


def in_scope(position, by):
    return by.get("party") in (None, position.party) and by.get("proposition") in (
        None,
        position.proposition,
    )


@settings(max_examples=examples(40))
@given(
    st.one_of(disputed(), worlds()),
    st.tuples(st.sampled_from(SAID[5:]), st.sampled_from(SAID[5:])),
    st.tuples(st.floats(0, 1), st.booleans()),
    st.booleans(),
)
def test_what_enters_a_scope_is_not_learnt_nor_what_leaves_it_lost(world, said, share, indexed):
    clock = Clock()
    with tempfile.TemporaryDirectory() as made, Ledger.open(f"{made}/l.db", clock=clock) as ledger:
        if indexed:
            ledger.projections.add(cells(ledger.layout))
        told_to(ledger, clock, world)
        size, many = ledger.as_of().basis, len(scene())
        known = many + int(share[0] * (size - 1 - many))
        views = [ledger.as_of(said=said[0], known=known), ledger.as_of(said=said[1])]
        before, after = views if share[1] else views[::-1]
        whole = ledger.diff(before, after)
        for scope in SCOPES:
            found = ledger.diff(before, after, **scope)
            wanted: dict[str, Any] = scope
            ids = {one.id for view in views for one in view.claims(**wanted)}
            for name in ("learnt", "newly_said", "lost"):
                expected = tuple(one for one in getattr(whole, name) if one.id in ids)
                assert getattr(found, name) == expected
            assert found.altered == tuple(pair for pair in whole.altered if pair[1].id in ids)
            assert found.late == tuple(one for one in whole.late if one in ids)
            named = [one for one in found.positions if one not in whole.positions]
            assert tuple(one for one in found.positions if one not in named) == tuple(
                one
                for one in whole.positions
                if within(before, scope, one, one.before) or within(after, scope, one, one.after)
            )
            for one in named:  # merged into another in one of the views, and asked about itself
                assert cell(one) == (
                    wanted.get("party", one.party),
                    wanted.get("proposition", one.proposition),
                )
                stands = [view.position(*cell(one)) for view in (before, after)]
                assert any(cell(position) != cell(one) for position in stands)
                assert (
                    stands[0].status != stands[1].status or stands[0].evidence != stands[1].evidence
                )


def within(view, scope, changed, position):
    """Whether a view shows a position under the ids of a change, and in a scope there."""
    if position is None or cell(position) != cell(changed):
        return False
    return all(merged(view, id_) == getattr(position, kind) for kind, id_ in scope.items())


def merged(view, id_):
    """What a party or proposition is shown as."""
    if id_ in PEOPLE:
        return view.position(id_, TOLD[0]).party
    return view.position(PEOPLE[0], id_).proposition


@pytest.fixture
def told():
    with Ledger.open(":memory:") as ledger:
        lachin.load(ledger)
        yield ledger


def test_a_topic_counts_with_those_inside_it(told):
    assert told.divergences(topic="lachin") == told.divergences()
    assert told.divergences(topic="relations") == ()
    view, early = told.as_of(), told.as_of(said="2022-12-20")
    inside = told.diff(early, view, topic="way-out")
    assert {one.proposition for one in inside.positions} == {
        one.id for one in view.propositions(topic="way-out")
    }
    assert set(inside.positions) < set(told.diff(early, view, topic="lachin").positions)


def test_a_proposition_outside_the_topic_leaves_nothing(told):
    outside = {"topic": "relations", "proposition": "protest"}
    assert told.divergences(**outside) == told.contradictions(**outside) == ()
    assert not told.diff(told.as_of(known=20), told.as_of(), **outside)


def test_what_one_view_does_not_know_yet_is_new_in_the_other():
    with Ledger.open(":memory:") as ledger:
        ledger.register_all([Party("mill", name="Mill"), Proposition("low", text="Low")])
        before = ledger.as_of()
        ledger.register_all(
            [
                Party("board", name="Board"),
                Topic("weir", label="The weir"),
                Proposition("shut", text="Shut", topic="weir"),
            ]
        )
        ledger.record(id="c1", claimant="board", act="assert", proposition="shut", uttered="2023")
        ledger.record(id="c2", claimant="mill", act="assert", proposition="low", uttered="2023")
        now = ledger.as_of()
        for scope in ({"party": "board"}, {"topic": "weir"}, {"proposition": "shut"}):
            assert [one.id for one in ledger.diff(before, now, **scope).learnt] == ["c1"]
            back = ledger.diff(now, before, **scope)
            assert [one.id for one in back.lost] == ["c1"]
            assert [one.after for one in back.positions] == [None]
        with pytest.raises(UnknownParty, match="'baord'") as error:
            ledger.diff(before, now, party="baord")
        assert error.value.near == ("board",)
        with pytest.raises(UnknownTopic):
            ledger.contradictions(topic="wier")
        with pytest.raises(UnknownParty):
            ledger.divergences(party="baord")


def told_of_the_weir(ledger):
    ledger.register_all(
        [
            *(Party(one, name=one.title()) for one in ("mill", "board", "clerk")),
            *(Topic(one, label=one.title()) for one in ("weir", "river")),
            Proposition("open", text="Open", topic="weir"),
            Proposition("shut", text="Shut", topic="weir"),
            Proposition("deep", text="Deep", topic="river"),
        ]
    )
    for who, what in (("mill", "open"), ("board", "shut"), ("clerk", "deep")):
        ledger.record(id=who[0], claimant=who, act="assert", proposition=what, uttered="2023")
    return ledger.as_of()


def test_a_merge_makes_nobody_speak_who_spoke_before():
    with Ledger.open(":memory:") as ledger:
        before = told_of_the_weir(ledger)
        ledger.merge("shut", "open", reason="one question")
        ledger.merge("mill", "board", reason="one body")
        for scope in ({"proposition": "open"}, {"party": "board"}):
            found = ledger.diff(before, ledger.as_of(), **scope)
            assert found.learnt == found.newly_said == found.lost == ()
            assert all(row.before for row in found.positions if row.party == "board")


def test_a_membership_brings_positions_and_no_claims():
    with Ledger.open(":memory:") as ledger:
        before = told_of_the_weir(ledger)
        ledger.register(Membership("clerk", "board", role="clerk"))
        found = ledger.diff(before, ledger.as_of(), party="board")
        assert not found.newly_said
        assert [(one.party, one.proposition) for one in found.positions] == [("board", "deep")]


def test_a_proposition_that_changes_its_topic_changes_nothing_else():
    with Ledger.open(":memory:") as ledger:
        before = told_of_the_weir(ledger)
        ledger.amend("deep", reason="of the weir", topics=["weir"])
        for topic in ("weir", "river"):
            assert not ledger.diff(before, ledger.as_of(), topic=topic)


def test_a_party_of_one_view_alone_is_given_what_both_know():
    with Ledger.open(":memory:") as ledger:
        before = told_of_the_weir(ledger)
        ledger.register(Party("county", name="County"))
        ledger.register(Membership("clerk", "county", role="clerk"))
        found = ledger.diff(before, ledger.as_of(), party="county")
        assert not found.newly_said
        assert [one.proposition for one in found.positions] == ["deep"]


def test_a_claim_that_one_of_two_took_back_is_told_as_without_a_scope():
    with Ledger.open(":memory:") as ledger:
        told_of_the_weir(ledger)
        either = [[Link(one, "says")] for one in ("mill", "board")]
        ledger.record(id="x", chain=either, act="assert", proposition="deep", uttered="2023")
        before = ledger.as_of()
        ledger.withdraw("x", claimant="mill", uttered="2024")
        assert ledger.diff(before, ledger.as_of()).altered == ()
        assert ledger.diff(before, ledger.as_of(), party="mill").altered == ()
