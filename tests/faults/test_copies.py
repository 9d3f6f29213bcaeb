"""Copies made under load and put back: one moment of the log, or words about what is wrong."""

from __future__ import annotations

import pytest

from tests.faults import copies, seen, servers


@pytest.mark.parametrize("way", copies.WAYS)
def test_a_copy_made_under_load_is_one_moment_of_the_log(sqlite, way):
    assert copies.copied(sqlite, way=way, times=2).acknowledged > 0


def test_a_ledger_notices_that_its_file_was_restored(sqlite):
    assert copies.restored(sqlite, times=8).acknowledged > 0


@pytest.mark.slow
def test_a_dump_is_restored_elsewhere_and_read_on(folder, new_server):
    source, target = new_server(), new_server()
    place = seen.Place(engine="PostgreSQL", fresh=source.database, folder=folder)
    assert copies.dumped(place, target, times=1).acknowledged > 0


@pytest.mark.slow
def test_a_dump_of_an_older_version_is_restored_into_a_newer_one(folder, new_server):
    older = next(servers.installed(), None)
    if older is None:
        pytest.skip("no PostgreSQL is installed beside the wheel's")
    source, target = new_server(older), new_server()
    place = seen.Place(engine="PostgreSQL", fresh=source.database, folder=folder)
    assert copies.dumped(place, target, times=1).acknowledged > 0
