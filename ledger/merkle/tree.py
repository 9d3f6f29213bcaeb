"""The tree above the leaves, by tiles: grown in one pass, or read back in a few pieces.

Of each whole tile one hash is worth keeping, its root, and the roots of 256 tiles make a tile of
the next level: at levels 8, 16, 24 .. of the tree stands one hash for 256 of the level below. From
these and the leaves at the edge any root and any proof follows, by a few reads of at most 256
hashes. Where they are kept is in `ledger.store.tree`; the walks of proofs are in `proofs`.

```
level 16                                     *                one for 65,536 leaves
level  8    * * * * .. *    * * * * .. *     * * *            one for 256
level  0    ........................................ ..       the leaf hashes
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import TypeAlias

import attrs

from ledger.errors import Invalid, MissingEntry
from ledger.merkle.hashing import EMPTY_ROOT, SIZE_LIMIT, node_hash
from ledger.merkle.proofs import consistency_subtrees, inclusion_subtrees
from ledger.merkle.tiles import HEIGHT, WIDTH

Nodes: TypeAlias = Callable[[int, int, int], Iterable[bytes]]
"""The hashes of a level, a multiple of 8 (0: the leaves), from `start` up to, not with, `stop`."""


def folded(hashes: Sequence[bytes]) -> bytes:
    """The root over 1, 2, 4, 8 .. hashes of one level.

    Example:
        >>> folded([b"a" * 32, b"b" * 32]) == node_hash(b"a" * 32, b"b" * 32)
        True
    """
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\x01" + one + next(pairs)).digest() for one in pairs]
    return hashes[0]


def _nothing() -> list[list[bytes]]:
    leaves: list[bytes] = []
    return [leaves]


@attrs.define
class Growth:
    """A tree as it grows: leaf hashes go in, the roots of whole tiles come out.

    `pending` holds, for each level from 0 on, the hashes that fill no whole tile yet. `whole` is
    told of each tile that becomes whole: level of its root (8, 16 ..), index in that level, hash.

    Example:
        >>> roots = []
        >>> growth = Growth(whole=lambda level, index, root: roots.append((level, index)))
        >>> growth.extend([bytes(32)] * 600)
        >>> growth.size, roots
        (600, [(8, 0), (8, 1)])
    """

    size: int = 0
    pending: list[list[bytes]] = attrs.field(factory=_nothing)
    whole: Callable[[int, int, bytes], object] | None = None

    @classmethod
    def resumed(
        cls,
        nodes: Nodes,
        size: int,
        *,
        whole: Callable[[int, int, bytes], object] | None = None,
    ) -> Growth:
        """The tree of so many leaves, from what is kept of it.

        Raises:
            MissingEntry: `nodes` gave fewer hashes than it was asked for.
        """
        pending = [[*_all(nodes, *edge)] for edge in _edge_ranges(size)]
        return cls(size, pending or _nothing(), whole)

    def append(self, leaf: bytes) -> None:
        """Add the 32-byte hash of the next leaf."""
        lowest = self.pending[0]
        lowest.append(leaf)
        self.size += 1
        if len(lowest) == WIDTH:
            self._close(0)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the 32-byte hashes of the next leaves, in their order."""
        given, lowest = iter(leaves), self.pending[0]
        while part := [*islice(given, WIDTH - len(lowest))]:
            lowest += part
            self.size += len(part)
            if len(lowest) == WIDTH:
                self._close(0)

    def graft(self, root: bytes) -> None:
        """Add the next 256 leaves by the root over them.

        Raises:
            Invalid: the tree does not end with a whole tile.
        """
        if self.pending[0]:
            raise Invalid(f"The tree of {self.size} leaves does not end with a whole tile.")
        self.size += WIDTH
        self._put(1, root)

    def root(self) -> bytes:
        """The 32-byte root of the tree as it stands (RFC 9162, 2.1.1)."""
        return _joined(self.pending)

    def _close(self, level: int) -> None:
        root = folded(self.pending[level])
        self.pending[level].clear()
        self._put(level + 1, root)

    def _put(self, level: int, root: bytes) -> None:
        if self.whole is not None:
            self.whole(HEIGHT * level, (self.size >> HEIGHT * level) - 1, root)
        if level == len(self.pending):
            self.pending.append([])
        self.pending[level].append(root)
        if len(self.pending[level]) == WIDTH:
            self._close(level)


@attrs.define
class Tree:
    """The first `size` leaves of a log, for roots and proofs; a tile that was read is kept.

    Raises:
        Invalid: no tree has that size.

    Example:
        >>> leaves = [bytes([number]) * 32 for number in range(3)]
        >>> tree = Tree(lambda level, start, stop: leaves[start:stop], 3)
        >>> tree.inclusion_proof(2, 3) == (node_hash(leaves[0], leaves[1]),)
        True
    """

    nodes: Nodes
    size: int
    _tiles: dict[tuple[int, int], Sequence[bytes]] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.size < SIZE_LIMIT:
            raise Invalid(f"No tree has {self.size} leaves.", field="size", given=self.size)

    def root(self, size: int | None = None) -> bytes:
        """The 32-byte root over the first `size` leaves; over all, if left out."""
        wanted = self.size if size is None else size
        return _joined([self._range(*edge) for edge in _edge_ranges(wanted)])

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """The hashes that lead from leaf `index` to the root of the first `size` leaves.

        Raises:
            Invalid: there is no such leaf in a tree of that size.
            MissingEntry: `nodes` gave fewer hashes than it was asked for.
        """
        return tuple(self._subtree(*one) for one in inclusion_subtrees(index, size))

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """The hashes that show the first `old` leaves unchanged among the first `new`.

        Raises:
            Invalid: `old` is 0 or greater than `new`.
            MissingEntry: `nodes` gave fewer hashes than it was asked for.
        """
        return tuple(self._subtree(*one) for one in consistency_subtrees(old, new))

    def _subtree(self, start: int, stop: int) -> bytes:
        parts = []
        while start < stop:  # a perfect tree for each 1 of the length, the largest first
            height = (stop - start).bit_length() - 1
            level = height - height % HEIGHT
            first = start >> level
            parts.append(folded(self._range(level, first, first + (1 << height - level))))
            start += 1 << height
        root = parts.pop()
        while parts:
            root = node_hash(parts.pop(), root)
        return root

    def _range(self, level: int, start: int, stop: int) -> Sequence[bytes]:
        """Hashes of one level that lie in one tile, or are none."""
        if start == stop:
            return ()
        tile = start // WIDTH
        first = tile * WIDTH
        if (level, tile) not in self._tiles:
            last = min(first + WIDTH, self.size >> level)
            self._tiles[level, tile] = _all(self.nodes, level, first, last)
        return self._tiles[level, tile][start - first : stop - first]


def _edge_ranges(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, start and stop of what fills no whole tile, the leaves first."""
    level = 0
    while size >> level:
        stop = size >> level
        yield level, stop - stop % WIDTH, stop
        level += HEIGHT


def _all(nodes: Nodes, level: int, start: int, stop: int) -> Sequence[bytes]:
    found = [*nodes(level, start, stop)] if start < stop else []
    if len(found) != stop - start:
        raise MissingEntry(
            f"{stop - start} hashes of level {level} were asked for from {start} on, "
            f"{len(found)} came.",
            sequence=(start + len(found)) << level,
        )
    return found


def _joined(pending: Sequence[Sequence[bytes]]) -> bytes:
    """The root over what fills no whole tile, the leaves first."""
    root: bytes | None = None
    for hashes in pending:
        stop = len(hashes)
        while stop:  # the smallest perfect tree stands last
            start = stop - (stop & -stop)
            one = folded(hashes[start:stop])
            root = one if root is None else node_hash(one, root)
            stop = start
    return EMPTY_ROOT if root is None else root
