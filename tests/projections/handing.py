"""What an invented world tells, as a host would hand it in: nouns, chains, changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger import Document, Link, Membership, Occurrence, Party, Proposition
from ledger.recording.registering import Noun
from tests.projections.naive import Op


def noun_of(op: Op, fields: dict[str, Any]) -> Noun:
    """What is registered."""
    match op.kind:
        case "party":
            kind = "joint" if fields["members"] else "organisation"
            return Party(op.id, name=op.id, kind=kind, **fields)
        case "membership":
            return Membership(fields.pop("member"), fields.pop("organisation"), **fields)
        case "proposition":
            return Proposition(op.id, text=op.id, kind=fields["fact_or_aim"])
        case "occurrence":
            return Occurrence(op.id, label=op.id, **fields)
        case _:
            return Document(op.id, text=op.id, **fields)


def linked(told: Iterable[Iterable[tuple[str, str]]]) -> list[list[Link]]:
    return [[Link(party, kind) for party, kind in chain] for chain in told]


def as_handed_in(changes: dict[str, Any]) -> dict[str, Any]:
    return {
        {"chains": "chain"}.get(field, field): linked(value) if field == "chains" else value
        for field, value in changes.items()
    }
