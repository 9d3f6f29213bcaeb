"""What is said of a file beside it counts in every format, or is refused."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.errors import InvalidImport
from ledger.interchange import import_file

LAST = {"from": "2019-01-01", "until": "2023-12-31"}
LINES = [
    {"type": "party", "id": "ada", "name": "Ada", "names": ["A", {"name": "Countess", **LAST}]},
    {"type": "party", "id": "council", "name": "Council"},
    {"type": "name", "party": "ada", "name": "Lady", **LAST},
    {"type": "membership", "member": "ada", "organisation": "council", **LAST},
    {"type": "membership", "member": "council", "organisation": "ada", "bounds": "half_open"}
    | LAST,
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in LINES))
    return path


@pytest.mark.parametrize("bounds, holds", [("closed", True), ("half_open", False), (None, False)])
def test_json_lines_follow_the_rule_for_periods_that_say_none(file, bounds, holds):
    with Ledger.open(":memory:") as ledger:
        assert import_file(ledger, file, bounds=bounds).refused == 0
        view = ledger.as_of()
        last = "2023-12-31"
        assert [bool(view.denoted(name, on=last)) for name in ("Countess", "Lady")] == [holds] * 2
        assert bool(view.memberships("ada", on=last)) is holds
        assert not view.memberships("council", on=last)
        assert import_file(ledger, file, bounds=bounds).skipped == len(LINES)


@pytest.mark.parametrize("name", ["lines.jsonl", "few.actors.txt"])
def test_a_mapping_is_refused_where_none_is_followed(file, name):
    with Ledger.open(":memory:") as ledger, pytest.raises(InvalidImport, match="take no mapping"):
        import_file(ledger, file.rename(file.with_name(name)), mapping={"rows": []})


@pytest.mark.parametrize(
    "name, start, words",
    [
        ("lines.jsonl.xz", b"\xfd7zXZ\x00", "is packed with xz: .* pack it with gzip"),
        ("votes.xlsx", b"PK\x03\x04", "is a spreadsheet: .* Save its sheets as CSV"),
        ("claims.parquet", b"PAR1", "is a Parquet file"),
    ],
)
def test_what_is_no_text_is_told_by_what_it_is(tmp_path, name, start, words):
    file = tmp_path / name
    file.write_bytes(start + b"\x00" * 20)
    with Ledger.open(":memory:") as ledger, pytest.raises(InvalidImport, match=words):
        import_file(ledger, file, format="jsonl")


@pytest.mark.parametrize("name", ["legislators.yaml", "members.xml", "members.YML.gz"])
def test_a_file_of_no_format_is_refused_as_a_whole_and_not_line_by_line(file, name):
    other = file.rename(file.with_name(name))
    with Ledger.open(":memory:") as ledger:
        with pytest.raises(InvalidImport, match=r"of no format that is .* CSV with a map"):
            import_file(ledger, other)
        assert import_file(ledger, other, format="jsonl").refused == 0
