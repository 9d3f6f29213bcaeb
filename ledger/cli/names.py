"""Names for ids: whatever a user types for a party is looked up on the day it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledger.ledger import Ledger
from ledger.model.moment import Edtf
from ledger.view import View

PARTY_FIELDS: Final = frozenset(
    {
        *("claimant", "via", "on_behalf_of", "addressees", "mentions"),
        *("publisher", "organisation", "members"),
    }
)
"""The fields of records that hold parties."""


def day_of_view(view: View) -> dt.date:
    """The day that names are asked for in a view: the day by which things were said."""
    return view.said.day or view.said.end().date()


def day_of_act(ledger: Ledger, uttered: str | None, document: str | None) -> dt.date:
    """The day of an act of saying: its latest, else its document's publication, else today."""
    view = ledger.as_of()
    if uttered is not None and (day := _latest(Edtf.parse(uttered, field="uttered"))):
        return day
    for one in view.documents() if document is not None else ():
        if one.id == document and one.published and (day := _latest(one.published)):
            return day
    return day_of_view(view)


def day_of_claim(ledger: Ledger, claim: str) -> dt.date:
    """The day of an act of saying that is in the ledger; today for any other record."""
    for row in ledger.claims():
        if row.id == claim:
            return day_of_act(ledger, str(row.uttered) if row.uttered else None, row.document)
    return day_of_view(ledger.as_of())


def _latest(date: Edtf) -> dt.date | None:
    latest = date.latest
    return latest.date() if isinstance(latest, dt.datetime) else latest


def parties(view: View, names: Iterable[str], on: dt.date) -> tuple[str, ...]:
    """Parties by ids or names.

    Raises:
        UnknownName: nothing bears it then; near matches are named.
        AmbiguousName: several parties bear it then.
    """
    return tuple(view.resolve(name, on=on) for name in names)


def party(view: View, name: str | None) -> str | None:
    """A party by id or name, where one was given."""
    return None if name is None else view.resolve(name, on=day_of_view(view))


def in_fields(view: View, fields: Mapping[str, Any], on: dt.date) -> dict[str, Any]:
    """The fields of a record, those that hold parties with ids for names."""

    def found(value: Any) -> Any:
        match value:
            case str():
                return view.resolve(value, on=on)
            case list() | tuple():
                return [found(one) for one in value]
            case _:
                return value

    return {k: found(value) if k in PARTY_FIELDS else value for k, value in fields.items()}
