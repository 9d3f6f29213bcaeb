"""Between events and rows: new events into drafts, stored rows into events.

This is where the ids, the recorder and the slots of `ledger.codec.entry` and the fields of
`ledger.codec.converter` come together. The rows' place in a database is `ledger.store`.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, UnsetType

from ledger.codec import compiled, converter, entry
from ledger.codec.canonical import canonical
from ledger.codec.images import Unusual
from ledger.codec.making import maker
from ledger.codec.upcasts import upcast
from ledger.errors import CodecError
from ledger.model.erasing import KINDLESS, NAMELESS, needed
from ledger.model.events import Event, NewEvent, Recorder, Remains, StoredEvent

# -- writing ------------------------------------------------------------------------------------


def seal_all(
    events: Sequence[NewEvent],
    *,
    log: str,
    recorded_at: dt.datetime,
    recorder: Recorder,
    causation: str | None = None,
    correlation: str | None = None,
) -> list[entry.Draft]:
    """Salt the slots of events and write their entries; the system is asked for salts once.

    Raises:
        NotCanonical: the profile cannot hold a value of an event.
        CodecError: an entry would be longer than the format allows.
    """
    by = _by(recorder)
    each = entry.SALT_BYTES * len(entry.SLOTS)
    salts = os.urandom(each * len(events))
    draft = entry.drafter(
        log=log,
        recorded_at=recorded_at,
        recorder=recorder.id,
        causation=causation,
        correlation=correlation,
    )
    drafts = []
    for at, new in enumerate(events):
        payloads = compiled.encode_slots(new.event)
        payloads["by"] = by
        type_ = converter.type_name(new.event)
        version, salt = converter.VERSIONS[type_], salts[at * each : (at + 1) * each]
        drafts.append(draft(new.id, type_, version, new.stream, new.stream_v, payloads, salt))
    return drafts


@functools.lru_cache(maxsize=100)
def _by(recorder: Recorder) -> bytes:
    by = {"name": recorder.name, "tool": recorder.tool}
    return canonical({key: value for key, value in by.items() if value})


# -- reading ------------------------------------------------------------------------------------


class _Committed(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    who: str | UnsetType = UNSET
    what: str | UnsetType = UNSET
    words: str | UnsetType = UNSET
    by: str | UnsetType = UNSET


class _Head(msgspec.Struct, gc=False):
    """What of an entry is not in the row's columns."""

    type: str
    type_v: int
    recorder: str
    slots: _Committed
    causation: str | None = None
    correlation: str | None = None


class _By(msgspec.Struct, gc=False):
    name: str = ""
    tool: str = ""


_head: Final = msgspec.json.Decoder(_Head).decode
_named: Final = msgspec.json.Decoder(_By).decode
_stored: Final = maker(StoredEvent)


def opened(row: entry.Row) -> StoredEvent:
    """The event of a stored row; what was erased of it is named, never guessed.

    Raises:
        CodecError: an entry or slot that is not of this format.
    """
    try:
        return _usual(row)
    except Exception:  # noqa: BLE001 - what it is, and whether it is an error, is found out below
        return _unusual(row)


def _usual(row: entry.Row) -> StoredEvent:
    """An event of today's version, read through images; anything else raises, whatever it is."""
    head = _head(row.entry)
    type_, committed = head.type, head.slots
    if head.type_v != converter.VERSIONS[type_]:
        raise Unusual
    payloads: dict[str, bytes] = {}
    erased: tuple[str, ...] = ()
    for name, promised, slot in (
        ("who", committed.who, row.who),
        ("what", committed.what, row.what),
        ("words", committed.words, row.words),
    ):
        if promised is UNSET:
            continue
        if slot is None:
            erased += (name,)
        else:
            payloads[name] = slot[entry.SALT_BYTES :]
    by = None if row.by is None or committed.by is UNSET else row.by[entry.SALT_BYTES :]
    event: Event | Remains
    event = _left(type_, row.id, erased, payloads) if erased else compiled.decode(type_, payloads)
    if by is None and committed.by is not UNSET:
        erased += ("by",)
    return _stored(
        (
            *(row.seq, row.id, type_, head.type_v, row.stream, row.stream_v, row.known_at),
            *(_recorder(head.recorder, by), head.causation, head.correlation),
            event,
            erased,
        )
    )


def _left(
    type_: str, id_: str, erased: Sequence[str], payloads: Mapping[str, bytes]
) -> Event | Remains:
    """An event of which some slots may be gone, as `ledger.model.erasing` has it."""
    lost = tuple(name for name in erased if name in needed(type_))
    if lost:
        what = payloads.get("what")
        said = cast("dict[str, Any]", msgspec.json.decode(what)) if what is not None else {}
        left = tuple(name for name in entry.SLOTS if name in payloads and name != "by")
        return Remains(type_, lost, left, said.get("key"))
    if type_ == "party_registered":
        blank = {"who": {"key": id_, "name": NAMELESS}, "what": {"kind": KINDLESS}}
        gone = {slot: canonical(blank[slot]) for slot in erased if slot in blank}
        payloads = {**payloads, **gone}
    return compiled.decode(type_, payloads)


@functools.lru_cache(maxsize=1_000)
def _recorder(id_: str, by: bytes | None) -> Recorder:
    named = _By() if by is None else _named(by)
    return Recorder(id=id_, name=named.name, tool=named.tool)


def _unusual(row: entry.Row) -> StoredEvent:
    try:
        return _opened(row)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CodecError(
            f"The event at sequence {row.seq} is not of this format: {error}. "
            "ledger.verify() tells whether it was changed."
        ) from error


def _opened(row: entry.Row) -> StoredEvent:
    head = cast("dict[str, Any]", msgspec.json.decode(row.entry))
    committed = head["slots"]
    slots = {name: row.slot(name) for name in committed}
    payloads = {
        name: entry.payload(slot) for name in entry.SLOTS if (slot := slots.get(name)) is not None
    }
    erased = tuple(name for name in entry.SLOTS if name in committed and name not in payloads)
    by = cast("dict[str, str]", msgspec.json.decode(payloads.pop("by"))) if "by" in payloads else {}
    type_, version = head["type"], head["type_v"]
    event = _left(type_, row.id, erased, upcast(type_, version, payloads))
    return StoredEvent(
        sequence=row.seq,
        id=row.id,
        type=type_,
        type_v=version,
        stream=row.stream,
        stream_v=row.stream_v,
        recorded=row.known_at,
        recorder=Recorder(id=head["recorder"], name=by.get("name", ""), tool=by.get("tool", "")),
        causation=head.get("causation"),
        correlation=head.get("correlation"),
        event=event,
        erased=erased,
    )
