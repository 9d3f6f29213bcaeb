"""What a hostile or unlucky user does: nothing is lost, and no traceback is shown."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import Ledger, Party
from ledger.cli import acts
from ledger.cli.options import Where
from ledger.errors import StoreError

ROOT = Path(__file__).parents[2]
MAIN = "import sys; from ledger.cli import main; sys.exit(main())"
LINE = '{"type": "party", "id": "az", "name": "Azerbaijan"}\n'


def in_shell(rest, *, cwd):
    """The command with a shell's redirections, as another process."""
    return subprocess.run(
        f"'{sys.executable}' -c '{MAIN}' {rest}",
        shell=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("report", ["lines.jsonl", "./lines.jsonl", "claims.db", "claims.db-wal"])
def test_a_report_overwrites_neither_the_file_nor_the_ledger(good, refused, filled, report):
    file = filled.parent / "lines.jsonl"
    file.write_text(LINE)
    before = file.read_bytes(), filled.read_bytes()
    assert "would overwrite it" in refused("import", file, "--report", report)
    assert (file.read_bytes(), filled.read_bytes()) == before
    good("verify")


def test_a_report_may_replace_an_earlier_report(good, filled):
    file = filled.parent / "lines.jsonl"
    file.write_text(LINE)
    good("import", file, "--report", "refused.jsonl")
    good("import", file, "--report", "refused.jsonl")


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="no /dev/stdin here")
def test_lines_may_come_through_a_pipe(filled):
    ran = subprocess.run(
        [sys.executable, "-c", MAIN, "import", "/dev/stdin"],
        cwd=filled.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=LINE.encode(),
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"1 accepted" in ran.stdout


@pytest.mark.parametrize("command", ["log", "--help", "party --help", "schema sql", "checkpoint"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_the_output_is_one_sentence(filled, command):
    ran = in_shell(f"{command} > /dev/full", cwd=filled.parent)
    assert ran.returncode == 1
    assert ran.stderr.startswith("claims: The output cannot be written: ")
    assert ran.stderr.count("\n") == 1


def test_without_any_output_a_command_does_its_work(filled):
    ran = in_shell("party add az --name Azerbaijan >&- 2>&-", cwd=filled.parent)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    with Ledger(filled) as ledger:
        assert "az" in [party.id for party in ledger.as_of().parties()]


@pytest.mark.parametrize("given", ["<&-", "< bytes"])
def test_what_cannot_be_read_from_the_keyboard_confirms_nothing(filled, given):
    (filled.parent / "bytes").write_bytes(b"\xff\n")
    asked = "erase c1 --reason r --authority a"
    ran = in_shell(f"{asked} {given}", cwd=filled.parent)
    assert ran.returncode == 1
    assert "claims: Nothing was erased: type 'c1' to confirm, got " in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["log", "position board safe", "verify", "index", "vacuum"])
def test_an_empty_file_is_no_ledger_and_stays_empty(refused, good, tmp_path, command):
    file = tmp_path / "new.db"
    file.touch()
    told = refused(*command.split(), "--db", file)
    assert told.endswith(f"is empty, so it holds no ledger. Type: claims init {file}\n")
    assert file.read_bytes() == b""
    good("init", file)


def test_a_file_that_is_cut_short_is_told_with_what_to_do(refused, filled):
    with sqlite3.connect(filled) as held:
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    held.close()
    filled.write_bytes(filled.read_bytes()[:40960])
    told = refused("claims")
    assert "The database file is damaged or cut short: " in told
    assert "Restore it from a copy" in told


@pytest.mark.parametrize(
    "command",
    [
        "position board safe --known {}",
        "replay {}",
        "diff --from-known {}",
        "prove {}",
        "withdraw c1 --claimant board --document d1 --quote x --range {}-7",
        "bundle new --withhold {}:who",
    ],
)
def test_a_number_of_five_thousand_digits_is_one_sentence(refused, filled, command):
    told = refused(*command.format("9" * 5000).split())
    assert "99999999" in told
    assert len(told) < 400


def test_an_interrupt_says_what_is_kept(claims, filled, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(acts, "days_of_act", interrupted)
    ran = claims("record", "--claimant", "board", "--act", "deny", "--proposition", "safe")
    assert (ran.status, ran.out) == (130, "")
    assert ran.err.startswith("claims: interrupted. What was recorded until then stays")


def test_an_interrupt_while_the_commands_are_loaded_is_one_sentence(claims, monkeypatch):
    def interrupted(_name):
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.util.find_spec", interrupted)
    ran = claims("position")
    assert (ran.status, ran.out) == (130, "")
    assert ran.err.startswith("claims: interrupted. ")


def test_a_folder_that_cannot_be_made_is_one_sentence(refused, filled):
    assert "claims.db" in refused("demo", "--folder", "claims.db")


@pytest.mark.parametrize("db", ["", ":memory:", "sqlite://", "sqlite:///"])
def test_a_ledger_in_memory_is_refused(refused, db):
    assert "ends with the command" in refused("log", "--db", db)
    assert "ends with the command" in refused("init", db)


@pytest.mark.parametrize("url", ["sqlite:///no.db", "sqlite+pysqlite:///no.db"])
def test_a_question_makes_no_file(refused, tmp_path, url):
    assert "There is no ledger at 'no.db'" in refused("log", "--db", url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://host:port/x", "://", "mysql://host/x"])
def test_an_address_of_no_database_is_told(refused, url):
    assert "Type a file path" in refused("log", "--db", url)


def test_an_address_that_is_none_does_not_show_its_password(refused):
    assert "hidden" not in refused("log", "--db", "postgresql://u:hidden@x@host:port/x")


def test_a_ledger_on_a_medium_that_cannot_be_written_is_verified(good, filled, monkeypatch):
    monkeypatch.chdir(filled.parent.parent)
    url = f"sqlite:///file:{filled.parent.name}/claims.db?immutable=1&uri=true"
    before = sorted(filled.parent.iterdir())
    assert good("verify", "--db", url).out.startswith("ok: ")
    assert sorted(filled.parent.iterdir()) == before


def test_a_server_that_is_not_there_is_told_in_one_line(refused):
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    told = refused("log", "--db", "postgresql://u:hidden@localhost:1/x")
    assert "hidden" not in told
    assert "\\u000a" not in told


def test_a_ledger_deleted_under_a_command_is_told(filled):
    with (
        pytest.raises(StoreError, match="deleted or moved") as caught,
        Where(db=str(filled)).ledger(),
    ):
        filled.unlink()
    assert caught.value.stored == "unknown"


def test_two_texts_of_one_document_are_refused(refused, filled):
    (filled.parent / "text.txt").write_text("b")
    argv = ["document", "add", "d2", "--publisher", "gazette", "--text", "a"]
    assert "Type one of them" in refused(*argv, "--text-file", "text.txt")


@pytest.fixture
def other(tmp_path):
    """A file whose only log has another origin."""
    with Ledger.open(tmp_path / "claims.db", origin="press.example") as ledger:
        ledger.register(Party("az", name="Azerbaijan", kind="state"))
    return tmp_path / "claims.db"


def test_the_only_log_of_a_file_is_the_one_that_is_meant(good, other):
    assert good("verify").out.startswith("ok: 1 event of press.example")
    good("party", "add", "ru", "--name", "Russia")
    assert good("checkpoint").out.startswith("press.example\n2\n")


def test_a_log_that_is_not_there_is_never_found_in_order(refused, other):
    told = refused("verify", "--origin", "pres.example")
    assert "no log 'pres.example'" in told
    assert "'press.example'" in told


def test_of_several_logs_one_is_named(good, refused, other):
    good("party", "add", "ru", "--name", "Russia", "--origin", "second")
    assert "holds several logs: there is 'press.example', 'second'" in refused("log")
    assert good("log", "--origin", "second").out.count("\n") == 1


def test_tables_under_another_prefix_are_found(good, refused):
    good("init", "--prefix", "x_")
    good("party", "add", "ru", "--name", "Russia", "--prefix", "x_")
    assert "1 event " in good("verify", "--prefix", "x_").out
    assert "no ledger_log" in refused("verify")
