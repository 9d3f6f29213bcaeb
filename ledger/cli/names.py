"""Names for ids: whatever a user types for a party is looked up on the day it is about."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ledger.errors import AmbiguousName, InvalidView, NotFound
from ledger.ledger import Ledger
from ledger.model.moment import Bound, Edtf
from ledger.model.text import show
from ledger.view import View

Days = tuple[dt.date | None, dt.date]
"""The first and the last day on which something may have been said; None is open."""

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


def days_of_act(ledger: Ledger, uttered: str | None, document: str | None) -> Days:
    """The first and the last day of an act of saying.

    The last is that of its date, else its document's publication, else today.
    """
    view = ledger.as_of()
    date = None if uttered is None else Edtf.parse(uttered, field="uttered")
    first, last = (_day(date.earliest), _day(date.latest)) if date else (None, None)
    if last is None and document is not None:
        with contextlib.suppress(NotFound):  # whoever records with it says so
            published = view.document(document).published
            last = _day(published.latest) if published else None
    return first, last or day_of_view(view)


def days_of_claim(ledger: Ledger, claim: str) -> Days:
    """The days of an act of saying that is in the ledger; today for any other record."""
    with contextlib.suppress(NotFound, InvalidView):  # it is no claim
        found = ledger.trace(claim)
        return days_of_act(ledger, found.uttered or None, found.document or None)
    return None, day_of_view(ledger.as_of())


def _day(bound: Bound | None) -> dt.date | None:
    return bound.date() if isinstance(bound, dt.datetime) else bound


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


def in_fields(view: View, fields: Mapping[str, Any], days: Days) -> dict[str, Any]:
    """The fields of a record, those that hold parties with ids for names."""

    def found(value: Any) -> Any:
        match value:
            case str():
                return _throughout(view, value, days)
            case list() | tuple():
                return [found(one) for one in value]
            case _:
                return value

    return {k: found(value) if k in PARTY_FIELDS else value for k, value in fields.items()}


def _throughout(view: View, name: str, days: Days) -> str:
    """The party that an id or name denotes on the last of some days, and no other on any of them.

    Raises:
        UnknownName: nothing bears it on the last day.
        AmbiguousName: several parties bear it on these days.
    """
    first, last = days
    found = view.resolve(name, on=last)
    by_name = [one.party for one in view.denoted(name, on=last)] == [found]
    on = {first, *_turns(view, name, first, last)} if by_name and first else set()
    others = (one.party for day in on for one in view.denoted(name, on=day))
    bearers = tuple(sorted({found, *others}))
    if len(bearers) > 1:
        raise AmbiguousName(
            f"{show(name)} denotes several parties between {first} and {last}: "
            f"{', '.join(bearers)}. Use the id.",
            given=name,
            near=bearers,
        )
    return found


def _turns(view: View, name: str, first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """The days between two on which a name begins or ends to denote somebody."""
    for bearer in view.denoted(name):
        for one in view.names(bearer.party):
            ends = (one.period.since, one.period.until)
            bounds = (bound for end in ends if end for bound in (end.earliest, end.latest))
            for day in map(_day, bounds):
                if day is not None and first < day < last:
                    yield day
