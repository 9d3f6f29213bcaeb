"""A log that is restored: its views come with it, and a file of another form restores nothing."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger, Party, Proposition
from ledger.errors import InvalidImport, LeafMismatch
from ledger.interchange.out import log
from ledger.interchange.restoring import restore
from ledger.projecting import cells


@pytest.fixture
def file(tmp_path):
    """The log of a mill that spoke once, as a file."""
    path = tmp_path / "log.jsonl"
    with Ledger.open(":memory:") as ledger:
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2010")
        with path.open("wb") as out:
            log.write(ledger.as_of(), out)
    return path


def test_inline_views_are_there_when_a_log_is_restored(file, tmp_path):
    with Ledger.open(tmp_path / "copy.db") as copy:
        copy.projections.add(cells(copy.layout))
        size = restore(copy, file).size
        assert copy.projections.check("cells").position == size
        assert copy.position("mill", "shut").status == "held"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_log_file_comes_in_with_the_ends_of_lines_of_either_system(file, tmp_path, end):
    file.write_bytes(file.read_bytes().replace(b"\n", end))
    with Ledger.open(tmp_path / "copy.db") as copy:
        assert restore(copy, file).size == copy.verify().size


@pytest.mark.parametrize(
    "line, field, value, error",
    [
        (0, "root", 7, InvalidImport),
        (0, "size", "3", InvalidImport),
        (1, "slots", [], LeafMismatch),
        (1, "slots", {"who": "nobody"}, LeafMismatch),
        (1, "entry", 7, LeafMismatch),
    ],
)
def test_a_line_of_another_form_restores_nothing(file, line, field, value, error):
    lines = file.read_text().splitlines()
    lines[line] = json.dumps(json.loads(lines[line]) | {field: value})
    file.write_text("\n".join(lines))
    with Ledger.open(":memory:") as copy:
        with pytest.raises(error):
            restore(copy, file)
        assert copy.checkpoint().size == 0


@pytest.mark.parametrize("content", [b"a letter", b"\x89PNG\r\n", b'{"log":'])
def test_what_is_no_log_file_at_all_is_told_once_and_what_to_give(tmp_path, content):
    (path := tmp_path / "letter.txt").write_bytes(content)
    with Ledger.open(":memory:") as copy, pytest.raises(InvalidImport) as told:
        restore(copy, path)
    message = "Line 1 is no JSON. Give an undamaged file that the export 'log' wrote."
    assert str(told.value) == message
