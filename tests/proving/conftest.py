"""What the tests of proofs share: a weir, a board that spoke of it, and a key."""

from __future__ import annotations

import pytest

from ledger import Document, Ledger, Party, Proposition, Topic
from ledger.signing import CheckpointSigner, Ed25519Signer, FileMemory

ORIGIN = "weir.example/claims"
KEY = Ed25519Signer.from_seed(ORIGIN, bytes(range(32)))


def spoken(ledger):
    ledger.register_all(
        [
            Party("board", name="Weir Board"),
            Party("millers", name="Millers' Guild"),
            Topic("weir", label="The weir"),
            Proposition("safe", text="The weir is safe", topic="weir"),
            Document("notice", publisher="board", text="The weir is safe, says the board."),
            Party("other", name="Somebody else"),
        ]
    )
    said = {"proposition": "safe", "uttered": "2024-03-01"}
    ledger.record(
        id="c1", claimant="board", act="assert", document="notice", quote="is safe", **said
    )
    ledger.record(id="c2", claimant="millers", act="deny", **said)
    ledger.relate("c2", "disputes", "c1")
    ledger.amend("c1", reason="left out", note="read aloud")
    ledger.withdraw("c2", claimant="millers", uttered="2024-03-05", note="sorry")
    return ledger


@pytest.fixture
def ledger(database):
    with Ledger.open(database, origin=ORIGIN) as opened:
        yield spoken(opened)


@pytest.fixture
def signer(tmp_path):
    return CheckpointSigner(FileMemory(tmp_path / "signed"), KEY)


@pytest.fixture
def verifier_key():
    return str(KEY.verifier_key)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"
