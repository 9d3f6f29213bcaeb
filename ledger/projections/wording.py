"""Answers in words: a position as a sentence, bounds as people say them, and the same as HTML.

Only texts come in here; what a position is and which words belong to it is `.positions`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledger.model.bounds import Bounds, first_of, last_of

TOOK: Final[Mapping[str, str]] = {
    "supports": "supported",
    "opposes": "opposed",
    "neutral": "took no side on",
    "mixed": "had mixed views on",
}
"""What a stance is, in the past tense: it is of a date, and names are singular or plural."""
DONE: Final[Mapping[str, str]] = {
    "assert": "asserted",
    "characterise": "so characterised",
    "deny": "denied",
    "accuse": "raised as an accusation",
    "predict": "predicted",
    "call_for": "called for",
    "demand": "demanded",
    "offer": "offered",
    "commit": "promised",
    "accept": "accepted",
    "reject": "rejected",
    "threaten": "threatened",
    "decline_to_comment": "declined to comment",
    "avoid": "avoided the question",
    "reference_only": "only referred to",
}
BY_THEMSELVES: Final = frozenset({"threaten", "decline_to_comment", "avoid"})
"""Acts that nobody does by another: who did them speaks, through somebody."""

HEDGED: Final[Mapping[str, str]] = {"probable": "as probable", "possible": "as possible"}
WHY: Final[Mapping[str, str]] = {
    "order_unknown": "nothing tells which of the words came last",
    "said_both": "one document has both, said on one occasion",
    "reports_disagree": "the reports of one occasion disagree",
}
Words = Sequence[tuple[str, str]]
"""Lines, each with the quotation that it rests on, or an empty one."""


def lost(many: int) -> list[str]:
    """The line that tells how many claims are in no answer because something was erased.

    Example:
        >>> lost(2), lost(0)
        (['erased claims that may bear on it: 2'], [])
    """
    return [f"erased claims that may bear on it: {many}"] if many else []


def when(said: Bounds) -> str:
    """Bounds in words.

    Example:
        >>> from ledger.model.moment import Edtf
        >>> when(Bounds.of(Edtf.parse("[..2023-02-22]")))
        'by 2023-02-22'
    """
    start, dots, end = str(said).partition("..")
    if not dots:
        return start
    return f"between {start} and {end}" if start and end else f"by {end}" if end else str(said)


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words with commas and one conjunction.

    Example:
        >>> listed(["a", "b", "c"])
        'a, b and c'
    """
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


_OPPOSITE: Final[Mapping[str, str]] = {
    "characterise": "characterised the opposite so",
    "accuse": "raised the opposite as an accusation",
}


def acted(act: str, *, opposite: bool = False) -> str:
    """An act as what was done, perhaps to the opposite; one of a host's own without its namespace.

    Example:
        >>> acted("call_for"), acted("x-desk:shout"), acted("deny", opposite=True)
        ('called for', 'shout', 'denied the opposite')
    """
    done = DONE.get(act, act.rpartition(":")[2].replace("_", " "))
    return _OPPOSITE.get(act, f"{done} the opposite") if opposite else done


def dated(first: Bounds, last: Bounds) -> str:
    """When something was said first and last, in words."""
    if str(first) != str(last):
        return f"first {when(first)}, last {when(last)}"
    told = when(first)
    return told if told.startswith(("between", "by")) else f"on {told}"


def ends(several: Sequence[Bounds]) -> tuple[Bounds, Bounds]:
    """When the first and the last of some acts were."""
    return first_of(several), last_of(several)


def marked_up(title: str, parts: Iterable[tuple[str, Words]]) -> str:
    """A sentence and what it rests on, as HTML with every quotation set as one.

    Example:
        >>> marked_up("a supports b.", [("", [("C1", "b it is")])])
        '<p><strong>a supports b.</strong></p><ul><li>C1<blockquote>b it is</blockquote></li></ul>'
    """
    out = [f"<p><strong>{html.escape(title)}</strong></p>"]
    for heading, lines in parts:
        if not lines:
            continue
        out.append(f"<p>{html.escape(heading)}</p><ul>" if heading else "<ul>")
        for line, quote in lines:
            words = f"<blockquote>{html.escape(quote)}</blockquote>" if quote else ""
            out.append(f"<li>{html.escape(line)}{words}</li>")
        out.append("</ul>")
    return "".join(out)
