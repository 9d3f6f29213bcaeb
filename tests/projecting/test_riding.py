"""On PostgreSQL what the ledger's own views write goes with the append, as one statement."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from ledger import Claim, Ledger
from ledger.errors import AlreadyRecorded, WrongExpectedVersion
from ledger.model.events import NewEvent
from ledger.projecting import cells, claims
from ledger.store import schema
from ledger.store.riding import CannotRide, Riding

VIEWS = ("claims", "cells")


def with_views(engine, kit):
    ledger = Ledger(engine)
    ledger.projections.add(claims(ledger.layout))
    ledger.projections.add(cells(ledger.layout))
    return ledger


@pytest.fixture
def engine(postgres_url):
    made = sa.create_engine(postgres_url)
    schema.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def ledger(engine, kit):
    """A ledger with both views, and the small world."""
    ledger = with_views(engine, kit)
    kit.world(ledger)
    ledger.projections.ready()
    kit.say(ledger, *(f"B{n}" for n in range(40)))  # patience, after the views were begun
    return ledger


@pytest.fixture
def statements(engine):
    """What is executed from here on."""
    heard = []
    sa.event.listen(
        engine, "before_cursor_execute", lambda *given: heard.append(" ".join(given[2].split()))
    )
    return heard


def all_is_well(ledger):
    assert [ledger.projections.check(name).ok for name in VIEWS] == [True, True]
    assert ledger.verify()
    size = ledger.checkpoint().size
    assert [ledger.projections.served(name).position for name in VIEWS] == [size, size]


@pytest.mark.parametrize("many", [1, 2, 60])
def test_an_append_with_its_views_is_one_statement(ledger, kit, statements, many):
    ledger.record_all(
        Claim(id=f"C{n}", claimant="board", act="assert", proposition="shut", uttered="2023-02-01")
        for n in range(many)
    )
    (one,) = [text for text in statements if "INSERT INTO ledger_event" in text]
    assert "INSERT INTO ledger_v1_claim" in one
    assert "INSERT INTO ledger_v4_cell" in one
    assert not [text for text in statements if "ledger_v1_claim" in text and text is not one]
    all_is_well(ledger)


@pytest.mark.parametrize("many", [1, 2])
def test_puts_that_follow_one_another_are_one_statement_each(ledger, statements, many):
    said = next(one for one in ledger.events() if one.type == "claim_recorded").event
    for turn in range(3):
        ids = [f"put-{turn}-{n}" for n in range(many)]
        del statements[:]
        ledger.appender.put(NewEvent(id=one, stream=one, stream_v=0, event=said) for one in ids)
    (one,) = [text for text in statements if "INSERT INTO" in text]
    assert "INSERT INTO ledger_event" in one
    assert "INSERT INTO ledger_v4_cell" in one
    all_is_well(ledger)


def test_what_is_no_new_row_goes_the_longer_way(ledger, kit, statements):
    (said,) = kit.say(ledger, "C1")
    ledger.withdraw(said.id, claimant="board", uttered="2023-03-01")
    ledger.amend("B1", reason="a slip", act="deny", stance="opposes")
    assert any("UPDATE ledger_v1_claim" in text for text in statements)
    all_is_well(ledger)


def test_what_is_refused_leaves_the_views_as_they_were(ledger, kit, statements):
    stored = next(one for one in ledger.events() if one.type == "claim_recorded")
    before = len(kit.rows(ledger, "claims"))
    again = NewEvent(id=stored.id, stream="another", stream_v=0, event=stored.event)
    astray = NewEvent(id="fresh", stream="another", stream_v=7, event=stored.event)
    fine = NewEvent(id="fine", stream="fine", stream_v=0, event=stored.event)
    ledger.appender.put([fine])
    with pytest.raises(AlreadyRecorded):
        ledger.appender.put([again])
    ledger.appender.put([NewEvent(id="x", stream="x", stream_v=0, event=stored.event)])
    with pytest.raises(WrongExpectedVersion):
        ledger.appender.put([astray])
    assert len(kit.rows(ledger, "claims")) == before + 2
    all_is_well(ledger)


@pytest.mark.parametrize("rebuilt", [("claims",), ("cells",), VIEWS])
def test_a_view_that_was_rebuilt_meanwhile_is_found_and_the_old_one_left(
    ledger, engine, kit, statements, rebuilt
):
    other = with_views(engine, kit)
    for name in rebuilt:
        assert other.projections.rebuild(name).switched
    kit.say(ledger, "C1", "C2")
    builds = [ledger.projections.served(name).build for name in VIEWS]
    assert builds == [int(name in rebuilt) for name in VIEWS]
    kit.say(ledger, *(f"D{n}" for n in range(40)))  # patience
    assert "INSERT INTO ledger_v4_cell" in statements[-1]  # and rides again
    all_is_well(ledger)


def test_a_view_added_late_is_begun_and_rides_from_then_on(engine, kit, statements):
    kit.world(Ledger(engine))
    ledger = with_views(engine, kit)
    kit.say(ledger, *(f"C{n}" for n in range(40)))
    written = [text for text in statements if "INSERT INTO ledger_event" in text]
    assert "ledger_v1_claim" in written[-1]
    all_is_well(ledger)


def test_writers_who_race_leave_views_without_a_hole(engine, kit):
    kit.world(with_views(engine, kit))

    def write(who):
        ledger = with_views(engine, kit)
        for turn in range(30):
            kit.say(ledger, *(f"{who}-{turn}-{n}" for n in range(1 + turn % 3)))

    threads = [threading.Thread(target=write, args=(who,)) for who in "abc"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    ledger = with_views(engine, kit)
    assert ledger.checkpoint().size == 5 + 3 * 60
    all_is_well(ledger)


def test_in_a_hosts_transaction_it_rides_and_is_rolled_back_with_it(
    ledger, engine, kit, statements
):
    before = len(kit.rows(ledger, "claims"))
    with engine.connect() as conn:
        inside = with_views(conn, kit)
        kit.say(inside, *(f"C{n}" for n in range(20)))
        assert len(kit.rows(inside, "claims")) == before + 20
        conn.rollback()
    written = [text for text in statements if "INSERT INTO ledger_event" in text]
    assert "ledger_v1_claim" in written[-1]
    assert len(kit.rows(ledger, "claims")) == before
    kit.say(ledger, "C1")
    all_is_well(ledger)


def test_nothing_but_rows_for_an_append_rides(engine):
    rides = Riding(engine, engine.connect)
    for statement in ("DELETE FROM t WHERE a = ?", "INSERT INTO t (a) VALUES (?)"):
        with pytest.raises(CannotRide):
            rides.add(statement, (1,))
    with pytest.raises(CannotRide):
        rides.execute(sa.text("SELECT 1"))
    rides = Riding(engine, engine.connect)
    rides.add("UPDATE t SET a = ? WHERE b = CAST(? AS bigint)", (1, 2))
    rides.add("INSERT INTO t (a) SELECT x FROM unnest(CAST(? AS text[])) AS x", (["a"],))
    update, insert = rides.texts
    assert update == (
        "UPDATE t SET a = $ride_0 WHERE b = CAST($ride_1 AS bigint) "
        "AND EXISTS (SELECT FROM head) RETURNING 1"
    )
    assert (
        insert == "INSERT INTO t (a) SELECT x FROM unnest((SELECT $ride_2::text[] FROM head)) AS x"
    )
