"""Whether rows are as they were written, in the time that their hashes take; else one looks closer.

Here lives the quick yes of the audit. It knows no errors: whatever is in any way unusual, an entry
written by another hand or an emptied slot, is for `ledger.store.walk` to look at and to name. One
row is looked at by reading its entry; for many, the entry is written anew from what the columns say
and compared as text, which needs no reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ledger.codec.entry import FORMAT, SLOTS, Row, commitment


class _Slots(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    by: str | UnsetType = UNSET
    what: str | UnsetType = UNSET
    who: str | UnsetType = UNSET
    words: str | UnsetType = UNSET


# The keys in the order of canonical JSON: what is read and written again is the very same text.
class _Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    causation: str | UnsetType = UNSET
    correlation: str | UnsetType = UNSET
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


class Columns(NamedTuple):
    """Rows by their columns, in the order of the fields of `Row`; instants are texts."""

    seq: Sequence[int]
    known_at: Sequence[str]
    id: Sequence[str]
    type: Sequence[str]
    stream: Sequence[str]
    stream_v: Sequence[int]
    entry: Sequence[str]
    leaf_hash: Sequence[bytes]
    who: Sequence[bytes | None]
    what: Sequence[bytes | None]
    words: Sequence[bytes | None]
    by: Sequence[bytes | None]


def written(columns: Columns, origin: str) -> list[str | None]:
    """For each row the one entry in which columns and slots are as they are here.

    What no column says, as who recorded it, is as in the first row of its type; a row in which it
    is not gets another entry than it has. None where a text may not stand in JSON as it is.
    """
    if not (_plain(columns.id) and _plain(columns.stream) and _plain(columns.known_at)):
        return [None] * len(columns.seq)
    moulds = {
        type_: _mould(columns.entry[columns.type.index(type_)], type_, origin)
        for type_ in {*columns.type}
    }
    slots = zip(*(_committed(name, getattr(columns, name)) for name in _BY_NAME), strict=True)
    said = columns.type, columns.id, columns.known_at, columns.stream, columns.stream_v
    return [
        f"{mould[0]}{id_}{mould[1]}{known}{mould[2]}{(by + what + who + words)[:-1]}}},"
        f'"stream":"{stream}","stream_v":{version},{mould[3]}'
        if (mould := moulds[type_])
        else None
        for type_, id_, known, stream, version, (by, what, who, words) in zip(
            *said, slots, strict=True
        )
    ]


def _mould(text: str, type_: str, origin: str) -> tuple[str, str, str, str] | None:
    """What an entry holds around its id, its instant, its slots, and behind its stream.

    It need not be sound: what is made of it is compared.
    """
    try:
        entry = _decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    tags = {"causation": entry.causation, "correlation": entry.correlation}
    told = "".join(f'"{key}":{_json(tag)},' for key, tag in tags.items() if tag is not UNSET)
    return (
        f'{{{told}"id":"',
        f'","log":{_json(origin)},"recorded_at":"',
        f'","recorder":{_json(entry.recorder)},"slots":{{',
        f'"type":{_json(type_)},"type_v":{_json(entry.type_v)},"v":"{FORMAT}"}}',
    )


def _committed(name: str, slots: Iterable[bytes | None]) -> list[str]:
    """What an entry says of a slot, with the comma behind it; nothing of one that is empty."""
    before = f'"{name}":"'
    return ["" if slot is None else f'{before}{commitment(slot)}",' for slot in slots]


def _plain(texts: Iterable[str]) -> bool:
    """Whether each of these texts stands in JSON as it is."""
    whole = "".join(texts)
    return whole.isascii() and whole.isprintable() and '"' not in whole and "\\" not in whole


def _json(value: object) -> str:
    return _encode(value).decode()


_BY_NAME: Final = sorted(SLOTS)
