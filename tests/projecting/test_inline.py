"""Inline: a view's rows change with the append, in its transaction, and are caught up where not."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from ledger import Claim, Ledger, Party
from ledger.errors import InvalidProjection, ProjectionFailed
from ledger.projecting import Projection, inlining
from ledger.store import schema
from tests.waiting import until


@pytest.fixture
def few(monkeypatch):
    """An append brings a projection forward by three events at most."""
    monkeypatch.setattr(inlining, "LIMIT", 3)
    monkeypatch.setattr("ledger.projecting.projections.LIMIT", 3)


def position(ledger, name):
    return next(one.position for one in ledger.projections.status() if one.name == name)


def test_what_was_recorded_is_there_at_once(ledger, kit):
    ledger.projections.add(kit.acts)
    kit.world(ledger)
    kit.say(ledger, "C1")
    assert kit.seqs(ledger) == [5]
    kit.say(ledger, "C2", act="deny", stance="opposes")
    assert [row.act for row in kit.rows(ledger)] == ["assert", "deny"]
    assert ledger.projections.status()[0].lag == 0
    assert ledger.projections.check("acts").ok


def test_a_state_can_be_inline_too(ledger, kit):
    ledger.projections.add(kit.tally())
    kit.world(ledger)
    kit.say(ledger, "C1", "C2")
    assert ledger.projections.state("tally")["claim_recorded"] == 2


def test_an_event_that_it_cannot_take_refuses_the_append(ledger, kit):
    ledger.projections.add(kit.acts(poison=["C2"]))
    kit.world(ledger)
    kit.say(ledger, "C1")
    before = str(ledger.checkpoint())
    with pytest.raises(ProjectionFailed, match="acts v1 could not take the event at sequence 6"):
        kit.say(ledger, "C2")
    assert str(ledger.checkpoint()) == before
    assert kit.seqs(ledger) == [5]
    kit.say(ledger, "C3")
    assert kit.seqs(ledger) == [5, 6]
    assert ledger.projections.parked("acts") == ()


def test_the_first_event_after_it_was_added_is_refused_like_any_other(small, kit):
    small.projections.add(kit.acts(poison=["C1"]))
    before = str(small.checkpoint())
    with pytest.raises(ProjectionFailed, match="could not take the event"):
        kit.say(small, "C1")
    assert str(small.checkpoint()) == before
    kit.say(small, "C2")
    assert small.projections.parked("acts") == ()


def test_far_behind_a_new_projection_is_left_to_a_run_which_parks(small, kit, few):
    kit.say(small, "C1", "C2", "C3")
    small.projections.add(kit.acts(poison=["C4"]))
    kit.say(small, "C4")
    assert [one.sequence for one in small.projections.parked("acts")] == [
        small.checkpoint().size - 1
    ]


def test_a_projection_added_later_is_caught_up_and_then_inline(small, kit):
    kit.say(small, "C1", "C2")
    small.projections.add(kit.acts)
    kit.say(small, "C3")
    assert kit.seqs(small) == [5, 6, 7]
    kit.say(small, "C4")
    assert kit.seqs(small) == [5, 6, 7, 8]
    assert small.projections.check("acts").ok


def test_what_another_process_appended_is_taken_first(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C1")
    other = Ledger(small._folded.bind, clock=small._clock)  # has not registered it
    kit.say(other, "C2", "C3")
    assert kit.seqs(small) == [5]
    kit.say(small, "C4")
    assert kit.seqs(small) == [5, 6, 7, 8]


def test_a_large_batch_is_left_to_a_run_before_the_next_read(small, kit, few):
    small.projections.add(kit.acts)
    kit.say(small, "C1")
    many = [Claim(id=f"M{n}", claimant="board", act="assert", proposition="shut") for n in range(5)]
    small.record_all(many)
    assert (position(small, "acts"), kit.seqs(small)) == (6, [5])
    small.projections.ready()
    assert kit.seqs(small) == [5, 6, 7, 8, 9, 10]


def test_a_small_append_behind_a_large_batch_catches_up(small, kit, few):
    small.projections.add(kit.acts)
    kit.say(small, "C1")
    many = [Claim(id=f"M{n}", claimant="board", act="assert", proposition="shut") for n in range(5)]
    small.record_all(many)
    kit.say(small, "C2")
    assert kit.seqs(small) == [5, 6, 7, 8, 9, 10, 11]


def test_an_old_event_that_it_cannot_take_refuses_no_append(small, kit):
    kit.say(small, "C1")
    small.projections.add(kit.acts(poison=["C1"], retries=0))
    kit.say(small, "C2")
    assert kit.seqs(small) == [6]
    assert [one.sequence for one in small.projections.parked("acts")] == [5]
    small.projections.add(kit.acts(version=2, poison=["C1"], retries=0, on_failure="stop"))
    assert small.projections.rebuild("acts").status == "failing"
    kit.say(small, "C3")
    assert len(list(small.events())) == 8


def test_effects_cannot_be_inline(small, kit):
    with pytest.raises(InvalidProjection, match="on_live"):
        small.projections.add(kit.tally(on_live=print))


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_inline_rows_belong_to_the_hosts_transaction(engine, clock, kit, end):
    with engine.begin() as conn:
        ledger = Ledger(conn, clock=clock)
        ledger.projections.add(kit.acts)
        kit.world(ledger)
        kit.say(ledger, "C1")
    with engine.connect() as conn:
        ledger = Ledger(conn, clock=clock)
        ledger.projections.add(kit.acts)
        kit.say(ledger, "C2")
        assert kit.seqs(ledger) == [5, 6]
        getattr(conn, end)()
    with engine.connect() as conn:
        ledger = Ledger(conn, clock=clock)
        ledger.projections.add(kit.acts)
        expected = [5, 6] if end == "commit" else [5]
        assert kit.seqs(ledger) == expected
        assert ledger.projections.status()[0].position == expected[-1] + 1
        kit.say(ledger, "C3")
        assert kit.seqs(ledger) == [*expected, expected[-1] + 1]


def test_a_refused_append_leaves_the_hosts_transaction_usable(engine, clock, kit):
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE host_note (words text)"))
        ledger = Ledger(conn, clock=clock)
        ledger.projections.add(kit.acts(poison=["C1"]))
        kit.world(ledger)
        with pytest.raises(ProjectionFailed):
            kit.say(ledger, "C1")
        conn.execute(sa.text("INSERT INTO host_note VALUES ('kept')"))
        kit.say(ledger, "C2")
    with engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT words FROM host_note")) == "kept"
        ledger = Ledger(conn, clock=clock)
        ledger.projections.add(kit.acts)
        assert kit.seqs(ledger) == [5]


def test_a_ledger_on_a_hosts_connection_runs_but_does_not_follow(engine, clock, kit):
    with engine.begin() as conn:
        ledger = kit.world(Ledger(conn, clock=clock))
        kit.say(ledger, "C1")
        ledger.projections.add(kit.acts, mode="deferred")
        assert ledger.projections.run("acts").status == "caught_up"
        assert kit.seqs(ledger) == [5]
        with pytest.raises(InvalidProjection, match="cannot follow"):
            ledger.projections.follow("acts")


def test_two_inline_projections_are_both_kept(ledger, kit):
    ledger.projections.add(kit.acts)
    ledger.projections.add(kit.claims(ledger.layout))
    kit.world(ledger)
    kit.say(ledger, "C1", "C2")
    assert kit.seqs(ledger, "acts") == kit.seqs(ledger, "claims") == [5, 6]


def test_an_inline_view_may_be_stricter_than_the_ledger(ledger, kit):
    """A host's own rule, as a unique index: what breaks it never enters the log."""
    table = sa.Table("one_act", sa.MetaData(), sa.Column("act", sa.Text, primary_key=True))

    def apply(conn, stored):
        conn.execute(table.insert().values(act=stored.event.act))

    rule = Projection(name="rule", tables=[table], apply=apply, types=["claim_recorded"])
    ledger.projections.add(rule)
    kit.world(ledger)
    kit.say(ledger, "C1")
    with pytest.raises(ProjectionFailed, match="rule v1"):
        kit.say(ledger, "C2")
    assert len(list(ledger.events())) == 6


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("nested", [False, True])
def test_one_that_ends_the_transaction_gives_nobody_a_receipt(ledger, kit, end, nested):
    def apply(conn, stored):
        if stored.type == "claim_recorded":
            getattr(conn, end)()

    ends = Projection(name="ends", apply=apply)
    ledger.projections.add(ends)
    kit.world(ledger)
    size = ledger.verify().size
    with contextlib.ExitStack() as stack:
        inside = ledger
        if nested:
            inside = Ledger(stack.enter_context(ledger._folded.bind.begin()))
            inside.projections.add(ends)
        told = r"ends ended the transaction.*Leave out its commit"
        with pytest.raises(ProjectionFailed, match=told):
            kit.say(inside, "C1")
    after = Ledger(ledger._folded.bind)
    assert after.verify().size == size + (end == "commit")


def first_of_each(conn, stored, table):
    """An act's first claim; the key refuses the others, which is passed over."""
    with contextlib.suppress(IntegrityError):
        conn.execute(table.insert().values(act=stored.event.act))


def firsts(**options):
    table = sa.Table("host_firsts", sa.MetaData(), sa.Column("act", sa.Text, primary_key=True))
    return Projection(
        name="firsts",
        tables=[table],
        types=["claim_recorded"],
        apply=lambda conn, stored: first_of_each(conn, stored, table),
        **options,
    )


@pytest.mark.parametrize("nested", [False, True])
def test_one_that_passes_over_an_error_has_no_receipt_for_what_it_undid(ledger, kit, nested):
    ledger.projections.add(firsts())
    kit.world(ledger)
    kit.say(ledger, "C1")
    on_sqlite = ledger._folded.bind.dialect.name == "sqlite"
    with contextlib.ExitStack() as stack:
        inside = ledger
        if nested:
            inside = Ledger(stack.enter_context(ledger._folded.bind.begin()))
            inside.projections.add(firsts())
        if on_sqlite:  # an error undoes its own statement alone
            kit.say(inside, "C2")
        else:
            told = r"firsts passed over an error of the database.*conn.begin_nested\(\)"
            with pytest.raises(ProjectionFailed, match=told):
                kit.say(inside, "C2")
            kit.say(inside, "C2", act="deny")  # and all goes on
    after = Ledger(ledger._folded.bind)
    assert after.claims().ids == ("C1", "C2")
    assert after.verify().size == 7


def test_a_run_parks_what_passes_over_an_error(ledger, kit):
    if ledger._folded.bind.dialect.name == "sqlite":
        pytest.skip("on SQLite an error undoes its own statement alone")
    ledger.projections.add(firsts(retries=0), mode="deferred")
    kit.world(ledger)
    kit.say(ledger, "C1", "C2", "C3")
    outcome = ledger.projections.run("firsts")
    assert (outcome.status, outcome.parked) == ("caught_up", 2)
    assert "passed over an error" in ledger.projections.parked("firsts")[0].reason
    with pytest.raises(ProjectionFailed, match="firsts passed over an error"):
        ledger.projections.retry("firsts", ledger.projections.parked("firsts")[0].sequence)


@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
def test_one_that_ends_the_transaction_in_words_of_its_own_gives_nobody_a_receipt(ledger, kit, end):
    def apply(conn, stored):
        if stored.type == "claim_recorded":
            conn.exec_driver_sql(end)

    ledger.projections.add(Projection(name="ends", apply=apply))
    kit.world(ledger)
    with pytest.raises(ProjectionFailed, match="ends ended the transaction"):
        kit.say(ledger, "C1")
    kept = ("C1",) if end == "COMMIT" else ()
    assert Ledger(ledger._folded.bind).claims().ids == kept


def test_a_savepoint_that_is_left_open_is_ended(ledger, kit):
    def apply(conn, stored):
        conn.begin_nested()
        if stored.type == "claim_recorded" and stored.event.key == "C2":
            raise ZeroDivisionError

    ledger.projections.add(Projection(name="open", apply=apply))
    kit.world(ledger)
    kit.say(ledger, "C1")
    with pytest.raises(ProjectionFailed, match="ZeroDivisionError"):
        kit.say(ledger, "C2")
    with ledger._folded.bind.begin() as conn:
        inside = Ledger(conn)
        inside.projections.add(Projection(name="open", apply=apply))
        kit.say(inside, "C3")
        with pytest.raises(ProjectionFailed, match="ZeroDivisionError"):
            kit.say(inside, "C2")
    assert Ledger(ledger._folded.bind).claims().ids == ("C1", "C3")


def test_what_fails_behind_an_error_that_was_passed_over_is_told_as_that(ledger, kit):
    if ledger._folded.bind.dialect.name == "sqlite":
        pytest.skip("on SQLite an error undoes its own statement alone")
    ledger.projections.add(firsts())
    kit.world(ledger)
    kit.say(ledger, "C1")
    two = [
        Claim(id=id_, claimant="board", act="assert", proposition="shut", uttered="2023")
        for id_ in ("C2", "C3")
    ]
    with pytest.raises(ProjectionFailed, match="firsts passed over an error"):
        ledger.record_all(two)


@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
def test_who_ends_a_hosts_transaction_is_named(ledger, kit, end):
    def apply(conn, _stored):
        conn.exec_driver_sql(end)

    ends = Projection(name="ends", apply=apply, types=["claim_recorded"])
    ledger.projections.add(ends)
    kit.world(ledger)
    engine = ledger._folded.bind
    with contextlib.suppress(DBAPIError), engine.begin() as conn:
        inside = Ledger(conn)
        inside.projections.add(ends)
        with pytest.raises(ProjectionFailed, match="ends ended the transaction"):
            kit.say(inside, "C1")


def test_one_that_records_is_refused_and_does_not_wait_for_itself(ledger, kit):
    def apply(_conn, stored):
        if stored.type == "claim_recorded":
            ledger.register(Party("echo", name="Echo"))

    ledger.projections.add(Projection(name="echo", apply=apply))
    kit.world(ledger)
    with pytest.raises(ProjectionFailed) as caught:
        kit.say(ledger, "C1")
    assert isinstance(caught.value.__cause__, InvalidProjection)
    assert "for event in ledger.follow()" in str(caught.value.__cause__)
    ledger.register(Party("mill", name="Mill"))
    assert ledger.verify().size == 6


@pytest.mark.timeout(20)
def test_one_that_records_with_other_threads_does_not_wait_for_itself(ledger):
    shared = ledger.grouped()
    echo = Party("echo", name="Echo")
    shared.projections.add(Projection(name="echo", apply=lambda *_: shared.register(echo)))
    with pytest.raises(ProjectionFailed, match="echo tried to record"):
        shared.register(Party("mill", name="Mill"))
    assert ledger.verify().size == 0


@pytest.mark.parametrize("end", ["flush", "commit"])
def test_one_that_records_in_a_session_is_refused_too(engine, end):
    with Session(engine) as session:
        ledger = Ledger(session)
        echo = Party("echo", name="Echo")
        ledger.projections.add(Projection(name="echo", apply=lambda *_: ledger.register(echo)))
        ledger.register(Party("mill", name="Mill"))
        with pytest.raises(ProjectionFailed, match="echo tried to record"):
            getattr(ledger if end == "flush" else session, end)()
        session.rollback()
    ledger = Ledger(engine)
    ledger.register(Party("mill", name="Mill"))
    assert [one.id for one in ledger.as_of().parties()] == ["mill"]


@pytest.mark.parametrize("end", ["flush", "commit"])
def test_one_may_ask_its_ledger_in_a_session_as_anywhere(engine, end):
    seen = []
    with Session(engine) as session:
        ledger = Ledger(session)
        ask = Projection(name="ask", apply=lambda *_: seen.append(len(ledger.as_of().parties())))
        ledger.projections.add(ask)
        ledger.register_all([Party("mill", name="Mill"), Party("board", name="Board")])
        getattr(ledger if end == "flush" else session, end)()
        ledger.register(Party("guild", name="Guild"))
        session.commit()
    assert seen == [2, 2, 3]
    assert Ledger(engine).verify().size == 3


def test_logs_of_one_database_may_begin_a_view_at_the_same_time(postgres_url, kit):
    engine = sa.create_engine(postgres_url)
    schema.upgrade(engine)

    def begun(bind, origin):
        ledger = Ledger(bind, origin=origin)
        ledger.projections.add(kit.claims(ledger.layout))
        return ledger.register(Party("board", name="Water Board")).stored

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as conn:
            assert begun(conn, "north") == "stored"
            other = threads.submit(begun, engine, "south")
            until(lambda: other.done() or waits(engine), "the other waits for the tables")
        assert other.result(60) == "stored"
    engine.dispose()


def waits(engine):
    """Whether a session of the database waits for a lock."""
    waiting = "wait_event_type = 'Lock' AND datname = current_database()"
    with engine.connect() as conn:
        return conn.scalar(sa.text(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}"))
