"""The common case by one statement: the claims on a cell, or of a party, where they are plain.

Here lives reading them. What a plain claim is, and what position comes of it, is told in
`ledger.projections.plain`; whatever is not plain is left to the questions of `asked`.

```
guard    the build is still read, as far as the basis, and the log goes on from what is kept; on
         PostgreSQL it is part of the statement, on SQLite it is asked after somebody's commit
cells    the party's and those beneath it  ->  claim, document, whether anything touches either
```
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import chain
from typing import Any, Union, cast

import attrs
from sqlalchemy import Engine

from ledger.folding import Folded
from ledger.model import events as ev
from ledger.model.moment import Knob
from ledger.narrowing.acts import Narrowed
from ledger.narrowing.driver import Driver, driver_of
from ledger.narrowing.records import PAPERS, Records, beside, held_of
from ledger.narrowing.rows import (
    PROPOSITION_AT,
    TOUCHED_AT,
    AskedParty,
    Rows,
    claim_of,
    keep_papers,
)
from ledger.narrowing.statements import Statements, statements
from ledger.projections.plain import PlainClaim, plain_position
from ledger.projections.policies import Policy
from ledger.projections.rollup import beneath
from ledger.projections.standing import Position
from ledger.store import cells
from ledger.store.fetching import fetched
from ledger.store.held import Held

_Claims = Union[list[PlainClaim], "Touched", None]
"""The plain claims on a cell, or all that is on it; None where that cannot be told."""


@attrs.define
class _Counted:
    """What reads rows, and how often it did."""

    rows: Rows
    times: int = 0

    def __call__(self, query: str, values: Sequence[Any]) -> Sequence[Sequence[Any]] | None:
        self.times += 1
        return self.rows(query, values)


@attrs.frozen
class Touched:
    """The claims on a cell, by their sequences, of which one at least is not plain."""

    claims: frozenset[int]


def position(
    folded: Folded, basis: int, cell: tuple[str, str], said: Knob, policy: str | Policy
) -> Position | Touched | None:
    """Where a party stands on a proposition, by hosts' ids; None where more has to be read."""
    if policy != "latest":
        return None
    if (driver := quick(folded)) is not None:
        with folded.fold.lock:
            return _position(folded, basis, cell, said, (driver.rows, partial(_read, driver)))
    if held_of(folded.fold) is None:
        return None

    def ask(conn: Held) -> Position | Touched | None:
        with folded.fold.lock:
            return _position(folded, basis, cell, said, (partial(fetched, conn), _read_at_once))

    return folded.at_once(ask)


def _position(
    folded: Folded,
    basis: int,
    cell: tuple[str, str],
    said: Knob,
    by: tuple[Rows, Callable[[AskedParty, str], _Claims]],
) -> Position | Touched | None:
    held = held_of(folded.fold)
    if held is None or held.size < basis:
        return None
    frame, (party, proposition) = held.frame(basis), cell
    who, what = frame.id_of("party", party), frame.id_of("proposition", proposition)
    if frame.get(who, ev.PartyRegistered) is None or frame.get(what, ev.PropositionDefined) is None:
        return None
    texts = statements(folded.tables, held.build, folded.bind.dialect.name)
    rows, read = by
    asked = AskedParty(rows, texts, held, frame, frame.canonical(who or ""), basis)
    group = frame.canonical(what or "")
    claims = read(asked, group)
    if claims is None or isinstance(claims, Touched):
        return claims
    return _found(asked, group, claims, said)


def position_of(near: Narrowed, party: str, proposition: str, said: Knob) -> Position | None:
    """The same inside a transaction, by the ledger's ids."""
    group = near.frame.canonical(proposition)
    claims = claims_of(near, near.frame.canonical(party), (group,))
    told = None if claims is None else claims.get(group, ())
    return None if told is None else _found(_asked(near, party), group, told, said)


def _found(
    asked: AskedParty, group: str, claims: Sequence[PlainClaim], said: Knob
) -> Position | None:
    """The position; None for a silence beside which other propositions are to be looked at."""
    found = plain_position(asked.frame, (asked.id, group), claims, said, asked.basis)
    return None if found.status == "silent" and beside(asked.frame, group) else found


def claims_of(
    near: Narrowed, party: str, on: Collection[str] | None
) -> dict[str, Sequence[PlainClaim] | None] | None:
    """What a party said on some propositions, or on all it spoke on, all by their shown ids.

    The claims are in recorded order; a proposition has None where one of them is not plain. None at
    all where it cannot be read so.
    """
    if near.beyond:
        return None
    frame, held, asked = near.frame, near.records, _asked(near, party)
    groups = None if on is None else [frame.merged_group(one) for one in on]
    rows = _rows(asked, None if groups is None else _keys(asked, [*chain.from_iterable(groups)]))
    keep_papers(asked, rows or ())
    shown = near.shown
    found: dict[str, dict[str, PlainClaim] | None] = {}
    read = [claim_of(asked, row) for row in rows or ()]
    for row, claim in zip(rows or (), _alone(asked, read), strict=True):
        if (group := shown.get(row[PROPOSITION_AT])) is None:
            continue
        if claim is None:
            found[group] = None
        elif (claims := found.setdefault(group, {})) is not None and _is_on(asked, claim, group):
            claims[claim.id] = claim
    if len(held.papers) > PAPERS:
        held.papers.clear()
    return {one: None if told is None else (*told.values(),) for one, told in found.items()}


def _asked(near: Narrowed, party: str) -> AskedParty:
    frame, held, engine = near.frame, near.records, near.conn.dialect.name
    texts, rows = statements(near.tables, held.build, engine), partial(fetched, near.conn)
    return AskedParty(rows, texts, held, frame, frame.canonical(party), near.basis)


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


def _read(driver: Driver, asked: AskedParty, group: str) -> _Claims:
    """The claims on a cell as they stand; None where all is in motion.

    Where nothing was committed by the end since what is kept was found to be so, it still is.
    """
    found, held = _plain(asked, group), asked.held
    if driver.version() == held.version:
        return found
    if not still_so(driver, asked.texts, held):
        return None
    found = _plain(asked, group)
    return found if driver.version() == held.version else None


def _read_at_once(asked: AskedParty, group: str) -> _Claims:
    """The same by one statement, which sees one moment; where it takes more, once more at the end.

    What else is told of an utterance is asked for itself, and an erasure meanwhile would change it.
    """
    held = asked.held
    guard = held.build, held.size, held.last
    counted = _Counted(asked.rows)

    def once() -> Sequence[Sequence[Any]] | None:
        parties, on = _reach(asked), _group_keys(asked, group)
        values = (held.log_id, asked.basis, parties, on, *guard)
        return counted(f"{asked.texts.guarded} -- {held.size.bit_length() // 2}", values)

    rows = once()
    if not rows:
        return None
    there = sorted((row for row in rows if row[0] is not None), key=_by_sequence)
    found = _claims(attrs.evolve(asked, rows=counted), there, group)
    return found if counted.times == 1 or once() else None


def fence(conn: Held, folded: Folded, held: Records) -> int | None:
    """PostgreSQL: who owns the build that is read; None where what is kept holds no longer."""
    guard = statements(folded.tables, held.build, "postgresql").guard
    nobody: list[int] = []
    rows = fetched(conn, guard, (held.log_id, 0, nobody, held.build, held.size, held.last))
    return rows[0][0] if rows else None


def up_to_date(driver: Driver, folded: Folded, held: Records) -> bool:
    """Whether what is kept is of the log as it is now; a look where somebody committed."""
    if driver.version() == held.version:
        return True
    return still_so(driver, statements(folded.tables, held.build, "sqlite"), held)


def still_so(driver: Driver, texts: Statements, held: Records) -> bool:
    """Whether what is kept is of the log and the build as they are now, after some commit."""
    version = driver.version()
    rows = driver.rows(texts.guard, (held.log_id, held.build, held.size - 1, held.size))
    if not rows or rows[0][0] != held.last:
        return False
    held.version = version
    return True


def _plain(asked: AskedParty, group: str) -> _Claims:
    """The claims on a cell that reach its party; None where they cannot be read."""
    rows = _rows(asked, _group_keys(asked, group))
    return None if rows is None else _claims(asked, rows, group)


def _claims(asked: AskedParty, rows: Sequence[Sequence[Any]], group: str) -> _Claims:
    """The claims of rows that reach the party."""
    told = _all_plain(asked, rows)
    if told is None:
        return Touched(frozenset(row[0] for row in rows))
    return [*{one.id: one for one in told if _is_on(asked, one, group)}.values()]


def _all_plain(asked: AskedParty, rows: Sequence[Sequence[Any]]) -> list[PlainClaim] | None:
    """The claims of rows, None where one of them is not plain: then no more of them is read."""
    if any(row[TOUCHED_AT] for row in rows):
        return None
    if len(rows) > 1:
        keep_papers(asked, rows)
    read = _alone(asked, [claim_of(asked, row) for row in rows])
    told = [one for one in read if one is not None]
    return told if len(told) == len(rows) else None


def _rows(asked: AskedParty, propositions: Any) -> Sequence[Sequence[Any]] | None:
    """The rows of a party on some propositions, or on all, in recorded order."""
    parties = _reach(asked)
    single = None if propositions is None else isinstance(propositions, int)
    query = asked.texts.cells[isinstance(parties, int), single]
    values = (asked.held.log_id, asked.basis, parties, propositions)
    rows = asked.rows(query, values if propositions is not None else values[:3])
    return rows and sorted(rows, key=_by_sequence)


def _is_on(asked: AskedParty, claim: PlainClaim, group: str) -> bool:
    """Whether a claim reaches the party and is on the group.

    A row stays where a later change leads away from, and where one leads to is there early.
    """
    return claim.path is not None and asked.frame.canonical(claim.proposition) == group


def _alone(asked: AskedParty, claims: list[PlainClaim | None]) -> list[PlainClaim | None]:
    """The same, None in place of a claim whose occasion has other acts: it is not plain."""
    occasions = {one.utterance for one in claims if one is not None and one.utterance is not None}
    if not occasions:
        return claims
    numbers = {one: cells.number_of(one) for one in occasions}
    given = asked.texts.keys(sorted({*numbers.values()}))
    found = asked.rows(asked.texts.shared, (asked.held.log_id, asked.basis, given))
    shared = {*numbers.values()} if found is None else {row[0] for row in found}
    return [
        None if one is None or numbers.get(one.utterance or "") in shared else one for one in claims
    ]


def _by_sequence(row: Sequence[Any]) -> int:
    return int(row[0])


def _reach(asked: AskedParty) -> Any:
    """All whose claims may reach the party, as the statements take them."""
    frame, party = asked.frame, asked.id
    return frame.memo("keys", party, lambda: _keys(asked, beneath(frame, party)))


def _group_keys(asked: AskedParty, group: str) -> Any:
    """A proposition and those that are one with it, as the statements take them."""
    frame = asked.frame
    return frame.memo("keys", group, lambda: _keys(asked, frame.merged_group(group)))


def _keys(asked: AskedParty, ids: Collection[str]) -> Any:
    """The sequences of records of the frame, as the statements take them."""
    return asked.texts.keys(sorted(asked.frame.stored[id_].sequence for id_ in ids))
