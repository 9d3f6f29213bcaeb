"""Effects: what a projection does outside the database, after the commit and not in a replay.

Here lives `on_live`. Its place in the log is noted apart from the rows' (`effects` of the cursor):
a build that replays has its rows long before its effects are due, and begins with them where the
build before it stood. An effect is made at least once: after a crash in between it comes again, so
a message should carry the event's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.codec.envelope import opened
from ledger.model.events import StoredEvent
from ledger.projecting.failing import momentary
from ledger.store import cursors, read
from ledger.store.transaction import writing

if TYPE_CHECKING:
    from ledger.projecting.running import Run

_AT_ONCE: Final = 500
_PAUSE: Final = 0.05


@attrs.frozen
class Effects:
    """The effects of the events that a run has passed."""

    run: Run

    def catch_up(self) -> None:
        """Make the effects that are due; a build that is not read yet has none."""
        site, key = self.run.site, self.run.key
        with site.reading() as conn:
            held = cursors.cursor(conn, site.tables, key)
            noted = cursors.parked(conn, site.tables, key)
        if held is None or held.phase != "live" or held.fence != self.run.fence:
            return
        left_out = {one.sequence for one in noted}
        due = self.run.position if held.effects is None else held.effects
        if held.effects is None and not self._done(due):
            return
        while due < self.run.position and not self.run.stop.is_set():
            stop = min(due + _AT_ONCE, self.run.position)
            with site.reading() as conn:
                rows = read.rows(conn, site.tables, key.log_id, after=due - 1, until=stop)
                types = self.run.projection.types
                events = [opened(one) for one in rows if types is None or one.type in types]
            for event in events:
                if event.sequence not in left_out:
                    self._make(event)
            if not self._done(stop):
                return
            due = stop

    def _make(self, event: StoredEvent) -> None:
        """One effect, a few times if it fails; then it is parked."""
        on_live = self.run.projection.on_live
        assert on_live is not None  # noqa: S101 - the run has looked
        reason = ""
        for attempt in range(self.run.projection.retries + 1):
            try:
                on_live(event)
            except Exception as error:
                if momentary(error):
                    raise
                reason = f"on_live: {type(error).__name__}: {error}"
            else:
                return
            self.run.stop.wait(_PAUSE * 2**attempt)
        self._park(event, reason)

    def _park(self, event: StoredEvent, reason: str) -> None:
        run = self.run
        attempts = run.projection.retries + 1
        with writing(run.site.bind) as conn:
            note = run.note(conn, event.sequence, "effect", reason, attempts)
            cursors.park(conn, run.site.tables, run.key, note)
        run.parked += 1

    def _done(self, stop: int) -> bool:
        run = self.run
        with writing(run.site.bind) as conn:
            return cursors.move_effects(
                conn, run.site.tables, run.key, stop=stop, fence=run.fence, now=run.site.clock()
            )
