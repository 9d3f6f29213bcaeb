"""W3C Web Annotation: a quotation with its anchor in a document, and what was made of it.

```
target.source                  document: one registered under this id, or that the mapping names
TextQuoteSelector              quote: exact, prefix, suffix
TextPositionSelector           quote: ranges, in code points (Web Annotation Data Model, 4.2.5)
FragmentSelector char=9,16     the same (RFC 5147)
other selectors beside these   left out: each selects the same words (4.2)
body of type Claim             proposition (text), claimant (author), act, stance, uttered, language
body that is a text            the proposition; a body that is an address is the proposition's id
everything else                extra.annotation
```

A body without an author leaves the claimant unknown: what is seen is kept, and resolved later by an
amendment. Without any body the words themselves are the proposition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

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
from ledger.interchange.shapes import kind_of, text, whole
from ledger.interchange.source import Source
from ledger.model.text import show

_LISTS: Final = (("items",), ("first", "items"), ("@graph",))
_OF_LINKS: Final = ("identifying", "highlighting", "bookmarking", "linking")
_OF_WORDS: Final = {"TextQuoteSelector", "TextPositionSelector"}
_CHARACTERS: Final = re.compile(r"char=(\d{1,16}),(\d{1,16})(?:;.*)?")
"""A fragment of a plain text by RFC 5147, with what it may tell of the whole text."""

_CLAIM: Final = ("act", "stance", "factuality", "uttered", "about", "via", "on_behalf_of", "mode")


@attrs.frozen
class AnnotationMapping:
    """What the mapping file may say.

    `documents` gives the id of a document for a source, `parties` that of a party for an author's
    id or name; `act` and `proposition` stand in where a body says neither.
    """

    documents: Mapping[str, str] = attrs.field(factory=dict)
    parties: Mapping[str, str] = attrs.field(factory=dict)
    act: str = "assert"
    proposition: str = ""


def read(source: Source, options: Options) -> Items:
    """The items of an annotation, a list, a page or a collection of them."""
    with told_of(source.name):
        mapping = mapped(AnnotationMapping, options.mapping)
    for one in faults(pieces(source, *_LISTS)):
        if isinstance(one, Element):
            yield from _items(one, mapping)
        else:
            yield refused(Line(number=0, raw=b"", at=source.name), one)


def _items(element: Element, mapping: AnnotationMapping) -> Items:
    """The item of an annotation, or those of a page of them: pages may stand in a list."""
    value = object_of(element)
    if isinstance(value, Item):
        yield value
        return
    items = value.get("items") if "AnnotationPage" in types(value) else None
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        yield _item(element, value, mapping)
        return
    for place, one in enumerate(items):
        path = (*element.path, "items", place)
        line = attrs.evolve(element.line, at=written(path))
        yield _item(Element(path, line), one, mapping)


def _item(element: Element, value: Object, mapping: AnnotationMapping) -> Item:
    if types(value) and "Annotation" not in types(value):
        return skipped(element.line, f"a {'/'.join(sorted(types(value)))} is no annotation")
    motives = listed(value.get("motivation"))
    if motives and all(one in _OF_LINKS for one in motives):
        what = " and ".join(motives)
        return skipped(element.line, f"an annotation that is {what} is no claim by itself")
    if not element.path and "@context" not in value:
        bare = InvalidImport(
            'field @context is missing. Write "@context": "http://www.w3.org/ns/anno.jsonld".',
            field="@context",
        )
        return refused(element.line, bare, value)
    try:
        said, claim = _claim(value, mapping)
    except InvalidImport as error:
        return refused(element.line, error, value)
    return made(element.line, [claim], value, passing=said.parties, own=said.words)


@attrs.frozen
class _Said:
    """What a body says of a claim, the parties that it names, and the proposition in its words."""

    fields: Object
    parties: list[Object]
    words: list[Object]


def _claim(value: Object, mapping: AnnotationMapping) -> tuple[_Said, Object]:
    target = _target(value)
    quote = _pieces(target["selector"])
    source = id_of(target.get("source"))
    bodies = listed(value.get("body")) or listed(value.get("bodyValue"))
    said = _said(_main(bodies), quote, mapping)
    found = {**_tags(bodies), **said.fields}
    mode = found.pop("mode", None)
    if quote is not None and mode:
        quote = {**quote, "mode": mode}
    left = without(value, "@context", "id", "@id", "type", "@type", "target")
    claim = {
        "type": "claim",
        "id": id_of(value) or f"annotation-{digest(kept(value))}",
        "document": mapping.documents.get(source, source) or None,
        "quote": quote,
        "act": mapping.act,
        **found,
        "extra": {"annotation": kept(left)} if left else {},
    }
    return said, claim


def _main(bodies: list[Any]) -> Any:
    """The body that says what is claimed: a Claim, a description, any text, an address."""
    objects = [one for one in bodies if isinstance(one, dict)]
    claims = [one for one in objects if "Claim" in types(one)]
    told = [one for one in objects if one.get("purpose") == "describing"]
    told += [one for one in objects if one.get("purpose") != "tagging"]
    texts = [one for one in bodies if isinstance(one, str)]
    return next(iter([*claims, *told, *texts]), None)


def _tags(bodies: list[Any]) -> Object:
    """The fields of a claim that tags give, such as `act:deny`."""
    tags = (
        text_of(one, "value").partition(":")
        for one in bodies
        if isinstance(one, dict) and one.get("purpose") == "tagging"
    )
    return {word: told for word, _, told in tags if word in _CLAIM and told}


def _target(value: Object) -> Object:
    """What an annotation is of: one source, with the selectors of each of its targets."""
    targets = [_one_target(one) for one in listed(value.get("target"))]
    sources = {id_of(one.get("source")) for one in targets}
    if len(sources) != 1:
        what = f"there are {len(sources)} of them" if targets else "it is missing"
        raise InvalidImport(
            f"an annotation of words has one target: {what}. Write one annotation for each source.",
            field="target",
        )
    selectors = [one["selector"] for one in targets if one.get("selector") is not None]
    return {"source": targets[0].get("source"), "selector": selectors}


def _pieces(selectors: list[Any]) -> Object | None:
    """The quotation that the selectors of each target give, one piece from each."""
    found = [one for one in map(quoted, selectors) if one is not None]
    if len(found) < 2:  # noqa: PLR2004 - several are pieces
        return found[0] if found else None
    exact = [one["exact"] for one in found if "exact" in one]
    ranges = [pair for one in found for pair in one.get("ranges", ())]
    whole = {"exact": exact} if len(exact) == len(found) else {}
    return {**whole, "ranges": ranges} if len(ranges) == len(found) else whole


def _one_target(found: Any) -> Object:
    if isinstance(found, str):
        source, _, _ = found.partition("#")
        return {"source": source}
    if not isinstance(found, dict):
        raise InvalidImport(
            f"target must be an object or an address, got {kind_of(found)}.",
            field="target",
            given=found,
        )
    if not (id_of(found) or found.keys() & {"source", "selector"}):
        raise InvalidImport(
            "target names no document. Write source, its address, and selector, the words in it.",
            field="target",
            given=found,
        )
    return found if "source" in found else {**found, "source": id_of(found)}


def quoted(selectors: Any) -> Object | None:
    """The words and offsets that selectors give; several positions are several pieces.

    Raises:
        InvalidImport: a selector that has not its fields, or none is of a kind that finds text.

    Example:
        >>> quoted([{"type": "TextQuoteSelector", "exact": "is open"},
        ...         {"type": "TextPositionSelector", "start": 9, "end": 16}])
        {'exact': 'is open', 'ranges': [[9, 16]]}
    """
    found: Object = {}
    exact: list[str] = []
    ranges: list[list[int]] = []
    given = [_refined(_placed(one)) for one in listed(selectors)]
    for one in [one for one in given if types(one) & _OF_WORDS] or given:
        kind = next(iter(types(one)), "")
        match kind:
            case "TextQuoteSelector":
                exact.append(text(one.get("exact"), "target.selector.exact"))
                for side in ("prefix", "suffix"):
                    if one.get(side) is not None:
                        found.setdefault(side, text(one[side], f"target.selector.{side}"))
            case "TextPositionSelector":
                start, end = (
                    whole(one.get(side), f"target.selector.{side}") for side in ("start", "end")
                )
                ranges.append([start, end])
            case _:
                raise InvalidImport(
                    f"a selector of type {show(kind)} finds no words. Give a TextQuoteSelector, "
                    "a TextPositionSelector, or both.",
                    field="target.selector",
                    given=one,
                )
    if not exact:
        return {"ranges": ranges} if ranges else None
    found = {"exact": exact[0] if len(exact) == 1 else exact, **found}
    return {**found, "ranges": ranges} if ranges else found


def _placed(selector: Any) -> Any:
    """A fragment of a plain text as the position that it is, between characters."""
    if "FragmentSelector" not in types(selector):
        return selector
    found = _CHARACTERS.fullmatch(text_of(selector, "value"))
    if found is None:
        return selector
    start, end = map(int, found.groups())
    rest = without(selector, "@type")
    return {**rest, "type": "TextPositionSelector", "start": start, "end": end}


def _refined(selector: Any) -> Any:
    """A selector with the one that refines it applied: words inside words."""
    inner = selector.get("refinedBy") if isinstance(selector, dict) else None
    if inner is None:
        return selector
    if not types(selector) & _OF_WORDS and types(inner) == {"TextQuoteSelector"}:
        return inner  # the words are found without the place in the page that holds them
    outer, refined = quoted(without(selector, "refinedBy")), quoted(inner)
    words = outer.get("exact") if outer else None
    if not isinstance(words, str) or refined is None:
        raise InvalidImport(
            "only a TextQuoteSelector can be refined, by another one or a TextPositionSelector.",
            field="target.selector.refinedBy",
            given=inner,
        )
    start, end = (refined.get("ranges") or [[0, 0]])[0]
    if "ranges" not in refined:
        start = words.find(str(refined["exact"]))
        end = start + len(str(refined["exact"]))
    if not 0 <= start < end <= len(words):
        raise InvalidImport(
            f"{show(words)} does not hold what refines it. Count from its beginning.",
            field="target.selector.refinedBy",
            given=inner,
        )
    return {
        "type": "TextQuoteSelector",
        "exact": words[start:end],
        "prefix": (selector.get("prefix") or "") + words[:start],
        "suffix": words[end:] + (selector.get("suffix") or ""),
    }


def _said(body: Any, quote: Object | None, mapping: AnnotationMapping) -> _Said:
    """What a body, or else the quotation, says of the claim."""
    words = quote.get("exact", "") if quote else ""
    words = " ".join(words) if isinstance(words, list) else words
    claim = body if isinstance(body, dict) else {}
    told = body if isinstance(body, str) and "://" not in body else ""
    told = told or text_of(claim, "text", "value", "name")
    found = {key: claim[key] for key in _CLAIM if key in claim}
    id_ = body if isinstance(body, str) and "://" in body else id_of(claim.get("proposition"))
    named = id_ or mapping.proposition  # which has words of its own
    id_ = named or id_of(claim)
    if not (told or words or id_):
        raise InvalidImport(
            "neither the body nor the target says what is claimed. Give a body with text, or a "
            "TextQuoteSelector.",
            field="body",
        )
    id_ = id_ or f"words-{digest(told or words)}"
    proposition: Object = {"type": "proposition", "id": id_, "text": told or words}
    authors = listed(claim.get("author"))
    if "Claim" in types(claim):  # of any other body the creator is who annotates
        authors = authors or listed(claim.get("creator"))
    parties = [party for one in authors if (party := _party(one, mapping))["id"]]
    passing = [party for party in parties if "name" in party]
    own = [proposition] if told or words else []
    language = claim.get("inLanguage") or claim.get("language")
    found |= {"proposition": id_, "claimant": [party["id"] for party in parties] or None}
    return _Said(
        fields={**found, "language": language if isinstance(language, str) else None},
        parties=[*own, *passing] if named else passing,
        words=[] if named else own,
    )


def _party(author: Any, mapping: AnnotationMapping) -> Object:
    name, id_ = text_of(author, "name"), id_of(author)
    known = mapping.parties.get(id_) or mapping.parties.get(name)
    if known:
        return {"id": known}
    if not name:
        return {"id": id_}
    kind = "person" if "Person" in types(author) else "organisation"
    return {"type": "party", "id": id_ or slug(name), "name": name, "kind": kind}
