"""Popolo: people, organisations, their names and memberships (popoloproject.com, JSON).

```
persons, organizations   party, with a name for each of `other_names`
memberships              membership in the organisation, and in the one on whose behalf it is held
parent_id                membership of an organisation in another
events (terms), posts    lend memberships their dates, role and organisation
```

A membership may also stand inside its person or organisation, and hold objects where others have
their ids. Dates are closed: an `end_date` is the last day that counts. A membership without dates
has those of its term; where it has no end of its own it is over when its person dies or its
organisation is dissolved, if not before. Seats and party lists speak for nobody, so memberships do
not roll up unless the mapping says which do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.elements import Element, written
from ledger.interchange.ends import day_of, first_of
from ledger.interchange.foreign import Object, counted, faults, listed, object_of, without
from ledger.interchange.items import (
    REFUSALS,
    Item,
    Items,
    Options,
    made,
    refused,
    skipped,
    told_of,
    with_names_of_now,
)
from ledger.interchange.lines import Line
from ledger.interchange.mapping import mapped
from ledger.interchange.popoloids import Ids, id_in
from ledger.interchange.popololists import (
    OTHERS,
    SECTIONS,
    by_fields,
    holders,
    is_collection,
    listed_as,
    not_read,
    records,
)
from ledger.interchange.popolonames import PARTS, as_object, name_of, whole
from ledger.interchange.records import record_of, unless_one_already
from ledger.interchange.shapes import kind_of
from ledger.interchange.source import Source
from ledger.model.party import KINDS
from ledger.model.text import show

_KINDS: Final = {"persons": "person", "organizations": "organisation"}
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "persons": ("id", "name", "other_names", "death_date", "memberships"),
    "organizations": (
        *("id", "name", "other_names", "classification", "dissolution_date", "memberships"),
        *("parent_id", "parent", "posts"),
    ),
    "memberships": (
        *("id", "person_id", "person", "organization_id", "organization", "member_id", "member"),
        *("on_behalf_of_id", "on_behalf_of", "role", "label", "post_id", "post"),
        *("legislative_period_id", "start_date", "end_date"),
    ),
}
_OF_A_NAME: Final = ("name", "lang", "start_date", "end_date")
_OWNERS: Final = {"persons": "person", "organizations": "organization", "posts": "post"}


@attrs.frozen
class PopoloMapping:
    """What the mapping file may say.

    `kinds` gives the kind of party for a `classification`; `speaks_for` lists the roles whose
    holders speak for the organisation, "*" for all. `prefixes` go in front of the ids of `persons`
    and `organizations`, where a file counts both from 1.
    """

    bounds: str = "closed"
    kinds: Mapping[str, str] = attrs.field(factory=dict)
    speaks_for: tuple[str, ...] = ()
    prefixes: Mapping[str, str] = attrs.field(factory=dict)

    @prefixes.validator
    def _of_lists(self, _: object, given: Mapping[str, str]) -> None:
        for name in given:
            if name not in _KINDS:
                raise InvalidImport(
                    f"prefixes.{name} is of no list: write persons or organizations",
                    field="prefixes",
                    given=name,
                )


def read(source: Source, options: Options) -> Items:
    """The items of a Popolo document: a collection, a list of one kind, or one object."""
    with told_of(source.name):
        mapping = mapped(PopoloMapping, options.mapping)
    reader = _Reader(mapping, options.bounds or mapping.bounds)
    try:
        collection = is_collection(source)
    except InvalidImport as error:
        yield refused(Line(number=0, raw=b"", at=source.name), error)
        return
    for one in faults(records(source, collection=collection)):
        if isinstance(one, Element):
            reader.note(one)
        else:
            yield refused(Line(number=0, raw=b"", at=source.name), one)
            return
    for section in (one for one in (*SECTIONS, "") if one in reader.sections):
        for element in records(source, collection=collection):
            if reader.section_of(element) == section:
                yield from reader.items(section, element)
            elif section == "memberships":
                yield from reader.inside(element)
        if section == "organizations":
            yield from reader.parents()
        yield from reader.merges()


class _Reader:
    """What one document says, beside what each of its records does."""

    def __init__(self, mapping: PopoloMapping, bounds: str) -> None:
        self._mapping = mapping
        self._bounds = bounds
        self._terms: dict[str, Object] = {}
        self._posts: dict[str, Object] = {}
        self._ends: dict[str, str] = {}
        self._parents: list[tuple[Line, str, str]] = []
        self._redirects: dict[str, str] = {}
        self._merges: list[Item] = []
        self._ids = Ids(mapping.prefixes)
        self._left_out: set[str] = set()
        self._nesting = False
        self.sections: set[str] = set()

    def section_of(self, element: Element) -> str:
        """The kind of an element, of those that give records."""
        kind = _kind(element)
        return kind if kind in SECTIONS else ""

    def note(self, element: Element) -> None:
        """Keep what memberships ask of other records: terms, posts, and days of death."""
        self.sections.add(self.section_of(element))
        value = object_of(element)
        if isinstance(value, Item):
            return
        for _, held, owner in holders((), value, _OWNERS.get(_kind(element), "")):
            if held.get("memberships"):
                self.sections.add("memberships")
                self._nesting = True
            if owner == "post" and (named := counted(held.get("id"))):
                self._posts[str(named)] = held
        id_ = counted(value.get("id"))
        if not isinstance(id_, str) or not id_:  # it is refused where it is read
            return
        section = _kind(element)
        if section == "events":
            self._terms[id_] = value
        if section in _KINDS:
            self._ids.note(section, id_, str(name_of(value)))
            if value.get("redirect"):
                target = self._ids.called(section, str(value["redirect"]))
                self._redirects[self._ids.called(section, id_)] = target
            end = value.get("death_date") or value.get("dissolution_date")
            if isinstance(end, str):
                self._ends[self._ids.called(section, id_)] = end

    def items(self, section: str, element: Element) -> Iterator[Item]:
        """One record of the document, and those of its names that cannot be."""
        item, wrong = self._item(section, element)
        yield item
        yield from wrong

    def _item(self, section: str, element: Element) -> tuple[Item, Sequence[Item]]:
        if not section:
            return self._left_aside(element), ()
        value = object_of(element)
        if isinstance(value, Item):
            return value, ()
        if section == "memberships":
            if value.keys() <= {"id", "redirect"} and "redirect" in value:
                return skipped(element.line, "it only points to another membership"), ()
            return self._seat(element.line, value), ()
        try:
            party = self._party(section, element.line, value)
        except InvalidImport as error:
            return refused(element.line, error, value), ()
        if value.get("redirect"):
            return self._redirected(element.line, party, value), ()
        names, wrong = self._names(element, party["id"], value.get("other_names"))
        item = made(element.line, [party, *names], value, remarks=self._remarks(section, value))
        return with_names_of_now(item), wrong

    def _left_aside(self, element: Element) -> Item:
        """A record of a list that gives none; what list is not known is told once."""
        kind = _kind(element)
        lent = "lend their dates and roles to memberships" if kind in ("events", "posts") else ""
        item = skipped(element.line, f"{kind} {lent or 'have no place in the ledger'}")
        known = kind in OTHERS or not isinstance(element.path[-1], int) or kind in self._left_out
        if known or item.outcome is None:
            return item
        self._left_out.add(kind)
        return attrs.evolve(item, outcome=attrs.evolve(item.outcome, warnings=(not_read(kind),)))

    def inside(self, element: Element) -> Iterator[Item]:
        """The memberships that stand inside a person, an organisation or a post."""
        owner = _OWNERS.get(_kind(element), "") if self._nesting else ""
        value = object_of(element) if owner else {}
        if isinstance(value, Item):
            return
        for path, holder, whose in holders(element.path, value, owner):
            given = holder.get("memberships")
            for place, one in enumerate(given if isinstance(given, list) else ()):
                line = attrs.evolve(element.line, at=written((*path, "memberships", place)))
                if isinstance(one, dict):
                    own: Object = {} if id_in(one, whose) else {f"{whose}_id": holder.get("id")}
                    own |= {"post": holder} if whose == "post" else {}
                    yield self._seat(line, {**one, **own})
                else:
                    wrong = InvalidImport(f"an object should stand here, got {kind_of(one)}.")
                    yield refused(line, wrong, one)

    def parents(self) -> Iterator[Item]:
        """The organisations that are part of others, once all are registered."""
        for line, member, parent in self._parents:
            at = attrs.evolve(line, at=f"{line.at}.parent_id")
            edge = {"type": "membership", "member": member, "organisation": parent}
            yield made(at, [{**edge, **self._dates(None, self._over(member, parent))}])

    def merges(self) -> Iterator[Item]:
        """Who was found to be another, once all of a list are registered."""
        yield from self._merges
        self._merges.clear()

    def _redirected(self, line: Line, party: Object, value: Object) -> Item:
        """A record that only points to another one: both always were one party."""
        at = attrs.evolve(line, at=f"{line.at}.redirect")
        into = self._redirects.get(str(party["id"]))
        merge = {"type": "merge", "into": into, "from": party["id"], "reason": "redirect"}
        item = made(at, [merge], value)
        merged = tuple(unless_one_already(one, self._led) for one in item.records)
        self._merges.append(attrs.evolve(item, records=merged))
        return made(line, [], value, passing=[{**party, "name": party["name"] or party["id"]}])

    def _party(self, section: str, line: Line, value: Object) -> Object:
        id_, parent = self._ids.party(section, counted(value.get("id"))), id_in(value, "parent")
        if section == "organizations" and parent:
            self._parents.append((line, str(id_), str(self._ids.party(section, parent))))
        told = str(value.get("classification"))
        kind = self._mapping.kinds.get(told, told if told in KINDS else _KINDS[section])
        name = name_of(value) if section == "persons" else value.get("name")
        return {"type": "party", "id": id_, "name": name, "kind": kind}

    def _names(self, element: Element, party: Any, given: Any) -> tuple[list[Object], list[Item]]:
        """The further names of a party, and the refusals of those that cannot be."""
        names: list[Object] = []
        wrong = []
        for place, told in enumerate(map(as_object, listed(given))):
            ends = self._dates(told.get("start_date"), told.get("end_date"))
            name = {"type": "name", "party": party, "name": whole(told)}
            name |= {"language": told.get("lang") or None, **ends}
            try:
                record_of({**name, "party": "any"})
            except REFUSALS as error:
                at = written((*element.path, "other_names", place))
                wrong.append(refused(attrs.evolve(element.line, at=at), error, told))
            else:
                names.append(name)
        return names, wrong

    def _dates(self, start: Any, end: Any) -> Object:
        found = {key: day_of(one) for key, one in (("from", start), ("until", end)) if one}
        return {**found, "bounds": self._bounds} if found else {}

    def _over(self, *parties: Any, told: Any = None) -> Any:
        """The first day of those told, and of the deaths and dissolutions of some parties."""
        return first_of(told, *(self._ends.get(self._led(str(one))) for one in parties))

    def _led(self, party: str) -> str:
        """The party to which its record redirects, or itself."""
        for _ in self._redirects:  # a ring comes to no end
            party = self._redirects.get(party, party)
        return party

    def _seat(self, line: Line, value: Object) -> Item:
        try:
            objects = [*self._memberships(value)]
            within = self._ids.within(value, self._post(value))
            passing = [self._party(section, line, one) for section, one in within]
        except InvalidImport as error:
            return refused(line, error, value)
        told = (*self._remarks("memberships", value), *self._missing(value))
        item = made(line, objects, value, passing=passing, remarks=told)
        return _in_its_words(self._ids.of_the_file(item, value), value)

    def _post(self, value: Object) -> Object:
        inside = value.get("post")
        found = self._posts.get(str(id_in(value, "post")))
        return found or (inside if isinstance(inside, dict) else {})

    def _memberships(self, value: Object) -> Iterator[Object]:
        post = self._post(value)
        term = self._terms.get(str(value.get("legislative_period_id")), {})
        member = self._ids.member(value)
        organisation, behalf = (
            self._ids.party("organizations", one)
            for one in (
                id_in(value, "organization") or id_in(post, "organization"),
                id_in(value, "on_behalf_of"),
            )
        )
        if not (organisation or behalf):
            raise InvalidImport(
                "field organization_id is missing. Write in what the membership is.",
                field="organization_id",
            )
        role = value.get("role") or value.get("label") or post.get("role") or post.get("label")
        start = value.get("start_date") or term.get("start_date") or post.get("start_date")
        end = value.get("end_date")
        lent = first_of(term.get("end_date"), post.get("end_date"))
        speaks = "*" in self._mapping.speaks_for or role in self._mapping.speaks_for
        for place, as_what in ((organisation, role), (behalf, None)):
            if place:
                over = self._over(member, organisation, place, told=lent)
                yield {
                    "type": "membership",
                    "member": member,
                    "organisation": place,
                    "role": as_what,
                    "speaks_for": speaks,
                    **self._dates(start, end or over),
                }

    def _missing(self, value: Object) -> Iterator[str]:
        """What a membership would have taken from a record that is not in the file."""
        term, post = value.get("legislative_period_id"), id_in(value, "post")
        if (
            term
            and str(term) not in self._terms
            and not (value.get("start_date") and value.get("end_date"))
        ):
            yield f"there is no event {show(term)}: the membership has no dates from it"
        if post and not self._post(value) and not (value.get("role") or value.get("label")):
            yield f"there is no post {show(post)}: the membership has no role from it"

    def _remarks(self, section: str, value: Object) -> Iterator[str]:
        joined = PARTS if section == "persons" and value.get("name") is None else ()
        fields = [f"{section}.{field}" for field in without(value, *_KNOWN[section], *joined)]
        names = value.get("other_names")
        for one in names if isinstance(names, list) and section != "memberships" else ():
            parts = PARTS if isinstance(one, dict) and one.get("name") is None else ()
            main = ("note",) if joined else ()
            inside = without(one, *_OF_A_NAME, *parts, *main) if isinstance(one, dict) else ()
            fields += [f"{section}.other_names.{field}" for field in inside]
        for name in fields:
            if name not in self._left_out:
                self._left_out.add(name)
                yield f"{name} has no place in the ledger and is left out, here and further down"


def _kind(element: Element) -> str:
    """In which list of a collection an element stands, or what it must be by its fields."""
    if name := listed_as(element):
        return name
    value = object_of(element)
    return "memberships" if isinstance(value, Item) else by_fields(value)


_ENDS: Final = {"from": "start_date", "until": "end_date"}


def _in_its_words(item: Item, value: Object) -> Item:
    """What is refused of a membership, by the fields of the file and not by those of a line."""
    told = item.outcome
    if told is None or told.field not in _ENDS:
        return item
    lent = [field for field in _ENDS.values() if not value.get(field)]
    reason = told.reason
    if lent and told.value != show(value.get(_ENDS[told.field])):
        reason += (
            f" The membership has no {' and no '.join(lent)} of its own: that is of its term or "
            "post, or the death or dissolution of who is in it."
        )
    told = attrs.evolve(told, field=_ENDS[told.field], reason=reason)
    return attrs.evolve(item, outcome=told)
