"""What became of a line: accepted, skipped or refused, and the words for each refusal.

An error of the library speaks to someone who writes Python; here it is told to someone who mends a
file: by the file's own field names, with the value in safe form and what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from ledger.errors import (
    AlreadyRecorded,
    Invalid,
    LedgerError,
    NotCanonical,
    NotFound,
    NotJson,
)
from ledger.interchange.lines import Line
from ledger.model.text import did_you_mean, show
from ledger.projections.answer import Answer

Verdict = Literal["accepted", "refused", "skipped"]


@attrs.frozen(kw_only=True)
class Outcome(Answer):
    """What became of one line: its number from 1, and why, with the field and value in safe form.

    An accepted line may have `warnings`; a skipped one is blank, was recorded before, or holds
    what has no place in a ledger. `at` is the place in a file that is not one record a line.
    """

    line: int
    verdict: Verdict
    at: str = ""
    type: str = ""
    id: str = ""
    warnings: tuple[str, ...] = ()
    field: str = ""
    value: str = ""
    reason: str = ""

    def __str__(self) -> str:
        what = self.reason
        if self.field and not what.startswith(self.field):
            what = f"{self.field}: {what}"
        told = [f"{self.where} {self.verdict}: {what}"] if what else []
        told += [f"{self.where} warning: {one}" for one in self.warnings]
        return "\n".join(told) or f"{self.where} {self.verdict}"

    @property
    def where(self) -> str:
        """The place in words: `line 7`, or `memberships[3] (line 230)`."""
        if not self.at:
            return f"line {self.line}"
        return f"{self.at} (line {self.line})" if self.line else self.at


_IN_THE_FILE: Final[Mapping[str, str]] = {
    "period": "from",
    "period.since": "from",
    "period.until": "until",
    "target": "to",
    "kept": "into",
    "merged": "from",
}
"""What the model's fields are called in a file, where the names differ."""

_JSON: Final[Mapping[str, str]] = {
    "Extra data": "there is more behind the end of the object. Write one object a line",
    "Expecting value": "a value should stand here. Write text in double quotes",
    "Expecting property name enclosed in double quotes": (
        "a field name in double quotes should stand here. Take a comma before it away, or write it"
    ),
    "Illegal trailing comma before end of object": (
        "a comma stands before the end of the object. Take it away"
    ),
    "Expecting ',' delimiter": "a comma or the end of the object should stand here. Write it",
    "Expecting ':' delimiter": "a colon should stand here. Write it",
    "Unterminated string starting at": (
        "the text that begins here never ends; was the file cut off? Write the rest"
    ),
    "Invalid control character at": "a raw control sign stands in a text. Write it as an escape",
}
"""Python's words for what is no JSON, and ours."""


def refusal(line: Line, error: LedgerError, value: object) -> Outcome:
    """The outcome of a line that was refused; `value` is its object, as far as it was read."""
    field, given, reason = "", "", error.message
    match error:
        case Invalid():
            field = _IN_THE_FILE.get(error.field, error.field)
            if field == "url" and isinstance(value, dict) and "url" not in value:
                field = "address"
            given = "" if error.given is None else _safe(error.given)
        case NotFound():
            field, given, reason = _where(value, error.given), show(error.given), _not_found(error)
        case AlreadyRecorded():
            field, given = _where(value, error.given), show(error.given)
        case NotCanonical():
            field = error.path.removeprefix("$").removeprefix(".")
            reason = reason.removeprefix(f"{error.path} has no canonical form: ")
        case NotJson():
            why = reason.partition(": ")[2]
            reason = f"not JSON at column {error.column}: {_JSON.get(why, why)}."
        case _:
            pass
    if value is None and not given:
        given = _safe(line.raw[:40])
    return Outcome(
        line=line.number, at=line.at, verdict="refused", field=field, value=given, reason=reason
    )


def _safe(given: object) -> str:
    return repr(given) if isinstance(given, bytes) else show(given)


def _not_found(error: NotFound) -> str:
    kind = type(error).__name__.removeprefix("Unknown").lower()
    return (
        f"there is no {kind} {show(error.given)}.{did_you_mean(error.near)} If it stands further "
        "down, import the file once more; if in another file, import that one first; if nowhere, "
        "write its line before this one."
    )


def _where(value: object, given: str, path: str = "") -> str:
    """The path of the first field that holds a text."""
    if value == given:
        return path
    match value:
        case dict():
            inside = [(f"{path}.{key}" if path else str(key), one) for key, one in value.items()]
        case list():
            inside = [(f"{path}[{index}]", one) for index, one in enumerate(value)]
        case _:
            return ""
    return next((found for at, one in inside if (found := _where(one, given, at))), "")
