"""The audit: every stored byte is looked at again, the first that is wrong is named.

Here lives what the database alone can show. A checkpoint that left the house is compared by
whoever holds it: the audit gives the tree's root at any size that is asked for.

```
row by row    the sequence follows   entry -> leaf hash   slots -> commitments   columns -> entry
              an empty slot -> a later erasure that names it (`holes`)
at the end    streams are dense   stream heads   the log's head   the guards   the tree
```
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import attrs
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.codec.canonical import parse
from ledger.codec.entry import Row, read_instant
from ledger.codec.sound import sound
from ledger.errors import (
    CodecError,
    ColumnMismatch,
    LeafMismatch,
    MissingEntry,
    TamperEvidence,
)
from ledger.merkle.hashing import EMPTY_ROOT, leaf_hash
from ledger.merkle.tiles import HEIGHT, WIDTH
from ledger.merkle.tree import Growth
from ledger.store import heads, kinds, read
from ledger.store.holes import ERASURE, Holes, empty_slots
from ledger.store.read import PAGE, entries, leaf_hashes, missing_entry, rows
from ledger.store.spread import Part, Spread
from ledger.store.tables import Tables
from ledger.store.tree import check as check_nodes
from ledger.store.tree import tree

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
    since: int = 0,
    upto: int | None = None,
    roots_at: Collection[int] = (),
    spread: Spread | None = None,
    contents: bool = True,
    progress: Progress | None = None,
) -> Audited:
    """Check the events of a log from `since` on up to `upto` (all, if not given), heads and guards.

    What lies before `since` is taken at its word. `roots` of the answer holds the 32-byte root for
    every size of `roots_at` from `since` on. The rows are streamed, by other processes where there
    is a `spread`; streams are compared inside the database. Without `contents` only entries, leaves
    and tree are looked at, and not what slots and columns say. Every error's `sequence` is the
    first bad one, None where it is no event that is bad.

    Raises:
        MissingEntry: A sequence is missing.
        LeafMismatch: An entry does not hash to its leaf, or is no entry.
        CommitmentMismatch: A slot is not what the entry commits to, is empty without an erasure or
            holds something in spite of one.
        ColumnMismatch: A column says something else than the entry.
        HeadMismatch: The head of the log, or of a stream, does not fit the events.
        MissingGuard: A trigger is missing, changed or switched off.
        NodeMismatch: A hash that is kept of the tree does not follow from the entries.
    """
    kinds.check_heads(conn, tables)
    head = heads.head(conn, tables, origin)
    if head is None:
        heads.refuse_orphans(conn, tables, origin)
        heads.check_guards(conn, tables)
        roots = {0: EMPTY_ROOT} if 0 in roots_at else {}
        return Audited(origin=origin, size=0, known_at=None, root=EMPTY_ROOT, roots=roots)
    log, size = head["id"], head["size"]
    start, stop = min(since, size), size if upto is None else min(upto, size)
    walk = _begun(conn, tables, origin, (log, start, stop), frozenset(roots_at))
    walk.keep_root()
    kinds.check_events(conn, tables, log, start, stop)
    with _first_of_all(conn, tables, log, walk, size):
        if not contents:
            walk.along_leaves(entries(conn, tables, log, start, stop), stop, progress)
        else:
            alone = stop if spread is None else min(stop, -(-start // WIDTH) * WIDTH)
            walk.along(rows(conn, tables, log, after=start - 1, until=alone), stop, progress)
            if spread is not None:
                missing = functools.partial(leaf_hashes, conn, tables, log)
                walk.together(spread, missing, log, stop, progress)
    walk.holes.settle(conn, tables, log, walk.size, size)
    if walk.size < stop:
        raise MissingEntry(
            f"The head of {origin} counts {size:,} events, but the one at sequence "
            f"{walk.size} is missing.",
            sequence=walk.size,
        )
    known_at = walk.known_at if contents or stop < size else head["known_at"]
    heads.check_head(origin, head, walk.size, known_at)
    if contents:
        heads.check_streams(conn, tables, log, start)
    heads.check_guards(conn, tables)
    if stop == size:
        check_nodes(conn, tables, log, walk.nodes, start)
    return Audited(
        origin=origin,
        size=walk.size,
        known_at=known_at,
        root=walk.frontier.root(),
        roots=walk.roots,
        erased=walk.holes.explained,
    )


def stretch(conn: Connection, tables: Tables, origin: str, of: tuple[int, int, int]) -> Part:
    """Check a stretch of a log, by its number, first sequence and the one behind its last.

    It begins with a whole tile. Holes that nothing explains there are given back: a later stretch
    may.

    Raises:
        TamperEvidence: As `audit`, for what a row alone shows.
    """
    log, start, stop = of
    walk = _Walk(origin=origin, first=start, holes=_holes(conn, tables, log))
    walk.known_at = _known_before(conn, tables, log, start)
    head = read.head(conn, tables, origin)
    with _first_of_all(conn, tables, log, walk, head.size if head else stop):
        walk.along(rows(conn, tables, log, after=start - 1, until=stop), stop)
        if walk.size < stop:
            raise missing_entry(walk.size, size=stop)
    tiles, leaves = walk.nodes.get(HEIGHT, []), walk.frontier.pending[0]
    return Part(tiles=tiles, leaves=leaves, known_at=walk.known_at, holes=walk.holes.told())


@contextlib.contextmanager
def _first_of_all(
    conn: Connection, tables: Tables, log: int, walk: _Walk, size: int
) -> Iterator[None]:
    """Let a hole that nothing explains come before what is wrong behind it."""
    try:
        yield
    except TamperEvidence as error:
        walk.holes.settle(conn, tables, log, walk.size, size, before=error.sequence)
        raise
    except (DBAPIError, *kinds.STUMBLES) as error:
        odd = kinds.unreadable(conn, tables, log, walk.size)
        if odd is None:
            raise
        raise odd from error


def _holes(conn: Connection, tables: Tables, log: int) -> Holes:
    return Holes(functools.partial(read.row_by_id, conn, tables, log))


def _begun(
    conn: Connection,
    tables: Tables,
    origin: str,
    of: tuple[int, int, int],
    wanted: frozenset[int],
) -> _Walk:
    """A walk that goes on from what is kept of the tree."""
    log, start, stop = of
    walk = _Walk(origin=origin, wanted=wanted, holes=_holes(conn, tables, log))
    walk.known_at = _known_before(conn, tables, log, start)
    walk.frontier = Growth.resumed(tree(conn, tables, log, stop).nodes, start, whole=walk.keep_node)
    return walk


def _known_before(conn: Connection, tables: Tables, log: int, start: int) -> dt.datetime | None:
    before = next(rows(conn, tables, log, after=start - 2, until=start), None) if start else None
    return None if before is None else before.known_at


@attrs.define(kw_only=True)
class _Walk:
    """What must be remembered from one row to the next."""

    origin: str
    holes: Holes
    first: int = 0
    wanted: frozenset[int] = frozenset()
    frontier: Growth = attrs.field(init=False)
    nodes: dict[int, list[bytes]] = attrs.field(factory=dict)
    known_at: dt.datetime | None = None
    _said: str = ""
    roots: dict[int, bytes] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.frontier = Growth(whole=self.keep_node)

    def keep_node(self, level: int, _: int, root: bytes) -> None:
        self.nodes.setdefault(level, []).append(root)

    @property
    def size(self) -> int:
        return self.first + self.frontier.size

    def keep_root(self) -> None:
        if self.size in self.wanted:
            self.roots[self.size] = self.frontier.root()

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            self.frontier.append(leaf)
            self.keep_root()

    def along(self, found: Iterable[Row], stop: int, progress: Progress | None = None) -> None:
        """Look at each of these rows; it is told how far one is on the way to `stop`."""
        for row in found:
            self.step(row)
            if progress is not None and (self.size % PAGE == 0 or self.size == stop):
                progress(self.size, stop)

    def along_leaves(
        self, found: Iterable[tuple[int, str, bytes]], stop: int, progress: Progress | None
    ) -> None:
        """Hash each of these entries, and nothing else."""
        for seq, entry, leaf in found:
            if seq != self.size:
                raise _missing(self.size, seq)
            if sha256(b"\0" + entry.encode()).digest() != leaf:
                raise _other_leaf(seq, leaf_hash(entry.encode()), leaf)
            self.frontier.append(leaf)
            if self.wanted:
                self.keep_root()
            if progress is not None and (self.size % PAGE == 0 or self.size == stop):
                progress(self.size, stop)

    def together(
        self,
        spread: Spread,
        leaves: Callable[[int, int], Iterable[bytes]],
        log: int,
        stop: int,
        progress: Progress | None,
    ) -> None:
        """Let helpers go along, and put together what they found."""
        done = self.size

        def tell(many: int) -> None:
            nonlocal done
            done += many
            if progress is not None:
                progress(done, stop)

        parts, wrong = spread.parts(log, self.size, stop, tell)
        for part in parts:
            self.holes.join(part.holes)
            for tile in part.tiles:
                end = self.size + WIDTH
                if any(self.size < one < end for one in self.wanted):
                    self.extend(leaves(self.size, end))
                else:
                    self.frontier.graft(tile)
                    self.keep_root()
            self.extend(part.leaves)
            self.known_at = part.known_at
        if wrong is not None:
            raise wrong

    def step(self, row: Row) -> None:
        if row.seq == self.size and self._is_sound(row):
            self.frontier.append(row.leaf_hash)
            if self.wanted:
                self.keep_root()
        else:
            self._look_closer(row)

    def _is_sound(self, row: Row) -> bool:
        """Whether nothing about a row is unusual, in which case it need not be explained."""
        said = sound(row, self.origin)
        if said is None or row.type == ERASURE:
            return False
        if said != self._said:  # the events of one append share an instant
            recorded_at = read_instant(said)
            latest = recorded_at if self.known_at is None else max(self.known_at, recorded_at)
            if row.known_at != latest:
                return False
            self.known_at, self._said = latest, said
        return row.known_at == self.known_at

    def _look_closer(self, row: Row) -> None:
        if row.seq != self.size:
            raise _missing(self.size, row.seq)
        leaf = leaf_hash(row.entry.encode())
        if leaf != row.leaf_hash:
            raise _other_leaf(row.seq, leaf, row.leaf_hash)
        entry = _entry(row)
        empty = empty_slots(row, entry)
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


def _missing(sequence: int, stored: int) -> MissingEntry:
    return MissingEntry(
        f"The event at sequence {sequence} is missing: the next one stored is {stored}.",
        sequence=sequence,
    )


def _other_leaf(sequence: int, found: bytes, stored: bytes) -> LeafMismatch:
    return LeafMismatch(
        f"The entry at sequence {sequence} was changed: it hashes to {found.hex()[:16]}..., "
        f"its leaf says {stored.hex()[:16]}...",
        sequence=sequence,
    )


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
