from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidQuotation
from ledger.model.offsets import UNITS, code_points, counted

TEXT = "The dam 🌊 is safe: café"


@given(st.text(st.sampled_from("ab é🌊\n"), min_size=2), st.sampled_from(UNITS), st.data())
def test_offsets_counted_in_any_unit_come_back_as_code_points(text, unit, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    there = counted(text, [(start, end)], unit=unit)
    assert code_points(text, there, unit=unit) == ((start, end),)


def test_utf_16_and_bytes_part_behind_the_first_wide_sign():
    at = TEXT.index("is safe")
    (utf_16,) = counted(TEXT, [(at, at + 7)], unit="utf_16")
    (in_bytes,) = counted(TEXT, [(at, at + 7)], unit="bytes")
    assert TEXT.encode("utf-16-le")[2 * utf_16[0] : 2 * utf_16[1]].decode("utf-16-le") == "is safe"
    assert TEXT.encode()[slice(*in_bytes)].decode() == "is safe"


@pytest.mark.parametrize(
    "ranges, unit, words",
    [
        ([(9, 12)], "utf_16", "inside a sign"),
        ([(0, 9)], "bytes", "inside a sign"),
        ([(0, 900)], "utf_16", "beyond"),
        ([(0, 900)], "code_points", "The offset 900 is beyond the text's"),
        ([(0, 1)], "utf16", "Did you mean 'utf_16'"),
    ],
)
def test_offsets_that_no_text_has_are_refused(ranges, unit, words):
    with pytest.raises(InvalidQuotation, match=words):
        code_points(TEXT, ranges, unit=unit)


def test_an_offset_beyond_the_text_has_no_other_count():
    with pytest.raises(InvalidQuotation, match="beyond"):
        counted(TEXT, [(0, 900)])
