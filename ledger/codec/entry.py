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
import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import attrs

from ledger.codec.canonical import MAX_INTEGER, canonical
from ledger.codec.making import maker
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
    stream: str
    stream_v: int
    recorded_at: dt.datetime
    entry: str
    leaf_hash: bytes
    slots: Mapping[str, bytes]


class Row(NamedTuple):
    """One row of the log, as stored: a tuple, since most are made to be opened at once."""

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
        if name not in SLOTS:
            raise CodecError(f"There is no slot {name!r}; the slots are {', '.join(SLOTS)}.")
        found: bytes | None = getattr(self, name)
        return found


row_of: Final[Callable[[Iterable[Any]], Row]] = Row._make
"""A row out of its columns, in the order of the fields above, as a database gives them."""


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


_BEFORE_SALT: Final = _TAG + SALT_BYTES.to_bytes(8, "big")
_AFTER_SALT: Final = _sized(MEDIA_TYPE)


def commitment(slot: bytes) -> str:
    """The hex SHA-256 commitment to a salted slot, as the entry holds it.

    Example:
        >>> commitment(bytes(32) + b'{"act":"assert"}')[:16]
        'ef584287a608c7da'
    """
    if len(slot) < SALT_BYTES:  # none of ours: what there is of a salt is hashed behind its length
        return hashlib.sha256(_TAG + _sized(slot) + _AFTER_SALT + _sized(b"")).hexdigest()
    return _committed(slot[:SALT_BYTES], slot[SALT_BYTES:])


def _committed(salt: bytes, payload: bytes) -> str:
    size = len(payload).to_bytes(8, "big")
    return hashlib.sha256(b"".join((_BEFORE_SALT, salt, _AFTER_SALT, size, payload))).hexdigest()


def payload(slot: bytes) -> bytes:
    """The canonical JSON inside a salted slot."""
    return slot[SALT_BYTES:]


def write_instant(instant: dt.datetime) -> str:
    """An aware instant as fixed-width UTC text, which sorts as it reads.

    Example:
        >>> write_instant(dt.datetime(2023, 2, 23, 10, tzinfo=dt.UTC))
        '2023-02-23T10:00:00.000000Z'
    """
    utc = instant if instant.tzinfo is dt.UTC else instant.astimezone(dt.UTC)
    return utc.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def read_instant(text: str) -> dt.datetime:
    """The instant that `write_instant` wrote."""
    return dt.datetime.fromisoformat(text)


Drafter = Callable[[str, str, int, str, int, Mapping[str, bytes], bytes], Draft]
"""Makes a draft from id, type, version, stream, place in it, payloads by slot, enough salt."""


def drafter(
    *,
    log: str,
    recorded_at: dt.datetime,
    recorder: str,
    causation: str | None = None,
    correlation: str | None = None,
) -> Drafter:
    """What writes the entries of one append over salted slots; what they share is written once.

    Raises:
        NotCanonical: a text that no entry can hold; raised by what is given, too.
        CodecError: an entry is longer than the format allows; raised by what is given.
    """
    tags, before, after = _shared(log, recorder, causation, correlation)
    before = f"{before}{write_instant(recorded_at)}{after}"

    def write(  # noqa: PLR0917 - in a loop over many events names would cost a tenth
        id_: str,
        type_: str,
        version: int,
        stream: str,
        stream_v: int,
        payloads: Mapping[str, bytes],
        salts: bytes,
    ) -> Draft:
        slots: dict[str, bytes] = {}
        committed = []
        for name in _BY_NAME:
            if (payload := payloads.get(name)) is not None:
                at = len(slots) * SALT_BYTES
                salt = salts[at : at + SALT_BYTES]
                slots[name] = salt + payload
                committed.append(f'"{name}":"{_committed(salt, payload)}"')
        text = (
            f"{{{tags}{_member('id', id_)}{before}{','.join(committed)}}},"
            f"{_member('stream', stream)},{_member('stream_v', stream_v)},{ending(type_, version)}"
        )
        entry = text.encode()
        if len(entry) > MAX_ENTRY_BYTES:
            raise CodecError(
                f"The entry of {type_} takes {len(entry):,} bytes, the format allows "
                f"{MAX_ENTRY_BYTES:,}. Shorten the recorder, causation or correlation id."
            )
        return _draft((id_, type_, stream, stream_v, recorded_at, text, leaf_hash(entry), slots))

    return write


def _member(key: str, value: str | int) -> str:
    """One key of an entry with its value, as `canonical` writes it."""
    if type(value) is str:
        if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
            return f'"{key}":"{value}"'
    elif type(value) is int and 0 <= value <= MAX_INTEGER:
        return f'"{key}":{value}'
    return canonical({key: value})[1:-1].decode()


@functools.lru_cache(maxsize=100)
def _shared(
    log: str, recorder: str, causation: str | None, correlation: str | None
) -> tuple[str, str, str]:
    """What the entries of one append have in common: before the id, behind it, before the slots."""
    tags = {"causation": causation, "correlation": correlation}
    return (
        "".join(f"{_member(key, tag)}," for key, tag in tags.items() if tag is not None),
        f',{_member("log", log)},"recorded_at":"',
        f'",{_member("recorder", recorder)},"slots":{{',
    )


@functools.lru_cache(maxsize=100)
def ending(type_: str, version: int) -> str:
    """How every entry of a type and version ends, whatever else it holds.

    Example:
        >>> ending("topic_defined", 1)
        '"type":"topic_defined","type_v":1,"v":"claimledger/1"}'
    """
    members = _member("type", type_), _member("type_v", version), _member("v", FORMAT)
    return ",".join(members) + "}"


_draft: Final = maker(Draft)
_BY_NAME: Final = sorted(SLOTS)
