"""Checkpoints as texts: bare, signed, and those that are none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidCheckpoint
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.hashing import EMPTY_ROOT

EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
BODY = f"claims.example\n600\n{EMPTY}\n"
origins = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)


@given(origins, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_reads_back_from_its_body_and_as_printed(origin, size, root):
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(checkpoint.body()) == checkpoint
    assert Checkpoint.parse(str(checkpoint)) == checkpoint
    assert checkpoint.body().count("\n") == 3


def test_the_body_is_the_three_lines_of_the_format():
    assert Checkpoint("claims.example", 600, EMPTY_ROOT).body() == BODY


def test_signatures_are_left_aside():
    signed = BODY + "\n— claims.example c2lnbmVk\n— witness.example/w c2lnbmVk\n"
    assert Checkpoint.parse(signed) == Checkpoint.parse(signed.rstrip()) == Checkpoint.parse(BODY)


def test_lines_that_another_log_added_after_the_root_are_left_aside():
    assert Checkpoint.parse(BODY + "extension\n\n— a c2lnbmVk\n") == Checkpoint.parse(BODY)


def test_real_checkpoints_of_other_logs_are_read(shared):
    rekor = json.loads(shared("vectors/rekor-v2/rekor_v2_staging.json").read_text())
    read = Checkpoint.parse(rekor["checkpoint"])
    assert (read.origin, read.size) == ("log2025-alpha1.rekor.sigstage.dev", 646)
    golden = shared("vectors/golden-bundle/log/checkpoint").read_text(encoding="utf-8")
    assert golden.startswith(Checkpoint.parse(golden).body() + "\n")


def test_a_signed_note_that_is_no_checkpoint_is_refused(shared):
    note = json.loads(shared("vectors/c2sp/signed-note-example.json").read_text())["note"]
    with pytest.raises(InvalidCheckpoint, match="three lines"):
        Checkpoint.parse(note)


@pytest.mark.parametrize(
    "text, field",
    [
        ("", "text"),
        ("claims.example\n600\n", "text"),
        (f"\n600\n{EMPTY}\n", "origin"),
        (f"a\tb\n600\n{EMPTY}\n", "origin"),
        (f"a\n0600\n{EMPTY}\n", "size"),
        (f"a\n-1\n{EMPTY}\n", "size"),
        (f"a\n+1\n{EMPTY}\n", "size"),
        (f"a\n1_0\n{EMPTY}\n", "size"),
        (f"a\n \N{ARABIC-INDIC DIGIT SIX}\n{EMPTY}\n", "size"),
        (f"a\n{2**63}\n{EMPTY}\n", "size"),
        (f"a\n{'9' * 5000}\n{EMPTY}\n", "size"),
        (f"a\n600\r\n{EMPTY}\n", "size"),
        (f"a\n600\n{EMPTY[:-1]}\n", "root"),
        (f"a\n600\n{EMPTY[:-2]}V=\n", "root"),
        ("a\n600\n\n", "text"),
        ("a\n600\nAAAA\n", "root"),
        (f"a\n600\n {EMPTY}\n", "root"),
        (f"a\n600\né{EMPTY}\n", "root"),
        (BODY + "\nnot a signature\n", "signatures"),
        (BODY + "\n— a b\n\n— c d\n", "signatures"),
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused_and_the_part_named(text, field):
    with pytest.raises(InvalidCheckpoint) as caught:
        Checkpoint.parse(text)
    assert caught.value.field == field


def test_a_root_with_stray_bits_in_its_base64_is_refused():
    stray = EMPTY.replace("FU=", "FV=")  # decodes to the same 32 bytes
    with pytest.raises(InvalidCheckpoint, match="third line"):
        Checkpoint.parse(BODY.replace(EMPTY, stray))


@pytest.mark.parametrize("size, root", [(-1, bytes(32)), (2**63, bytes(32)), (1, bytes(31))])
def test_a_checkpoint_that_no_tree_has_cannot_be_made(size, root):
    with pytest.raises(InvalidCheckpoint):
        Checkpoint("claims.example", size, root)
