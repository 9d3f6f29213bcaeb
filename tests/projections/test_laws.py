"""The laws of the model, each a property of any small world.

The reference model says what an answer is; these say how answers hang together.
"""

from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.codec.canonical import jcs
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.projecting import cells
from ledger.projections import positions
from ledger.projections.effective import Facts
from tests.projections.answers import everything, told
from tests.projections.naive_days import before
from tests.projections.naive_fold import Op
from tests.projections.worlds import (
    DATES,
    PEOPLE,
    SAID,
    TOLD,
    Clock,
    Teller,
    claim_fields,
    scene,
    told_to,
    worlds,
)

SCENE = len(scene())
LONG_AFTER = dt.timedelta(days=400)


def table(view):
    """Every position of the cast, in the words of the reference."""
    return {(who, what): told(view.position(who, what)) for who in PEOPLE for what in TOLD}


def in_columns(view):
    """Status and stance of each cell that is not silent, as the columns tell it."""
    sheet = view.columns().at(view.said.day)
    return {(row.party, row.proposition, row.status, row.stance) for row in sheet}


def in_cells(view):
    """The same, a position for each."""
    found = {view.position(who.id, what) for who in view.parties() for what in TOLD}
    return {
        (one.party, one.proposition, one.status, one.stance)
        for one in found
        if one.status != "silent"
    }


@given(worlds(), worlds(), st.sampled_from(SAID), st.data())
def test_law_1_appending_never_changes_a_settled_answer(world, more, said, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = told_to(ledger, clock, world)
        sequence = data.draw(st.integers(SCENE - 1, len(teller.entries) - 1))
        by_sequence = ledger.as_of(said=said, known=sequence)
        now = clock.now
        by_date = ledger.as_of(said=said, known=now)
        clock.now += dt.timedelta(hours=1)
        answers = everything(by_sequence), everything(by_date)
        for op, step in more:
            teller.tell(Op(op.kind, f"later-{op.id}", op.fields), step)
        again = (
            ledger.as_of(said=said, known=sequence),
            ledger.as_of(said=said, known=now),
        )
        assert (everything(again[0]), everything(again[1])) == answers
        assert (everything(by_sequence), everything(by_date)) == answers


@given(worlds(), st.data())
def test_law_2_what_is_known_only_grows(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        size = len(told_to(ledger, clock, world).entries)
        cuts = sorted(data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=4)))
        known = []
        for cut in cuts:
            with ledger.as_of(known=cut).facts() as facts:
                known.append(
                    {id_ for id_, one in facts.stored.items() if one.type == "claim_recorded"}
                )
        assert all(earlier <= later for earlier, later in itertools.pairwise(known))
        told_of = {one.id for one in ledger.events() if isinstance(one.event, ev.ClaimRecorded)}
        last = ledger.as_of()
        with last.facts() as facts:
            assert {id_ for id_ in facts.stored if id_ in told_of} == told_of


CLOSED = [date for date in DATES if date and Edtf.parse(date).latest and date != "202X"]
"""Dates that are over long before the recording, so that the recording bounds nothing."""


@st.composite
def late_worlds(draw):
    """Claims without amendments, all recorded long after they were made; and another order."""
    ops = draw(worlds(kinds=("claim",) * 4 + ("membership", "relate", "relate", "withdraw")))
    kept = []
    for op, _ in ops:
        if op.kind in ("claim", "withdraw"):
            fields = op.fields | {"uttered": draw(st.sampled_from(CLOSED)), "document": None}
            op = Op(op.kind, op.id, fields)  # noqa: PLW2901 - the same, with a closed date
        kept.append(op)
    return kept


def names(op):
    """The entries that an entry names."""
    return {op.fields.get("claim"), op.fields.get("target"), *op.fields.get("claims", ())}


def reordered(draw, entries):
    """Another order of entries, references behind what they name."""
    left, found = list(entries), []
    while left:
        missing = {op.id for op in left}
        ready = [op for op in left if not names(op) & missing]
        found.append(draw(st.sampled_from(ready)))
        left.remove(found[-1])
    return found


@given(late_worlds(), st.data())
def test_law_3_the_order_of_recording_changes_no_answer(ops, data):
    tables, clock = [], Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = Teller(ledger, clock)
        clock.now += LONG_AFTER
        accepted = [op for op in ops if teller.tell(op)]
        for said in SAID[::2]:
            view = ledger.as_of(said=said)
            tables.append((table(view), view.contradictions(), view.divergences()))
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = Teller(ledger, clock)
        clock.now += LONG_AFTER
        in_time = [teller.tell(op) for op in reordered(data.draw, accepted)]
        assume(all(in_time))  # a withdrawal may need the membership that came before it
        for said, expected in zip(SAID[::2], tables, strict=True):
            view = ledger.as_of(said=said)
            assert (table(view), view.contradictions(), view.divergences()) == expected


def decided(position):
    """What a position rests on: what may only possibly have been said decides nothing."""
    answer = told(position)
    return {key: answer[key] for key in ("stance", "because", "evidence", "withdrawn", "runs")}


@given(worlds(), st.data())
def test_law_4_a_withdrawal_changes_nothing_before_it(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        teller = told_to(ledger, clock, world)
        claims = [e.op for e in teller.entries if e.op.kind == "claim"]
        assume(claims)
        target = data.draw(st.sampled_from(claims))
        uttered = data.draw(
            st.sampled_from(("2023-01-06", "2023-01-09", "[2023-01-08..2023-01-20]"))
        )
        earlier = [s for s in SAID if not_begun(uttered, s)]
        tables = [
            {
                (who, what): decided(ledger.as_of(said=said).position(who, what))
                for who in PEOPLE
                for what in TOLD
            }
            for said in earlier
        ]
        fields = {
            "claims": (target.id,),
            "chains": target.fields["chains"],
            "uttered": uttered,
            "document": None,
            "utterance": None,
        }
        assume(teller.tell(Op("withdraw", "the-withdrawal", fields)))
        for said, expected in zip(earlier, tables, strict=True):
            view = ledger.as_of(said=said)
            for (who, what), answer in expected.items():
                assert decided(view.position(who, what)) == answer, (who, what, said)


def not_begun(uttered, said):
    """Whether nothing of a date is reached, in any reading."""
    low = Edtf.parse(uttered).earliest
    return before(said, low)


@given(worlds(), st.data())
def test_law_4_an_amended_stance_acts_wherever_the_claim_is_said(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        shown = [row for row in ledger.claims() if row.stance in ("supports", "opposes", "mixed")]
        assume(shown)
        row = data.draw(st.sampled_from(shown))
        assume(row.act in ("assert", "predict", "demand"))
        before_it = {s: {r.id: r.certainty for r in ledger.as_of(said=s).claims()} for s in SAID}
        clock.now += dt.timedelta(hours=1)
        ledger.amend(row.id, reason="misheard", stance="neutral")
        for said, certainty in before_it.items():
            now = {r.id: r for r in ledger.as_of(said=said).claims()}
            assert {id_: r.certainty for id_, r in now.items()} == certainty
            assert row.id not in now or now[row.id].stance == "neutral"


def as_bytes(view):
    """Every answer of a view in canonical JSON, to the byte."""
    return jcs({"basis": view.basis, "answers": everything(view)})


@given(worlds(), st.sampled_from(SAID), st.data())
def test_law_5_replaying_the_log_gives_the_same_bytes(world, said, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        size = len(told_to(ledger, clock, world).entries)
        known = data.draw(st.integers(SCENE - 1, size - 1))
        views = ledger.as_of(said=said), ledger.as_of(said=said, known=known)
        answers = [as_bytes(view) for view in views]
        ledger._folded.fold.forget()
        for projection in ledger.projections.status():
            ledger.projections.rebuild(projection.name)
        again = ledger.as_of(said=said), ledger.as_of(said=said, known=known)
        assert [as_bytes(view) for view in again] == answers
        # and so does a fold of events that were never kept in step with a log
        facts = Facts().extend(ledger.events())
        for who, what in itertools.product(PEOPLE, TOLD):
            party, proposition = facts.id_of("party", who), facts.id_of("proposition", what)
            assert party is not None
            assert proposition is not None
            one = positions.position(facts, party, proposition, again[0].said)
            assert one == again[0].position(who, what)


SPOKEN = (*("claim",) * 3, "membership", "relate", "relate", "withdraw", "merge_propositions")
NARROWER = {
    "2023-01": ("2023-01-09", "[2023-01-03..2023-01-09]", "2023-01-04/2023-01-08"),
    "202X": ("2023-01", "2023-01-05"),
    "[2023-01-03..2023-01-09]": ("2023-01-05", "2023-01-04/2023-01-08", "2023-01-09"),
    "../2023-01-06": ("2023-01-05", "2023-01-03"),
    "[2023-01-05,2023-01-11]": ("2023-01-05", "2023-01-07~"),
}


@given(worlds(kinds=SPOKEN), claim_fields(documents=(None,)), st.data())
def test_law_6_narrowing_bounds_never_moves_a_claim_past_them(world, fields, data):
    wide = data.draw(st.sampled_from(sorted(NARROWER)))
    narrow = data.draw(st.sampled_from(NARROWER[wide]))
    start = Edtf.parse(narrow).earliest
    states, accepted = [], []
    for uttered in (wide, narrow):
        clock = Clock()
        with Ledger.open(":memory:", clock=clock) as ledger:
            teller = Teller(ledger, clock)
            # Reports of its own utterance might clash with the narrower date.
            alone = fields | {"uttered": uttered, "utterance": None}
            assume(teller.tell(Op("claim", "c0", alone)))
            # The world's own c0 is refused now: what it says of its c0 it says of this one.
            accepted.append([teller.tell(op, step) for op, step in world])
            (shown,) = (row.said for row in ledger.claims() if row.id == "c0")
            # A date outside of what others lend is no narrower one.
            assume(not any(before(high, start) for high in shown.highs))
            states.append([state_of(ledger.as_of(said=said), "c0") for said in SAID])
    assume(accepted[0] == accepted[1])
    for before_it, after_it in zip(*states, strict=True):
        assert before_it in ("possible", after_it)


def state_of(view, claim):
    certain = view.claims(certainty="certain").ids
    possible = view.claims(certainty="possible").ids
    assert not set(certain) & set(possible)
    return "certain" if claim in certain else "possible" if claim in possible else "not yet"


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds(), said=st.sampled_from(SAID), data=st.data())
def test_law_7_every_engine_gives_the_same_answer(database, world, said, data):
    clock, other = Clock(), Clock()
    origin = f"log-{data.draw(st.uuids())}"
    with (
        Ledger.open(":memory:", clock=clock) as expected,
        Ledger.open(database, clock=other, origin=origin) as ledger,
    ):
        told_here = told_to(expected, clock, world).entries
        told_there = told_to(ledger, other, world).entries
        assert told_here == told_there
        for known in {len(told_here) - 1, data.draw(st.integers(SCENE - 1, len(told_here) - 1))}:
            answers = table(expected.as_of(said=said, known=known))
            in_step = ledger.as_of(said=said, known=known)
            assert table(in_step) == answers
            # One that reads from the database what the other one folded as it was told.
            afresh = Ledger(ledger._folded.bind, clock=other, origin=origin)
            assert everything(afresh.as_of(said=said, known=known)) == everything(in_step)
            # One that reads no more than a question bears on, by the tables of cells.
            narrowed = Ledger(ledger._folded.bind, clock=other, origin=origin)
            narrowed.projections.add(cells(narrowed.layout))
            view = narrowed.as_of(said=said, known=known)
            assert everything(view) == everything(in_step)
            if view.said.day:
                assert in_columns(view) == in_cells(view)
