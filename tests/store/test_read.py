"""Reading by sequence, id and instant, on every engine."""

from __future__ import annotations

import datetime as dt

import pytest

from ledger.errors import InvalidDate
from ledger.store import read, transaction

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def test_a_log_that_nobody_wrote_has_no_head(engine, tables):
    with transaction.reading(engine) as conn:
        assert read.head(conn, tables, "default") is None


@pytest.fixture
def log_of_25(drafts, record, monkeypatch):
    """25 events in pages of five, beside another log."""
    monkeypatch.setattr(read, "PAGE", 5)
    record(drafts(25))
    record(drafts(3, origin="other"), origin="other")


@pytest.mark.parametrize(
    "bounds, expected",
    [
        ({}, range(25)),
        ({"after": 20}, range(21, 25)),
        ({"until": 4}, range(4)),
        ({"after": 3, "until": 9}, range(4, 9)),
        ({"limit": 7}, range(7)),
        ({"limit": 5}, range(5)),
        ({"after": 9, "limit": 12}, range(10, 22)),
        ({"after": 22, "limit": 12}, range(23, 25)),
        ({"limit": 0}, range(0)),
        ({"after": 24}, range(0)),
    ],
)
def test_rows_are_those_between_the_bounds(engine, tables, log_of_25, bounds, expected):
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        assert head is not None
        rows = read.rows(conn, tables, head.log_id, **bounds)
        assert [row.seq for row in rows] == list(expected)


def test_leaves_are_those_of_the_rows(engine, tables, drafts, record, monkeypatch):
    monkeypatch.setattr(read, "_PAGE_OF_LEAVES", 4)
    given = drafts(11)
    record(given)
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        assert head is not None
        leaves = list(read.leaf_hashes(conn, tables, head.log_id, 2, 11))
    assert leaves == [draft.leaf_hash for draft in given[2:]]


def test_a_row_is_found_by_its_id(engine, tables, drafts, record):
    record(drafts(3, ids=["a", "b", "c"]))
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        assert head is not None
        found = read.row_by_id(conn, tables, head.log_id, "b")
        assert found is not None
        assert found.seq == 1
        assert read.row_by_id(conn, tables, head.log_id, "d") is None


def test_the_size_at_an_instant_counts_what_was_known(engine, tables, drafts, record):
    minutes = [0, 1, 1, 1, 4, 5, 5]
    for minute in minutes:
        record(drafts(1, recorded_at=NOON + minute * MINUTE))
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        assert head is not None
        for minute in range(-1, 7):
            asked = (NOON + minute * MINUTE).astimezone(dt.timezone(dt.timedelta(hours=4)))
            known = sum(1 for each in minutes if each <= minute)
            assert read.size_at(conn, tables, head.log_id, asked) == known
        with pytest.raises(InvalidDate):
            read.size_at(conn, tables, head.log_id, NOON.replace(tzinfo=None))


def test_a_reading_sees_one_moment_while_others_write(database, engine, tables, drafts, record):
    if database == "sqlite://":
        pytest.skip("in memory there is one connection, so nobody writes meanwhile")
    record(drafts(2))
    with transaction.reading(engine) as conn:
        before = read.head(conn, tables, "default")
        record(drafts(1))
        assert read.head(conn, tables, "default") == before
        assert before is not None
        assert sum(1 for _ in read.rows(conn, tables, before.log_id)) == 2
