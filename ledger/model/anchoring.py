"""Finding a quotation in a text, and telling why it is not where it should be.

Here live plain strings and ranges only: where pieces stand, how offsets may have been miscounted,
how the words may have been changed on the way. What a quotation is and when it is refused lives in
`ledger.model.quotation`.

Every search is linear in the text, or bounded: a diagnosis is a hint and never worth a long wait.
"""

from __future__ import annotations

import bisect
import difflib
import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.model.ranges import MOST_SHOWN, Range, reads, typed, written
from ledger.model.text import INVISIBLE, code_point, show

_LOOSE_WINDOW = 1 << 16
_LOOK = 200
_MOST_WORDS = 10
_MOST_GRAMS = 30
_MOST_HITS = 8
_MOST_SCORED = 10
_GRAM = 4
_LEAST_BLOCK = 3
_LEAST_RATIO = 0.5
_LEAST_AGREEMENT = 40


def occurrences(text: str, piece: str, most: int) -> tuple[Range, ...]:
    """The first places, at most `most`, where a piece stands; they may overlap."""
    found: list[Range] = []
    at = text.find(piece)
    while at >= 0 and len(found) < most:
        found.append((at, at + len(piece)))
        at = text.find(piece, at + 1)
    return tuple(found)


def earliest(
    text: str, pieces: Sequence[str], *, prefix: str = "", suffix: str = ""
) -> tuple[Range, ...]:
    """The leftmost rising ranges of the pieces, the prefix right before, the suffix right behind.

    () where they do not stand in this order.

    Example:
        >>> earliest("to be or not to be", ["to", "not"], suffix=" to")
        ((0, 2), (9, 12))
    """
    found: list[Range] = []
    at = 0
    for index, piece in enumerate(pieces):
        lead = "" if index else prefix
        trail = suffix if index == len(pieces) - 1 else ""
        start = text.find(lead + piece + trail, at)
        if start < 0:
            return ()
        at = start + len(lead) + len(piece)
        found.append((at - len(piece), at))
    return tuple(found)


def latest(
    text: str, pieces: Sequence[str], *, prefix: str = "", suffix: str = ""
) -> tuple[Range, ...]:
    """The rightmost rising ranges of the pieces; the same as `earliest` if there is one choice.

    Every other choice lies between the two, piece by piece.
    """
    found: list[Range] = []
    until = len(text)
    for index in reversed(range(len(pieces))):
        piece = pieces[index]
        lead = "" if index else prefix
        trail = suffix if index == len(pieces) - 1 else ""
        start = text.rfind(lead + piece + trail, 0, until)
        if start < 0:
            return ()
        until = start + len(lead)
        found.append((until, until + len(piece)))
    return tuple(reversed(found))


def misplaced(text: str, exact: str, pieces: Sequence[str], ranges: Sequence[Range]) -> str:
    """Sentences that say where words stand whose ranges read something else, and why perhaps."""
    fitting = [
        (why, right) for why, right in _recounted(text, ranges) if reads(text, right) == exact
    ]
    if fitting:
        right = fitting[0][1]
        causes = ", or ".join(why for why, other in fitting if other == right)
        return (
            f"It stands at {written(right)}{_shift(ranges, right)}; were the offsets counted "
            f"{causes}? Type ranges={typed(right)}."
        )
    if len(pieces) == 1 and (found := occurrences(text, exact, MOST_SHOWN)):
        nearby = min(found, key=lambda place: abs(place[0] - ranges[0][0]))
        return (
            f"It stands at {written(found)}{_shift(ranges, found)}. "
            f"Type ranges={typed([nearby])}{'' if len(found) == 1 else ', or another of these'}."
        )
    if len(pieces) > 1 and (right := earliest(text, pieces)):
        return f"Its pieces stand at {written(right)}. Type ranges={typed(right)}."
    absent = next((piece for piece in pieces if piece not in text), None)
    if absent is None:
        return "Its pieces stand there, in another order."
    return missing(text, absent)


def _shift(given: Sequence[Range], right: Sequence[Range]) -> str:
    distance = right[0][0] - given[0][0]
    if len(right) != len(given) or not distance:
        return ""
    return f" ({abs(distance):,} {'later' if distance > 0 else 'earlier'})"


def _recounted(text: str, ranges: Sequence[Range]) -> Iterator[tuple[str, tuple[Range, ...]]]:
    """The ranges as they would be if their offsets had been counted in another way."""
    flat = [offset for pair in ranges for offset in pair]
    yield "in UTF-16 units", _pairs(_decoded(text, "utf-16-le", 2, flat))
    yield "in bytes", _pairs(_decoded(text, "utf-8", 1, flat))
    stripped = text.lstrip()
    if lead := len(text) - len(stripped):
        yield "on the text without its leading blank", _pairs(lead + offset for offset in flat)
    if "\r\n" in text:
        yield "on the text with CR LF as one sign", _pairs(_widened(text, flat))
        if lead:
            yield (
                "on the text without its leading blank and with CR LF as one sign",
                _pairs(lead + offset for offset in _widened(stripped, flat)),
            )
    yield "from 1", _pairs(offset - 1 for offset in flat)
    yield "from 1 with the end included", tuple((start - 1, end) for start, end in ranges)
    yield "with the end included", tuple((start, end + 1) for start, end in ranges)


def _pairs(offsets: Iterable[int]) -> tuple[Range, ...]:
    flat = list(offsets)
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _decoded(text: str, codec: str, unit: int, offsets: Sequence[int]) -> Iterator[int]:
    """Rising offsets in code units, as code points."""
    data = text.encode(codec, "replace")
    total = last = 0
    for offset in offsets:
        total += len(data[last * unit : offset * unit].decode(codec, "ignore"))
        last = offset
        yield total


def _widened(text: str, offsets: Sequence[int]) -> Iterator[int]:
    """Rising offsets on a text whose CR LF were one sign (NUL stands in: no text holds one)."""
    narrow = text.replace("\r\n", "\0")
    total = last = 0
    for offset in offsets:
        part = narrow[last:offset]
        total += len(part) + part.count("\0")
        last = offset
        yield total


# Beyond plane 0 a range is written: a class that lists its signs there is forty times as slow.
_PLANE_0 = "".join(sign for sign in INVISIBLE if sign <= "\uffff")
_HIDDEN = re.compile(f"[{_PLANE_0}\U000e0100-\U000e01ef]")
_LINE_END = re.compile("\r\n?|[\n\x85\u2028\u2029]")
_QUOTATION_MARK = re.compile("[\"'`\u00ab\u00b4\u00bb\u2018-\u201f\u2032\u2033\u2039\u203a]")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_BLANKS = re.compile(r"\s+")
_Fold = Callable[[str], str]
_FOLDS: tuple[tuple[str, _Fold], ...] = (
    ("an invisible sign", functools.partial(_HIDDEN.sub, "")),
    ("Unicode normal form", functools.partial(unicodedata.normalize, "NFC")),
    ("line ends", functools.partial(_LINE_END.sub, "\n")),
    ("quotation marks", functools.partial(_QUOTATION_MARK.sub, '"')),
    ("dashes or dots", lambda text: _DASH.sub("-", text).replace("…", "...")),
    ("white space", functools.partial(_BLANKS.sub, " ")),
    ("upper and lower case", str.casefold),
)
"""What is often changed on the way, from the narrowest to the widest; applied in this order."""


def _folded(text: str, without: str = "") -> str:
    for words, fold in _FOLDS:
        if words != without:
            text = fold(text)
    return text


def differences(passage: str, quote: str) -> tuple[str, ...]:
    r"""In what two texts differ that are the same but for signs often changed on the way.

    Example:
        >>> differences("“a\u00a0risk”", '"a risk"'), differences("a\u00a0risk", "a risk")
        (('quotation marks', 'white space'), ('white space',))
    """
    single = next((words for words, fold in _FOLDS if fold(passage) == fold(quote)), None)
    found = (
        [single]
        if single
        else [words for words, _ in _FOLDS if _folded(passage, words) != _folded(quote, words)]
    )
    return tuple(
        f"an invisible sign ({_hidden(passage + quote)})" if words == "an invisible sign" else words
        for words in found
    )


def _hidden(text: str) -> str:
    return ", ".join(map(code_point, sorted(set(_HIDDEN.findall(text)))[:MOST_SHOWN]))


def loose(text: str, quote: str) -> Range | None:
    """The first passage that is the quote but for signs often changed on the way, if any.

    The text is folded in overlapping windows, so memory stays flat and time linear; lengths of
    folded prefixes only grow, so the place in the text as given is found by bisection.
    """
    wanted = _folded(quote)
    if not wanted:
        return None
    size = max(_LOOSE_WINDOW, 4 * len(quote))
    for base in range(0, len(text), size // 2):
        window = text[base : base + size]
        at = _folded(window).find(wanted)
        if at < 0:
            continue

        def length(cut: int, window: str = window) -> int:
            return len(_folded(window[:cut]))

        cuts = range(len(window) + 1)
        start = bisect.bisect_right(cuts, at, key=length) - 1
        end = bisect.bisect_right(cuts, at + len(wanted), key=length) - 1
        return base + start, base + len(window[:end].rstrip(INVISIBLE))
    return None


def nearest(text: str, quote: str) -> Range | None:
    """The passage most like the first 200 signs of a quote that its words lead to, if any.

    A hint: words that stand in the text more than eight times are followed to eight places only.
    """
    head = quote[:_LOOK]
    words = sorted(re.finditer(r"\w{3,}", head), key=lambda word: word.start() - word.end())
    seeds = [(word[0], word.start()) for word in words[:_MOST_WORDS]]
    step = 1 + len(head) // _MOST_GRAMS
    seeds += [(head[at : at + _GRAM], at) for at in range(0, len(head) - _GRAM + 1, step)]
    starts = {
        max(0, place[0] - at): None
        for seed, at in seeds
        for place in occurrences(text, seed, _MOST_HITS)
    }
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(head)

    def rough(start: int) -> float:
        matcher.set_seq1(text[start : start + len(head)])
        return matcher.quick_ratio()

    best, passage = _LEAST_RATIO, None
    for start in sorted(starts, key=rough, reverse=True)[:_MOST_SCORED]:
        matcher.set_seq1(text[start : start + len(head)])
        if (ratio := matcher.ratio()) > best:
            found = matcher.get_matching_blocks()
            blocks = [block for block in found if block.size >= _LEAST_BLOCK] or found
            best = ratio
            passage = start + blocks[0].a, start + blocks[-1].a + blocks[-1].size
    return passage


def missing(text: str, quote: str) -> str:
    """A sentence about words that do not stand in the text: what does, and how it differs."""
    if place := loose(text, quote):
        passage = text[slice(*place)]
        return (
            f"At {written([place])} it reads {show(passage)}, which differs in "
            f"{' and '.join(differences(passage, quote))}. Quote it as written."
        )
    cuts = range(len(quote) + 1)
    agreed = bisect.bisect_left(cuts, 1, key=lambda cut: int(quote[:cut] not in text)) - 1
    if agreed >= _LEAST_AGREEMENT:
        start = text.find(quote[:agreed])
        part = start + agreed
        return (
            f"Its first {agreed:,} signs stand at {start}..{part}; there the text goes on "
            f"{show(text[part : part + 40])}, the quotation {show(quote[agreed : agreed + 40])}."
        )
    if place := nearest(text, quote):
        return f"The nearest passage, at {written([place])}, reads {show(text[slice(*place)])}."
    return "Nothing like it stands there. Copy the words from the document, or name another one."
