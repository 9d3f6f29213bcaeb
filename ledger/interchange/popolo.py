"""Popolo: people, organisations, their names and memberships (popoloproject.com, JSON).

```
persons, organizations   party, with a name for each of `other_names`
memberships              membership in the organisation, and in the one on whose behalf it is held
parent_id                membership of an organisation in another
events (terms), posts    lend memberships their dates, role and organisation
```

Dates are closed: an `end_date` is the last day that counts. A membership without dates has those
of its term; one that is open ends when its person dies or its organisation is dissolved. Seats and
party lists speak for nobody, so memberships do not roll up unless the mapping says which do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.elements import Element, Path, elements
from ledger.interchange.foreign import Object, faults, object_of, without
from ledger.interchange.items import Item, Items, Options, made, refused, skipped, told_of
from ledger.interchange.lines import Line
from ledger.interchange.mapping import mapped
from ledger.interchange.source import Source
from ledger.model.party import KINDS

_SECTIONS: Final = ("organizations", "persons", "memberships")
_OTHERS: Final = ("events", "posts", "areas", "motions", "vote_events", "votes", "speeches")
_KINDS: Final = {"persons": "person", "organizations": "organisation"}
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "persons": ("id", "name", "other_names", "death_date"),
    "organizations": (
        *("id", "name", "other_names", "classification", "dissolution_date", "parent_id"),
        "founding_date",
    ),
    "memberships": (
        *("id", "person_id", "organization_id", "on_behalf_of_id", "member_id", "member"),
        *("role", "label"),
        *("post_id", "legislative_period_id", "start_date", "end_date"),
    ),
}


@attrs.frozen
class PopoloMapping:
    """What the mapping file may say.

    `kinds` gives the kind of party for a `classification`; `speaks_for` lists the roles whose
    holders speak for the organisation, "*" for all.
    """

    bounds: str = "closed"
    kinds: Mapping[str, str] = attrs.field(factory=dict)
    speaks_for: tuple[str, ...] = ()


def read(source: Source, options: Options) -> Items:
    """The items of a Popolo document: a collection, a list of one kind, or one object."""
    with told_of(source.name):
        mapping = mapped(PopoloMapping, options.mapping)
    reader = _Reader(mapping, options.bounds or mapping.bounds)
    collection = _is_collection(source)
    for one in faults(_elements(source, collection=collection)):
        if isinstance(one, Element):
            reader.note(one)
        else:
            yield refused(Line(number=0, raw=b"", at=source.name), one)
            return
    for section in (one for one in (*_SECTIONS, "") if one in reader.sections):
        for element in _elements(source, collection=collection):
            if reader.section_of(element) == section:
                yield reader.item(section, element)
        if section == "organizations":
            yield from reader.parents()


def _is_collection(source: Source) -> bool:
    seen: set[str | int] = set()

    def note(path: Path) -> bool:
        seen.update(path[:1])
        return len(path) == 2 or path[:1] == (0,)  # noqa: PLR2004 - inside a list of the collection

    with source.opened() as file:
        for _ in faults(elements(file, note)):
            if seen & {*_SECTIONS, *_OTHERS, 0}:
                return True
    return bool(seen & {*_SECTIONS, *_OTHERS, 0})


def _elements(source: Source, *, collection: bool) -> Iterator[Element]:
    def wanted(path: Path) -> bool:
        if not collection:
            return not path
        return len(path) == 1 if path and isinstance(path[0], int) else len(path) == 2  # noqa: PLR2004

    with source.opened() as file:
        yield from elements(file, wanted)


class _Reader:
    """What one document says, beside what each of its records does."""

    def __init__(self, mapping: PopoloMapping, bounds: str) -> None:
        self._mapping = mapping
        self._bounds = bounds
        self._terms: dict[str, Object] = {}
        self._posts: dict[str, Object] = {}
        self._ends: dict[str, str] = {}
        self._parents: list[tuple[Line, str, str]] = []
        self._left_out: set[str] = set()
        self.sections: set[str] = set()

    def section_of(self, element: Element) -> str:
        """In which list of a collection an element stands, or what it must be by its fields."""
        if element.path and isinstance(element.path[0], str):
            return element.path[0] if element.path[0] in _SECTIONS else ""
        value = object_of(element)
        if isinstance(value, Item) or "person_id" in value or "organization_id" in value:
            return "memberships"
        return "organizations" if value.keys() & {"classification", "parent_id"} else "persons"

    def note(self, element: Element) -> None:
        """Keep what memberships ask of other records: terms, posts, and days of death."""
        self.sections.add(self.section_of(element))
        value = object_of(element)
        if isinstance(value, Item) or not isinstance(id_ := value.get("id"), str):
            return
        section = element.path[0] if element.path else ""
        if section == "events":
            self._terms[id_] = value
        if section == "posts":
            self._posts[id_] = value
        end = value.get("death_date") or value.get("dissolution_date")
        if isinstance(end, str):
            self._ends[id_] = end

    def item(self, section: str, element: Element) -> Item:
        """One record of the document."""
        if not section:
            kind = str(element.path[0])
            what = (
                "lend their dates and roles to memberships" if kind in ("events", "posts") else ""
            )
            return skipped(element.line, f"{kind} {what or 'have no place in the ledger'}")
        value = object_of(element)
        if isinstance(value, Item):
            return value
        try:
            if section == "memberships":
                objects = [*self._memberships(value)]
            else:
                objects = [self._party(section, element.line, value)]
        except InvalidImport as error:
            return refused(element.line, error, value)
        return made(element.line, objects, value, remarks=self._remarks(section, value))

    def parents(self) -> Iterator[Item]:
        """The organisations that are part of others, once all are registered."""
        for line, member, parent in self._parents:
            at = attrs.evolve(line, at=f"{line.at}.parent_id")
            yield made(at, [{"type": "membership", "member": member, "organisation": parent}])

    def _party(self, section: str, line: Line, value: Object) -> Object:
        parent = value.get("parent_id")
        if section == "organizations" and isinstance(parent, str):
            self._parents.append((line, str(value.get("id")), parent))
        told = str(value.get("classification"))
        kind = self._mapping.kinds.get(told, told if told in KINDS else _KINDS[section])
        given = value.get("other_names") or []
        names = [self._name(one) for one in given] if isinstance(given, list) else given
        party = {"type": "party", "id": value.get("id"), "name": value.get("name"), "kind": kind}
        return {**party, "names": names or None}

    def _name(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = {"name": value.get("name"), "language": value.get("lang")}
        return {**found, **self._dates(value.get("start_date"), value.get("end_date"))}

    def _dates(self, start: Any, end: Any) -> Object:
        found = {key: one for key, one in (("from", start), ("until", end)) if one}
        return {**found, "bounds": self._bounds} if found else {}

    def _memberships(self, value: Object) -> Iterator[Object]:
        post = self._posts.get(str(value.get("post_id")), {})
        term = self._terms.get(str(value.get("legislative_period_id")), {})
        group = value.get("member")
        member = value.get("person_id") or value.get("member_id")
        member = member or (group.get("id") if isinstance(group, dict) else None)
        organisation = value.get("organization_id") or post.get("organization_id")
        behalf = value.get("on_behalf_of_id")
        if not (organisation or behalf):
            raise InvalidImport(
                "field organization_id is missing. Write in what the membership is.",
                field="organization_id",
            )
        role = value.get("role") or value.get("label") or post.get("role") or post.get("label")
        start = value.get("start_date") or term.get("start_date")
        told = value.get("end_date") or term.get("end_date")
        speaks = "*" in self._mapping.speaks_for or role in self._mapping.speaks_for
        for where, as_what in ((organisation, role), (behalf, None)):
            if where:
                gone = (self._ends.get(str(one)) for one in (member, organisation, where))
                end = told or min(filter(None, gone), default=None)
                yield {
                    "type": "membership",
                    "member": member,
                    "organisation": where,
                    "role": as_what,
                    "speaks_for": speaks,
                    **self._dates(start, end),
                }

    def _remarks(self, section: str, value: Object) -> Iterator[str]:
        for field in without(value, *_KNOWN[section]):
            if (name := f"{section}.{field}") not in self._left_out:
                self._left_out.add(name)
                yield f"{name} has no place in the ledger and is left out, here and further down"
