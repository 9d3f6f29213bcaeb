"""Where a name or a quotation stands in a text, however it is set there.

Compared is what a reader sees as the same: upper and lower case, composed and compatible forms
(NFKC), the kinds of apostrophes and hyphens, and blanks or line breaks in any number. It counts as
a word of its own alone, but for the ends of a word in a script that sets no blanks between words,
or joins particles to a name.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from ledger.model.text import INVISIBLE

_SAME: Final = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bb\u02bc\u02b9\u2032\u2035\uff07`\u00b4", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys(INVISIBLE, "")
)
_JOINED: Final = frozenset(
    {
        *("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"),
        *("BOPOMOFO", "YI"),
        *("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "JAVANESE"),
    }
)
"""Scripts, as the names of their signs begin, in which a word has no blank on each side."""


def comparable(text: str) -> str:
    r"""A text as it is compared.

    Example:
        >>> comparable("Marta\n O\u2019NEIL") == comparable("marta o'neil")
        True
    """
    shown = text if text.isascii() else unicodedata.normalize("NFKC", text.translate(_SAME))
    return " ".join(shown.casefold().translate(_SAME).split())


def stands(needle: str, text: str) -> bool:
    """Whether a name or quotation stands in a text as words of their own; both comparable.

    Example:
        >>> stands("ro", "ro's town"), stands("ro", "rome"), stands("李明", "昨天李明说坝关了。")
        (True, False, True)
    """
    at = text.find(needle) if needle else -1
    if at < 0:
        return False
    before, after = not _is_joined(needle[0]), not _is_joined(needle[-1])
    while at >= 0:
        end = at + len(needle)
        inside = (before and _is_of_a_word(text[at - 1 : at])) or (
            after and _is_of_a_word(text[end : end + 1])
        )
        if not inside:
            return True
        at = text.find(needle, at + 1)
    return False


def _is_of_a_word(sign: str) -> bool:
    """Whether a sign goes on with a word: a letter, a figure, or a mark upon one."""
    return sign.isalnum() or (bool(sign) and unicodedata.category(sign).startswith("M"))


def _is_joined(sign: str) -> bool:
    return unicodedata.name(sign, "").partition(" ")[0] in _JOINED
