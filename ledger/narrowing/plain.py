"""The common case by one statement: the claims on a cell, where all of them are plain.

Here lives reading them on SQLite. What a plain claim is, and what position comes of it, is told in
`ledger.projections.plain`; whatever is not plain is left to the questions of `asked`.

```
guard    the build is still read, as far as the basis, and the log goes on from what is kept
cells    the party's and those beneath it  ->  claim, document, whether anything touches either
```
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Final, cast

import attrs
from sqlalchemy import Engine

from ledger.codec.entry import read_instant
from ledger.codec.peek import peek
from ledger.errors import CodecError
from ledger.folding import Folded
from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.narrowing.driver import Driver, driver_of
from ledger.narrowing.records import PAPERS, Paper, Records, beside, held_of
from ledger.narrowing.statements import Statements, statements
from ledger.projections.frame import Frame
from ledger.projections.plain import PlainClaim, plain_position, way
from ledger.projections.policies import Policy
from ledger.projections.rollup import beneath
from ledger.projections.standing import Position
from ledger.store import cells

_CLAIM: Final = peek(
    "claim_recorded",
    *("chains", "capacity", "key", "proposition", "act", "stance", "factuality", "uttered"),
    *("expires", "utterance", "utterance_key", "document", "conditions", "quote"),
)
_DOCUMENT: Final = peek("document_registered", "key", "published")
_NO_PAPER: Final = Paper("", "", None)


@attrs.define
class _Cell:
    """A party and a proposition, by shown ids, in a prefix of a log."""

    driver: Driver
    texts: Statements
    held: Records
    frame: Frame
    party: str
    proposition: str
    basis: int


def position(
    folded: Folded, basis: int, cell: tuple[str, str], said: Knob, policy: str | Policy
) -> Position | None:
    """Where a party stands on a proposition, by hosts' ids; None where more has to be read."""
    driver = quick(folded) if policy == "latest" else None
    party, proposition = cell
    if driver is None:
        return None
    with folded.fold.lock:
        held = held_of(folded.fold)
        if held is None or held.size < basis:
            return None
        frame = held.frame(basis)
        who, what = frame.id_of("party", party), frame.id_of("proposition", proposition)
        if (
            frame.get(who, ev.PartyRegistered) is None
            or frame.get(what, ev.PropositionDefined) is None
        ):
            return None
        asked = _Cell(
            driver,
            statements(folded.tables, held.build),
            held,
            frame,
            frame.canonical(who or ""),
            frame.canonical(what or ""),
            basis,
        )
        claims = _read(asked)
        if claims is None:
            return None
        found = plain_position(frame, (asked.party, asked.proposition), claims, said, basis)
        return None if found.status == "silent" and beside(frame, asked.proposition) else found


def quick(folded: Folded) -> Driver | None:
    """The driver of a log of which something is kept, where the bind has one."""
    host = folded.host
    held = held_of(folded.fold) if isinstance(host, Engine) else None
    if held is None:
        return None
    driver, engine = held.driver, cast("Engine", host)
    if driver is None or not driver.suits(engine):
        driver = held.driver = driver_of(engine)
    return driver


def _read(cell: _Cell) -> list[PlainClaim] | None:
    """The claims on a cell as they stand; None where one is not plain, or all is in motion.

    Where nothing was committed by the end since what is kept was found to be so, it still is.
    """
    found, held = _plain(cell), cell.held
    if cell.driver.version() == held.version:
        return found
    if not still_so(cell.driver, cell.texts, held):
        return None
    found = _plain(cell)
    return found if cell.driver.version() == held.version else None


def up_to_date(driver: Driver, folded: Folded, held: Records) -> bool:
    """Whether what is kept is of the log as it is now; a look where somebody committed."""
    if driver.version() == held.version:
        return True
    return still_so(driver, statements(folded.tables, held.build), held)


def still_so(driver: Driver, texts: Statements, held: Records) -> bool:
    """Whether what is kept is of the log and the build as they are now, after some commit."""
    version = driver.version()
    rows = driver.rows(texts.guard, (held.log_id, held.build, held.size - 1, held.size))
    if not rows or rows[0][0] != held.last:
        return False
    held.version = version
    return True


def _plain(cell: _Cell) -> list[PlainClaim] | None:
    """The claims on a cell that reach its party; None where one of them is not plain."""
    frame, log, rows_of = cell.frame, cell.held.log_id, cell.driver.rows
    parties = frame.memo("keys", cell.party, lambda: _keys(frame, beneath(frame, cell.party)))
    group = cell.proposition
    propositions = frame.memo("keys", group, lambda: _keys(frame, frame.merged_group(group)))
    query = cell.texts.cells[isinstance(parties, int), isinstance(propositions, int)]
    rows = rows_of(query, (log, cell.basis, parties, propositions))
    if rows is None:
        return None
    if len(rows) > 1:
        rows.sort(key=_by_sequence)
    found: dict[str, PlainClaim] = {}
    for row in rows:
        claim = _claim(cell, row)
        if claim is None:
            return None
        if claim.utterance is not None:
            number = cells.number_of(claim.utterance)
            acts = rows_of(cell.texts.acts, (log, cell.basis, number))
            if acts is None or len(acts) > 1:
                return None
        # A row stays where a later change leads away from, and where one leads to is there early.
        if claim.path is not None and frame.canonical(claim.proposition) == group:
            found[claim.id] = claim
    return [*found.values()]


def _by_sequence(row: Sequence[Any]) -> int:
    return int(row[0])


def _keys(frame: Frame, ids: Collection[str]) -> int | str:
    """The sequences of all whose claims may count, as one number or as JSON."""
    found = sorted(frame.stored[id_].sequence for id_ in ids)
    return found[0] if len(found) == 1 else json.dumps(found)


def _claim(cell: _Cell, row: Sequence[Any]) -> PlainClaim | None:
    """The claim of a row, with no path where it does not reach the party; None if not plain."""
    seq, id_, recorded, tail, what, who, words, document, touched = row
    if touched or not _CLAIM.fits(tail):
        return None
    try:
        read = _CLAIM.read(what, who, words)
        paper = _NO_PAPER if document is None else _paper(cell, document)
    except CodecError:
        return None  # it is told of by whoever opens the event
    if read is None or paper is None or len(read[0]) != 1:
        return None
    (chain,), capacity, key, proposition, act, stance, factuality, uttered, *rest = read
    expires, utterance, utterance_key, told_in, conditions, quote = rest
    if (told_in or "") != paper.id:
        return None
    published, frame = paper.published, cell.frame
    bounds = Bounds.of(uttered, published.latest if published else None, read_instant(recorded))
    found = way(frame, chain, capacity, bounds, cell.party)
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


def _paper(cell: _Cell, seq: int) -> Paper | None:
    """The document of that sequence, None where it is not plain; it is as it was, once it is read.

    An erasure would change it, and nothing is kept beyond that.
    """
    kept = cell.held.papers
    if seq not in kept:
        rows = cell.driver.rows(cell.texts.paper, (cell.held.log_id, seq))
        if not rows:
            return None
        if len(kept) >= PAPERS:
            kept.clear()
        id_, tail, what = rows[0]
        read = _DOCUMENT.read(what) if _DOCUMENT.fits(tail) else None
        kept[seq] = None if read is None else Paper(id_, read[0] or id_, read[1])
    return kept[seq]
