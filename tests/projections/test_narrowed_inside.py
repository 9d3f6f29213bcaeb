"""Narrowed inside a host's transaction, and where the tables of cells are a little behind."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from ledger import Document, Ledger, Membership, Party, Proposition
from ledger.aio import AsyncLedger
from ledger.errors import InvalidMerge, NotFound
from ledger.narrowing import Asked, asked_of, plain, records
from ledger.narrowing.records import held_of
from ledger.projecting import cells
from ledger.projections import near
from ledger.store.turns import only_connection
from ledger.testing import lachin
from tests.examples import examples
from tests.projections.test_narrowed import (
    CELLS,
    PARTIES,
    WORLDS,
    folded,
    is_narrowed,
    narrow,
    questions,
)
from tests.projections.worlds import SAID, Clock, Teller, scene

SCENE = len(scene())
DAY = "2020-01-01"
MILL: list[Any] = [
    Party("mill", name="Mill"),
    Party("board", name="Board"),
    Membership("mill", "board"),
]
ON: list[Any] = [Proposition("shut", text="Shut"), Proposition("open", text="Open")]


def said_by(claimant, id_, **fields):
    """A claim on whether the weir is shut."""
    given = {"act": "assert", "proposition": "shut", "uttered": "2010", **fields}
    return {"id": id_, "claimant": claimant, **given}


@pytest.fixture
def served(database):
    """A ledger whose tables of cells are served, of which nothing is folded."""
    with Ledger.open(database) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([*MILL, *ON])
        ledger.record(**said_by("mill", "C1"))
        assert ledger.position("board", "shut").status == "held"
        ledger._folded.fold.forget()
        yield ledger


@settings(max_examples=examples(30))
@given(WORLDS, st.sampled_from(SAID[5:]), CELLS, PARTIES, st.data())
def test_what_a_host_has_not_committed_is_answered_as_from_the_folded_log(
    world, said, asked, party, data
):
    clock, start = Clock(), data.draw(st.integers(0, len(world)))
    inline, keep = data.draw(st.booleans()), data.draw(st.booleans())

    def agrees(view):
        assert is_narrowed(view)
        assert narrow(view, asked, party) == folded(view, asked, party)

    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "claims.db", clock=clock) as ledger,
    ):
        ledger.projections.add(cells(ledger.layout))
        teller = Teller(ledger, clock)
        for op, step in world[:start]:
            teller.tell(op, step)
        held = ledger._folded.fold
        before = ledger.as_of(said=said)
        agrees(before)
        with ledger._folded.bind.engine.connect() as conn:
            inside = teller.ledger = Ledger(conn, clock=clock)
            if inline:
                inside.projections.add(cells(inside.layout))
            for op, step in world[start:]:
                teller.tell(op, step)
            agrees(inside.as_of(said=said))
            known = data.draw(st.integers(SCENE - 1, inside.as_of().basis - 1))
            agrees(inside.as_of(said=said, known=known))
            kept = held_of(held)
            agrees(before)
            assert held_of(held) is kept, "nobody has to read anew what another has not committed"
            if keep:
                conn.commit()
        agrees(ledger.as_of(said=said))
        assert (ledger.as_of().basis > before.basis) is (
            keep and len(teller.entries) > before.basis
        )


@pytest.mark.parametrize("commit", [True, False], ids=["committed", "rolled back"])
@pytest.mark.parametrize("inline", [True, False], ids=["inline", "behind"])
def test_a_session_asks_and_enters_without_folding_the_log(served, commit, inline):
    engine, fold = served._folded.bind.engine, served._folded.fold
    with Session(engine) as session:
        ledger = Ledger(session)
        if inline:
            ledger.projections.add(cells(ledger.layout))
        assert ledger.position("board", "shut").stance == "supports"
        ledger.record(**said_by("mill", "C2", act="deny", uttered="2014"))
        assert ledger.position("board", "shut").stance == "opposes"
        ledger.withdraw("C2", claimant="mill", uttered="2014")
        assert ledger.position("board", "shut").status == "withdrawn"
        ledger.register_all([Party("guild", name="Guild"), Membership("board", "guild")])
        assert ledger.position("guild", "shut").status == "withdrawn"
        assert [one.id for one in ledger.claims(party="guild")] == ["C1", "C2"]
        with session.begin_nested() as savepoint:
            ledger.record(**said_by("guild", "C3", uttered="2015"))
            assert ledger.trace("C3").claimant == ("guild",)
            savepoint.rollback()
        with pytest.raises(NotFound):
            ledger.trace("C3")
        assert ledger.position("guild", "shut").status == "withdrawn"
        if commit:
            session.commit()
    expected = "withdrawn" if commit else "held"
    assert served.position("board", "shut").status == expected
    with Session(engine) as session:
        Ledger(session).register_all([Party("town", name="Town"), Membership("mill", "town")])
        assert Ledger(session).position("town", "shut").status == expected
        session.rollback()
    with Session(engine) as session:
        assert Ledger(session).position("board", "shut").status == expected
        assert Ledger(session).record(**said_by("mill", "C1")).stored == "already_stored"
    assert not fold.facts.size


def test_what_another_commits_meanwhile_is_seen_when_a_session_writes(served):
    with Session(served._folded.bind.engine) as session:
        ledger = Ledger(session)
        assert ledger.record(**said_by("mill", "C2", uttered="2014")).stored == "pending"
        served.record(**said_by("mill", "C3", act="deny", uttered="2015"))
        session.commit()
        assert [one.id for one in ledger.claims(party="mill")] == ["C1", "C2", "C3"]
    assert served.position("mill", "shut").stance == "opposes"
    assert not served._folded.fold.facts.size


def test_a_party_in_full_keeps_no_more_documents_than_a_few(tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "PAPERS", 2)
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register(Party("mill", name="Mill"))
        for name in ("b", "a", "c"):
            ledger.register(Proposition(name, text=name))
            ledger.register(Document(f"d-{name}", publisher="mill", text="x"))
            ledger.record(
                id=name, claimant="mill", act="assert", proposition=name, document=f"d-{name}"
            )
        rows = ledger.positions(party="mill").rows
        assert [(one.proposition, one.evidence[0].document) for one in rows] == [
            *(("a", "d-a"), ("b", "d-b"), ("c", "d-c")),
        ]
        held = held_of(ledger._folded.fold)
        assert held is not None
        assert len(held.papers) <= 2


def test_tables_that_are_a_little_behind_are_read_with_what_came_since(served, monkeypatch):
    monkeypatch.setattr(records, "BEHIND", 3)
    with Ledger(served._folded.bind.engine) as other:
        for number, stance in enumerate(("opposes", "supports", "opposes"), 2):
            act = "deny" if stance == "opposes" else "assert"
            other.record(**said_by("mill", f"C{number}", act=act, uttered=f"20{12 + number}"))
            view = other.as_of()
            assert is_narrowed(view)
            assert view.position("board", "shut").stance == stance
            assert other.as_of(known=5).position("board", "shut").stance == "supports"
        held = other.as_of().columns().at(DAY)
        assert [one.stance for one in held if one.party == "board"] == ["opposes"]
        assert not other._folded.fold.facts.size
        other.record(**said_by("board", "C5", uttered="2019"))
        assert not is_narrowed(other.as_of())
        assert other.position("board", "shut").stance == "supports"
        other.projections.add(cells(other.layout))
        other.projections.run("cells")
        assert is_narrowed(other.as_of())


def test_a_claim_on_what_was_erased_that_is_struck_out_since_is_counted_no_more(served):
    served.erase("shut", slots=["what"], reason="a wish", authority="the editor")
    with Ledger(served._folded.bind.engine) as other:
        other.record(**said_by("mill", "C2", proposition="open"))
        assert other.as_of().position("mill", "open").incomplete == 1
        other.amend("C1", reason="never said", strike_out=True)
        view = other.as_of()
        assert is_narrowed(view)
        assert view.position("mill", "open").incomplete == 0
        assert other.as_of(known=view.basis - 2).position("mill", "open").incomplete == 1


def test_an_erasure_that_the_tables_have_not_come_to_is_seen(served):
    with Ledger(served._folded.bind.engine) as other:
        earlier = other.as_of()
        assert is_narrowed(earlier)
        other.erase("mill", reason="asked for", authority="the mill", slots=["who"])
        assert not is_narrowed(earlier)
        assert "Mill" not in repr(earlier.parties())


@pytest.mark.parametrize("driver", ["aiosqlite", "psycopg", "asyncpg"])
def test_an_asynchronous_session_folds_nothing_either(request, tmp_path, driver):
    if driver == "aiosqlite":
        url = make_url(f"sqlite:///{tmp_path / 'claims.db'}")
    else:
        url = make_url(request.getfixturevalue("postgres_url"))
    with Ledger.open(url.render_as_string(hide_password=False)) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([*MILL, *ON])
        ledger.record(**said_by("mill", "C1"))

    async def main():
        engine = create_async_engine(url.set(drivername=f"{url.get_backend_name()}+{driver}"))
        async with AsyncSession(engine) as session:
            inside = AsyncLedger(session)
            assert (await inside.position("board", "shut")).stance == "supports"
            await inside.record(**said_by("mill", "C2", act="deny", uttered="2014"))
            assert (await inside.position("board", "shut")).stance == "opposes"
            await session.rollback()
            assert (await inside.position("board", "shut")).stance == "supports"
            size = await inside.run_sync(lambda it: it._folded.fold.facts.size)
        await engine.dispose()
        return size

    assert asyncio.run(main()) == 0


def test_the_example_world_inside_a_hosts_transaction(database, clock):
    with Ledger.open(database, clock=clock) as ledger:
        ledger.projections.add(cells(ledger.layout))
        with ledger._folded.bind.engine.connect() as conn:
            inside = Ledger(conn, clock=clock)
            lachin.load(inside)
            for view in (inside.as_of(), inside.as_of(said="2023-01-18", known=35)):
                assert is_narrowed(view) is False  # no tables are served before the first commit
            conn.commit()
            ledger.projections.run("cells")
            inside.register(Party("later", name="Later"))
            for view in (inside.as_of(), inside.as_of(said="2023-01-18", known=35)):
                assert is_narrowed(view)
                with view.facts() as facts:
                    whole = Asked(facts, None, view.said)
                    with asked_of(view._folded, view.basis, view.said) as near:
                        for question in questions(view):
                            assert question(near) == question(whole)


def test_a_question_that_is_cut_off_leaves_nothing_half_read(served, monkeypatch):
    class CutOffError(BaseException):
        pass

    def cut_off(*_):
        raise CutOffError

    basis = served.as_of().basis
    served.register_all([Party("late", name="Late"), Party("later", name="Later")])
    served.merge("mill", "late", reason="one mill")
    with monkeypatch.context() as patch:
        patch.setattr(records, "_gone", cut_off)
        with pytest.raises(CutOffError):
            served.position("late", "shut")
    assert served.position("late", "shut").status == "held"
    earlier = served.as_of(known=basis - 1)
    assert is_narrowed(earlier)
    assert [one.id for one in earlier.parties()] == ["board", "mill"]


def test_records_that_are_kept_may_be_ahead_of_the_tables_that_another_sees(served):
    engine = served._folded.bind.engine
    if only_connection(engine):
        pytest.skip("Nobody else can ask where there is one connection.")
    other = Ledger(engine)
    with Session(engine) as session:
        inside = Ledger(session)
        inside.projections.add(cells(inside.layout))
        other.record(**said_by("mill", "C2", act="deny", uttered="2014"))
        inside.record(**said_by("mill", "C3", uttered="2015"))
        assert inside.position("mill", "shut").stance == "supports"
        other._folded.fold.unfolded = None  # what entries are checked against begins in the host's
        inside.record(**said_by("mill", "C4", uttered="2016"))
        assert [one.id for one in inside.claims(party="mill")] == ["C1", "C2", "C3", "C4"]
        assert [one.id for one in other.claims(party="mill")] == ["C1", "C2"]
        assert other.record(**said_by("mill", "C2", act="deny", uttered="2014")).stored == (
            "already_stored"
        )
        session.rollback()
    assert [one.id for one in other.claims(party="mill")] == ["C1", "C2"]
    assert not other._folded.fold.facts.size


@pytest.mark.parametrize("is_served", [True, False], ids=["narrowed", "folded"])
def test_what_was_rolled_back_is_refused_at_the_call(database, is_served):
    with Ledger.open(database) as ledger:
        if is_served:
            ledger.projections.add(cells(ledger.layout))
        ledger.register_all([*MILL, ON[0]])
        engine = ledger._folded.bind.engine
        with Session(engine) as session:
            inside = Ledger(session)
            inside.register(ON[1])
            inside.flush()
            assert inside.contradictions() == ()  # which folds it, whatever is served
            session.rollback()
        with Session(engine) as session:
            inside = Ledger(session)
            with pytest.raises(NotFound, match="'open'"):
                inside.record(**said_by("mill", "C1", proposition="open"))
            inside.record(**said_by("mill", "C2"))
            session.commit()
        assert [one.id for one in ledger.claims(party="mill")] == ["C2"]


def test_a_near_id_is_named_whether_or_not_all_are_held(served):
    served.register(Document("report-7", publisher="board", text="One."))
    served.record(**said_by("mill", "claim-100", uttered="2011"))
    for question, named in (
        (lambda: served.trace("claim-101"), "claim-100"),
        (lambda: served.withdraw("claim-101", claimant="mill", uttered="2014"), "claim-100"),
        (lambda: served.as_of().resting_on("report-8"), "report-7"),
        (lambda: served.record(**said_by("mill", "C3", document="report-8")), "report-7"),
    ):
        with pytest.raises(NotFound, match=f"Did you mean '{named}'") as refused:
            question()
        assert refused.value.near == (named,)
    assert not served._folded.fold.facts.size


def test_what_is_known_since_is_told_without_folding_the_log(served):
    then = served.as_of(known=len(list(served.events())) - 1)
    served.register(Party("new", name="New"))
    with pytest.raises(NotFound, match=r"No party 'new' is in this view: it is known since \d"):
        then.position("new", "shut")
    assert not served._folded.fold.facts.size


@pytest.mark.parametrize("nested", [False, True], ids=["rolled back", "a savepoint rolled back"])
def test_an_erasure_that_was_rolled_back_has_erased_nothing(served, nested):
    with served._folded.bind.engine.connect() as conn:
        inside = Ledger(conn)
        savepoint = conn.begin_nested() if nested else None
        inside.erase("C1", reason="asked for", authority="the mill", slots=["what"])
        assert not inside.claims()
        assert not inside.as_of(known=5).claims()
        if savepoint is None:
            conn.rollback()
        else:
            savepoint.rollback()
            assert [one.id for one in inside.claims()] == ["C1"]
            conn.commit()
    assert [one.id for one in served.claims()] == ["C1"]
    assert [one.id for one in served.as_of(known=5).claims()] == ["C1"]
    assert served.position("board", "shut").status == "held"
    assert served.record(**said_by("mill", "C1")).stored == "already_stored"


@pytest.fixture
def earlier(served):
    """A host's connection that began before whatever comes, and its ledger."""
    engine = served._folded.bind.engine
    if only_connection(engine):
        pytest.skip("Nobody else can ask where there is one connection.")
    with engine.connect().execution_options(
        isolation_level="SERIALIZABLE" if engine.dialect.name == "sqlite" else "REPEATABLE READ"
    ) as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("BEGIN")
        conn.exec_driver_sql("SELECT count(*) FROM ledger_event").scalar_one()
        yield Ledger(conn)


def test_who_began_earlier_does_not_have_all_read_anew(served, earlier, monkeypatch):
    served.register_all([Party("guild", name="Guild"), Membership("board", "guild")])
    reads: list[int] = []
    read_on = records._read_on

    def counted(conn, tables, held, stop):
        reads.append(stop)
        read_on(conn, tables, held, stop)

    monkeypatch.setattr(records, "_read_on", counted)
    for _ in range(3):
        assert served.position("guild", "shut").status == "held"
        assert earlier.position("board", "shut").status == "held"
        with pytest.raises(NotFound):
            earlier.position("guild", "shut")
    assert len(reads) == 2


def test_what_was_kept_for_who_began_earlier_goes_with_an_erasure(served, earlier):
    served.record(**said_by("mill", "C2"))
    fold = served._folded.fold
    assert served.position("mill", "shut").name == "Mill"
    assert earlier.position("mill", "shut").name == "Mill"
    assert fold.beside is not None
    served.erase("mill", reason="asked for", authority="the mill", slots=["who"])
    with pytest.raises(NotFound):
        served.position("mill", "shut")
    assert fold.beside is None


def test_what_is_kept_is_not_read_beside_an_erasure_that_may_be_rolled_back(served, earlier):
    with served._folded.bind.engine.connect() as conn:
        inside = Ledger(conn)
        inside.erase("mill", reason="asked for", authority="the mill", slots=["who", "what"])
        assert earlier.position("mill", "shut").status == "held"
        with pytest.raises(NotFound):
            inside.position("mill", "shut")
        conn.rollback()
    assert served.position("mill", "shut").name == "Mill"
    assert Ledger(served._folded.bind.engine).position("mill", "shut").status == "held"


def test_what_a_session_has_written_counts_though_others_looked_meanwhile(served):
    engine = served._folded.bind.engine
    if only_connection(engine):
        pytest.skip("Nobody else can ask where there is one connection.")
    served.projections.run("cells")
    with Session(engine) as session:
        inside = Ledger(session)
        inside.merge("mill", "board", reason="one house")
        inside.flush()
        assert len(served.contradictions()) == 0  # which folds what is committed
        with pytest.raises(InvalidMerge):
            inside.merge("board", "mill", reason="the other way round")
        session.commit()
    assert served.position("board", "shut").party == "mill"


def test_an_entry_that_is_cut_off_leaves_nothing_of_it_on_top(served, monkeypatch):
    class CutOffError(BaseException):
        pass

    with Session(served._folded.bind.engine) as session:
        inside = Ledger(session)
        for number in range(2, 5):
            inside.record(**said_by("mill", f"C{number}"))
        served._folded.fold.unfolded = None
        with monkeypatch.context() as patch:
            left = iter(range(2))

            def meet(self, stored, met=near.Near._meet):
                if next(left, None) is None:
                    raise CutOffError
                met(self, stored)

            patch.setattr(near.Near, "_meet", meet)
            with pytest.raises(CutOffError):
                inside.record(**said_by("mill", "C5"))
        for number in range(6, 8):
            inside.record(**said_by("mill", f"C{number}"))
            assert served._folded.fold.unfolded.facts.size == 3 + number  # each waits there once
        session.commit()
    assert [one.id for one in served.claims(party="mill")] == ["C1", "C2", "C3", "C4", "C6", "C7"]


def test_tables_that_were_dropped_since_an_old_snapshot_leave_a_host_its_transaction(
    served, earlier
):
    if served._folded.bind.dialect.name == "sqlite":
        pytest.skip("An old snapshot still shows the table itself.")
    served.projections.rebuild("cells")
    served.projections.prune("cells")
    assert earlier.position("board", "shut").status == "held"
    assert earlier.as_of().basis == 6
