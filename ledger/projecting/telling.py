"""Telling: how far a projection is behind, and what it has set aside, for those who watch.

Here lives what has to be asked of the database for that, which is nothing while nobody watches.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from ledger import observing
from ledger.errors import StoreError
from ledger.projecting.registry import Site
from ledger.store import cursors, read
from ledger.store.cursors import Build


def batch(site: Site, key: Build) -> AbstractContextManager[observing.Span]:
    """The span around one batch."""
    return observing.projecting(site.folded.origin, _engine(site), key.name)


def lag(site: Site, key: Build, *, position: int, size: int) -> None:
    """How many events it has not read, and for how long the first of them has waited."""
    if observing.current.observer is None:
        return
    seconds = 0.0
    if position < size:
        with contextlib.suppress(StoreError), site.reading() as conn:
            seconds = waited(site, conn, key.log_id, position)
    observing.lag(
        site.folded.origin, _engine(site), key.name, events=size - position, seconds=seconds
    )


def parked(site: Site, key: Build, conn: Connection | None = None) -> None:
    """How many events wait for somebody to look at them; what was skipped does not."""
    if observing.current.observer is None:
        return
    with site.reading() if conn is None else contextlib.nullcontext(conn) as one:
        noted = cursors.parked(one, site.tables, key)
    many = sum(event.kind != "skipped" for event in noted)
    observing.parked(site.folded.origin, _engine(site), key.name, events=many)


def waited(site: Site, conn: Connection, log_id: int, position: int) -> float:
    """For how many seconds the event at a sequence has been in the log; 0 where there is none."""
    first = next(read.rows(conn, site.tables, log_id, after=position - 1, limit=1), None)
    if first is None:
        return 0.0
    return max(0.0, (site.clock() - first.known_at).total_seconds())


def _engine(site: Site) -> str:
    return site.bind.engine.dialect.name
