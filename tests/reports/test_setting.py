"""Setting a table: whatever stands in it, nothing is lost and no line is too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.reports.setting import WIDTH, grid, wrapped

WORDS = st.text(alphabet="abc ()*,-", min_size=1, max_size=60).filter(str.strip)


def letters(text: str) -> str:
    return "".join(text.split())


@st.composite
def tables(draw):
    count = draw(st.integers(1, 8))
    texts = st.lists(WORDS, min_size=count, max_size=count)
    row = st.tuples(WORDS, texts)
    blocks = st.tuples(WORDS, st.lists(row, min_size=1, max_size=3))
    return draw(texts), draw(st.lists(blocks, min_size=1, max_size=3))


@given(tables())
def test_no_line_is_longer_than_the_width(table):
    heads, blocks = table
    for part in grid(heads=heads, blocks=blocks):
        assert all(len(line) <= WIDTH for line in part)


@given(tables())
def test_every_sign_of_every_cell_is_set(table):
    heads, blocks = table
    printed = "".join(line for part in grid(heads=heads, blocks=blocks) for line in part)
    for sign in "abc(),*":
        given_once = sum(
            text.count(sign) for _, rows in blocks for _, cells in rows for text in cells
        )
        assert printed.count(sign) >= given_once + sum(head.count(sign) for head in heads)


@given(WORDS, st.integers(5, 40))
def test_wrapping_keeps_every_letter(text, width):
    lines = wrapped(text, width)
    assert letters("".join(lines)) == letters(text)
    assert all(len(line) <= width for line in lines)


def test_columns_that_do_not_fit_are_set_below_in_the_same_order():
    heads = [f"{at} {'x' * 24}" for at in range(7)]
    parts = grid(heads=heads, blocks=[("block", [("name", ["yes"] * 7)])])
    assert len(parts) == 3
    assert [head for part in parts for head in part[0].split("  ") if head] == heads
