"""One claim is proved to whoever has a checkpoint; and that the log has only grown since."""

from __future__ import annotations

import pytest

from ledger import Checkpoint, Ledger, Topic
from ledger.errors import (
    InconsistentCheckpoint,
    Invalid,
    ProofRejected,
    RootMismatch,
    TamperEvidence,
    UnknownClaim,
    UnknownEvent,
)
from ledger.merkle.hashing import leaf_hash
from ledger.merkle.written import GrowthProof, InclusionProof


def test_a_claim_is_proved_by_its_text_its_entry_and_a_checkpoint(ledger, signer):
    kept = ledger.checkpoint(signer=signer)
    ledger.register(Topic("later", label="Later"))
    proof = ledger.prove("c1", checkpoint=kept)
    proof.verify()
    read = InclusionProof.parse(f"{proof}\n")
    read.verify(proof.entry)
    assert read.checkpoint == kept
    assert read.checkpoint.signatures == kept.signatures
    trace = ledger.trace("c1")
    assert proof.sequence == trace.sequence
    assert leaf_hash(proof.entry).hex() == trace.leaf_hash
    with pytest.raises(ProofRejected):
        read.verify(ledger.prove("c2").entry)


def test_any_entry_is_proved_by_its_sequence(ledger):
    size = ledger.checkpoint().size
    for sequence in range(size):
        ledger.prove(sequence).verify()
    with pytest.raises(UnknownEvent, match=f"no entry at sequence {size} among the {size}"):
        ledger.prove(size)


def test_what_came_after_the_checkpoint_is_not_proved_by_it(ledger):
    early = ledger.checkpoint(3)
    with pytest.raises(UnknownEvent, match="Take a newer one"):
        ledger.prove("c1", checkpoint=early)
    ledger.prove(2, checkpoint=str(early)).verify()


def test_a_newer_checkpoint_handed_in_first_is_no_sign_of_tampering(ledger):
    older, newer = ledger.checkpoint(3), ledger.checkpoint()
    with pytest.raises(Invalid, match=r"Write prove_growth\(older, newer\)") as caught:
        ledger.prove_growth(newer, older)
    assert not isinstance(caught.value, TamperEvidence)
    ledger.prove_growth(older, newer).verify(older)


def test_an_unknown_claim_is_told_with_near_ones(ledger):
    with pytest.raises(UnknownClaim, match="'c1'"):
        ledger.prove("c11")


def test_a_checkpoint_of_other_entries_proves_nothing(ledger):
    kept = ledger.checkpoint()
    for wrong, error in (
        (Checkpoint(kept.origin, kept.size, bytes(32)), RootMismatch),
        (Checkpoint(kept.origin, kept.size + 1, kept.root), InconsistentCheckpoint),
        (Checkpoint("other.example", kept.size, kept.root), InconsistentCheckpoint),
    ):
        for ask in (
            lambda given: ledger.prove("c1", checkpoint=given),
            ledger.prove_growth,
            lambda given: ledger.prove_growth(1, given),
        ):
            with pytest.raises(error):
                ask(wrong)


def test_growth_is_proved_between_all_sizes(ledger):
    size = ledger.checkpoint().size
    kept = [ledger.checkpoint(one) for one in range(size + 1)]
    for new in range(size + 1):
        for old in range(new + 1):
            proof = ledger.prove_growth(kept[old], kept[new])
            assert ledger.prove_growth(old, new) == proof
            GrowthProof.parse(str(proof)).verify(kept[old])
    assert ledger.prove_growth(3).checkpoint == kept[-1]
    with pytest.raises(UnknownEvent):
        ledger.prove_growth(-1)
    with pytest.raises(UnknownEvent):
        ledger.prove_growth(5, 4)


def test_every_log_continues_the_empty_one_whose_root_is_known(ledger):
    growth = ledger.prove_growth(0)
    growth.verify(ledger.checkpoint(0))
    with pytest.raises(ProofRejected, match="counts no entries"):
        growth.verify(Checkpoint(ledger.origin, 0, bytes(32)))


def test_a_log_that_was_rewritten_has_no_proof_of_growth(ledger, tmp_path):
    kept = ledger.checkpoint()
    with Ledger.open(tmp_path / "other.db", origin=ledger.origin) as other:
        other.register_all(Topic(f"t{one}", label="T") for one in range(kept.size + 3))
        with pytest.raises(RootMismatch, match="rewritten since"):
            other.prove_growth(kept)
