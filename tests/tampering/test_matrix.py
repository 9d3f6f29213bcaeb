"""Every row of the threat table, done by somebody with every right: what an auditor is told.

The table is in docs/explanation/what-verify-finds.md.
"""

from __future__ import annotations

import pytest

from ledger import Ledger, Topic
from ledger.codec.canonical import canonical
from ledger.errors import SignerRefused
from ledger.signing import CheckpointSigner, Ed25519Signer, FileMemory
from tests.drafts import salted
from tests.erasing.conftest import WHY

OTHER = salted(canonical({"chains": [[{"agent": "x", "kind": "says"}]]}))


def edit(entry):
    entry["recorder"] = "somebody-else"


def swapped(forger, one, other, *columns):
    """Exchange columns of two rows."""
    names = ", ".join(columns)
    rows = {
        seq: forger.ask(f"SELECT {names} FROM ledger_event WHERE seq = :seq", seq=seq)[0]
        for seq in (one, other)
    }
    for seq, source in ((one, other), (other, one)):
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        values = dict(zip(columns, rows[source], strict=True))
        forger.run(f"UPDATE ledger_event SET {sets} WHERE seq = {seq}", **values)


def moved_into_another_log(forger):
    url = forger.engine.url.render_as_string(hide_password=False)
    with Ledger.open(url, origin="other.example") as other:
        other.register(Topic("harmless", label="Harmless"))
    forger.run(
        "UPDATE ledger_log SET origin = 'hidden' WHERE origin = 'default'",
        "UPDATE ledger_log SET origin = 'default' WHERE origin = 'other.example'",
    )


BY_ITSELF = {
    "an entry is edited": (
        lambda f: f.run(
            "UPDATE ledger_event SET entry = replace(entry, 'unnamed', 'someone') WHERE seq = 8"
        ),
        8,
        "The entry at sequence 8 was changed",
    ),
    "an entry is edited together with its leaf, not with its columns": (
        lambda f: (
            f.rewrite(8, lambda entry: entry.update(type="claims_related")),
            f.run("UPDATE ledger_event SET type = 'claim_recorded' WHERE seq = 8"),
        ),
        8,
        "The column type at sequence 8 says 'claim_recorded', the entry 'claims_related'",
    ),
    "a leaf is edited": (
        lambda f: f.run("UPDATE ledger_event SET leaf_hash = :leaf WHERE seq = 3", leaf=bytes(32)),
        3,
        "The entry at sequence 3 was changed",
    ),
    "a column is edited": (
        lambda f: f.run("UPDATE ledger_event SET type = 'topic_defined' WHERE seq = 6"),
        6,
        "The column type at sequence 6 says 'topic_defined', the entry 'proposition_defined'",
    ),
    "when it was known is edited": (
        lambda f: f.run(
            "UPDATE ledger_event SET known_at = '2001-01-01T00:00:00.000000Z' WHERE seq = 8"
        ),
        8,
        "The column known_at at sequence 8 says 2001-01-01",
    ),
    "an event in the middle is deleted": (
        lambda f: f.run("DELETE FROM ledger_event WHERE seq = 8"),
        8,
        "The event at sequence 8 is missing",
    ),
    "an event in the middle is deleted and the later ones moved up": (
        lambda f: (
            f.run("DELETE FROM ledger_event WHERE seq = 8"),
            *(
                f.run(f"UPDATE ledger_event SET seq = {n - 1} WHERE seq = {n}")
                for n in range(9, 15)
            ),
            f.run("UPDATE ledger_log SET size = 14"),
        ),
        9,
        "is number 0 of the stream",
    ),
    "the end is cut off, the head left": (
        lambda f: f.run("DELETE FROM ledger_event WHERE seq >= 13"),
        13,
        "counts 15 events, but the one at sequence 13 is missing",
    ),
    "the head is moved back": (
        lambda f: f.run("UPDATE ledger_log SET size = 13"),
        14,
        "counts 13 events, but there is one at sequence 14",
    ),
    "two events of one stream are put in another order": (
        lambda f: (
            f.run("UPDATE ledger_event SET seq = 99 WHERE seq = 8"),
            f.run("UPDATE ledger_event SET seq = 8 WHERE seq = 10"),
            f.run("UPDATE ledger_event SET seq = 10 WHERE seq = 99"),
        ),
        8,
        "is number 0 of the stream",
    ),
    "an event is moved to another stream, its hash made anew": (
        lambda f: f.rewrite(
            9,
            lambda entry: entry.update(
                stream=f.ask("SELECT stream FROM ledger_event WHERE seq = 8")[0][0]
            ),
        ),
        9,
        "is number 1 of the stream",
    ),
    "the events are moved to another log": (
        moved_into_another_log,
        0,
        "was written for the log 'other.example', but stands in 'default'",
    ),
    "who said it is swapped": (
        lambda f: f.run("UPDATE ledger_event SET slot_who = :slot WHERE seq = 8", slot=OTHER),
        8,
        "The slot 'who' at sequence 8 was changed",
    ),
    "who said it is swapped between two claims": (
        lambda f: swapped(f, 8, 9, "slot_who"),
        8,
        "The slot 'who' at sequence 8 was changed",
    ),
    "an unwanted slot is dropped": (
        lambda f: f.run("UPDATE ledger_event SET slot_words = NULL WHERE seq = 8"),
        8,
        "The slot 'words' at sequence 8 is empty, though its entry commits to it and no erasure",
    ),
    "a slot is dropped that an erasure names in another event": (
        lambda f: f.run("UPDATE ledger_event SET slot_who = NULL WHERE seq = 9"),
        9,
        "The slot 'who' at sequence 9 is empty",
    ),
    "two are dropped, and something behind them is edited": (
        lambda f: (
            f.run("UPDATE ledger_event SET slot_what = NULL WHERE seq IN (2, 5)"),
            f.run("UPDATE ledger_event SET entry = '{}' WHERE seq = 9"),
        ),
        2,
        "The slot 'what' at sequence 2 is empty",
    ),
    "an erased slot is put back": (
        lambda f: f.run("UPDATE ledger_event SET slot_words = :slot WHERE seq = 7", slot=OTHER),
        7,
        "The slot 'words' at sequence 7 was changed",
    ),
    "an erasure's own words are dropped": (
        lambda f: f.run("UPDATE ledger_event SET slot_what = NULL WHERE seq = 11"),
        7,
        "The slot 'words' at sequence 7 is empty",
    ),
    "an erasure is made to name what was dropped": (
        lambda f: (
            f.run("UPDATE ledger_event SET slot_words = NULL WHERE seq = 8"),
            f.run(
                "UPDATE ledger_event SET slot_what = :slot WHERE seq = 12",
                slot=salted(
                    canonical(
                        {
                            "target": f.ask("SELECT id FROM ledger_event WHERE seq = 8")[0][0],
                            "slots": ["words"],
                            **WHY,
                        }
                    )
                ),
            ),
        ),
        8,
        "The slot 'words' at sequence 8 is empty",
    ),
    "a stream's head is moved": (
        lambda f: f.run("UPDATE ledger_stream SET version = version + 1"),
        None,
        "The head of the stream",
    ),
}


@pytest.mark.parametrize("what", BY_ITSELF)
def test_it_is_found_in_the_log_itself(forger, verify, ledger, what):
    kept = ledger.checkpoint()
    assert verify(kept=kept).status == 0
    act, sequence, words = BY_ITSELF[what]
    act(forger)
    told = verify()
    assert (told.status, told.out) == (1, "")
    assert words in told.err
    assert told.err.count("\n") == 1
    if sequence is not None:
        assert f"sequence {sequence}" in told.err
    assert verify("--views").status == 1


def test_what_was_erased_is_not_put_back_even_from_a_backup(forger, verify, clock):
    """The very bytes, which the entry commits to."""
    ((before,),) = forger.ask("SELECT slot_words FROM ledger_event WHERE seq = 8")
    with Ledger.open(forger.engine.url.render_as_string(hide_password=False)) as ledger:
        ledger.erase("c1", **WHY)
    assert verify().status == 0
    forger.run("UPDATE ledger_event SET slot_words = :slot WHERE seq = 8", slot=before)
    told = verify()
    assert told.status == 1
    assert "The slot 'words' at sequence 8 holds something, though it was erased at" in told.err


def test_an_erased_claim_cannot_be_denied(forger, verify, ledger):
    """Its entry stays, and without it the sequence has a gap."""
    kept = ledger.checkpoint()
    assert "2 slots lawfully erased" in verify(kept=kept).out
    forger.run("DELETE FROM ledger_event WHERE seq = 9")
    assert "sequence 9 is missing" in verify(kept=kept).err


def test_a_guard_that_was_dropped_is_missed(forger, verify):
    postgres = forger.engine.dialect.name == "postgresql"
    with forger.engine.begin() as conn:
        conn.exec_driver_sql(
            f"DROP TRIGGER ledger_event_no_update{' ON ledger_event' if postgres else ''}"
        )
    told = verify()
    assert told.status == 1
    assert "ledger_event_no_update is missing, changed or switched off" in told.err


# -- with a checkpoint that left the house --------------------------------------------------------


def inserted_into_the_past(forger):
    """Everything from 8 on moves down by one, and a topic of last year stands in its place."""
    last = forger.ask("SELECT max(seq) FROM ledger_event")[0][0]
    for seq in range(last, 7, -1):
        forger.run(f"UPDATE ledger_event SET seq = {seq + 1} WHERE seq = {seq}")
    forger.run(
        "INSERT INTO ledger_event SELECT log_id, 8, 'forged', type, 'forged', 0, known_at, entry, "
        "leaf_hash, slot_who, slot_what, slot_words, slot_by FROM ledger_event WHERE seq = 4",
        "INSERT INTO ledger_stream SELECT log_id, 'forged', 0 FROM ledger_event WHERE seq = 8",
        "UPDATE ledger_log SET size = size + 1",
    )
    forger.rewrite(
        8, lambda entry: entry.update(id="forged", stream="forged", recorded_at=BACKDATED)
    )


BACKDATED = "2020-01-01T00:00:00.000000Z"
WITH_A_CHECKPOINT = {
    "an entry is edited, all hashes made anew": lambda f: f.rewrite(8, edit),
    "what was said is swapped, all hashes made anew": lambda f: f.resay(
        8, "words", {"note": "she never said that"}
    ),
    "two events are swapped, which nothing ties to their places": lambda f: (
        f.run("UPDATE ledger_event SET seq = 99 WHERE seq = 8"),
        f.run("UPDATE ledger_event SET seq = 8 WHERE seq = 9"),
        f.run("UPDATE ledger_event SET seq = 9 WHERE seq = 99"),
        f.forget_tree(),
    ),
    "a back-dated event is inserted into the past": inserted_into_the_past,
}


@pytest.mark.parametrize("what", WITH_A_CHECKPOINT)
def test_it_is_found_by_who_kept_a_checkpoint_and_not_claimed_without(forger, verify, ledger, what):
    early, late = ledger.checkpoint(8), ledger.checkpoint()
    WITH_A_CHECKPOINT[what](forger)
    assert verify().status == 0
    assert verify(kept=early).status == 0
    told = verify(kept=late)
    assert (told.status, told.out) == (1, "")
    assert "The first 15 events have root" in told.err
    assert "the log was rewritten since" in told.err


def test_a_tail_that_was_cut_off_is_found_by_who_kept_a_checkpoint(forger, verify, ledger):
    kept = ledger.checkpoint()
    forger.cut(13)
    told = verify(kept=kept)
    assert told.status == 1
    assert "The checkpoint counts 15 events, the log holds 13: its end was cut off" in told.err
    assert verify().out.startswith("ok: 13 events")


def test_an_older_backup_is_found_by_who_kept_a_checkpoint(forger, verify, ledger):
    older = ledger.checkpoint()
    ledger.register(Topic("later", label="Later"))
    kept = ledger.checkpoint()
    forger.cut(15)
    assert verify(kept=older).status == 0
    told = verify(kept=kept)
    assert told.status == 1
    assert "or an older backup was restored" in told.err


def test_two_histories_are_found_by_readers_who_compare(forger, verify, ledger):
    ledger.register(Topic("this", label="This"))
    shown_to_one = ledger.checkpoint()
    forger.cut(15)
    with Ledger.open(forger.engine.url.render_as_string(hide_password=False)) as other:
        other.register(Topic("that", label="That"))
        shown_to_another = other.checkpoint()
    assert verify(kept=shown_to_another).status == 0
    told = verify(kept=shown_to_one)
    assert told.status == 1
    assert "The first 16 events have root" in told.err


KEY = Ed25519Signer.from_seed("default", bytes(range(32)))


def opened(forger):
    return Ledger.open(forger.engine.url.render_as_string(hide_password=False))


def test_a_log_written_anew_and_signed_with_the_stolen_key_is_found_by_who_kept_a_checkpoint(
    forger, verify, ledger, tmp_path
):
    signer = CheckpointSigner(FileMemory(tmp_path / "memory"), KEY)
    kept = ledger.checkpoint(signer=signer)
    forger.rewrite(8, edit)
    with opened(forger) as other:
        forged = other.checkpoint(signer=CheckpointSigner(FileMemory(tmp_path / "none"), KEY))
        assert verify("--trust", str(KEY.verifier_key), kept=forged).status == 0
        told = verify("--trust", str(KEY.verifier_key), kept=kept)
        assert told.status == 1
        assert "the log was rewritten since" in told.err
        with pytest.raises(SignerRefused, match="the log was rewritten"):
            other.checkpoint(signer=signer)


def test_an_older_backup_is_refused_by_the_signers_memory(forger, ledger, tmp_path):
    signer = CheckpointSigner(FileMemory(tmp_path / "memory"), KEY)
    ledger.checkpoint(signer=signer)
    forger.cut(13)
    with opened(forger) as other, pytest.raises(SignerRefused, match="older copy"):
        other.checkpoint(signer=signer)


def test_a_hash_that_is_kept_of_the_tree_and_was_edited_is_found(forger, verify, ledger):
    ledger.register_all(Topic(f"t{number}", label="T") for number in range(1_020))
    kept = ledger.checkpoint()
    assert verify(kept=kept).status == 0
    forger.run("UPDATE ledger_node SET hash = :hash WHERE idx = 2", hash=bytes(32))
    told = verify()
    assert told.status == 1
    assert "sequence 512" in told.err


# -- what nobody can find, and nothing claims -----------------------------------------------------


def test_a_lie_that_was_recorded_is_in_order(verify, ledger):
    ledger.record(claimant="board", act="assert", proposition="shut", uttered="2023-02-01")
    assert verify(kept=ledger.checkpoint()).out.startswith("ok: ")


def test_a_clock_that_lied_while_recording_is_in_order(verify, ledger, clock):
    clock.set("2001-01-01T00:00:00Z")
    ledger.register(Topic("early", label="Early"))
    assert [line.recorded.year for line in ledger.log()][-1] == 2023
    assert verify(kept=ledger.checkpoint()).out.startswith("ok: ")


def test_what_was_written_anew_after_the_last_checkpoint_is_in_order(forger, verify, ledger):
    kept = ledger.checkpoint()
    ledger.register(Topic("this", label="This"))
    forger.resay(15, "what", {"key": "that", "label": "That"})
    told = verify(kept=kept)
    assert told.status == 0
    assert told.out.endswith("continues the checkpoint at 15 (1 event after it)\n")


def test_an_erasure_by_somebody_who_had_no_right_to_it_is_in_order_and_in_the_log(verify, ledger):
    ledger.erase("c1", reason="because", authority="nobody's")
    assert verify().status == 0
    assert "by the authority of nobody's" in str(list(ledger.log())[-1])


# -- views ----------------------------------------------------------------------------------------

VIEW = {
    "a row is edited": ("UPDATE ledger_v1_claim SET stance = 'neutral' WHERE seq = 9", 9),
    "a row is deleted": ("DELETE FROM ledger_v1_claim WHERE seq = 8", 8),
    "a row is added": (
        (
            "INSERT INTO ledger_v1_claim (log_id, seq, party, proposition, act, stance) "
            "SELECT log_id, 3, 2, 5, 'assert', 'supports' FROM ledger_v1_claim WHERE seq = 8"
        ),
        3,
    ),
    "an end is moved": ("UPDATE ledger_v1_claim SET known_to = 11 WHERE seq = 8", 8),
}


@pytest.mark.parametrize("what", VIEW)
def test_a_view_that_was_edited_is_found_by_a_replay(forger, verify, ledger, what):
    clean = verify("--views")
    assert clean.status == 0
    assert "ok: claims v1 at 15 events, 2 rows" in clean.out
    sql, sequence = VIEW[what]
    forger.run(sql)
    assert verify().status == 0
    told = verify("--views")
    assert (told.status, told.out) == (1, "")
    assert f"The view claims v1 was changed at sequence {sequence}" in told.err
    assert "The log itself is in order" in told.err
    ledger.projections.rebuild("claims")
    assert ledger.verify(views=True).views[0].ok
