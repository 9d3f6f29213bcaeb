"""The entry: what one place of the log holds, as bytes (integrity.md, 1).

Here lives how an event's slots are salted and committed to, and how the entry that names the
commitments is written and hashed. The classes of events live in `ledger.model.events`, their
fields' form in `ledger.codec.converter`, the rows in `ledger.store`.

```
entry  {"id":..,"slots":{"what":"<commitment>"},..}   leaf hash: SHA-256(0x00 || entry)
slot   32 bytes of salt || canonical JSON             commitment: SHA-256(tag, salt, media type,
                                                      JSON; each but the tag behind its length)
```

The entry says nothing of its sequence: the leaf's index in the tree is the sequence, so entry,
salts and hash are made before any lock is taken.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from typing import Final

import attrs

from ledger.codec.canonical import canonical
from ledger.errors import CodecError
from ledger.merkle.hashing import leaf_hash

SLOTS: Final = ("who", "what", "words", "by")
"""The erasure units of an event, each a column of its row."""

FORMAT: Final = "claimledger/1"
MEDIA_TYPE: Final = b"application/json"
SALT_BYTES: Final = 32
MAX_ENTRY_BYTES: Final = 65_535
_TAG: Final = b"claimledger/slot/v1"


@attrs.frozen(kw_only=True)
class Draft:
    """An event in bytes, ready for the log; its sequence is not known yet."""

    id: str
    type: str
    type_v: int
    stream: str
    stream_v: int
    recorded_at: dt.datetime
    entry: str
    leaf_hash: bytes
    slots: Mapping[str, bytes]


@attrs.frozen(kw_only=True)
class Row:
    """One row of the log, as stored."""

    seq: int
    known_at: dt.datetime
    id: str
    type: str
    stream: str
    stream_v: int
    entry: str
    leaf_hash: bytes
    who: bytes | None
    what: bytes | None
    words: bytes | None
    by: bytes | None

    def slot(self, name: str) -> bytes | None:
        """The salted payload of one slot, None where there is none (or it was erased)."""
        match name:
            case "who":
                return self.who
            case "what":
                return self.what
            case "words":
                return self.words
            case "by":
                return self.by
            case _:
                raise CodecError(f"There is no slot {name!r}; the slots are {', '.join(SLOTS)}.")


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


_SIZED_MEDIA_TYPE: Final = _sized(MEDIA_TYPE)


def commitment(slot: bytes) -> str:
    """The hex SHA-256 commitment to a salted slot, as the entry holds it.

    Example:
        >>> commitment(bytes(32) + b'{"act":"assert"}')[:16]
        'ef584287a608c7da'
    """
    salt, payload = slot[:SALT_BYTES], slot[SALT_BYTES:]
    parts = (_TAG, _sized(salt), _SIZED_MEDIA_TYPE, _sized(payload))
    return hashlib.sha256(b"".join(parts)).hexdigest()


def salted(payload: bytes, *, salt: bytes | None = None) -> bytes:
    """The slot column for a payload: 32 random bytes, then the payload."""
    return (os.urandom(SALT_BYTES) if salt is None else salt) + payload


def payload(slot: bytes) -> bytes:
    """The canonical JSON inside a salted slot."""
    return slot[SALT_BYTES:]


def write_instant(instant: dt.datetime) -> str:
    """An aware instant as fixed-width UTC text, which sorts as it reads.

    Example:
        >>> write_instant(dt.datetime(2023, 2, 23, 10, tzinfo=dt.UTC))
        '2023-02-23T10:00:00.000000Z'
    """
    utc = instant.astimezone(dt.UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"


def read_instant(text: str) -> dt.datetime:
    """The instant that `write_instant` wrote."""
    return dt.datetime.fromisoformat(text)


def draft(
    *,
    log: str,
    id: str,  # noqa: A002 - the word of the format
    type: str,  # noqa: A002 - the word of the format
    type_v: int,
    stream: str,
    stream_v: int,
    recorded_at: dt.datetime,
    recorder: str,
    slots: Mapping[str, bytes],
    causation: str | None = None,
    correlation: str | None = None,
) -> Draft:
    """Write the entry of one event over its salted slots, and hash it."""
    fields: dict[str, object] = {
        "v": FORMAT,
        "log": log,
        "id": id,
        "type": type,
        "type_v": type_v,
        "stream": stream,
        "stream_v": stream_v,
        "recorded_at": write_instant(recorded_at),
        "recorder": recorder,
        "slots": {name: commitment(slots[name]) for name in SLOTS if name in slots},
    }
    if causation is not None:
        fields["causation"] = causation
    if correlation is not None:
        fields["correlation"] = correlation
    entry = canonical(fields)
    if len(entry) > MAX_ENTRY_BYTES:
        raise CodecError(
            f"The entry of {type} takes {len(entry):,} bytes, the format allows "
            f"{MAX_ENTRY_BYTES:,}. Shorten the recorder, causation or correlation id."
        )
    return Draft(
        id=id,
        type=type,
        type_v=type_v,
        stream=stream,
        stream_v=stream_v,
        recorded_at=recorded_at,
        entry=entry.decode(),
        leaf_hash=leaf_hash(entry),
        slots=dict(slots),
    )
