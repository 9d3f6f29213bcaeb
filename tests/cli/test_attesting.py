"""Keys, checkpoints, proofs and bundles from the command line; bundles checked without a ledger."""

from __future__ import annotations

import pytest

from ledger import Checkpoint
from ledger.merkle.note import VerifierKey
from ledger.merkle.written import GrowthProof, InclusionProof


@pytest.fixture
def signed(good, filled, tmp_path):
    """A signed checkpoint in signed.txt, and the verifier key in weir.vkey."""
    (tmp_path / "weir.vkey").write_text(good("key", "new", "weir.key").out)
    told = good("checkpoint", "--key", "weir.key").out
    (tmp_path / "signed.txt").write_text(told, encoding="utf-8")
    return Checkpoint.parse(told)


def test_a_key_is_made_once_and_shown_again(good, refused, tmp_path):
    made = good("key", "new", "weir.key", "--name", "weir.example/claims").out
    assert VerifierKey.parse(made).name == "weir.example/claims"
    assert good("key", "show", "weir.key").out == made
    assert good("key", "show", "weir.key", "--json").json["verifier_key"] + "\n" == made
    assert "there already" in refused("key", "new", "weir.key")
    assert "cannot be called 'two words'" in refused("key", "new", "b.key", "--name", "two words")
    assert not (tmp_path / "b.key").exists()
    (tmp_path / "weir.key").chmod(0o644)
    assert "chmod 600 weir.key" in refused("key", "show", "weir.key")


def test_a_checkpoint_is_signed_and_remembered(good, signed, tmp_path):
    assert [one.name for one in signed.signatures] == ["default"]
    assert Checkpoint.parse((tmp_path / "weir.key.signed").read_text()) == signed
    assert good("verify", "--checkpoint", "signed.txt", "--trust", "weir.vkey").out.endswith(
        "continues the checkpoint at 17, signed by default\n"
    )
    key = (tmp_path / "weir.vkey").read_text().strip()
    told = good("verify", "--checkpoint", "signed.txt", "--trust", key, "--json").json
    assert told["signed"]["logs"] == ["default"]
    assert "signed" not in good("verify", "--checkpoint", "signed.txt").out
    assert good("checkpoint", "--key", "weir.key", "--json").json["signatures"] != []


def test_a_signer_refuses_to_go_back(refused, signed):
    told = refused("checkpoint", "--key", "weir.key", "--size", "3")
    assert "has signed 17 entries of default, and is asked to sign 3, an older size" in told
    assert "ask for the size 17 or a later one" in told
    assert "--key FILE" in refused("checkpoint", "--memory", "x")


def test_who_did_not_sign_is_not_trusted(good, refused, signed, tmp_path):
    (tmp_path / "plain.txt").write_text(good("checkpoint").out)
    told = refused("verify", "--checkpoint", "plain.txt", "--trust", "weir.vkey")
    assert "is not signed by default" in told
    assert "--checkpoint FILE" in refused("verify", "--trust", "weir.vkey")
    assert "no verifier key" in refused("verify", "--checkpoint", "plain.txt", "--trust", "a+b")


def test_too_few_witnesses_are_told_and_the_checkpoint_stands(claims, signed, tmp_path):
    log = (tmp_path / "weir.vkey").read_text()
    witness = VerifierKey("w", 4, bytes(32))
    policy = f"log {log}witness w {witness} http://127.0.0.1:9\nquorum w\n"
    (tmp_path / "policy").write_text(policy)
    ran = claims("checkpoint", "--key", "weir.key", "--witnesses", "policy")
    assert ran.status == 1
    assert Checkpoint.parse(ran.out) == signed
    assert "could not be asked" in ran.err
    assert "Too few witnesses" in ran.err


def test_a_claim_and_the_growth_of_the_log_are_proved(good, refused, signed, tmp_path):
    told = good("prove", "c1", "--checkpoint", "signed.txt", "--entry", "c1.json").out
    proof = InclusionProof.parse(told)
    proof.verify((tmp_path / "c1.json").read_bytes())
    assert proof.checkpoint == signed
    assert good("prove", str(proof.index)).out.startswith(f"{told[:22]}\nindex {proof.index}\n")
    assert good("prove", "c1", "--json").json["index"] == proof.index
    good("topic", "add", "other", "--label", "Other")
    growth = GrowthProof.parse(good("prove", "--since", "signed.txt").out)
    growth.verify(signed)
    assert growth.checkpoint.size == 18
    assert "Prove one thing" in refused("prove")
    assert "Prove one thing" in refused("prove", "c1", "--since", "signed.txt")
    told = refused("prove", "--since", "signed.txt", "--entry", "c1.json")
    assert "Leave --entry out" in told


def test_what_comes_first_is_told_in_the_words_of_the_command(good, refused, filled, tmp_path):
    older, newer = tmp_path / "older.txt", tmp_path / "newer.txt"
    older.write_text(good("checkpoint").out)
    good("withdraw", "c1", "--claimant", "board", "--uttered", "2024-05-01")
    newer.write_text(good("checkpoint").out)
    told = refused("prove", "--since", newer, "--checkpoint", older)
    assert "Type: claims prove --since OLDER --checkpoint NEWER" in told
    told = refused("bundle", "c1.zip", "--claim", "c1", "--checkpoint", older)
    assert "give this one as --since" in told
    assert "since=" not in told


def test_a_number_that_no_event_can_have_is_an_id(good, signed):
    of_a_host = "1580661436132757504"
    claim = ["--claimant", "board", "--act", "deny", "--proposition", "safe"]
    good("record", *claim, "--id", of_a_host)
    assert good("prove", of_a_host).out == good("prove", "17").out


@pytest.mark.parametrize("place", ["claims.db", "link", "weir.key"])
def test_what_is_proved_is_written_over_no_ledger_and_no_key(refused, signed, tmp_path, place):
    (tmp_path / "link").symlink_to("claims.db")
    before = (tmp_path / place).read_bytes()
    told = refused("prove", "c1", "--entry", place, "--key", "weir.key")
    assert "which would be gone. Give --entry another path." in told
    assert (tmp_path / place).read_bytes() == before
    assert not (tmp_path / f"{place}.sig").exists()


def test_a_signature_that_cannot_be_written_leaves_no_entry(refused, signed, tmp_path):
    (tmp_path / "c1.json.sig").mkdir()
    told = refused("prove", "c1", "--entry", "c1.json", "--key", "weir.key")
    assert "c1.json.sig cannot be written" in told
    assert not (tmp_path / "c1.json").exists()


def test_a_signature_is_written_over_no_key(refused, signed, tmp_path):
    (tmp_path / "weir.key").rename(tmp_path / "weir.sig")
    told = refused("prove", "c1", "--entry", "weir", "--key", "weir.sig")
    assert "'weir.sig' belongs to an SQLite database, or is a key" in told
    assert (tmp_path / "weir.sig").read_text().startswith("PRIVATE+KEY+")


def test_a_key_without_a_name_is_no_key(refused, signed):
    assert "'.' holds no key that can be read" in refused("checkpoint", "--key", "")


def test_a_bundle_is_checked_where_there_is_no_ledger(good, refused, signed, filled, tmp_path):
    told = good("bundle", "c1.zip", "--claim", "c1", "--checkpoint", "signed.txt").out
    assert told.startswith("c1.zip: ")
    good("bundle", "part", "--party", "office", "--withhold", "words", "--withhold", "16:who")
    good("bundle", "log")
    filled.unlink()
    assert good("verify", "c1.zip", "--trust", "weir.vkey", "--checkpoint", "signed.txt").out
    assert "who withheld" in good("verify", "part").out
    assert good("verify", "log", "--json").json["entries"] == 17
    (tmp_path / "log" / "tile" / "0" / "000.p" / "17").write_bytes(bytes(17 * 32))
    assert "does not follow from its entries" in refused("verify", "log")
    assert "no bundle" in refused("verify", "missing.zip")
    for option in (("--since", "log/checkpoint"), ("--jobs", "2"), ("--tree-only",), ("--views",)):
        assert f"Leave {option[0]} out" in refused("verify", "log", *option)
    assert "is not signed by" in refused("verify", "part", "--trust", "weir.vkey")
