"""The annotations of a stand-off file: words that were marked, and events with their roles.

Here lives reading one line of brat's, and finding the text. What they come to together is in
`ledger.interchange.brat`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.foreign import Object
from ledger.interchange.lines import Line
from ledger.interchange.source import Source
from ledger.model.ranges import reads
from ledger.model.text import show

_SPAN: Final = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)\Z")
_ROLE: Final = re.compile(r"([^:\s]*?)(\d*):(\S+)\Z")


@attrs.frozen
class Span:
    """Words that were marked."""

    id: str
    type: str
    exact: str
    ranges: tuple[tuple[int, int], ...]

    def quote(self) -> Object:
        """As a quotation of JSON Lines."""
        return {"exact": self.exact, "ranges": [list(one) for one in self.ranges]}


@attrs.frozen
class Event:
    """An event and what stands in its roles, several of one name by their numbers."""

    id: str
    type: str
    line: Line
    roles: Mapping[str, Mapping[int, str]]


def span_of(id_: str, rest: str, text: str) -> Span:
    """A `T` line: words and where they stand in the text.

    Raises:
        InvalidImport: it has no type, offsets or words.
    """
    head, tab, exact = rest.partition("\t")
    found = _SPAN.match(head)
    if not found or not tab:
        raise InvalidImport(
            f'{id_} must have a type, offsets and words, such as "T1<tab>Source 0 4<tab>Baku".',
            field=id_,
            given=rest,
        )
    pairs = (pair.split(" ") for pair in found[2].split(";"))
    ranges = tuple((int(start), int(end)) for start, end in pairs)
    here = reads(text, ranges)
    # brat writes a blank for a line end inside the words; the text is what counts.
    if here is not None and here.split() == exact.split():
        exact = here
    return Span(id_, found[1], exact, ranges)


def event_of(id_: str, rest: str, line: Line) -> Event:
    """An `E` line: what stands in which role.

    Raises:
        InvalidImport: a role that is none, or twice.
    """
    head, *given = rest.split()
    type_ = head.partition(":")[0]
    roles: dict[str, dict[int, str]] = {}
    for one in given:
        found = _ROLE.match(one)
        if not found:
            raise InvalidImport(
                f"{show(one)} is no role of an event. Write such as Source:T1.",
                field=id_,
                given=one,
            )
        number = int(found[2] or 1)
        if number in roles.setdefault(found[1], {}):
            raise InvalidImport(
                f"{id_} has {found[1]} twice. Number them: {found[1]}, {found[1]}2.",
                field=id_,
                given=one,
            )
        roles[found[1]][number] = found[3]
    return Event(id_, type_, line, roles)


def not_there(at: str, id_: str, why: str) -> InvalidImport:
    """The refusal of what names an annotation that cannot be used."""
    return InvalidImport(f"{at} names {show(id_)}, which {why}", field=at, given=id_)


def once(found: dict[str, Any], key: str, told: Any, *, at: str) -> None:
    """Keep what is told of something, unless a line above tells it otherwise."""
    if found.setdefault(key, told) != told:
        raise InvalidImport(
            f"{at} says that {key} is {show(told)}, where a line above says {show(found[key])}. "
            "Take one of the two out.",
            field=at,
            given=told,
        )


def joined(contents: list[Span]) -> Object:
    """Several contents are the pieces of one quotation."""
    if len(contents) == 1:
        return contents[0].quote()
    ordered = sorted(contents, key=lambda span: span.ranges)
    ranges = [list(pair) for span in ordered for pair in span.ranges]
    return {"exact": " ".join(span.exact for span in ordered), "ranges": ranges}


def no_annotation(id_: str, line: Line) -> InvalidImport:
    """The refusal of a line that begins as no annotation does."""
    return InvalidImport(
        f"no annotation begins with {show(id_[:20])}. Write T, E, R, A, M, N, # or *, and a tab "
        "behind the id.",
        given=line.raw[:40],
    )


def as_refusal(error: InvalidImport | ValueError, line: Line) -> InvalidImport:
    """What was wrong with a line, in words."""
    if isinstance(error, InvalidImport):
        return error
    return InvalidImport(
        "the annotation has too few parts. Write it as brat does, its parts behind blanks, and "
        "tabs before and after them.",
        given=line.raw[:40],
    )


def path_of_text(annotations: Path, texts: str) -> Path:
    """Where the text of some annotations is.

    In a folder of its own it may be that of several, each with somebody's mark behind its name.
    """
    folder, stem = annotations.parent / texts, annotations.stem
    while texts and stem and not (folder / f"{stem}.txt").exists():
        stem = stem.rpartition("_")[0]
    return folder / f"{stem or annotations.stem}.txt"


def read_text(path: Path) -> str:
    """The text of some annotations.

    Raises:
        InvalidImport: it is not there, or no text.
    """
    if not path.exists():
        raise InvalidImport(
            f"the text of these annotations, {show(str(path), 200)}, is not there. It stands "
            'beside them, or where the mapping says: texts = "../text".',
            field="texts",
            given=str(path),
        )
    return Source(path).text("a text")
