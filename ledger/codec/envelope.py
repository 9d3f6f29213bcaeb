"""Between events and rows: new events into drafts, stored rows into events.

This is where the ids, the recorder and the slots of `ledger.codec.entry` and the fields of
`ledger.codec.converter` come together. The rows' place in a database is `ledger.store`.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, Final, cast

import orjson

from ledger.codec import converter, entry
from ledger.codec.canonical import canonical
from ledger.codec.upcasts import upcast
from ledger.errors import CodecError
from ledger.model.events import Erased, NewEvent, Recorder, StoredEvent

_NEEDED: Final = ("who", "what")


def seal(
    new: NewEvent,
    *,
    log: str,
    recorded_at: dt.datetime,
    recorder: Recorder,
    causation: str | None = None,
    correlation: str | None = None,
) -> entry.Draft:
    """Salt an event's slots and write its entry, ready for the log."""
    slots = {
        name: entry.salted(payload) for name, payload in converter.encode_slots(new.event).items()
    }
    slots["by"] = entry.salted(_by(recorder))
    name = converter.type_name(new.event)
    return entry.draft(
        log=log,
        id=new.id,
        type=name,
        type_v=converter.VERSIONS[name],
        stream=new.stream,
        stream_v=new.stream_v,
        recorded_at=recorded_at,
        recorder=recorder.id,
        slots=slots,
        causation=causation,
        correlation=correlation,
    )


@functools.lru_cache(maxsize=100)
def _by(recorder: Recorder) -> bytes:
    by = {"name": recorder.name, "tool": recorder.tool}
    return canonical({key: value for key, value in by.items() if value})


def opened(row: entry.Row) -> StoredEvent:
    """The event of a stored row; what was erased of it is named, never guessed.

    Raises:
        CodecError: an entry or slot that is not of this format.
    """
    try:
        return _opened(row)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CodecError(
            f"The event at sequence {row.seq} is not of this format: {error}. "
            "ledger.verify() tells whether it was changed."
        ) from error


def _opened(row: entry.Row) -> StoredEvent:
    head = cast("dict[str, Any]", orjson.loads(row.entry))
    committed = head["slots"]
    payloads = {
        name: entry.payload(slot) for name in committed if (slot := row.slot(name)) is not None
    }
    erased = tuple(name for name in entry.SLOTS if name in committed and name not in payloads)
    by = cast("dict[str, str]", orjson.loads(payloads.pop("by"))) if "by" in payloads else {}
    lost = tuple(name for name in erased if name in _NEEDED)
    type_, version = head["type"], head["type_v"]
    event = (
        Erased(type_, lost) if lost else converter.decode(type_, upcast(type_, version, payloads))
    )
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
