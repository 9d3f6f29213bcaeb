"""What the statement that writes a batch on PostgreSQL is handed: values, or columns of many.

Here lives which part of a draft goes by which name. The statement is in `on_postgres`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.codec.entry import SLOTS
from ledger.store.arrays import Array, Blobs, Instants, Numbers, Texts
from ledger.store.batch import Batch

KINDS: Final[Mapping[str, type[Array]]] = {
    **dict.fromkeys(("id", "type", "stream", "entry", "streams", "ids"), Texts),
    **dict.fromkeys(("leaf_hash", *(f"slot_{name}" for name in SLOTS)), Blobs),
    **dict.fromkeys(("stream_v", "expected", "versions"), Numbers),
    "known_at": Instants,
}
"""As which array each column is sent."""


def scalars(batch: Batch) -> dict[str, Any]:
    """The only draft of a batch, and where it moves its stream."""
    (draft,) = batch.drafts
    slot = draft.slots.get
    return {
        "id": draft.id,
        "type": draft.type,
        "stream": draft.stream,
        "stream_v": draft.stream_v,
        "known_at": batch.latest[0],
        "entry": draft.entry,
        "leaf_hash": draft.leaf_hash,
        "slot_who": slot("who"),
        "slot_what": slot("what"),
        "slot_words": slot("words"),
        "slot_by": slot("by"),
        "streams": draft.stream,
        "expected": draft.stream_v - 1,
        "versions": draft.stream_v,
    }


def moves(batch: Batch) -> dict[str, list[Any]]:
    """The streams by columns, and where the batch moves them."""
    at = batch.moves
    return {
        "streams": [*at],
        "expected": [expected for expected, _ in at.values()],
        "versions": [version for _, version in at.values()],
    }


def columns(batch: Batch, part: slice, known: Sequence[dt.datetime]) -> dict[str, list[Any] | None]:
    """A part of the drafts by columns.

    `unnest` pads a short array with NULL, so a slot that no draft has is sent as NULL.
    """
    drafts = batch.drafts[part]
    slots = [draft.slots for draft in drafts]
    there = frozenset().union(*slots)
    return {
        "id": [draft.id for draft in drafts],
        "type": [draft.type for draft in drafts],
        "stream": [draft.stream for draft in drafts],
        "stream_v": [draft.stream_v for draft in drafts],
        "known_at": list(known[part]),
        "entry": [draft.entry for draft in drafts],
        "leaf_hash": [draft.leaf_hash for draft in drafts],
        **{
            f"slot_{name}": [each.get(name) for each in slots] if name in there else None
            for name in SLOTS
        },
    }
