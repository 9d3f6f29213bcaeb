"""A signer goes neither back nor sideways, whatever happens to the database."""

from __future__ import annotations

import shutil
import threading

import pytest

from ledger import Checkpoint, Ledger, Topic
from ledger.errors import InvalidCheckpoint, InvalidKey, SignerRefused
from ledger.signing import CheckpointSigner, Ed25519Signer, FileMemory, Policy

ORIGIN = "weir.example/claims"


@pytest.fixture
def key():
    return Ed25519Signer.generate(ORIGIN)


@pytest.fixture
def signer(key, tmp_path):
    return CheckpointSigner(FileMemory(tmp_path / "signed"), key)


@pytest.fixture
def log(database):
    with Ledger.open(database, origin=ORIGIN) as opened:
        yield opened


def grow(ledger, *names):
    ledger.register_all(Topic(name, label=name) for name in names)


def remembered(signer):
    with signer.memory.held() as last:
        return last


def test_a_log_that_grows_is_signed_each_time(log, signer, key):
    policy = Policy.parse(str(key.verifier_key))
    for names in ([], ["a"], ["b", "c"], []):
        grow(log, *names)
        signed = log.checkpoint(signer=signer)
        assert signed == log.checkpoint() == remembered(signer)
        assert policy.check(Checkpoint.parse(str(signed))).logs == (ORIGIN,)
        assert log.verify(signed).checkpoint == signed.size


def test_an_older_copy_of_the_database_is_refused(signer, tmp_path):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    with Ledger.open(path, origin=ORIGIN) as log:
        grow(log, "a", "b")
    shutil.copy(path, copy)
    with Ledger.open(path, origin=ORIGIN) as log:
        grow(log, "c")
        kept = log.checkpoint(signer=signer)
    with Ledger.open(copy, origin=ORIGIN) as older:
        with pytest.raises(SignerRefused, match=r"an older copy .* Put back a copy") as caught:
            older.checkpoint(signer=signer)
        assert (caught.value.signed, caught.value.given) == (3, 2)
        grow(older, "d")
        with pytest.raises(SignerRefused, match=r"first 3 entries .* are not those"):
            older.checkpoint(signer=signer)
        grow(older, "e", "f")
        with pytest.raises(SignerRefused, match="went on from an older copy"):
            older.checkpoint(signer=signer)
    assert remembered(signer) == kept


def test_a_smaller_size_is_not_signed_again(log, signer):
    grow(log, "a", "b")
    kept = log.checkpoint(signer=signer)
    grow(log, "c")
    for size in (0, 1):
        with pytest.raises(SignerRefused, match=r"still holds all .* Nothing was signed") as caught:
            log.checkpoint(size, signer=signer)
        assert (caught.value.signed, caught.value.given) == (2, size)
        assert log.checkpoint(size).size == size
    assert remembered(signer) == kept


def test_a_smaller_size_of_a_log_that_is_another_or_shorter_is_told_as_that(signer, key):
    with Ledger.open(":memory:", origin=ORIGIN) as log:
        grow(log, "a", "b", "c")
        log.checkpoint(signer=signer)
    for names in ("xyz", "ab"):
        with Ledger.open(":memory:", origin=ORIGIN) as log:
            grow(log, *names)
            with pytest.raises(SignerRefused, match="an older copy of the database was put back"):
                log.checkpoint(1, signer=signer)


def test_a_memory_is_of_one_log(database, signer, tmp_path):
    with Ledger.open(database, origin=ORIGIN) as log:
        log.checkpoint(signer=signer)
    other = CheckpointSigner(signer.memory, Ed25519Signer.generate("mill.example"))
    with (
        Ledger.open(database, origin="mill.example") as log,
        pytest.raises(SignerRefused, match=r"memory is of the log 'weir.example/claims'"),
    ):
        log.checkpoint(signer=other)


def test_a_key_bears_the_name_of_the_log(database, signer):
    with (
        Ledger.open(database) as log,
        pytest.raises(InvalidKey, match="claims key new FILE --name default"),
    ):
        log.checkpoint(signer=signer)


def test_nobody_cannot_sign(tmp_path):
    with pytest.raises(InvalidKey, match="at least one key"):
        CheckpointSigner(FileMemory(tmp_path / "signed"))


def test_it_is_remembered_before_it_is_signed(log, signer, key, tmp_path):
    class Failing:
        verifier_key = key.verifier_key

        def sign(self, message):
            raise KeyboardInterrupt

    grow(log, "a")
    with pytest.raises(KeyboardInterrupt):
        log.checkpoint(signer=CheckpointSigner(signer.memory, Failing()))
    assert remembered(signer) == log.checkpoint()
    assert log.checkpoint(signer=signer).size == 1


def test_a_damaged_memory_is_no_empty_one(log, signer, tmp_path):
    (tmp_path / "signed").write_text("")
    with pytest.raises(InvalidCheckpoint, match="do not delete the file"):
        log.checkpoint(signer=signer)
    assert not (tmp_path / "signed.lock").exists()


@pytest.fixture
def linked(tmp_path):
    """A path, and the file elsewhere to which a link at that path leads, by way of another."""
    (tmp_path / "disk").mkdir()
    file, link = tmp_path / "disk" / "signed", tmp_path / "link"
    link.symlink_to(tmp_path / "hop")
    (tmp_path / "hop").symlink_to("disk/signed")
    return link, file


def test_a_memory_behind_a_link_stays_where_it_is(log, key, tmp_path, linked):
    link, file = linked
    grow(log, "a")
    log.checkpoint(signer=CheckpointSigner(FileMemory(file), key))
    grow(log, "b")
    signed = log.checkpoint(signer=CheckpointSigner(FileMemory(link), key))
    assert link.is_symlink()
    assert Checkpoint.parse(file.read_text()) == signed
    assert {one.name for one in tmp_path.glob("**/*.lock")} == {"signed.lock"}
    with pytest.raises(SignerRefused):
        log.checkpoint(1, signer=CheckpointSigner(FileMemory(file), key))


def test_those_who_come_by_a_link_and_by_the_file_wait_for_each_other(key, linked):
    link, file = linked
    file.write_text(f"{Checkpoint(ORIGIN, 1, bytes(32))}\n")
    came = threading.Event()

    def come():
        with FileMemory(file).held():
            came.set()

    thread = threading.Thread(target=come)
    with FileMemory(link).held():
        thread.start()
        assert not came.wait(0.05)
    thread.join()
    assert came.is_set()


def test_a_link_to_nothing_is_no_empty_memory(log, key, tmp_path, linked):
    link, file = linked
    (tmp_path / "loop").symlink_to("loop")
    for path in (link, tmp_path / "loop"):
        with pytest.raises(InvalidCheckpoint, match="where nothing is: perhaps its disk"):
            log.checkpoint(signer=CheckpointSigner(FileMemory(path), key))
    assert not file.exists()
    assert log.checkpoint(signer=CheckpointSigner(FileMemory(file), key)).size == 0


def test_a_new_key_takes_over_by_and_by(log, signer, key):
    new = Ed25519Signer.generate(ORIGIN)
    grow(log, "a")
    old_one = log.checkpoint(signer=signer)
    both = log.checkpoint(signer=CheckpointSigner(signer.memory, key, new))
    grow(log, "b")
    new_one = log.checkpoint(signer=CheckpointSigner(signer.memory, new))
    old_policy, new_policy = (Policy.parse(str(one.verifier_key)) for one in (key, new))
    assert [one.name for one in both.signatures] == [ORIGIN, ORIGIN]
    assert old_policy.check(old_one) == old_policy.check(both) == new_policy.check(both)
    assert new_policy.check(new_one).logs == (ORIGIN,)


def test_signers_at_once_leave_one_line_of_history(tmp_path, key):
    path = tmp_path / "a.db"
    with Ledger.open(path, origin=ORIGIN) as log:
        grow(log, "a")
        made, failed = [], []

        def work():
            signer = CheckpointSigner(FileMemory(tmp_path / "signed"), key)
            for _ in range(10):
                try:
                    made.append(log.checkpoint(signer=signer))
                except SignerRefused as error:  # another has signed a newer one meanwhile
                    failed.append(error.signed - error.given)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        grow(log, "b", "c")
        grow(log, "d")
        for thread in threads:
            thread.join()
        assert all(behind > 0 for behind in failed)
        assert {log.checkpoint(one.size) == one for one in made} == {True}
