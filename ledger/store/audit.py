"""The audit: every stored byte is looked at again, the first that is wrong is named.

Here lives what the database alone can show. A checkpoint that left the house is compared by
whoever holds it: the audit gives the tree's root at any size that is asked for.

```
row by row    the sequence follows   entry -> leaf hash   slots -> commitments   columns -> entry
              an empty slot -> a later erasure that names it (`holes`)
at the end    streams are dense   stream heads   the log's head   the guards   the root
```
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import attrs
from sqlalchemy import Connection, RowMapping, func, literal, select, union_all
from sqlalchemy.exc import DBAPIError

from ledger.codec.canonical import parse
from ledger.codec.entry import SLOTS, Row, commitment, read_instant
from ledger.errors import (
    CodecError,
    ColumnMismatch,
    CommitmentMismatch,
    HeadMismatch,
    LeafMismatch,
    MissingEntry,
    MissingGuard,
    TamperEvidence,
)
from ledger.merkle.frontier import Frontier
from ledger.merkle.hashing import EMPTY_ROOT, leaf_hash
from ledger.store import kinds
from ledger.store.holes import ERASURE, Holes
from ledger.store.read import PAGE, row_by_id, rows
from ledger.store.schema import guards
from ledger.store.tables import Tables

Progress = Callable[[int, int], None]
"""Told now and then how many events are done, and how many there are."""

_IN_ENTRY: Final = ("id", "type", "stream", "stream_v")


@attrs.frozen(kw_only=True)
class Audited:
    """What an audit found in order: the log's size, its last instant, and roots of its tree.

    `erased` counts the slots that are empty because an erasure in the log says so.

    Example:
        >>> str(Audited(origin="default", size=0, known_at=None, root=EMPTY_ROOT, roots={}))
        'default: 0 events in order, root e3b0c44298fc1c14...'
    """

    origin: str
    size: int
    known_at: dt.datetime | None
    root: bytes
    roots: Mapping[int, bytes]
    erased: int = 0

    def __str__(self) -> str:
        return f"{self.origin}: {self.size:,} events in order, root {self.root.hex()[:16]}..."


def audit(
    conn: Connection,
    tables: Tables,
    origin: str,
    *,
    upto: int | None = None,
    roots_at: Collection[int] = (),
    progress: Progress | None = None,
) -> Audited:
    """Check the first `upto` events of a log (all, if not given), its heads and its guards.

    `roots` of the answer holds the 32-byte root for every size of `roots_at` that was reached. The
    rows are streamed; streams are compared inside the database. Every error's `sequence` is the
    first bad one, None where it is no event that is bad.

    Raises:
        MissingEntry: A sequence is missing.
        LeafMismatch: An entry does not hash to its leaf, or is no entry.
        CommitmentMismatch: A slot is not what the entry commits to, is empty without an erasure or
            holds something in spite of one.
        ColumnMismatch: A column says something else than the entry.
        HeadMismatch: The head of the log, or of a stream, does not fit the events.
        MissingGuard: A trigger is missing, changed or switched off.
    """
    kinds.check_heads(conn, tables)
    head = _head(conn, tables, origin)
    if head is None:
        _refuse_orphans(conn, tables, origin)
        _check_guards(conn, tables)
        roots = {0: EMPTY_ROOT} if 0 in roots_at else {}
        return Audited(origin=origin, size=0, known_at=None, root=EMPTY_ROOT, roots=roots)
    stop = head["size"] if upto is None else min(upto, head["size"])
    holes = Holes(functools.partial(row_by_id, conn, tables, head["id"]))
    walk = _Walk(origin=origin, wanted=frozenset(roots_at), holes=holes)
    walk.keep_root()
    kinds.check_events(conn, tables, head["id"], stop)
    try:
        for row in rows(conn, tables, head["id"], until=stop):
            walk.step(row)
            if progress is not None and (walk.size % PAGE == 0 or walk.size == stop):
                progress(walk.size, stop)
    except TamperEvidence:
        # A hole before it comes first, unless it is explained behind what is wrong.
        holes.settle(conn, tables, head["id"], walk.size, head["size"])
        raise
    except (DBAPIError, *kinds.STUMBLES) as error:
        odd = kinds.unreadable(conn, tables, head["id"], walk.size)
        if odd is None:
            raise
        raise odd from error
    holes.settle(conn, tables, head["id"], walk.size, head["size"])
    if walk.size < stop:
        raise MissingEntry(
            f"The head of {origin} counts {head['size']:,} events, but the one at sequence "
            f"{walk.size} is missing.",
            sequence=walk.size,
        )
    _check_head(origin, head, walk)
    _check_streams(conn, tables, head["id"])
    _check_guards(conn, tables)
    return Audited(
        origin=origin,
        size=walk.size,
        known_at=walk.known_at,
        root=walk.frontier.root(),
        roots=walk.roots,
        erased=holes.explained,
    )


@attrs.define(kw_only=True)
class _Walk:
    """What must be remembered from one row to the next."""

    origin: str
    wanted: frozenset[int]
    holes: Holes
    frontier: Frontier = attrs.field(factory=Frontier)
    known_at: dt.datetime | None = None
    roots: dict[int, bytes] = attrs.field(factory=dict)

    @property
    def size(self) -> int:
        return self.frontier.size

    def keep_root(self) -> None:
        if self.size in self.wanted:
            self.roots[self.size] = self.frontier.root()

    def step(self, row: Row) -> None:
        if row.seq != self.size:
            raise MissingEntry(
                f"The event at sequence {self.size} is missing: the next one stored is {row.seq}.",
                sequence=self.size,
            )
        leaf = leaf_hash(row.entry.encode())
        if leaf != row.leaf_hash:
            raise LeafMismatch(
                f"The entry at sequence {row.seq} was changed: it hashes to {leaf.hex()[:16]}..., "
                f"its leaf says {row.leaf_hash.hex()[:16]}...",
                sequence=row.seq,
            )
        entry = _entry(row)
        empty = _check_slots(row, entry)
        self._check_columns(row, entry)
        if empty:
            self.holes.note(row, empty)
        if row.type == ERASURE:
            self.holes.erasure(row)
        self.frontier.append(leaf)
        self.keep_root()

    def _check_columns(self, row: Row, entry: Mapping[str, Any]) -> None:
        if entry.get("log") != self.origin:
            raise ColumnMismatch(
                f"The entry at sequence {row.seq} was written for the log "
                f"{entry.get('log')!r}, but stands in {self.origin!r}.",
                sequence=row.seq,
            )
        for name in _IN_ENTRY:
            if entry.get(name) != getattr(row, name):
                raise ColumnMismatch(
                    f"The column {name} at sequence {row.seq} says {getattr(row, name)!r}, the "
                    f"entry {entry.get(name)!r}.",
                    sequence=row.seq,
                )
        recorded_at = read_instant(str(entry.get("recorded_at")))
        latest = recorded_at if self.known_at is None else max(self.known_at, recorded_at)
        if row.known_at != latest:
            raise ColumnMismatch(
                f"The column known_at at sequence {row.seq} says {row.known_at.isoformat()}; the "
                f"entries up to there give {latest.isoformat()}.",
                sequence=row.seq,
            )
        self.known_at = latest


def _entry(row: Row) -> Mapping[str, Any]:
    try:
        entry = parse(row.entry)
    except CodecError as error:
        raise LeafMismatch(
            f"The entry at sequence {row.seq} is none: {error.message}", sequence=row.seq
        ) from error
    if not isinstance(entry, dict) or not isinstance(entry.get("slots"), dict):
        raise LeafMismatch(
            f"The entry at sequence {row.seq} is none: it holds no slots.", sequence=row.seq
        )
    return entry


def _check_slots(row: Row, entry: Mapping[str, Any]) -> list[str]:
    """The slots that are empty though the entry commits to them."""
    empty = []
    for name in SLOTS:
        slot, promised = row.slot(name), entry["slots"].get(name)
        if slot is None and promised is None:
            continue
        if slot is None:
            empty.append(name)
            continue
        if promised is None:
            found = "is filled, though its entry commits to none"
        elif commitment(slot) != promised:
            found = "was changed: it is not what its entry commits to"
        else:
            continue
        raise CommitmentMismatch(
            f"The slot {name!r} at sequence {row.seq} {found}.", sequence=row.seq
        )
    return empty


def _head(conn: Connection, tables: Tables, origin: str) -> RowMapping | None:
    """The head and the last stored event, in one statement: both of the same moment."""
    log, event = tables.log, tables.event
    last = select(func.max(event.c.seq)).where(event.c.log_id == log.c.id)
    if conn.dialect.name == "sqlite":  # where a text is more than any number
        last = last.where(func.typeof(event.c.seq) == "integer")
    query = select(log.c.id, log.c.size, log.c.known_at, last.scalar_subquery().label("last"))
    try:
        return conn.execute(query.where(log.c.origin == origin)).mappings().one_or_none()
    except kinds.STUMBLES as error:
        raise HeadMismatch(f"The head of {origin} cannot be read: {error}.") from error


def _check_head(origin: str, head: RowMapping, walk: _Walk) -> None:
    if head["last"] is not None and head["last"] >= head["size"]:
        raise HeadMismatch(
            f"The head of {origin} counts {head['size']:,} events, but there is one at sequence "
            f"{head['last']}.",
            sequence=head["size"],
        )
    if walk.size == head["size"] and head["known_at"] != walk.known_at:
        raise HeadMismatch(
            f"The head of {origin} says that its last event was known at {head['known_at']}, the "
            f"entries give {walk.known_at}.",
            sequence=walk.size - 1,
        )


def _check_streams(conn: Connection, tables: Tables, log_id: int) -> None:
    """Compare numbers and heads over the whole log, each in one statement of one moment."""
    event, stream = tables.event, tables.stream
    number = func.row_number().over(partition_by=event.c.stream, order_by=event.c.seq) - 1
    counted = (
        select(event.c.seq, event.c.stream, event.c.stream_v, number.label("number"))
        .where(event.c.log_id == log_id)
        .subquery()
    )
    wrong = conn.execute(
        select(counted)
        .where(counted.c.stream_v != counted.c.number)
        .order_by(counted.c.seq)
        .limit(1)
    ).one_or_none()
    if wrong is not None:
        raise HeadMismatch(
            f"The event at sequence {wrong.seq} is number {wrong.number} of the stream "
            f"{wrong.stream}, but says version {wrong.stream_v}.",
            sequence=wrong.seq,
        )
    none = literal(-1)
    both = union_all(
        select(event.c.stream, event.c.stream_v.label("events"), none.label("head")).where(
            event.c.log_id == log_id
        ),
        select(stream.c.stream, none, stream.c.version).where(stream.c.log_id == log_id),
    ).subquery()
    events, head = func.max(both.c.events), func.max(both.c.head)
    odd = conn.execute(
        select(both.c.stream, events.label("events"), head.label("head"))
        .group_by(both.c.stream)
        .having(events != head)
        .limit(1)
    ).one_or_none()
    if odd is not None:
        raise HeadMismatch(
            f"The head of the stream {odd.stream} is at version {odd.head}, its events end at "
            f"{odd.events} (-1: none)."
        )


def _refuse_orphans(conn: Connection, tables: Tables, origin: str) -> None:
    event, log = tables.event, tables.log
    orphan = conn.execute(
        select(event.c.log_id, event.c.seq)
        .where(event.c.log_id.not_in(select(log.c.id)))
        .order_by(event.c.log_id, event.c.seq)
        .limit(1)
    ).one_or_none()
    if orphan is not None:
        raise HeadMismatch(
            f"There is no log {origin!r}, but there are events of log number {orphan.log_id}, "
            "which has no head: a head was deleted.",
            sequence=orphan.seq,
        )


def _check_guards(conn: Connection, tables: Tables) -> None:
    missing = guards(conn, tables.layout)
    if missing:
        raise MissingGuard(
            f"The log is not guarded against changes: {', '.join(missing)} "
            "is missing, changed or switched off."
        )
