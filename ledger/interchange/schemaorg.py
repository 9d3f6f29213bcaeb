"""schema.org in JSON-LD: Claim, ClaimReview, Quotation.

```
Claim         claim by its author on its text, uttered datePublished
Quotation     claim by its spokenByCharacter, creator or author, its text as the quotation
ClaimReview   the claim that is reviewed; a claim of the reviewer on the same proposition, whose
              stance is the rating; and the relation between the two
Person, Organization ..   party, where it has an id
Thing with a description  proposition, where it has an id
```

A rating at the worst end of its scale opposes, at the best end supports, between them is mixed;
without numbers the mapping's `ratings` say it, or the stance is undeclared. Appearances are
addresses, not texts: they are kept under `extra`, and as the document where one is registered under
that id or the mapping names it. So is a work that is reviewed for a claim in it: its title is not
what was claimed. Reviews of several claims may stand on one page, and have its address in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from ledger.codec.canonical import jcs
from ledger.errors import InvalidImport
from ledger.interchange.elements import Element, Path, pieces, written
from ledger.interchange.foreign import (
    Object,
    digest,
    faults,
    id_of,
    kept,
    listed,
    object_of,
    slug,
    text_of,
    types,
    without,
)
from ledger.interchange.items import Item, Items, Options, made, refused, skipped, told_of
from ledger.interchange.lines import Line
from ledger.interchange.mapping import mapped
from ledger.interchange.source import Source
from ledger.model.text import show

_LISTS: Final = (("@graph",), ("itemListElement",), ("dataFeedElement",))
_WRAPPING: Final = ("item", *(name for (name,) in _LISTS))
_OURS: Final = ("Claim", "ClaimReview", "Quotation")
_KINDS: Final[Mapping[str, str]] = {
    "Person": "person",
    "Organization": "organisation",
    "Country": "state",
    "GovernmentOrganization": "body",
    "NewsMediaOrganization": "publisher",
}
_TERMS: Final = ("act", "stance", "factuality", "capacity", "uttered", "about", "expires")
"""Fields that schema.org has no word for, under the ledger's own."""

_SAID: Final = ("text", "name", "headline", "description")
_WHO: Final = ("spokenByCharacter", "author", "creator")
_ZONELESS: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?")
_OFFSET: Final = re.compile(r"(?<=:\d\d)([+-]\d\d)(\d\d)\Z")
"""The offset of a time as ISO 8601 has it, too, without its colon."""


@attrs.frozen
class SchemaOrgMapping:
    """What the mapping file may say.

    `parties` and `documents` give ids for the ids or names that the file uses; `ratings` the
    stance of the reviewer for a rating's `alternateName`.
    """

    parties: Mapping[str, str] = attrs.field(factory=dict)
    documents: Mapping[str, str] = attrs.field(factory=dict)
    ratings: Mapping[str, str] = attrs.field(factory=dict)
    act: str = "assert"


@attrs.frozen
class _File:
    """What the objects of a file ask of the others.

    `claims` are those that reviews name by their ids, `parties` whoever has an id and a name. As
    they are met, `pages` keep what each reviews first, and `ratings` those of which it was told
    that they say no side.
    """

    mapping: SchemaOrgMapping
    claims: Mapping[str, Object]
    parties: Mapping[str, Object]
    pages: dict[str, str] = attrs.field(factory=dict)
    ratings: set[str] = attrs.field(factory=set)


def read(source: Source, options: Options) -> Items:
    """The items of an object, a list, a graph or a feed."""
    with told_of(source.name):
        mapping = mapped(SchemaOrgMapping, options.mapping)
    file = _File(mapping, *_referred_to(source))
    for one in faults(pieces(source, *_LISTS)):
        if isinstance(one, Element):
            for element, value in _objects(one):
                yield value if isinstance(value, Item) else _item(element, value, file)
        else:
            yield refused(Line(number=0, raw=b"", at=source.name), one)


def _objects(element: Element) -> Iterator[tuple[Element, Object | Item]]:
    """The object that an element is, or those that it is only the wrapping of."""
    value = object_of(element)
    if isinstance(value, Item):
        yield element, value
        return
    for path, one in _unwrapped(element.path, value):
        line = attrs.evolve(element.line, at=written(path) if path else element.line.at)
        yield attrs.evolve(element, path=path, line=line), one


def _unwrapped(path: Path, value: Object) -> Iterator[tuple[Path, Object]]:
    """An object with its path, or what it wraps: pages and feeds may stand in a list."""
    for key in () if types(value) & {*_OURS} else _WRAPPING:
        inside = value.get(key)
        if isinstance(inside, dict):
            yield from _unwrapped(path, inside)
            return
        if inside and isinstance(inside, list) and all(isinstance(one, dict) for one in inside):
            for place, one in enumerate(inside):
                yield from _unwrapped((*path, key, place), one)
            return
    yield path, value


def _referred_to(source: Source) -> tuple[Mapping[str, Object], Mapping[str, Object]]:
    """The claims of a file that reviews in it name by their ids alone, and its parties."""
    wanted: set[str] = set()
    parties: dict[str, Object] = {}
    for one in _values(source):
        if _by_id_alone(one):
            wanted.add(id_of(_reviewed(one)))
        if types(one) & _KINDS.keys() and id_of(one) and text_of(one, "name"):
            parties.setdefault(id_of(one), one)
    if not wanted:
        return {}, parties
    told = (one for one in _values(source) if id_of(one) in wanted and text_of(one, *_SAID))
    claims = {id_of(one): one for one in told if types(one) & {*_OURS} - {"ClaimReview"}}
    return claims, parties


def _values(source: Source) -> Iterator[Object]:
    for one in faults(pieces(source, *_LISTS)):
        for _, value in _objects(one) if isinstance(one, Element) else ():
            if not isinstance(value, Item):
                yield value


def _reviewed(value: Object) -> Object:
    """What a review is of, where that is told as an object."""
    return next((one for one in listed(value.get("itemReviewed")) if isinstance(one, dict)), {})


def _by_id_alone(value: Object) -> bool:
    reviewed = _reviewed(value)
    return bool("ClaimReview" in types(value) and id_of(reviewed)) and not text_of(reviewed, *_SAID)


def _item(element: Element, value: Object, file: _File) -> Item:
    maker = _Maker(file)
    if types(value) & _KINDS.keys() and id_of(value):
        maker.party(value)
        return made(element.line, [], value, passing=maker.passing)
    if "Thing" in types(value) and id_of(value) and text_of(value, "description"):
        return made(element.line, [_thing(value)], value)
    kind = next((one for one in _OURS if one in types(value)), "")
    if not kind:
        named = "/".join(sorted(types(value)))
        what = f"a {named}" if named else "an object without @type"
        return skipped(element.line, f"{what} has no place in the ledger")
    try:
        objects = list(maker.review(value) if kind == "ClaimReview" else maker.claim(value))
    except InvalidImport as error:
        return refused(element.line, error, value)
    passing, own, remarks = maker.passing, maker.own, maker.remarks
    return made(element.line, objects, value, passing=passing, own=own, remarks=remarks)


class _Maker:
    """One object of the file: its claims, in `passing` what they name, in `own` what they say."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._mapping = file.mapping
        self.passing: list[Object] = []
        self.own: list[Object] = []
        self.remarks: list[str] = []

    def claim(self, value: Object, said: str = "", *, by_words: bool = False) -> Iterator[Object]:
        """A Claim or a Quotation; `by_words` says that its id tells of no words."""
        quotation = "Quotation" in types(value)
        said = said or text_of(value, *_SAID)
        if not said and not id_of(value.get("about")):
            raise InvalidImport("field text is missing. Write what is claimed.", field="text")
        who = next((found for key in _WHO if (found := listed(value.get(key)))), listed(None))
        places = [*listed(value.get("appearance")), *listed(value.get("firstAppearance"))]
        places += [*listed(value.get("isPartOf")), *listed(value.get("citation"))]
        documents = (self._document(one) for one in places)
        id_ = id_of(value) or f"claim-{digest(kept(value))}"
        left = without(value, "@context", "@id", "@type", "text", *_WHO)
        if not _ZONELESS.fullmatch(text_of(value, "datePublished")):  # its hours are told here
            left.pop("datePublished", None)
        told = {word: value[f"ledger:{word}"] for word in _TERMS if f"ledger:{word}" in value}
        part = value.get("hasPart") if "Quotation" in types(value.get("hasPart")) else None
        yield {
            "type": "claim",
            "id": id_,
            "claimant": self._parties(who),
            "proposition": self._proposition(value, said, "" if by_words else id_),
            "act": self._mapping.act,
            "uttered": _said_on(text_of(value, "datePublished", "dateCreated")),
            "document": next((one for one in documents if one), None),
            "quote": text_of(value, "text") if quotation else text_of(part, "text") or None,
            "language": text_of(value, "inLanguage") or None,
            "extra": {"schemaorg": kept(left)} if left else {},
            **told,
        }

    def review(self, value: Object) -> Iterator[Object]:
        """A ClaimReview: what was claimed, what the reviewer says of it, how the two relate.

        A reviewer judges the claim in words of its own: where the claim has others, or another
        reviewer had others, they are a proposition by themselves.
        """
        many = len(listed(value.get("itemReviewed")))
        if many > 1:
            raise InvalidImport(
                f"itemReviewed holds {many} claims, and a rating is of one. Write a ClaimReview "
                "for each of them.",
                field="itemReviewed",
            )
        reviewed, judged = _reviewed(value), text_of(value, "claimReviewed")
        told = self._file.claims.get(id_of(reviewed), {})
        reviewed = {**told, **reviewed} if told or not judged else _claim_in(reviewed)
        own = text_of(reviewed, *_SAID)
        judged = judged or own
        (target,) = self.claim({"@type": "Claim", **reviewed}, own or judged, by_words=not own)
        proposition = target["proposition"]
        if not id_of(reviewed):
            target["id"] = f"claim-{digest([kept(reviewed), judged])}"
        if own and judged != own and not id_of(reviewed.get("about")):
            proposition = self._proposition({}, judged, "")
        if own or not id_of(reviewed):
            yield target
        else:  # who reviews it in other words speaks of the same claim
            self.passing += [*self.own, target]
            self.own.clear()
        stance = self._stance(value.get("reviewRating"))
        address = self._address(text_of(value, "url"), [judged, kept(reviewed.get("author"))])
        id_ = id_of(value) or address or f"review-{digest(kept(value))}"
        left = without(value, "@context", "@id", "@type", "itemReviewed", "author")
        yield {
            "type": "claim",
            "id": id_,
            "claimant": self._parties(listed(value.get("author"))),
            "proposition": proposition,
            "act": "assert",
            "stance": stance,
            "uttered": _said_on(text_of(value, "datePublished")),
            "extra": {"schemaorg": kept(left)} if left else {},
        }
        if relation := {"opposes": "disputes", "supports": "supports"}.get(stance):
            yield {"type": "relation", "from": id_, "relation": relation, "to": target["id"]}

    def _address(self, page: str, claim: object) -> str:
        """The id of a review on a page: of the first claim that is reviewed there its address."""
        told = digest(claim)
        first = not page or self._file.pages.setdefault(page, told) == told
        return page if first else f"{page}#{told}"

    def _proposition(self, value: Object, said: str, id_: str) -> str:
        about = id_of(value.get("about"))
        named = id_ and id_of(value)
        key = about or (f"{id_}#proposition" if named else f"words-{digest(said)}")
        if said:
            # What a claim is about has words of its own, and each claim on it others.
            (self.passing if about else self.own).append(
                {"type": "proposition", "id": key, "text": said}
            )
        return key

    def _parties(self, who: list[Any]) -> list[str] | None:
        """Those of some authors who are named; None where none is."""
        return [id_ for id_ in map(self.party, who) if id_] or None

    def party(self, who: Any) -> str:
        """The id of an author, registered in passing where its name is told, there or elsewhere."""
        if not text_of(who, "name"):
            who = self._file.parties.get(id_of(who), who)
        name = who if isinstance(who, str) else text_of(who, "name")
        id_ = "" if isinstance(who, str) else id_of(who) or text_of(who, "sameAs", "url")
        known = self._mapping.parties.get(id_) or self._mapping.parties.get(name)
        if known or not (name or id_):
            return known or ""
        kind = next((_KINDS[one] for one in sorted(types(who)) if one in _KINDS), "organisation")
        kind = text_of(who, "ledger:kind") or kind
        id_ = id_ or slug(name)
        if name or "://" in id_:
            self.passing.append({"type": "party", "id": id_, "name": name or id_, "kind": kind})
        return id_

    def _document(self, place: Any) -> str:
        address = id_of(place) or text_of(place, "url")
        return self._mapping.documents.get(address, "")

    def _stance(self, rating: Any) -> str:
        ratings = [one for one in listed(rating) if isinstance(one, dict)]
        given: Object = ratings[0] if ratings else {}
        name = text_of(given, "alternateName", "name", "ratingValue")
        if name in self._mapping.ratings:
            return self._mapping.ratings[name]
        stance = _on_its_scale(given)
        if stance == "undeclared" and name and name not in self._file.ratings:
            self._file.ratings.add(name)
            self.remarks.append(
                f"the rating {show(name)} tells no side. If it does, name it in the mapping: "
                f'[ratings] with {jcs(name).decode()} = "opposes", here and further down'
            )
        return stance


def _said_on(told: str) -> str | None:
    """When something was said: of a time without a zone the day, whose hours fall anywhere.

    Example:
        >>> _said_on("2024-03-11T09:00"), _said_on("2024-03-11T09:00:00+0100")
        ('2024-03-11', '2024-03-11T09:00:00+01:00')
    """
    found = _ZONELESS.fullmatch(told)
    return found[1] if found else _OFFSET.sub(r"\1:\2", told) or None


def _thing(value: Object) -> Object:
    said, kind = text_of(value, "description"), text_of(value, "ledger:kind")
    return {"type": "proposition", "id": id_of(value), "text": said, "kind": kind or None}


def _claim_in(reviewed: Object) -> Object:
    """A claim that is reviewed, or the one in a work that is: who made it, when, and where."""
    if not types(reviewed) or types(reviewed) & {*_OURS}:
        return reviewed
    appearance = [without(reviewed, "appearance"), *listed(reviewed.get("appearance"))]
    said = (*_WHO, "datePublished", "dateCreated", "inLanguage", "about")
    return {key: reviewed[key] for key in said if key in reviewed} | {"appearance": appearance}


def _on_its_scale(rating: Object) -> str:
    """The stance of a rating by its numbers; undeclared where they are none, or no scale."""
    value, worst, best = (
        _number(rating.get(key)) for key in ("ratingValue", "worstRating", "bestRating")
    )
    if value is None or best is None:
        return "undeclared"
    worst = 1 if worst is None else worst
    if not worst < best or not worst <= value <= best:
        return "undeclared"
    return {worst: "opposes", best: "supports"}.get(value, "mixed")


def _number(value: Any) -> float | None:
    """A number, or one that is written as text; None of a word, as many a rating is."""
    try:
        return float(value if isinstance(value, str) else jcs(value))
    except ValueError:
        return None
