"""Trees and proofs of other people's code: Go's sumdb, transparency-dev/merkle, Rekor, tiles.

One deviation from the vectors is allowed, see `NOT_A_HASH`; docs/explanation/merkle-tree.md tells
why.
"""

from __future__ import annotations

import json
from base64 import b64decode
from itertools import chain

import pytest

from ledger.errors import ProofRejected
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.hashing import HASH_BYTES, leaf_hash
from ledger.merkle.proofs import verify_consistency, verify_inclusion
from ledger.merkle.tree import Growth
from tests.merkle.trees import root_of, tree_of

NOT_A_HASH = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"
"""Wanted is that two equal roots of 12 bytes are accepted; here a root is 32 bytes."""

EMPTY_LEAF = "inclusion/single-entry/empty-root-and-leaf.json"
FROM_NOTHING = (
    "consistency/additional/size1-is-zero-and-size2-is-not-zero.json",
    "consistency/additional/sizes-are-equal-zero-and-proof-is-empty.json",
)
"""A verifier that followed the RFC's words alone could accept these; the vectors want them
rejected, and so they are."""


def decoded(case, *names):
    return {name: b64decode(case[name] or "") for name in names}


def accepts_inclusion(case):
    proof = [b64decode(digest) for digest in case["proof"] or ()]
    given = decoded(case, "leafHash", "root")
    try:
        verify_inclusion(
            leaf=given["leafHash"],
            index=case["leafIdx"],
            size=case["treeSize"],
            proof=proof,
            root=given["root"],
        )
    except ProofRejected:
        return False
    return True


def accepts_consistency(case):
    proof = [b64decode(digest) for digest in case["proof"] or ()]
    given = decoded(case, "root1", "root2")
    try:
        verify_consistency(
            old_size=case["size1"],
            old_root=given["root1"],
            new_size=case["size2"],
            new_root=given["root2"],
            proof=proof,
        )
    except ProofRejected:
        return False
    return True


@pytest.mark.parametrize(
    "kind, accepts", [("inclusion", accepts_inclusion), ("consistency", accepts_consistency)]
)
def test_the_verifiers_judge_as_transparency_dev_wants_but_for_one_case(shared, kind, accepts):
    folder = shared("vectors/transparency-dev-merkle")
    judged, wanted = {}, {}
    for path in sorted((folder / kind).rglob("*.json")):
        case = json.loads(path.read_text())
        name = path.relative_to(folder).as_posix()
        judged[name], wanted[name] = accepts(case), not case["wantErr"]
    assert len(judged) == 98
    assert set(wanted.values()) == {True, False}
    differing = {name for name, verdict in judged.items() if verdict != wanted[name]}
    assert differing == ({NOT_A_HASH} if kind == "consistency" else set())


@pytest.mark.parametrize("name", [EMPTY_LEAF, *FROM_NOTHING])
def test_the_cases_the_rfc_leaves_open_are_rejected(shared, name):
    case = json.loads(shared(f"vectors/transparency-dev-merkle/{name}").read_text())
    accepts = accepts_inclusion if name.startswith("inclusion") else accepts_consistency
    assert not accepts(case)


def test_roots_and_proofs_are_the_ones_that_go_prints(shared):
    go = json.loads(shared("vectors/tlog-cross/go-tlog.json").read_text())
    hashes = [leaf_hash(b"leaf-%d" % number) for number in range(1100)]
    roots = {int(size): b64decode(root) for size, root in go["roots"].items()}
    tree = tree_of(hashes)
    assert {size: tree.root(size) for size in roots} == roots
    for index, size, printed in go["inclusion"]:
        proof = tuple(map(b64decode, printed))
        assert tree.inclusion_proof(index, size) == proof
        verify_inclusion(leaf=hashes[index], index=index, size=size, proof=proof, root=roots[size])
    for old, new, printed in go["consistency"]:
        proof = tuple(map(b64decode, printed))
        assert tree.consistency_proof(old, new) == proof
        verify_consistency(
            old_size=old, old_root=roots[old], new_size=new, new_root=roots[new], proof=proof
        )


# -- the bundle -------------------------------------------------------------------------------


def entries_of(bundle):
    """The entries of a tile of entries, each behind its length in two bytes (C2SP tlog-tiles)."""
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return entries


def tiles(log, level):
    whole = sorted(path for path in (log / "tile" / level).iterdir() if path.is_file())
    partial = sorted((log / "tile" / level).glob("*.p/*"))
    return [path.read_bytes() for path in (*whole, *partial)]


def hashes_in(*stored):
    return [tile[at : at + HASH_BYTES] for tile in stored for at in range(0, len(tile), HASH_BYTES)]


@pytest.fixture
def bundle(shared):
    return shared("vectors/golden-bundle")


@pytest.fixture
def hashes(bundle):
    """The leaf hashes of the bundle's 600 entries."""
    stored = tiles(bundle / "log", "entries")
    return [leaf_hash(entry) for entry in chain.from_iterable(map(entries_of, stored))]


def checkpoint_of(path):
    return Checkpoint.parse(path.read_text(encoding="utf-8"))


def proof_and_checkpoint(path):
    """A proof file: words, then one hash to a line, an empty line, a checkpoint."""
    head, _, checkpoint = path.read_text(encoding="utf-8").partition("\n\n")
    digests = [line for line in head.splitlines() if len(line) == 44 and line.endswith("=")]
    return tuple(map(b64decode, digests)), Checkpoint.parse(checkpoint)


def test_the_entries_of_the_bundle_make_its_tiles_and_its_root(bundle, hashes):
    checkpoint = checkpoint_of(bundle / "log" / "checkpoint")
    lowest = tiles(bundle / "log", "0")
    assert len(hashes) == checkpoint.size == 600
    assert hashes_in(*lowest) == hashes
    above = hashes_in(*tiles(bundle / "log", "1"))
    assert above == [root_of(hashes_in(tile)) for tile in lowest[:2]]
    assert tree_of(hashes).root() == checkpoint.root


def test_a_tree_that_goes_on_from_a_whole_tile_reaches_the_root_of_the_bundle(bundle, hashes):
    first, second = hashes_in(*tiles(bundle / "log", "1"))
    growth = Growth()
    growth.graft(first)
    growth.extend(hashes[256:512])
    assert growth.root() == root_of([first, second])
    growth.extend(hashes[512:])
    assert growth.root() == checkpoint_of(bundle / "log" / "checkpoint").root


def test_the_claim_of_the_bundle_is_proved(bundle, hashes):
    proof, checkpoint = proof_and_checkpoint(bundle / "claim.tlog-proof")
    assert proof == tree_of(hashes).inclusion_proof(200, 600)
    verify_inclusion(
        leaf=leaf_hash((bundle / "claim.leaf").read_bytes()),
        index=200,
        size=checkpoint.size,
        proof=proof,
        root=checkpoint.root,
    )


def test_the_old_checkpoint_of_the_bundle_is_continued(bundle, hashes):
    proof, new = proof_and_checkpoint(bundle / "cons.proof")
    old = checkpoint_of(bundle / "old.checkpoint")
    assert proof == tree_of(hashes).consistency_proof(300, 600)
    verify_consistency(
        old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root, proof=proof
    )


def test_an_entry_of_a_public_log_is_proved(shared):
    entry = json.loads(shared("vectors/rekor-v2/rekor_v2_staging.json").read_text())
    checkpoint = Checkpoint.parse(entry["checkpoint"])
    assert checkpoint.root == b64decode(entry["root_b64"])
    case = {
        "leaf": leaf_hash(b64decode(entry["leaf_b64"])),
        "index": entry["index"],
        "size": checkpoint.size,
        "proof": [b64decode(digest) for digest in entry["proof_b64"]],
        "root": checkpoint.root,
    }
    verify_inclusion(**case)
    with pytest.raises(ProofRejected):
        verify_inclusion(**case | {"leaf": leaf_hash(b64decode(entry["leaf_b64"]) + b"\n")})
