"""Versions of documents, and whether quotations stand in them.

A corrected article is a document of its own that revises the old one. Claims stay with the version
they were read in; whether their words still stand in a later one is computed here, never stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, Literal, get_args

import attrs

from ledger.errors import InvalidDocument, InvalidQuotation
from ledger.model import events as ev
from ledger.model.document import MAX_TEXT, digest
from ledger.model.quotation import Quotation, anchored
from ledger.model.ranges import Range
from ledger.model.reanchoring import reanchored
from ledger.model.text import check_text, show
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased, erased_of

Stands = Literal["stands", "moved", "ambiguous", "gone", "unchecked"]
STANDS: Final[tuple[Stands, ...]] = get_args(Stands)
Texts = Mapping[str, str]


@attrs.frozen(kw_only=True)
class QuoteCheck(Answer):
    """Whether the words of a claim stand in one version of its document.

    `field` says which words: `quote`, or those for a link of the chain, such as `chain[1].cue`.
    `version` is the document itself or a later version. `status` is `stands`, `moved` (only the
    offsets differ, or there were none), `ambiguous`, `gone`, or `unchecked` without a text.
    """

    claim: str
    field: str
    document: str
    version: str
    status: Stands
    words: str
    ranges: tuple[Range, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        where = ", ".join(f"{start}-{end}" for start, end in self.ranges)
        at = f" at {where}" if where and self.status in ("stands", "moved") else ""
        why = f": {self.why}" if self.why else ""
        return f"{self.claim} {self.field} {self.status} in {self.version}{at}{why}"


@attrs.frozen(kw_only=True)
class QuoteChecks(Answer):
    """The quotations of a ledger or of one document, in every version whose text is available.

    `erased` lists texts and quotations that were erased and are not checked.
    """

    rows: tuple[QuoteCheck, ...]
    erased: tuple[Erased, ...] = ()
    basis: int

    def __iter__(self) -> Iterator[QuoteCheck]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def fallen(self) -> tuple[QuoteCheck, ...]:
        """Those that do not stand any more, or at no one place."""
        return tuple(row for row in self.rows if row.status in ("gone", "ambiguous"))

    def __str__(self) -> str:
        many = Counter(row.status for row in self.rows)
        counted = ", ".join(f"{many[one]} {one}" for one in STANDS if many[one])
        listed = "1 quotation" if len(self.rows) == 1 else f"{len(self.rows)} quotations"
        head = f"{listed}: {counted}" if self.rows else "no quotations"
        rows = (row for row in self.rows if row.status != "stands")
        return "\n".join([head, *(f"  {one}" for one in (*rows, *self.erased))])


def earlier(facts: Facts, document: str) -> tuple[str, ...]:
    """The versions before a document, oldest first."""
    found: list[str] = []
    here = document
    while (event := _revision(facts, here)) is not None and event.revises not in found:
        found.append(event.revises)
        here = event.revises
    return tuple(reversed(found))


def _revision(facts: Facts, document: str) -> ev.DocumentRevised | None:
    events = (facts.get(id_, ev.DocumentRevised) for id_ in facts.indexed("revision_of", document))
    return next((event for event in events if event), None)


def later(facts: Facts, document: str) -> tuple[str, ...]:
    """The versions after a document, in recorded order; a version may have several."""
    found: dict[str, None] = {}
    queue = [document]
    while queue:
        for id_ in facts.indexed("revisions_of", queue.pop(0)):
            event = facts.get(id_, ev.DocumentRevised)
            if event is not None and event.document not in found:
                found[event.document] = None
                queue.append(event.document)
    return tuple(found)


def check_quotes(
    facts: Facts, document: str | None, texts: Texts, *, act: str | None = None
) -> QuoteChecks:
    """Every quotation of a document, or of all, against the texts kept and those given.

    `act` is the only one to look at.

    Raises:
        InvalidDocument: a text that is not that of its document.
    """
    given = {id_: _checked(facts, id_, text) for id_, text in texts.items()}
    rows: list[QuoteCheck] = []
    gone: list[str] = []
    documents = [document] if document else [id_ for id_, _ in facts.of_type(ev.DocumentRegistered)]
    for one in documents:
        versions = (one, *later(facts, one))
        kept = {id_: given.get(id_, text_of(facts, id_)) for id_ in versions}
        acts = facts.indexed("acts_in", one) if act is None else (act,)
        gone += (id_ for id_ in (*versions, *acts) if "words" in facts.erased(id_))
        for id_ in acts:
            for field, words in words_of(facts, id_):
                rows += _rows(facts, id_, field, words, kept)
    return QuoteChecks(
        rows=tuple(rows), erased=erased_of(facts, dict.fromkeys(gone)), basis=facts.size
    )


def _checked(facts: Facts, document: str, text: str) -> str:
    event = facts.get(document, ev.DocumentRegistered)
    check_text(text, field="text", limit=MAX_TEXT)
    if event is not None and digest(text) != event.sha256:
        raise InvalidDocument(
            f"The text given is not that of document {show(event.key)}: its digest is "
            f"{digest(text)}, the document has {event.sha256}.",
            field="texts",
            given=event.key,
        )
    return text


def text_of(facts: Facts, document: str | None) -> str | None:
    """The text of a document, where it is kept."""
    event = facts.get(document, ev.DocumentRegistered)
    return event.text if event else None


def words_of(facts: Facts, act: str) -> Iterator[tuple[str, Quotation]]:
    """The quotations of an act: its own, and those that name and show each link."""
    event = facts.act(act)
    if event is None:
        return
    if event.quote is not None:
        yield "quote", event.quote
    several = len(event.chains) > 1
    for one in event.link_words:
        at = f"chain[{one.chain}][{one.link}]" if several else f"chain[{one.link}]"
        for kind, quote in (("words", one.words), ("cue", one.cue)):
            if quote is not None:
                yield f"{at}.{kind}", quote


def _rows(
    facts: Facts, act: str, field: str, words: Quotation, kept: Mapping[str, str | None]
) -> Iterator[QuoteCheck]:
    document, *_ = kept
    own = kept[document]
    for version, text in kept.items():
        status, ranges, why = _standing(words, text, own, document if version == document else "")
        yield QuoteCheck(
            claim=facts.public(act),
            field=field,
            document=facts.public(document),
            version=facts.public(version),
            status=status,
            words=words.exact,
            ranges=ranges,
            why=why,
        )


def _standing(
    words: Quotation, text: str | None, own: str | None, document: str
) -> tuple[Stands, tuple[Range, ...], str]:
    """Where words stand in a text; `document` names it where the words were read in it."""
    if text is None:
        return "unchecked", words.ranges, "the text is not at hand"
    if document and words.ranges:
        try:
            return "stands", anchored(words, text, document=document).ranges, ""
        except InvalidQuotation:
            pass
    found = reanchored(words, text, before=own if not document else None)
    return found.status, found.ranges, found.why
