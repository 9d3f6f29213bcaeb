"""Who held what on which date: positions on a topic in several views, side by side.

Here the views are asked. What is handed back and how it reads is `.held`, the words behind a cell
are `.quoting`; what a position is and when a claim counts as said, `ledger.projections`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

import attrs

from ledger.comparing import check_view
from ledger.errors import InvalidView, NotFound, UnknownTopic
from ledger.model import events as ev
from ledger.projections import naming
from ledger.projections.standing import Evidence, Position, may_stand
from ledger.reports.held import Block, Cell, Column, Row, WhoHeldWhat
from ledger.reports.quoting import Quoted, name_of, quoted
from ledger.view import View


def who_held_what(views: Iterable[View], *, topic: str) -> WhoHeldWhat:
    """The positions on a topic in several views, side by side, with the words they rest on.

    A row is a party on a proposition of the topic (or of a topic inside it) that is not silent in
    every view; a column is a view, in the order given.

    Raises:
        InvalidView: no view was given, or something else.
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
    given: object = views
    several = tuple(given) if isinstance(given, Iterable) else ()
    if not several:
        raise InvalidView(
            "A table needs a view for each column: who_held_what([ledger.as_of(said='2023-02-22')],"
            " topic=...).",
            field="views",
            given=views,
        )
    for view in several:
        check_view(view, "who_held_what([ledger.as_of(said=...)], topic=...)")
    label, blocks = _asked_for(several, topic)
    found = [
        _column(view, [(block, party) for block in blocks for party in block.parties])
        for view in several
    ]
    quotes: dict[Quoted, int] = {}
    return WhoHeldWhat(
        topic=topic,
        label=label,
        columns=tuple(Column(said=v.said, known=v.known, basis=v.basis) for v in several),
        blocks=tuple(_block(block, found, quotes) for block in blocks if block.parties),
        quotes=tuple(quotes),
        documents=tuple(dict.fromkeys(one.reference for one in quotes if one.reference)),
        incomplete=max(column.incomplete for column in found),
    )


@attrs.frozen(kw_only=True, eq=False)
class _Asked:
    """A proposition, and the parties that some view has a position of."""

    id: str
    text: str
    kind: str
    parties: dict[str, None]


def _asked_for(views: Sequence[View], topic: str) -> tuple[str, list[_Asked]]:
    """The topic's label and its propositions, in the words of the view that knows most."""
    unknown: UnknownTopic | None = None
    asked: dict[str, _Asked] = {}
    label = ""
    for view in sorted(views, key=lambda view: view.basis, reverse=True):
        try:
            positions = view.positions(topic=topic)
        except UnknownTopic as error:
            unknown = error
            continue
        label = label or _label(view, topic)
        for line in view.propositions(topic=topic):
            one = _Asked(id=line.id, text=line.text, kind=line.kind, parties={})
            asked.setdefault(line.id, one)
        for position in positions:
            asked[position.proposition].parties[position.party] = None
    if unknown is not None and not label:
        raise unknown
    return label, list(asked.values())


def _label(view: View, topic: str) -> str:
    with view.facts() as facts:
        event = facts.get(naming.find(facts, "topic", topic), ev.TopicDefined)
        return event.label if event else topic


@attrs.frozen(kw_only=True)
class _Found:
    """What one view has of one party on one proposition; no position: not in its prefix."""

    name: str
    position: Position | None
    quotes: tuple[Quoted, ...] = ()
    perhaps: tuple[Quoted, ...] = ()


@attrs.frozen(kw_only=True, eq=False)
class _Column:
    """The answers of one view, each under proposition and party."""

    basis: int
    incomplete: int
    found: dict[tuple[str, str], _Found]


def _column(view: View, asked: Iterable[tuple[_Asked, str]]) -> _Column:
    positions = {(one.id, party): _position(view, party, one.id) for one, party in asked}
    with view.facts() as facts:
        return _Column(
            basis=view.basis,
            incomplete=facts.lost_claims,
            found={
                key: _Found(
                    name=name_of(facts, key[1]),
                    position=position,
                    quotes=quoted(facts, _deciding(position)) if position else (),
                    perhaps=quoted(facts, position.possible) if position else (),
                )
                for key, position in positions.items()
            },
        )


def _position(view: View, party: str, proposition: str) -> Position | None:
    try:
        return view.position(party, proposition)
    except NotFound:
        return None


def _deciding(position: Position) -> Sequence[Evidence]:
    """The claims on which a status rests, but for those that are only possible."""
    return position.set_aside if position.status == "undeclared" else position.evidence


def _block(asked: _Asked, columns: Sequence[_Column], quotes: dict[Quoted, int]) -> Block:
    """A proposition's rows; a quote takes the next number where it is met first."""
    richest = max(columns, key=lambda column: column.basis)
    rows = []
    for party in sorted(asked.parties, key=lambda party: _distance(asked.id, party, columns)):
        key = (asked.id, party)
        cells = tuple(_cell(column.found[key], quotes) for column in columns)
        rows.append(Row(party=party, name=richest.found[key].name, cells=cells))
    return Block(proposition=asked.id, text=asked.text, kind=asked.kind, rows=tuple(rows))


def _distance(proposition: str, party: str, columns: Sequence[_Column]) -> tuple[int, str]:
    """How far the nearest speaker is from the party, and its id: an order for the rows."""
    positions = [column.found[proposition, party].position for column in columns]
    steps = [
        len(one.path)
        for position in positions
        if position
        for one in (*_deciding(position), *position.possible)
    ]
    return min(steps, default=1), party


def _cell(found: _Found, quotes: dict[Quoted, int]) -> Cell:
    def numbers(of: Iterable[Quoted]) -> tuple[int, ...]:
        return tuple(sorted(quotes.setdefault(one, len(quotes) + 1) for one in of))

    position = found.position
    if position is None:
        return Cell(status="unknown", text="unknown")
    return Cell(
        status=position.status,
        stance=position.stance,
        acts=position.acts,
        text=_in_short(position),
        quotes=numbers(found.quotes),
        perhaps=numbers(found.perhaps),
    )


def _in_short(position: Position) -> str:
    """The position in a few words; what is only rolled up bears a star."""
    deciding = position.possible if position.status == "possible" else _deciding(position)
    star = "" if any(one.own for one in deciding) else "*"
    match position.status:
        case "silent":
            return "-"
        case "held":
            words = [f"{position.stance}{star}", "/".join(position.acts)]
        case "conflicted":
            words = [f"conflicted{star}", position.because or ""]
        case "possible":
            words = [f"possibly {'/'.join(may_stand(position)) or 'withdrawn'}{star}"]
        case "withdrawn" | "undeclared":
            words = [f"{position.status}{star}"]
        case other:
            assert_never(other)
    words += ["lapsed"] if position.lapsed else []
    words += ["contested"] if position.contested_by else []
    words += ["possibly withdrawn"] if position.in_doubt else []
    return ", ".join(words)
