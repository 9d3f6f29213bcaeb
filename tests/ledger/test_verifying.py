"""A long log is verified by several processes, or on from where it was verified before."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import pytest
import sqlalchemy as sa

from ledger import Checkpoint, Ledger, Party, Topic
from ledger.errors import (
    ColumnMismatch,
    CommitmentMismatch,
    InconsistentCheckpoint,
    Invalid,
    LeafMismatch,
    MissingEntry,
    RootMismatch,
    StoreError,
)
from ledger.store import schema, spread


@pytest.fixture
def url(request, tmp_path):
    """A file; `indirect` with "postgres" a server, for each helper takes a second to come."""
    if getattr(request, "param", "sqlite") == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'claims.db'}"


@pytest.fixture
def small(monkeypatch):
    """Stretches of 256 events, so that a short log has several."""
    monkeypatch.setattr(spread, "STRETCH", 256)


@pytest.fixture
def long(url, small):
    """A log of 1,300 events in a database that others can open."""
    with Ledger.open(url) as ledger:
        ledger.register_all(Party(f"p{number}", name=f"P {number}") for number in range(1_300))
        ledger.name("p3", "Another name")
        yield ledger


def tamper(ledger, statement, **values):
    """Change the log as an administrator could, with the triggers out of the way and back again."""
    engine = ledger._folded.bind
    with engine.begin() as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(sa.text("ALTER TABLE ledger_event DISABLE TRIGGER ALL"))
            conn.execute(sa.text(statement), values)
            names = conn.scalars(
                sa.text(
                    "SELECT tgname FROM pg_trigger WHERE tgrelid = 'ledger_event'::regclass "
                    "AND NOT tgisinternal"
                )
            ).all()
            for name in names:
                conn.execute(sa.text(f"ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER {name}"))
            return
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        guards = conn.execute(sa.text(query)).all()
        for name, _ in guards:
            conn.execute(sa.text(f"DROP TRIGGER {name}"))
        conn.execute(sa.text(statement), values)
        for _, guard in guards:
            conn.exec_driver_sql(guard)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite", "postgres"], indirect=True)
def test_two_processes_find_what_one_finds(long):
    told: list[tuple[int, int]] = []
    kept, since = long.checkpoint(700), long.checkpoint(300)
    both = long.verify(kept, processes=2, progress=lambda *at: told.append(at))
    assert both == long.verify(kept)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (1_301, 1_301)
    assert long.verify(kept, since=since, processes=2) == long.verify(kept, since=since)


def test_the_first_of_what_is_wrong_is_named_by_several_processes_too(long):
    tamper(long, "UPDATE ledger_event SET stream_v = 7 WHERE seq IN (1100, 900, 300)")
    for processes in (1, 3):
        with pytest.raises(ColumnMismatch) as caught:
            long.verify(processes=processes)
        assert caught.value.sequence == 300


WHY: dict[str, Any] = {"reason": "asked for by the person", "authority": "privacy officer"}


def test_what_was_erased_is_explained_from_wherever_one_looks(long):
    since = long.checkpoint(600)
    long.erase("p20", **WHY)
    long.erase("p900", **WHY)
    long.erase("p3", slots="who", **WHY)
    assert long.verify().erased == 4
    assert long.verify(processes=2).erased == 4
    assert long.verify(since=since).erased == 2
    assert long.verify(contents=False).erased == 0
    assert long.verify(since=long.checkpoint()).erased == 0
    assert str(long.verify(since, since=since)).endswith(
        "2 slots lawfully erased, continues the checkpoint at 600 (705 events after it), looked at "
        "from 600 on"
    )


def test_a_hole_that_nothing_explains_comes_first_by_several_processes_too(long):
    long.erase("p20", **WHY)
    tamper(long, "UPDATE ledger_event SET slot_who = NULL WHERE seq = 30")
    tamper(long, "UPDATE ledger_event SET stream_v = 7 WHERE seq = 900")
    for processes in (1, 2):
        with pytest.raises(CommitmentMismatch, match="no erasure says why") as caught:
            long.verify(processes=processes)
        assert caught.value.sequence == 30
    assert long.verify(since=long.checkpoint(1_000)).size == 1_302


def test_a_slot_that_was_put_back_is_found_from_after_it_too(long):
    query = sa.text("SELECT slot_who FROM ledger_event WHERE seq = 20")
    with long._folded.bind.connect() as conn:
        before = conn.scalar(query)
    since = long.checkpoint(600)
    long.erase("p20", **WHY)
    tamper(long, "UPDATE ledger_event SET slot_who = :slot WHERE seq = 20", slot=before)
    for options in ({}, {"since": since}, {"processes": 2}):
        with pytest.raises(CommitmentMismatch, match="it was put back") as caught:
            long.verify(**options)
        assert caught.value.sequence == 20


@pytest.mark.parametrize(
    "statement, error, sequence",
    [
        ("UPDATE ledger_event SET entry = entry || ' ' WHERE seq = 520", LeafMismatch, 520),
        ("DELETE FROM ledger_event WHERE seq = 522", MissingEntry, 522),
    ],
)
def test_a_helper_tells_the_same_as_who_looks_alone(long, statement, error, sequence):
    tamper(long, statement)
    messages = set()
    for processes in (1, 2):
        with pytest.raises(error) as caught:
            long.verify(processes=processes)
        assert caught.value.sequence == sequence
        messages.add(caught.value.message.split("missing")[0])
    assert len(messages) == 1 or error is MissingEntry


def test_where_others_cannot_look_one_process_is_wanted(long):
    with Ledger.open(":memory:") as ledger, pytest.raises(Invalid, match="database in memory"):
        ledger.verify(processes=2)
    with (
        long._folded.bind.connect() as conn,
        pytest.raises(Invalid, match="nor what a host's connection sees"),
    ):
        Ledger(conn).verify(processes=2)
    with pytest.raises(Invalid, match="one process or more, not by 0"):
        long.verify(processes=0)


@pytest.mark.parametrize("name", ["file:shared?mode=memory&", "file::memory:?"])
def test_a_database_in_memory_that_connections_share_is_seen_by_no_other_process(name):
    engine = sa.create_engine(f"sqlite:///{name}cache=shared&uri=true", poolclass=sa.QueuePool)
    with engine.connect():  # it lasts as long as one of them
        schema.upgrade(engine)
        with pytest.raises(Invalid, match="database in memory"):
            Ledger(engine).verify(processes=2)
    engine.dispose()


def test_a_helper_that_ends_is_told(long, monkeypatch):
    monkeypatch.setattr(spread, "_CHILD", "raise SystemExit")
    with pytest.raises(StoreError, match="Verify again with one process"):
        long.verify(processes=2)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(StoreError, match="Verify again with one process"):
        long.verify(processes=2)


# -- from where it was verified before ----------------------------------------------------------


@pytest.fixture
def grown(engine):
    ledger = Ledger(engine)
    ledger.register_all(Party(f"p{number}", name=f"P {number}") for number in range(600))
    ledger.amend("p3", name="P three", reason="spelt out")
    return ledger


@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, 599, 601])
def test_it_goes_on_from_where_it_was_verified(grown, size):
    told: list[int] = []
    since = grown.checkpoint(size)
    found = grown.verify(
        grown.checkpoint(100), since=since, progress=lambda done, _: told.append(done)
    )
    assert (found.size, found.since, found.checkpoint) == (601, size, 100)
    assert found.root == grown.verify().root
    assert told == ([601] if size < 601 else [])


def test_what_is_new_is_looked_at_and_what_is_old_is_taken_at_its_word(grown):
    since = grown.checkpoint(500)
    tamper(grown, "UPDATE ledger_event SET stream = 'x' WHERE seq = 300")
    assert grown.verify(since=since).size == 601
    with pytest.raises(ColumnMismatch):
        grown.verify()
    tamper(grown, "UPDATE ledger_event SET stream = 'x' WHERE seq = 520")
    with pytest.raises(ColumnMismatch) as caught:
        grown.verify(since=since)
    assert caught.value.sequence == 520


def test_the_tree_below_must_still_lead_to_where_it_was_verified(grown):
    since = grown.checkpoint(500)
    with pytest.raises(RootMismatch):
        grown.verify(since=Checkpoint(since.origin, since.size, bytes(32)))
    with pytest.raises(InconsistentCheckpoint, match="its end was cut off"):
        grown.verify(since=Checkpoint(since.origin, 602, bytes(32)))
    tamper(grown, "UPDATE ledger_event SET leaf_hash = :other WHERE seq = 499", other=bytes(32))
    with pytest.raises(RootMismatch):
        grown.verify(since=since)


def test_the_tree_alone_is_looked_at_if_that_is_wanted(grown):
    whole = grown.verify()
    assert grown.verify(contents=False) == whole
    tamper(grown, "UPDATE ledger_event SET slot_who = NULL WHERE seq = 300")
    assert grown.verify(contents=False) == whole
    tamper(grown, "UPDATE ledger_event SET entry = entry || ' ' WHERE seq = 300")
    with pytest.raises(LeafMismatch) as caught:
        grown.verify(contents=False)
    assert caught.value.sequence == 300
    tamper(grown, "DELETE FROM ledger_event WHERE seq = 200")
    with pytest.raises(MissingEntry, match="sequence 200 is missing"):
        grown.verify(contents=False)


def test_more_processes_than_there_is_work_for_are_not_waited_for(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.register(Topic("weir", label="The weir"))
        assert ledger.verify(processes=10**18).size == 1


def test_a_clock_that_was_ahead_is_told_of_for_as_long_as_it_is():
    now = dt.datetime(2024, 3, 4, 12, tzinfo=dt.UTC)
    with Ledger.open(":memory:", clock=lambda: now) as ledger:
        ledger.register(Party("board", name="Board"))
        assert ledger.verify().clock is None
        now = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
        ledger.register(Party("council", name="Council"))
        now = dt.datetime(2024, 3, 5, tzinfo=dt.UTC)
        ledger.register(Party("office", name="Office"))
        told = ledger.verify()
        assert told.clock == now
        assert (
            "The last entry is dated 2099-01-01T00:00:00Z, and the clock here says "
            "2024-03-05T00:00:00Z: one of the two is wrong." in str(told)
        )
        assert [one.id for one in ledger.as_of(known=2).parties()] == ["board", "council", "office"]
        now = dt.datetime(2098, 12, 31, 23, 59, tzinfo=dt.UTC)
        assert ledger.verify().clock is None
