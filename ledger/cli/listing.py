"""The nouns as groups of commands, and the commands that list what a ledger knows of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
from cyclopts import App

from ledger.cli.options import ENTER, HERE, NOW, When, Where
from ledger.cli.output import as_json, rows_of, say, table
from ledger.projections.answer import Answer

party_app = App(
    name="party", help="Parties: states, organisations, persons and others.", group=ENTER
)
document_app = App(name="document", help="Documents with claims in them.", group=ENTER)
topic_app = App(name="topic", help="Groups of propositions.", group=ENTER)
proposition_app = App(name="proposition", help="Propositions: what is claimed.", group=ENTER)
occurrence_app = App(name="occurrence", help="What several propositions describe.", group=ENTER)


@party_app.command(name="list")
def party_list(*, when: When = NOW, where: Where = HERE) -> None:
    """List the parties with their names and memberships.

    Example: `claims party list`
    """
    with where.ledger() as ledger:
        found = when.view(ledger).parties()
    above = (
        ", ".join(f"{one.organisation} {one.period}" for one in row.memberships) for row in found
    )
    if not where.json:
        found = tuple(one if one.name else attrs.evolve(one, name="(erased)") for one in found)
    columns = ("id", "kind", "name", "names")
    _print(found, columns, json=where.json, more=("belongs to", above))


@topic_app.command(name="list")
def topic_list(*, when: When = NOW, where: Where = HERE) -> None:
    """List the topics.

    Example: `claims topic list`
    """
    with where.ledger() as ledger:
        found = when.view(ledger).topics()
    _print(found, ("id", "label", "part_of"), json=where.json)


@proposition_app.command(name="list")
def proposition_list(*, topic: str | None = None, when: When = NOW, where: Where = HERE) -> None:
    """List the propositions.

    Example: `claims proposition list --topic lachin`

    Args:
        topic: Only of this topic and the topics inside it.
    """
    with where.ledger() as ledger:
        found = when.view(ledger).propositions(topic=topic)
    _print(found, ("id", "kind", "text", "topics"), json=where.json)


@document_app.command(name="list")
def document_list(*, when: When = NOW, where: Where = HERE) -> None:
    """List the documents.

    Example: `claims document list`
    """
    with where.ledger() as ledger:
        found = when.view(ledger).documents()
    _print(found, ("id", "publisher", "published", "length", "title"), json=where.json)


def _print(
    found: Sequence[Answer],
    columns: tuple[str, ...],
    *,
    json: bool,
    more: tuple[str, Iterable[str]] | None = None,
) -> None:
    rows = rows_of(found, columns)
    if json:
        as_json(list(found))
    elif not rows:
        say("none")
    elif more is None:
        table(columns, rows)
    else:
        title, cells = more
        table((*columns, title), [(*row, cell) for row, cell in zip(rows, cells, strict=True)])
