"""The lists of a Popolo file, and how it is laid out.

A collection has a list of each kind of record, by its name; other files are a list of one kind, or
one object. What else stands in a collection is told by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.errors import InvalidImport
from ledger.interchange.elements import Element, Path, elements
from ledger.interchange.foreign import Object, faults, listed
from ledger.interchange.source import Source
from ledger.model.text import show

SECTIONS: Final = ("organizations", "persons", "memberships")
OTHERS: Final = ("events", "posts", "areas", "motions", "vote_events", "votes", "speeches")
_ALSO: Final = {"people": "persons", "organisations": "organizations"}
_RECORDS: Final = frozenset((*SECTIONS, *_ALSO)) - {"memberships"}
_ONE: Final = frozenset(
    (
        "id",
        "name",
        "redirect",
        "person_id",
        "person",
        "organization_id",
        "organization",
        "member_id",
    )
)
"""Some of these has an object that is a record by itself."""

_OF_WHO_IS_IN: Final = frozenset(("person_id", "person", "member_id", "member"))
_OF_A_MEMBERSHIP: Final = _OF_WHO_IS_IN | {"organization_id", "organization", "post_id"}
_OF_AN_ORGANISATION: Final = frozenset(
    ("classification", "parent_id", "parent", "founding_date", "dissolution_date", "posts")
)
_INSIDE: Final = 2
"""How deep in a collection the records of its lists stand."""


def listed_as(element: Element) -> str:
    """In which list of a collection an element stands; nothing where there is none."""
    name = str(element.path[0]) if element.path and isinstance(element.path[0], str) else ""
    return _ALSO.get(name, name)


def by_fields(value: Object) -> str:
    """In which list a record would stand, by its fields alone.

    Example:
        >>> seat = {"person_id": "ada", "role": "Mayor"}
        >>> by_fields({"id": "ada", "name": "Ada Lind"}), by_fields(seat)
        ('persons', 'memberships')
        >>> by_fields({"id": "town", "name": "Town", "memberships": [seat]})
        'organizations'
        >>> by_fields({"id": "p1", "label": "Mayor", "organization_id": "town"})
        'posts'
    """
    whose = value.keys() & _OF_WHO_IS_IN
    if "label" in value and not whose and "name" not in value:
        return "posts"
    if whose or value.keys() & _OF_A_MEMBERSHIP:
        return "memberships"
    held = [one for one in listed(value.get("memberships")) if isinstance(one, dict)]
    if value.keys() & _OF_AN_ORGANISATION or any(one.keys() & _OF_WHO_IS_IN for one in held):
        return "organizations"
    return "persons"


def holders(path: Path, value: Object, owner: str) -> Iterator[tuple[Path, Object, str]]:
    """What may hold memberships in a record, with its path: itself, and the posts inside it."""
    yield path, value, owner
    for place, post in enumerate(listed(value.get("posts")) if owner == "organization" else ()):
        if isinstance(post, dict):
            yield (*path, "posts", place), {"organization_id": value.get("id"), **post}, "post"


def is_collection(source: Source) -> bool:
    """Whether there are several records; a person with memberships inside is one.

    Raises:
        InvalidImport: there are lists, and none that is known.
    """
    seen: set[str | int] = set()
    lists: dict[str, None] = {}

    def note(path: Path) -> bool:
        seen.update(path[:1])
        inside = len(path) == _INSIDE
        if inside and isinstance(path[1], int):
            lists[str(path[0])] = None
        return inside or path[:1] == (0,)

    with source.opened() as file:
        for _ in faults(elements(file, note)):
            if seen & {*_RECORDS, 0}:
                return True
    known = bool(seen & {*SECTIONS, *OTHERS})
    if lists and not known and not seen & _ONE:
        raise InvalidImport(not_read(next(iter(lists))))
    return known and not seen & {"id", "name"}


def not_read(name: str) -> str:
    """What to say of a list that is not known."""
    return (
        f"there is no list {show(name)} in Popolo. Those that are read are persons (or people), "
        "organizations (or organisations) and memberships: write its records under one of them."
    )


def records(source: Source, *, collection: bool) -> Iterator[Element]:
    """The records of a file, one after the other."""

    def wanted(path: Path) -> bool:
        if not collection:
            return not path
        return len(path) == (1 if path and isinstance(path[0], int) else _INSIDE)

    with source.opened() as file:
        yield from elements(file, wanted)
