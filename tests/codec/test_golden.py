"""The bytes of every event type ever shipped: written the same today, and still read.

A golden file is never changed. After a new type or version: `python tests/codec/test_golden.py`
writes the files that are missing; commit them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import converter, entry
from ledger.codec.canonical import canonical
from ledger.codec.envelope import opened
from ledger.model import events as ev
from tests import drafts

FOLDER = Path(__file__).parent / "golden"
SALTS = {name: hashlib.sha256(f"golden {name}".encode()).digest() for name in entry.SLOTS}
FILES = sorted(FOLDER.glob("*.json"))
EXPECTED = [
    f"{name}_v{version}.json"
    for name, last in sorted(converter.VERSIONS.items())
    for version in range(1, last + 1)
]


def written(event: ev.Event) -> dict[str, Any]:
    """An event as the library writes it, with salts and ids that are always the same."""
    type_ = converter.type_name(event)
    payloads = {
        **converter.encode_slots(event),
        "by": canonical({"name": "The evening desk", "tool": "by hand"}),
    }
    draft = drafts.draft(
        log="golden",
        id="01860000-0000-7000-8000-000000000001",
        type=type_,
        type_v=converter.VERSIONS[type_],
        stream="01860000-0000-7000-8000-000000000002",
        stream_v=4,
        recorded_at=entry.read_instant("2023-02-23T12:00:00.000005Z"),
        recorder="desk-7",
        slots={name: drafts.salted(one, salt=SALTS[name]) for name, one in payloads.items()},
        causation="01860000-0000-7000-8000-000000000003",
        correlation="batch-1",
    )
    return {
        "slots": {name: payloads[name].decode() for name in entry.SLOTS if name in payloads},
        "entry": draft.entry,
        "leaf_hash": draft.leaf_hash.hex(),
    }


def row_of(golden: dict[str, Any]) -> entry.Row:
    head = json.loads(golden["entry"])
    slots: dict[str, bytes | None] = dict.fromkeys(entry.SLOTS)
    slots |= {name: SALTS[name] + text.encode() for name, text in golden["slots"].items()}
    return entry.Row(
        seq=0,
        known_at=entry.read_instant(head["recorded_at"]),
        id=head["id"],
        type=head["type"],
        stream=head["stream"],
        stream_v=head["stream_v"],
        entry=golden["entry"],
        leaf_hash=bytes.fromhex(golden["leaf_hash"]),
        **slots,
    )


def read(file: Path) -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return golden


def test_there_is_one_golden_file_for_every_version_of_every_type_and_no_other():
    assert [file.name for file in FILES] == EXPECTED


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_stored_bytes_are_read_back_as_the_event_they_were(file, events):
    stored = opened(row_of(read(file)))
    assert stored.event == events[stored.type]
    assert stored.erased == ()
    assert stored.recorder == ev.Recorder(id="desk-7", name="The evening desk", tool="by hand")
    assert (stored.stream_v, stored.correlation) == (4, "batch-1")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_todays_version_writes_the_very_same_bytes(file, events):
    type_, _, version = file.stem.rpartition("_v")
    if int(version) == converter.VERSIONS[type_]:
        assert written(events[type_]) == read(file)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_leaf_is_the_rfc_6962_hash_of_its_entry(file):
    golden = read(file)
    leaf = hashlib.sha256(b"\0" + golden["entry"].encode()).hexdigest()
    assert leaf == golden["leaf_hash"]


@pytest.mark.parametrize("type_", sorted(converter.TYPES))
def test_the_golden_events_leave_no_field_at_its_default(type_, events):
    event = events[type_]
    told = {key for fields in converter.unstructure(event).values() for key in fields}
    assert told == set(converter._FIELD_SLOTS[type(event)])


if __name__ == "__main__":
    import runpy

    full = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["FULL"]
    for name, version in converter.VERSIONS.items():
        target = FOLDER / f"{name}_v{version}.json"
        if not target.exists():
            text = json.dumps(written(full[name]), ensure_ascii=False, indent=1)
            target.write_text(text + "\n", encoding="utf-8")
