"""Texts: which may enter the ledger, and how one may stand in a message.

Here live the checks of ids, names and free texts, the safe form of a value for messages, the
warnings about names that look like others, and the near matches of a mistyped word. What a
quotation must fulfil lives in `ledger.model.quotation`; how bytes become text, in the importers.
"""

from __future__ import annotations

import difflib
import heapq
import re
import reprlib
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from ledger.errors import InvalidText

MAX_ID: Final = 200
MAX_NAME: Final = 500
MAX_FREE_TEXT: Final = 100_000
MAX_MARKS: Final = 4
"""More accents than this on one sign are a warning: no written language stacks as many."""

_VARIATIONS = "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u200b\u200c\u200d"
    "\u200e\u200f\u2060\u2061\u2062\u2063\u2064\u2800\u3164\ufeff\uffa0" + _VARIATIONS
)
"""Signs that take no room on the screen (or only blank room), so that nobody sees them."""

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_JOINERS = "\u200c\u200d" + _VARIATIONS
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_MOST_DIGITS = 18
_NEAR_POOL = 200
_NEAR_CUTOFF = 0.6
_PREFIX_RATIO = 0.9
_LEAST_PREFIX = 2


def show(value: object, limit: int = 60) -> str:
    r"""A value as it may stand in a message: quoted, escaped, at most `limit` signs of it.

    Control, bidi, invisible and unassigned signs and every blank but the plain one are written as
    escapes, so that a message shows what is there and no terminal obeys it.

    Example:
        >>> print(show("Ba\u200bku"), show("x" * 100, limit=4), show(True), show(None))
        'Ba\u200bku' 'xxxx'... (100 signs) True None
    """
    if isinstance(value, str):
        head = value[:limit]
        mark = '"' if "'" in head and '"' not in head else "'"
        quoted = mark + "".join(_escaped(sign, mark) for sign in head) + mark
        return quoted if len(value) <= limit else f"{quoted}... ({len(value):,} signs)"
    try:
        written = reprlib.repr(value)
    except Exception:  # noqa: BLE001 - a foreign repr may raise anything; the message must stand
        written = f"<{type(value).__name__}>"
    shown = "".join(_escaped(sign, "") for sign in written[:limit])
    return shown if len(written) <= limit else f"{shown}..."


def _escaped(sign: str, mark: str) -> str:
    if sign == mark:
        return "\\" + sign
    if sign in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[sign] if mark or sign != "\\" else sign
    if sign.isprintable() and sign not in INVISIBLE:
        return sign
    code = ord(sign)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - end of plane 0


def code_point(sign: str) -> str:
    r"""A sign as its code point and, where it has one, its name.

    Example:
        >>> code_point("\u202e")
        'U+202E RIGHT-TO-LEFT OVERRIDE'
    """
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".rstrip()


def check_text(value: object, *, field: str, limit: int = MAX_FREE_TEXT) -> str:
    r"""Free text as it may enter: not empty, no NUL, no half of a surrogate pair.

    Line ends, tabs and every other sign stay as they are; nothing is trimmed or normalised.
    `limit` counts code points.

    Raises:
        InvalidText: the text cannot be kept; the message names the field and the value.

    Example:
        >>> check_text("two\nlines", field="note")
        'two\nlines'
    """
    if not isinstance(value, str):
        raise _refused(field, value, f"must be text, got {show(value)} ({type(value).__name__})")
    if not value:
        raise _refused(field, value, "is empty; leave it out, or write the text")
    if len(value) > limit:
        raise _refused(field, value, f"has {len(value):,} signs, at most {limit:,} are kept")
    if found := _UNSTORABLE.search(value):
        raise _unstorable(field, value, found)
    return bare(value)


def bare(value: str) -> str:
    """A text as a plain `str`: a host's may be the member of an enum, or numpy's.

    Example:
        >>> import enum
        >>> bare(enum.StrEnum("Act", ["DENY"]).DENY)
        'deny'
    """
    return value if type(value) is str else str.__str__(value)


def check_name(value: object, *, field: str, limit: int = MAX_NAME) -> str:
    """One line of text: as `check_text`, and no control sign, no line end, not blank.

    Raises:
        InvalidText: the text is no line.

    Example:
        >>> check_name("Zoé board", field="name")
        'Zoé board'
    """
    text = check_text(value, field=field, limit=limit)
    if found := _CONTROL.search(text):
        raise _unstorable(field, text, found)
    if all(sign.isspace() or sign in INVISIBLE for sign in text):
        raise _refused(field, text, f"holds nothing but blanks: {show(text)}")
    return text


def check_id(value: object, *, field: str) -> str:
    """An id that a host may choose: one line, at most 200 code points, no blanks at the ends.

    "." and ".." as a step of a path are refused, so that no id leads a file name astray.

    Raises:
        InvalidText: the text can be no id.

    Example:
        >>> check_id("ria/2023-02-22", field="id")
        'ria/2023-02-22'
    """
    text = check_name(value, field=field, limit=MAX_ID)
    if text != text.strip():
        raise _refused(
            field, text, f"has a blank at an end: {show(text)}. Write {show(text.strip())}"
        )
    if text == "." or ".." in re.split(r"[/\\]", text):
        raise _refused(field, text, f"may not be '.' or hold '..' as a step: {show(text)}")
    return text


def is_storable(value: object) -> bool:
    r"""Whether a log may hold a value as text: of what it may not, no database can be asked.

    Example:
        >>> is_storable("c1"), is_storable("c\x001"), is_storable("\ud800"), is_storable(None)
        (True, False, False, False)
    """
    return isinstance(value, str) and _UNSTORABLE.search(value) is None


def is_number(text: str) -> bool:
    """Whether a text is a number in digits that a sequence or a place can have.

    Example:
        >>> is_number("41"), is_number("-1"), is_number("1580661436132757504")
        (True, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _refused(field: str, given: object, what: str) -> InvalidText:
    return InvalidText(f"{field} {what}.", field=field, given=given)


def _unstorable(field: str, text: str, found: re.Match[str]) -> InvalidText:
    sign, at = found[0], found.start()
    if unicodedata.category(sign) == "Cs":
        what = f"half of a surrogate pair (U+{ord(sign):04X})"
    elif sign == "\0":
        what = "NUL (U+0000)"
    elif sign in "\n\r\x85\u2028\u2029":
        what = f"a line end (U+{ord(sign):04X})"
    else:
        what = f"a control sign (U+{ord(sign):04X})"
    return _refused(
        field, text, f"holds {what} at sign {at:,}, where none may stand: {_around(text, at)}"
    )


def _around(text: str, at: int) -> str:
    return show(text[max(0, at - 20) : at + 20])


def suspicions(name: str) -> tuple[str, ...]:
    r"""Warnings in words about a name that may look like another one; () for a plain name.

    The name is allowed all the same. Looked for: bidi controls and invisible signs (UAX 9; a
    joiner inside an emoji or a script that needs it is none), Latin, Cyrillic and Greek letters in
    one word, compatibility forms such as full-width letters (NFKC), a form that is not NFC
    (UAX 15), piles of accents, blanks at the ends.

    Example:
        >>> suspicions("Baku"), suspicions("\u0412aku")
        ((), ('mixed scripts in one word: Cyrillic and Latin',))
    """
    return tuple(_suspicions(name))


def _suspicions(name: str) -> Iterator[str]:
    for sign in dict.fromkeys(name):
        if sign in _BIDI:
            yield f"bidi control {code_point(sign)}"
        elif sign in _JOINERS and _joins(name, sign):
            continue
        elif sign in INVISIBLE or unicodedata.category(sign) == "Cf":
            yield f"invisible sign {code_point(sign)}"
    for word in re.findall(r"\w+", name):
        scripts = sorted({script for letter in word if (script := _script(letter))})
        if len(scripts) > 1:
            yield f"mixed scripts in one word: {' and '.join(scripts)}"
            break
    composed = unicodedata.normalize("NFC", name)
    if composed != name:
        yield f"not in normal form NFC: the same as {show(composed)} to a reader"
    compatible = unicodedata.normalize("NFKC", name)
    if compatible != composed:
        yield f"signs in another form: the same as {show(compatible)} after NFKC"
    marks = re.sub(r"[^m]+", " ", "".join("m" if unicodedata.combining(s) else "." for s in name))
    if (most := max(map(len, marks.split()), default=0)) > MAX_MARKS:
        yield f"{most} accents on one sign"
    if name != name.strip():
        yield "a blank at an end"


def _joins(name: str, joiner: str) -> bool:
    """Whether every such joiner stands behind a sign that may need one: no Latin, no digit."""
    for found in re.finditer(joiner, name):
        before = name[: found.start()].rstrip(INVISIBLE)
        if not before or before[-1].isascii() or _script(before[-1]):
            return False
    return True


def _script(letter: str) -> str | None:
    match unicodedata.name(letter, "").partition(" ")[0]:
        case "LATIN" | "CYRILLIC" | "GREEK" as script:
            return script.capitalize()
        case _:
            return None


def near(given: str, known: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """The at most `n` known words closest to the one given, best first; case does not count.

    A known word that begins with the given one is near, however much longer it is. The work is one
    cheap look at each known word and a careful one at the best 200 (Ratcliff and Obershelp).

    Example:
        >>> near("water-bord", ["gazette", "water-board"]), near("Wat", ["gazette", "water-board"])
        (('water-board',), ('water-board',))
    """
    wanted = given[:MAX_ID].casefold()
    if not wanted:
        return ()
    begins = wanted if len(wanted) >= _LEAST_PREFIX else None
    signs, length = set(wanted), len(wanted)
    looked: list[tuple[bool, int, str, str]] = []
    for word in set(known):  # in line: a refused import looks at every known id for each of its own
        other = word[:MAX_ID].casefold()
        further = begins is None or not other.startswith(begins)
        distance = abs(len(other) - length) - 2 * len(signs.intersection(other))
        looked.append((further, distance, word, other))
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    bounded: list[tuple[float, str, str, bool]] = []
    for further, _, word, other in heapq.nsmallest(_NEAR_POOL, looked):
        matcher.set_seq1(other)
        bound = matcher.quick_ratio() if further else 1.0
        if bound >= _NEAR_CUTOFF:
            bounded.append((-bound, word, other, further))
    scored: list[tuple[float, str]] = []
    for bound, word, other, further in sorted(bounded):
        if len(scored) >= n and bound > scored[n - 1][0]:
            break
        matcher.set_seq1(other)
        ratio = max(matcher.ratio(), 0.0 if further else _PREFIX_RATIO)
        if ratio >= _NEAR_CUTOFF:
            scored.append((-ratio, word))
            scored.sort()
    return tuple(word for _, word in scored[:n])


def did_you_mean(near: tuple[str, ...]) -> str:  # shadows `near` on purpose: it is what near gave
    """The question to append to a refusal, with a blank in front; "" where nothing is near.

    Example:
        >>> did_you_mean(("water-board",))
        " Did you mean 'water-board'?"
    """
    match near:
        case ():
            return ""
        case (only,):
            return f" Did you mean {show(only)}?"
        case _:
            return f" Did you mean one of {', '.join(map(show, near))}?"
