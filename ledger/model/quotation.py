"""The quotation: the words a claim rests on, and where they stand in its document.

Here lives the noun and its check against the document's text. How the words are searched for and
why they may be missing lives in `ledger.model.anchoring`, offsets in `ledger.model.ranges`.

Follows the W3C Web Annotation data model: `exact`, `prefix` and `suffix` are a TextQuoteSelector,
each range is a TextPositionSelector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, SupportsIndex, get_args

import attrs

from ledger.errors import InvalidQuotation, InvalidText
from ledger.model.anchoring import earliest, latest, misplaced, missing, occurrences
from ledger.model.ranges import MOST_SHOWN, Range, check_ranges, reads, typed, written
from ledger.model.rendering import Rendering, to_renderings
from ledger.model.text import check_text, did_you_mean, near, show

Mode = Literal["direct", "indirect", "mixed", "reported", "reference"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

MAX_QUOTATION: Final = 100_000
MAX_CONTEXT: Final = 1_000


def _words(value: object, field: str, limit: int = MAX_QUOTATION) -> str:
    if isinstance(value, (list, tuple)):
        raise InvalidQuotation(
            f"{field} must be one text, got a list. For several pieces type "
            "Quotation.of(['first', 'second']).",
            field=field,
            given=value,
        )
    try:
        return check_text(value, field=field, limit=limit)
    except InvalidText as error:
        raise InvalidQuotation(error.message, field=field, given=value) from None


def _exact(value: str) -> str:
    return _words(value, "exact")


def _prefix(value: str) -> str:
    return "" if value == "" else _words(value, "prefix", MAX_CONTEXT)


def _suffix(value: str) -> str:
    return "" if value == "" else _words(value, "suffix", MAX_CONTEXT)


def _mode(value: Mode) -> Mode:
    for mode in MODES:
        if value == mode:
            return mode
    raise InvalidQuotation(
        f"mode is {show(value)}.{did_you_mean(near(str(value), MODES))} "
        f"Write one of {', '.join(MODES)}.",
        field="mode",
        given=value,
    )


def _ranges(value: Iterable[Sequence[SupportsIndex]]) -> tuple[Range, ...]:
    return check_ranges(value)


def _parts(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise InvalidQuotation(
            f"parts is a list of texts, not {show(value)}. Type Quotation.of(['first', 'second']).",
            field="parts",
            given=value,
        )
    return tuple(_words(part, f"parts[{index}]") for index, part in enumerate(value))


@attrs.frozen(kw_only=True)
class Quotation:
    """Words of a document, exactly as written there, in one or more pieces.

    `ranges` are 0-based, end-exclusive offsets in Unicode code points of the document's text
    exactly as given: nothing stripped, no line ends changed, no normal form applied. With several
    ranges `exact` is the pieces joined by one blank. `parts` holds pieces given without ranges (or
    with ranges not yet checked); `anchored` turns them into ranges. `prefix` and `suffix` are the
    text directly before the first piece and directly after the last. `renderings` are the same
    words in other languages.

    Raises:
        InvalidQuotation: empty or unstorable words, offsets that are no rising whole numbers.

    Example:
        >>> Quotation(exact="the road open", ranges=[(0, 8), (12, 16)]).pieces
        ('the road', 'open')
    """

    exact: str = attrs.field(converter=_exact)
    ranges: tuple[Range, ...] = attrs.field(default=(), converter=_ranges)
    mode: Mode = attrs.field(default="direct", converter=_mode)
    prefix: str = attrs.field(default="", converter=_prefix)
    suffix: str = attrs.field(default="", converter=_suffix)
    parts: tuple[str, ...] = attrs.field(default=(), converter=_parts)
    renderings: tuple[Rendering, ...] = attrs.field(default=(), converter=to_renderings)

    def __attrs_post_init__(self) -> None:
        if self.parts and " ".join(self.parts) != self.exact:
            raise InvalidQuotation(
                "parts are not exact cut at its blanks. Type Quotation.of([...]) instead.",
                field="parts",
                given=self.parts,
            )
        if self.parts and self.ranges and len(self.parts) != len(self.ranges):
            raise InvalidQuotation(
                f"ranges holds {len(self.ranges)} pairs for {len(self.parts)} pieces; "
                "each piece has one.",
                field="ranges",
                given=self.ranges,
            )

    @classmethod
    def of(
        cls, value: Quotation | str | Sequence[str] | Mapping[str, Any], *, field: str = "quote"
    ) -> Quotation:
        """A quotation from what a user types: words, a list of pieces, a mapping, or itself.

        A mapping has the field names of this class; its `exact` may be a list of pieces. `field`
        is the path that refusals name.

        Raises:
            InvalidQuotation: as the class, and for a value or key that means nothing here.

        Example:
            >>> Quotation.of(["the road", "open"]).exact
            'the road open'
        """
        if isinstance(value, Quotation):
            return value
        try:
            return cls(**_fields(value))
        except InvalidQuotation as error:
            inner = "" if isinstance(value, str) and error.field == "exact" else error.field
            path = field + (f".{inner}" if inner and not inner.startswith("[") else inner)
            message = path + error.message.removeprefix(error.field)
            raise InvalidQuotation(message, field=path, given=error.given) from None

    @property
    def pieces(self) -> tuple[str, ...]:
        """The words piece by piece; `(exact,)` where neither ranges nor parts cut them."""
        if self.parts:
            return self.parts
        if len(self.ranges) < 2 or not self._fits:  # noqa: PLR2004 - one piece needs no cut
            return (self.exact,)
        cut: list[str] = []
        at = 0
        for start, end in self.ranges:
            cut.append(self.exact[at : at + end - start])
            at += end - start + 1
        return tuple(cut)

    @property
    def _fits(self) -> bool:
        """Whether the ranges cover as many code points as the pieces have."""
        if self.parts:
            return all(
                end - start == len(part)
                for (start, end), part in zip(self.ranges, self.parts, strict=True)
            )
        covered = sum(end - start for start, end in self.ranges)
        return covered + len(self.ranges) - 1 == len(self.exact)


def _fields(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"exact": value}
        case list() | tuple():
            return _joined(value, "")
        case Mapping():
            return _read(value)
        case _:
            raise InvalidQuotation(
                f" must be the quoted words, got {show(value)} ({type(value).__name__}).",
                given=value,
            )


def _joined(value: Sequence[object], field: str) -> dict[str, Any]:
    parts = tuple(_words(part, f"{field}[{index}]") for index, part in enumerate(value))
    if not parts:
        raise InvalidQuotation(f"{field} is an empty list; write the words.", field=field)
    return {"exact": " ".join(parts), "parts": parts if len(parts) > 1 else ()}


def _read(value: Mapping[object, object]) -> dict[str, Any]:
    known = tuple(field.name for field in attrs.fields(Quotation))
    fields: dict[str, Any] = {"exact": ""}
    for key, part in value.items():
        if not isinstance(key, str) or key not in known:
            raise InvalidQuotation(
                f" has no field {show(key)}.{did_you_mean(near(str(key), known))} "
                f"Its fields are {', '.join(known)}.",
                given=key,
            )
        if part is not None:
            fields[key] = part
    if isinstance(fields["exact"], (list, tuple)):
        fields |= _joined(fields["exact"], "exact")
    return fields


def anchored(quotation: Quotation, text: str, *, document: str) -> Quotation:
    """The quotation with ranges at which the text surely has its words.

    Given ranges must reproduce the words. Without ranges the words, or the pieces in rising order,
    must stand at one place only; prefix and suffix help to choose. `document` is the id that
    refusals name. Linear in the text.

    Raises:
        InvalidQuotation: the text does not bear the quotation out, or at several places.

    Example:
        >>> anchored(Quotation.of("is open"), "The road is open.", document="d1").ranges
        ((9, 16),)
    """
    if not quotation.ranges:
        return _located(quotation, text, document)
    if not _stands(quotation, text):
        raise _misread(quotation, text, document)
    (first, _), (_, last) = quotation.ranges[0], quotation.ranges[-1]
    at = written(quotation.ranges)
    if not text[:first].endswith(quotation.prefix):
        found = text[max(0, first - len(quotation.prefix)) : first]
        raise _beside("prefix", "before", quotation.prefix, found, at, document)
    if not text.startswith(quotation.suffix, last):
        found = text[last : last + len(quotation.suffix)]
        raise _beside("suffix", "behind", quotation.suffix, found, at, document)
    return attrs.evolve(quotation, parts=())


def _stands(quotation: Quotation, text: str) -> bool:
    if quotation.parts and not quotation._fits:  # noqa: SLF001 - the noun's own file
        return False
    return reads(text, quotation.ranges) == quotation.exact


def _located(quotation: Quotation, text: str, document: str) -> Quotation:
    pieces, prefix, suffix = quotation.pieces, quotation.prefix, quotation.suffix
    first = earliest(text, pieces, prefix=prefix, suffix=suffix)
    if not first:
        raise _absent(quotation, text, document)
    last = latest(text, pieces, prefix=prefix, suffix=suffix)
    if first != last:
        raise _several(quotation, text, first, last, document)
    return attrs.evolve(quotation, ranges=first, parts=())


def _refused(message: str, field: str, given: object) -> InvalidQuotation:
    return InvalidQuotation(message, field=f"quote.{field}", given=given)


def _misread(quotation: Quotation, text: str, document: str) -> InvalidQuotation:
    ranges, exact = quotation.ranges, quotation.exact
    found = reads(text, ranges)
    if found is None:
        past = next(pair for pair in ranges if pair[1] > len(text))
        what = (
            f"The range {written([past])} ends after document {show(document)}, which has "
            f"{len(text):,} code points"
        )
    else:
        what = (
            f"At {written(ranges)} document {show(document)} reads {show(found)}, the quotation "
            f"says {show(exact)}"
        )
    hint = misplaced(text, exact, quotation.pieces, ranges)
    if len(ranges) > 1 and not quotation._fits:  # noqa: SLF001 - the noun's own file
        hint += " Several pieces are a list of texts, or one text joined by one blank."
    return _refused(f"{what}. {hint}", "ranges", ranges)


def _absent(quotation: Quotation, text: str, document: str) -> InvalidQuotation:
    pieces = quotation.pieces
    for piece in pieces:
        if piece not in text:
            what = "The quotation" if len(pieces) == 1 else "The piece"
            return _refused(
                f"{what} {show(piece)} does not occur in document {show(document)}. "
                f"{missing(text, piece)}",
                "exact",
                quotation.exact,
            )
    places = earliest(text, pieces)
    if not places:
        return _refused(
            f"The pieces of {show(quotation.exact)} do not follow each other in this order in "
            f"document {show(document)}. Give them in the order of the text.",
            "exact",
            quotation.exact,
        )
    (first, _), (_, last) = places[0], places[-1]
    before = text[max(0, first - len(quotation.prefix)) : first]
    behind = text[last : last + len(quotation.suffix)]
    if before != quotation.prefix:
        return _beside("prefix", "before", quotation.prefix, before, written(places), document)
    return _beside("suffix", "behind", quotation.suffix, behind, written(places), document)


def _beside(  # noqa: PLR0917 - one sentence has six things to say
    field: str, side: str, given: str, found: str, at: str, document: str
) -> InvalidQuotation:
    return _refused(
        f"The {field} {show(given)} does not stand {side} the quotation at {at} of document "
        f"{show(document)}; there the text reads {show(found)}.",
        field,
        given,
    )


def _several(
    quotation: Quotation,
    text: str,
    first: tuple[Range, ...],
    last: tuple[Range, ...],
    document: str,
) -> InvalidQuotation:
    what = f"{show(quotation.exact)} stands at several places of document {show(document)}"
    if len(first) > 1:
        where = f"from {written(first)} to {written(last)}"
    else:
        needle = quotation.prefix + quotation.exact + quotation.suffix
        found = occurrences(text, needle, MOST_SHOWN + 1)
        lead = len(quotation.prefix)
        places = [(at + lead, at + lead + len(quotation.exact)) for at, _ in found]
        where = written(places)
    return _refused(
        f"{what}: {where}. Say which: ranges={typed(first)} is the first; a prefix or suffix "
        "does too.",
        "ranges",
        quotation.exact,
    )


def within(quotation: Quotation, length: int, *, document: str) -> Quotation:
    """The quotation, checked against a document of which only the length in code points is known.

    Raises:
        InvalidQuotation: a range ends after the document, or covers another number of signs.

    Example:
        >>> within(Quotation(exact="open", ranges=[(12, 16)]), 17, document="d1").ranges
        ((12, 16),)
    """
    ranges = quotation.ranges
    if not ranges:
        return quotation
    past = next((pair for pair in ranges if pair[1] > length), None)
    if past:
        raise _refused(
            f"The range {written([past])} ends after document {show(document)}, which has "
            f"{length:,} code points.",
            "ranges",
            ranges,
        )
    if not quotation._fits:  # noqa: SLF001 - the noun's own file
        raise _refused(
            f"The ranges {written(ranges)} cover {sum(e - s for s, e in ranges):,} code points, "
            f"the quotation {show(quotation.exact)} has {sum(map(len, quotation.pieces)):,}. Count "
            "code points of the text as given; several pieces are joined by one blank.",
            "ranges",
            ranges,
        )
    return attrs.evolve(quotation, parts=())


def context(text: str, quotation: Quotation, width: int = 60) -> tuple[str, str]:
    """At most `width` signs of the text before and behind the quotation, for display.

    Without ranges the prefix and suffix stand in.

    Example:
        >>> context("The road is open.", Quotation(exact="is", ranges=[(9, 11)]), width=5)
        ('road ', ' open')
    """
    if not quotation.ranges:
        before = quotation.prefix
        return before[max(0, len(before) - width) :], quotation.suffix[:width]
    (first, _), (_, last) = quotation.ranges[0], quotation.ranges[-1]
    return text[max(0, first - width) : first], text[last : last + width]
