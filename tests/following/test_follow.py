"""Following a log: every event once, in order, whatever happens between looking and waiting."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party
from ledger.aio import AsyncLedger
from ledger.errors import Invalid, MissingEntry, StoreError
from ledger.store import follow as waking
from ledger.store import schema

NEVER = 600.0
"""Seconds between two looks, where a test must not be saved by the next look."""

WRITER = """
import sys
from ledger import Ledger, Party
with Ledger.open(sys.argv[1]) as ledger:
    for number in range(int(sys.argv[2])):
        ledger.register(Party(f"child-{number}", name="Somebody", kind="state"))
"""


@pytest.fixture
def two(shared_database):
    """Two ledgers on one database, with engines of their own."""
    with Ledger.open(shared_database) as one, Ledger.open(shared_database) as other:
        yield one, other


def test_a_follower_reads_what_is_there_and_then_what_comes(ledger, register, followed):
    register(ledger, 3)
    with followed(ledger) as follower:
        follower.until_seen(0, 1, 2)
        register(ledger, 2)
        follower.until_seen(0, 1, 2, 3, 4)


def test_a_follower_goes_on_where_it_was(ledger, register, followed):
    register(ledger, 4)
    with followed(ledger, after=1) as follower:
        follower.until_seen(2, 3)


def test_a_follower_may_come_before_the_first_event(two, register, followed):
    reader, writer = two
    with followed(reader) as follower:
        follower.until_idle(-1)
        register(writer, 2)
        follower.until_seen(0, 1)


@pytest.mark.parametrize("step", ["arm", "wait"])
def test_an_event_committed_between_looking_and_waiting_is_not_lost(
    two, register, followed, monkeypatch, step
):
    """Nothing but the order of steps helps: the next look would be in ten minutes."""
    reader, writer = two
    register(writer)
    watcher = type(waking._waiter(reader._folded.bind, reader.layout))
    original = getattr(watcher, step)
    windows: list[str] = []

    def widened(self, *args):
        if len(windows) < 3:
            windows.append(step)
            register(writer)
        return original(self, *args)

    monkeypatch.setattr(watcher, step, widened)
    monkeypatch.setattr("ledger.store.ways.wake", lambda engine: None)
    with followed(reader, poll=NEVER) as follower:
        follower.until_seen(0, 1, 2, 3)


def test_events_of_another_process_come_once_each_and_in_order(two, followed, shared_database):
    reader, _ = two
    with followed(reader, poll=NEVER) as follower:
        subprocess.run([sys.executable, "-c", WRITER, shared_database, "25"], check=True)
        follower.until_seen(*range(25))


def test_a_commit_wakes_a_follower_long_before_its_next_look(two, register, followed):
    reader, writer = two
    register(writer)
    with followed(reader, poll=NEVER) as follower:
        for sequence in range(1, 6):
            follower.until_idle(sequence - 1)
            register(writer)
            follower.until_seen(*range(sequence + 1))


def test_a_commit_that_nobody_tells_of_is_found_at_the_next_look(
    two, register, followed, monkeypatch
):
    reader, writer = two
    register(writer)
    monkeypatch.setattr("ledger.store.ways.wake", lambda engine: None)
    monkeypatch.setattr("ledger.store.follow.channel", lambda layout, log_id: "silence")
    monkeypatch.setattr("ledger.store.follow._FileWatcher.changed", lambda self: False)
    with followed(reader, poll=0.05) as follower:
        follower.until_idle(0)
        register(writer)
        follower.until_seen(0, 1)


def test_what_is_rolled_back_is_never_seen(two, register, followed):
    reader, writer = two
    register(writer)
    with followed(reader, poll=0.05) as follower:
        follower.until_seen(0)
        with writer._folded.bind.connect() as conn:
            register(Ledger(conn), 3)
            conn.rollback()
        looks = len(follower.idle_at)
        follower.until(lambda: len(follower.idle_at) > looks + 1)
        register(writer)
        follower.until_seen(0, 1)


def test_a_follower_that_waits_stops_when_it_is_told(ledger, register, followed):
    register(ledger)
    with followed(ledger, poll=NEVER) as follower:
        follower.until_idle(0)
        follower.stop()
    assert follower.seen == [0]


def test_a_follower_stops_between_two_events(ledger, register):
    register(ledger, 5)
    seen: list[int] = []
    events = ledger.follow(stop=lambda: len(seen) == 2)
    seen.extend(event.sequence for event in events)
    assert seen == [0, 1]


def test_a_caller_may_write_while_it_follows(ledger, register):
    register(ledger)
    seen: list[int] = []
    for event in ledger.follow(stop=lambda: len(seen) == 5):
        seen.append(event.sequence)
        register(ledger)
    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("pool", [sa.NullPool, sa.QueuePool])
def test_no_connection_of_the_pool_is_held_while_the_caller_works(shared_database, register, pool):
    one = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 5}
    options = one if pool is sa.QueuePool else {}
    engine = sa.create_engine(shared_database, poolclass=pool, **options)
    schema.upgrade(engine)
    ledger = Ledger(engine)
    register(ledger, 2)
    events = ledger.follow(stop=None)
    with engine.connect():
        pass
    assert next(events).sequence == 0
    with engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT size FROM ledger_log")) == 2
    assert [next(events).sequence for _ in range(1)] == [1]
    register(ledger)
    assert next(events).sequence == 2
    with engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT size FROM ledger_log")) == 3
    events.close()
    engine.dispose()


def test_nothing_stays_open_when_a_follower_is_closed(two, register):
    reader, writer = two
    threads = threading.active_count()
    register(writer)
    events = reader.follow(poll=0.01)
    next(events)
    register(writer)
    next(events)
    events.close()
    assert threading.active_count() == threads
    assert reader._folded.bind.pool.checkedout() == 0
    assert reader._folded.bind.engine.url not in waking._signals  # others' may wait for collection


def test_a_ledger_in_a_hosts_transaction_refuses_to_wait(ledger):
    with ledger._folded.bind.connect() as conn:
        joined = Ledger(conn)
        with pytest.raises(StoreError, match="would stay open meanwhile"):
            joined.follow()
        with pytest.raises(StoreError, match="would stay open meanwhile"):
            joined.wait_for(0)


def test_a_log_shorter_than_what_was_read_is_no_log_to_go_on_with(ledger, register):
    register(ledger, 2)
    with pytest.raises(MissingEntry, match="restored from an older copy") as caught:
        next(ledger.follow(after=2))
    assert caught.value.sequence == 2


def test_a_follower_of_some_types_tells_how_far_it_has_looked(ledger, register, followed):
    register(ledger, 3)
    with followed(ledger, types="claim_recorded", poll=0.05) as follower:
        follower.until_idle(2)
        register(ledger, 2)
        follower.until_idle(4)
    assert follower.seen == []


def test_a_follower_of_a_stream_sees_that_stream_only(ledger, followed):
    kept = ledger.register(Party("az", name="Azerbaijan", kind="state"))
    ledger.register(Party("ru", name="Russia", kind="state"))
    with followed(ledger, stream=kept.ledger_id) as follower:
        follower.until_seen(0)
        ledger.name("ru", "Moscow")
        ledger.name("az", "Baku")
        follower.until_seen(0, 3)


class TestPostgres:
    """What only a server can do to a follower."""

    def test_a_listener_that_is_killed_loses_and_repeats_nothing(
        self, postgres_ledger, postgres_url, register, followed, listeners
    ):
        register(postgres_ledger)
        with Ledger.open(postgres_url) as writer:
            with followed(postgres_ledger, poll=0.5) as follower:
                for round_ in range(3):
                    follower.until(lambda: bool(listening(listeners)))
                    (victim,) = listening(listeners)
                    terminate(postgres_url, victim)
                    register(writer, 3)
                    follower.until_seen(*range(1 + 3 * (round_ + 1)))
            assert not eventually_gone(listeners)

    def test_a_follower_outlasts_the_loss_of_every_connection(
        self, postgres_ledger, postgres_url, register, followed
    ):
        register(postgres_ledger)
        with Ledger.open(postgres_url) as writer:
            with followed(postgres_ledger, poll=0.1) as follower:
                follower.until_seen(0)
                terminate(postgres_url, None)
                register(Ledger(sa.create_engine(postgres_url, poolclass=sa.NullPool)), 2)
                follower.until_seen(0, 1, 2)
            assert writer.layout == postgres_ledger.layout

    def test_who_waits_outlasts_it_too(self, postgres_ledger, postgres_url, register):
        register(postgres_ledger)
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(postgres_ledger.wait_for, 1, poll=0.1)
            time.sleep(0.3)
            terminate(postgres_url, None)
            register(Ledger(sa.create_engine(postgres_url, poolclass=sa.NullPool)))
            assert coming.result(10)

    def test_nothing_is_held_on_the_server_while_the_caller_works(
        self, postgres_ledger, postgres_url, register, listeners
    ):
        register(postgres_ledger)
        events = postgres_ledger.follow(poll=0.05)
        assert next(events).sequence == 0
        register(postgres_ledger)
        assert next(events).sequence == 1
        assert [query for _, _, query in listeners() if not query.startswith("UNLISTEN")] == []
        assert states(postgres_url) <= {"idle", None}
        events.close()

    def test_the_listener_goes_with_the_follower(self, postgres_ledger, register, listeners):
        register(postgres_ledger)
        seen: list[int] = []
        events = postgres_ledger.follow(poll=0.01, stop=lambda: len(seen) > 0, idle=seen.append)
        assert next(events).sequence == 0
        assert next(events, None) is None
        assert seen == [0]
        assert not eventually_gone(listeners)


def listening(listeners) -> list[int]:
    return [pid for pid, _, query in listeners() if query.startswith("LISTEN")]


def eventually_gone(listeners) -> list[tuple[int, str, str]]:
    """Who is still there after a while: a server takes a moment to see that a client has left."""
    left = listeners()
    for _ in range(100):
        if not left:
            break
        time.sleep(0.05)
        left = listeners()
    return left


def terminate(url: str, pid: int | None) -> None:
    """End a connection of this database, or every one but our own."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND datname = current_database() AND (:one = -1 OR pid = :one)"
            ),
            {"one": -1 if pid is None else pid},
        )


def states(url: str) -> set[str | None]:
    """What the other connections of this database are doing."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as conn:
        return set(
            conn.scalars(
                sa.text(
                    "SELECT state FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        )


@pytest.mark.parametrize("kind", ["event", "function"])
def test_either_kind_of_stop_ends_it(ledger, register, kind):
    register(ledger, 3)
    stop = threading.Event()
    seen = []
    for event in ledger.follow(stop=stop if kind == "event" else stop.is_set):
        seen.append(event.sequence)
        if len(seen) == 2:
            stop.set()
    assert seen == [0, 1]
    with pytest.raises(Invalid, match="'now' cannot be asked whether to stop"):
        next(ledger.follow(stop="now"))


@pytest.mark.parametrize("stop", [threading.Event, asyncio.Event], ids=["threads", "tasks"])
def test_either_kind_of_event_ends_an_asynchronous_one(shared_database, stop):
    async def work():
        async with await AsyncLedger.open(shared_database) as ledger:
            for key in "abc":
                await ledger.register(Party(key, name=key))
            told = stop()
            async for event in ledger.follow(stop=told, poll=0.01):
                if event.sequence == 1:
                    told.set()
            return event.sequence

    assert asyncio.run(work()) == 1
