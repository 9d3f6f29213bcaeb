"""The frontier: the few hashes from which a tree that only grows can go on.

Roots are made here. What is hashed is in `hashing`; proofs, which need the leaves, are in `proofs`.

A tree of any size is a row of perfect trees, one for each 1 in the size as a binary number, the
largest first. Their roots are all that an append needs, at most 63 hashes:

```
                    root                 size 7 = 111 in binary
             .-------+-------.
             A            .--+--.        hashes = (A, B, g)
         .---+---.        B     |
        ab       cd      ef     |        the next leaf h: g + h = gh, B + gh = C, A + C = D,
       a  b     c  d    e  f    g        hashes = (D,)
```
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NoReturn

import attrs

from ledger.errors import Invalid
from ledger.merkle.hashing import EMPTY_ROOT, HASH_BYTES, node_hash

SIZE_LIMIT: Final = 2**63
"""Every tree is smaller than this, in leaves, so that sizes fit a database's integers."""


def _as_list(hashes: Iterable[bytes]) -> list[bytes]:
    return list(hashes)


@attrs.define
class Frontier:
    """The right edge of a tree: append to it, ask for its root, save it and resume.

    Made of `size`, in leaves, and `hashes`, 32 bytes each; without them, of an empty tree.

    Raises:
        Invalid: the hashes are not the frontier of a tree of that size.

    Example:
        >>> from ledger.merkle.hashing import leaf_hash
        >>> frontier = Frontier()
        >>> frontier.extend(leaf_hash(name) for name in (b"a", b"b", b"c"))
        >>> frontier.size, len(frontier.hashes)
        (3, 2)
        >>> resumed = Frontier(frontier.size, frontier.hashes)
        >>> resumed.append(leaf_hash(b"d"))
        >>> resumed.root() == root_of(leaf_hash(name) for name in (b"a", b"b", b"c", b"d"))
        True
    """

    size: int = 0
    _hashes: list[bytes] = attrs.field(factory=list, converter=_as_list)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.size < SIZE_LIMIT:
            raise Invalid(f"No tree has {self.size} leaves.", field="size", given=self.size)
        if len(self._hashes) != self.size.bit_count():
            raise Invalid(
                f"The frontier of {self.size} leaves has {self.size.bit_count()} hashes, given "
                f"were {len(self._hashes)}. Save size and hashes together.",
                field="hashes",
                given=len(self._hashes),
            )
        for saved in self._hashes:
            if len(saved) != HASH_BYTES:
                _refuse_length(saved)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the perfect trees, the largest first: 32 bytes each, one per 1 in `size`."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add the 32-byte hash of the next leaf."""
        if len(leaf) != HASH_BYTES:
            _refuse_length(leaf)
        complete = self.size
        while complete & 1:  # every trailing 1 is a perfect tree that the new one makes whole
            leaf = node_hash(self._hashes.pop(), leaf)
            complete >>= 1
        self._hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the 32-byte hashes of the next leaves, in their order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The 32-byte root of the tree as it stands (RFC 9162, 2.1.1)."""
        if not self._hashes:
            return EMPTY_ROOT
        *larger, root = self._hashes
        for perfect in reversed(larger):
            root = node_hash(perfect, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The 32-byte root of the tree over these leaf hashes, in their order.

    Example:
        >>> root_of([]).hex()[:16]
        'e3b0c44298fc1c14'
    """
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def _refuse_length(digest: bytes) -> NoReturn:
    raise Invalid(
        f"A hash of the tree is {HASH_BYTES} bytes, given were {len(digest)}. "
        "Hash the content with `leaf_hash` first.",
        field="hash",
        given=len(digest),
    )
