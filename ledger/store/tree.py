"""The tree above the leaves, as far as it is kept: one hash for each whole tile of 256.

Here live the statements. What the hashes mean is in `ledger.merkle.tree`; when they are kept, in
`ledger.proving`. All of it follows from the leaves: it can be deleted and made anew, no trigger
guards it, and the audit compares it with the entries. What is not kept yet is computed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from ledger.errors import NodeMismatch
from ledger.merkle.tiles import HEIGHT, WIDTH
from ledger.merkle.tree import Tree, folded
from ledger.store.fetching import fetched, insertion
from ledger.store.read import leaf_hashes
from ledger.store.tables import Tables

_TILES_AT_ONCE: Final = 64
"""Of so many tiles the hashes are read at once, 16,384 leaves."""

_TILES_HELD: Final = 16


def tree(conn: Connection, tables: Tables, log_id: int, size: int) -> Tree:
    """The first `size` leaves of a log as a tree, read through this connection."""
    # A root and a proof share the tiles at the right edge.
    nodes = functools.lru_cache(_TILES_HELD)(functools.partial(_nodes, conn, tables, log_id))
    return Tree(nodes, size)


def kept(conn: Connection, tables: Tables, log_id: int, level: int = HEIGHT) -> int:
    """How many hashes of a level are kept; of level 8, one for 256 leaves."""
    node = tables.node
    # In order: else PostgreSQL, without statistics, may read all of them.
    last = (
        select(node.c.idx)
        .where(node.c.log_id == log_id, node.c.level == level)
        .order_by(node.c.idx.desc())
        .limit(1)
    )
    found = conn.scalar(last)
    return 0 if found is None else found + 1


def keep(conn: Connection, tables: Tables, log_id: int, size: int) -> int:
    """Keep the hashes that are missing for the first `size` leaves; how many there were.

    Of two who do so at once both write the same, and the second finds it there.
    """
    many, level = 0, HEIGHT
    while whole := size >> level:
        start = kept(conn, tables, log_id, level)
        for first in range(start, whole, _TILES_AT_ONCE):
            last = min(first + _TILES_AT_ONCE, whole)
            found = _computed(conn, tables, log_id, (level, first, last))
            many += last - first
            _put(conn, tables, log_id, [(level, first + at, one) for at, one in enumerate(found)])
        level += HEIGHT
    return many


def nodes_of(
    conn: Connection, tables: Tables, log_id: int, wanted: tuple[int, int, int]
) -> Iterator[tuple[int, bytes]]:
    """What is kept of a level, by index, with first <= index < stop: `wanted` is those three."""
    query = (
        f"SELECT idx, hash FROM {tables.layout.qualified('node')} "  # noqa: S608 - a checked name
        "WHERE log_id = CAST(? AS bigint) AND level = CAST(? AS bigint) "
        "AND idx >= CAST(? AS bigint) AND idx < CAST(? AS bigint) ORDER BY idx"
    )
    yield from ((index, found) for index, found in fetched(conn, query, (log_id, *wanted)))


def check(
    conn: Connection,
    tables: Tables,
    log_id: int,
    computed: Mapping[int, Sequence[bytes]],
    since: int = 0,
) -> None:
    """Compare what is kept with what was computed from the entries since a size, level by level.

    Raises:
        NodeMismatch: A hash is another, is missing before others, or stands beyond the log's end.
    """
    for level, many, last in levels(conn, tables, log_id):
        first, wanted = since >> level, computed.get(level, ())
        if many != last + 1 or last >= first + len(wanted):
            raise NodeMismatch(
                f"The tree keeps {many} hashes of level {level} up to the {last + 1}th, where the "
                f"log has {first + len(wanted)} tiles: they were changed by hand. Delete the rows "
                f"of {tables.node.fullname}; they are made anew from the leaves."
            )
        for index, found in nodes_of(conn, tables, log_id, (level, first, many)):
            if found != wanted[index - first]:
                raise NodeMismatch(
                    f"The tree keeps a hash over the {1 << level:,} events from sequence "
                    f"{index << level} on that does not follow from them: it was changed by hand. "
                    f"Delete the rows of {tables.node.fullname}; they are made anew from the "
                    "leaves.",
                    sequence=index << level,
                )


def levels(conn: Connection, tables: Tables, log_id: int) -> Sequence[tuple[int, int, int]]:
    """Each level that is kept, with how many hashes and the last index among them."""
    node = tables.node
    query = (
        select(node.c.level, func.count(), func.max(node.c.idx))
        .where(node.c.log_id == log_id)
        .group_by(node.c.level)
        .order_by(node.c.level)
    )
    return [(level, many, last) for level, many, last in conn.execute(query)]


def _nodes(conn: Connection, tables: Tables, log_id: int, *wanted: int) -> Sequence[bytes]:
    """The hashes of a level: what is kept, and what follows it computed from below."""
    level, start, stop = wanted
    if level == 0:
        return [*leaf_hashes(conn, tables, log_id, start, stop)]
    there = [*nodes_of(conn, tables, log_id, (level, start, stop))]
    if len(there) == stop - start:  # no index comes twice
        return [one for _, one in there]
    found: list[bytes] = []
    for index, one in there:
        if index != start + len(found):
            break
        found.append(one)
    return found + _computed(conn, tables, log_id, (level, start + len(found), stop))


def _computed(
    conn: Connection, tables: Tables, log_id: int, wanted: tuple[int, int, int]
) -> list[bytes]:
    level, start, stop = wanted
    found: list[bytes] = []
    for first in range(start, stop, _TILES_AT_ONCE):
        last = min(first + _TILES_AT_ONCE, stop)
        below = [*_nodes(conn, tables, log_id, level - HEIGHT, first << HEIGHT, last << HEIGHT)]
        found += [folded(below[at : at + WIDTH]) for at in range(0, len(below), WIDTH)]
    return found


def _put(
    conn: Connection, tables: Tables, log_id: int, found: Sequence[tuple[int, int, bytes]]
) -> None:
    conn.execute(
        insertion(conn, tables.node).on_conflict_do_nothing(),
        [
            {"log_id": log_id, "level": level, "idx": index, "hash": one}
            for level, index, one in found
        ],
    )
