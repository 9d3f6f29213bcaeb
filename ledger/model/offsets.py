"""Offsets counted in other units than code points, as other languages count them.

JavaScript, Java and .NET count UTF-16 units, many tools bytes of UTF-8. The ledger counts code
points (Web Annotation Data Model, 4.2.5) and converts on request, with the text at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, get_args

from ledger.errors import InvalidQuotation
from ledger.model.ranges import Range, check_ranges
from ledger.model.text import did_you_mean, near, show

Unit = Literal["code_points", "utf_16", "bytes"]
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
_CODECS: Final = {"utf_16": ("utf-16-le", 2), "bytes": ("utf-8", 1)}


def code_points(
    text: str, ranges: Iterable[Sequence[int]], *, unit: Unit = "utf_16"
) -> tuple[Range, ...]:
    r"""Ranges counted in UTF-16 units or UTF-8 bytes, as code points.

    Raises:
        InvalidQuotation: an offset inside a sign or beyond the text, or an unknown unit.

    Example:
        >>> code_points("dam \U0001f30a open", [(7, 11)])
        ((6, 10),)
    """
    given = check_ranges(ranges)
    if check_unit(unit) == "code_points":
        return _within(text, given)
    codec, width = _CODECS[unit]
    data = text.encode(codec, "surrogatepass")
    flat = [offset for pair in given for offset in pair]
    found: list[int] = []
    last = total = 0
    for offset in flat:
        try:
            total += len(data[last * width : offset * width].decode(codec))
        except UnicodeDecodeError:
            raise _refused(offset, "stands inside a sign", unit) from None
        if offset * width > len(data):
            raise _refused(offset, f"is beyond the text's {len(data) // width:,}", unit)
        found.append(total)
        last = offset
    return tuple(zip(found[::2], found[1::2], strict=True))


def counted(
    text: str, ranges: Iterable[Sequence[int]], *, unit: Unit = "utf_16"
) -> tuple[Range, ...]:
    r"""Ranges in code points, counted in UTF-16 units or UTF-8 bytes.

    Raises:
        InvalidQuotation: a range beyond the text, or an unknown unit.

    Example:
        >>> counted("dam \U0001f30a open", [(6, 10)]), counted("é!", [(1, 2)], unit="bytes")
        (((7, 11),), ((2, 3),))
    """
    given = check_ranges(ranges)
    _within(text, given)
    if check_unit(unit) == "code_points":
        return given
    codec, width = _CODECS[unit]

    def sizes() -> Iterator[int]:
        last = total = 0
        for offset in (offset for pair in given for offset in pair):
            total += len(text[last:offset].encode(codec, "surrogatepass")) // width
            last = offset
            yield total

    flat = list(sizes())
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _within(text: str, ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    past = next((end for _, end in ranges if end > len(text)), None)
    if past is not None:
        raise _refused(past, f"is beyond the text's {len(text):,}", "code_points")
    return ranges


def check_unit(unit: str) -> Unit:
    """Refuse a unit that is not known."""
    for known in UNITS:
        if unit == known:
            return known
    raise InvalidQuotation(
        f"There is no unit {show(unit)} of offsets.{did_you_mean(near(str(unit), UNITS))} Write "
        f"one of {', '.join(UNITS)}.",
        field="unit",
        given=unit,
    )


def _refused(offset: int, what: str, unit: str) -> InvalidQuotation:
    return InvalidQuotation(
        f"The offset {offset:,} {what}, counted in {unit}. Count again, or name another unit of "
        f"{', '.join(UNITS)}.",
        field="ranges",
        given=offset,
    )
