"""PostgreSQL and the disk: whole appends are refused, and work goes on once there is room."""

from __future__ import annotations

import pytest

from tests.faults import seen, volumes


@pytest.fixture
def small(folder, new_server):
    server = new_server()
    return seen.Place(engine="PostgreSQL", fresh=server.database, folder=folder), server


@pytest.mark.slow
def test_a_full_disk_of_the_tables_refuses_whole_appends(small):
    place, server = small
    try:
        found = volumes.full_tables(place, server, times=1)
    except PermissionError as why:
        pytest.skip(f"{why}")
    assert [*found.told] == ["StoreError: The disk is full, stored: no"]


@pytest.mark.slow
def test_a_cluster_without_room_ends_and_goes_on_where_it_was(small):
    place, server = small
    try:
        found = volumes.full_cluster(place, server.programs, times=1)
    except PermissionError as why:
        pytest.skip(f"{why}")
    assert found.told
