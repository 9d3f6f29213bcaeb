"""Events to slots and entries and back: nothing lost, nothing personal outside the slots."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator

import attrs
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import converter, entry
from ledger.codec.envelope import opened
from ledger.errors import CodecError, NotCanonical
from ledger.model import events as ev
from ledger.model.erasing import without
from ledger.recording.ids import new_id
from tests import drafts


def texts_in(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from texts_in(one)
        case list():
            for one in value:
                yield from texts_in(one)
        case _:
            pass


# -- there and back -----------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=150)
def test_every_event_comes_back_from_its_slots_as_it_was(any_event, data):
    event = data.draw(any_event)
    assert converter.decode(converter.type_name(event), converter.encode_slots(event)) == event


@given(st.data())
def test_every_slot_is_canonical_as_an_independent_writer_has_it(any_event, data):
    event = data.draw(any_event)
    for payload in converter.encode_slots(event).values():
        assert payload == rfc8785.dumps(json.loads(payload))


@given(st.data(), st.binary(min_size=32, max_size=32))
def test_a_slot_read_back_and_written_again_is_the_same_bytes(any_event, data, salt):
    event = data.draw(any_event)
    slots = converter.encode_slots(event)
    again = converter.encode_slots(converter.decode(converter.type_name(event), slots))
    assert again == slots
    for payload in slots.values():
        assert entry.payload(drafts.salted(payload, salt=salt)) == payload


def test_what_is_sealed_is_opened_as_it_was(full, sealed, row_of):
    stored = opened(row_of(sealed(full)))
    assert stored.event == full
    assert stored.type == converter.type_name(full)
    assert (stored.recorder.name, stored.recorder.tool) == ("The evening desk", "by hand")
    assert (stored.sequence, stored.stream_v, stored.correlation, stored.causation) == (
        *(11, 3, "batch-1"),
        None,
    )


def test_fields_at_their_default_take_no_room(events):
    assert converter.unstructure(ev.TopicDefined(key="roads", label="Roads")) == {
        "what": {"key": "roads", "label": "Roads"}
    }


# -- the entry ----------------------------------------------------------------------------------


def test_an_entry_is_canonical_and_holds_these_keys_and_no_others(full, sealed):
    draft = sealed(full)
    head = json.loads(draft.entry)
    assert draft.entry.encode() == rfc8785.dumps(head)
    assert head.keys() == {
        *("v", "log", "id", "type", "type_v", "stream", "stream_v", "recorded_at", "recorder"),
        *("correlation", "slots"),
    }
    assert head["slots"].keys() == draft.slots.keys()


def test_an_entry_holds_no_text_that_a_slot_holds(full, sealed):
    draft = sealed(full)
    told = {text for slot in draft.slots.values() for text in texts_in(json.loads(slot[32:]))}
    assert told
    assert not {text for text in told if len(text) > 3 and text in draft.entry}


def test_the_recorders_name_and_tool_are_in_a_slot_and_its_pseudonym_in_the_entry(full, sealed):
    draft = sealed(full)
    assert json.loads(draft.slots["by"][32:]) == {"name": "The evening desk", "tool": "by hand"}
    assert json.loads(draft.entry)["recorder"] == "desk-7"
    assert "evening" not in draft.entry


def test_commitments_are_what_hashlib_computes_from_the_columns(full, sealed):
    draft = sealed(full)
    head = json.loads(draft.entry)
    for name, column in draft.slots.items():
        salt, payload = column[:32], column[32:]
        parts = [salt, b"application/json", payload]
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        assert hashlib.sha256(b"claimledger/slot/v1" + framed).hexdigest() == head["slots"][name]
    assert draft.leaf_hash == hashlib.sha256(b"\0" + draft.entry.encode()).digest()


def test_the_same_event_twice_has_other_salts_and_so_other_commitments(full, sealed):
    one, other = json.loads(sealed(full).entry), json.loads(sealed(full).entry)
    assert one.pop("slots") != other.pop("slots")
    assert one == other


def test_an_entry_beyond_the_formats_length_is_refused(sealed, events):
    with pytest.raises(CodecError, match="Shorten the recorder"):
        sealed(events["topic_defined"], recorder=ev.Recorder(id="r" * 65_535))


def test_ids_rise_though_the_clock_goes_back():
    noon = entry.read_instant("2023-02-23T12:00:00Z")
    earlier = entry.read_instant("2020-01-01T00:00:00Z")
    ids = [new_id(now) for now in (noon, earlier, noon, earlier) for _ in range(2_000)]
    assert ids == sorted(set(ids))


# -- erased slots -------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [("who",), ("what",), ("who", "what"), ("who", "words")])
def test_an_event_without_who_or_what_is_opened_as_erased(events, sealed, row_of, lost):
    draft = sealed(events["claim_recorded"])
    stored = opened(row_of(draft, **dict.fromkeys(lost)))
    assert isinstance(stored.event, ev.Remains)
    assert stored.event.slots == tuple(name for name in lost if name != "words")
    assert stored.erased == lost
    assert stored.type == "claim_recorded"


def test_an_event_without_its_words_is_opened_with_the_words_blank(events, sealed, row_of):
    full = events["claim_recorded"]
    stored = opened(row_of(sealed(full), words=None))
    assert stored.event == attrs.evolve(
        full, quote=None, link_words=(), basis=None, note=None, extra={}
    )
    assert stored.erased == ("words",)


def test_an_event_without_its_recorder_keeps_the_pseudonym(full, sealed, row_of):
    stored = opened(row_of(sealed(full), by=None))
    assert stored.recorder == ev.Recorder(id="desk-7")
    assert stored.erased == ("by",)
    assert stored.event == full


def test_a_slot_that_was_never_there_is_not_called_erased(sealed, row_of):
    stored = opened(row_of(sealed(ev.TopicDefined(key="roads", label="Roads"))))
    assert stored.erased == ()


# -- what cannot be written ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra, path",
    [
        ({"score": 0.5}, "$.extra.score"),
        ({"a": [1, {"b": float("inf")}]}, "$.extra.a[1].b"),
        ({"n": 2**53}, "$.extra.n"),
        ({"n": [-(2**53)]}, "$.extra.n[0]"),
        ({"text": "a\0"}, "$.extra.text"),
        ({"text": ["a\ud800"]}, "$.extra.text[0]"),
        ({"a key": b"raw"}, '$.extra["a key"]'),
        ({"naïve": 1}, "$.extra"),
    ],
)
def test_what_extra_cannot_hold_is_refused_with_its_path(events, sealed, extra, path):
    with pytest.raises(NotCanonical) as caught:
        sealed(attrs.evolve(events["claim_recorded"], extra=extra))
    assert caught.value.path == path
    assert caught.value.message.startswith(path)


# -- changes ------------------------------------------------------------------------------------


def changes_by_slot(event: ev.Event) -> dict[str, set[str]]:
    slots = converter.unstructure(event)
    return {slot: set(fields["changes"]) for slot, fields in slots.items() if "changes" in fields}


@pytest.mark.parametrize("type_", sorted(converter.TYPES))
def test_a_change_is_stored_in_the_slot_of_the_field_it_changes(events, type_):
    record = events[type_]
    fields = {
        field.name: field.metadata["slot"]
        for field in attrs.fields(type(record))
        if field.metadata["slot"] in entry.SLOTS
    }
    changes = {name: getattr(record, name) for name in fields}
    amendment = ev.RecordAmended(target="t", changes=changes, record_type=type_, reason="r")
    expected: dict[str, set[str]] = {}
    for name, slot in fields.items():
        expected.setdefault(slot, set()).add(name)
    assert changes_by_slot(amendment) == expected
    assert converter.decode("record_amended", converter.encode_slots(amendment)) == amendment


def test_a_correction_of_the_claimant_is_erased_with_who(events, sealed, row_of):
    correction = attrs.evolve(
        events["claim_corrected"],
        changes={"chains": events["claim_recorded"].chains, "act": "deny"},
        record_type="claim_recorded",
    )
    assert changes_by_slot(correction) == {"who": {"chains"}, "what": {"act"}}
    stored = opened(row_of(sealed(correction), who=None))
    assert stored.event == attrs.evolve(correction, changes={"act": "deny"})
    assert stored.erased == ("who",)


LOSSES = [
    lost
    for many in range(1, 5)
    for lost in itertools.combinations(("who", "what", "words", "by"), many)
]


@pytest.mark.parametrize("type_", sorted(converter.TYPES))
def test_what_is_held_in_memory_loses_what_the_row_loses(events, sealed, row_of, type_):
    """Whoever holds an event when it is erased comes to what those read who come later."""
    draft = sealed(events[type_])
    for lost in LOSSES:
        read = opened(row_of(draft, **dict.fromkeys(lost)))
        assert without(opened(row_of(draft)), lost) == read
        assert without(read, lost) is read
        halves = without(without(opened(row_of(draft)), lost[:1]), lost[1:])
        assert halves == read


def test_a_party_without_its_name_is_still_a_party(events, sealed, row_of):
    stored = opened(row_of(sealed(events["party_registered"]), who=None))
    assert stored.event == attrs.evolve(events["party_registered"], key=stored.id, name="")


def test_what_remains_keeps_the_hosts_id_until_that_goes(events, sealed, row_of):
    draft = sealed(attrs.evolve(events["claim_recorded"], key="c1"))
    event = opened(row_of(draft, who=None, words=None)).event
    assert event == ev.Remains("claim_recorded", ("who",), ("what",), "c1")
    event = opened(row_of(draft, what=None)).event
    assert event == ev.Remains("claim_recorded", ("what",), ("who", "words"))
