"""Actor dictionaries of event data (CAMEO, PETRARCH): names, and the code each had in a period.

```
ARMENIA_                 opens an entry with its first name; a code here holds where no other does
+YEREVAN_                a further name of the entry; a blank where a line is drawn
    [ARM >911221]        (behind a tab) the code that all names of the entry denote from that day on
```

A code is a party, each name of the entry a name of that party during the period. The first code
that fits a day wins, so the rank of a name tells how many codes it had further up; one on the first
line of an entry comes behind those of all entries, one in an entry without a code counts least. By
the manual an end still counts (closed); the program that read these files left it out. Several
codes may stand on one line, and `[ARM/AZE]` are two that the names denote at the same time. `[---]`
says that the entry is no actor, and hides the codes behind it on the days that it gives.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.foreign import Object
from ledger.interchange.items import (
    REFUSALS,
    Item,
    Items,
    Options,
    made,
    refuse_mapping,
    refused,
    skipped,
    where,
)
from ledger.interchange.lines import Line, lines
from ledger.interchange.source import Source
from ledger.model import events as ev
from ledger.model.period import BoundsRule, Period
from ledger.model.text import show
from ledger.recording.intake import Intake

_CODE: Final = re.compile(r"\[\s*(?![<>]|\d{6,8}\W)([^\s\]]*\w[^\s\]]*)\s*([^\]]*)\]")
_NOBODY: Final = re.compile(r"\[\s*(?:-+|#+|~+|\++)([\s<>][^\]]*)?\]")
_PLURAL: Final = re.compile(r"\{([^{}]*)\}")
_COMMENT: Final = re.compile(r"(\[[^\]]*\])|[#;].*")
_GOING_ON: Final = (b"+", b"\t", b"[", b"#", b";")
"""How a line begins, but for blanks, that is no first line of an entry."""

_KIND: Final = "x-actors:code"
"""The kind of party that a code is."""

_WITHOUT: Final = "x-actors:name"
"""The kind of party that an entry without a code is."""

_DATE: Final = re.compile(r"(\d{8}|\d{6})\Z")
_LATER: Final = 30
"""The last two-digit year that is of this century."""

_USUAL: Final = 500_000
"""Behind which rank a code on the first line of an entry comes: behind those of other entries."""

_LEAST: Final = 1_000_000
"""The rank of a name in an entry without a code."""

_Ranks = Counter[str]
"""How many codes each name had so far."""

_Days = tuple[dt.date, dt.date]
"""A first day, and the first that no longer counts."""


@attrs.define
class _Entry:
    """An entry: its names, its codes with their lines, and the codes of its first line."""

    line: Line
    names: list[str] = attrs.field(factory=list)
    codes: list[tuple[Line, str]] = attrs.field(factory=list)
    usual: list[tuple[Line, str]] = attrs.field(factory=list)


def read(source: Source, options: Options) -> Items:
    """The items of a dictionary: one for each code of an entry, one for an entry without any."""
    refuse_mapping(source, options, "actor dictionaries")
    bounds = options.bounds or "closed"
    ranks = _Ranks()
    with source.opened() as file:
        entry: _Entry | None = None
        passing_over = False
        for line in lines(file):
            if passing_over or line.raw.lstrip().startswith(b"<!"):  # a comment, of XML's kind
                passing_over = b"-->" not in line.raw
                continue
            if line.raw.lstrip(b" ")[:1] not in _GOING_ON and not line.blank:
                if entry is not None:
                    yield from _items(entry, bounds, ranks)
                entry = _Entry(line)  # even where the line is refused: what follows is of no other
            try:
                text = _COMMENT.sub(_code_alone, line.text()).rstrip().lstrip(" ")
                if text:
                    _take(text, line, entry)
            except InvalidImport as error:
                yield refused(line, error)
        if entry is not None:
            yield from _items(entry, bounds, ranks)


def _take(text: str, line: Line, entry: _Entry | None) -> None:
    """Put what a line says into its entry.

    Raises:
        InvalidImport: there is no entry yet, or it is no line of one.
    """
    if entry is None:
        raise InvalidImport(
            f"{show(text.strip())} stands before any entry. Write the entry's first name above it.",
            given=text,
        )
    if text[0] in "\t[":
        entry.codes += [(line, code) for code in _codes(text.strip())]
        return
    told, _, code = text.removeprefix("+").partition("[")
    name = _name(_PLURAL.sub("", told))
    if code and text[0] == "+":
        raise InvalidImport(
            f"{show(text)} has a code, which a further name of an entry has not. Write the code "
            "on a line of its own, or open an entry with the name.",
            given=text,
        )
    if code:
        entry.usual = [(line, one) for one in _codes(f"[{code}")]
    if not name:
        raise InvalidImport(f"{show(text)} holds no name. Write one.", given=text)
    entry.names += filter(None, (name, *map(_name, _PLURAL.findall(told))))


def _codes(text: str) -> list[str]:
    """The codes of a line, each with what stands behind it."""
    first, *others = text.split("[")
    return [first] if not others else [f"{first}[{others[0]}", *(f"[{one}" for one in others[1:])]


def _code_alone(found: re.Match[str]) -> str:
    """What a code holds is no comment."""
    return found[1] or ""


def _name(text: str) -> str:
    return " ".join(text.replace("_", " ").split())


def _items(entry: _Entry, bounds: BoundsRule, ranks: _Ranks) -> Iterator[Item]:
    names = [*dict.fromkeys(entry.names)]
    if names and not entry.codes and not entry.usual:
        yield _bare(entry.line, names)
    nobody: list[_Days] = []  # when the entry is no actor, as a code further up says
    for codes, behind in ((entry.codes, 0), (entry.usual, _USUAL)):
        for line, text in codes:
            ranks.update(names)
            given = {name: behind + ranks[name] for name in names}
            try:
                yield _item(line, text, given, bounds, nobody)
            except REFUSALS as error:
                yield refused(line, error)


def _bare(line: Line, names: list[str]) -> Item:
    """An entry without a code: a party of its first name, with the others."""
    id_ = names[0]
    party = {"type": "party", "id": id_, "name": id_, "kind": _WITHOUT}
    given = [{"type": "name", "party": id_, "name": name, "rank": _LEAST} for name in names]
    return _unless(_KIND, made(line, given, passing=[party], remarks=["entry without code"]), id_)


def _unless(kind: str, item: Item, id_: str) -> Item:
    """An item, refused where its party is one of another kind that dictionaries make."""

    def check(intake: Intake) -> None:
        there = intake.get(intake.taken("party", id_), ev.PartyRegistered)
        if there is not None and there.kind == kind:
            raise InvalidImport(
                f"{show(id_)} is the name of an entry without a code, and the code of another. "
                "Write a code below the one.",
                given=id_,
            )

    return where(item, check)


def _item(
    line: Line, text: str, ranks: dict[str, int], bounds: BoundsRule, nobody: list[_Days]
) -> Item:
    """The item of a code; what hides those behind it is noted.

    Raises:
        Invalid: it is no code, or its dates are none.
    """
    if found := _NOBODY.match(text):
        nobody.append(_days(_period(found[1] or "", text), bounds))
        return skipped(line, f"{text} says that the entry is no actor")
    code, period, behind = _restricted(text)
    told = [f"{show(behind)} behind the code is left out"] if behind else []
    codes = [one for one in code.split("/") if one]
    parties = [{"type": "party", "id": one, "name": one, "kind": _KIND} for one in codes]
    dated: list[Object] = [{"bounds": bounds, **period}]
    if nobody:
        dated = [*map(_dated, _beside(_days(period, bounds), nobody))]
    given: list[Object] = [
        {"type": "name", "party": party, "name": name, "rank": rank, **one}
        for party in codes
        for name, rank in ranks.items()
        for one in dated
    ]
    if ranks and not given:
        return skipped(line, f"{text} never holds: a code above says that the entry is no actor")
    item = made(line, given, passing=parties, remarks=told)
    for one in codes:
        item = _unless(_WITHOUT, item, one)
    return item


def _restricted(text: str) -> tuple[str, Object, str]:
    """A code and its period, and what stands behind them.

    Raises:
        InvalidImport: it is no code, or its dates are none.
    """
    found = _CODE.match(text)
    if found is None:
        raise InvalidImport(
            f"{show(text)} is no code. Write it in brackets, such as [ARM >911221].", given=text
        )
    return found[1], _period(found[2], text), text[found.end() :].strip()


def _period(restriction: str, text: str) -> Object:
    """The days of a restriction, such as `>911221`.

    Raises:
        InvalidImport: its dates are none.
    """
    when = restriction.replace(" ", "")
    if not when:
        return {}
    if when[0] in "<>":
        end = "until" if when[0] == "<" else "from"
        return {end: _day(when[1:], text)}
    since, dash, until = when.partition("-")
    if not dash:
        raise InvalidImport(
            f"{show(text)} has {show(when)} behind its code, which is no date restriction. Write "
            "<DATE (before), >DATE (after) or DATE-DATE, each as YYMMDD or YYYYMMDD.",
            given=text,
        )
    return {"from": _day(since, text), "until": _day(until, text)}


def _days(period: Object, bounds: BoundsRule) -> _Days:
    """The days of a period.

    Raises:
        InvalidDate: there is no such day, or it runs backwards.
    """
    read = Period.parse(period.get("from"), period.get("until"), bounds=bounds)
    ends = (one.earliest if one else None for one in (read.since, read.until))
    since, until = (one if isinstance(one, dt.date) else None for one in ends)
    return since or dt.date.min, until or dt.date.max


def _beside(days: _Days, gone: Iterable[_Days]) -> list[_Days]:
    """What is left of some days without others."""
    left = [days]
    for begin, end in gone:
        parts = (
            part
            for first, last in left
            for part in ((first, min(last, begin)), (max(first, end), last))
        )
        left = [(first, last) for first, last in parts if first < last]
    return left


def _dated(days: _Days) -> Object:
    since, until = days
    told: Object = {} if since == dt.date.min else {"from": since.isoformat()}
    told |= {} if until == dt.date.max else {"until": until.isoformat()}
    return {"bounds": "half_open", **told}


def _day(digits: str, text: str) -> str:
    if not _DATE.match(digits):
        raise InvalidImport(
            f"{show(digits)} in {show(text)} is no date. Write YYYYMMDD or YYMMDD.", given=digits
        )
    if len(digits) == len("YYMMDD"):
        digits = ("20" if int(digits[:2]) <= _LATER else "19") + digits
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
