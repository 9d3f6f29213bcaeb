"""Proofs, against the recursions of RFC 9162 written out, and against all that is no proof."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Invalid, ProofRejected
from ledger.merkle.hashing import leaf_hash
from ledger.merkle.proofs import verify_consistency, verify_inclusion
from tests.merkle.trees import path_of, root_of, subproof_of, tree_of

LEAVES = [leaf_hash(b"leaf-%d" % number) for number in range(300)]
TREE = tree_of(LEAVES)


@st.composite
def inclusions(draw):
    size = draw(st.integers(1, len(LEAVES)))
    index = draw(st.integers(0, size - 1))
    return {
        "leaf": LEAVES[index],
        "index": index,
        "size": size,
        "proof": TREE.inclusion_proof(index, size),
        "root": root_of(LEAVES[:size]),
    }


@st.composite
def consistencies(draw):
    new = draw(st.integers(1, len(LEAVES)))
    old = draw(st.integers(1, new))
    return {
        "old_size": old,
        "old_root": root_of(LEAVES[:old]),
        "new_size": new,
        "new_root": root_of(LEAVES[:new]),
        "proof": TREE.consistency_proof(old, new),
    }


def flipped(digest, bit):
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@st.composite
def tampered(draw, honest, hashes, numbers, steps):
    """An honest proof with one thing changed: a bit, a number, or the hashes' count or order."""
    case: dict[str, Any] = dict(draw(honest))
    proof = list(case["proof"])
    ways = ["hash", "number", "add"] + ["proof", "drop", "turn"] * bool(proof)
    match draw(st.sampled_from(ways)):
        case "hash":
            name = draw(st.sampled_from(hashes))
            case[name] = flipped(case[name], draw(st.integers(0, 255)))
        case "number":
            case[draw(st.sampled_from(numbers))] += draw(st.sampled_from(steps))
        case "add":
            proof.insert(draw(st.integers(0, len(proof))), draw(st.sampled_from(LEAVES)))
        case "proof":
            place = draw(st.integers(0, len(proof) - 1))
            proof[place] = flipped(proof[place], draw(st.integers(0, 255)))
        case "drop":
            del proof[draw(st.integers(0, len(proof) - 1))]
        case _:
            proof = [*proof[1:], proof[0]] if len(proof) > 1 else []
    return case | {"proof": tuple(proof)}


# -- made proofs ------------------------------------------------------------------------------


@given(inclusions())
def test_an_inclusion_proof_is_the_one_of_the_plain_recursion_and_is_accepted(case):
    assert case["proof"] == path_of(case["index"], LEAVES[: case["size"]])
    verify_inclusion(**case)


@given(consistencies())
def test_a_consistency_proof_is_the_one_of_the_plain_recursion_and_is_accepted(case):
    hashes = LEAVES[: case["new_size"]]
    assert case["proof"] == subproof_of(case["old_size"], hashes)
    verify_consistency(**case)


def test_every_proof_of_every_small_tree_is_accepted():
    for size in range(1, 20):
        root = root_of(LEAVES[:size])
        for i in range(size):
            proof = TREE.inclusion_proof(i, size)
            verify_inclusion(leaf=LEAVES[i], index=i, size=size, proof=proof, root=root)
            verify_consistency(
                old_size=i + 1,
                old_root=root_of(LEAVES[: i + 1]),
                new_size=size,
                new_root=root,
                proof=TREE.consistency_proof(i + 1, size),
            )


@pytest.mark.parametrize("index, size", [(0, 0), (1, 1), (-1, 5), (5, 5), (0, 2**63)])
def test_no_inclusion_proof_is_made_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(Invalid):
        TREE.inclusion_proof(index, size)


@pytest.mark.parametrize("old, new", [(0, 0), (0, 5), (-1, 5), (6, 5), (1, 2**63)])
def test_no_consistency_proof_is_made_of_sizes_that_have_none(old, new):
    with pytest.raises(Invalid):
        TREE.consistency_proof(old, new)


# -- what is no proof -------------------------------------------------------------------------


@given(tampered(inclusions(), ["leaf", "root"], ["index"], [-1, 1, 64, 2**63, -(2**63)]))
def test_an_inclusion_proof_with_one_thing_changed_is_rejected(case):
    with pytest.raises(ProofRejected):
        verify_inclusion(**case)


@given(
    tampered(
        consistencies(),
        ["old_root", "new_root"],
        ["old_size", "new_size"],
        [2**63, -(2**63)],  # sizes near by may make trees of one shape, see below
    )
)
def test_a_consistency_proof_with_one_thing_changed_is_rejected(case):
    with pytest.raises(ProofRejected):
        verify_consistency(**case)


def test_a_proof_alone_does_not_tell_sizes_of_one_shape_apart():
    proof = TREE.inclusion_proof(0, 3)
    verify_inclusion(leaf=LEAVES[0], index=0, size=4, proof=proof, root=root_of(LEAVES[:3]))


@given(inclusions(), st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
def test_sizes_of_any_magnitude_are_rejected_without_long_loops(case, index, size):
    with pytest.raises(ProofRejected):
        verify_inclusion(**case | {"index": index, "size": size, "root": bytes(32)})


@pytest.mark.parametrize("length", [0, 31, 33, 64])
@pytest.mark.parametrize("name", ["leaf", "root"])
def test_hashes_of_another_length_are_rejected_even_where_they_match(name, length):
    case: dict[str, Any] = {
        "leaf": LEAVES[0],
        "root": LEAVES[0],
        "index": 0,
        "size": 1,
        "proof": (),
    }
    verify_inclusion(**case)
    with pytest.raises(ProofRejected, match="32 bytes"):
        verify_inclusion(**case | {"leaf": bytes(length), "root": bytes(length)})
    with pytest.raises(ProofRejected, match="32 bytes"):
        verify_inclusion(**case | {name: bytes(length)})


def test_a_node_shown_as_a_leaf_is_rejected():
    content = LEAVES[0] + LEAVES[1]  # the 64 bytes under the root of two leaves
    with pytest.raises(ProofRejected):
        verify_inclusion(
            leaf=leaf_hash(content), index=0, size=1, proof=(), root=root_of(LEAVES[:2])
        )


def test_nothing_is_proved_from_an_empty_tree():
    with pytest.raises(ProofRejected, match="from 0 leaves"):
        verify_consistency(
            old_size=0, old_root=root_of([]), new_size=1, new_root=LEAVES[0], proof=()
        )


def test_the_message_names_the_leaf_and_both_roots():
    wrong = root_of(LEAVES[:3])
    with pytest.raises(ProofRejected) as caught:
        verify_inclusion(
            leaf=LEAVES[1], index=1, size=2, proof=TREE.inclusion_proof(1, 2), root=wrong
        )
    assert caught.value.sequence == 1
    assert "leaf 1" in str(caught.value)
    assert wrong.hex() in str(caught.value)
    assert root_of(LEAVES[:2]).hex() in str(caught.value)
