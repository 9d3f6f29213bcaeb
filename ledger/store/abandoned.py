"""Whether whoever made a call still waits for it: one that nobody waits for stores nothing.

Here lives the word between an event loop, whose task was cancelled, and the thread that works for
it and cannot be interrupted. It is asked where that thread may have had to wait, and last before
what it wrote is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

gone: Final[ContextVar[Callable[[], bool] | None]] = ContextVar("ledger_gone", default=None)
"""Asks whether the caller is gone; None where callers wait until they are answered."""


def refuse_abandoned(*_: object) -> None:
    """Give up a call that nobody waits for any more.

    Raises:
        CancelledError: its caller was cancelled.
    """
    asked = gone.get()
    if asked is not None and asked():
        raise asyncio.CancelledError
