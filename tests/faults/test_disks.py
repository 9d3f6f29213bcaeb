"""SQLite and its disk: a refusal is told in words, nothing is half there, and room mends it."""

from __future__ import annotations

import pytest

from tests.faults import disks


def test_a_file_that_may_grow_no_more_refuses_whole_appends(sqlite):
    assert disks.full_by_limit(sqlite, times=2).told.total() == 2


def test_a_database_without_more_pages_refuses_whole_appends(sqlite):
    assert disks.full_by_pages(sqlite, times=3).told.total() == 3


def test_a_full_disk_refuses_whole_appends(sqlite):
    try:
        seen = disks.full_disk(sqlite, times=2)
    except PermissionError as why:
        pytest.skip(f"{why}")
    assert [*seen.told] == ["StoreError: The disk is full, stored: no"]


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_may_only_be_read_is_told_and_left_as_it_is(sqlite, what):
    seen = disks.read_only(sqlite, times=1, what=what)
    cannot = "cannot be read" if what == "directory" else "is read-only"
    assert [*seen.told] == [f"StoreError: The database {cannot} here, stored: no"]


def test_a_lock_held_too_long_is_told_and_the_retry_is_stored(sqlite):
    assert disks.locked(sqlite, times=4).told.total() == 4


def test_a_torn_write_ahead_log_leaves_a_prefix(sqlite):
    assert disks.torn_log(sqlite, times=10).times == 10
