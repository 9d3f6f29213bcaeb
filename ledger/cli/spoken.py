"""The library's advice in the words of the shell: `ledger.amend(...)` becomes `claims amend`.

An error tells a Python programmer what to type. Here stands how the same is typed as a command;
what a message quotes, a name or the words of a document, is left as it is.
"""

from __future__ import annotations

import functools
import re
from typing import Final

_QUOTED: Final = r"""(?P<quoted>(?<!\w)(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")(?!\w))"""
_LIST: Final = "List what there is with"
_NOUNS: Final = ("Party", "Topic", "Proposition", "Document")
"""What there is a list of."""
_OPTIONS: Final = (
    "about|authority|claimant|conditions|document|expires|known|length|note|published|quote|reason|said|"
    "sha256|since|stance|text|uttered|via"
)
_RULES: Final = tuple(
    (re.compile(f"{_QUOTED}|{pattern}"), typed)
    for pattern, typed in (
        *(
            (
                rf"Register it with ledger\.register\({noun}\(\.\.\.\)\)",
                f"{_LIST} `claims {noun.lower()} list`, or type: claims {noun.lower()} add",
            )
            for noun in _NOUNS
        ),
        (
            r"Register it with ledger\.register\(Occurrence\(\.\.\.\)\)",
            "Type: claims occurrence add",
        ),
        (
            r"Record it with ledger\.record\(\.\.\.\)",
            f"{_LIST} `claims claims`, or type: claims record",
        ),
        (
            r"ledger\.amend\('(?P<a>[^']*)', strike_out=True, reason=\.\.\.\)",
            r"claims amend \g<a> --strike-out --reason TEXT",
        ),
        (r"(?:ledger\.)?amend\(id, strike_out=True, reason=\.\.\.\)", "claims amend --strike-out"),
        (r"(?:ledger\.)?amend\(id, reason=\.\.\., \.\.\.\)", "claims amend"),
        (r"(?:ledger\.)?\b(?P<a>withdraw|correct|amend|verify)\(\)", r"claims \g<a>"),
        (r"ask positions\(topic='(?P<a>[^']*)'\)", r"type: claims positions --topic \g<a>"),
        (r"ledger\.as_of\(known=SEQUENCE\)", "--known NUMBER"),
        (
            r"Write prove_growth\(older, newer\)",
            "Type: claims prove --since OLDER --checkpoint NEWER",
        ),
        (r", or in Python: ledger\.store\.schema\.upgrade\(engine, layout\)", ""),
        (r"Proposition\(\.\.\., kind=\"aim\"\)", "claims proposition add --kind aim"),
        (
            r"ranges=\[\((?P<a>\d+), (?P<b>\d+)\), \((?P<c>\d+), (?P<d>\d+)\)\]",
            r"--range \g<a>-\g<b> --range \g<c>-\g<d>",
        ),
        (r"ranges=\[\((?P<a>\d+), (?P<b>\d+)\)\]", r"--range \g<a>-\g<b>"),
        (r"For a closed period write bounds='closed'", "Type the day after it"),
        (r"\b(?P<a>stance|kind)=\"(?P<b>\w+)\"", r"--\g<a> \g<b>"),
        (r"\bslots=\['(?P<a>\w+)'\]", r"--slots \g<a>"),
        (r"\bstrike_out=True\b", "--strike-out"),
        (r"\bnever_said=True\b", "--never-said"),
        (r"\bon_behalf_of=", "--on-behalf-of"),
        # What follows --set is typed as FIELD=VALUE.
        (rf"(?<!--set )\b(?P<a>{_OPTIONS})=(?=['\w])", r"--\g<a> "),
        (rf"(?<!--set )\b(?P<a>{_OPTIONS})=", r"--\g<a>"),
        (r"^exact (?=has|holds)", "--quote "),
    )
)


def spoken(message: str) -> str:
    """A message of the library as a user of the command needs it.

    Example:
        >>> spoken("No topic 'amend()' is in this view. Leave known= out, or use amend().")
        "No topic 'amend()' is in this view. Leave --known out, or use claims amend."
    """
    for pattern, typed in _RULES:
        message = pattern.sub(functools.partial(_typed, typed), message)
    return message


def _typed(typed: str, found: re.Match[str]) -> str:
    quoted: str | None = found["quoted"]
    return found.expand(typed) if quoted is None else quoted
