"""Waiting for what another thread, task or process is about to do, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

ENOUGH = 60.0
"""Seconds: far beyond what any of it takes, on a machine that is busy."""


def until(there: Callable[[], object], what: str, *, pause: float = 0.005) -> None:
    """Wait until something is there; fail, and say what was waited for, if it never is."""
    give_up = time.monotonic() + ENOUGH
    while not there():
        if time.monotonic() > give_up:
            pytest.fail(f"waited {ENOUGH:.0f} s in vain until {what}")
        time.sleep(pause)
