"""The quotations of a view as Web Annotations: one annotation for the words of each claim.

Its body is the claim (by address), the proposition in words, and tags for act, stance and the
like; its target the words in the document, each piece with a TextQuoteSelector and a
TextPositionSelector. The words that name a link's party, and its cue, are annotations as well.
Words without a document have no target and do not leave.

Follows the Web Annotation Data Model; offsets are code points, as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from ledger.interchange.out.iris import Iris
from ledger.interchange.out.leaving import Leaving, leaving
from ledger.interchange.out.streaming import filled, write_lists
from ledger.model import events as ev
from ledger.model.quotation import Quotation, context
from ledger.projections.answer import plain
from ledger.view import View

CONTEXT: Final = "http://www.w3.org/ns/anno.jsonld"
_WIDTH: Final = 32


def write(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write one AnnotationPage; gives the number of its annotations."""
    head = {"@context": CONTEXT, "id": iris.base + "annotations", "type": "AnnotationPage"}
    return write_lists(file, head, [("items", annotated(view, iris=iris))])


def annotated(view: View, *, iris: Iris) -> Iterator[dict[str, Any]]:
    """The annotations of a view, each as an object that stands by itself.

    Example:
        >>> from ledger import Ledger
        >>> from ledger.testing import lachin
        >>> with Ledger.open(":memory:") as ledger:
        ...     lachin.load(ledger)
        ...     first = next(annotated(ledger.as_of(), iris=Iris.of(None, "default")))
        >>> first["target"]["selector"][1]
        {'type': 'TextPositionSelector', 'start': 1352, 'end': 1407}
    """
    texts: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for record in leaving(view, "document", "proposition", "claim", "withdrawal"):
        match record.event:
            case ev.DocumentRegistered() as event:
                addresses[record.id] = event.url or iris("document", record.id)
            case ev.PropositionDefined() as event:
                texts[record.id] = event.text
            case (ev.ClaimRecorded() | ev.ClaimWithdrawn()) as event if event.document in addresses:
                on = event.proposition if isinstance(event, ev.ClaimRecorded) else ""
                made = _Annotated(view, record, iris, addresses[event.document])
                yield from made.all(event, texts.get(on, ""))
            case _:
                continue


class _Annotated:
    """One claim or withdrawal with all its words."""

    def __init__(self, view: View, record: Leaving, iris: Iris, source: str) -> None:
        self._view, self._record, self._iris, self._source = view, record, iris, source

    def all(self, act: ev.Act, wording: str) -> Iterator[dict[str, Any]]:
        """The annotation of the quotation, then those of the words of each link."""
        text = self._text(act.document)
        if act.quote is not None:
            bodies = [self._iris(self._record.kind, self._record.id), *_bodies(act, wording)]
            yield self._annotation("quote", "describing", bodies, act.quote, text)
        for told in act.link_words:
            party = self._iris("party", act.chains[told.chain][told.link].agent)
            at = f"{told.chain}-{told.link}"
            if told.words is not None:
                yield self._annotation(f"words-{at}", "identifying", party, told.words, text)
            if told.cue is not None:
                yield self._annotation(f"cue-{at}", "highlighting", party, told.cue, text)

    def _text(self, document: str | None) -> str:
        """The text of the document, where it was kept: for what stands beside the words."""
        with self._view.facts() as facts:
            id_ = facts.id_of("document", document or "") or document
            found = facts.get(id_, ev.DocumentRegistered)
        return (found.text or "") if found else ""

    def _annotation(
        self, part: str, motivation: str, body: object, words: Quotation, text: str
    ) -> dict[str, Any]:
        entered = self._record.entered
        targets = [{"source": self._source, "selector": one} for one in _selectors(words, text)]
        return {
            "@context": CONTEXT,
            "id": f"{self._iris('annotation', self._record.id)}/{part}",
            "type": "Annotation",
            "motivation": motivation,
            "created": plain(entered.recorded),
            "creator": {
                "id": self._iris("recorder", entered.recorder.id),
                **filled(name=entered.recorder.name),
            },
            "body": body,
            "target": targets[0] if len(targets) == 1 else targets,
        }


def _selectors(words: Quotation, text: str) -> Iterator[list[dict[str, Any]]]:
    """For each piece of a quotation, its words and its place."""
    pieces, last = words.pieces, len(words.pieces) - 1
    for index, piece in enumerate(pieces):
        before = words.prefix if index == 0 else ""
        after = words.suffix if index == last else ""
        place = words.ranges[index] if index < len(words.ranges) else None
        if place is not None and text:
            one = Quotation(exact=piece, ranges=[place])
            around = context(text, one, _WIDTH)
            before, after = before or around[0], after or around[1]
        quote = {"type": "TextQuoteSelector", "exact": piece, **filled(prefix=before, suffix=after)}
        at = [{"type": "TextPositionSelector", "start": place[0], "end": place[1]}] if place else []
        yield [quote, *at]


def _bodies(act: ev.Act, wording: str) -> Iterator[dict[str, Any]]:
    if wording:
        yield {"type": "TextualBody", "purpose": "describing", "value": wording}
    tags: dict[str, str | None] = {"mode": act.quote.mode if act.quote else None}
    if isinstance(act, ev.ClaimRecorded):
        tags |= {"act": act.act, "stance": act.stance, "factuality": act.factuality}
    for word, value in tags.items():
        if value is not None:
            yield {"type": "TextualBody", "purpose": "tagging", "value": f"{word}:{value}"}
    if act.note is not None:
        yield {"type": "TextualBody", "purpose": "commenting", "value": act.note}
