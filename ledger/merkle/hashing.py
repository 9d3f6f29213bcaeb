"""The two hashes of the tree, for leaves and for nodes, after RFC 9162, 2.1.1.

How nodes make a tree is in `tree`, what is inside a leaf in `ledger.codec.entry`.

A leaf is hashed behind the byte 0x00, a node behind 0x01. Without the two different bytes a node's
64 bytes could be shown as the content of a leaf.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
"""The length of every hash of the tree, in bytes."""

SIZE_LIMIT: Final = 2**63
"""Every tree is smaller than this, in leaves, so that sizes fit a database's integers."""

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The 32-byte hash of one leaf's content.

    Example:
        >>> leaf_hash(b"leaf-0").hex()[:16]
        '305df59f9590c3c9'
    """
    return sha256(b"\x00" + data).digest()


def leaf_hashes(texts: Iterable[str]) -> list[bytes]:
    """The 32-byte hashes of many leaves that hold texts, in UTF-8, in the time of one loop.

    Example:
        >>> leaf_hashes(["leaf-0"]) == [leaf_hash(b"leaf-0")]
        True
    """
    return [sha256(b"\x00" + text.encode()).digest() for text in texts]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of a node over the hashes of its two children.

    Example:
        >>> node_hash(leaf_hash(b"leaf-0"), leaf_hash(b"leaf-1")).hex()[:16]
        '60a53eed0de87a90'
    """
    return sha256(b"\x01" + left + right).digest()
