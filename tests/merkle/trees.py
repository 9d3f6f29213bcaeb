"""A tree of leaves at hand; and RFC 9162 to the letter, against which roots and proofs are held."""

from __future__ import annotations

import hashlib

from ledger.merkle.tree import Growth, Tree


def tree_of(leaves):
    """A tree with the roots of its whole tiles."""
    levels = {0: leaves}
    growth = Growth(whole=lambda level, _, root: levels.setdefault(level, []).append(root))
    growth.extend(leaves)
    return Tree(lambda level, start, stop: levels.get(level, [])[start:stop], len(leaves))


def root_of(leaves):
    """RFC 9162, 2.1.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _fork(len(leaves))
    left, right = root_of(leaves[:k]), root_of(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def path_of(index, leaves):
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return ()
    k = _fork(len(leaves))
    if index < k:
        return (*path_of(index, leaves[:k]), root_of(leaves[k:]))
    return (*path_of(index - k, leaves[k:]), root_of(leaves[:k]))


def subproof_of(old, leaves, *, whole=True):
    """RFC 9162, 2.1.4.1."""
    if old == len(leaves):
        return () if whole else (root_of(leaves),)
    k = _fork(len(leaves))
    if old <= k:
        return (*subproof_of(old, leaves[:k], whole=whole), root_of(leaves[k:]))
    return (*subproof_of(old - k, leaves[k:], whole=False), root_of(leaves[:k]))


def _fork(size):
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
