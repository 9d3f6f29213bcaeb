from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import Ledger, Party
from ledger.cli import main
from ledger.cli.app import assembled
from ledger.cli.output import safe

ROOT = Path(__file__).parents[2]
COMMANDS = [
    *("demo", "init", "party add", "document add", "topic add", "proposition add"),
    *("party list", "document list", "topic list", "proposition list", "merge"),
    *("occurrence add", "name", "member", "record", "import", "withdraw", "correct", "amend"),
    *("relate", "position", "positions", "timeline", "claims", "trace", "contradictions"),
    *("divergences", "replay", "diff", "log", "verify", "checkpoint", "schema sql"),
]
ASKING = [
    *("position", "positions", "timeline", "claims", "trace", "contradictions", "divergences"),
    *("party list", "document list", "topic list", "proposition list"),
]
QUESTIONS = [*ASKING, "replay", "diff", "explain", "perspectives", "silences", "check-quotes"]
HARM = "\x1b[31mred\x07\u202eback [bold]x[/bold] \x9b1m"


def run(code, *argv, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *argv],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        **options,
    )


MAIN = "import sys; from ledger.cli import main; sys.exit(main())"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_commands_help_has_one_sentence_and_an_example_that_parses(good, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    told = good(*command.split(), "--help").out
    sentence = told.splitlines()[2].strip()
    assert re.fullmatch(r"[^.]+\.", sentence)
    (example,) = re.findall(r"Example: (claims .+)", told)
    argv = shlex.split(example.strip())[1:]
    assert argv[: len(command.split())] == command.split()
    argv = argv[: argv.index(">")] if ">" in argv else argv
    assembled().parse_args(argv, exit_on_error=False, print_error=False)


def test_the_examples_of_questions_run_on_the_ledger_of_the_demonstration(good, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    good("demo", "--folder", ".")
    for command in QUESTIONS:
        (example,) = re.findall(r"Example: claims (.+)", good(*command.split(), "--help").out)
        good(*shlex.split(example), "--db", "lachin.db")


def test_the_help_names_all_commands(good):
    told = good("--help").out
    assert all(f" {command.split()[0]}:" in told for command in COMMANDS)
    assert good().out == told


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_has_a_bare_date(good, command):
    assert "--date" not in good(*command.split(), "--help").out


@pytest.mark.parametrize("command", ASKING)
def test_each_question_takes_both_dates_and_json(good, command):
    told = good(*command.split(), "--help").out
    assert all(option in told for option in ("--said", "--known", "--json", "--db"))


@pytest.mark.parametrize(
    "argv",
    [
        ["position"],
        ["position", "a", "b", "c"],
        ["nope"],
        ["party", "add", "x"],
        ["position", "a", "b", "--date", "2024-01-01"],
        ["log", "--limit", "many"],
        ["log", "--limit", "1.5"],
        ["log", "--after", "0x10"],
        ["verify", "--jobs", "1e3"],
        ["checkpoint", "--size", "9" * 5000],
        ["document", "add", "d", "--publisher", "p", "--length", "1.5"],
        ["name", "a", "A", "--rank", "\u0663"],
        ["import", "lines.jsonl", "--format", "x" * 5000],
        ["record", "--proposition", "p", "--act", "a", "--mode", "loud"],
    ],
)
def test_a_wrong_command_line_has_status_two(refused, argv):
    told = refused(*argv, status=2)
    command = " ".join(argv[:2] if argv[1:2] == ["add"] else argv[:1] if argv != ["nope"] else [])
    assert told.endswith(f" Type: claims {command}{' ' if command else ''}--help\n")
    assert len(told) < 300


def test_what_is_wrong_with_a_command_line_is_told_in_words(refused):
    told = refused("log", "--limit", "1.5", status=2)
    assert "--limit: '1.5' is no whole number. Write one in digits, such as 12." in told
    assert "Too much was typed: 'b', 'c'." in refused("trace", "a", "b", "c", status=2)
    behind = "An option such as '--db' comes behind its command: claims verify --db claims.db."
    assert behind in refused("--db", "claims.db", "verify", status=2)
    assert behind in refused("party", "--db", "claims.db", "add", "az", status=2)


def test_a_negative_number_is_a_number(good, filled):
    assert good("log", "--after", "-1", "--limit", "1").out.startswith("#0 ")


@pytest.mark.parametrize(
    "argv",
    [
        *(["position", "a", "b"], ["positions"], ["log"], ["verify"], ["checkpoint"], ["claims"]),
        *(["party", "add", "a", "--name", "A"], ["import", "file.jsonl"], ["replay", "2024-01-01"]),
        ["record", "--act", "assert", "--proposition", "p"],
    ],
)
def test_a_ledger_that_is_not_there_is_not_made(refused, argv, tmp_path):
    told = refused(*argv)
    assert told == "claims: There is no ledger at 'claims.db'. Type: claims init claims.db\n"
    assert refused(*argv, "--db", "sqlite:///x.db").endswith("Type: claims init x.db\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else_is_refused(refused, tmp_path):
    (tmp_path / "claims.db").write_text("a letter")
    assert "no SQLite database" in refused("positions")
    (tmp_path / "claims.db").write_bytes(b"")
    assert "claims init" in refused("positions")


def test_the_ledger_may_be_named_by_the_environment(good, filled, monkeypatch, tmp_path):
    monkeypatch.setenv("CLAIMS_DB", str(filled))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "supports" in good("position", "board", "safe").out


def test_the_version_is_one_line(good):
    assert re.fullmatch(r"\S+\n", good("--version").out)


def test_harmful_text_in_data_is_escaped_and_markup_is_text(good, filled):
    good("record", "--claimant", "board", "--act", "assert", "--proposition", "safe",
         "--uttered", "2024-03-02", "--note", HARM, "--utterance", "[red]u[/red]", "--id", "[b]x",
         "--conditions", f"one\ntwo {HARM}")  # fmt: skip
    good("name", "board", "[bold]name[/bold] \u202eback")
    for ask in (["log"], ["claims"], ["trace", "[b]x"], ["position", "board", "safe"]):
        for form in ([], ["--json"]):
            told = good(*ask, *form).out
            assert not set(told) & set("\x1b\x07\u202e\x9b")
            assert [safe(line) for line in told.split("\n")] == told.split("\n")
    assert "[b]x" in good("claims").out
    (last,) = good("log", "--json", "--after", "17").out.splitlines()
    assert "[bold]name[/bold]" in json.loads(last)["summary"]
    assert json.loads(good("position", "board", "safe", "--json").out)["conditions"] == [
        f"one\ntwo {HARM}"
    ]


def test_a_line_end_in_data_begins_no_line_of_output(good, filled):
    good("document", "add", "d9", "--publisher", "gazette", "--text", "one\ntwo three")
    good("record", "--claimant", "board", "--act", "assert", "--proposition", "risk",
         "--document", "d9", "--quote", "one\ntwo", "--id", "c9")  # fmt: skip
    assert "[one\\u000atwo]" in good("trace", "c9").out


def test_a_terminal_gets_a_drawn_table_and_markup_stays_text(good, filled, monkeypatch):
    good("proposition", "add", "[red]p[/red]", "--text", "P", "--topic", "dam")
    good("record", "--claimant", "board", "--act", "assert", "--proposition", "[red]p[/red]")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True, raising=False)
    told = good("positions", "--topic", "dam").out
    assert "┃" in told
    assert "[red]p[/red]" in told


def test_a_terminal_without_room_for_the_headings_gets_lines(good, filled, monkeypatch):
    plain = good("claims").out
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True, raising=False)
    assert good("claims").out == plain


def test_elsewhere_output_is_plain_and_wide_lines_are_not_broken(filled):
    with Ledger(filled) as ledger:
        ledger.register(Party("long", name="x" * 200))
    done = run(MAIN, "log", "--db", str(filled))
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 18
    done = run(MAIN, "positions", "--topic", "dam", "--db", str(filled))
    assert "─" not in done.stdout.decode()


def test_any_sign_can_be_printed_whatever_the_encoding(filled):
    with Ledger(filled) as ledger:
        ledger.register(Party("name", name="Ағдам 🌊"))
    done = run(MAIN.replace("import sys;", "import sys; sys.stdout.reconfigure(encoding='ascii');"),
               "log", "--db", str(filled))  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_reads_nothing_of_the_help_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "claims", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, told = process.communicate()
    assert (process.returncode, told) == (0, b"")


def test_a_reader_that_has_seen_enough_is_no_error(filled):
    with Ledger(filled) as ledger:
        for number in range(3):
            ledger.register_all(Party(f"p{number}-{i}", name="x" * 400) for i in range(200))
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "log", "--json", "--db", str(filled)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, told = process.communicate()
    assert (process.returncode, told) == (0, b"")


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_without_the_extra_the_command_says_what_to_type(missing):
    done = run(f"import sys; sys.modules[{missing!r}] = None\n{MAIN}", "--help", text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "claims: The command line needs cyclopts and rich, which is not installed. "
        "Type: pip install 'claimledger[cli]'\n"
    )


def test_main_reads_the_command_line_where_no_arguments_are_given(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["claims", "--version"])
    assert main() == 0
    assert capsys.readouterr().out


def test_an_import_tells_refusals_on_standard_error_and_its_account_on_standard_output(
    claims, filled, tmp_path
):
    lines = ['{"type": "party", "id": "x", "name": "WATER BOARD"}', '{"type": "party"}', ""]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    ran = claims("import", "in.jsonl", "--report", "out.jsonl")
    assert ran.status == 1
    assert ran.out == ("in.jsonl: 2 lines: 1 accepted (1 with a warning), 1 refused, 0 skipped\n")
    warning, refusal = ran.err.splitlines()
    assert warning.startswith("in.jsonl: line 1 warning: name 'WATER BOARD' is easily taken for")
    assert refusal == "in.jsonl: line 2 refused: id: field id is missing. Write it."
    assert json.loads((tmp_path / "out.jsonl").read_text())["line"] == 2
    ran = claims("import", "in.jsonl", "--quiet", "--json")
    assert (ran.json["skipped"], ran.json["refused"]) == (1, 1)
    ran = claims("import", "in.jsonl", "--report", "no/such/folder")
    assert (ran.status, ran.out) == (1, "")
    assert "--report" in ran.err


def test_the_first_refusals_are_printed_and_all_are_reported(claims, filled, tmp_path):
    (tmp_path / "in.jsonl").write_text("{}\n" * 50)
    ran = claims("import", "in.jsonl", "--json")
    assert len(ran.json["refusals"]) == 50
    *shown, more = ran.err.splitlines()
    assert (len(shown), more) == (20, "in.jsonl: 30 more refused: --report FILE writes down each.")
    ran = claims("import", "in.jsonl", "--report", "out.jsonl")
    assert ran.err.splitlines()[20:] == ["in.jsonl: 30 more refused: out.jsonl holds each."]
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 50
    (tmp_path / "in.jsonl").write_text("{}\n" * 20)
    assert len(claims("import", "in.jsonl").err.splitlines()) == 20


def test_an_empty_file_is_told_and_no_error(good, filled, tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b"")
    assert good("import", "in.jsonl").out == "in.jsonl: nothing in the file, 0 lines\n"


def test_what_ends_the_program_is_no_success(claims, monkeypatch):
    def end(*_, **__):
        sys.exit(3)

    monkeypatch.setattr("ledger.testing.demonstration.run", end)
    with pytest.raises(SystemExit, match="3"):
        claims("demo")
