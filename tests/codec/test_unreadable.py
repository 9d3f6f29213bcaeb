"""Stored bytes that cannot be read: a typed error that says which."""

from __future__ import annotations

import json

import pytest

from ledger.codec import entry
from ledger.codec.envelope import opened
from ledger.errors import CodecError, UnknownEventType
from ledger.model import events as ev


def changed(draft: entry.Draft, **fields: object) -> str:
    return json.dumps({**json.loads(draft.entry), **fields})


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"type": "claim_sung"}, "does not know events of type 'claim_sung'"),
        ({"type_v": 2}, "reads topic_defined up to version 1, the log holds version 2"),
    ],
)
def test_a_newer_type_or_version_is_refused_with_the_command(events, sealed, row_of, fields, words):
    draft = sealed(events["topic_defined"])
    with pytest.raises(UnknownEventType, match=words) as caught:
        opened(row_of(draft, entry=changed(draft, **fields)))
    assert "Type: pip install --upgrade claimledger" in caught.value.message


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"key":"roads"}',
    b'{"key":"roads","label":7}',
    b'{"key":"roads","label":null}',
    b'{"key":"roads","label":["Roads"]}',
    b'{"key":"roads","label":"Roads","colour":"red"}',
    b'\xff{"key":"roads","label":"Roads"}',
]


@pytest.mark.parametrize("payload", DAMAGED)
def test_a_damaged_slot_is_a_codec_error_that_names_the_type(sealed, row_of, payload):
    draft = sealed(ev.TopicDefined(key="roads", label="Roads"))
    with pytest.raises(CodecError, match="topic_defined"):
        opened(row_of(draft, what=bytes(32) + payload))


@pytest.mark.parametrize(
    "case",
    [
        ("party_named", "what", b'{"party":"p","rank":"2"}'),
        ("party_named", "what", b'{"party":"p","metonym":"no"}'),
        ("party_named", "what", b'{"party":"p","period":"1991"}'),
        ("claim_recorded", "what", b'{"proposition":"p","act":"a","stance":"s","uttered":"soon"}'),
        ("claim_recorded", "words", b'{"quote":{"exact":""}}'),
        ("claim_recorded", "words", b'{"quote":{"exact":"a","ranges":[[2,1]]}}'),
        ("claim_recorded", "who", b'{"chains":[[{"agent":"p","kind":"says","age":3}]]}'),
        ("record_amended", "what", b'{"target":"t","record_type":"claim_sung","changes":{"a":1}}'),
        (
            "record_amended",
            "what",
            b'{"target":"t","record_type":"topic_defined","changes":{"colour":"red"}}',
        ),
    ],
)
def test_a_value_of_another_kind_is_a_codec_error(events, sealed, row_of, case):
    type_, slot, payload = case
    with pytest.raises(CodecError):
        opened(row_of(sealed(events[type_]), **{slot: bytes(32) + payload}))


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'"name"'])
def test_a_damaged_recorder_slot_is_a_codec_error_that_names_the_sequence(
    events, sealed, row_of, payload
):
    with pytest.raises(CodecError, match="sequence 11"):
        opened(row_of(sealed(events["topic_defined"]), by=bytes(32) + payload))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"slots":{}}', '{"slots":["what"]}'])
def test_a_damaged_entry_is_a_codec_error(events, sealed, row_of, text):
    with pytest.raises(CodecError):
        opened(row_of(sealed(events["topic_defined"]), entry=text))
