"""A dictionary of actors: whom a name denotes on a day, the first line that fits deciding."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from ledger import Ledger, Name, Party
from ledger.model.period import ALWAYS, Period

Rule = Literal["closed", "half_open"]
CODE = re.compile(r"\[(?P<code>[A-Z]+)\s*(?P<when>[^\]]*)\]")
FAR = 10_000
"""A code on the line of an entry holds where no dated line does: behind every line."""


@attrs.frozen
class Line:
    """A code that a name had for a time, and the line that says so."""

    name: str
    number: int
    code: str
    period: Period
    rank: int


@attrs.define
class Read:
    """A dictionary as read: its lines for each rule, and the lines that were refused."""

    lines: list[Line] = attrs.field(factory=list)
    refused: list[int] = attrs.field(factory=list)


def day(text: str) -> dt.date:
    """A date of six or eight digits.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"\d{6}|\d{8}", text):
        raise ValueError(text)
    if len(text) == len("YYMMDD"):
        text = f"{'20' if int(text[:2]) <= 30 else '19'}{text}"
    return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()


def period(when: str, rule: Rule) -> Period:
    """The days of a restriction."""
    when = when.replace(" ", "")
    if not when:
        return ALWAYS
    if when[0] == "<":
        return Period.parse(None, day(when[1:]), bounds=rule)
    if when[0] == ">":
        return Period.parse(day(when[1:]), None)
    first, last = when.split("-")
    return Period.parse(day(first), day(last), bounds=rule)


def entries(path: Path) -> Iterator[tuple[list[str], list[tuple[int, re.Match[str], bool]]]]:
    """The names of each entry, and its codes: the line, what stands there, whether it is dated."""
    names: list[str] = []
    codes: list[tuple[int, re.Match[str], bool]] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = text.partition("#")[0].rstrip()
        if not line.strip():
            continue
        restricts, coded = line.startswith("\t"), CODE.search(line)
        if not restricts:
            word = CODE.sub("", line).strip()
            if not word.startswith("+"):
                yield names, codes
                names, codes = [], []
            names.append(re.sub(r"[_ ]+", " ", word.lstrip("+")).strip().upper())
        if coded is not None:
            codes.append((number, coded, restricts))
    yield names, codes


def read(path: Path, rule: Rule) -> Read:
    found = Read()
    for names, codes in entries(path):
        for number, coded, restricts in codes:
            try:
                held = period(coded["when"], rule)
            except ValueError:
                found.refused.append(number)
                continue
            rank = number if restricts else FAR + number
            found.lines += [
                Line(name, number, coded["code"], held, rank) for name in dict.fromkeys(names)
            ]
    return found


@pytest.fixture
def path(shared: Callable[[str], Path]) -> Path:
    return shared("data/actor-dictionary/countries.actors.txt")


@pytest.fixture
def expected(path: Path) -> dict[str, Any]:
    text = path.with_name("expected.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def told(ledger: Ledger, lines: list[Line], *, ranked: bool) -> None:
    """The codes as parties, bearing their names for a time."""
    names: dict[str, list[Name]] = {}
    for line in lines:
        rank = line.rank if ranked else 0
        names.setdefault(line.code, []).append(Name(line.name, period=line.period, rank=rank))
    ledger.register_all([Party(code, name=code, names=these) for code, these in names.items()])


@pytest.mark.parametrize("rule", ["closed", "half_open"])
def test_names_denote_by_day_what_the_table_says(
    database: str, path: Path, expected: dict[str, Any], rule: Rule
) -> None:
    asked = {one["name"] for one in expected["answers"]}
    lines = [line for line in read(path, rule).lines if line.name in asked]
    with Ledger.open(database) as ledger:
        told(ledger, lines, ranked=True)
        for one, found in _answers(ledger, expected):
            assert found == ([one[rule]] if one[rule] else []), one
    with Ledger.open(database, origin="unranked") as ledger:
        told(ledger, lines, ranked=False)
        for one, found in _answers(ledger, expected):
            assert found == one[f"{rule}_all"], one


def _answers(
    ledger: Ledger, expected: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    view = ledger.as_of()
    for one in expected["answers"]:
        found = view.denoted(one["name"], on=one["asked"])
        assert all(bearer.certain for bearer in found)
        yield one, sorted(bearer.party for bearer in found)


def test_lines_that_cannot_be_dated_are_refused_and_their_entries_kept(
    path: Path, expected: dict[str, Any]
) -> None:
    found = read(path, "closed")
    assert found.refused == [one["line"] for one in expected["refused_lines"]]
    assert {line.code for line in found.lines if line.name == "YEREVAN"} == {"USRARM", "ARM"}
