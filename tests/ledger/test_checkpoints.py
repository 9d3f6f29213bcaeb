"""Checkpoints kept outside, the log held against them, and the proof that a trace carries."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from ledger import Checkpoint, Ledger, Topic
from ledger.errors import (
    InconsistentCheckpoint,
    InvalidCheckpoint,
    ProofRejected,
    RootMismatch,
    UnknownEvent,
)
from ledger.merkle.proofs import verify_inclusion


def grow(ledger, many):
    kept = [ledger.checkpoint()]
    for number in range(many):
        ledger.register(Topic(f"t{number}", label="T"))
        kept.append(ledger.checkpoint())
    return kept


def test_every_checkpoint_ever_taken_is_continued(ledger):
    kept = grow(ledger, 6)
    assert [one.size for one in kept] == list(range(7))
    assert len({one.root for one in kept}) == 7
    for one in kept:
        assert ledger.checkpoint(one.size) == one
        for form in (one, str(one), one.body() + "\n— desk c2lnbmVk\n"):
            found = ledger.verify(form)
            assert (found.size, found.checkpoint) == (6, one.size)
            later = {6: "", 5: " (1 event after it)"}
            told = later.get(one.size, f" ({6 - one.size} events after it)")
            assert str(found).endswith(f"continues the checkpoint at {one.size}{told}")


def test_without_a_checkpoint_the_log_is_verified_by_itself(standing):
    seen = []
    found = standing.verify(progress=lambda done, of: seen.append((done, of)))
    assert found.to_dict() == {
        "origin": "default",
        "size": 9,
        "root": standing.checkpoint().root.hex(),
        "known_at": "2023-03-20T12:00:00Z",
        "checkpoint": None,
        "signed": None,
        "since": 0,
        "erased": 0,
        "views": [],
        "clock": None,
        "waiting": None,
    }
    assert seen[-1] == (9, 9)


def test_an_empty_log_has_a_checkpoint_too(ledger):
    assert ledger.verify(ledger.checkpoint()).size == 0
    assert ledger.checkpoint().root == hashlib.sha256().digest()


@pytest.mark.parametrize("size", [-1, 10])
def test_a_size_that_the_log_never_had_is_refused(standing, size):
    with pytest.raises(UnknownEvent, match=rf"no checkpoint at size {size}: the log holds 9"):
        standing.checkpoint(size)


def test_a_text_that_is_no_checkpoint_is_refused(standing):
    with pytest.raises(InvalidCheckpoint):
        standing.verify("9")


def test_another_logs_checkpoint_is_told_by_its_origin(database, told):
    with Ledger.open(database, origin="harbour.example/log") as other:
        other.register(Topic("t", label="T"))
        with pytest.raises(InconsistentCheckpoint) as caught:
            told.verify(other.checkpoint())
        assert "'harbour.example/log', this is 'default'" in caught.value.message
        assert other.verify().size == 1
    assert told.verify().size == 9


def test_a_log_whose_end_was_cut_off_is_told(engine):
    whole = Ledger(engine)
    grow(whole, 3)
    with engine.connect() as conn:
        longer = Ledger(conn)
        longer.register_all([Topic("u", label="U"), Topic("v", label="V")])
        kept = longer.checkpoint()
        assert longer.verify(kept).size == 5
        conn.rollback()
    with pytest.raises(InconsistentCheckpoint, match="counts 5 events, the log holds 3") as caught:
        whole.verify(kept)
    assert caught.value.sequence == 3
    assert whole.verify().size == 3


def test_a_log_that_was_rewritten_is_told_even_where_it_says_the_same(engine):
    whole = Ledger(engine)
    early = grow(whole, 3)[-1]
    with engine.connect() as conn:
        Ledger(conn).register(Topic("u", label="U"))
        kept = Ledger(conn).checkpoint()
        conn.rollback()
    whole.register(Topic("u", label="U"))
    assert whole.checkpoint().size == kept.size
    for rewritten in (kept, Checkpoint("default", 3, kept.root)):
        with pytest.raises(RootMismatch, match="the log was rewritten since") as caught:
            whole.verify(rewritten)
        assert kept.root.hex() in caught.value.message
    assert whole.verify(early).size == 4


# -- proofs -------------------------------------------------------------------------------------


def prove(trace, **other):
    verify_inclusion(
        **{
            "leaf": bytes.fromhex(trace.leaf_hash),
            "index": trace.sequence,
            "size": trace.size,
            "proof": [bytes.fromhex(one) for one in trace.proof],
            "root": bytes.fromhex(trace.root),
            **other,
        }
    )


@pytest.mark.parametrize("claim", ["first", "second", "third"])
def test_a_trace_proves_that_its_entry_is_in_the_log(standing, claim):
    trace = standing.trace(claim)
    prove(trace, root=standing.checkpoint(trace.size).root)
    with standing._folded.reading() as conn:
        entry = conn.scalar(
            sa.text("SELECT entry FROM ledger_event WHERE seq = :seq"), {"seq": trace.sequence}
        )
    assert trace.leaf_hash == hashlib.sha256(b"\0" + entry.encode()).hexdigest()


def test_a_trace_of_an_earlier_view_is_proved_by_the_checkpoint_of_that_time(standing):
    view = standing.as_of(known="2023-03-10")
    trace = view.trace("first")
    assert (trace.size, trace.basis) == (view.basis, view.basis) == (8, 8)
    prove(trace, root=standing.checkpoint(8).root)
    with pytest.raises(ProofRejected):
        prove(trace, root=standing.checkpoint().root)


def test_a_proof_of_one_claim_proves_no_other(standing):
    first, second = standing.trace("first"), standing.trace("second")
    with pytest.raises(ProofRejected):
        prove(first, leaf=bytes.fromhex(second.leaf_hash))
    with pytest.raises(ProofRejected):
        prove(first, index=second.sequence)
    with pytest.raises(ProofRejected):
        prove(first, proof=[bytes.fromhex(one) for one in first.proof[:-1]])
