"""Who held what on which date: a table of positions on a topic, with the quote behind each cell.

Here lives what stands in the table. How it is set in plain text is `.setting`; what a position is
and when a claim counts as said, `ledger.projections.positions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import attrs

from ledger.errors import InvalidView, NotFound, UnknownTopic
from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.positions import Evidence, Position
from ledger.reports.setting import WIDTH, grid, noted, wrapped
from ledger.view import View

_LEGEND: Final = {
    "*": "* by those who spoke for it",
    "-": "- silent",
    "possibly": "possibly, ?: said later perhaps, or by another",
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
                    f"{block.proposition}: {block.text}",
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


def who_held_what(views: Sequence[View], *, topic: str) -> WhoHeldWhat:
    """The positions on a topic in several views, side by side, with the words they rest on.

    A row is a party on a proposition of the topic (or of a topic inside it) that is not silent in
    every view; a column is a view, in the order given.

    Raises:
        InvalidView: no view was given.
        UnknownTopic: none of the views holds the topic.

    Example:
        >>> from ledger import Ledger
        >>> from ledger.testing import lachin
        >>> with Ledger.open(":memory:") as ledger:
        ...     lachin.load(ledger)
        ...     dates = [ledger.as_of(said=day) for day in ("2023-01-17", "2023-02-22")]
        ...     table = who_held_what(dates, topic="relations")
        >>> [str(cell) for cell in table.blocks[0].rows[0].cells]
        ['-', 'supports, call_for [1]']
    """
    if not views:
        raise InvalidView(
            "A table needs a view for each column: who_held_what([ledger.as_of(said='2023-02-22')],"
            " topic=...).",
            field="views",
            given=views,
        )
    label, stands = _stands(views, topic)
    quotes: dict[Quoted, int] = {}
    documents: dict[str, str] = {}
    blocks = [
        Block(
            proposition=id_,
            text=text,
            kind=kind,
            rows=tuple(
                Row(
                    party=party,
                    name=_name(views, party),
                    cells=tuple(
                        _cell(view, found, quotes, documents)
                        for view, found in zip(views, row, strict=True)
                    ),
                )
                for party, row in rows
            ),
        )
        for id_, text, kind, rows in stands
    ]
    return WhoHeldWhat(
        topic=topic,
        label=label,
        columns=tuple(Column(said=v.said, known=v.known, basis=v.basis) for v in views),
        blocks=tuple(blocks),
        quotes=tuple(quotes),
        documents=tuple(documents.values()),
        incomplete=max(_lost(view) for view in views),
    )


_Rows = list[tuple[str, list[Position | None]]]


def _stands(views: Sequence[View], topic: str) -> tuple[str, list[tuple[str, str, str, _Rows]]]:
    """The topic's label; for each proposition its id, text, kind, and a row for each party."""
    unknown: UnknownTopic | None = None
    held: dict[str, dict[str, None]] = {}
    told: dict[str, tuple[str, str]] = {}
    label = topic
    for view in sorted(views, key=lambda view: view.basis, reverse=True):
        try:
            positions = view.positions(topic=topic)
        except UnknownTopic as error:
            unknown = error
            continue
        if not told:
            label = next(one.label for one in view.topics() if one.id == topic)
        for line in view.propositions(topic=topic):
            told.setdefault(line.id, (line.text, line.kind))
            held.setdefault(line.id, {})
        for one in positions:
            held[one.proposition][one.party] = None
    if unknown is not None and not told:
        raise unknown
    blocks = []
    for id_, parties in held.items():
        rows = [(party, [_position(view, party, id_) for view in views]) for party in parties]
        if rows:
            blocks.append((id_, *told[id_], sorted(rows, key=_distance)))
    return label, blocks


def _position(view: View, party: str, proposition: str) -> Position | None:
    """The position; None where the view does not know whom or what is asked for."""
    try:
        return view.position(party, proposition)
    except NotFound:
        return None


def _distance(row: tuple[str, list[Position | None]]) -> tuple[int, str]:
    """How far the nearest speaker is from the party, and its id."""
    party, found = row
    bearing = [one for position in found if position for one in _bearing(position)]
    return min((len(one.path) for one in bearing), default=1), party


def _bearing(position: Position) -> Iterable[Evidence]:
    return (*position.evidence, *position.possible, *position.set_aside)


def _cell(
    view: View, position: Position | None, quotes: dict[Quoted, int], documents: dict[str, str]
) -> Cell:
    if position is None:
        return Cell(status="unknown", text="unknown")

    def numbers(claims: Iterable[Evidence]) -> tuple[int, ...]:
        with view.facts() as facts:
            return tuple(sorted(_number(facts, one, quotes, documents) for one in claims))

    shown = position.set_aside if position.status == "undeclared" else position.evidence
    return Cell(
        status=position.status,
        stance=position.stance,
        acts=position.acts,
        text=_in_short(position),
        quotes=numbers(shown),
        perhaps=numbers(position.possible),
    )


def _in_short(position: Position) -> str:
    """The position in a few words; what is only rolled up bears a star."""
    star = "" if any(one.own for one in _bearing(position)) else "*"
    match position.status:
        case "silent":
            return "-"
        case "held":
            words = [f"{position.stance}{star}", "/".join(position.acts)]
        case "conflicted":
            words = [f"conflicted{star}", position.because or ""]
        case "possible":
            stances = dict.fromkeys(one.stance for one in position.possible)
            words = [f"possibly {'/'.join(stances)}{star}"]
        case "withdrawn" | "undeclared":
            words = [f"{position.status}{star}"]
        case other:
            assert_never(other)
    words += ["lapsed"] if position.lapsed else []
    words += ["contested"] if position.contested_by else []
    words += ["possibly withdrawn"] if position.possibly_withdrawn else []
    return ", ".join(words)


def _name(views: Sequence[View], party: str) -> str:
    """The name of a party in the view that knows most."""
    with max(views, key=lambda view: view.basis).facts() as facts:
        return _bears(facts, facts.id_of("party", party)) or party


def _lost(view: View) -> int:
    with view.facts() as facts:
        return facts.lost_claims
