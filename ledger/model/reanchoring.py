"""Where a quotation stands in another version of its text.

Here lives the search by the words themselves and what stood around them; offsets of the old text
count for nothing. Which versions there are is in `ledger.projections.versions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import attrs

from ledger.model.anchoring import earliest, latest, missing
from ledger.model.quotation import Quotation
from ledger.model.ranges import Range, reads, written

Standing = Literal["stands", "moved", "ambiguous", "gone"]
_WIDTHS: Final = (200, 64, 32, 16, 8, 4)


@attrs.frozen(kw_only=True)
class Anchor:
    """Where the words of a quotation stand, or why they do not.

    `stands` is at the same offsets, `moved` at others, `ambiguous` at several places that what
    stood around the words does not tell apart, `gone` nowhere.
    """

    status: Standing
    ranges: tuple[Range, ...] = ()
    why: str = ""


def reanchored(quotation: Quotation, text: str, *, before: str | None = None) -> Anchor:
    """The place of a quotation's words in a text that may be another version of its own.

    `before` is the text that its ranges are of, which tells what stood around the words; without
    it prefix and suffix do.

    Example:
        >>> words = Quotation(exact="is open", ranges=[(9, 16)])
        >>> found = reanchored(words, "Now the road is open.")
        >>> found.status, found.ranges
        ('moved', ((13, 20),))
    """
    pieces = quotation.pieces
    first = earliest(text, pieces)
    if not first:
        return Anchor(status="gone", why=_why_gone(quotation, text))
    if first == latest(text, pieces):
        return _found(quotation, first)
    for prefix, suffix in _around(quotation, before):
        close = earliest(text, pieces, prefix=prefix, suffix=suffix)
        if close and close == latest(text, pieces, prefix=prefix, suffix=suffix):
            return _found(quotation, close)
    if quotation.ranges and before == text and reads(text, quotation.ranges) == quotation.exact:
        return _found(quotation, quotation.ranges)
    last = latest(text, pieces)
    why = f"It stands at several places, from {written(first)} to {written(last)}."
    return Anchor(status="ambiguous", ranges=first, why=why)


def _found(quotation: Quotation, ranges: tuple[Range, ...]) -> Anchor:
    return Anchor(status="stands" if ranges == quotation.ranges else "moved", ranges=ranges)


def _around(quotation: Quotation, before: str | None) -> Iterator[tuple[str, str]]:
    """What stood before and behind the words, from much to little; both sides, then one."""
    left, right = quotation.prefix, quotation.suffix
    if before is not None and quotation.ranges:
        (start, _), (_, end) = quotation.ranges[0], quotation.ranges[-1]
        left, right = before[max(0, start - _WIDTHS[0]) : start], before[end : end + _WIDTHS[0]]
    for width in _WIDTHS:
        near, far = left[max(0, len(left) - width) :], right[:width]
        yield near, far
        yield near, ""
        yield "", far


def _why_gone(quotation: Quotation, text: str) -> str:
    for piece in quotation.pieces:
        if piece not in text:
            return missing(text, piece)
    return "Its pieces do not follow each other in this order any more."
