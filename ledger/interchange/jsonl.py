"""JSON Lines: one object a line, in the ledger's own words (docs/reference/jsonl.md).

How lines are cut is in `ledger.interchange.lines`, what they may hold in `.shapes`, what they
become in `.records`.
"""

from __future__ import annotations

from ledger.codec.canonical import parse
from ledger.interchange.items import (
    REFUSALS,
    Item,
    Items,
    Options,
    blank,
    made,
    refuse_mapping,
    refused,
    with_bounds,
)
from ledger.interchange.lines import Line, lines
from ledger.interchange.source import Source


def read(source: Source, options: Options) -> Items:
    """The items of a JSON Lines file."""
    refuse_mapping(source, options, "JSON Lines")
    with source.opened() as file:
        for line in lines(file):
            yield blank(line) if line.blank else _item(line, options)


def _item(line: Line, options: Options) -> Item:
    try:
        value = parse(line.text().rstrip("\r\n"))
    except REFUSALS as error:
        return refused(line, error)
    return made(line, [with_bounds(value, options.bounds)], value)
