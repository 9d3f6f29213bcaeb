"""Whether a row is as it was written, in the time that its hashes take; else one must look closer.

Here lives the quick yes of the audit. It knows no errors: whatever is in any way unusual, an entry
written by another hand or an emptied slot, is for `ledger.store.audit` to look at and to name.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from ledger.codec.entry import FORMAT, Row, commitment


class _Slots(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    by: str | UnsetType = UNSET
    what: str | UnsetType = UNSET
    who: str | UnsetType = UNSET
    words: str | UnsetType = UNSET


# The keys in the order of canonical JSON: what is read and written again is the very same text.
class _Entry(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    log: str
    recorded_at: str
    recorder: str
    slots: _Slots
    stream: str
    stream_v: int
    type: str
    type_v: int
    v: str


_decode: Final = msgspec.json.Decoder(_Entry).decode
_encode: Final = msgspec.json.Encoder().encode


def sound(row: Row, origin: str) -> str | None:
    """When a row's entry says it was recorded, if hash, slots and columns all fit; else None.

    Every slot is looked at, and an entry in which a key stands twice, or elsewhere than it is
    written, fits nothing.
    """
    data = row.entry.encode()
    if sha256(b"\0" + data).digest() != row.leaf_hash:
        return None
    try:
        entry = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    slots = entry.slots
    # An empty column is None, a slot not committed to is UNSET: the two never go together.
    if (
        (UNSET if row.who is None else commitment(row.who)) != slots.who
        or (UNSET if row.what is None else commitment(row.what)) != slots.what
        or (UNSET if row.words is None else commitment(row.words)) != slots.words
        or (UNSET if row.by is None else commitment(row.by)) != slots.by
        or entry.id != row.id
        or entry.stream != row.stream
        or entry.stream_v != row.stream_v
        or entry.type != row.type
        or entry.log != origin
        or entry.v != FORMAT
        or _encode(entry) != data
    ):
        return None
    return entry.recorded_at
