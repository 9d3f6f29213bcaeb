"""What the ledger hands out is accepted by Go's sumdb packages, and refused once it is changed.

`checker.go` uses these packages alone, as Debian ships them (golang-go, golang-golang-x-mod-dev;
`.ci/run` installs them where it may). Nothing is downloaded.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.merkle.written import GrowthProof
from ledger.model.events import NewEvent, TopicDefined
from ledger.recording.ids import new_id
from ledger.signing import CheckpointSigner, Ed25519Signer, FileMemory

SOURCE = Path(__file__).with_name("checker.go")
GOCODE = Path("/usr/share/gocode")
ORIGIN = "weir.example/claims"
SIZES = [1, 2, 255, 256, 257, 65_536, 70_000]


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """`checker("note", path, key)` runs the Go program and gives its status and what it said."""
    if shutil.which("go") is None:
        pytest.skip("needs Go; on Debian: apt-get install golang-go golang-golang-x-mod-dev")
    if not (GOCODE / "src/golang.org/x/mod/sumdb/tlog").exists():
        pytest.skip("needs sumdb; on Debian: apt-get install golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    program = folder / "checker"
    subprocess.run(
        ["go", "build", "-o", program, SOURCE],
        env={
            "PATH": "/usr/local/go/bin:/usr/bin:/bin",
            "GO111MODULE": "off",
            "GOPATH": str(GOCODE),
            "GOCACHE": str(folder / "cache"),
            "GOFLAGS": "",
        },
        check=True,
    )

    def run(*args):
        done = subprocess.run(
            [program, *map(str, args)], capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    return run


class House:
    """A log of 70,000 entries, its key, and its signed checkpoints at each size."""

    def __init__(self, folder):
        self.folder = folder
        self.ledger = Ledger.open(":memory:", origin=ORIGIN)
        self.ledger.appender.load(map(topic, range(SIZES[-1])), chunk=5_000)
        signer = Ed25519Signer.generate(ORIGIN)
        self.key = str(signer.verifier_key)
        keeper = CheckpointSigner(FileMemory(folder / "signed"), signer)
        self.checkpoints = {size: self.ledger.checkpoint(size, signer=keeper) for size in SIZES}

    def file(self, name, content):
        path = self.folder / name
        path.write_text(f"{content}\n", encoding="utf-8")
        return path

    def checkpoint(self, size):
        return self.file(f"checkpoint-{size}", self.checkpoints[size])


def topic(number):
    id_ = new_id(dt.datetime.now(dt.UTC))
    event = TopicDefined(key=f"t{number}", label=f"Topic {number}")
    return NewEvent(id=id_, stream=id_, stream_v=0, event=event)


@pytest.fixture(scope="module")
def house(checker, tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.ledger.close()


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_notes_tiles_and_proofs_of_every_size_are_accepted(checker, house, size):
    signed = house.checkpoints[size]
    assert checker("note", house.checkpoint(size), house.key) == (0, f"accepted: size {size}")
    for index in {0, size // 2, size - 1}:
        proof = house.ledger.prove(index, checkpoint=signed)
        path = house.file("proof", proof)
        entry = house.folder / "entry"
        entry.write_bytes(proof.entry)
        told = f"accepted: entry {index} of {size}"
        assert checker("entry", path, entry, house.key) == (0, told)
    for old in (one for one in SIZES if one <= size):
        growth = house.ledger.prove_growth(house.checkpoints[old], signed)
        path = house.folder / "growth"
        path.write_text(str(growth), encoding="utf-8")
        found = checker("growth", path, house.checkpoint(old), house.key)
        assert found == (0, f"accepted: {size} continues {old}")
    folder = house.folder / f"log-{size}"
    house.ledger.bundle(folder, checkpoint=signed)
    assert checker("tiles", folder, house.key) == (0, f"accepted: {size} entries")


@pytest.mark.slow
def test_whatever_is_changed_is_refused(checker, house, tmp_path):
    signed = house.checkpoints[257]
    folder = tmp_path / "log"
    house.ledger.bundle(folder, checkpoint=signed)
    assert checker("tiles", folder, house.key)[0] == 0
    for name in ("checkpoint", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"):
        with changed(folder / name):
            assert checker("tiles", folder, house.key)[0] == 1, name
    with changed(folder / "tile/entries/000"):
        status, told = checker("tiles", folder, house.key)
        assert (status, told[:9]) == (1, "refused: ")
    assert checker("tiles", folder, house.key)[0] == 0


@pytest.mark.slow
def test_a_proof_of_another_entry_log_or_key_is_refused(checker, house):
    proof = house.ledger.prove(3, checkpoint=house.checkpoints[257])
    path, entry = house.file("proof", proof), house.folder / "entry"
    entry.write_bytes(proof.entry + b" ")
    assert checker("entry", path, entry, house.key)[0] == 1
    other = str(Ed25519Signer.generate(ORIGIN).verifier_key)
    entry.write_bytes(proof.entry)
    assert checker("entry", path, entry, other)[0] == 1
    growth = house.ledger.prove_growth(house.checkpoints[255], house.checkpoints[257])
    wrong = GrowthProof(old=256, hashes=growth.hashes, checkpoint=growth.checkpoint)
    path = house.folder / "growth"
    path.write_text(str(wrong), encoding="utf-8")
    assert checker("growth", path, house.checkpoint(256), house.key)[0] == 1


class changed:  # noqa: N801 - reads as a word of the sentence
    """One bit of a file's middle is another, for as long as it lasts."""

    def __init__(self, path):
        self.path, self.data = path, path.read_bytes()

    def __enter__(self):
        middle = len(self.data) // 2
        flipped = bytes([self.data[middle] ^ 1])
        self.path.write_bytes(self.data[:middle] + flipped + self.data[middle + 1 :])

    def __exit__(self, *_):
        self.path.write_bytes(self.data)
