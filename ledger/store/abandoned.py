"""Whether whoever made a call still waits for it: one that nobody waits for stores nothing.

Here lives the word between an event loop, whose task was cancelled, and the thread that works for
it and cannot be interrupted. It is asked where that thread may have had to wait, and last before
what it wrote is committed. And here is done what must come to its end whoever is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from sqlalchemy.util import await_only, greenlet_spawn

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


def to_the_end(work: Callable[[], object]) -> None:
    """Do what a task that is cancelled must not leave half done, inside SQLAlchemy's bridge.

    It is done in a task of its own, whose end whoever is cancelled waits for.
    """
    await_only(_to_the_end(work))


async def _to_the_end(work: Callable[[], object]) -> None:
    task = asyncio.ensure_future(greenlet_spawn(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
