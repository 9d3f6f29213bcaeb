from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidImport
from ledger.interchange.lines import Line, lines
from ledger.interchange.source import Source


@given(st.lists(st.sampled_from([b"{}", b"\n", b"\r\n", b"\r", b"\xff", b"\0", b"long" * 5])))
def test_the_lines_put_together_are_the_file_whatever_it_holds(pieces):
    raw = b"".join(pieces)
    back, numbers = b"", []
    for line in lines(io.BytesIO(raw), limit=12):
        back += line.raw + b"".join(line.rest)
        numbers.append(line.number)
    assert back == raw
    assert numbers == list(
        range(1, raw.count(b"\n") + (not raw.endswith(b"\n") and raw != b"") + 1)
    )


def test_the_line_behind_an_overlong_one_is_read_even_if_its_rest_was_not():
    read = list(lines(io.BytesIO(b"a" * 300_000 + b"\nshort\n"), limit=10))
    assert [(line.number, bool(line.fault)) for line in read] == [(1, True), (2, False)]
    assert read[1].raw == b"short\n"


def test_a_line_of_exactly_the_limit_is_read():
    (line,) = lines(io.BytesIO(b"123456789\n"), limit=10)
    assert line.text() == "123456789\n"


@pytest.mark.parametrize(
    "raw, why",
    [
        (b"\xff", "the byte 0xFF stands nowhere"),
        (b"caf\xe9", "Latin-1"),
        (b"\xe2\x80", "cut short"),
        (b"\xc0\xaf", "overlong"),
        (b"\xe0\x80\xaf", "overlong"),
        (b"\xed\xa0\xbd", "surrogate"),
        (b"a\0b", "raw NUL at byte 2"),
        (b"\0\0\n", "nothing but NUL"),
    ],
)
def test_bytes_that_are_no_text_are_told_apart(raw, why):
    with pytest.raises(InvalidImport, match=why):
        Line(number=1, raw=raw).text()


def test_a_damaged_gzip_file_gives_its_sound_lines_and_one_fault(tmp_path):
    file = tmp_path / "cut.jsonl"
    file.write_bytes(gzip.compress(b'{"a": 1}\n' + bytes(range(256)) * 50, mtime=0)[:-20])
    with Source(file).opened() as unpacked:
        read = list(lines(unpacked))
    assert read[0].raw == b'{"a": 1}\n'
    assert "damaged or cut off" in read[-1].fault
    assert not any(line.fault for line in read[:-1])


@pytest.mark.parametrize("head, kind", [(b"PK\x03\x04", "zip"), (b"SQLite format 3\0", "SQLite")])
def test_other_kinds_of_file_are_known_by_their_first_bytes(tmp_path, head, kind):
    file = tmp_path / "claims.jsonl"
    file.write_bytes(head + b"rest")
    with pytest.raises(InvalidImport, match=kind), Source(file).opened():
        pass


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_cannot_be_opened_is_refused(tmp_path, name):
    with pytest.raises(InvalidImport, match="cannot be read"), Source(tmp_path / name).opened():
        pass
