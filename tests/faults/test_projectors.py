"""kill -9 of what keeps views: their rows are those of the events before the cursor, always."""

from __future__ import annotations

import pytest

from tests.faults import projectors


@pytest.mark.parametrize("task", ["run", "rebuild"])
def test_a_killed_projector_leaves_rows_that_its_cursor_tells_of(place, task):
    assert projectors.killed_projectors(place, task=task, times=2).times == 2


@pytest.mark.slow
@pytest.mark.parametrize("task", ["run", "rebuild"])
def test_a_projector_may_die_before_any_line_of_its_code(place, task):
    assert projectors.killed_projectors_at_lines(place, task=task, stride=5_000).times > 3


def test_an_inline_view_is_changed_with_the_log_or_not_at_all(place):
    assert projectors.killed_inline(place, times=3).acknowledged > 0
