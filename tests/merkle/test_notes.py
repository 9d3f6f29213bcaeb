"""Signed notes, verifier keys and proofs as texts: read back, and refused where they are none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import (
    InconsistentCheckpoint,
    Invalid,
    InvalidCheckpoint,
    InvalidKey,
    InvalidNote,
    InvalidProof,
    ProofRejected,
)
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.hashing import leaf_hash
from ledger.merkle.note import COSIGNATURE, ED25519, Signature, VerifierKey, parse_signatures
from ledger.merkle.tree import Tree
from ledger.merkle.written import GrowthProof, InclusionProof

names = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters="+"),
    min_size=1,
).filter(lambda name: not any(map(str.isspace, name)))
signatures = st.builds(
    Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)
)
LEAVES = [leaf_hash(b"leaf-%d" % number) for number in range(600)]
TREE = Tree(lambda _, start, stop: LEAVES[start:stop], 255)


# -- notes and keys -----------------------------------------------------------------------------


def test_the_note_and_the_key_of_the_specification_are_read(shared):
    example = json.loads(shared("vectors/c2sp/signed-note-example.json").read_text())
    key = VerifierKey.parse(example["vkey"])
    text, _, below = example["note"].partition("\n\n")
    (signature,) = parse_signatures(below)
    assert text == "This is an example message."
    assert (f"{signature}\n", str(key)) == (below, example["vkey"])
    assert key.names(signature)


@pytest.mark.parametrize("name, kind", [("log", ED25519), ("wit", COSIGNATURE), ("wit44", 6)])
def test_keys_of_other_makers_are_read(shared, name, kind):
    line = shared(f"vectors/golden-bundle/{name}.vkey").read_text()
    key = VerifierKey.parse(line)
    assert (key.kind, str(key)) == (kind, line.strip())


@given(st.lists(signatures, min_size=1))
def test_every_signature_reads_back(signed):
    assert parse_signatures("\n".join(map(str, signed))) == tuple(signed)


@given(names, st.binary(min_size=32, max_size=32), st.sampled_from([ED25519, COSIGNATURE]))
def test_every_key_reads_back(name, key, kind):
    made = VerifierKey(name, kind, key)
    assert VerifierKey.parse(str(made)) == made


@pytest.mark.parametrize(
    "below",
    [
        "",
        "no dash\n",
        "— name\n",
        "— name AAAA\n",
        "— na+me AAAAAAAA\n",
        "— name AAAAAAAB=\n",
        "— name AAAAAAAA\r\n",
        "— name AAAAAAAA\n" * 101,
    ],
)
def test_what_is_no_signature_is_refused_below_a_note(below):
    with pytest.raises(InvalidNote):
        parse_signatures(below)


KEY = str(VerifierKey("log.example", ED25519, bytes(32)))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "log.example",
        KEY[:-1],
        KEY.replace("log", "lag"),
        KEY.replace("+", "+0", 1),
        KEY + "\nx",
    ],
)
def test_a_line_that_is_no_key_or_another_ones_is_refused(line):
    with pytest.raises(InvalidKey):
        VerifierKey.parse(line)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u2028b"])
def test_a_name_that_no_key_can_bear_is_refused(name):
    with pytest.raises(InvalidKey, match="cannot be called"):
        VerifierKey(name, ED25519, bytes(32))


@given(st.text())
def test_no_text_breaks_the_readers(text):
    for read in (parse_signatures, VerifierKey.parse, InclusionProof.parse, GrowthProof.parse):
        try:
            read(text)
        except Invalid:
            continue


# -- proofs -------------------------------------------------------------------------------------


def checkpoint(size):
    return Checkpoint("log.example", size, TREE.root(size))


def inclusion(index, size):
    hashes = TREE.inclusion_proof(index, size)
    return InclusionProof(index=index, hashes=hashes, checkpoint=checkpoint(size))


def growth(old, new):
    hashes = TREE.consistency_proof(old, new) if old else ()
    return GrowthProof(old=old, hashes=hashes, checkpoint=checkpoint(new))


@given(st.integers(1, 255), st.data())
def test_a_proof_of_an_entry_reads_back_and_holds_for_it_alone(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(index, size)
    assert InclusionProof.parse(str(proof)) == proof
    proof.verify(b"leaf-%d" % index)
    with pytest.raises(ProofRejected):
        proof.verify(b"leaf-%d" % (index + 1))


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_proof_of_growth_reads_back_and_holds_for_what_was_kept(one, other):
    old, new = sorted((one, other))
    proof = growth(old, new)
    assert GrowthProof.parse(str(proof)) == proof
    proof.verify(checkpoint(old))
    if old:
        with pytest.raises(ProofRejected):
            proof.verify(Checkpoint("log.example", old, bytes(32)))
    with pytest.raises(InconsistentCheckpoint, match="Ask for a proof from there"):
        proof.verify(Checkpoint("other.example", old, TREE.root(old)))


@given(st.integers(1, 200), st.data())
def test_a_proof_with_one_character_changed_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    text = str(inclusion(index, size))
    at = data.draw(st.integers(len("c2sp.org/tlog-proof@v1\n"), len(text) - 2))
    letter = data.draw(st.sampled_from("A0=\n z"))
    try:
        found = InclusionProof.parse(text[:at] + letter + text[at + 1 :])
        found.verify(b"leaf-%d" % index)
    except (InvalidProof, InvalidCheckpoint, ProofRejected):
        return
    # Accepted is what says the same: origin and size are what a signature covers, not a proof.
    same = (index, inclusion(index, size).hashes, TREE.root(size))
    assert (found.index, found.hashes, found.checkpoint.root) == same


def test_the_proofs_of_other_makers_are_the_same_texts(shared):
    bundle = shared("vectors/golden-bundle")
    for name, read in (("claim.tlog-proof", InclusionProof), ("cons.proof", GrowthProof)):
        text = (bundle / name).read_text("utf-8")
        assert str(read.parse(text)) == text
    proof = InclusionProof.parse((bundle / "claim.tlog-proof").read_text("utf-8"))
    proof.verify((bundle / "claim.leaf").read_bytes())
    old = Checkpoint.parse((bundle / "old.checkpoint").read_text("utf-8"))
    GrowthProof.parse((bundle / "cons.proof").read_text("utf-8")).verify(old)


def test_what_a_log_adds_for_its_own_use_is_left_aside():
    text = str(inclusion(3, 7))
    added = text.replace("index", "extra AAAA\nindex")
    assert InclusionProof.parse(added) == InclusionProof.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "index 1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx\n",
        "c2sp.org/tlog-proof@v1\n\nx\n",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nx\n",
        "old 3\n\n",
        "x" * 1_000_001,
    ],
)
def test_a_text_that_is_no_proof_is_refused(text):
    for read in (InclusionProof.parse, GrowthProof.parse):
        with pytest.raises((InvalidProof, InvalidCheckpoint)):
            read(text)


def test_more_hashes_than_any_tree_needs_are_refused():
    lines = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 127
    with pytest.raises(InvalidProof, match="No proof has 127 hashes"):
        GrowthProof.parse(f"old 3\n{lines}\n{checkpoint(7)}\n")
