"""Waking: a projection that has caught up waits for the next commit, as a follower does.

Here lives the way from `ledger.store.follow` to what a run waits with.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from sqlalchemy import Engine

from ledger.projecting.registry import Site
from ledger.projecting.running import Wait
from ledger.store.follow import waiting


@contextlib.contextmanager
def news(site: Site, stop: threading.Event) -> Iterator[Wait]:
    """What a run waits with: the first call only arms it, so that the run looks once more.

    A commit between a run's last look and its waiting would else be noticed by nobody.
    """
    engine = site.bind
    if not isinstance(engine, Engine):
        yield stop.wait
        return
    with waiting(engine, site.tables.layout) as waiter:

        def wait(seconds: float) -> None:
            if waiter.armed:
                waiter.wait(seconds, stop.is_set)
                waiter.rest()
                return
            with site.reading() as conn:
                log_id = site.log_id(conn)
            waiter.arm(log_id)

        yield wait
