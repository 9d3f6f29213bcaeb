"""Clocks that jump: the log's own instants never fall."""

from __future__ import annotations

from tests.faults import clocks


def test_a_clock_that_jumps_back_moves_nothing_back(place):
    assert clocks.jumping_clocks(place, times=20).times > 0
