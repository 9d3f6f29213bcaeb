"""The holes of a log: slots that are empty though their entries commit to them.

Here lives the test that each was made by an erasure: a later event of the same log, as sound as any
other, that names the event and the slot. A hole that none explains is an alarm, and so is a slot
that stands in spite of its erasure. A range of the log has holes that are explained behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs
import msgspec
from sqlalchemy import Connection

from ledger.codec.entry import SLOTS, Row, commitment, payload
from ledger.errors import CommitmentMismatch
from ledger.merkle.hashing import leaf_hash
from ledger.store import read
from ledger.store.tables import Tables

ERASURE: Final = "content_erased"

Find = Callable[[str], Row | None]
"""The event with an id, None where the log has none."""


@attrs.define
class Holes:
    """The holes met on a walk along the log, until an erasure explains them."""

    _find: Find
    explained: int = 0
    _open: dict[str, tuple[int, set[str]]] = attrs.field(factory=dict)

    def note(self, row: Row, slots: Iterable[str]) -> None:
        """Take down slots of an event that are empty against its entry.

        Raises:
            CommitmentMismatch: it is what an erasure says, which nothing erases.
        """
        empty = set(slots)
        if row.type == ERASURE and empty != {"by"}:
            raise unexplained(row.seq, next(slot for slot in SLOTS if slot in empty - {"by"}))
        self._open[row.id] = row.seq, empty

    def erasure(self, row: Row) -> None:
        """Let an erasure, whose slots were found to be as its entry commits to, explain holes.

        Raises:
            CommitmentMismatch: a slot that it names is not empty.
        """
        said = _said(row)
        target, slots = said.get("target"), said.get("slots")
        if not isinstance(target, str) or not isinstance(slots, list):
            return
        named = self._find(target)
        if named is None or named.seq >= row.seq:
            return
        for slot in SLOTS:
            if slot in slots and named.slot(slot) is not None:
                raise CommitmentMismatch(
                    f"The slot {slot!r} at sequence {named.seq} holds something, though it was "
                    f"erased at sequence {row.seq}: it was put back.",
                    sequence=named.seq,
                )
        if target in self._open:
            seq, empty = self._open[target]
            self.explained += len(empty & set(slots))
            self._open[target] = seq, empty - set(slots)
            if not self._open[target][1]:
                del self._open[target]

    def settle(self, conn: Connection, tables: Tables, log_id: int, start: int, stop: int) -> None:
        """Look for explanations from `start` on, where nothing was audited, and raise the alarm.

        Raises:
            CommitmentMismatch: nothing explains a hole; the first one is told.
        """
        last = start - 1
        while self._open and last < stop - 1:
            page = read.page(conn, tables, log_id, after=last, until=stop, types={ERASURE})
            for row in page.rows:
                if leaf_hash(row.entry.encode()) == row.leaf_hash and _is_sound(row):
                    self.erasure(row)
            last = page.last
        if self._open:
            seq, empty = min(self._open.values(), key=lambda one: one[0])
            raise unexplained(seq, next(slot for slot in SLOTS if slot in empty))


def unexplained(sequence: int, slot: str) -> CommitmentMismatch:
    """The alarm over a hole."""
    return CommitmentMismatch(
        f"The slot {slot!r} at sequence {sequence} is empty, though its entry commits to it and no "
        "erasure says why.",
        sequence=sequence,
    )


def _said(row: Row) -> Mapping[str, Any]:
    try:
        said = msgspec.json.decode(payload(row.what)) if row.what is not None else None
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def _is_sound(row: Row) -> bool:
    """Whether an entry is of an erasure, and commits to what the erasure says."""
    try:
        entry = msgspec.json.decode(row.entry)
        return bool(
            entry["type"] == ERASURE
            and entry["id"] == row.id
            and row.what is not None
            and entry["slots"]["what"] == commitment(row.what)
        )
    except (ValueError, KeyError, TypeError):
        return False
