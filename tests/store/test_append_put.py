"""Onto a known head, or wherever the log stands: what is refused, and what is then left."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import threading

import attrs
import pytest
from sqlalchemy import func, select, text

from ledger.errors import AlreadyRecorded, HeadMoved, WrongExpectedVersion
from ledger.store import read, transaction
from ledger.store.append import append, lock_head, put

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def put_into(engine, tables, drafts, origin="default"):
    with transaction.writing(engine, once=True) as conn:
        return put(conn, tables, origin, drafts)


def append_onto(engine, tables, head, drafts):
    with transaction.writing(engine, once=True) as conn:
        return append(conn, tables, head, drafts)


def head_of(engine, tables, origin="default"):
    with transaction.reading(engine) as conn:
        return read.head(conn, tables, origin)


def rows_of(engine, tables, origin="default"):
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, origin)
        return [] if head is None else list(read.rows(conn, tables, head.log_id))


def counted(engine, tables):
    with transaction.reading(engine) as conn:
        return tuple(
            conn.scalar(select(func.count()).select_from(table))
            for table in (tables.event, tables.stream)
        )


def test_a_head_that_was_read_can_be_appended_to_without_a_lock(engine, tables, drafts):
    first = drafts(2)
    put_into(engine, tables, first)
    head = head_of(engine, tables)
    assert (head.size, head.leaf) == (2, first[-1].leaf_hash)
    done = append_onto(engine, tables, head, drafts(3))
    assert (done.log_id, done.first, done.size) == (head.log_id, 2, 5)
    assert [row.seq for row in rows_of(engine, tables)] == [*range(5)]


def test_a_locked_head_says_what_a_read_one_says(engine, tables, drafts):
    with transaction.writing(engine) as conn:
        new = lock_head(conn, tables, "default")
    assert (new.size, new.known_at, new.leaf) == (0, None, b"")
    put_into(engine, tables, drafts(2))
    with transaction.writing(engine) as conn:
        assert lock_head(conn, tables, "default") == head_of(engine, tables)


def test_a_head_that_moved_is_refused_with_both_sizes(engine, tables, drafts):
    put_into(engine, tables, drafts(1))
    head = head_of(engine, tables)
    put_into(engine, tables, drafts(2))
    with pytest.raises(HeadMoved, match="expected to hold 1 events, but it holds 3") as caught:
        append_onto(engine, tables, head, drafts(4))
    assert (caught.value.expected, caught.value.actual) == (1, 3)
    assert counted(engine, tables) == (3, 3)


def test_a_head_with_another_last_leaf_is_refused(engine, tables, drafts):
    put_into(engine, tables, drafts(2))
    other = attrs.evolve(head_of(engine, tables), leaf=bytes(32))
    with pytest.raises(HeadMoved, match="its last event is another") as caught:
        append_onto(engine, tables, other, drafts(1))
    assert (caught.value.expected, caught.value.actual) == (2, 2)
    assert counted(engine, tables) == (2, 2)


def test_a_head_of_a_log_that_was_rolled_back_is_refused(engine, tables, drafts):
    with engine.connect() as conn:
        with transaction.writing(conn):
            head = lock_head(conn, tables, "default")
        conn.rollback()
    with pytest.raises(HeadMoved):
        append_onto(engine, tables, attrs.evolve(head, size=7, leaf=bytes(32)), drafts(1))
    assert counted(engine, tables) == (0, 0)


def test_after_a_moved_head_the_hosts_transaction_goes_on(engine, tables, drafts):
    put_into(engine, tables, drafts(1))
    head = head_of(engine, tables)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))
        with transaction.writing(conn) as joined:
            append(joined, tables, head, drafts(1))
        with pytest.raises(HeadMoved), transaction.writing(conn) as joined:
            append(joined, tables, head, drafts(1))
        with transaction.writing(conn) as joined:
            put(joined, tables, "default", drafts(1))
        conn.execute(text("INSERT INTO host_note VALUES ('said')"))
    assert counted(engine, tables) == (3, 3)


def test_put_makes_the_log_and_goes_on_where_it_stands(engine, tables, drafts):
    one = put_into(engine, tables, drafts(2))
    two = put_into(engine, tables, drafts(1))
    assert (one.first, one.size, two.first, two.size) == (0, 2, 2, 3)
    assert one.log_id == two.log_id
    assert put_into(engine, tables, []) == attrs.evolve(two, first=3, known=())


def test_put_takes_streams_in_any_order_new_and_old(engine, tables, drafts):
    chance = random.Random(11)
    versions: dict[str, int] = {}
    given = []
    for _ in range(12):
        part = []
        for _ in range(chance.randrange(1, 9)):
            stream = chance.choice("abcdefgh")
            version = versions[stream] = versions.get(stream, -1) + 1
            part += drafts(1, stream=stream, version=version)
        put_into(engine, tables, part)
        given += part
    assert [row.entry for row in rows_of(engine, tables)] == [draft.entry for draft in given]
    with transaction.reading(engine) as conn:
        heads = conn.execute(select(tables.stream.c.stream, tables.stream.c.version)).all()
    assert dict(map(tuple, heads)) == versions


@pytest.mark.parametrize("told", [("s", -1, 1), ("s", 0, 1), ("s", 2, 1), ("new", 0, -1)])
def test_put_refuses_a_stream_that_is_elsewhere_with_its_version(engine, tables, drafts, told):
    stream, expected, _ = told
    put_into(engine, tables, drafts(2, stream="s"))
    put_into(engine, tables, drafts(2, stream="t"))
    late = [
        *drafts(1),
        *drafts(1, stream="t", version=2),
        *drafts(2, stream=stream, version=expected + 1),
        *drafts(1, stream="u"),
    ]
    with pytest.raises(WrongExpectedVersion) as caught:
        put_into(engine, tables, late)
    assert (caught.value.stream, caught.value.expected, caught.value.actual) == told
    assert counted(engine, tables) == (4, 2)
    put_into(engine, tables, drafts(1, stream="s", version=2))


def test_put_refuses_an_id_that_is_taken_and_tells_where_it_is(engine, tables, drafts):
    given = drafts(3)
    put_into(engine, tables, given)
    with pytest.raises(AlreadyRecorded) as caught:
        put_into(engine, tables, given[1:2])
    assert (caught.value.given, caught.value.sequence) == (given[1].id, 1)
    with pytest.raises(AlreadyRecorded) as caught:
        put_into(engine, tables, [*drafts(1), *drafts(1, ids=[given[2].id], stream="another")])
    assert caught.value.given == given[2].id
    assert counted(engine, tables) == (3, 3)


def test_two_logs_in_one_database_never_touch_each_other(engine, tables, drafts):
    put_into(engine, tables, drafts(2, stream="s", origin="a"), "a")
    put_into(engine, tables, drafts(1, stream="s", origin="b"), "b")
    before = rows_of(engine, tables, "b"), head_of(engine, tables, "b")
    put_into(engine, tables, drafts(1, stream="s", version=2, origin="a"), "a")
    head = head_of(engine, tables, "a")
    append_onto(engine, tables, head, drafts(1, stream="s", version=3, origin="a"))
    with pytest.raises(WrongExpectedVersion) as caught:
        put_into(engine, tables, drafts(1, stream="s", version=4, origin="b"), "b")
    assert caught.value.actual == 0
    assert (rows_of(engine, tables, "b"), head_of(engine, tables, "b")) == before
    other = attrs.evolve(head, log_id=before[1].log_id)
    with pytest.raises(HeadMoved):
        append_onto(engine, tables, other, drafts(1, origin="a"))


def test_known_at_is_the_running_maximum_however_the_clocks_jump(engine, tables, drafts):
    given = [NOON + hours * HOUR for hours in (2, 1, 5, 3, 0, 5, 6, -4)]
    known = []
    for start, stop in ((0, 1), (1, 2), (2, 5), (5, 8)):
        part = [drafts(1, recorded_at=instant)[0] for instant in given[start:stop]]
        known += put_into(engine, tables, part).known
    assert known == [max(given[: place + 1]) for place in range(len(given))]
    assert [row.known_at for row in rows_of(engine, tables)] == known
    assert head_of(engine, tables).known_at == NOON + 6 * HOUR


def test_a_wide_append_follows_the_head_that_is_ahead_of_its_clock(engine, tables, drafts):
    put_into(engine, tables, drafts(1, recorded_at=NOON + HOUR))
    late = drafts(6_000, recorded_at=NOON)
    late[-1] = drafts(1, recorded_at=NOON + 2 * HOUR)[0]
    done = put_into(engine, tables, late)
    assert set(done.known[:-1]) == {NOON + HOUR}
    assert done.known[-1] == NOON + 2 * HOUR
    assert [row.known_at for row in rows_of(engine, tables)][1:] == list(done.known)


@pytest.mark.parametrize("many", [1, 1_001, 5_001])
def test_an_append_of_any_size_is_stored_whole(engine, tables, drafts, many):
    given = drafts(many)
    done = put_into(engine, tables, given)
    assert (done.first, done.size, len(done.known)) == (0, many, many)
    assert [row.leaf_hash for row in rows_of(engine, tables)] == [one.leaf_hash for one in given]
    assert counted(engine, tables) == (many, many)


@pytest.mark.slow
def test_a_hundred_thousand_are_stored_whole_or_not_at_all(engine, tables, drafts):
    many = 100_000
    (one,) = drafts(1)
    given = [attrs.evolve(one, id=f"{place:06}", stream=f"{place:06}") for place in range(many)]
    twin = attrs.evolve(one, id="000007", stream="other")
    put_into(engine, tables, given[:10])
    with pytest.raises(AlreadyRecorded) as caught:
        put_into(engine, tables, [*given[10:], twin])
    assert caught.value.given == "000007"
    assert counted(engine, tables) == (10, 10)
    head = head_of(engine, tables)
    assert append_onto(engine, tables, head, given[10:]).size == many
    assert counted(engine, tables) == (many, many)


def race(engine, tables, parts):
    """Each part in a thread of its own; what came of each, in their order."""
    outcomes: dict[int, object] = {}
    start = threading.Barrier(len(parts))

    def run(place, batches):
        start.wait()
        told = []
        for batch in batches:
            try:
                told.append(put_into(engine, tables, batch))
            except (WrongExpectedVersion, AlreadyRecorded) as error:
                told.append(error)
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                outcomes[place] = error
                return
        outcomes[place] = told

    threads = [threading.Thread(target=run, args=each) for each in enumerate(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for outcome in outcomes.values():
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcomes[place] for place in range(len(parts))]


@pytest.mark.parametrize("begun", [False, True])
def test_of_rival_puts_exactly_one_wins_each_version(engine, tables, drafts, begun):
    names = ["r", "s", "t"]
    if begun:
        put_into(engine, tables, [draft for name in names for draft in drafts(1, stream=name)])
    rounds = range(int(begun), 8)
    parts = []
    for place in range(6):
        # Each goes through the streams in an order of its own: locks must not cross.
        mine = names[place % 3 :] + names[: place % 3]
        parts.append([[drafts(1, stream=name, version=at)[0] for name in mine] for at in rounds])
    outcomes = race(engine, tables, parts)
    rows = rows_of(engine, tables)
    won = [one for told in outcomes for one in told if not isinstance(one, Exception)]
    lost = [one for told in outcomes for one in told if isinstance(one, Exception)]
    assert len(rows) == 3 * (len(won) + int(begun))
    assert [row.seq for row in rows] == list(range(len(rows)))
    for name in names:
        versions = [row.stream_v for row in rows if row.stream == name]
        assert versions == list(range(len(versions)))
    assert won
    for error in lost:
        assert isinstance(error, WrongExpectedVersion)
        assert error.actual != error.expected


def test_the_same_events_put_by_six_threads_are_stored_once(engine, tables, drafts):
    given = [drafts(2) for _ in range(4)]
    outcomes = race(engine, tables, [given] * 6)
    assert [row.id for row in rows_of(engine, tables)] == [one.id for part in given for one in part]
    refused = [one for told in outcomes for one in told if isinstance(one, Exception)]
    assert len(refused) == 5 * 4
    assert {type(error) for error in refused} == {AlreadyRecorded}


def test_postgres_plans_an_append_once_and_again_as_the_log_grows(engine, tables, drafts):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite keeps no plans")
    for many, times in ((1, 40), (3, 29)):
        for _ in range(times):
            put_into(engine, tables, drafts(many))
    with engine.connect() as conn:  # the one that was written with
        kept = conn.execute(
            text(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
                "WHERE statement LIKE '%WITH held%'"
            )
        ).all()
    assert len(kept) > 2
    assert sum(generic > 5 for generic, _ in kept) >= 2
    assert all(custom <= 5 for _, custom in kept)


def test_a_connection_goes_back_to_the_pool_as_it_was(engine, tables, drafts):
    given = drafts(1)
    for _ in range(2):
        with contextlib.suppress(AlreadyRecorded):
            put_into(engine, tables, given)
        with engine.connect() as conn:
            driver = conn.connection.driver_connection
            assert getattr(driver, "autocommit", False) is not True
            assert not getattr(driver, "in_transaction", False)
    assert len(rows_of(engine, tables)) == 1
