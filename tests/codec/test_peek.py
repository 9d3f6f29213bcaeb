"""A peek gives the fields that the opened event has, and tells what is not there."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import converter, entry
from ledger.codec.peek import peek
from ledger.errors import CodecError, UnknownEventType
from ledger.model.attribution import claimant_of

CHAINS = "chains"


def columns(slots, names):
    return [None if name not in slots else bytes(32) + slots[name] for name in names]


@given(st.data())
def test_a_peek_gives_the_fields_of_the_event(any_event, data):
    event = data.draw(any_event)
    type_ = converter.type_name(event)
    known = [field.name for field in attrs.fields(type(event)) if field.name != "changes"]
    fields = data.draw(st.lists(st.sampled_from(known), max_size=5))
    seen = peek(type_, *fields)
    values = seen.read(*columns(converter.encode_slots(event), seen.slots))
    assert values is not None
    for name, value in zip(fields, values, strict=True):
        if name == CHAINS:
            assert [[(link.agent, link.kind, link.role) for link in one] for one in value] == [
                [attrs.astuple(link) for link in one] for one in event.chains
            ]
        else:
            assert value == getattr(event, name)


def test_the_claimant_is_told_from_chains_as_they_are_peeked_at(events):
    claim = events["claim_recorded"]
    seen = peek("claim_recorded", CHAINS)
    values = seen.read(*columns(converter.encode_slots(claim), seen.slots))
    assert values is not None
    ((first, _),) = values
    assert claimant_of(first) == claimant_of(claim.chains[0])


def test_only_the_slots_of_the_fields_are_asked_for():
    assert peek("claim_recorded", "stance", "uttered").slots == ("what",)
    assert set(peek("claim_recorded", "quote", CHAINS, "note").slots) == {"who", "words"}
    assert peek("claim_recorded").slots == ()


def test_an_erased_slot_that_the_event_cannot_be_without_gives_nothing():
    assert peek("claim_recorded", CHAINS).read(None) is None
    assert peek("party_registered", "key", "kind").read(None, None) is None


def test_an_erased_slot_that_the_event_can_be_without_gives_what_the_opened_event_has():
    assert peek("claim_recorded", "quote", "link_words", "extra").read(None) == (None, (), {})


def test_keys_that_are_not_asked_for_are_passed_over():
    payload = bytes(32) + b'{"key":"roads","label":"Roads","later":[1]}'
    assert peek("topic_defined", "label").read(payload) == ("Roads",)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b'{"key":7}', b'{"label":"a"}', b"[" * 100_000]
)
def test_a_damaged_slot_is_a_codec_error_that_names_the_type(payload):
    with pytest.raises(CodecError, match="topic_defined"):
        peek("topic_defined", "key").read(bytes(32) + payload)


def test_the_entry_tells_whether_the_event_is_of_the_version_that_is_peeked_at(events, sealed):
    draft = sealed(events["claim_recorded"])
    assert peek("claim_recorded", "act").fits(draft.entry)
    assert not peek("claim_withdrawn", "uttered").fits(draft.entry)
    assert not peek("claim_recorded").fits(draft.entry.replace('"type_v":1', '"type_v":2'))


@pytest.mark.parametrize("type_", sorted(converter.TYPES))
def test_every_entry_of_a_type_ends_as_its_peek_expects(events, sealed, type_):
    assert peek(type_).fits(sealed(events[type_]).entry)
    assert sealed(events[type_]).entry.endswith(entry.ending(type_, 1))


def test_a_field_or_type_that_is_not_there_is_refused():
    with pytest.raises(CodecError, match="claim_recorded has no field 'loudness'"):
        peek("claim_recorded", "loudness")
    with pytest.raises(CodecError, match="no field 'changes'"):
        peek("record_amended", "changes")
    with pytest.raises(UnknownEventType):
        peek("claim_sung", "key")
