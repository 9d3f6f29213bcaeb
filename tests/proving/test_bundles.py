"""A bundle is checked by whoever has it alone, and whatever is changed in it is found."""

from __future__ import annotations

import base64
import json
import os
import shutil
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Checkpoint, Ledger, Topic
from ledger.errors import (
    CommitmentMismatch,
    InconsistentCheckpoint,
    Invalid,
    InvalidBundle,
    LedgerError,
    RootMismatch,
    SignatureRejected,
)
from ledger.proving import verify_bundle
from ledger.signing import Ed25519Signer, Policy
from tests.proving.conftest import ORIGIN, spoken


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def shown(found):
    return [(one.sequence, one.type) for one in found.shown]


# -- what is in it ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_claim_comes_with_what_touched_it_and_what_it_names(
    ledger, signer, verifier_key, out, name
):
    kept = ledger.checkpoint(signer=signer)
    told = ledger.bundle(out / name, claim="c1", checkpoint=kept)
    found = verify_bundle(out / name, policy=Policy.parse(verifier_key), kept=kept)
    assert shown(found) == [
        (0, "party_registered"),
        (2, "topic_defined"),
        (3, "proposition_defined"),
        (4, "document_registered"),
        (6, "claim_recorded"),
        (8, "claims_related"),
        (9, "record_amended"),
    ]
    assert (told.entries, told.withheld, found.about) == (7, 0, {"claim": "c1"})
    assert found.shown[4].said["what"]["act"] == "assert"
    assert found.shown[0].said["who"]["name"] == "Weir Board"
    assert found.continues == kept.size
    assert str(found).endswith(f"signed by {ORIGIN}")


def test_a_party_comes_with_its_claims_alone(ledger, out):
    ledger.bundle(out, party="millers")
    found = verify_bundle(out)
    assert found.about == {"party": "millers"}
    assert [kind for _, kind in shown(found)] == [
        "party_registered",
        "topic_defined",
        "proposition_defined",
        "claim_recorded",
        "claims_related",
        "claim_withdrawn",
    ]


@pytest.mark.parametrize("name", ["log", "log.zip"])
def test_a_whole_log_is_all_of_it(ledger, signer, verifier_key, out, name):
    kept = ledger.checkpoint(signer=signer)
    ledger.register_all(Topic(f"t{one}", label="T") for one in range(600))
    new = ledger.checkpoint(signer=signer)
    assert ledger.bundle(out / name, checkpoint=new).entries == new.size
    for old in (kept, new, ledger.checkpoint(0), ledger.checkpoint(256), ledger.checkpoint(257)):
        found = verify_bundle(out / name, policy=Policy.parse(verifier_key), kept=str(old))
        assert (found.entries, found.root, found.continues) == (new.size, new.root.hex(), old.size)


def test_an_empty_log_is_a_bundle_too(database, out):
    with Ledger.open(database, origin=ORIGIN) as ledger:
        ledger.bundle(out)
    assert verify_bundle(out).size == 0


def test_what_is_withheld_is_told_and_cannot_be_read(ledger, out):
    for mistyped in ("99:words", "0:words"):
        with pytest.raises(Invalid, match=f"{mistyped} cannot be withheld: no entry"):
            ledger.bundle(out, claim="c1", withhold=["who", mistyped])
        assert not out.exists()
    told = ledger.bundle(out, claim="c1", withhold=["words", "0:who"])
    found = verify_bundle(out)
    assert told.withheld == 4
    assert [(one.sequence, dict(one.missing)) for one in found.incomplete] == [
        (0, {"who": "withheld"}),
        (4, {"words": "withheld"}),
        (6, {"words": "withheld"}),
        (9, {"words": "withheld"}),
    ]
    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for words in (b"Weir Board", b"says the board", b"read aloud"):
        assert words not in everything
    assert b"The weir is safe" in everything


WHY: dict[str, Any] = {"reason": "asked for", "authority": "privacy officer"}


def test_what_was_erased_is_told_with_when_and_why(ledger, out):
    ledger.bundle(out / "before", claim="c1")
    before = ledger.checkpoint()
    ledger.erase("c1", **WHY)
    ledger.bundle(out / "claim", claim="c1", withhold=["by", "what"])
    ledger.bundle(out / "whole")
    erasures = [one for one in ledger.events() if one.type == "content_erased"]
    told = {
        seq: f"erased by #{one.sequence} on {one.recorded:%Y-%m-%d}, because asked for, by the "
        "authority of privacy officer"
        for seq, one in zip((6, 9), erasures, strict=True)
    }
    found = verify_bundle(out / "claim")
    gaps = {one.sequence: dict(one.missing) for one in found.incomplete}
    assert {seq: gaps[seq]["words"] for seq in told} == told
    assert found.incomplete[0].missing["what"] == "withheld"
    assert [one.type for one in found.shown[-2:]] == ["content_erased", "content_erased"]
    assert found.shown[-1].said["what"]["slots"] == ["words"]
    whole = verify_bundle(out / "whole", kept=before)
    assert {one.sequence: one.missing["words"] for one in whole.incomplete} == told
    everything = b"".join(
        path.read_bytes() for path in (out / "whole").rglob("*") if path.is_file()
    )
    assert b"read aloud" not in everything
    assert verify_bundle(out / "before").entries == 7


def test_a_claim_that_lost_its_claimant_leaves_with_its_erasure(ledger, out):
    ledger.erase("c1", slots=["who", "what", "words"], **WHY)
    (lost,) = ledger.claims().lost
    ledger.bundle(out, claim=lost.record)
    found = verify_bundle(out)
    assert all("erased by #" in why for one in found.incomplete for why in one.missing.values())


def test_growth_is_shown_if_it_was_asked_for(ledger, out, tmp_path):
    kept = ledger.checkpoint(4)
    ledger.bundle(out, claim="c1", since=kept)
    assert verify_bundle(out, kept=kept).continues == 4
    with pytest.raises(InconsistentCheckpoint, match="Ask for a proof from there"):
        verify_bundle(out, kept=ledger.checkpoint(5))
    ledger.bundle(tmp_path / "without", claim="c1")
    with pytest.raises(InconsistentCheckpoint, match="claims bundle --since"):
        verify_bundle(tmp_path / "without", kept=kept)
    rewritten = Checkpoint(kept.origin, kept.size, bytes(32))
    with pytest.raises(LedgerError, match="rewritten"):
        verify_bundle(out, kept=rewritten)


# -- what it is about ---------------------------------------------------------------------------


def recalled(path, **changes):
    """The bundle in a folder, with other words in its bundle.json."""
    told = json.loads((path / "bundle.json").read_text()) | changes
    (path / "bundle.json").write_text(json.dumps(told))
    return verify_bundle(path)


def test_a_bundle_names_what_it_is_about_by_either_id(ledger, out):
    ledger.bundle(out / "claim", claim="c1")
    ledger.bundle(out / "party", party="millers")
    assert f"of {ORIGIN}, about claim 'c1', root" in str(verify_bundle(out / "claim"))
    assert f"of {ORIGIN}, about party 'millers', root" in str(verify_bundle(out / "party"))
    for name, kind, sequence in (("claim", "claim", 6), ("party", "party", 1)):
        id_ = json.loads((out / name / f"entries/{sequence}.json").read_text())["id"]
        assert recalled(out / name, about={kind: id_}).about == {kind: id_}
    ledger.withdraw("c1", id="w1", claimant="board", uttered="2024-03-06")
    ledger.bundle(out / "withdrawal", claim="w1")
    assert not verify_bundle(out / "withdrawal").about_unseen
    ledger.bundle(out / "log")
    assert not recalled(out / "log", about={"claim": "c2", "party": "other"}).about_unseen


def test_a_bundle_about_something_else_than_it_holds_is_refused(ledger, out):
    ledger.bundle(out / "claim", claim="c2", withhold=["2:what", "words"])
    ledger.bundle(out / "log")
    for name in ("claim", "log"):
        for about in ({"claim": "c9"}, {"party": "c2"}, {"claim": "c2", "party": "safe"}):
            with pytest.raises(InvalidBundle, match="which is not among its entries"):
                recalled(out / name, about=about)
    with pytest.raises(InvalidBundle, match="about the claim 'c1'"):
        recalled(out / "claim", about={"claim": "c1"})
    with pytest.raises(InvalidBundle, match=r"bundle\.json does not say"):
        recalled(out / "claim", about={"topic": "weir"})
    with pytest.raises(InvalidBundle, match="nothing of that is in it"):
        recalled(out / "claim", about={"claim": "c2"}, sequences=[])
    assert recalled(out / "claim", about={}, sequences=[]).entries == 0


def test_where_its_id_is_not_disclosed_what_a_bundle_is_about_is_the_sender_s_word(ledger, out):
    ledger.bundle(out / "claim", claim="c1", withhold=["what"])
    ledger.bundle(out / "party", party="millers", withhold=["1:who"])
    ledger.erase("other", slots=["who"], **WHY)
    ledger.bundle(out / "log")
    for found in (
        verify_bundle(out / "claim"),
        verify_bundle(out / "party"),
        recalled(out / "log", about={"party": "anybody"}),
    ):
        assert found.about_unseen
        assert "(as the sender says: " in str(found)
    id_ = json.loads((out / "claim" / "entries/6.json").read_text())["id"]
    assert not recalled(out / "claim", about={"claim": id_}).about_unseen


def test_a_party_that_said_nothing_comes_alone(ledger, out):
    ledger.bundle(out, party="other")
    assert shown(verify_bundle(out)) == [(5, "party_registered")]


def test_a_party_under_a_name_of_before_a_merge_comes_with_both(ledger, out):
    ledger.merge("millers", "other")
    ledger.bundle(out, party="other")
    found = verify_bundle(out)
    assert (found.about, found.about_unseen) == ({"party": "millers"}, False)


# -- what is refused ----------------------------------------------------------------------------


def test_nothing_is_overwritten_or_left_half_written(ledger, out, tmp_path):
    out.mkdir()
    ledger.bundle(out, claim="c1")
    (tmp_path / "file.zip").write_text("mine")
    for path in (out, tmp_path / "file.zip"):
        with pytest.raises(InvalidBundle, match="there already"):
            ledger.bundle(path, claim="c1")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LedgerError):
        ledger.bundle(tmp_path / "new", claim="c1", since=Checkpoint(ORIGIN, 2, bytes(32)))
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file.zip").read_text() == "mine"


@pytest.mark.parametrize("given", ["", "name", "x:who", "who:1", "-1:who"])
def test_what_is_no_slot_cannot_be_withheld(ledger, out, given):
    with pytest.raises(Invalid, match="cannot be withheld"):
        ledger.bundle(out, withhold=[given])
    assert not out.exists()


def test_a_claim_and_a_party_are_two_bundles(ledger, out):
    with pytest.raises(Invalid, match="give one of them"):
        ledger.bundle(out, claim="c1", party="board")


# -- what is found ------------------------------------------------------------------------------


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
