"""The table of who held what, and how it reads in plain text.

A quote stands behind each cell. The table is made by `.table`, its columns are set by `.setting`.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.reports.quoting import Quoted
from ledger.reports.setting import WIDTH, grid, noted, wrapped

_LEGEND: Final = {
    "*": "* by those who spoke for it",
    "-": "- silent",
    "possibly": "possibly, ?: perhaps said later, or by another",
    "unknown": "unknown: not in the ledger then",
}


@attrs.frozen(kw_only=True)
class Cell(Answer):
    """Where a party stood in one view: a position in short, and the numbers of its quotes.

    `status` is that of the position, or `unknown` where the view's prefix of the log does not
    hold the party or the proposition at all. `perhaps` are the quotes of claims that may be
    later than the view's date, or another party's.
    """

    status: str
    stance: str | None = None
    acts: tuple[str, ...] = ()
    text: str
    quotes: tuple[int, ...] = ()
    perhaps: tuple[int, ...] = ()

    def __str__(self) -> str:
        sure = "" if self.status == "possible" else "?"
        numbers = [*map(str, self.quotes), *(f"{one}{sure}" for one in self.perhaps)]
        return self.text + (f" [{', '.join(numbers)}]" if numbers else "")


@attrs.frozen(kw_only=True)
class Row(Answer):
    """A party, by id and name, and its cell in each view."""

    party: str
    name: str
    cells: tuple[Cell, ...]


@attrs.frozen(kw_only=True)
class Block(Answer):
    """A proposition and the rows of those who spoke on it, speakers before those they speak for."""

    proposition: str
    text: str
    kind: str
    rows: tuple[Row, ...]


@attrs.frozen(kw_only=True)
class Column(Answer):
    """The two dates of a view, and the number of events it was computed from."""

    said: Knob
    known: Knob | int | None
    basis: int

    def __str__(self) -> str:
        match self.known:
            case None:
                return f"said by {self.said}"
            case int():
                return f"said by {self.said}, known at #{self.known}"
            case _:
                return f"said by {self.said}, known by {self.known}"


@attrs.frozen(kw_only=True)
class WhoHeldWhat(Answer):
    """Who held what on a topic, one column a view; `str()` sets it in at most 100 signs a line.

    `quotes` are numbered from 1, as the cells name them. `documents` has one line for each
    document quoted. `incomplete` counts claims whose content was erased: they are in no cell.
    """

    topic: str
    label: str
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    quotes: tuple[Quoted, ...]
    documents: tuple[str, ...]
    incomplete: int = 0

    def __str__(self) -> str:
        title = wrapped(f"{self.label} ({self.topic}): who held what", WIDTH)
        notes = [
            line
            for number, quote in enumerate(self.quotes, start=1)
            for line in noted(f"[{number}]", str(quote))
        ]
        documents = [line for one in self.documents for line in wrapped(one, WIDTH, "  ")]
        parts = [title, *self._grids(), self._legend(), notes, documents]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _grids(self) -> list[list[str]]:
        if not self.blocks:
            return [["(nobody held a position)"]]
        return grid(
            heads=[str(column).replace(", ", "\n") for column in self.columns],
            blocks=[
                (
                    f"{block.proposition}{' (aim)' * (block.kind == 'aim')}: {block.text}",
                    [(row.name, [str(cell) for cell in row.cells]) for row in block.rows],
                )
                for block in self.blocks
            ],
        )

    def _legend(self) -> list[str]:
        texts = [cell.text for block in self.blocks for row in block.rows for cell in row.cells]
        doubt = any(cell.perhaps for block in self.blocks for r in block.rows for cell in r.cells)
        used = {
            "*": any("*" in text for text in texts),
            "-": "-" in texts,
            "possibly": doubt,
            "unknown": "unknown" in texts,
        }
        told = [text for sign, text in _LEGEND.items() if used[sign]]
        if self.incomplete:
            told.append(f"in no cell: {self.incomplete} claims whose content was erased")
        return wrapped("; ".join(told), WIDTH) if told else []
