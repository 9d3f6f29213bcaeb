"""The short cut is the converter's twin: the same bytes, the same objects, the same errors."""

from __future__ import annotations

import enum
import itertools
import json
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import compiled, converter, entry, envelope
from ledger.errors import LedgerError
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.model.quotation import Quotation

CHANGES = ("claim_corrected", "record_amended")


class Loud(str):
    __slots__ = ()


class Act(enum.StrEnum):
    ASSERT = "assert"


def outcome(call: Callable[..., Any], *given: object) -> Any:
    """What a call gives, or the error it refuses with."""
    try:
        return call(*given)
    except LedgerError as error:
        return type(error), error.message


def drawn_event(data: st.DataObject, events: st.SearchStrategy[Any]) -> tuple[str, Any]:
    event = data.draw(events)
    return converter.type_name(event), event


# -- writing ------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=200)
def test_every_event_is_written_as_the_converter_writes_it(any_event, data):
    event = data.draw(any_event)
    assert compiled.encode_slots(event) == converter.encode_slots(event)


def test_a_field_of_another_kind_is_written_or_refused_as_by_the_converter(full):
    for field in attrs.fields(type(full)):
        for value in ODD:
            odd = attrs.evolve(full, **{field.name: value})
            fast = outcome_or_crash(compiled.encode_slots, odd)
            slow = outcome_or_crash(converter.encode_slots, odd)
            assert fast == slow, (field.name, value)


LINK: Any = ev.ChainLink
ODD: list[Any] = [
    *(None, "", "a\0b", "a\ud800", Loud("loud"), Act.ASSERT, "assert", "official", True, False),
    *(0, 1, 2**53, -(2**53), 0.5, 0.0, (), [], {}, ("a",), ["a"], ("a", 1), (Loud("x"),), b"raw"),
    *(Edtf.parse("2023"), Quotation(exact="a"), Quotation(exact=Loud("a")), msgspec.UNSET),
    *((ev.ChainLink("a", "says"),), ((ev.ChainLink("a", "says"),),), ((LINK("a", 1),),)),
    *(((LINK("a", "says", None),),), (ev.LinkWords(chain=0, link=True),), ((),)),
    *({"a": 0.5}, {"b": 1, "a": ("x", [None])}, {1: 2}, {"a": "\0"}, msgspec.Raw(b"1 2")),
]


def outcome_or_crash(call: Callable[..., Any], *given: object) -> Any:
    """As `outcome`; what is no event at all may fail in any way, but in the same."""
    try:
        return outcome(call, *given)
    except Exception as error:  # noqa: BLE001 - the same of both is asked for
        return type(error), str(error)


@pytest.mark.parametrize("levels", [97, 98, 99, 100])
def test_how_deep_free_values_may_lie_is_counted_as_the_converter_counts(events, levels):
    value: Any = 1
    for _ in range(levels):
        value = [value]
    event = attrs.evolve(events["claim_recorded"], extra={"a": value})
    fast = outcome(compiled.encode_slots, event)
    assert fast == outcome(converter.encode_slots, event)


def test_what_equals_a_default_without_being_it_is_left_out_too(events):
    spelt: Any = "".join
    event = attrs.evolve(
        events["claim_recorded"],
        capacity=spelt(["offi", "cial"]),
        factuality=spelt(["cer", "tain"]),
        quote=Quotation(exact="a", mode=spelt(["di", "rect"])),
    )
    slots = compiled.encode_slots(event)
    assert slots == converter.encode_slots(event)
    assert b"official" not in slots["who"]
    assert b"direct" not in slots["words"]


# -- reading ------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=200)
def test_every_event_is_read_as_the_converter_reads_it(any_event, data):
    type_, event = drawn_event(data, any_event)
    slots = converter.encode_slots(event)
    assert compiled.decode(type_, slots) == converter.decode(type_, slots) == event
    assert repr(compiled.decode(type_, slots)) == repr(converter.decode(type_, slots))


LEFT_OUT = object()
VALUES: list[Any] = [
    *(None, True, 0, -1, 7, 2**53, 2**64, 1.0, 0.5, "", "a", "a\0", "2023", "2023-02-30"),
    *([], ["a"], [1], [[]], [[1, 2]], [[2, 1]], [[0, 3], [2, 5]], [[0, 3], [3, 5]], {}),
    *({"exact": ""}, {"exact": "a", "mode": "loud"}, {"exact": "a", "zzz": 1}),
    *({"exact": "a b", "parts": ["a", "b"]}, {"exact": "a b", "parts": ["a"]}),
    *({"exact": "a\0"}, {"exact": "a", "prefix": "p" * 1001}, {"exact": "a", "suffix": None}),
    {"exact": "a", "ranges": [[0, 2**53]]},
    [[{"agent": "a", "kind": "says"}]],
    [[{"agent": "a", "kind": "says", "age": 3}]],
    [[{"agent": "a", "kind": 7}]],
    [[{"agent": "a"}]],
    [{"chain": 0, "link": 1, "words": {"exact": "a"}}],
    [{"chain": "0", "link": 1}],
    *("../..", "1991/", "1991", "2020/1991", "/"),
]


def test_a_changed_slot_makes_what_the_converter_makes_of_it_or_its_error(full):
    type_ = converter.type_name(full)
    slots = converter.encode_slots(full)
    known = [field.name for field in attrs.fields(type(full))]
    for name, key, value in itertools.product(slots, [*known, "unknown"], [LEFT_OUT, *VALUES]):
        fields = json.loads(slots[name])
        fields[key] = value
        if value is LEFT_OUT:
            del fields[key]
        changed = {**slots, name: json.dumps(fields).encode()}
        fast = outcome(compiled.decode, type_, changed)
        slow = outcome(converter.decode, type_, changed)
        assert fast == slow, (name, key, value)


@given(st.data())
def test_damaged_bytes_make_what_the_converter_makes_of_them_or_its_error(any_event, data):
    type_, event = drawn_event(data, any_event)
    slots = converter.encode_slots(event)
    name = data.draw(st.sampled_from(["by", *entry.SLOTS, *sorted(slots)]))
    payload = bytearray(slots.get(name, b"{}"))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    slots[name] = bytes(payload)
    assert outcome(compiled.decode, type_, slots) == outcome(converter.decode, type_, slots)


@given(st.data())
def test_a_field_in_another_slot_is_read_as_the_converter_reads_it(any_event, data):
    type_, event = drawn_event(data, any_event)
    merged = {
        key: value
        for payload in converter.encode_slots(event).values()
        for key, value in json.loads(payload).items()
    }
    slots = {data.draw(st.sampled_from(entry.SLOTS)): json.dumps(merged).encode()}
    assert outcome(compiled.decode, type_, slots) == outcome(converter.decode, type_, slots)


@given(st.data())
def test_an_event_that_lost_slots_is_read_as_the_converter_reads_it(any_event, data):
    type_, event = drawn_event(data, any_event)
    slots = converter.encode_slots(event)
    for name in data.draw(st.sets(st.sampled_from(sorted(slots)))):
        del slots[name]
    assert outcome(compiled.decode, type_, slots) == outcome(converter.decode, type_, slots)


def test_free_values_of_two_events_are_two_dicts(events):
    slots = converter.encode_slots(attrs.evolve(events["claim_recorded"], extra={}))
    one, other = (compiled.decode("claim_recorded", slots) for _ in range(2))
    assert isinstance(one, ev.ClaimRecorded)
    assert isinstance(other, ev.ClaimRecorded)
    assert one.extra == other.extra == {}
    assert one.extra is not other.extra


# -- whole rows ---------------------------------------------------------------------------------


HEADS = st.sampled_from(
    [
        {"type": "claim_sung"},
        *({"type_v": 2}, {"type_v": "1"}, {"type_v": True}, {"type_v": 1.0}),
        *({"recorder": 7}, {"recorder": None}, {"causation": 7}, {"correlation": None}),
        *({"slots": {}}, {"slots": None}, {"slots": ["who"]}, {"slots": {"what": None}}),
        *({"slots": {"what": "x", "other": "y"}}, {"sig": "x"}, {"slots": {"what": 1, "by": "x"}}),
    ]
)
BY = st.sampled_from(
    [
        *(None, b"", b"{}", b"[]", b"{", b'{"name":7}', b'{"name":"a","more":1}', b'{"tool":null}'),
        b'{"name":"a"}',
    ]
)


@given(st.data())
def test_a_row_is_opened_as_the_long_way_opens_it(any_event, sealed, row_of, data):
    row = row_of(sealed(data.draw(any_event)))
    columns: dict[str, Any] = {}
    for name in data.draw(st.sets(st.sampled_from(("who", "what", "words")), max_size=2)):
        columns[name] = data.draw(st.sampled_from([None, b"", bytes(32) + b"{}", bytes(32)]))
    if data.draw(st.booleans()):
        by = data.draw(BY)
        columns["by"] = None if by is None else bytes(32) + by
    if data.draw(st.booleans()):
        columns["entry"] = json.dumps({**json.loads(row.entry), **data.draw(HEADS)})
    row = row._replace(**columns)
    fast, slow = outcome(envelope.opened, row), outcome(envelope._unusual, row)
    assert fast == slow
    assert repr(fast) == repr(slow)


def test_changes_of_several_slots_stand_in_one_order_either_way(sealed, row_of):
    changes = {"chains": (), "key": None}
    event = ev.RecordAmended(
        target="0", record_type="claim_recorded", reason="none", changes=changes
    )
    row = row_of(sealed(event))
    assert repr(envelope.opened(row)) == repr(envelope._unusual(row))


# -- the short cut is taken ---------------------------------------------------------------------


def test_usual_events_do_not_come_to_the_converter(events, sealed, row_of, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("the long way was taken")

    monkeypatch.setattr(converter, "encode_slots", refuse)
    monkeypatch.setattr(converter, "decode", refuse)
    monkeypatch.setattr(envelope, "_unusual", refuse)
    for type_, event in events.items():
        if type_ not in CHANGES:
            assert envelope.opened(row_of(sealed(event))).event == event


# -- many at once -------------------------------------------------------------------------------


def test_events_sealed_together_are_sealed_as_they_are_one_by_one(events, sealed):
    new = [
        ev.NewEvent(id=f"id-{at}", stream=f"stream-{at}", stream_v=at, event=event)
        for at, event in enumerate(events.values())
    ]
    when = sealed(events["topic_defined"]).recorded_at
    shared: dict[str, Any] = {
        "log": "town",
        "recorded_at": when,
        "recorder": ev.Recorder(id="desk-7", name="The evening desk"),
        "causation": 'a "cause"',
    }
    drafts = envelope.seal_all(new, **shared)
    assert [draft.id for draft in drafts] == [one.id for one in new]
    for one, draft in zip(new, drafts, strict=True):
        alone = envelope.seal_all([one], **shared)[0]
        assert {name: slot[32:] for name, slot in draft.slots.items()} == {
            name: slot[32:] for name, slot in alone.slots.items()
        }
        heads = json.loads(draft.entry), json.loads(alone.entry)
        assert [head.pop("slots").keys() for head in heads] == [draft.slots.keys()] * 2
        assert heads[0] == heads[1]
    salts = {slot[:32] for draft in drafts for slot in draft.slots.values()}
    assert len(salts) == sum(len(draft.slots) for draft in drafts)


def test_sealing_nothing_makes_nothing():
    recorder = ev.Recorder()
    when = entry.read_instant("2023-02-23T12:00:00Z")
    assert envelope.seal_all([], log="town", recorded_at=when, recorder=recorder) == []
