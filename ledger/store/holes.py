"""The holes of a log: slots that are empty though their entries commit to them.

Here lives the test that each was made by an erasure: a later event of the same log, as sound as any
other, that names the event and the slot. A hole that none explains is an alarm, and so is a slot
that stands in spite of its erasure. A range of the log has holes that are explained behind it, and
erasures of what lies before it.
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
    _earlier: dict[str, set[str]] = attrs.field(factory=dict)

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
        target, slots = _named(row)
        if target is None:
            return
        found = self._find(target)
        if found is None or found.seq >= row.seq:
            return
        for slot in SLOTS:
            if slot in slots and found.slot(slot) is not None:
                raise CommitmentMismatch(
                    f"The slot {slot!r} at sequence {found.seq} holds something, though it was "
                    f"erased at sequence {row.seq}: it was put back.",
                    sequence=found.seq,
                )
        self._explain(target, slots)

    def told(self) -> Mapping[str, Any]:
        """What whoever puts stretches of a log together needs to know of this one, as JSON."""
        return {
            "explained": self.explained,
            "open": {id_: [seq, sorted(slots)] for id_, (seq, slots) in self._open.items()},
            "earlier": {id_: sorted(slots) for id_, slots in self._earlier.items()},
        }

    def join(self, told: Mapping[str, Any]) -> None:
        """Take what was found in the stretch that follows."""
        self.explained += told["explained"]
        for id_, slots in told["earlier"].items():
            self._explain(id_, set(slots))
        for id_, (seq, slots) in told["open"].items():
            self._open[id_] = seq, set(slots)

    def settle(
        self,
        conn: Connection,
        tables: Tables,
        log_id: int,
        start: int,
        stop: int,
        *,
        before: int | None = None,
    ) -> None:
        """Look for explanations from `start` on, where nothing was audited, and raise the alarm.

        Only holes `before` a sequence raise it, where one is given.

        Raises:
            CommitmentMismatch: nothing explains a hole; the first one is told.
        """
        last = start - 1
        while self._open and last < stop - 1:
            page = read.page(conn, tables, log_id, after=last, until=stop, types={ERASURE})
            for row in page.rows:
                if leaf_hash(row.entry.encode()) == row.leaf_hash and _is_sound(row):
                    target, slots = _named(row)
                    if target in self._open:
                        self._explain(target, slots)
            last = page.last
        if self._open:
            seq, empty = min(self._open.values(), key=lambda one: one[0])
            if before is None or seq < before:
                raise unexplained(seq, next(slot for slot in SLOTS if slot in empty))

    def _explain(self, target: str, slots: set[str]) -> None:
        seq, empty = self._open.pop(target, (0, set[str]()))
        self.explained += len(empty & slots)
        if empty - slots:
            self._open[target] = seq, empty - slots
        if slots - empty:
            self._earlier.setdefault(target, set()).update(slots - empty)


def empty_slots(row: Row, entry: Mapping[str, Any]) -> list[str]:
    """The slots that are empty though the entry commits to them; the others are looked at.

    Raises:
        CommitmentMismatch: one is not what the entry commits to.
    """
    empty = []
    for name in SLOTS:
        slot, promised = row.slot(name), entry["slots"].get(name)
        if slot is None and promised is None:
            continue
        if slot is None:
            empty.append(name)
            continue
        if promised is None:
            found = "is filled, though its entry commits to none"
        elif commitment(slot) != promised:
            found = "was changed: it is not what its entry commits to"
        else:
            continue
        raise CommitmentMismatch(
            f"The slot {name!r} at sequence {row.seq} {found}.", sequence=row.seq
        )
    return empty


def unexplained(sequence: int, slot: str) -> CommitmentMismatch:
    """The alarm over a hole."""
    return CommitmentMismatch(
        f"The slot {slot!r} at sequence {sequence} is empty, though its entry commits to it and no "
        "erasure says why.",
        sequence=sequence,
    )


def _named(row: Row) -> tuple[str | None, set[str]]:
    """The event that an erasure names, and the slots; None where it says neither."""
    try:
        said = msgspec.json.decode(payload(row.what)) if row.what is not None else None
    except ValueError:
        said = None
    match said:
        case {"target": str(target), "slots": list(slots)}:
            return target, {one for one in slots if isinstance(one, str)}
        case _:
            return None, set()


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
