"""Keys in files, and signatures that others made and check."""

from __future__ import annotations

import hashlib
import os
import stat
import sys

import pytest

from ledger.errors import InvalidKey, MissingExtra, SignatureRejected
from ledger.merkle.checkpoint import Checkpoint
from ledger.signing import Cosigner, Ed25519Signer, Policy, Signer
from ledger.signing.keys import signed_by

SEED = hashlib.sha256(b"test log key").digest()
posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


def golden(shared):
    return shared("vectors/golden-bundle")


def test_the_key_of_the_golden_bundle_signs_as_it_did(shared):
    line = (golden(shared) / "log.vkey").read_text().strip()
    signer = Ed25519Signer.from_seed("ledger.example/claims", SEED)
    assert str(signer.verifier_key) == line
    checkpoint = Checkpoint.parse((golden(shared) / "log/checkpoint").read_text("utf-8"))
    assert signed_by(signer, checkpoint.body()) == checkpoint.signatures[0]
    signed = Policy.parse(line).check(checkpoint)
    assert (signed.logs, dict(signed.witnesses)) == (("ledger.example/claims",), {})


def test_the_witness_of_the_golden_bundle_signs_as_it_did(shared):
    checkpoint = Checkpoint.parse((golden(shared) / "log/checkpoint").read_text("utf-8"))
    witness = Cosigner(name="witness.example/w1", seed=hashlib.sha256(b"test witness key").digest())
    key = (golden(shared) / "wit.vkey").read_text().strip()
    assert str(witness.verifier_key) == key
    made = checkpoint.signatures[1]
    assert witness.cosign(checkpoint, int.from_bytes(made.blob[:8], "big")) == made
    log = (golden(shared) / "log.vkey").read_text().strip()
    policy = Policy.parse(f"log {log}\nwitness w {key}\nquorum w\n")
    assert list(policy.check(checkpoint).witnesses) == ["witness.example/w1"]


def test_a_key_reads_back_from_its_file(tmp_path):
    made = Ed25519Signer.generate("weir.example/claims")
    made.save(tmp_path / "key")
    found = Ed25519Signer.read(tmp_path / "key")
    assert found == made
    assert isinstance(found, Signer)
    assert found.sign(b"x") == made.sign(b"x")
    assert "seed" not in repr(made)


@posix
def test_the_file_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "key"
    Ed25519Signer.generate("a").save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for mode in (0o640, 0o604, 0o666, 0o601):
        path.chmod(mode)
        with pytest.raises(InvalidKey, match=rf"mode {mode:o}.*Type: chmod 600"):
            Ed25519Signer.read(path)


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "key"
    made = Ed25519Signer.generate("a")
    made.save(path)
    with pytest.raises(InvalidKey, match="there already"):
        Ed25519Signer.generate("a").save(path)
    assert Ed25519Signer.read(path) == made


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a", "\xff", "x" * 5_000])
def test_a_file_that_holds_no_key_is_refused(tmp_path, text):
    path = tmp_path / "key"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(InvalidKey):
        Ed25519Signer.read(path)
    with pytest.raises(InvalidKey):
        Ed25519Signer.read(tmp_path / "missing")


def test_a_damaged_key_is_refused(tmp_path):
    path = tmp_path / "key"
    Ed25519Signer.generate("a").save(path)
    text = path.read_text()
    path.write_text(text.replace("+a+", "+b+"))
    with pytest.raises(InvalidKey, match="damaged"):
        Ed25519Signer.read(path)
    with pytest.raises(InvalidKey, match="32 secret bytes"):
        Ed25519Signer.from_seed("a", b"short")


def test_without_cryptography_the_extra_is_named(monkeypatch):
    checkpoint = Checkpoint("a", 0, bytes(32))
    signer = Ed25519Signer.generate("a")
    signature = signed_by(signer, checkpoint.body())
    signed = Checkpoint("a", 0, bytes(32), signatures=(signature,))
    for name in ("cryptography.exceptions", "cryptography.hazmat.primitives.asymmetric"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"claimledger\[sign\]"):
        Ed25519Signer.generate("a")
    with pytest.raises(MissingExtra, match=r"claimledger\[sign\]"):
        Policy.parse(str(signer.verifier_key)).check(signed)


def test_a_signature_under_a_known_key_that_is_wrong_is_never_passed_over():
    signer, other = Ed25519Signer.generate("a"), Ed25519Signer.generate("a")
    one, two = Checkpoint("a", 0, bytes(32)), Checkpoint("a", 1, bytes(32))
    signatures = (signed_by(signer, one.body()), signed_by(other, two.body()))
    mixed = Checkpoint("a", 1, bytes(32), signatures=signatures)
    policy = Policy.parse(f"{signer.verifier_key}\n{other.verifier_key}\n")
    with pytest.raises(SignatureRejected, match="changed after it was signed"):
        policy.check(mixed)
    assert Policy.parse(str(other.verifier_key)).check(mixed).logs == ("a",)
    with pytest.raises(SignatureRejected, match="is not signed by a"):
        Policy.parse(str(signer.verifier_key)).check(one)
