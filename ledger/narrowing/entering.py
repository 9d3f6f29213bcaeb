"""Entering into a long log without folding it: what an entry is checked against is fetched.

Here lives the fold that does so: it begins at the size that the tables of cells have come to, with
the records that are no acts, follows the log from there, and fetches of the rest what is asked for
(`ledger.projections.near`). Where those tables are not served it refuses, and the log is folded.
"""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Sequence
from typing import Final, cast

from sqlalchemy import Connection

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

_MISSED: Final = 500
"""How many events of others a fold follows before it begins anew: each costs it a look-up."""


def thrifty(folded: Folded) -> Folded | None:
    """The same way to the same log, by a fold that fetches; None where the log is folded anyway.

    What is folded already costs nothing more.
    """
    whole = folded.fold
    if type(whole) is not Fold or whole.facts.size:
        return None
    if whole.unfolded is None:
        whole.unfolded = _Fetching(whole)
    return folded.by(cast("_Fetching", whole.unfolded))


class _Fetching(Fold):
    """A fold of what is asked for, which knows the connection it was last brought up with."""

    fetches = True

    def __init__(self, whole: Fold) -> None:
        # Questions read on in the same records, so they take turns with entries.
        super().__init__(whole.tables, whole.origin, whole.lock)
        self._whole = weakref.ref(whole)
        self._conn: weakref.ref[Connection] | None = None
        self._records: Records | None = None
        self._covered = 0
        self._began = 0
        self._stored = 0

    def at_head(self, conn: Connection) -> Facts:
        """The facts at the log's last event.

        Raises:
            Unheld: the tables of cells are not served, or are far behind the log.
        """
        self._conn, whole = weakref.ref(conn), self._whole()
        found = None if whole is None else caught_up(conn, whole)
        if found is None:
            raise Unheld("cells are not served")
        fetched_to = self.facts.floor
        if (
            self._records is not found.records
            or found.position < fetched_to
            or found.covered - max(self.facts.size, self._stored) > _MISSED
            or len(self.facts.at) - self._began > _HELD
        ):
            self.forget()
        self._records, self._covered = found.records, found.covered
        return super().at_head(conn)

    def goes_on(self, conn: Connection, unit: Layer) -> bool:
        """Whether the events of this unit are on top; what is missed is then fetched by `conn`."""
        self._conn = weakref.ref(conn)
        return self.laid(unit)

    def take(
        self,
        head: Head,
        events: Iterable[ev.StoredEvent],  # noqa: ARG002 - read back, when they can fetch too
        leaves: Sequence[bytes],
    ) -> None:
        """Note how far goes what was appended here."""
        self._stored = head.size + len(leaves)

    def _follow(self, conn: Connection, log: int) -> bool:
        if not self.facts.size:
            self._begin(conn)
        return super()._follow(conn, log)

    def _begin(self, conn: Connection) -> None:
        records, size = self._records, self._covered
        if records is None or not size:
            raise Unheld("there is nothing to begin with")
        log = records.log_id
        last = read.recorded_at(conn, self.tables, log, size - 1)
        source = _Source(self, records, size)
        self.facts = Near(records.before(size), source, size=size, last_recorded=last)
        self._began = len(self.facts.at)
        self._leaves.extend(read.leaf_hashes(conn, self.tables, log, size - 1, size))

    @property
    def connection(self) -> Connection:
        """The connection in use: a host's pool may hold no other one.

        Raises:
            Unheld: nothing is in use.
        """
        conn = None if self._conn is None else self._conn()
        if conn is None or conn.closed:
            raise Unheld("nothing is connected")
        return conn


class _Source:
    """What the log holds below a size, found by the tables of cells."""

    def __init__(self, fold: _Fetching, records: Records, size: int) -> None:
        self._fold, self._records, self._size = fold, records, size

    def of_ids(self, ids: Collection[str]) -> Iterable[ev.StoredEvent]:
        """The events with some ids, and all that bears on them."""
        near = self._near
        rows = read.rows_by_id(near.conn, near.tables, near.records.log_id, ids)
        return self._closed(near, {row.seq for row in rows})

    def of_key(self, kind: str, key: str) -> Iterable[ev.StoredEvent]:
        """What a host knows by an id of its own, or knew, and all that bears on it."""
        near = self._near
        return self._closed(near, near.linked(cells.KEY, {cells.number_of_key(kind, key)}))

    def of_utterance(self, utterance: str) -> Iterable[ev.StoredEvent]:
        """The acts of an utterance, and all that bears on them."""
        near = self._near
        return self._closed(near, near.linked(cells.UTTERANCE, {cells.number_of(utterance)}))

    def lately(self, kind: str) -> Iterable[str]:
        """What a host calls the last claims or documents."""
        return self._near.lately(kind)

    @property
    def _near(self) -> Narrowed:
        return Narrowed(self._fold.connection, self._fold.tables, self._records, self._size)

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
