"""Which slots of a log are empty, and which of them an erasure among its entries accounts for."""

from __future__ import annotations

import json

import attrs

from ledger.codec.entry import Row, payload


@attrs.define
class Emptied:
    """The slots that entries commit to and do not hold, each until its erasure is looked at.

    `missing` names them by the id of their event.
    """

    missing: set[tuple[str, str]] = attrs.field(factory=set)

    def look(self, row: Row) -> None:
        """Look at the next entry of the log."""
        promised = json.loads(row.entry)["slots"]
        self.missing |= {(row.id, name) for name in promised if row.slot(name) is None}
        if row.type == "content_erased" and row.what is not None:
            told = json.loads(payload(row.what))
            self.missing -= {(told["target"], name) for name in told["slots"]}
