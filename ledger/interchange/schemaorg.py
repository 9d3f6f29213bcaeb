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
that id or the mapping names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from ledger.codec.canonical import jcs
from ledger.errors import InvalidImport
from ledger.interchange.elements import Element, pieces, written
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


def read(source: Source, options: Options) -> Items:
    """The items of an object, a list, a graph or a feed."""
    with told_of(source.name):
        mapping = mapped(SchemaOrgMapping, options.mapping)
    told = _referred_to(source)
    for one in faults(pieces(source, *_LISTS)):
        if isinstance(one, Element):
            for element, value in _objects(one):
                yield value if isinstance(value, Item) else _item(element, value, mapping, told)
        else:
            yield refused(Line(number=0, raw=b"", at=source.name), one)


def _objects(element: Element) -> Iterator[tuple[Element, Object | Item]]:
    """The object that an element is, or those that it is only the wrapping of."""
    value = object_of(element)
    inside = None if isinstance(value, Item) else value.get("item")
    if isinstance(inside, dict):
        yield element, inside
    elif inside and isinstance(inside, list) and all(isinstance(one, dict) for one in inside):
        for place, one in enumerate(inside):
            path = (*element.path, "item", place)
            line = attrs.evolve(element.line, at=written(path))
            yield attrs.evolve(element, path=path, line=line), one
    else:
        yield element, value


def _referred_to(source: Source) -> Mapping[str, Object]:
    """The claims of a file that reviews in it name by their ids alone."""
    wanted = {id_of(_reviewed(one)) for one in _values(source) if _by_id_alone(one)}
    if not wanted:
        return {}
    told = (one for one in _values(source) if id_of(one) in wanted and text_of(one, *_SAID))
    return {id_of(one): one for one in told if types(one) & {*_OURS} - {"ClaimReview"}}


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


def _item(
    element: Element, value: Object, mapping: SchemaOrgMapping, told: Mapping[str, Object]
) -> Item:
    maker = _Maker(mapping, told)
    if types(value) & _KINDS.keys() and id_of(value):
        maker.party(value)
        return made(element.line, [], value, passing=maker.passing)
    if "Thing" in types(value) and id_of(value) and text_of(value, "description"):
        return made(element.line, [_thing(value)], value)
    kind = next((one for one in _OURS if one in types(value)), "")
    if not kind:
        named = "/".join(sorted(types(value))) or "object without @type"
        return skipped(element.line, f"a {named} has no place in the ledger")
    try:
        objects = list(maker.review(value) if kind == "ClaimReview" else maker.claim(value))
    except InvalidImport as error:
        return refused(element.line, error, value)
    return made(element.line, objects, value, passing=maker.passing, own=maker.own)


class _Maker:
    """One object of the file: its claims, in `passing` what they name, in `own` what they say.

    `told` are the claims of the file that a review may name by their ids.
    """

    def __init__(self, mapping: SchemaOrgMapping, told: Mapping[str, Object]) -> None:
        self._mapping = mapping
        self._told = told
        self.passing: list[Object] = []
        self.own: list[Object] = []

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
            "claimant": [self.party(one) for one in who] or None,
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
        reviewed = _reviewed(value)
        reviewed = {**self._told.get(id_of(reviewed), {}), **reviewed}
        own = text_of(reviewed, *_SAID)
        judged = text_of(value, "claimReviewed") or own
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
        id_ = id_of(value) or text_of(value, "url") or f"review-{digest(kept(value))}"
        left = without(value, "@context", "@id", "@type", "itemReviewed", "author")
        yield {
            "type": "claim",
            "id": id_,
            "claimant": [self.party(one) for one in listed(value.get("author"))] or None,
            "proposition": proposition,
            "act": "assert",
            "stance": stance,
            "uttered": _said_on(text_of(value, "datePublished")),
            "extra": {"schemaorg": kept(left)} if left else {},
        }
        if relation := {"opposes": "disputes", "supports": "supports"}.get(stance):
            yield {"type": "relation", "from": id_, "relation": relation, "to": target["id"]}

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

    def party(self, who: Any) -> str:
        """The id of an author, registered in passing where its name is told."""
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
        name = text_of(given, "alternateName", "name")
        if name in self._mapping.ratings:
            return self._mapping.ratings[name]
        value, worst, best = (
            _number(given.get(key), key) for key in ("ratingValue", "worstRating", "bestRating")
        )
        if value is None or best is None:
            return "undeclared"
        worst = 1 if worst is None else worst
        if not worst < best or not worst <= value <= best:
            return "undeclared"
        return {worst: "opposes", best: "supports"}.get(value, "mixed")


def _said_on(told: str) -> str | None:
    """When something was said: of a time without a zone the day, whose hours fall anywhere."""
    found = _ZONELESS.fullmatch(told)
    return found[1] if found else told or None


def _thing(value: Object) -> Object:
    said, kind = text_of(value, "description"), text_of(value, "ledger:kind")
    return {"type": "proposition", "id": id_of(value), "text": said, "kind": kind or None}


def _number(value: Any, field: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value if isinstance(value, str) else jcs(value))
    except ValueError as error:
        raise InvalidImport(
            f"{field} must be a number, got {show(value)}.",
            field=f"reviewRating.{field}",
            given=value,
        ) from error
