from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.interchange.out.exporting import FORMATS
from ledger.testing import lachin

CLAIMS = Path(sys.executable).with_name("claims")


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if not one.folder])
def test_every_format_leaves_by_the_command(good, filled, tmp_path, name):
    told = good("export", name, "--to", "out.file").out
    written = (tmp_path / "out.file").read_bytes()
    assert told.endswith(f" written to out.file: {FORMATS[name].title}\n")
    assert written
    assert good("export", name, "--to", "again.gz", "--json").json["target"] == "again.gz"
    assert gzip.decompress((tmp_path / "again.gz").read_bytes()) == written
    assert not list(tmp_path.glob(".*part*"))


def test_tables_leave_into_a_folder(good, refused, filled, tmp_path):
    assert good("export", "parquet", "--to", "tables").out.endswith("Parquet tables\n")
    assert (tmp_path / "tables" / "claims.parquet").exists()
    assert "not an empty folder" in refused("export", "parquet", "--to", "tables")
    assert "Type --to" in refused("export", "parquet")


def test_without_a_file_what_leaves_goes_to_standard_output_alone(filled, tmp_path):
    done = subprocess.run(
        [CLAIMS, "export", "jsonl"], cwd=tmp_path, capture_output=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in lines if one["type"] == "claim"] == ["c1", "c2", "c3"]
    assert done.stderr == b""


def test_a_view_leaves_as_of_its_dates(good, filled, tmp_path):
    good("export", "jsonl", "--to", "said.jsonl", "--said", "2024-03-02")
    good("export", "jsonl", "--to", "known.jsonl", "--known", "2024-03-06")
    told = [(tmp_path / f"{name}.jsonl").read_text() for name in ("said", "known")]
    assert ['"c1"' in one for one in told] == [True, True]
    assert ['"c2"' in one for one in told] == [False, True]
    assert ['"c3"' in one for one in told] == [False, False]


def test_a_log_is_cut_by_what_was_known_alone(good, refused, filled):
    assert "type --known" in refused("export", "log", "--said", "2024-03-02", "--to", "x")
    assert "type --known" in refused("export", "cloudevents", "--said", "2024-03-02", "--to", "x")
    assert good("export", "log", "--known", "9", "--to", "x").out.startswith("11 lines")


def test_a_log_is_restored_and_continues_its_checkpoint(good, refused, filled, tmp_path):
    kept = good("checkpoint").out
    (tmp_path / "checkpoint.txt").write_text(kept)
    good("export", "log", "--to", "log.gz")
    good("init", "copy.db")
    assert good("restore", "log.gz", "--db", "copy.db").out.startswith("17 events of default")
    told = good("verify", "--checkpoint", "checkpoint.txt", "--db", "copy.db").out
    assert told.endswith("continues the checkpoint at 17\n")
    assert good("position", "board", "safe", "--db", "copy.db").out == (
        good("position", "board", "safe").out
    )
    assert "where there is none" in refused("restore", "log.gz", "--db", "copy.db")
    assert "cannot be read" in refused("restore", "no.gz", "--db", "copy.db")
    (tmp_path / "lines.jsonl").write_text('{"type": "party", "id": "x", "name": "X"}\n')
    told = refused("import", "log.gz", "--db", "copy.db")
    assert told.endswith(
        "is a whole log, as `claims export log` writes it. Type: claims restore 'log.gz'\n"
    )
    assert "no log file" in refused("restore", "lines.jsonl", "--db", "copy.db")


def test_lines_that_left_are_imported_with_the_same_answers(good, filled, tmp_path):
    good("export", "jsonl", "--to", "out.jsonl")
    good("init", "copy.db")
    assert " 0 refused" in good("import", "out.jsonl", "--db", "copy.db", "--quiet").out
    for who in ("board", "office", "county"):
        assert good("position", who, "safe", "--db", "copy.db").out == (
            good("position", who, "safe").out
        )


def test_losses_are_told_before_anything_leaves(good, refused, filled, tmp_path):
    told = good("export", "popolo", "--losses").out
    assert told.startswith("Popolo JSON does not carry:\n")
    assert "claim.act: not carried; 3 records have it" in told
    found = good("export", "popolo", "--losses", "--json").json
    assert {one["field"] for one in found["losses"]} >= {"claim.act", "document.text"}
    assert {one.name for one in tmp_path.iterdir() if one.suffix == ".json"} == set()


def test_what_cannot_be_written_is_refused(refused, filled, tmp_path):
    assert "Did you mean 'popolo'" in refused("export", "popollo")
    assert "no absolute address" in refused("export", "prov", "--base", "here", "--to", "x")
    assert "cannot be written" in refused("export", "jsonl", "--to", "no/such/x")
    assert list(tmp_path.glob("x*")) == []


def test_a_key_that_signs_is_not_written_over(good, refused, filled, tmp_path):
    good("key", "new", "weir.key")
    key = (tmp_path / "weir.key").read_bytes()
    assert "is a key that signs" in refused("export", "jsonl", "--to", "weir.key")
    good("export", "jsonl", "--to", "lines.jsonl")
    assert "a ledger's or a key" in refused("import", "lines.jsonl", "--report", "weir.key")
    assert (tmp_path / "weir.key").read_bytes() == key


@pytest.mark.parametrize("target", ["claims.db", "claims.db-wal", "link"])
def test_a_ledger_is_not_written_over(good, refused, filled, tmp_path, target):
    (tmp_path / "link").symlink_to("claims.db")
    assert "belongs to an SQLite database" in refused("export", "jsonl", "--to", target)
    assert "belongs to an SQLite database" in refused("export", "parquet", "--to", "claims.db")
    assert good("verify").out.startswith("ok")


def test_a_link_stays_a_link_and_a_pipe_a_pipe(good, filled, tmp_path):
    (tmp_path / "link").symlink_to("behind.jsonl")
    good("export", "jsonl", "--to", "link")
    assert (tmp_path / "link").is_symlink()
    written = (tmp_path / "behind.jsonl").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor() as threads:
        reading = threads.submit((tmp_path / "pipe").read_bytes)
        good("export", "jsonl", "--to", "pipe")
        assert reading.result() == written
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no device that is always full")
def test_a_full_device_is_told(refused, filled):
    assert "No space left on device" in refused("export", "jsonl", "--to", "/dev/full")
    assert Path("/dev/full").is_char_device()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        lachin.load(ledger)
    done = subprocess.run(
        f"{CLAIMS} export log | head -n 1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(done.stdout)["size"] == 42
    assert done.stderr == ""


@pytest.mark.parametrize(
    "name, module, extra",
    [("parquet", "pyarrow", "arrow"), ("prov", "prov", "prov"), ("nanopub", "rdflib", "rdf")],
)
def test_a_missing_library_is_told_with_its_extra(filled, tmp_path, name, module, extra):
    code = (
        f"import sys; sys.modules[{module!r}] = None; from ledger.cli import main; "
        f"sys.exit(main(['export', {name!r}, '--to', 'x']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"pip install 'claimledger[{extra}]'" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("format_", ["nanopub", "cito"])
def test_what_needs_rdflib_names_its_extra_and_no_other_format(filled, format_):
    code = "import sys; sys.modules['rdflib'] = None; from ledger.cli import main; sys.exit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", code, "export", format_, "--db", filled],
        capture_output=True,
        text=True,
        check=False,
    )
    needs = "Exporting RDF needs rdflib, which is not installed."
    assert ran.stderr == f"claims: {needs} Type: pip install 'claimledger[rdf]'\n"
    assert ran.returncode == 1
