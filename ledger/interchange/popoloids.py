"""The ids of a register's persons and organisations, and the parties that they are in the ledger.

Many registers count both from 1, and the ledger has one id for a party. What is not parted there is
refused: a person's seat must not become an organisation's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ledger.errors import InvalidImport
from ledger.interchange.foreign import Object, counted, slug
from ledger.interchange.items import Item, where
from ledger.interchange.popolonames import name_of
from ledger.model import events as ev
from ledger.model.text import show
from ledger.recording.intake import Intake

_SECTIONS: Final = {
    "person": "persons",
    "organization": "organizations",
    "on_behalf_of": "organizations",
}


class Ids:
    """Which persons and organisations a file holds, by their ids and names."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._ids: dict[str, dict[str, str]] = {"persons": {}, "organizations": {}}

    def note(self, section: str, id_: str, name: str) -> None:
        """Keep one; all of them, before anything is asked."""
        self._ids[section][id_] = name

    def party(self, section: str, id_: Any) -> Any:
        """What a person or an organisation of the file is called in the ledger.

        Raises:
            InvalidImport: one of either has the id, and nothing parts them.
        """
        if not isinstance(id_, str):
            return id_
        called = self.called(section, id_)
        if section == "persons" and called in self._twice:
            raise InvalidImport(
                f"{show(called)} is the id of a person and of an organisation in this file. Part "
                'them by the mapping: prefixes = { persons = "person-" }.',
                field="id",
                given=id_,
            )
        return called

    def called(self, section: str, id_: str) -> str:
        """An id with its prefix, whoever else may have it."""
        return f"{self._prefixes.get(section, '')}{id_}"

    @functools.cached_property
    def _twice(self) -> frozenset[str]:
        """The ids that persons and organisations have both, once all are noted."""
        persons, organizations = (
            {self.called(section, id_) for id_ in ids} for section, ids in self._ids.items()
        )
        return frozenset(persons & organizations)

    def member(self, value: Object) -> Any:
        """Who is in a membership, a person or an organisation.

        Raises:
            InvalidImport: one of either has the id, or nobody is named, or several are.
        """
        if person := id_in(value, "person"):
            if not isinstance(person, str):
                raise InvalidImport(
                    f"person_id is one id, not {show(person)}. Write a membership for each person.",
                    field="person_id",
                    given=person,
                )
            return self.party("persons", person)
        member = id_in(value, "member")
        if not member:
            raise InvalidImport(
                "field person_id is missing. Write who is in it.", field="person_id"
            )
        of_both = [section for section, ids in self._ids.items() if str(member) in ids]
        if len(of_both) > 1:
            raise InvalidImport(
                f"{show(member)} is the id of a person and of an organisation in this file. Write "
                "person_id, and part the two.",
                field="member_id",
                given=member,
            )
        return self.party(of_both[0] if of_both else "persons", member)

    def within(self, value: Object, post: Object) -> Iterator[tuple[str, Object]]:
        """Who stands inside a membership or its post, named, and is in no list of the file."""
        organizations = (value, "organization"), (value, "on_behalf_of"), (post, "organization")
        for holder, field in ((value, "person"), *organizations):
            inside, section = holder.get(field), _SECTIONS[field]
            if not isinstance(inside, dict) or holder.get(f"{field}_id") or not name_of(inside):
                continue
            id_ = counted(inside.get("id"))
            if id_ and id_ not in self._ids[section]:
                yield section, {**inside, "id": id_}

    def of_the_file(self, item: Item, value: Object) -> Item:
        """A membership, refused where the ledger has another party under the person's id."""
        person = id_in(value, "person")
        if not isinstance(person, str) or person not in self._ids["persons"]:
            return item
        name, called = self._ids["persons"][person], self.called("persons", person)

        def check(intake: Intake) -> None:
            there = intake.get(intake.taken("party", called), ev.PartyRegistered)
            if there is not None and there.kind != "person" and slug(there.name) != slug(name):
                raise InvalidImport(
                    f"{show(called)} is {show(there.name)} ({there.kind}) in the ledger, and not "
                    "the person of this file, who was refused.",
                    field="person_id",
                    given=person,
                )

        return where(item, check)


def id_in(value: Object, what: str) -> Any:
    """The id of a record that another names, or that stands inside it."""
    inside, named = value.get(what), value.get(f"{what}_id")
    if isinstance(named, list) and len(named) == 1:
        (named,) = named
    told = counted(named)
    return told or (counted(inside.get("id")) if isinstance(inside, dict) else None)
