"""What a later version of a file does not hold any more, struck out where that is wanted.

Here live the rows of the versions by the ledger's ids, what of them is gone, and the amendments.
Parties, topics, propositions, occurrences and documents stay, since others may name them.

```
refused, as it was in each version from the first    it never was in the ledger, so cannot be gone
refused, and not so in the version before            perhaps it is what seems to be gone: all stays
```
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import attrs

from ledger.appending import Appender
from ledger.interchange.items import Item
from ledger.interchange.outcomes import Outcome
from ledger.receipt import Receipt
from ledger.recording import named, undoing
from ledger.recording.intake import Intake, Made

_AT_ONCE: Final = 500
_STAYING: Final = frozenset({"party", "topic", "proposition", "occurrence", "document"})


@attrs.define
class Rows:
    """What a version of a file holds: records by the ledger's ids, and what was refused."""

    ids: set[str] = attrs.field(factory=set)
    turned_down: set[bytes] = attrs.field(factory=set)

    def entered(self, receipts: Sequence[Receipt]) -> None:
        """Add what was entered, or was there already."""
        self.ids.update(one.ledger_id for one in receipts)

    def refused(self, item: Item, outcome: Outcome) -> None:
        """Add a place that was refused, unless it is one of what stays anyway."""
        if outcome.type not in _STAYING:
            self.turned_down.add(_mark_of(item))


def _mark_of(item: Item) -> bytes:
    """By what a refused place is known again: what it says, however the file is laid out."""
    if item.value is not None:
        told = json.dumps(item.value, sort_keys=True, default=repr, ensure_ascii=True).encode()
    elif item.line.raw:
        told = item.line.raw.strip()
    else:  # it may be all that follows
        return os.urandom(32)
    return hashlib.sha256(told).digest()


@attrs.define
class Standing:
    """What the versions of a file hold, up to one of them."""

    ids: set[str] = attrs.field(factory=set)
    _turned_down: set[bytes] | None = None
    _doubtful: set[bytes] = attrs.field(factory=set)

    def gone(self, rows: Rows) -> tuple[Collection[str], str]:
        """What stood and is not in the next version; or nothing, and why it stays."""
        before, gone = self._turned_down, self.ids - rows.ids
        fresh = set() if before is None else rows.turned_down - before
        self._doubtful = self._doubtful & rows.turned_down | fresh
        self._turned_down = rows.turned_down
        if self._doubtful:
            self.ids |= rows.ids
            what = "a record is" if len(self._doubtful) == 1 else f"{len(self._doubtful)} are"
            return (), f"{what} refused that may be what seems to be gone" if gone else ""
        self.ids = rows.ids
        return gone, ""


def strike_out(appender: Appender, gone: Collection[str], *, reason: str) -> int:
    """Strike out those of some records that still stand and that nothing names; how many."""
    many = 0
    left = iter(sorted(gone))
    while ids := list(itertools.islice(left, _AT_ONCE)):

        def entry(intake: Intake, ids: Sequence[str] = ids) -> list[Made]:
            return list(_struck_out(intake, ids, reason))

        many += len(appender.append(entry))
    return many


def _struck_out(intake: Intake, ids: Sequence[str], reason: str) -> Iterator[Made]:
    for id_ in ids:
        event = intake.get(id_, object)
        if event is not None and not isinstance(event, named.NAMED):
            yield undoing.amend(intake, id_, reason=reason, strike_out=True, fields={})
