"""A plain claim from its row, with the document beside it, as far as a position needs them.

Here lives what the values of a row are; which rows there are is in `.statements`, and what is asked
in `.plain`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import attrs

from ledger.codec.peek import peek
from ledger.errors import CodecError
from ledger.model.bounds import Bounds
from ledger.narrowing.records import PAPERS, Paper, Records
from ledger.narrowing.statements import Statements
from ledger.projections.frame import Frame
from ledger.projections.plain import PlainClaim, way
from ledger.store.types import stored_instant

_CLAIM: Final = peek(
    "claim_recorded",
    *("chains", "capacity", "key", "proposition", "act", "stance", "factuality", "uttered"),
    *("expires", "utterance", "utterance_key", "document", "conditions", "quote"),
)
_DOCUMENT: Final = peek("document_registered", "key", "published")
DOCUMENT_AT: Final = 7
TOUCHED_AT: Final = 8
PROPOSITION_AT: Final = 9
"""Where in a row the document, whether anything touches the claim, and the proposition stand."""

_NO_PAPER: Final = Paper("", "", None)


Rows = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]] | None]


@attrs.define
class AskedParty:
    """A party by its shown id, in a prefix of a log, and what its claims are read with."""

    rows: Rows
    texts: Statements
    held: Records
    frame: Frame
    id: str
    basis: int


def claim_of(asked: AskedParty, row: Sequence[Any]) -> PlainClaim | None:
    """The claim of a row, with no path where it does not reach the party; None if not plain."""
    seq, id_, recorded, tail, what, who, words, document, touched, _, *beside = row
    if touched or not _CLAIM.fits(tail):
        return None
    try:
        read = _CLAIM.read(what, who, words)
        paper = _NO_PAPER if document is None else _paper(asked, document, beside)
    except CodecError:
        return None  # it is told of by whoever opens the event
    if read is None or paper is None or len(read[0]) != 1:
        return None
    (links,), capacity, key, proposition, act, stance, factuality, uttered, *rest = read
    expires, utterance, utterance_key, told_in, conditions, quote = rest
    if (told_in or "") != paper.id:
        return None
    published, frame = paper.published, asked.frame
    bounds = Bounds.of(uttered, published.latest if published else None, stored_instant(recorded))
    if bounds.empty():
        return None  # dates that contradict each other, as what was put unchecked can have
    found = way(frame, links, capacity, bounds, asked.id)
    if found is None:
        return None
    claimant, path = found
    return PlainClaim(
        id_,
        seq,
        key,
        proposition,
        act,
        stance,
        factuality,
        expires,
        utterance,
        utterance_key,
        told_in,
        conditions,
        quote,
        bounds,
        claimant,
        path,
        paper.key,
    )


def _paper(asked: AskedParty, seq: int, beside: Sequence[Any]) -> Paper | None:
    """The document of that sequence, None where it is not plain; it is as it was, once it is read.

    An erasure would change it, and nothing is kept beyond that. `beside` are its id, the end of its
    entry and its slot, where they were read with the claim.
    """
    kept = asked.held.papers
    if seq not in kept:
        if len(kept) >= PAPERS:
            kept.clear()
        if beside:
            kept[seq] = _paper_of(*beside)
        else:
            _keep_papers(asked, (seq,))
    return kept.get(seq)


def _paper_of(id_: str, tail: str | None, what: bytes | None) -> Paper | None:
    # Beside a claim there is none where the row of its document is lost.
    read = _DOCUMENT.read(what) if tail is not None and _DOCUMENT.fits(tail) else None
    return None if read is None else Paper(id_, read[0] or id_, read[1])


def keep_papers(asked: AskedParty, rows: Iterable[Sequence[Any]]) -> None:
    """Read the documents of rows that are not kept by one statement, where rows come without."""
    if asked.texts.papers:
        if len(asked.held.papers) >= PAPERS:
            asked.held.papers.clear()
        _keep_papers(asked, {row[DOCUMENT_AT] for row in rows} - {None})


def _keep_papers(asked: AskedParty, sequences: Collection[int]) -> None:
    kept = asked.held.papers
    missing = [seq for seq in sequences if seq not in kept]
    if not missing:
        return
    given = (asked.held.log_id, json.dumps(missing))
    for seq, *told in asked.rows(asked.texts.papers, given) or ():
        kept[seq] = _paper_of(*told)
