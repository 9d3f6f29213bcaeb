"""brat stand-off: attributions as corpora mark them, with source, cue and content.

```
name.txt                              document; its id is the file's name without .txt
E  Attribution:T4 Source:T1 Cue:T2 Content:T3
                                      claim: chain from its sources, outermost first (Source,
                                      Source2), each with its cue, quotation from its content
N  Reference T1 Party:az              who a source is; a content's is the proposition
A  Edge T1 reports, Role T1 ..        kind and role of a source's link
A  Act E1 assert, Uttered E1 ..       any field of a claim
#  AnnotatorNotes E1 ..               note, or further fields as a JSON object
R  paraphrases Arg1:E1 Arg2:E2        relation
```

A source that nothing names is a party of its own in that document, to be merged once it is known.
Follows PARC3 and PolNeAR; offsets are code points, as brat counts them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from ledger.codec.canonical import parse
from ledger.errors import CodecError, InvalidDocument, InvalidImport
from ledger.interchange.foreign import Object, slug
from ledger.interchange.items import Item, Items, Options, made, refused, skipped, told_of, where
from ledger.interchange.lines import Line, lines
from ledger.interchange.mapping import mapped
from ledger.interchange.shapes import FORMS
from ledger.interchange.source import Source
from ledger.interchange.standoff import (
    Event,
    Span,
    as_refusal,
    event_of,
    joined,
    no_annotation,
    not_there,
    once,
    path_of_text,
    read_text,
    span_of,
)
from ledger.model import events as ev
from ledger.model.claim import RELATIONS
from ledger.model.text import show
from ledger.recording.intake import Intake

_FIELDS: Final = frozenset(FORMS["claim"].fields)
_OF_WORDS: Final = ("Edge", "Role")
"""The attributes that words have; all others are of attributions."""


@attrs.frozen
class BratMapping:
    """What the mapping file may say.

    `document` holds fields for every document, `documents` those of one, by its file's name
    without .txt (with its folders, where two have one name); both in the words of JSON Lines.
    `attributions` are the types of the events, `source`, `cue` and `content` their roles. `parties`
    and `propositions` give ids for the words of sources and contents. With `nested`, an attribution
    inside the content of another has its chain behind that one's. `texts` is the folder of the
    texts, seen from that of the annotations, where they do not stand beside them.
    """

    document: Mapping[str, Any] = attrs.field(factory=dict)
    documents: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    attributions: tuple[str, ...] = ("Attribution", "Attribution-no-source")
    source: str = "Source"
    cue: str = "Cue"
    content: str = "Content"
    parties: Mapping[str, str] = attrs.field(factory=dict)
    propositions: Mapping[str, str] = attrs.field(factory=dict)
    act: str = "assert"
    nested: bool = False
    texts: str = ""


def read(source: Source, options: Options) -> Items:
    """The items of one .ann file, or of all in a folder and the folders in it."""
    with told_of(source.name):
        mapping = mapped(BratMapping, options.mapping)
    folder = source.path.is_dir()
    files = sorted(source.path.rglob("*.ann")) if folder else [source.path]
    if not files:
        raise InvalidImport(
            f"{show(source.name, 200)} holds no file that ends in .ann, and a folder is read for "
            "those. Give another file or folder.",
            field="file",
            given=source.name,
        )
    for path in files:
        name = path.relative_to(source.path).as_posix() if folder else ""
        reader = _Reader(mapping, path, name)
        yield from reader.items(Source(path) if folder else source)


class _Reader:
    """One document and its annotations."""

    def __init__(self, mapping: BratMapping, annotations: Path, name: str) -> None:
        self._mapping = mapping
        self._stem = annotations.stem
        self._path = path = path_of_text(annotations, mapping.texts)
        self._placed = name.removesuffix(".ann")
        self._inside = f"{name}: " if name else ""
        self._text = ""
        self._digest = ""
        self._document = path.stem
        self._there: set[str] = set()
        self._refused: set[str] = set()
        self._about: list[tuple[Line, str, str, bool]] = []
        self._spans: dict[str, Span] = {}
        self._events: dict[str, Event] = {}
        self._related: list[tuple[Line, str, str, str]] = []
        self._attributes: dict[str, dict[str, Any]] = {}
        self._references: dict[str, str] = {}
        self._notes: dict[str, list[str]] = {}

    def items(self, source: Source) -> Items:
        """The document, then what was wrong with lines, then attributions and relations."""
        document = Line(number=0, raw=b"", at=f"{self._inside}{self._path.name}")
        try:
            self._text = read_text(self._path)
            self._digest = hashlib.sha256(self._text.encode()).hexdigest()
            told = {**self._mapping.document, **self._told_of_document()}
            self._document = str(told.get("id", self._path.stem))
        except InvalidImport as error:
            yield refused(document, error)
            return
        known = {"type": "document", "id": self._document, "text": self._text}
        if "publisher" in told:
            yield made(document, [{**known, **told}])
        else:
            yield skipped(document, "the mapping names no publisher: it must be registered already")
        with source.opened() as file:
            for line in lines(file):
                placed = attrs.evolve(line, at=f"{self._inside}line {line.number}")
                if not line.blank and (item := self._take(placed)) is not None:
                    yield item
        for line, id_, target, of_words in self._about:
            if target not in self._there:
                yield refused(line, self._not_there(id_, target))
            elif target not in self._events and not (of_words and target in self._spans):
                yield skipped(line, f"{id_} has no place in the ledger: {target} is no attribution")
        for event in self._events.values():
            yield self._claim(event)
        for line, relation, one, other in self._related:
            yield self._relation(line, relation, one, other)

    def _told_of_document(self) -> Mapping[str, Any]:
        """What the mapping says of this one, by its folders and name, or by its name alone."""
        documents = self._mapping.documents
        return documents.get(self._placed, documents.get(self._path.stem, {}))

    # -- reading ----------------------------------------------------------------------------

    def _take(self, line: Line) -> Item | None:
        """Understand one line; the item of one that says nothing of use, or that is none."""
        id_ = ""
        try:
            id_, _, rest = line.text().rstrip("\r\n").partition("\t")
            line = attrs.evolve(line, at=f"{self._inside}{id_[:20]}")
            if id_[:1] in ("T", "E"):
                self._first(id_)
            match id_[:1]:
                case "T":
                    self._spans[id_] = span_of(id_, rest, self._text)
                case "E":
                    self._events[id_] = event_of(id_, rest, line)
                case "A" | "M":
                    name, target, *value = rest.split(" ", 2)
                    told = self._attributes.setdefault(target, {})
                    once(told, name, value[0] if value else True, at=id_)
                    self._about.append((line, id_, target, name in _OF_WORDS))
                case "N":
                    _, target, reference = rest.partition("\t")[0].split(" ", 2)
                    named = reference.partition(":")[2] or reference
                    once(self._references, target, named, at=id_)
                    self._about.append((line, id_, target, True))
                case "#":
                    head, _, note = rest.partition("\t")
                    target = head.split(" ")[-1]
                    self._about.append((line, id_, target, False))
                    self._notes.setdefault(target, []).append(note)
                case "R":
                    kind, one, other = rest.rstrip("\t").split(" ")
                    self._related.append(
                        (line, kind, one.partition(":")[2], other.partition(":")[2])
                    )
                case "*":
                    return skipped(line, "an equivalence has no place in the ledger")
                case _:
                    return refused(line, no_annotation(id_, line))
        except (InvalidImport, ValueError) as error:
            self._refused.add(id_)
            return refused(line, as_refusal(error, line))
        self._there.add(id_)
        return None

    def _first(self, id_: str) -> None:
        if id_ in self._there:
            raise InvalidImport(
                f"{id_} stands twice in the file. Give one of the two another id.", given=id_
            )

    def _not_there(self, at: str, id_: str) -> InvalidImport:
        """The refusal of what names an annotation that is not there, or not of use."""
        if id_ in self._there:
            return not_there(at, id_, "marks no words. Name one that does, such as T1.")
        if id_ in self._refused:
            return not_there(at, id_, "was refused. Mend it first.")
        return not_there(at, id_, "is not there. Write it, or name another.")

    # -- making -----------------------------------------------------------------------------

    def _claim(self, event: Event) -> Item:
        if event.type not in self._mapping.attributions:
            return skipped(event.line, f"{event.type} is no attribution by the mapping")
        passing: list[Object] = []
        own: list[Object] = []
        try:
            contents = self._contents(event)
            quote = joined(contents)
            claim = {
                "type": "claim",
                "id": self._id_of(event.id),
                "chain": self._chain(event, passing) or None,
                "proposition": self._proposition(event, contents, own),
                "act": self._mapping.act,
                "document": self._document,
                "quote": quote,
                **self._told(event.id),
            }
        except (InvalidImport, CodecError) as error:
            return refused(event.line, error)
        if mode := claim.pop("mode", None):
            quote["mode"] = mode
        return self._of_this_text(made(event.line, [claim], passing=passing, own=own))

    def _of_this_text(self, item: Item) -> Item:
        """The item, refused where the ledger has another text under the document's id."""

        def check(intake: Intake) -> None:
            id_ = intake.find("document", self._document)
            held = intake.get(id_, ev.DocumentRegistered)
            same = held is None or held.sha256 == self._digest
            if not same and not (held and held.text and _alike(held.text, self._text)):
                raise InvalidDocument(
                    f"the document {show(self._document)} is in the ledger with another text than "
                    f"{show(self._path.name)}, of which this is an annotation. Give this text an "
                    "id of its own: id, under documents in the mapping.",
                    field="document",
                    given=self._document,
                )

        return where(item, check)

    def _id_of(self, event: str) -> str:
        told = self._attributes.get(event, {})
        return str(self._references.get(event) or told.get("Id") or self._made_id(event))

    def _made_id(self, event: str) -> str:
        own = self._document if self._stem == self._path.stem else self._stem
        return f"{own}-{event}"

    def _of(self, event: Event, role: str) -> dict[int, Span]:
        """The spans in a role, in the order of their numbers."""
        found = {}
        for number, id_ in sorted(event.roles.get(role, {}).items()):
            if id_ not in self._spans:
                raise self._not_there(event.id, id_)
            found[number] = self._spans[id_]
        return found

    def _contents(self, event: Event) -> list[Span]:
        found = self._of(event, self._mapping.content)
        if not found:
            raise InvalidImport(
                f"{event.id} has no {self._mapping.content}. Mark what is attributed.",
                field=event.id,
            )
        return list(found.values())

    def _chain(self, event: Event, passing: list[Object]) -> list[Object]:
        outer = self._around(event) if self._mapping.nested else None
        links = [] if outer is None else self._chain(outer, passing)
        sources, cues = self._of(event, self._mapping.source), self._of(event, self._mapping.cue)
        for number, source in sources.items():
            told = self._attributes.get(source.id, {})
            cue = cues.get(number)
            links.append(
                {
                    "agent": self._party(source, passing),
                    "edge": told.get("Edge", "says"),
                    "role": told.get("Role"),
                    "words": source.quote(),
                    "cue": None if cue is None else cue.quote(),
                }
            )
        return links

    def _around(self, event: Event) -> Event | None:
        """The attribution whose content holds this one's, the narrowest of several."""
        own = self._extent(event)
        around = [
            (self._extent(other), other)
            for other in self._events.values()
            if other.id != event.id
            and other.type in self._mapping.attributions
            and self._mapping.content in other.roles
        ]
        wider = [
            (end - start, other)
            for (start, end), other in around
            if start <= own[0] and own[1] <= end and (start, end) != own
        ]
        return min(wider, key=lambda one: one[0])[1] if wider else None

    def _extent(self, event: Event) -> tuple[int, int]:
        ranges = [one for span in self._contents(event) for one in span.ranges]
        return ranges[0][0], ranges[-1][1]

    def _party(self, source: Span, passing: list[Object]) -> str:
        known = self._references.get(source.id) or self._mapping.parties.get(source.exact)
        if known:
            return known
        id_ = f"{self._document}:{slug(source.exact)}"
        name = " ".join(source.exact.split())
        passing.append({"type": "party", "id": id_, "name": name, "kind": "unnamed_group"})
        return id_

    def _proposition(self, event: Event, contents: list[Span], own: list[Object]) -> str:
        whole = joined(contents)["exact"]
        references = [self._references.get(one.id) for one in contents]
        referred = {one for one in references if one}
        known = referred or {one for one in [self._mapping.propositions.get(whole)] if one}
        told = self._told(event.id)
        if "proposition" in told:
            return str(told["proposition"])
        if len(known) > 1:
            raise InvalidImport(
                f"the contents of {event.id} are referred to {len(known)} propositions, "
                f"{' and '.join(sorted(map(str, known)))}. One claim has one: give it its own.",
                given=event.id,
            )
        if known:
            return str(known.pop())
        id_ = self._made_id(event.id)
        own.append({"type": "proposition", "id": id_, "text": whole})
        return id_

    def _told(self, event: str) -> Object:
        """The fields of a claim that attributes and notes of its event give."""
        found: Object = {}
        for name, value in self._attributes.get(event, {}).items():
            key = name[:1].lower() + name[1:]
            if key != "id":
                found[key if key in _FIELDS or key == "mode" else name] = value
        notes = []
        for note in self._notes.get(event, ()):
            told = parse(note) if note.startswith("{") else note
            if isinstance(told, dict):
                found |= told
            else:
                notes.append(note)
        return {**found, "note": "\n".join(notes)} if notes else found

    def _relation(self, line: Line, relation: str, one: str, other: str) -> Item:
        ends = [self._events.get(id_) for id_ in (one, other)]
        if any(end is None or end.type not in self._mapping.attributions for end in ends):
            return skipped(line, f"{relation} does not join two attributions")
        known = relation if relation in RELATIONS or ":" in relation else f"x-brat:{relation}"
        edge = {"from": self._id_of(one), "relation": known, "to": self._id_of(other)}
        return self._of_this_text(made(line, [{"type": "relation", **edge}]))


def _alike(text: str, other: str) -> bool:
    """Whether two texts differ by their line ends alone, or by a mark in front."""
    one, two = (given.removeprefix("\ufeff").replace("\r\n", "\n") for given in (text, other))
    return one == two
