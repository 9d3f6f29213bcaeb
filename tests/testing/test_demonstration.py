"""The demonstration: what its transcript says, and that it says the same every time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.errors import StoreError
from ledger.testing import demonstration


@pytest.fixture
def transcript(tmp_path) -> list[str]:
    lines: list[str] = []
    demonstration.run(lines.append, tmp_path)
    return lines


def after(transcript: list[str], typed: str, *, lines: int = 1) -> list[str]:
    """What is printed behind the typed line that begins so."""
    at = next(at for at, line in enumerate(transcript) if line.startswith(typed)) + 1
    while transcript[at].startswith("... "):
        at += 1
    return transcript[at : at + lines]


def test_it_records_nine_claims(transcript):
    assert after(transcript, ">>> print(len(ledger.claims())")[0].startswith("9 claims, ")


def test_the_table_has_each_cell_on_three_dates_and_the_quote_behind_it(transcript):
    text = "\n".join(transcript)
    assert re.search(
        r"said by 2022-12-31 +said by 2023-01-18 +said by 2023-02-22\n"
        r"blocked: .*\n"
        r"Russian Defense Ministry +possibly supports \[1\] +possibly supports \[1\] +"
        r"supports, assert \[1\]\n"
        r"Russia +possibly supports\* \[1\] +possibly supports\* \[1\] +supports\*, assert \[1\]\n",
        text,
    )
    assert "[1] “the Azerbaijani side blocked the Stepanakert-Goris road”, indirect\n" in text


def test_the_slip_is_amended_and_what_was_believed_before_is_still_there(transcript):
    now = after(transcript, '>>> print(ledger.as_of(said="2023-02-15").position')
    then = after(transcript, '>>> print(ledger.as_of(said="2023-02-15", known="2023-02-24")')
    assert (now, then) == (["silent"], ["supports* (assert)"])


def test_the_ledger_knew_nothing_on_the_day_before_it_was_told(transcript):
    assert after(transcript, '>>> for day in ("2023-02-22", "2023-02-23"', lines=3) == [
        "2023-02-22 0 claims",
        "2023-02-23 9 claims",
        "2023-02-24 10 claims",
    ]


def test_a_claim_is_traced_to_its_words_and_to_its_entries(transcript):
    text = "\n".join(transcript)
    assert "quotation: …[more than 2.5 tons of humanitarian goods have been delivered]…" in text
    assert "record_amended by desk: uttered, because we typed 12 for 22" in text


def test_the_supposed_withdrawal_is_called_so_and_stands_in_the_copy_alone(transcript, tmp_path):
    assert any(line.startswith("8. What if? Suppose") for line in transcript)
    shown = after(transcript, '>>> for day in ("2023-02-27"', lines=2)
    assert shown == ["2023-02-27 supports (offer)", "2023-02-28 withdrawn"]
    with Ledger.open(tmp_path / "lachin.db") as told, Ledger.open(tmp_path / "suppose.db") as other:
        types = [[event.type for event in one.events()] for one in (told, other)]
    assert types[1] == [*types[0], "claim_withdrawn"]


def test_verify_finds_the_untouched_file_right_and_names_the_changed_byte(transcript):
    assert after(transcript, ">>> print(ledger.verify(kept))")[0].startswith("ok: 45 events")
    assert after(transcript, ">>> print(sum(")[0].startswith("1 byte of ")
    assert transcript[-1] == (
        "CommitmentMismatch: The slot 'words' at sequence 43 was changed: it is not what its entry "
        "commits to."
    )


def test_two_runs_read_alike_but_for_hashes(transcript, tmp_path):
    again: list[str] = []
    (tmp_path / "again").mkdir()
    demonstration.run(again.append, tmp_path / "again")

    def plain(lines: list[str]) -> str:
        return re.sub(r"\b[0-9a-f]{64}\b", "(hash)", "\n".join(lines))

    assert plain(again) == plain(transcript)


def test_a_line_is_a_line(transcript):
    assert not any("\n" in line for line in transcript)


def test_a_folder_that_has_a_ledger_already_is_refused(transcript, tmp_path):
    with pytest.raises(StoreError, match="empty folder"):
        demonstration.run(lambda line: None, tmp_path)


@pytest.mark.parametrize("name", ["lachin.db", "suppose.db", "forged.db"])
def test_a_file_of_a_name_that_it_takes_is_left_as_it_is(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError, match=f"{name} is there already. Give .* an empty folder"):
        demonstration.run(print, tmp_path)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(name, "mine")]


@pytest.mark.parametrize("name", ["sqlite:demo", "file:demo"])
def test_a_folder_may_be_named_as_a_url_begins(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    demonstration.run(print, Path(name))
    assert (tmp_path / name / "lachin.db").exists()
