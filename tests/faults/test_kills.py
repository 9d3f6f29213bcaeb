"""kill -9: what was acknowledged stays, what was not is whole or absent, and all goes on."""

from __future__ import annotations

import pytest

from tests.faults import kills


@pytest.mark.parametrize(
    "mode", ["single", "batch", "mixed", pytest.param("import", marks=pytest.mark.slow)]
)
def test_a_killed_writer_loses_nothing_that_was_acknowledged(place, mode):
    seen = kills.killed_writers(place, mode=mode, times=3)
    assert seen.acknowledged > 0


def test_writers_beside_a_killed_one_go_on(place):
    seen = kills.killed_writers(place, mode="mixed", times=3, writers=3)
    assert seen.acknowledged > 3


@pytest.mark.parametrize("mode", ["single", pytest.param("mixed", marks=pytest.mark.slow)])
def test_a_writer_may_die_before_any_line_of_an_append(place, mode):
    seen = kills.killed_at_lines(place, mode=mode, stride=90)
    assert seen.times > 4
    assert seen.acknowledged > 0


def test_tables_half_made_are_made_by_the_next(place):
    assert kills.killed_while_opening(place, times=5).times > 0
