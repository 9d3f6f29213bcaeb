"""What reaches the terminal: text made harmless, tables, JSON.

Data may hold anything that a file held. Control and bidi signs are written as escapes wherever
they would be printed, and nothing in data is read as markup.
"""

from __future__ import annotations

import copy
import datetime as dt
import io
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.codec.canonical import jcs
from ledger.projections.answer import Answer, plain
from ledger.receipt import Receipt, is_ahead, later_than

_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"


def safe(text: str) -> str:
    r"""A text with every sign escaped that would steer a terminal or hide on it.

    Example:
        >>> print(safe("red\x1b[31m and \u202eback"))
        red\u001b[31m and \u202eback
    """
    if text.isprintable():
        return text
    return "".join(
        _escape(sign) if unicodedata.category(sign) in _HARMFUL and sign not in _JOINERS else sign
        for sign in text
    )


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def tame(value: Any) -> Any:
    """An answer with all its texts made safe, so that what it prints has only its own line ends."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, tuple):
        return tuple(map(tame, value))
    if attrs.has(type(value)):
        tamed = copy.copy(value)
        for field in attrs.fields(type(value)):
            object.__setattr__(tamed, field.name, tame(getattr(value, field.name)))
        return tamed
    return value


def say(text: str) -> None:
    """Print lines of ours that hold no data, or data that `safe` has seen."""
    print("\n".join(map(safe, text.split("\n"))))


def warn(text: str) -> None:
    """Print a line to standard error; of several, as a driver may give, one is made."""
    line = " ".join(part.strip() for part in text.split("\n") if part.strip())
    print(safe(line), file=sys.stderr)


def as_json(value: Any) -> None:
    """Print one JSON document on one line, keys sorted (RFC 8785), harmful signs as escapes."""
    print(safe(jcs(plain(value)).decode()))


def handed_out(text: str, told: Mapping[str, Any], *, json: bool) -> None:
    """Print a text that others read as it stands, or what it tells as JSON."""
    if json:
        as_json(told)
    else:
        sys.stdout.write(text)


def answer(value: Answer, *, json: bool) -> None:
    """Print an answer for people or for programs; of a receipt also tell if a clock is wrong."""
    if json:
        as_json(value.to_dict())
    else:
        say(str(tame(value)))
    if isinstance(value, Receipt):
        _tell_clock(value)


def _tell_clock(given: Receipt) -> None:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    if is_ahead(given.recorded, now):
        warn(f"warning: {later_than(given.recorded, now)}")


def answers(values: Iterable[Answer], *, json: bool, none: str) -> None:
    """Print several answers, one below the other, or say that there are none."""
    found = tuple(values)
    if json:
        as_json([one.to_dict() for one in found])
    else:
        say("\n".join(str(tame(one)) for one in found) or none)


_BESIDE_A_CELL: Final = 3
"""Signs that a drawn cell takes beside its text: two blanks and a line."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: with lines on a terminal that has room for it, aligned by blanks elsewhere."""
    cells = [[safe(cell) for cell in row] for row in rows]
    console = Console(markup=False, highlight=False)
    headings = sum(_BESIDE_A_CELL + cell_len(safe(column)) for column in columns)
    if sys.stdout.isatty() and headings < console.width:
        drawn = Table()
        for column in columns:
            drawn.add_column(Text(safe(column)), overflow="fold")  # an id cut short is no id
        for row in cells:
            drawn.add_row(*map(Text, row))
        console.print(drawn)
        return
    lines = [[safe(column) for column in columns], *cells]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = [
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ]
        print("  ".join(padded).rstrip())


def rows_of(values: Iterable[Answer], columns: Sequence[str]) -> list[list[str]]:
    """Answers as rows of a table: one attribute for each column."""
    return [[_cell(getattr(one, name)) for name in columns] for one in values]


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def unbreakable() -> None:
    """Let standard output and error take every sign, whatever the terminal's encoding.

    A stream that was closed before we began takes everything and shows nothing; of what is typed,
    bytes that are no text are read as escapes.
    """
    # The null device is no path to read, and it stays open for as long as the process prints.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def progress() -> Callable[[int, int], None] | None:
    """Tells on a terminal how far it is."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, of: int) -> None:
        end = "\n" if done == of else ""
        sys.stderr.write(f"\r{done:,} of {of:,} events{end}")
        sys.stderr.flush()

    return tell
