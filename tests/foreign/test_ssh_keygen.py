"""A signature on one entry is accepted by `ssh-keygen`, and those of `ssh-keygen` here."""

from __future__ import annotations

import base64
import shutil
import subprocess

import pytest

from ledger import Ledger, Topic
from ledger.errors import SignatureRejected
from ledger.merkle.note import COSIGNATURE, ED25519, VerifierKey
from ledger.signing import Ed25519Signer, allowed_signer, ssh_signature, verify_ssh_signature

NAME = "weir.example/claims"


@pytest.fixture
def keygen(tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs ssh-keygen; on Debian: apt-get install openssh-client")

    def run(*args, given=b""):
        return subprocess.run(
            ["ssh-keygen", *map(str, args)],
            input=given,
            capture_output=True,
            check=False,
            cwd=tmp_path,
        )

    return run


@pytest.fixture
def entry():
    with Ledger.open(":memory:", origin=NAME) as ledger:
        ledger.register(Topic("t", label="T"))
        return ledger.prove(0).entry


def test_ssh_keygen_accepts_what_was_signed_and_nothing_else(keygen, entry, tmp_path):
    signer = Ed25519Signer.generate(NAME)
    (tmp_path / "allowed").write_text(f"{allowed_signer(signer.verifier_key)}\n")
    (tmp_path / "entry.sig").write_text(ssh_signature(signer, entry))

    def accepts(data, name=NAME, namespace="claimledger"):
        options = ("-f", "allowed", "-I", name, "-n", namespace, "-s", "entry.sig")
        return keygen("-Y", "verify", *options, given=data).returncode == 0

    assert accepts(entry)
    assert not accepts(entry + b" ")
    assert not accepts(entry, name="other.example")
    assert not accepts(entry, namespace="file")
    (tmp_path / "entry.sig").write_text(ssh_signature(Ed25519Signer.generate(NAME), entry))
    assert not accepts(entry)


def test_what_ssh_keygen_signed_is_accepted_here(keygen, entry, tmp_path):
    made = keygen("-q", "-t", "ed25519", "-N", "", "-f", "key")
    assert made.returncode == 0, made.stderr
    public = base64.b64decode((tmp_path / "key.pub").read_text().split()[1])
    key = VerifierKey(NAME, ED25519, public[-32:])
    (tmp_path / "entry").write_bytes(entry)
    assert keygen("-Y", "sign", "-f", "key", "-n", "claimledger", "entry").returncode == 0
    text = (tmp_path / "entry.sig").read_text()
    verify_ssh_signature(key, text, entry)
    for other, changed, data in (
        (VerifierKey(NAME, ED25519, bytes(32)), text, entry),
        (key, text, entry + b" "),
        (key, text.replace("BEGIN", "BEGAN"), entry),
        (key, text[:60] + text[61:], entry),
        (key, "", entry),
        (VerifierKey(NAME, COSIGNATURE, public[-32:]), text, entry),
    ):
        with pytest.raises(SignatureRejected):
            verify_ssh_signature(other, changed, data)
    (tmp_path / "entry.sig").unlink()
    assert keygen("-Y", "sign", "-f", "key", "-n", "file", "entry").returncode == 0
    with pytest.raises(SignatureRejected):
        verify_ssh_signature(key, (tmp_path / "entry.sig").read_text(), entry)
