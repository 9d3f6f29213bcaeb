"""A bundle that is damaged, changed, or signed by somebody else: what is found, and how."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import shutil
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Checkpoint, Ledger, Topic
from ledger.errors import (
    CommitmentMismatch,
    InconsistentCheckpoint,
    InvalidBundle,
    LedgerError,
    RootMismatch,
    SignatureRejected,
)
from ledger.merkle.tiles import bundled
from ledger.proving import verify_bundle
from ledger.proving.layout import FORMAT, write_slots
from ledger.signing import Ed25519Signer, Policy
from tests.drafts import draft, salted
from tests.proving.conftest import ORIGIN, spoken


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Bundles of a claim and of a whole log, made once; a test changes copies."""
    folder = tmp_path_factory.mktemp("made")
    with Ledger.open(":memory:", origin=ORIGIN) as ledger:
        spoken(ledger)
        ledger.register_all(Topic(f"t{one}", label="T") for one in range(300))
        ledger.bundle(folder / "claim", claim="c1", since=ledger.checkpoint(3))
        ledger.bundle(folder / "log")
    return folder


@pytest.mark.parametrize("name", ["claim", "log"])
def test_any_file_that_is_missing_or_changed_is_found(made, tmp_path, name):
    kept = Checkpoint.parse((made / name / "checkpoint").read_text())
    whole = verify_bundle(made / name, kept=kept)
    for file in sorted(path for path in (made / name).rglob("*") if path.is_file()):
        if file.name == "growth.proof":
            continue
        for change in (None, b"", file.read_bytes() + b"x", flipped(file.read_bytes())):
            copy = tmp_path / "copy"
            shutil.copytree(made / name, copy)
            place = copy / file.relative_to(made / name)
            if change is None:
                place.unlink()
            else:
                place.write_bytes(change)
            try:
                found = verify_bundle(copy, kept=kept)
            except LedgerError:
                pass
            else:  # lines that other logs add are nobody's word
                assert change is not None
                assert file.name.endswith(("checkpoint", ".tlog-proof"))
                assert found == whole
            shutil.rmtree(copy)


def flipped(data):
    """Two hexadecimal digits, letters or bits in the middle are others."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_change_of_a_disclosed_word_is_passed_over(made, tmp_path, data):
    path = data.draw(st.sampled_from(sorted((made / "claim" / "slots").iterdir())))
    told = json.loads(path.read_text())
    slot = data.draw(st.sampled_from(sorted(told)))
    payload = told[slot]["payload"]
    at = data.draw(st.integers(0, len(payload) - 1))
    letter = data.draw(st.sampled_from([one for one in 'aZ0" {' if one != payload[at]]))
    told[slot]["payload"] = payload[:at] + letter + payload[at + 1 :]
    source = FilesWith(made / "claim", f"slots/{path.name}", json.dumps(told).encode())
    with pytest.raises(CommitmentMismatch):
        source.verify(tmp_path)


def moved(slots):
    """The first letters of a payload are read as part of the salt."""
    slot = slots["what"]
    salt = base64.b64decode(slot["salt"]) + slot["payload"][:7].encode()
    slot |= {"salt": base64.b64encode(salt).decode(), "payload": slot["payload"][7:]}


def emptied(slots):
    slot = slots["what"]
    salt = base64.b64decode(slot["salt"]) + slot["payload"].encode()
    slot |= {"salt": base64.b64encode(salt).decode(), "payload": ""}


def shortened(slots):
    slots["what"]["salt"] = base64.b64encode(bytes(31)).decode()


def remarked(slots):
    slots["what"]["note"] = "never said"


def unsalted(slots):
    del slots["what"]["salt"]


@pytest.mark.parametrize("change", [moved, emptied, shortened, remarked, unsalted])
def test_a_slot_is_its_salt_and_its_payload_and_nothing_else(made, tmp_path, change):
    slots = json.loads((made / "claim" / "slots" / "6.json").read_text())
    change(slots)
    source = FilesWith(made / "claim", "slots/6.json", json.dumps(slots).encode())
    with pytest.raises(InvalidBundle, match="entry at sequence 6 cannot be read"):
        source.verify(tmp_path)


@pytest.mark.parametrize("name", ["bundle.json", "slots/6.json"])
def test_a_key_that_stands_twice_is_refused(made, tmp_path, name):
    text = (made / "claim" / name).read_text()
    key, value = next(iter(json.loads(text).items()))
    twice = f"{{{json.dumps(key)}: {json.dumps(value)}, {text.strip()[1:]}"
    with pytest.raises(InvalidBundle, match=f"{name} .* The key '{key}' stands twice"):
        FilesWith(made / "claim", name, twice.encode()).verify(tmp_path)


class FilesWith:
    """A bundle as a zip in which one file is another."""

    def __init__(self, folder, name, content):
        self.folder, self.name, self.content = folder, name, content

    def verify(self, tmp_path):
        made = tmp_path / "changed.zip"
        with zipfile.ZipFile(made, "w") as held:
            for path in self.folder.rglob("*"):
                if path.is_file():
                    name = path.relative_to(self.folder).as_posix()
                    held.writestr(name, self.content if name == self.name else path.read_bytes())
        return verify_bundle(made)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["bundle.json", "checkpoint", "entries/6.json", "proofs/6.tlog-proof", "slots/6.json"]
    ),
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(
                        ["format", "origin", "size", "sequences", "about", "who", "salt", "payload"]
                    ),
                    inner,
                ),
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_content_breaks_the_checker(made, tmp_path, name, content):
    try:
        found = FilesWith(made / "claim", name, content).verify(tmp_path)
    except LedgerError:
        return
    assert name == "slots/6.json"  # with nothing in it, which is to withhold
    (entry,) = (one for one in found.shown if one.sequence == 6)
    assert (entry.said, len(entry.missing)) == ({}, 4)


def test_two_files_of_one_name_are_refused(made, tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as held:
        held.writestr("bundle.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            held.writestr("bundle.json", "{}")
    with pytest.raises(InvalidBundle, match="two files of one name"):
        verify_bundle(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + bytes(60)])
def test_what_is_no_zip_is_refused(tmp_path, content):
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    for place in (path, tmp_path / "missing"):
        with pytest.raises(InvalidBundle, match="no bundle that can be read"):
            verify_bundle(place)


def zipped(folder, path, packing=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", packing) as held:
        for file in sorted(folder.rglob("*")):
            held.write(file, file.relative_to(folder).as_posix())
    return path.read_bytes()


def placed(data, signature, offset, value):
    """Bytes of a header of a zip are others."""
    at = data.index(signature) + offset
    return data[:at] + value + data[at + len(value) :]


def test_a_zip_that_is_damaged_or_odd_is_refused(made, tmp_path):
    path = tmp_path / "odd.zip"
    whole = zipped(made / "claim", path)
    squeezed = zipped(made / "claim", path, zipfile.ZIP_LZMA)
    assert verify_bundle(path).entries == 7
    for changed in (
        placed(whole, b"PK\x01\x02", 6, b"\x63\x00"),  # of a version that is to come
        placed(whole, b"PK\x01\x02", 8, b"\x01\x00"),  # encrypted
        placed(whole, b"PK\x01\x02", 10, b"\x62\x00"),  # packed in a way that nobody knows
        placed(placed(whole, b"PK\x01\x02", 8, b"\x00\x08"), b"PK\x01\x02", 46, b"\xff"),
        placed(whole, b"PK\x01\x02", 42, b"\xff\xff\xff\x7f"),  # beyond the end
        placed(squeezed, b"bundle.json", 20, b"\xff" * 20),
    ):
        path.write_bytes(changed)
        with pytest.raises(InvalidBundle):
            verify_bundle(path)


def test_a_folder_in_the_place_of_a_file_is_refused(made, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made / "claim", copy)
    (copy / "slots" / "6.json").unlink()
    (copy / "slots" / "6.json").mkdir()
    with pytest.raises(InvalidBundle, match=r"slots/6\.json cannot be read .* no file"):
        verify_bundle(copy)
    shutil.rmtree(copy / "slots")
    (copy / "slots").write_text("")
    with pytest.raises(InvalidBundle, match=r"lacks slots/0\.json"):
        verify_bundle(copy)


@pytest.mark.skipif(os.name != "posix", reason="asks a device and a pipe")
def test_a_device_or_a_pipe_is_no_bundle_and_is_not_read(made, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(InvalidBundle, match="no bundle that can be read"):
            verify_bundle(path)
    copy = tmp_path / "copy"
    shutil.copytree(made / "claim", copy)
    (copy / "checkpoint").unlink()
    os.mkfifo(copy / "checkpoint")
    with pytest.raises(InvalidBundle, match="checkpoint cannot be read"):
        verify_bundle(copy)


def test_a_size_that_is_claimed_costs_nothing(made, tmp_path):
    manifest = json.loads((made / "log" / "bundle.json").read_text()) | {"size": 2**53 - 1}
    with pytest.raises(InconsistentCheckpoint):
        FilesWith(made / "log", "bundle.json", json.dumps(manifest).encode()).verify(tmp_path)


def test_a_bundle_of_the_rewritten_log_does_not_continue_what_was_kept(made):
    kept = Checkpoint(ORIGIN, 3, bytes(32))
    with pytest.raises(RootMismatch, match="first 3 entries"):
        verify_bundle(made / "log", kept=kept)


def test_a_bundle_that_nobody_or_another_signed_is_not_trusted(ledger, signer, out, verifier_key):
    ledger.bundle(out / "unsigned", claim="c1")
    with pytest.raises(SignatureRejected, match="Ask whoever keeps the log for its key"):
        verify_bundle(out / "unsigned", policy=Policy.parse(verifier_key))
    ledger.bundle(out / "signed", claim="c1", checkpoint=ledger.checkpoint(signer=signer))
    other = Ed25519Signer.generate(ORIGIN).verifier_key
    with pytest.raises(SignatureRejected):
        verify_bundle(out / "signed", policy=Policy.parse(str(other)))


@pytest.mark.parametrize("slots", [5, None, "words", [["words"], "words"]])
def test_an_erasure_that_erases_no_slots_is_read_as_any_entry(tmp_path, slots):
    told = {"slots": slots, "target": "c1", "reason": "asked", "authority": "desk"}
    slot = salted(json.dumps(told).encode())
    made = draft(
        log=ORIGIN,
        id="e1",
        type="content_erased",
        type_v=1,
        stream="e1",
        stream_v=0,
        recorded_at=dt.datetime(2024, 3, 1, tzinfo=dt.UTC),
        recorder="desk",
        slots={"what": slot},
    )
    about = {"format": FORMAT, "origin": ORIGIN, "size": 1, "about": {}}
    files = {
        "bundle.json": json.dumps(about).encode(),
        "checkpoint": str(Checkpoint(ORIGIN, 1, made.leaf_hash)).encode(),
        "tile/entries/000.p/1": bundled([made.entry.encode()]),
        "tile/0/000.p/1": made.leaf_hash,
        "slots/000.p/1.json": json.dumps([write_slots({"what": slot})]).encode(),
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert verify_bundle(tmp_path).incomplete == ()
