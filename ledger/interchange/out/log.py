"""A log as it is, entry by entry, so that it can be restored to the last hash.

A line says which log it is, how long, and the root over it; then comes a line for each event: the
entry as it was hashed, and its slots with their salts. The format is docs/reference/log-file.md;
`ledger.interchange.restoring` reads it. What was erased is not in it, its erasure is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

from ledger.codec.emptied import Emptied
from ledger.codec.entry import SALT_BYTES, SLOTS, Row
from ledger.errors import InvalidView
from ledger.view import View

FORMAT: Final = "claimledger-log/1"

_encode: Final = msgspec.json.Encoder().encode


def write(view: View, file: BinaryIO) -> int:
    """Write the entries that a view knows; gives the number of lines, one more than the entries.

    Raises:
        InvalidView: what was erased of them was erased later: the erasure would be left behind.
    """
    count = 0
    for line in lines(view):
        file.write(_encode(line) + b"\n")
        count += 1
    return count


def lines(view: View) -> Iterator[dict[str, Any]]:
    """The lines as objects.

    Raises:
        InvalidView: as `write`, once all entries were given.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     head, first = lines(ledger.as_of())
        >>> head["format"], head["size"], first["slots"]["what"]["json"]
        ('claimledger-log/1', 1, '{"key":"dam","label":"The dam"}')
    """
    checkpoint = view.checkpoint()
    yield {
        "format": FORMAT,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
    emptied = Emptied()
    for row in view.entries():
        yield _line(row)
        emptied.look(row)
    if many := len(emptied.missing):
        slots = "1 slot" if many == 1 else f"{many} slots"
        remedy = (
            "It was erased while the log was written, or since the view was made: export the log "
            "again, with a new view."
            if view.known is None
            else "Export the whole log: leave known= out."
        )
        raise InvalidView(
            f"The first {view.basis} events lost {slots} to erasures that came later, and without "
            f"those nobody could tell why. {remedy}",
            field="known",
            given=None if view.known is None else str(view.known),
        )


def _line(row: Row) -> dict[str, Any]:
    slots = {
        name: {"salt": slot[:SALT_BYTES].hex(), "json": slot[SALT_BYTES:].decode()}
        for name in SLOTS
        if (slot := row.slot(name)) is not None
    }
    return {"sequence": row.seq, "entry": row.entry, "slots": slots}
