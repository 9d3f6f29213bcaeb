"""CSV and TSV: a header, then one row after the other; a mapping file says what a row stands for.

Without a mapping each row is a claim, and its columns are the fields of one (or those of the type
that a column `type` names). Cells are RFC 4180: quotation marks doubled, line ends inside quotes.
Cells that a spreadsheet would run stay as they are; making them harmless is for exports.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.items import (
    REFUSALS,
    Item,
    Items,
    Options,
    blank,
    made,
    refused,
    told_of,
    with_bounds,
    with_names_of_now,
)
from ledger.interchange.lines import Line, lines
from ledger.interchange.mapping import filled, holes, mapped
from ledger.interchange.shapes import FORMS, unknown
from ledger.interchange.source import Source
from ledger.model.claim import FIXED_STANCE
from ledger.model.text import show

_OWN: Final = (
    "Columns of your own need a mapping file, which says what a row stands for (--mapping)."
)
_SAID: Final = re.compile(rb"(?:\xef\xbb\xbf)?sep=([\t -!#-~])[\r\n]*", re.IGNORECASE)


@attrs.frozen
class Row:
    """Records that a row stands for, and when: a template in the words of JSON Lines.

    `when` names a column that must not be empty, or gives `column` and the cells that count, `is`.
    """

    record: Mapping[str, Any]
    when: Any = None


@attrs.frozen
class TableMapping:
    """What the mapping file of a table may say."""

    delimiter: str = attrs.field(default="")
    bounds: str = attrs.field(default="")
    constants: Mapping[str, str] = attrs.field(factory=dict)
    rows: tuple[Row, ...] = ()

    @delimiter.validator
    def _one_sign(self, _: object, given: str) -> None:
        if given and (len(given) > 1 or given in '"\r\n'):
            raise InvalidImport(
                f"delimiter = {show(given)} parts no cells: write one sign, such as ; or a tab",
                field="delimiter",
                given=given,
            )

    @bounds.validator
    def _known(self, _: object, given: str) -> None:
        if given not in ("", "closed", "half_open"):
            raise InvalidImport(
                f"bounds = {show(given)} is no rule: write closed or half_open",
                field="bounds",
                given=given,
            )


def read(source: Source, options: Options) -> Items:
    """The items of a table, one a row; the header is none unless it is refused."""
    with told_of(source.name):
        mapping = mapped(TableMapping, options.mapping)
    comma = "\t" if source.name.lower().removesuffix(".gz").endswith(".tsv") else ","
    with source.opened() as file:
        feed = _Feed(file)
        said = feed.said()
        if said:
            yield blank(feed.piece())
        mapping = attrs.evolve(mapping, delimiter=mapping.delimiter or said or comma)
        rows = _rows(feed, mapping.delimiter)
        header = next(rows, None)
        while header is not None and header.blank:
            yield blank(header.line)
            header = next(rows, None)
        if header is None:
            return
        try:
            columns = _columns(header, mapping)
        except InvalidImport as error:
            yield refused(header.line, error)
            for row in rows:
                yield refused(row.line, InvalidImport("nothing was read below that header."))
            return
        for row in rows:
            yield _item(row, columns, mapping, options)


@attrs.frozen
class _Row:
    """A row as it stands in the file, and its cells; or why it has none."""

    line: Line
    cells: Sequence[str] = ()
    fault: InvalidImport | None = None

    @property
    def blank(self) -> bool:
        """Whether no cell holds anything, as in the last rows that a spreadsheet writes."""
        return self.fault is None and not any(map(str.strip, self.cells))


class _Feed:
    """The lines of a file for `csv`, and what it took since it was last asked."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines: Iterator[Line] = lines(file)
        self.taken: list[Line] = []
        self.fault: InvalidImport | None = None

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.taken.append(line)
            try:
                yield line.text()
            except InvalidImport as error:
                self.fault = self.fault or error
                yield line.raw.decode("utf-8", "replace").replace("\0", "\ufffd")

    def said(self) -> str:
        """The delimiter that a first line of Excel's tells, which is taken then."""
        first = next(self._lines, None)
        if first is None:
            return ""
        if found := _SAID.fullmatch(first.raw):
            self.taken.append(first)
            return found[1].decode()
        self._lines = itertools.chain((first,), self._lines)
        return ""

    def piece(self) -> Line:
        """What was taken, as one piece, and forget it."""
        first = self.taken[0]
        if len(self.taken) > 1:
            raw = b"".join(line.raw for line in self.taken)
            first = attrs.evolve(first, raw=raw, rest=self.taken[-1].rest)
        self.taken.clear()
        self.fault = None
        return first


def _rows(feed: _Feed, delimiter: str) -> Iterator[_Row]:
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        try:
            cells, fault = next(reader), feed.fault
        except StopIteration:
            return
        except csv.Error as error:
            cells, fault = list[str](), _no_row(error, feed)
        yield _Row(feed.piece(), cells, fault)


def _no_row(error: csv.Error, feed: _Feed) -> InvalidImport:
    first, last = feed.taken[0].number, feed.taken[-1].number
    if "field limit" in str(error) and first == last:
        return feed.fault or InvalidImport(
            f"a cell has more than {csv.field_size_limit():,} signs, the most that one may have. "
            "Keep long texts out of the table.",
            given=feed.taken[0].raw[:40],
        )
    if "unexpected end of data" in str(error) or "field limit" in str(error):
        return InvalidImport(
            f"a quotation mark opened on line {first} is never closed; lines {first} to {last} "
            "were not read. Close it, or double it where it is part of the text.",
            given=feed.taken[0].raw[:40],
        )
    if feed.fault:
        return feed.fault
    if "new-line character" in str(error):
        return InvalidImport(
            "the lines end with carriage returns alone (CR). End them with LF or CR LF.",
            given=feed.taken[0].raw[:40],
        )
    return InvalidImport(
        f"the row cannot be cut into cells: {error}. Double quotation marks inside a quoted cell."
        f"{_open(feed.taken[0].number, last - first)}",
        given=feed.taken[0].raw[:40],
    )


def _open(first: int, more: int) -> str:
    """What else to look at where a row goes on over several lines."""
    if not more:
        return ""
    return f" The row goes on to line {first + more}: a quotation mark may be open on line {first}."


def _columns(header: _Row, mapping: TableMapping) -> tuple[str, ...]:
    """The names of the columns.

    Raises:
        InvalidImport: a name twice or none, another delimiter, or a column that nothing knows.
    """
    if header.fault is not None:
        raise header.fault
    names = [name.strip() for name in header.cells]
    twice = [name for name, many in Counter(names).items() if name and many > 1]
    if twice:
        raise InvalidImport(
            f"column {show(twice[0])} stands twice in the header. Rename one of the two.",
            field=twice[0],
            given=twice[0],
        )
    if len(names) == 1 and (other := next((one for one in ";\t|," if one in names[0]), "")):
        raise InvalidImport(
            f"the header has one column only, {show(names[0])}: is {show(other)} what parts them? "
            f"Write delimiter = {show(other)} into a mapping file.",
            given=names[0],
        )
    if mapping.rows:
        there = dict.fromkeys((*names, *mapping.constants), "")
        for row in mapping.rows:
            for column in holes([row.record, _when(row.when)]):
                filled("{" + column + "}", there)
        return tuple(names)
    known = {field for form in FORMS.values() for field in form.fields} | {"type"}
    if "type" not in names:
        known = set(FORMS["claim"].fields)
    for name in filter(None, names):
        if name not in known:
            error = unknown(name, name, sorted(known))
            raise InvalidImport(f"{error.message} {_OWN}", field=name, given=name)
    return tuple(names)


def _when(when: Any) -> Any:
    return {"column": when} if isinstance(when, str) else when


def _item(row: _Row, columns: Sequence[str], mapping: TableMapping, options: Options) -> Item:
    if row.fault is not None:
        return refused(row.line, row.fault)
    if row.blank and (mapping.rows or not row.cells):  # in our own words it is a record of nothing
        return blank(row.line)
    if len(row.cells) != len(columns):
        return refused(
            row.line,
            InvalidImport(
                f"the row has {len(row.cells)} cells, the header {len(columns)}. Write one cell "
                "for each column; a cell that holds the delimiter stands in quotation marks."
                f"{_open(row.line.number, _more(row.line))}",
                given=row.line.raw[:40],
            ),
        )
    cells = dict(zip(columns, row.cells, strict=True))
    nameless = [cell for name, cell in zip(columns, row.cells, strict=True) if cell and not name]
    cells.pop("", None)
    try:
        if nameless and not mapping.rows:  # a mapping says what is taken from a row
            raise InvalidImport(
                f"{show(nameless[0])} stands in a column without a name. Write a name into the "
                "header.",
                given=nameless[0],
            )
        objects = list(_objects(cells, mapping))
        no_side = [told for named, found in objects for told in _no_side(named, found)]
    except REFUSALS as error:
        return refused(row.line, error, cells)
    rule = options.bounds or mapping.bounds
    told = [with_bounds(found, rule) for _, found in objects]
    remarks = (*_swallowed(row, mapping.delimiter), *no_side)
    return with_names_of_now(made(row.line, told, cells, remarks=remarks))


def _more(line: Line) -> int:
    """On how many lines a row goes on."""
    return len(line.raw.rstrip(b"\r\n").splitlines()) - 1


def _swallowed(row: _Row, delimiter: str) -> Iterator[str]:
    """A cell whose lines look like rows was perhaps never closed."""
    first, more, width = row.line.number, _more(row.line), len(row.cells)
    if not more or width == 1:
        return
    if any(line.count(delimiter) + 1 == width for cell in row.cells for line in cell.splitlines()):
        yield (
            f"a cell holds lines {first} to {first + more}, of which some look like rows: a "
            f"quotation mark may be open on line {first}"
        )


def _no_side(named: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """What to say of a claim whose stance is named and left empty: nothing at all is no yes.

    `named` are the fields that the header or the mapping names.

    Raises:
        InvalidImport: the stance was to be looked up.
    """
    told = "stance" not in named or "stance" in found or found.get("act") in FIXED_STANCE
    if told or found.get("type") != "claim":
        return
    rules = named["stance"]
    if isinstance(rules, Mapping) and "map" in rules:
        raise InvalidImport(
            f"the cell of column {show(rules.get('column'))} is empty, so nothing tells a stance. "
            'Write "" into the map, give a default, or leave the row out with when.',
            field="stance",
            given="",
        )
    yield "the cell of stance is empty: it is read as supports, as for any such act"


def _objects(
    cells: dict[str, str], mapping: TableMapping
) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """The fields that the header or the mapping names, and the object of a row, for each record."""
    if not mapping.rows:
        given = {column: cell for column, cell in cells.items() if cell}
        yield cells, {"type": "claim", **given}
        return
    known = {**mapping.constants, **cells}
    for row in mapping.rows:
        if _counts(row.when, known):
            yield row.record, filled(row.record, known) or {}


def _counts(when: Any, cells: Mapping[str, str]) -> bool:
    match _when(when):
        case None:
            return True
        case {"column": str(column), "is": list(wanted)}:
            return filled("{" + column + "}", cells) in wanted
        case {"column": str(column), "not": list(unwanted)}:
            return (filled("{" + column + "}", cells) or "") not in unwanted
        case {"column": str(column), **rest} if not rest:
            return filled("{" + column + "}", cells) is not None
        case other:
            raise InvalidImport(
                f"when = {show(other)} is no condition. Write the name of a column, or a table "
                'with column and a list: { column = "Stance", is = ["For", "Against"] }.',
                field="mapping",
                given=other,
            )
