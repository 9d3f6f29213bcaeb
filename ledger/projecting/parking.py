"""Parking: what is noted of an event that failed, to be shown and mended later."""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.projecting.registry import Site
from ledger.store import cursors, read
from ledger.store.cursors import Build, Kind, Parked


def park(
    conn: Connection, site: Site, key: Build, sequence: int, *, kind: Kind, why: tuple[str, int]
) -> None:
    """Note an event of the log with the reason of its failure, and how often it was tried."""
    reason, attempts = why
    row = next(read.rows(conn, site.tables, key.log_id, after=sequence - 1, limit=1))
    event = Parked(
        sequence=sequence,
        event_id=row.id,
        kind=kind,
        reason=reason,
        attempts=attempts,
        at=site.clock(),
    )
    cursors.park(conn, site.tables, key, event)
