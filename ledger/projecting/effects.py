"""Effects: what a projection does outside the database, after the commit and not in a replay.

Here lives `on_live`. Its place in the log is noted apart from the rows' (`effects` of the cursor):
a build that replays has its rows long before its effects are due, and begins with them where the
build before it stood. An effect is made at least once: after a crash in between it comes again, so
a message should carry the event's id.
"""

from __future__ import annotations

import threading
from typing import Final

import attrs

from ledger.codec.entry import Row
from ledger.codec.envelope import opened
from ledger.projecting.failing import momentary
from ledger.projecting.parking import park
from ledger.projecting.projection import Projection
from ledger.projecting.registry import Site
from ledger.store import cursors, read
from ledger.store.cursors import Build
from ledger.store.transaction import writing

_AT_ONCE: Final = 500
_PAUSE: Final = 0.05


@attrs.frozen(kw_only=True)
class Effects:
    """The effects of the events that an owner has passed."""

    site: Site
    projection: Projection
    key: Build
    fence: int
    stop: threading.Event

    def catch_up(self, position: int) -> int:
        """Make the effects that are due; how many were parked. A build not yet read has none."""
        with self.site.reading() as conn:
            held = cursors.cursor(conn, self.site.tables, self.key)
            noted = cursors.parked(conn, self.site.tables, self.key)
        if held is None or held.phase != "live" or held.fence != self.fence:
            return 0
        left_out = {one.sequence for one in noted}
        due = position if held.effects is None else held.effects
        if held.effects is None and not self._done(due):
            return 0
        parked = 0
        while due < position and not self.stop.is_set():
            stop = min(due + _AT_ONCE, position)
            for row in self._rows(due, stop):
                if row.seq not in left_out:
                    parked += self._make(row)
            if not self._done(stop):
                break
            due = stop
        return parked

    def _rows(self, start: int, stop: int) -> list[Row]:
        types = self.projection.types
        with self.site.reading() as conn:
            rows = read.rows(conn, self.site.tables, self.key.log_id, after=start - 1, until=stop)
            return [one for one in rows if types is None or one.type in types]

    def _make(self, row: Row) -> bool:
        """One effect, a few times if it fails; then it is parked, which is told."""
        on_live = self.projection.on_live
        assert on_live is not None  # noqa: S101 - the run has looked
        reason = ""
        for attempt in range(self.projection.retries + 1):
            try:
                on_live(opened(row))
            except Exception as error:
                if momentary(error):
                    raise
                reason = f"on_live: {type(error).__name__}: {error}"
            else:
                return False
            self.stop.wait(_PAUSE * 2**attempt)
        why = (reason, self.projection.retries + 1)
        with writing(self.site.bind) as conn:
            park(conn, self.site, self.key, row.seq, kind="effect", why=why)
        return True

    def _done(self, stop: int) -> bool:
        now = self.site.clock()
        with writing(self.site.bind) as conn:
            return cursors.move_effects(
                conn, self.site.tables, self.key, stop=stop, fence=self.fence, now=now
            )
