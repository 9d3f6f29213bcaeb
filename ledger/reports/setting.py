"""Setting a table in plain text: columns that line up, lines of at most 100 signs.

Here lives the typesetting alone; what stands in the cells is made by the reports.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

WIDTH: Final = 100
_WIDEST_NAME: Final = 28
_WIDEST_CELL: Final = 30
_GAP: Final = 2

Blocks = Sequence[tuple[str, Sequence[tuple[str, Sequence[str]]]]]
"""Headings, each with its rows: a name, and a text for each column."""


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a text, broken between words; at least one line.

    Example:
        >>> wrapped("the road is open", 10, "  ")
        ['the road', '  is open']
    """
    lines = [
        line
        for part in text.splitlines()
        for line in textwrap.wrap(part, width, subsequent_indent=indent, break_on_hyphens=False)
    ]
    return lines or [""]


def noted(number: str, text: str) -> list[str]:
    r"""A note behind its number; further lines stand below its first.

    Example:
        >>> noted("[1]", "so it says\nin the paper")
        ['[1] so it says', '    in the paper']
    """
    lead = " " * (len(number) + 1)
    lines = wrapped(text, WIDTH - len(lead))
    return [f"{number} {lines[0]}", *(lead + line for line in lines[1:])]


def grid(*, heads: Sequence[str], blocks: Blocks) -> list[list[str]]:
    r"""The table, as several below each other where the columns do not fit side by side.

    Example:
        >>> blocks = [("Open?", [("Ann", ["yes", "no"])])]
        >>> print(*grid(heads=["May", "June"], blocks=blocks)[0], sep="\n")
             May  June
        Open? --------
        Ann  yes  no
    """
    rows = [row for _, of_block in blocks for row in of_block]
    names = _width((name for name, _ in rows), _WIDEST_NAME)
    widths = [
        _width([head, *(cells[at] for _, cells in rows)], _WIDEST_CELL)
        for at, head in enumerate(heads)
    ]
    return [
        _part([names, *(widths[at] for at in part)], part, heads, blocks)
        for part in _parts(widths, WIDTH + _GAP - names)
    ]


def _width(texts: Iterable[str], widest: int) -> int:
    longest = max(len(line) for text in texts for line in text.splitlines())
    return min(widest, longest) + _GAP


def _parts(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """The places of the columns, as many in a row as there is room for."""
    part: list[int] = []
    for at, width in enumerate(widths):
        if part and sum(widths[one] for one in part) + width > room:
            yield part
            part = []
        part.append(at)
    yield part


def _part(
    sizes: Sequence[int], part: Sequence[int], heads: Sequence[str], blocks: Blocks
) -> list[str]:
    total = sum(sizes) - _GAP
    lines = _row("", [heads[at] for at in part], sizes)
    for heading, rows in blocks:
        *first, last = wrapped(heading, WIDTH, "  ")
        lines += [*first, f"{last} {'-' * (total - len(last) - 1)}".rstrip()]
        for name, cells in rows:
            lines += _row(name, [cells[at] for at in part], sizes)
    return lines


def _row(name: str, cells: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """A row, over several lines where a text is longer than its column."""
    columns = [
        wrapped(text, size - _GAP, indent)
        for text, size, indent in zip(
            (name, *cells), sizes, ("  ", *[""] * len(cells)), strict=True
        )
    ]
    return [
        "".join(
            (column[at] if at < len(column) else "").ljust(size)
            for column, size in zip(columns, sizes, strict=True)
        ).rstrip()
        for at in range(max(map(len, columns)))
    ]
