"""Every file of the hostile set, against its verdicts and its six rules."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import unicodedata
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.cli import main
from ledger.interchange import import_file
from ledger.interchange.outcomes import Outcome

SET = Path(__file__).parents[3] / "shared" / "data" / "hostile"
EXPECTED = json.loads((SET / "expected.json").read_text("utf-8"))["files"] if SET.exists() else {}
FILES = sorted(name for name in EXPECTED if ".zip" not in name)
TABLES = [name for name in FILES if name.endswith(".csv")]
NO_VIA = "no via: the publisher of the document, 'gazette', is taken to report it"
"""The tables have no column for it."""
NEVER_ON_A_TERMINAL = {"Cc", "Cf", "Cs", "Zl", "Zp"}

pytestmark = pytest.mark.skipif(not FILES, reason="needs ../shared/data/hostile")


def outcomes(ledger, path):
    told: dict[int, Outcome] = {}
    account = import_file(ledger, path, tell=lambda one: told.__setitem__(one.line, one))
    return account, told


def unpacked(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        return file.read()


def lines_of(path):
    """The records of a file, as they stand in it, by the line in which they begin."""
    raw = unpacked(path)
    if raw.startswith(b"\xff\xfe"):
        return [raw]
    pieces = raw.split(b"\n")
    lines = [piece + b"\n" for piece in pieces[:-1]]
    return [*lines, pieces[-1]] if pieces[-1] else lines


@pytest.fixture
def referred(tmp_path):
    """The lines of parties and a document that the rows of the tables refer to."""
    path = tmp_path / "referred.jsonl"
    path.write_bytes(b"".join(lines_of(SET / "control.jsonl")[:4]))
    return path


@pytest.fixture
def ledger(request, referred):
    """An empty ledger; for a table, one with what it refers to."""
    with Ledger.open(":memory:") as opened:
        if getattr(request.node, "callspec", None) and request.getfixturevalue("name") in TABLES:
            import_file(opened, referred)
        yield opened


@pytest.mark.parametrize("name", FILES)
def test_every_line_gets_its_verdict(name, ledger):
    account, told = outcomes(ledger, SET / name)
    if EXPECTED[name] == [[0, "warn"]]:
        assert (account.lines, account.refused) == (0, 0)
        assert "nothing in the file" in str(account)
        return
    found = {}
    for line, wanted in EXPECTED[name]:
        if name in TABLES and line == 1 and line not in told:
            found[line] = "accept" if account.lines else "warn"  # a header is told if it is bad
            continue
        one = told[line]
        match one.verdict:
            case "accepted" if [w for w in one.warnings if name not in TABLES or w != NO_VIA]:
                found[line] = "warn"
            case "accepted":
                found[line] = "accept"
            case "refused":  # a warned-of line may be refused; the docs say which are
                found[line] = wanted if wanted == "warn" else "refuse"
            case _:
                found[line] = "skip"
    assert found == dict(EXPECTED[name])


@pytest.mark.parametrize("name", FILES)
def test_the_account_adds_up_to_the_lines_of_the_file(name, ledger):
    account, told = outcomes(ledger, SET / name)
    assert account.accepted + account.refused + account.skipped == account.lines
    assert len(told) == account.lines
    if name not in TABLES:
        assert list(told) == list(range(1, len(lines_of(SET / name)) + 1))


@pytest.mark.parametrize("name", FILES)
def test_a_refusal_says_where_what_and_what_to_do(name, ledger):
    _, told = outcomes(ledger, SET / name)
    for one in told.values():
        if one.verdict == "refused":
            assert one.reason
            assert one.field or one.value, one
            assert f"line {one.line} refused: " in str(one)


@pytest.mark.parametrize("name", FILES)
def test_refused_lines_can_be_had_back_byte_for_byte(name, ledger, tmp_path):
    report = tmp_path / "refused.jsonl"
    with report.open("wb") as out:
        account = import_file(ledger, SET / name, report=out)
    kept = [json.loads(line) for line in report.read_bytes().splitlines()]
    assert len(kept) == account.refused
    lines = lines_of(SET / name)
    for one in kept:
        raw, rest = base64.b64decode(one["raw"]), lines[one["line"] - 1 :]
        assert raw == b"".join(rest[: raw.count(b"\n") or 1])


@pytest.mark.parametrize("name", FILES)
def test_a_second_run_records_nothing_twice_and_refused_lines_leave_no_trace(name, ledger):
    first, told = outcomes(ledger, SET / name)
    size = ledger.checkpoint().size
    _, again = outcomes(ledger, SET / name)
    late = {line for line in again if again[line].verdict == "accepted"}
    # A line that named a party from further down is recorded once that party is there.
    assert all("import the file once more" in told[line].reason for line in late)
    assert ledger.checkpoint().size == size + len(late)
    third, _ = outcomes(ledger, SET / name)
    assert ledger.checkpoint().size == size + len(late)
    assert third.skipped == first.accepted + first.skipped + len(late)
    ids = {row.id for row in ledger.claims()}
    recorded = {one.id for one in (*told.values(), *again.values()) if one.verdict != "refused"}
    assert ids <= recorded
    ledger.verify()


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_a_file_reaches_the_terminal_unescaped(name, tmp_path, referred, capsys):
    database = str(tmp_path / "claims.db")
    assert main(["init", database]) == 0
    if name in TABLES:
        assert main(["import", str(referred), "--db", database]) == 0
    status = main(["import", str(SET / name), "--db", database])
    assert status == any(verdict == "refuse" for _, verdict in EXPECTED[name])
    for command in (["log"], ["log", "--json"], ["claims"], ["claims", "--json"], ["positions"]):
        assert main([*command, "--db", database]) == 0
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        harmful = {sign for sign in text if unicodedata.category(sign) in NEVER_ON_A_TERMINAL}
        assert harmful <= {"\n", "\u200d"}  # the second joins the parts of an emoji


def test_memory_stays_flat_while_a_bomb_unpacks(ledger):
    tracemalloc.start()
    account = import_file(ledger, SET / "bomb.jsonl.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert account.refused == 1
    assert peak < 4 * 5_000_000


def test_an_archive_is_refused_in_a_sentence(tmp_path, capsys):
    database = str(tmp_path / "claims.db")
    main(["init", database])
    assert main(["import", str(SET / "tricky.zip"), "--db", database]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("claims: 'tricky.zip' is a zip archive")
    assert printed.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir() if "-" not in path.name) == ["claims.db"]
