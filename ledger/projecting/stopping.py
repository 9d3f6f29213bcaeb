"""Stopping: what a host hands in to end a run, as the event that a run waits with."""

from __future__ import annotations

import threading
import time
from typing import Final

from ledger.store.follow import Stop, Stopped, stopped_of

_SLICE: Final = 0.05
"""How soon, in seconds, a function that says so is noticed while a run waits."""


class _Asked(threading.Event):
    """An event that is set once a function says so."""

    def __init__(self, asked: Stopped) -> None:
        super().__init__()
        self._asked = asked

    def is_set(self) -> bool:
        if not super().is_set() and self._asked():
            self.set()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = _SLICE if end is None else min(_SLICE, end - time.monotonic())
            if left <= 0:
                return False
            super().wait(left)
        return True


def event_of(stop: Stop | None) -> threading.Event:
    """The event itself, one that is never set, or one that asks a function.

    Raises:
        Invalid: it is neither an event nor a function.
    """
    if stop is None:
        return threading.Event()
    return stop if isinstance(stop, threading.Event) else _Asked(stopped_of(stop))
