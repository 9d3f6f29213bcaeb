"""Roots, against the recursion of RFC 9162 written out."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Invalid
from ledger.merkle.frontier import Frontier, root_of
from ledger.merkle.hashing import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash

LEAVES = [leaf_hash(b"leaf-%d" % number) for number in range(300)]


def plain_root(leaves):
    """RFC 9162, 2.1.1, to the letter."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    left, right = plain_root(leaves[:k]), plain_root(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_a_leaf_and_a_node_over_the_same_bytes_have_different_hashes():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()


def test_the_root_of_every_size_is_the_one_of_the_plain_recursion():
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES):
        assert frontier.root() == plain_root(LEAVES[:size])
        frontier.append(leaf)


def test_a_tree_without_leaves_has_the_root_of_no_bytes():
    assert Frontier().root() == root_of([]) == EMPTY_ROOT


@given(st.data())
def test_a_frontier_saved_at_any_size_goes_on_as_if_never_interrupted(data):
    size = data.draw(st.integers(0, len(LEAVES)))
    saved_at = data.draw(st.integers(0, size))
    first = Frontier()
    first.extend(LEAVES[:saved_at])
    resumed = Frontier(first.size, first.hashes)
    assert resumed == first
    resumed.extend(LEAVES[saved_at:size])
    assert resumed.size == size
    assert resumed.root() == plain_root(LEAVES[:size])
    assert len(resumed.hashes) == size.bit_count()


def test_what_was_saved_does_not_change_when_the_frontier_goes_on():
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    saved = frontier.hashes
    frontier.append(LEAVES[5])
    assert saved == Frontier(5, saved).hashes != frontier.hashes


@pytest.mark.parametrize(
    "size, hashes",
    [
        (1, []),
        (0, [LEAVES[0]]),
        (3, [LEAVES[0]]),
        (4, [LEAVES[0], LEAVES[1]]),
        (-1, [LEAVES[0]]),
        (2**63, [LEAVES[0]]),
        (1, [b"too short"]),
        (1, [bytes(HASH_BYTES + 1)]),
    ],
)
def test_hashes_that_are_no_frontier_of_that_size_are_refused(size, hashes):
    with pytest.raises(Invalid):
        Frontier(size, hashes)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_that_was_not_hashed_is_refused(length):
    frontier = Frontier()
    with pytest.raises(Invalid, match="leaf_hash"):
        frontier.append(bytes(length))
    assert frontier == Frontier()
