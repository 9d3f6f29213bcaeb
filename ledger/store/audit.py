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
from collections.abc import Callable, Collection, Iterator, Mapping

import attrs
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ledger.errors import MissingEntry, TamperEvidence
from ledger.merkle.hashing import EMPTY_ROOT
from ledger.merkle.tiles import HEIGHT, WIDTH
from ledger.merkle.tree import Growth
from ledger.store import heads, kinds, read
from ledger.store.holes import Holes
from ledger.store.read import entries, leaf_hashes, missing_entry, pages, rows
from ledger.store.spread import Part, Spread
from ledger.store.tables import Tables
from ledger.store.tree import check as check_nodes
from ledger.store.tree import tree
from ledger.store.walk import Progress, Walk


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
    roots_at: Collection[int] = (),
    spread: Spread | None = None,
    contents: bool = True,
    progress: Progress | None = None,
) -> Audited:
    """Check the events of a log from `since` on, heads and guards.

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
        MissingGuard: A trigger is missing, changed or switched off, or a table is a view.
        NodeMismatch: A hash that is kept of the tree does not follow from the entries.
    """
    heads.check_tables(conn, tables)
    kinds.check_heads(conn, tables, streams=contents)
    head = heads.head(conn, tables, origin)
    if head is None:
        heads.refuse_orphans(conn, tables, origin)
        heads.check_guards(conn, tables)
        roots = {0: EMPTY_ROOT} if 0 in roots_at else {}
        return Audited(origin=origin, size=0, known_at=None, root=EMPTY_ROOT, roots=roots)
    log, size = head["id"], head["size"]
    start = min(since, size)
    walk = _begun(conn, tables, origin, (log, start, size), frozenset(roots_at))
    walk.keep_root()
    streams = functools.cache(functools.partial(_streams, conn, tables, log, start))
    with _first_of_all(conn, tables, log, walk, size):
        if not contents:
            walk.along_leaves(entries(conn, tables, log, start, size), size, progress)
        else:
            alone = size if spread is None else min(size, -(-start // WIDTH) * WIDTH)
            walk.along(pages(conn, tables, log, start, alone), size, progress)
            if spread is not None:
                of = log, size
                _together(conn, tables, walk, spread, of=of, first=streams, progress=progress)
    walk.holes.settle(conn, tables, log, walk.size, size)
    if walk.size < size:
        raise MissingEntry(
            f"The head of {origin} counts {size:,} events, but the one at sequence "
            f"{walk.size} is missing.",
            sequence=walk.size,
        )
    known_at = walk.known_at if contents else head["known_at"]
    heads.check_head(origin, head, known_at)
    if contents and (odd := streams()) is not None:
        raise odd
    heads.check_guards(conn, tables)
    check_nodes(conn, tables, log, walk.nodes, start)
    return Audited(
        origin=origin,
        size=size,
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
    walk = Walk(origin=origin, first=start, holes=_holes(conn, tables, log))
    walk.known_at = _known_before(conn, tables, log, start)
    head = read.head(conn, tables, origin)
    with _first_of_all(conn, tables, log, walk, head.size if head else stop):
        walk.along(pages(conn, tables, log, start, stop), stop)
        if walk.size < stop:
            raise missing_entry(walk.size, size=stop)
    tiles, leaves = walk.nodes.get(HEIGHT, []), walk.frontier.pending[0]
    return Part(tiles=tiles, leaves=leaves, known_at=walk.known_at, holes=walk.holes.told())


def _together(
    conn: Connection,
    tables: Tables,
    walk: Walk,
    spread: Spread,
    *,
    of: tuple[int, int],
    first: Callable[[], object],
    progress: Progress | None,
) -> None:
    """Walk along a log, by its number, up to a sequence, together with helpers.

    What this process alone can do comes `first`, while the helpers begin.
    """
    log, stop = of
    # What it stumbles over is in a row, and told of that one: it is asked again when they are done.
    stumbles = (DBAPIError, *kinds.STUMBLES) if conn.dialect.name == "sqlite" else ()

    def own(start: int, end: int) -> Part:
        with contextlib.suppress(*stumbles):
            first()
        return stretch(conn, tables, walk.origin, (log, start, end))

    parts, wrong = spread.parts(log, walk.size, stop, own, progress)
    for part in parts:
        walk.join(part, functools.partial(leaf_hashes, conn, tables, log))
    if wrong is not None:
        raise wrong


def _streams(conn: Connection, tables: Tables, log: int, start: int) -> TamperEvidence | None:
    """What is wrong with streams, to be told after what is wrong with events."""
    try:
        heads.check_streams(conn, tables, log, start)
    except TamperEvidence as error:
        return error
    return None


@contextlib.contextmanager
def _first_of_all(
    conn: Connection, tables: Tables, log: int, walk: Walk, size: int
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
) -> Walk:
    """A walk that goes on from what is kept of the tree."""
    log, start, stop = of
    walk = Walk(origin=origin, wanted=wanted, holes=_holes(conn, tables, log))
    walk.known_at = _known_before(conn, tables, log, start)
    walk.frontier = Growth.resumed(tree(conn, tables, log, stop).nodes, start, whole=walk.keep_node)
    return walk


def _known_before(conn: Connection, tables: Tables, log: int, start: int) -> dt.datetime | None:
    before = next(rows(conn, tables, log, after=start - 2, until=start), None) if start else None
    return None if before is None else before.known_at
