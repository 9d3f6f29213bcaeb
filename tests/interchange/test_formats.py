"""How a file is told to be of a format, and how large JSON documents are cut."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.errors import InvalidImport
from ledger.interchange import FORMATS, elements, import_file
from ledger.interchange.formats import format_of
from ledger.interchange.source import Source


@pytest.mark.parametrize(
    "name, text, wanted",
    [
        ("a.jsonl", "", "jsonl"),
        ("a.ndjson.gz", "", "jsonl"),
        ("a.txt", "", "jsonl"),
        ("a.CSV", "", "csv"),
        ("a.tsv", "", "csv"),
        ("a.ann", "", "brat"),
        ("a.actors.txt", "", "actors"),
        ("a.Countries.actors.140901.txt", "", "actors"),
        ("a.actors.csv", "", "csv"),
        ("Actors_World_20171114.txt", "", "actors"),
        ("actor_dict_ar_v3.txt", "", "actors"),
        ("factors.txt", "", "jsonl"),
        ("actors", "", "jsonl"),
        ("a.json", '{"persons": []}', "popolo"),
        ("a.json", '{"entity": {}, "wasAttributedTo": {}}', "prov"),
        ("a.json", '{"@context": "http://www.w3.org/ns/anno.jsonld"}', "annotations"),
        ("a.jsonld", '{"@context": "https://schema.org"}', "schemaorg"),
    ],
)
def test_a_files_name_and_beginning_tell_its_format(tmp_path, name, text, wanted):
    path = tmp_path / name
    path.write_text(text)
    assert format_of(Source(path), None) is FORMATS[wanted]


def test_what_does_not_tell_is_asked_for(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    with pytest.raises(
        InvalidImport, match=r"one of popolo, prov.* any other JSON as JSON Lines, or as CSV"
    ):
        format_of(Source(path), None)
    with pytest.raises(InvalidImport, match=r"no format 'popol'\. Did you mean 'popolo'"):
        format_of(Source(path), "popol")
    with pytest.raises(InvalidImport, match="cannot be read"):
        format_of(Source(tmp_path / "missing.json"), "popolo")
    with Ledger.open(":memory:") as ledger, pytest.raises(InvalidImport, match="bounds='open'"):
        import_file(ledger, path, format="popolo", bounds="open")  # type: ignore[arg-type]


KEYS = st.text('k"\\é', max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text('ab"\\[]{},: é\n', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, st.lists(JSON, max_size=3), max_size=4), st.sampled_from([None, 1]))
def test_the_elements_of_a_document_are_those_that_json_reads(value, indent):
    raw = json.dumps(value, indent=indent).encode()
    file = Dripping(raw)
    found = {one.path: one.value() for one in elements.elements(file, lambda path: len(path) == 2)}
    assert found == {(key, at): one for key, many in value.items() for at, one in enumerate(many)}


class Dripping(io.BytesIO):
    """A file that gives three bytes at a time, so that every sign falls on an edge."""

    def read(self, _=-1, /):
        return super().read(3)


@pytest.mark.parametrize("text", ["", "{", "[1,", "[1,]", '{"a"', '{"a":', "{a:1}", "[] x", '["a'])
def test_a_document_that_breaks_off_says_where(text):
    with pytest.raises(InvalidImport, match="not JSON on line 1"):
        list(elements.elements(io.BytesIO(text.encode()), lambda path: len(path) == 1))


def test_an_element_has_the_line_on_which_it_begins():
    raw = b'{\n "a": [\n  1,\n\n  {"b":\n 2}]}'
    found = list(elements.elements(io.BytesIO(raw), lambda path: len(path) == 2))
    assert [one.line.number for one in found] == [3, 5]


def test_memory_stays_flat_over_a_long_document(tmp_path):
    path = tmp_path / "long.json"
    with path.open("w") as file:
        file.write('{"areas": [')
        file.writelines(f'{{"id": "{n}", "name": "{"x" * 4_000}"}},\n' for n in range(2_000))
        file.write("{}]}")
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path, format="popolo", dry_run=True)
        tracemalloc.start()
        account = import_file(ledger, path, format="popolo", dry_run=True)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert account.skipped == 2_001
    assert peak < 3_000_000 < path.stat().st_size


def test_progress_is_told_to_the_last_byte(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text('{"type": "topic", "id": "t", "label": "T"}\n' * 1_200)
    told: list[tuple[int, int | None]] = []
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path, progress=lambda *one: told.append(one))
    assert len(told) == 3
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
