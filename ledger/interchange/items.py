"""What a reader gives: the records at one place of a file, or why there are none.

Every format is read into the objects of JSON Lines (docs/reference/jsonl.md), so that what a record
means, and what is refused of it, is the same wherever it comes from. The reader of a format is a
function of a `Source` and its `Options`; `ledger.interchange.importing` runs it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from ledger.errors import CodecError, Conflict, Invalid, InvalidImport, LedgerError, NotFound
from ledger.interchange.lines import Line
from ledger.interchange.outcomes import Outcome, refusal
from ledger.interchange.records import (
    Record,
    by_another_name,
    in_these_words,
    once,
    record_of,
)
from ledger.interchange.source import Source
from ledger.model.period import BoundsRule
from ledger.model.text import show
from ledger.recording.intake import Intake, Made

REFUSALS: Final = (Invalid, NotFound, Conflict, CodecError)
"""What is wrong with a record; anything else is wrong with the database, and ends the run."""


@attrs.frozen(kw_only=True)
class Options:
    """What a reader is told beside its file.

    `mapping` is what a mapping file says, or its path. `bounds` is how the file writes the end of
    a period: the last day that counts (`closed`) or the first that does not (`half_open`); None
    is the rule of the format.
    """

    mapping: Mapping[str, Any] | str | Path | None = None
    bounds: BoundsRule | None = None


@attrs.frozen(kw_only=True)
class Item:
    """One place of a file: the records it stands for, or what became of it already.

    The records of an item are entered together or not at all. `value` is what was read, in which
    refusals look for the field.
    """

    line: Line
    records: tuple[Record, ...] = ()
    value: object = None
    outcome: Outcome | None = None


Items = Generator[Item, None, None]
Reader = Callable[[Source, Options], Items]


def made(
    line: Line,
    objects: Iterable[object],
    value: object = None,
    *,
    passing: Iterable[object] = (),
    own: Iterable[object] = (),
    remarks: Iterable[str] = (),
) -> Item:
    """The item of some objects of JSON Lines; refused where one of them is none.

    `passing` are parties, propositions and the like that come before, registered only where their
    ids are free; `own` are propositions that the place itself puts into words. `remarks` are what
    is worth a warning.

    Example:
        >>> line = Line(number=1, raw=b"")
        >>> made(line, [{"type": "topic", "id": "dam", "label": "The dam"}]).records[0].type
        'topic'
    """
    given = tuple(objects)
    shown = value if value is not None else given[0] if given else None
    try:
        records = (
            *(once(record_of(one)) for one in passing),
            *(in_these_words(record_of(one)) for one in own),
            *map(record_of, given),
        )
        if told := (*remarks,):
            last = records[-1]
            records = (*records[:-1], attrs.evolve(last, remarks=(*last.remarks, *told)))
        return Item(line=line, records=records, value=shown)
    except REFUSALS as error:
        return Item(line=line, value=shown, outcome=refusal(line, error, shown))


def with_names_of_now(item: Item) -> Item:
    """An item whose parties may have been registered under other names."""
    told = (by_another_name(one) if one.type == "party" else one for one in item.records)
    return attrs.evolve(item, records=tuple(told))


def where(item: Item, check: Callable[[Intake], object]) -> Item:
    """An item, entered only where a check of what is there refuses nothing."""
    if not item.records:
        return item
    first, *others = item.records

    def enter(intake: Intake) -> Made:
        check(intake)
        return first.enter(intake)

    return attrs.evolve(item, records=(attrs.evolve(first, enter=enter), *others))


def refused(line: Line, error: LedgerError, value: object = None) -> Item:
    """The item of a place that cannot be read."""
    return Item(line=line, value=value, outcome=refusal(line, error, value))


def skipped(line: Line, reason: str) -> Item:
    """The item of a place that holds nothing to record."""
    told = Outcome(line=line.number, at=line.at, verdict="skipped", reason=reason)
    return Item(line=attrs.evolve(line, raw=b""), outcome=told)


def blank(line: Line) -> Item:
    """The item of an empty line."""
    return skipped(line, "blank")


_DATED: Final = frozenset({"name", "membership"})


def with_bounds(value: Any, rule: str | None) -> Any:
    """An object of JSON Lines, with a rule for each of its periods that has none of its own.

    Example:
        >>> with_bounds({"type": "name", "party": "az", "name": "Baku"}, "closed")["bounds"]
        'closed'
    """
    if not rule or not isinstance(value, dict):
        return value
    if value.get("type") in _DATED:
        return {"bounds": rule, **value}
    for key in ("names", "metonyms") if value.get("type") == "party" else ():
        if isinstance(value.get(key), list):
            dated = [{"bounds": rule, **n} if isinstance(n, dict) else n for n in value[key]]
            value = {**value, key: dated}
    return value


def refuse_mapping(source: Source, options: Options, title: str) -> None:
    """Refuse a mapping where a format takes none.

    Raises:
        InvalidImport: there is one.
    """
    if options.mapping is not None:
        raise InvalidImport(
            f"{show(source.name, 200)}: {title} take no mapping. Leave it out.",
            field="mapping",
            given=source.name,
        )


@contextlib.contextmanager
def told_of(file: str) -> Iterator[None]:
    """What is refused of a file as a whole, such as its mapping, told with its name."""
    try:
        yield
    except InvalidImport as error:
        raise InvalidImport(
            f"{show(file, 200)}: {error.message}", field=error.field, given=error.given
        ) from error
