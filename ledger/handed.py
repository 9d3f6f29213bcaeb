"""What a host may hand in where an id goes: the id, a receipt of it, or a party to register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ledger.appending import Receipt
from ledger.model.document import Document
from ledger.model.party import Party
from ledger.recording.registering import Noun

Id = str | Receipt


def id_of(value: Id) -> str:
    """The id itself."""
    return value.id if isinstance(value, Receipt) else value


def ids_of(values: Id | Sequence[Id]) -> tuple[str, ...]:
    """One id or several, as a tuple."""
    return (id_of(values),) if isinstance(values, str | Receipt) else tuple(map(id_of, values))


def plain(value: Any, parties: list[Party]) -> Any:
    """A field with ids for receipts and parties; the parties are put aside for registration."""
    match value:
        case Receipt():
            return value.id
        case Party():
            parties.append(value)
            return value.id
        case list() | tuple():
            return tuple(plain(one, parties) for one in value)
        case _:
            return value


def plain_fields(fields: Mapping[str, Any], parties: list[Party] | None = None) -> dict[str, Any]:
    """The fields of a record with ids for receipts and parties."""
    aside: list[Party] = [] if parties is None else parties
    return {key: plain(value, aside) for key, value in fields.items()}


def with_publisher(noun: Noun) -> tuple[Noun, ...]:
    """A document's publisher may be handed in as a party, or by its receipt."""
    if not isinstance(noun, Document):
        return (noun,)
    aside: list[Party] = []
    document = attrs.evolve(noun, publisher=plain(noun.publisher, aside))
    return (*aside, document)
