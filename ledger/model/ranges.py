"""Ranges: passages of a text as pairs of offsets, checked without the text.

Here lives what a pair of offsets must fulfil, how ranges stand in a message and what they read.
How a quotation is found in a text lives in `ledger.model.anchoring`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, SupportsIndex

from ledger.errors import InvalidQuotation
from ledger.model.text import show

Range = tuple[int, int]
"""Start and end of a passage: 0-based, end-exclusive, in code points of the text as given."""

MAX_RANGES: Final = 1_000
MAX_OFFSET: Final = 2**53 - 1
"""The largest whole number that every reader of the canonical form keeps (RFC 8785)."""

MOST_SHOWN: Final = 5


def check_ranges(value: object) -> tuple[Range, ...]:
    """Pairs of whole numbers, each rising, none overlapping the one before it; () is allowed.

    A float or a text is refused even where it looks like a whole number, and so is a bool.

    Raises:
        InvalidQuotation: `field` is the path, such as `ranges[0][1]`.

    Example:
        >>> check_ranges([[4, 8], [12, 16]])
        ((4, 8), (12, 16))
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise _refused("ranges", f"must be a list of pairs, got {show(value)}", value)
    pairs = list(value)
    if len(pairs) > MAX_RANGES:
        raise _refused("ranges", f"holds {len(pairs):,} pairs, at most {MAX_RANGES:,} are kept")
    ranges: list[Range] = []
    for index, pair in enumerate(pairs):
        field = f"ranges[{index}]"
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:  # noqa: PLR2004 - a pair
            what = f"must be a pair of start and end, got {show(pair)}; write ranges=[(32, 39)]"
            raise _refused(field, what, pair)
        start, end = _offset(pair[0], f"{field}[0]"), _offset(pair[1], f"{field}[1]")
        if fault := _fault(start, end, ranges):
            raise _refused(field, f"{start}..{end} {fault}", pair)
        ranges.append((start, end))
    return tuple(ranges)


def _offset(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        what = f"must be a whole number, got {show(value)} ({type(value).__name__})"
        raise _refused(field, what, value)
    offset = operator.index(value)
    if not 0 <= offset <= MAX_OFFSET:
        what = "below 0" if offset < 0 else "beyond the end of any text"
        raise _refused(field, f"is {show(offset)}, {what}", value)
    return offset


def _fault(start: int, end: int, before: Sequence[Range]) -> str:
    if start == end:
        return "is empty; the end is the offset behind the last sign"
    if start > end:
        return f"runs backwards; write ({end}, {start})"
    if before and end <= before[-1][0]:
        return f"stands before {written(before[-1:])}; ranges must rise"
    if before and start < before[-1][1]:
        return f"overlaps {written(before[-1:])}; ranges must not overlap"
    return ""


def _refused(field: str, what: str, given: object = None) -> InvalidQuotation:
    return InvalidQuotation(f"{field} {what}.", field=field, given=given)


def reads(text: str, ranges: Sequence[Range]) -> str | None:
    """What stands at the ranges, joined by one blank; None where one leaves the text.

    Example:
        >>> reads("the road is open", [(4, 8), (12, 16)])
        'road open'
    """
    if any(not 0 <= start < end <= len(text) for start, end in ranges):
        return None
    return " ".join(text[start:end] for start, end in ranges)


def written(ranges: Sequence[Range]) -> str:
    """Ranges as they stand in a message, at most five of them.

    Example:
        >>> written([(4, 8), (12, 16)])
        '4..8, 12..16'
    """
    shown = ", ".join(f"{start}..{end}" for start, end in ranges[:MOST_SHOWN])
    return shown if len(ranges) <= MOST_SHOWN else f"{shown} and more"


def typed(ranges: Sequence[Range]) -> str:
    """Ranges as a user types them, all of them.

    Example:
        >>> typed([(4, 8)])
        '[(4, 8)]'
    """
    return f"[{', '.join(f'({start}, {end})' for start, end in ranges)}]"
