"""What an append takes and refuses, beyond the shipped contract (`test_contract.py`)."""

from __future__ import annotations

import datetime as dt
import threading

import attrs
import pytest

from ledger.errors import AlreadyRecorded, HeadMoved, InvalidDate, WrongExpectedVersion
from ledger.store import read, transaction
from ledger.store.append import append, lock_head

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)


def stored(engine, tables, origin="default", **bounds):
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, origin)
        return [] if head is None else list(read.rows(conn, tables, head.log_id, **bounds))


def test_what_is_appended_comes_back_as_it_was(engine, tables, drafts, record):
    (given,) = drafts(1, slots=("who", "what", "words", "by"))
    done = record([given])
    (row,) = stored(engine, tables)
    assert (done.first, done.size, done.known) == (0, 1, (given.recorded_at,))
    assert (row.seq, row.known_at) == (0, given.recorded_at)
    assert row.known_at.tzinfo is dt.UTC
    for name in ("id", "type", "stream", "stream_v", "entry", "leaf_hash"):
        assert getattr(row, name) == getattr(given, name)
    assert {name: row.slot(name) for name in given.slots} == dict(given.slots)


def test_a_slot_that_was_not_given_is_empty(engine, tables, drafts, record):
    record([*drafts(1, slots=("what",)), *drafts(1, slots=()), *drafts(1, slots=("by",))])
    first, second, third = stored(engine, tables)
    assert first.what is not None
    assert (first.who, first.words, first.by) == (None, None, None)
    assert (second.who, second.what, second.words, second.by) == (None, None, None, None)
    assert third.by is not None


def test_nothing_appended_is_nothing_changed(engine, tables, record):
    done = record([])
    assert (done.first, done.known, done.size) == (0, (), 0)
    assert stored(engine, tables) == []


def test_an_instant_without_a_time_zone_is_refused(engine, tables, drafts, record):
    naive = [attrs.evolve(drafts(1)[0], recorded_at=NOON.replace(tzinfo=None))]
    with pytest.raises(InvalidDate, match="does not say its time zone"):
        record(naive)
    assert stored(engine, tables) == []


def test_a_stream_is_continued_within_and_across_appends(engine, tables, drafts, record):
    record(drafts(3, stream="s"))
    record([*drafts(1), *drafts(2, stream="s", version=3)])
    record(drafts(1, stream="s", version=5))
    assert [row.stream_v for row in stored(engine, tables) if row.stream == "s"] == [*range(6)]


@pytest.mark.parametrize("told", [("s", -1, 1), ("s", 0, 1), ("s", 2, 1), ("new", 0, -1)])
def test_a_stream_that_is_elsewhere_refuses_the_whole_append(engine, tables, drafts, record, told):
    stream, expected, _ = told
    record(drafts(2, stream="s"))
    with pytest.raises(WrongExpectedVersion, match=f"The stream {stream} was expected") as caught:
        record([*drafts(2), *drafts(1, stream=stream, version=expected + 1)])
    assert (caught.value.stream, caught.value.expected, caught.value.actual) == told
    assert len(stored(engine, tables)) == 2
    assert record(drafts(1, stream="s", version=2)).first == 2


def test_a_batch_must_itself_be_dense(drafts, record):
    with pytest.raises(WrongExpectedVersion) as caught:
        record([*drafts(1, stream="s"), *drafts(1, stream="s", version=2)])
    assert (caught.value.expected, caught.value.actual) == (1, 0)


def test_an_event_sent_again_is_told_by_its_id_and_not_by_its_stream(drafts, record):
    given = drafts(3)
    record(given)
    with pytest.raises(AlreadyRecorded) as caught:
        record([*drafts(6_000), given[1]])
    assert caught.value.given == given[1].id
    with pytest.raises(AlreadyRecorded) as caught:
        record([given[2]])
    assert caught.value.given == given[2].id


def test_an_id_that_stands_twice_in_an_append_is_refused(drafts, record):
    with pytest.raises(AlreadyRecorded, match="twice") as caught:
        record([*drafts(1, ids=["same"], stream="a"), *drafts(1, ids=["same"], stream="b")])
    assert caught.value.given == "same"


def test_a_head_can_be_appended_to_once(engine, tables, drafts):
    def write_twice():
        with transaction.writing(engine) as conn:
            head = lock_head(conn, tables, "default")
            append(conn, tables, head, drafts(1))
            append(conn, tables, head, drafts(1))

    with pytest.raises(HeadMoved, match="expected to hold 0 events, but it holds 1"):
        write_twice()
    assert stored(engine, tables) == []


def test_many_threads_may_make_the_same_log(engine, tables):
    numbers: list[int] = []

    def lock():
        with transaction.writing(engine) as conn:
            numbers.append(lock_head(conn, tables, "young").log_id)

    threads = [threading.Thread(target=lock) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 6
    assert len(set(numbers)) == 1
