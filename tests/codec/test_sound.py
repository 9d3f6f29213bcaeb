"""What says yes to rows says it to what was written, and never to what a closer look would not."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec.entry import SLOTS, Row, write_instant
from ledger.codec.sound import Columns, sound, written
from ledger.merkle.hashing import leaf_hash
from tests.drafts import draft, salted

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=9
)


def row(seq=0, *, slots=SLOTS, **changes):
    """A row as it is written; what is changed is changed in its entry too."""
    given: dict[str, Any] = {
        "log": "default",
        "id": f"e{seq}",
        "type": "topic_defined",
        "type_v": 1,
        "stream": f"e{seq}",
        "stream_v": 0,
        "recorded_at": NOON,
        "recorder": "desk",
    } | changes
    made = draft(**given, slots={name: salted(name.encode()) for name in slots})
    return Row(
        seq=seq,
        known_at=made.recorded_at,
        id=made.id,
        type=made.type,
        stream=made.stream,
        stream_v=made.stream_v,
        entry=made.entry,
        leaf_hash=made.leaf_hash,
        who=made.slots.get("who"),
        what=made.slots.get("what"),
        words=made.slots.get("words"),
        by=made.slots.get("by"),
    )


def columns(*rows):
    found = [tuple(one._replace(known_at=write_instant(one.known_at))) for one in rows]
    return Columns._make(zip(*found, strict=True))


def test_the_entries_of_many_rows_are_written_as_they_stand():
    subsets = [
        names for many in range(len(SLOTS) + 1) for names in itertools.combinations(SLOTS, many)
    ]
    rows = [row(at, slots=names, type=f"t{at % 3}") for at, names in enumerate(subsets)]
    assert written(columns(*rows), "default") == [one.entry for one in rows]
    assert all(sound(one, "default") for one in rows)


@pytest.mark.parametrize(
    "tags", [{}, {"causation": "c"}, {"correlation": "r"}, {"causation": "c", "correlation": "ä\n"}]
)
def test_what_no_column_says_is_as_in_the_first_of_its_type(tags):
    rows = [row(at, recorder='"desk"', type_v=3, **tags) for at in range(3)]
    other = row(3, recorder="another", **tags)
    *same, last = written(columns(*rows, other), "default")
    assert same == [one.entry for one in rows]
    assert last != other.entry
    assert all(sound(one, "default") for one in (*rows, other))


def test_rows_of_another_log_are_not_of_this_one():
    assert written(columns(row()), "other") != [row().entry]
    assert sound(row(), "other") is None


@pytest.mark.parametrize("field", ["id", "stream"])
def test_a_text_that_would_end_within_is_not_written(field):
    """Else a second key could stand in the entry that the column seems to say."""
    inside = {"id": 'a","log":"default', "stream": 'a","stream":"b'}[field]
    one = row()
    entry = one.entry.replace(f'"{field}":"e0"', f'"{field}":"{inside}"')
    forged = one._replace(**{field: inside}, entry=entry, leaf_hash=leaf_hash(entry.encode()))
    assert json.loads(entry)[field] != inside or field == "id"
    assert written(columns(forged), "default") == [None]
    assert sound(forged, "default") is None


def test_an_instant_that_would_end_within_is_not_written():
    one = columns(row())._replace(known_at=['2023-02-23"12:00:00.000000Z'])
    assert written(one, "default") == [None]


@pytest.mark.parametrize("entry", ["", "[]", "{", '{"id":"e0"}', "ä"])
def test_an_entry_that_is_none_is_no_mould(entry):
    one = row()._replace(entry=entry, leaf_hash=leaf_hash(entry.encode()))
    assert written(columns(one), "default") == [None]
    assert sound(one, "default") is None


@given(
    st.sampled_from(("id", "type", "stream")),
    TEXT,
    st.sampled_from(("entry", "column", "both")),
)
def test_a_yes_to_many_is_a_yes_to_each(field, text, where):
    one = row(**{field: text}) if where != "column" else row()
    if where == "entry":
        one = one._replace(**{field: getattr(row(), field)})
    elif where == "column":
        one = one._replace(**{field: text})
    (entry,) = written(columns(one), "default")
    if entry == one.entry:
        assert sound(one, "default") == write_instant(one.known_at)
    else:
        assert where != "both" or not (text.isascii() and text.isalnum())
