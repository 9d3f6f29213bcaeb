"""Inclusion and consistency proofs: which subtrees they are of, and checked against roots.

Hashes are put together in `tree`. Who signed a root, and where the leaves are kept, is not known
here.

Maker and checker walk the same way: from the root down to one leaf, noting the subtree left aside
at each fork. The hashes of those subtrees, the lowest first, are the proof.

```
             root               inclusion of c among 7:   d, ab, efg
        .-----+-----.
      abcd         efg          consistency of 3 with 7:  c, d, ab, efg
     .-+-.        .-+-.           the walk to c, the last leaf of the 3, ends at the first subtree
    ab   cd      ef   g           that ends with the 3; its own hash comes first, unless it is the
   a  b c  d    e  f              whole old tree, whose hash the checker has: 4 with 7 is just efg
```
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import Invalid, ProofRejected
from ledger.merkle.hashing import HASH_BYTES, SIZE_LIMIT, node_hash


def inclusion_subtrees(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees whose hashes are the proof, each by its first leaf and the one behind its last.

    Raises:
        Invalid: there is no such leaf in a tree of that size.

    Example:
        >>> inclusion_subtrees(2, 7)
        [(3, 4), (0, 2), (4, 7)]

    Follows RFC 9162, 2.1.3.1.
    """
    if not 0 <= index < size < SIZE_LIMIT:
        raise Invalid(f"A tree of {size} leaves has no leaf {index}.", field="index", given=index)
    return _walk(index, size)[1]


def consistency_subtrees(old: int, new: int) -> list[tuple[int, int]]:
    """As `inclusion_subtrees`, for the proof that a tree continues an older one.

    Raises:
        Invalid: `old` is 0 or greater than `new`.

    Example:
        >>> consistency_subtrees(3, 7)
        [(2, 3), (3, 4), (0, 2), (4, 7)]

    Follows RFC 9162, 2.1.4.1.
    """
    if not 0 < old <= new < SIZE_LIMIT:
        raise Invalid(
            f"There is no proof from {old} leaves to {new}: both trees must hold a leaf, and the "
            "later one all leaves of the earlier.",
            field="old",
            given=old,
        )
    start, aside = _walk(old - 1, new, end=old)
    return [(start, old), *aside] if start else aside


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash is at `index` in the tree of `size` leaves with that root.

    Nothing given is trusted: sizes, lengths and the number of hashes are checked first. But size
    and root must come from one checkpoint: a proof fits every size that gives its walk one shape.

    Raises:
        ProofRejected: it is not, or the proof does not show it.

    Follows RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size < SIZE_LIMIT:
        raise ProofRejected(f"A tree of {size} leaves has no leaf {index}.")
    _check_lengths(leaf, root, *proof)
    _, aside = _walk(index, size)
    _check_count(proof, len(aside))
    reached = leaf
    for (start, _), sibling in zip(aside, proof, strict=True):
        left, right = (sibling, reached) if start < index else (reached, sibling)
        reached = node_hash(left, right)
    if reached != root:
        raise ProofRejected(
            f"The proof leads from leaf {index} to the root {reached.hex()}, not to "
            f"{root.hex()}: another leaf, another place or another tree.",
            sequence=index,
        )


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` leaves begins with all leaves of the older one.

    An empty old tree is refused: every tree continues it, so that there is nothing to prove.

    Raises:
        ProofRejected: it does not, or the proof does not show it.

    Follows RFC 9162, 2.1.4.2.
    """
    if not 0 < old_size <= new_size < SIZE_LIMIT:
        raise ProofRejected(f"No proof leads from {old_size} leaves to {new_size}.")
    _check_lengths(old_root, new_root, *proof)
    start, aside = _walk(old_size - 1, new_size, end=old_size)
    _check_count(proof, len(aside) + bool(start))
    old = new = proof[0] if start else old_root
    for (low, _), sibling in zip(aside, proof[bool(start) :], strict=True):
        if low < start:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    for size, reached, root in ((old_size, old, old_root), (new_size, new, new_root)):
        if reached != root:
            raise ProofRejected(
                f"The proof leads to the root {reached.hex()} for {size} leaves, not to "
                f"{root.hex()}: the log was rewritten, or the proof belongs to other trees."
            )


def _walk(index: int, size: int, end: int | None = None) -> tuple[int, list[tuple[int, int]]]:
    """Where the subtree begins at which the walk to a leaf ends, and those aside, lowest first.

    The walk ends at the leaf, or at the first subtree whose last leaf comes before `end`.
    """
    aside = []
    low, high = 0, size
    while high - low > 1 and high != end:
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if index < middle:
            aside.append((middle, high))
            high = middle
        else:
            aside.append((low, middle))
            low = middle
    return low, aside[::-1]


def _check_lengths(*hashes: bytes) -> None:
    for digest in hashes:
        if len(digest) != HASH_BYTES:
            raise ProofRejected(
                f"Leaf, roots and proof are hashes of {HASH_BYTES} bytes; one has {len(digest)}."
            )


def _check_count(proof: Sequence[bytes], needed: int) -> None:
    if len(proof) != needed:
        raise ProofRejected(f"The proof has {len(proof)} hashes; these sizes need {needed}.")
