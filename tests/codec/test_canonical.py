"""JSON as bytes, against the vectors of RFC 8785 and an independent implementation."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import struct
import threading
from enum import Enum

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec.canonical import MAX_DEPTH, MAX_INTEGER, canonical, jcs, parse
from ledger.errors import CodecError, NotCanonical, NotJson


def nested(leaves, keys):
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple),
        max_leaves=20,
    )


scalars = st.none() | st.booleans() | st.integers(min_value=-MAX_INTEGER, max_value=MAX_INTEGER)
ascii_keys = st.text(st.characters(min_codepoint=1, max_codepoint=0x7F))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
texts_and_nul = st.text(st.characters(exclude_categories=["Cs"]))
floats = st.floats(allow_nan=False, allow_infinity=False)
readable_floats = floats.filter(  # those between are written as whole numbers, and not read back
    lambda number: not MAX_INTEGER < abs(number) < 1e21
)
profile = nested(scalars | texts, ascii_keys)
anything = nested(scalars | texts_and_nul | floats, texts_and_nul)


class Colour(Enum):
    RED = "red"


class Loud(str):
    __slots__ = ()


def lists_in_lists(levels):
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    return value


# -- the vectors ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_example_documents_of_rfc_8785_come_out_byte_for_byte(shared, name):
    vectors = shared("vectors/jcs")
    expected = (vectors / "output" / f"{name}.json").read_bytes()
    assert expected == bytes.fromhex((vectors / "outhex" / f"{name}.txt").read_text())
    assert jcs(parse((vectors / "input" / f"{name}.json").read_bytes())) == expected


def test_the_published_number_series_comes_out_as_ecmascript_writes_it(shared):
    lines = shared("vectors/jcs/es6-numbers-10000.txt").read_text().splitlines()
    assert len(lines) == 10_000
    for line in lines:
        bits, expected = line.split(",")
        (number,) = struct.unpack(">d", bytes.fromhex(bits.zfill(16)))
        assert jcs(number).decode() == expected, line


# -- writing ----------------------------------------------------------------------------------


@given(profile)
def test_on_the_profile_canonical_and_jcs_write_the_same_bytes(value):
    assert canonical(value) == jcs(value)


@given(anything)
def test_jcs_writes_what_an_independent_implementation_writes(value):
    assert jcs(value) == rfc8785.dumps(value)


@given(floats)
def test_jcs_writes_every_float_as_an_independent_implementation_does(number):
    assert jcs(number) == rfc8785.dumps(number)


@given(profile)
def test_what_canonical_writes_parse_reads_back_to_the_same_bytes(value):
    assert canonical(parse(canonical(value))) == canonical(value)


def test_the_order_in_which_a_dict_was_filled_does_not_show():
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


def test_jcs_sorts_keys_by_utf_16_units_and_not_by_code_points():
    assert jcs({"\ue000": 1, "\U00010000": 2}) == '{"\U00010000":2,"\ue000":1}'.encode()


def test_a_text_that_only_spells_an_escaped_nul_is_written():
    assert canonical("\\u0000") == b'"\\\\u0000"'


def test_a_bool_is_written_as_a_bool_and_not_as_a_number():
    assert canonical([True, False, 1, 0]) == jcs([True, False, 1, 0]) == b"[true,false,1,0]"


def test_values_at_the_edge_of_the_profile_are_written():
    assert canonical([MAX_INTEGER, -MAX_INTEGER]) == b"[9007199254740991,-9007199254740991]"
    deepest = lists_in_lists(MAX_DEPTH)
    assert canonical(deepest) == jcs(deepest) == b"[" * 100 + b"]" * 100
    assert parse(canonical(deepest)) == deepest


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, path, words",
    [
        ({"extra": {"score": 0.5}}, "$.extra.score", "0.5 is a float; write it as text"),
        ({"a": [1, {"b": 2.0}]}, "$.a[1].b", "write it as text"),
        ({"n": [MAX_INTEGER + 1]}, "$.n[0]", "write it as text"),
        ({"n": -MAX_INTEGER - 1}, "$.n", "write it as text"),
        ({"n": 10**5000}, "$.n", "write it as text"),
        ((1, float("nan")), "$[1]", "write it as text"),
        ({"text": "ab\0"}, "$.text", "NUL at character 2"),
        ({"text": ["fine", "x\ud83d"]}, "$.text[1]", "U+D83D"),
        ({"a": ("\0",)}, "$.a[0]", "NUL"),
        ({"a key": {"x.y": 1.5}}, '$["a key"]["x.y"]', "write it as text"),
        ({"a": {"naïve": 1}}, "$.a", "its key 'naïve' is not ASCII"),
        ({"a": {"\0": 1}}, "$.a", "NUL"),
        ({"a": {1: 1}}, "$.a", "its key 1 is not ASCII text"),
        ({"when": dt.date(2023, 2, 22)}, "$.when", "of type date"),
        ({"colour": Colour.RED}, "$.colour", "of type Colour"),
        ({"loud": Loud("x")}, "$.loud", "of type Loud"),
        ({"raw": b"x"}, "$.raw", "of type bytes"),
        ({"set": {1}}, "$.set", "of type set"),
        (lists_in_lists(MAX_DEPTH + 1), "$" + "[0]" * MAX_DEPTH, "flatter"),
    ],
)
def test_what_the_profile_cannot_hold_is_refused_with_its_path_and_a_cure(value, path, words):
    with pytest.raises(NotCanonical) as caught:
        canonical(value)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path} has no canonical form: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "value, path",
    [
        ([float("inf")], "$[0]"),
        ({"n": MAX_INTEGER + 1}, "$.n"),
        ({"text": "\udc00"}, "$.text"),
        ({"x": {"\udc00": 1}}, "$.x"),
        ({"x": {1: 1}}, "$.x"),
        ({"x": dt.date(2023, 2, 22)}, "$.x"),
        (lists_in_lists(MAX_DEPTH + 1), "$" + "[0]" * MAX_DEPTH),
    ],
)
def test_what_json_itself_cannot_hold_is_refused_by_jcs_with_its_path(value, path):
    with pytest.raises(NotCanonical) as caught:
        jcs(value)
    assert str(caught.value).startswith(f"{path} has")
    assert caught.value.path == path


@pytest.mark.parametrize("write", [canonical, jcs])
def test_a_value_that_contains_itself_is_refused_and_not_followed(write):
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(NotCanonical, match="flatter"):
        write(circle)


# -- reading ----------------------------------------------------------------------------------


@given(nested(scalars | texts | readable_floats, texts))
def test_parse_reads_what_jcs_writes(value):
    assert jcs(parse(jcs(value))) == jcs(value)


@given(st.text() | st.binary())
def test_parse_reads_any_input_or_refuses_it_as_a_codec_error(data):
    with contextlib.suppress(CodecError):
        jcs(parse(data))


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"a":1,"b":2,"a":1}', "'a' stands twice"),
        ('[{"x":{"a":1,"\\u0061":1}}]', "'a' stands twice"),
        ("[NaN]", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e400", "1e400"),
        ("-1e400", "-1e400"),
        ("9007199254740992", "write it as text"),
        ("-9007199254740992", "write it as text"),
        ("9" * 5000, "write it as text"),
        ('{"a":["\\u0000"]}', "$.a[0] has no canonical form: its text holds NUL"),
        ('{"a":"x\\ud800"}', "$.a has no canonical form: its text holds half"),
        ('{"a":{"\\udfff":1}}', "$.a has no canonical form: its text holds half"),
        ('"\ud800"', "half of a surrogate pair"),
    ],
)
def test_json_that_two_readers_could_read_in_two_ways_is_refused(text, words):
    with pytest.raises(NotCanonical) as caught:
        parse(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "data, line, column",
    [
        ("", 1, 1),
        ('{"a": 1,\n "b": nope}', 2, 7),
        ("[1] 2", 1, 5),
        ("\ufeff{}", 1, 1),
        ('"a\0b"', 1, 3),
        (b'["caf\xe9"]', 1, 6),
        ("01", 1, 2),
        ("[" * 101 + "]" * 101, 1, 101),
        ('{"[[":\n' + '{"a":' * 100 + "1" + "}" * 101, 2, 496),
    ],
)
def test_a_text_that_is_no_json_is_refused_with_its_line_and_column(data, line, column):
    with pytest.raises(NotJson) as caught:
        parse(data)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"Line {line}, column {column} " in str(caught.value)


def test_brackets_inside_texts_and_side_by_side_are_no_nesting():
    texts_of_brackets = ["[" * 200, '\\"[' * 200]
    assert parse(json.dumps(texts_of_brackets)) == texts_of_brackets
    assert parse("[" + ",".join(["[]"] * 500) + "]") == [[]] * 500


def test_two_halves_of_a_pair_written_as_escapes_are_one_character():
    assert parse('"\\ud83d\\ude00"') == "\U0001f600"


def test_a_million_open_brackets_are_refused_even_on_a_small_stack():
    caught = []

    def read():
        try:
            parse('{"a":[' * 1_000_000)
        except NotJson as error:
            caught.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert "100 levels" in str(caught[0])
