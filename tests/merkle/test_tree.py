"""The tree by tiles: held against the plain recursions of RFC 9162."""

from __future__ import annotations

import functools
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Invalid, InvalidBundle, MissingEntry
from ledger.merkle.hashing import leaf_hash, node_hash
from ledger.merkle.tiles import bundled, place, tile_path, unbundled, widths
from ledger.merkle.tree import Growth, Tree
from tests.merkle.trees import path_of, root_of, subproof_of

LEAVES = [leaf_hash(b"leaf-%d" % number) for number in range(70_000)]
EDGES = [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000, 69_999]
sizes = st.one_of(st.sampled_from(EDGES), st.integers(0, 3_000))
few = settings(max_examples=25)


def kept():
    """All 70,000 leaves, with the roots of their whole tiles by level."""
    levels = {0: LEAVES}
    growth = Growth(whole=lambda level, _, root: levels.setdefault(level, []).append(root))
    growth.extend(LEAVES)
    return growth, levels


GROWTH, LEVELS = kept()


class Reads:
    """What a tree asks for, with how much it asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, level, start, stop):
        self.asked.append((level, start, stop))
        return LEVELS.get(level, [])[start:stop]


@functools.cache
def root_at(size):
    return root_of(LEAVES[:size])


def test_a_leaf_and_a_node_over_the_same_bytes_have_different_hashes():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()


def test_the_roots_of_whole_tiles_are_the_roots_over_their_leaves():
    assert {level: len(found) for level, found in LEVELS.items()} == {0: 70_000, 8: 273, 16: 1}
    assert LEVELS[8][7] == root_of(LEAVES[7 * 256 : 8 * 256])
    assert LEVELS[16][0] == root_of(LEAVES[:65_536])
    assert (GROWTH.size, GROWTH.root()) == (70_000, root_of(LEAVES))


@given(st.integers(0, 1_200), st.data())
def test_a_tree_that_grows_in_any_steps_has_the_root_of_the_plain_recursion(size, data):
    growth, done = Growth(), 0
    while done < size:
        step = data.draw(st.integers(1, size - done))
        growth.extend(LEAVES[done : done + step])
        done += step
        assert growth.size == done
    assert growth.root() == root_of(LEAVES[:size])


@given(sizes)
@few
def test_a_root_is_read_from_few_hashes(size):
    reads = Reads()
    tree = Tree(reads, 70_000)
    assert tree.root(size) == root_at(size)
    assert len(reads.asked) <= 3
    assert all(stop - start <= 256 for _, start, stop in reads.asked)


@given(sizes.filter(bool), st.data())
@few
def test_an_inclusion_proof_is_that_of_the_leaves_by_a_few_reads(size, data):
    index = data.draw(st.one_of(st.just(size - 1), st.integers(0, size - 1)))
    reads = Reads()
    found = Tree(reads, 70_000).inclusion_proof(index, size)
    assert found == path_of(index, LEAVES[:size])
    assert len(reads.asked) <= 5
    assert all(stop - start <= 256 for _, start, stop in reads.asked)


@given(sizes.filter(bool), sizes.filter(bool))
@few
def test_a_consistency_proof_is_that_of_the_leaves_by_a_few_reads(one, other):
    old, new = sorted((one, other))
    reads = Reads()
    found = Tree(reads, 70_000).consistency_proof(old, new)
    assert found == subproof_of(old, LEAVES[:new])
    assert len(reads.asked) <= 5


@given(sizes, st.integers(0, 600))
@few
def test_a_tree_goes_on_from_what_is_kept_of_it(size, more):
    resumed = Growth.resumed(Reads(), size)
    resumed.extend(LEAVES[size : size + more])
    assert resumed.root() == root_at(size + more)


@given(st.integers(0, 273), st.integers(0, 300))
@few
def test_whole_tiles_may_be_put_in_by_their_roots(tiles, more):
    growth = Growth()
    for root in LEVELS[8][:tiles]:
        growth.graft(root)
    growth.extend(LEAVES[tiles * 256 : tiles * 256 + more])
    assert growth.root() == root_at(tiles * 256 + more)


def test_a_tile_cannot_be_put_behind_half_a_tile():
    growth = Growth()
    growth.extend(LEAVES[:3])
    with pytest.raises(Invalid, match="3 leaves does not end with a whole tile"):
        growth.graft(LEVELS[8][0])


def test_hashes_that_are_not_there_are_missed():
    with pytest.raises(MissingEntry, match="44 hashes of level 0 were asked for from 256 on, 0"):
        Tree(lambda level, start, stop: LEVELS[level][start : min(stop, 100)], 300).root()
    with pytest.raises(Invalid):
        Tree(Reads(), -1)


# -- tiles as files -----------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_entries_read_back_from_their_tile(entries):
    assert unbundled(bundled(entries)) == entries


@pytest.mark.parametrize(
    "data", [b"\0", b"\0\x03ab", b"\0\x01a\0", bytes(2 * 257), bundled([b"a"]) + b"\xff\xffb"]
)
def test_a_tile_of_entries_that_does_not_end_with_one_is_refused(data):
    with pytest.raises(InvalidBundle):
        unbundled(data)


@given(st.binary(max_size=2_000))
def test_no_bytes_break_the_reader_of_entries(data):
    try:
        entries = unbundled(data)
    except InvalidBundle:
        return
    assert bundled(entries) == data


def test_tiles_are_called_as_the_specification_has_it():
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(1, 1_234_067) == "tile/1/x001/x234/067"
    assert tile_path("entries", 5, 1) == "tile/entries/005.p/1"
    assert place(1_000, 7) == "x001/000.p/7"


@given(st.integers(0, 10**7), st.integers(0, 3))
def test_the_tiles_of_a_level_hold_its_hashes(size, level):
    found = list(widths(size, level))
    assert sum(width for _, width in found) == size >> (8 * level)
    assert [index for index, _ in found] == list(range(len(found)))
