"""Several at once: threads on one ledger, two ledgers on one database."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party
from ledger.errors import AlreadyRecorded
from ledger.store import engines, schema

THREADS, EACH = 8, 6


@pytest.fixture
def pair(database, clock, fill):
    """Two ledgers on one database, each with its own engine; in memory they share it."""
    first = engines.engine_for(database)
    schema.upgrade(first)
    second = first if database == "sqlite://" else engines.engine_for(database)
    fill(Ledger(first, clock=clock))
    yield Ledger(first, clock=clock), Ledger(second, clock=clock)
    first.dispose()
    second.dispose()


def say(ledger, id_):
    return ledger.record(id=id_, claimant="board", act="assert", proposition="bridge-open")


def together(tasks):
    """Run the tasks, each in a thread; what they return, or the error that came of them."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def check_log(ledger, size):
    stored = list(ledger.events())
    assert [one.sequence for one in stored] == list(range(size))
    assert [one.recorded for one in stored] == sorted(one.recorded for one in stored)
    assert ledger.verify().size == size


def writer(ledger, name):
    return lambda: [say(ledger, f"{name}-{number}") for number in range(EACH)]


def all_of(lists):
    return [one for each in lists for one in each]


def names(writers):
    return {f"{writer}-{number}" for writer in range(writers) for number in range(EACH)}


def test_threads_share_a_ledger(ledger, fill):
    start = fill(ledger).checkpoint().size
    receipts = all_of(together([writer(ledger, name) for name in range(THREADS)]))
    assert {one.id for one in receipts} == names(THREADS)
    places = sorted(place for one in receipts for place in one.sequences)
    assert places == list(range(start, start + THREADS * EACH))
    assert set(ledger.claims().ids) == names(THREADS)
    check_log(ledger, start + THREADS * EACH)


def test_a_thread_that_only_asks_sees_whole_appends_and_never_fewer(ledger, fill):
    start = fill(ledger).checkpoint().size

    def ask():
        views = [ledger.as_of() for _ in range(20)]
        return [(view.basis - start, len(view.claims())) for view in views]

    *_, asked = together([*(writer(ledger, name) for name in range(3)), ask])
    assert asked == sorted(asked)
    assert [many for many, claims in asked if many != claims] == []


def test_two_ledgers_on_one_database_take_turns(pair):
    one, other = pair
    one.register(Party("guest", name="Guest"))
    for number in range(3):
        by, on = (one, other) if number % 2 else (other, one)
        by.record(id=f"c{number}", claimant="guest", act="assert", proposition="bridge-open")
        assert on.trace(f"c{number}").claimant == ("guest",)
        assert on.claims().ids == by.claims().ids
        assert on.checkpoint() == by.checkpoint()
    again = say(other, "mine"), say(one, "mine")
    assert [each.stored for each in again] == ["stored", "already_stored"]
    assert again[0].sequences == again[1].sequences
    check_log(one, other.checkpoint().size)


def test_threads_on_two_ledgers_see_what_both_wrote(pair):
    start = pair[0].checkpoint().size
    receipts = all_of(together([writer(pair[name % 2], name) for name in range(THREADS)]))
    assert {one.id for one in receipts} == names(THREADS)
    for ledger in pair:
        assert set(ledger.claims().ids) == names(THREADS)
        check_log(ledger, start + THREADS * EACH)
    assert list(pair[0].events()) == list(pair[1].events())


def test_of_many_that_enter_the_same_record_one_stores_it(pair):
    start = pair[0].checkpoint().size
    receipts = together([lambda it=pair[n % 2]: say(it, "same") for n in range(THREADS)])
    assert sorted(one.stored for one in receipts).count("stored") == 1
    assert len({one.ledger_id for one in receipts}) == 1
    check_log(pair[1], start + 1)


def test_of_many_that_take_one_id_for_different_things_one_gets_it(pair):
    start = pair[0].checkpoint().size

    def enter(ledger, name):
        try:
            return ledger.register(Party("guest", name=name)).stored
        except AlreadyRecorded as error:
            return error.sequence

    found = together([lambda n=n: enter(pair[n % 2], f"Guest {n}") for n in range(THREADS)])
    assert found.count("stored") == 1
    assert found.count(start) == THREADS - 1
    assert {ledger.as_of().resolve("guest") for ledger in pair} == {"guest"}
    check_log(pair[0], pair[1].checkpoint().size)


def test_a_reader_that_a_commit_keeps_out_holds_nobody_up(tmp_path, fill):
    """Without a write-ahead log: the commit waits for readers, and keeps new ones out."""
    path = tmp_path / "host.db"
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    schema.upgrade(engine)
    ledger = Ledger(engine)
    fill(ledger)
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE story (slug TEXT)")
    view = ledger.as_of()
    known = len(view.parties())

    def commit():
        writer = sqlite3.connect(path, timeout=30)
        writer.execute("INSERT INTO story VALUES ('a')")
        begun.set()
        writer.commit()
        writer.close()

    begun = threading.Event()
    lock: Any = ledger._folded.fold.lock
    with ThreadPoolExecutor(2) as pool:
        with engine.connect() as reader:
            reader.exec_driver_sql("BEGIN")
            assert reader.exec_driver_sql("SELECT count(*) FROM story").scalar() == 0
            committing = pool.submit(commit)
            assert begun.wait(10)
            kept_out(path)
            asking = pool.submit(lambda: len(view.parties()))
            for _ in range(50):  # whoever asks now may wait for the commit, and holds no lock
                assert lock.acquire(timeout=5)
                lock.release()
                assert not asking.done()
                threading.Event().wait(0.01)
        assert asking.result(30) == known
        committing.result(30)
    engine.dispose()


def kept_out(path):
    """Wait until a commit that waits for readers keeps new ones out."""
    for _ in range(1_000):
        with sqlite3.connect(path, timeout=0) as new:
            try:
                new.execute("SELECT 1 FROM story").fetchall()
            except sqlite3.OperationalError:
                return
        threading.Event().wait(0.01)
    raise AssertionError("nobody was kept out")
