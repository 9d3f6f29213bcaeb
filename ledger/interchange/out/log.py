"""A log as it is, entry by entry, so that it can be restored to the last hash.

A line says which log it is, how long, and the root over it; then comes a line for each event: the
entry as it was hashed, and its slots with their salts. The format is docs/reference/log-file.md;
`ledger.interchange.restoring` reads it. What was erased is not in it, its erasure is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

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
    missing: set[tuple[str, str]] = set()
    for row in view.entries():
        yield _line(row)
        missing |= {(row.id, name) for name in lost(row)}
        missing -= set(erased_by(row))
    if missing:
        raise InvalidView(
            f"The first {view.basis} events lost {len(missing)} slots to erasures that came "
            "later, and without those nobody could tell why. Export the whole log: leave known= "
            "out.",
            field="known",
            given=str(view.known),
        )


def _line(row: Row) -> dict[str, Any]:
    slots = {
        name: {"salt": slot[:SALT_BYTES].hex(), "json": slot[SALT_BYTES:].decode()}
        for name in SLOTS
        if (slot := row.slot(name)) is not None
    }
    return {"sequence": row.seq, "entry": row.entry, "slots": slots}


def lost(row: Row) -> list[str]:
    """The slots that an entry commits to and that are not there any more."""
    return [name for name in json.loads(row.entry)["slots"] if row.slot(name) is None]


def erased_by(row: Row) -> list[tuple[str, str]]:
    """What an erasure takes away: ids of events, each with the name of a slot."""
    if row.type != "content_erased" or row.what is None:
        return []
    told = json.loads(row.what[SALT_BYTES:])
    return [(told["target"], name) for name in told["slots"]]
