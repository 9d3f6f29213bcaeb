"""The parties of a view as Popolo JSON: persons, organizations, other names, memberships.

Popolo knows no claims: who can hold a position leaves, what was said does not. Its periods are
closed and its dates are days, months or years, so `until` becomes the last day that counts, and
what is vaguer stays behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, BinaryIO

from ledger.interchange.out.leaving import Leaving, leaving
from ledger.interchange.out.plainly import last_day, plain_date
from ledger.interchange.out.streaming import filled, write_lists
from ledger.model import events as ev
from ledger.projections.answer import plain
from ledger.view import View


def write(view: View, file: BinaryIO) -> int:
    """Write one Popolo document; gives the number of its objects. Ids stay as they are."""
    names = _names(view)
    lists = [
        ("persons", _people(view, names, person=True)),
        ("organizations", _people(view, names, person=False)),
        ("memberships", _memberships(view)),
    ]
    return write_lists(file, {}, lists)


def _names(view: View) -> dict[str, list[dict[str, Any]]]:
    """The names of each party; one page of parties needs those of all, so they are held."""
    found = defaultdict(list)
    for record in leaving(view, "name"):
        event = record.event
        if isinstance(event, ev.PartyNamed):
            period = event.period
            found[event.party].append(
                {
                    "name": event.name,
                    **filled(
                        start_date=plain_date(period.since),
                        end_date=last_day(period.until),
                        note="metonym" if event.metonym else None,
                    ),
                }
            )
    return found


def _people(
    view: View, names: dict[str, list[dict[str, Any]]], *, person: bool
) -> Iterator[dict[str, Any]]:
    for record in leaving(view, "party"):
        event = record.event
        if isinstance(event, ev.PartyRegistered) and (event.kind == "person") is person:
            kind = None if person else event.kind
            yield {
                "id": record.id,
                **filled(
                    name=None if record.gone else event.name,
                    classification=kind,
                    other_names=names.get(record.id),
                    created_at=plain(record.entered.recorded),
                ),
            }


def _memberships(view: View) -> Iterator[dict[str, Any]]:
    people: set[str] = set()
    for record in leaving(view, "party", "membership"):
        event = record.event
        if isinstance(event, ev.PartyRegistered):
            if event.kind == "person":
                people.add(record.id)
            for member in event.members:
                joint = {"organization_id": record.id, "label": "makes up"}
                yield {"id": f"{record.id}/{member}", **_member(member, people), **joint}
        elif isinstance(event, ev.MembershipRecorded):
            yield _membership(record, event, people)


def _membership(record: Leaving, event: ev.MembershipRecorded, people: set[str]) -> dict[str, Any]:
    return {
        "id": record.id,
        **_member(event.member, people),
        "organization_id": event.organisation,
        **filled(
            role=event.role,
            start_date=plain_date(event.period.since),
            end_date=last_day(event.period.until),
            created_at=plain(record.entered.recorded),
        ),
    }


def _member(id_: str, people: set[str]) -> dict[str, Any]:
    """Popolo has a field for the id of a person, none for that of an organization."""
    return {"person_id": id_} if id_ in people else {"member": {"id": id_}}
