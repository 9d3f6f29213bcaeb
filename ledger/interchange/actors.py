"""Actor dictionaries of event data (CAMEO, PETRARCH): names, and the code each had in a period.

```
ARMENIA_                 opens an entry with its first name; a code here holds where no other does
+YEREVAN_                a further name of the entry; a blank where a line is drawn
    [ARM >911221]        (behind a tab) the code that all names of the entry denote from that day on
```

A code is a party, each name of the entry a name of that party during the period. The first line
that fits a day wins, so a name's rank is its line. By the manual an end still counts (closed); the
program that read these files left it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.foreign import Object
from ledger.interchange.items import Item, Items, Options, made, refuse_mapping, refused
from ledger.interchange.lines import Line, lines
from ledger.interchange.source import Source
from ledger.model.text import show

_CODE: Final = re.compile(r"\[([^\s\]]+)\s*([^\]]*)\]")
_DATE: Final = re.compile(r"(\d{8}|\d{6})\Z")
_LATER: Final = 30
"""The last two-digit year that is of this century."""


@attrs.define
class _Entry:
    """An entry: its names, its codes with their lines, and the code of its first line."""

    line: Line
    names: list[str] = attrs.field(factory=list)
    codes: list[tuple[Line, str]] = attrs.field(factory=list)
    usual: tuple[Line, str] | None = None


def read(source: Source, options: Options) -> Items:
    """The items of a dictionary: one for each code of an entry, one for an entry without any."""
    refuse_mapping(source, options, "actor dictionaries")
    bounds = options.bounds or "closed"
    with source.opened() as file:
        entry: _Entry | None = None
        for line in lines(file):
            try:
                text = line.text().partition("#")[0].rstrip()
            except InvalidImport as error:
                yield refused(line, error)
                continue
            if not text.strip():
                continue
            if text[:1] not in ("+", "\t", " ") or entry is None:
                if entry is not None:
                    yield from _items(entry, bounds)
                entry = _Entry(line)
                name, _, code = text.partition("[")
                if code:
                    entry.usual = (line, f"[{code}")
                entry.names.append(_name(name))
            elif text.startswith("+"):
                entry.names.append(_name(text[1:]))
            else:
                entry.codes.append((line, text.strip()))
        if entry is not None:
            yield from _items(entry, bounds)


def _name(text: str) -> str:
    return " ".join(text.replace("_", " ").split())


def _items(entry: _Entry, bounds: str) -> Iterator[Item]:
    names = [name for name in dict.fromkeys(entry.names) if name]
    if not entry.codes and entry.usual is None:
        bare = {"type": "party", "id": names[0], "name": names[0], "names": names[1:]}
        yield made(entry.line, [], passing=[bare], remarks=["entry without code"])
    for line, text in entry.codes:
        yield _item(line, text, names, bounds, rank=line.number)
    if entry.usual is not None:
        last = entry.codes[-1][0] if entry.codes else entry.line
        # Behind the last line, and before the first of the next entry that can have a code.
        yield _item(*entry.usual, names, bounds, rank=last.number + 1)


def _item(line: Line, text: str, names: list[str], bounds: str, *, rank: int) -> Item:
    try:
        code, period = _restricted(text)
    except InvalidImport as error:
        return refused(line, error)
    party = {"type": "party", "id": code, "name": code, "kind": "x-actors:code"}
    given: list[Object] = [
        {"type": "name", "party": code, "name": name, "rank": rank, "bounds": bounds, **period}
        for name in names
    ]
    return made(line, given, passing=[party])


def _restricted(text: str) -> tuple[str, Object]:
    """A code and its period.

    Raises:
        InvalidImport: it is no code, or its dates are none.
    """
    found = _CODE.match(text)
    if found is None:
        raise InvalidImport(
            f"{show(text)} is no code. Write it in brackets, such as [ARM >911221].", given=text
        )
    code, when = found[1], found[2].replace(" ", "")
    if not when:
        return code, {}
    if when[0] in "<>":
        return code, {"until" if when[0] == "<" else "from": _day(when[1:], text)}
    since, dash, until = when.partition("-")
    if not dash:
        raise InvalidImport(
            f"{show(text)} has a date that is not before (<), after (>) or between. Say which.",
            given=text,
        )
    return code, {"from": _day(since, text), "until": _day(until, text)}


def _day(digits: str, text: str) -> str:
    if not _DATE.match(digits):
        raise InvalidImport(
            f"{show(digits)} in {show(text)} is no date. Write YYYYMMDD or YYMMDD.", given=digits
        )
    if len(digits) == len("YYMMDD"):
        digits = ("20" if int(digits[:2]) <= _LATER else "19") + digits
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
