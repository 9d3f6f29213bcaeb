"""The line to PostgreSQL is lost: what a caller is told is so, and saying it again converges."""

from __future__ import annotations

import pytest

from tests.faults import connections, groups, seen


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_lost_during_commit_is_told_as_unknown(on_a_socket, when):
    found = connections.cut_in_commit(on_a_socket, when=when, times=3)
    assert found.told["StoreError, stored: unknown"] == 3
    assert found.already == (3 if when == "after" else 0)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", ["single", "batch", "mixed"])
def test_a_connection_may_be_cut_at_any_message(on_a_socket, mode, when):
    found = connections.cut_at_each_message(on_a_socket, mode=mode, when=when)
    assert found.times > 0


def test_terminated_writers_say_it_again(postgres):
    found = connections.terminated_writers(postgres, times=6)
    assert found.told


def test_a_terminated_reader_reads_on_from_where_it_was(postgres):
    found = connections.terminated_reader(postgres, times=3)
    assert found.told["StoreError, stored: no"] == 3


def test_a_terminated_follower_misses_nothing(postgres):
    assert connections.terminated_follower(postgres, times=6).acknowledged > 0


def test_a_statement_that_waits_too_long_is_told_and_said_again(postgres):
    found = connections.statement_timeouts(postgres, times=4)
    assert found.told.total() == 4


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_restarted_under_load_has_lost_nothing(folder, new_server, how):
    server = new_server()
    place = seen.Place(engine="PostgreSQL", fresh=server.database, folder=folder)
    found = connections.restarted(place, server, how=how, times=2)
    assert found.told


def test_threads_that_share_a_commit_are_each_told_what_became_of_it(on_a_socket):
    found = groups.cut_in_groups(on_a_socket, times=10)
    assert found.told
