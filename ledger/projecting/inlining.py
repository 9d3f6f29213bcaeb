"""Inline: a view's rows change in the append's transaction, and commit or roll back with it.

Here lives what happens to the inline projections of one append, under the lock of the log's head.

```
cursor at the append's first event    move it, take the events
behind by up to 1,000 events          take those first, then the append's own
further behind, or a larger batch     leave it: `settle`, `ready` or a run catches it up
```

An event that an inline projection cannot take refuses the append: nothing enters the log that a
view beside it could not show. What lies in the log already refuses nothing: it is left to the run,
which parks it or waits for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import attrs

from ledger.errors import ProjectionFailed
from ledger.model.events import StoredEvent
from ledger.projecting import building
from ledger.projecting.projection import Page
from ledger.projecting.registry import Entry, Site
from ledger.projecting.running import take
from ledger.store import cursors
from ledger.store.cursors import Build, Cursor
from ledger.store.riding import CannotRide

LIMIT: Final = 1_000
"""How many events an append itself brings an inline projection forward by, at most."""

Memories = dict[Build, tuple[Entry, int, dict[str, Any]]]
"""What builds keep from append to append: for which projection, and up to which sequence."""

_KEPT: Final = 20_000
"""As many things a build keeps in mind at most, before it begins anew."""


@attrs.frozen
class Inline:
    """One append's events, on their way into the inline projections."""

    site: Site
    conn: Any
    """A Connection, or what finds out whether all can ride."""
    log_id: int
    events: Sequence[StoredEvent]
    sequence_of: Callable[[str], int | None] | None
    hints: dict[tuple[int, str, int], int]
    """Which build of a projection was live when an append looked last."""
    memories: Memories

    @property
    def first(self) -> int:
        """The sequence of the append's first event."""
        return self.events[0].sequence

    def rides(self, entries: Iterable[Entry]) -> bool:
        """Whether all that this append brings can go with its own statement; it is put together.

        False is no refusal: in the append's transaction it may be brought, or told why not.
        """
        with contextlib.suppress(CannotRide, ProjectionFailed):
            return 0 < len(self.events) <= LIMIT and all(map(self.take, entries))
        return False

    def take(self, entry: Entry) -> bool:
        """Bring a projection forward; False where it is left behind and nobody builds it.

        Raises:
            ProjectionFailed: an event of this append could not be taken.
        """
        hint = (self.log_id, entry.name, entry.version)
        guess = Build(*hint, self.hints.get(hint, 0))
        if self._move(guess, self.first):
            self._own(entry, guess)
            return True
        held = cursors.cursors(self.conn, self.site.tables, self.log_id, entry.name, lock=True)
        at = building.to_run(held, entry)
        if at is None:
            if held:  # retired, or new beside another version: a rebuild makes the switch
                return True
            if self.first > LIMIT:
                return False
            at = building.begin(self.conn, self.site.tables, Build(*hint, 0), entry.of(0), size=0)
        if at.phase == "building":
            return any(one.phase == "live" for one in held)
        self.hints[hint] = at.key.build
        return self._from(entry, at)

    def _from(self, entry: Entry, at: Cursor) -> bool:
        """Catch up with what came before this append, then take its own events."""
        behind = self.first - at.position
        if not 0 <= behind <= LIMIT or (behind > 0 and not self._gap(entry, at)):
            return False
        if not self._move(at.key, self.first):
            return False
        self._own(entry, at.key)
        return True

    def _gap(self, entry: Entry, at: Cursor) -> bool:
        """Take the events between the cursor and this append; what fails is left to a run."""
        try:
            with self.conn.begin_nested():
                moved = cursors.move(
                    self.conn,
                    self.site.tables,
                    at.key,
                    start=at.position,
                    stop=self.first,
                    fence=None,
                )
                if moved:
                    self._take(entry, at.key, at.position, self.first, None)
        except ProjectionFailed:
            return False
        return moved

    def _own(self, entry: Entry, key: Build) -> None:
        self._take(entry, key, self.first, self.events[-1].sequence + 1, self.events)

    def _take(
        self,
        entry: Entry,
        key: Build,
        start: int,
        stop: int,
        given: Sequence[StoredEvent] | None,
    ) -> None:
        page = Page(
            conn=self.conn,
            tables=self.site.tables,
            log_id=self.log_id,
            start=start,
            stop=stop,
            memory={} if given is None else self._memory(entry, key, start),
            given=given,
            sequence_of=None if given is None else self.sequence_of,
        )
        take(self.site, entry.of(key.build), key, page)
        if given is not None:
            self.memories[key] = entry, stop, page.memory

    def _memory(self, entry: Entry, key: Build, start: int) -> dict[str, Any]:
        """What was kept where this projection took all that came before, without a gap."""
        if (held := self.memories.pop(key, None)) is not None:
            whose, stop, kept = held
            if whose is entry and stop == start and len(kept) <= _KEPT:
                return kept
        return {}

    def _move(self, key: Build, start: int) -> bool:
        stop = self.events[-1].sequence + 1
        return cursors.move(self.conn, self.site.tables, key, start=start, stop=stop, fence=None)
