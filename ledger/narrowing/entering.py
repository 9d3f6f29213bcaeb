"""Entering into a long log without folding it: what an entry is checked against is fetched.

Here lives the fold that does so: it begins at the size that the tables of cells have come to, with
the records that are no acts, follows the log from there, and fetches of the rest what is asked for
(`ledger.projections.near`). Where those tables are not served it refuses, and the log is folded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, cast

from sqlalchemy import Connection, Engine

from ledger.folding import Fold, Folded, Layer
from ledger.model import events as ev
from ledger.narrowing.acts import Narrowed
from ledger.narrowing.records import Records, caught_up
from ledger.projections.effective import Facts
from ledger.projections.indexing import host_ids
from ledger.projections.missing import Unheld
from ledger.projections.near import Near
from ledger.store import cells, read
from ledger.store.append import Head

_HELD: Final = 20_000
"""How many events may be held beyond those that a fold began with, before it begins anew."""


def thrifty(folded: Folded) -> Folded | None:
    """The same way to the same log, by a fold that fetches; None where the log is folded anyway.

    What is folded already costs nothing more. Inside a host's transaction the log is folded: what
    is read there may still be rolled back.
    """
    if not isinstance(folded.host, Engine):
        return None
    whole = folded.fold
    if type(whole) is not Fold or whole.facts.size:
        return None
    if whole.unfolded is None:
        fold = _Fetching(folded)
        whole.unfolded = Folded(folded.host, folded.layout, folded.origin, fold=fold)
    return cast("Folded", whole.unfolded)


class _Fetching(Fold):
    """A fold of what is asked for, which knows the connection it was last brought up with."""

    fetches = True

    def __init__(self, folded: Folded) -> None:
        # Questions read on in the same records, so they take turns with entries.
        super().__init__(folded.tables, folded.origin, folded.fold.lock)
        self._folded = folded
        self._conn: Connection | None = None
        self._records: Records | None = None
        self._began = 0

    def at_head(self, conn: Connection) -> Facts:
        """The facts at the log's last event.

        Raises:
            Unheld: the tables of cells are not served, or are behind the log.
        """
        self._conn = conn
        records = caught_up(conn, self._folded, 0)
        if records is None:
            raise Unheld("cells are not served")
        if self._records is not records or len(self.facts.at) - self._began > _HELD:
            self.forget()
            self._records = records
        return super().at_head(conn)

    def goes_on(self, conn: Connection, unit: Layer) -> bool:
        """Whether the events of this unit are on top; what is missed is then fetched by `conn`."""
        self._conn = conn
        return self.laid(unit)

    def take(self, head: Head, events: Iterable[ev.StoredEvent], leaves: Sequence[bytes]) -> None:
        """Nothing: what was appended is read back, when what it names can be fetched too."""

    def _follow(self, conn: Connection, log: int) -> bool:
        if not self.facts.size:
            self._begin(conn)
        return super()._follow(conn, log)

    def _begin(self, conn: Connection) -> None:
        records = self._records
        if records is None or not records.size:
            raise Unheld("there is nothing to begin with")
        last = read.recorded_at(conn, self.tables, records.log_id, records.size - 1)
        source = _Source(self, records, records.size)
        self.facts = Near(records.events, source, size=records.size, last_recorded=last)
        self._began = len(self.facts.at)
        self._leaves.append(records.last)

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        """The connection in use, while it is open: a host's pool may hold no other one."""
        if self._conn is not None and not self._conn.closed:
            yield self._conn
            return
        with self._folded.connected() as conn:
            yield conn


class _Source:
    """What the log holds below a size, found by the tables of cells."""

    def __init__(self, fold: _Fetching, records: Records, size: int) -> None:
        self._fold, self._records, self._size = fold, records, size

    def of_ids(self, ids: Collection[str]) -> Iterable[ev.StoredEvent]:
        """The events with some ids, and all that bears on them."""
        with self._near() as near:
            rows = read.rows_by_id(near.conn, near.tables, near.records.log_id, ids)
            return self._closed(near, {row.seq for row in rows})

    def of_key(self, kind: str, key: str) -> Iterable[ev.StoredEvent]:
        """What a host knows by an id of its own, or knew, and all that bears on it."""
        with self._near() as near:
            return self._closed(near, near.linked(cells.KEY, {cells.number_of_key(kind, key)}))

    def of_utterance(self, utterance: str) -> Iterable[ev.StoredEvent]:
        """The acts of an utterance, and all that bears on them."""
        with self._near() as near:
            return self._closed(near, near.linked(cells.UTTERANCE, {cells.number_of(utterance)}))

    @contextlib.contextmanager
    def _near(self) -> Iterator[Narrowed]:
        with self._fold.connected() as conn:
            yield Narrowed(conn, self._fold.tables, self._records, self._size)

    def _closed(self, near: Narrowed, sequences: set[int]) -> Iterable[ev.StoredEvent]:
        """Some acts with all that bears on them, and all that a host knew by the same ids."""
        asked: set[int] = set()
        new = {seq for seq in sequences if seq < self._size}
        found: list[ev.StoredEvent] = []
        while new:
            found = near.acts(new | {one.sequence for one in found})
            held = {one.sequence for one in found}
            told = (key for one in found for key in host_ids(one.event))
            keys = {cells.number_of_key(*key) for key in told} - asked
            asked |= keys
            new = near.linked(cells.KEY, keys) - held
        return found
