from __future__ import annotations

import json
import sqlite3

import pytest

from ledger import Checkpoint


def test_the_log_is_a_line_an_event(good, filled):
    assert len(good("log").out.splitlines()) == 17
    (line,) = good("log", "--after", "12", "--limit", "1").out.splitlines()
    assert line.startswith("#13 2024-03-06 12:00:00Z")
    entries = [json.loads(line) for line in good("log", "--json").out.splitlines()]
    assert [one["sequence"] for one in entries] == list(range(17))


def test_a_checkpoint_is_kept_outside_and_verified_later(good, refused, filled, tmp_path):
    kept = good("checkpoint").out
    assert Checkpoint.parse(kept).size == 17
    (tmp_path / "checkpoint.txt").write_text(kept)
    good("topic", "add", "other", "--label", "Other")
    told = good("verify", "--checkpoint", "checkpoint.txt").out
    assert told.endswith(", continues the checkpoint at 17 (1 event after it)\n")
    assert good("verify", "--json").json["size"] == 18
    assert good("checkpoint", "--size", "17").out == kept
    assert good("checkpoint", "--json").json["size"] == 18
    assert "holds 18 events" in refused("checkpoint", "--size", "19")
    assert "no checkpoint" in refused("verify", "--checkpoint", "missing.txt")


def test_a_changed_byte_is_tamper_evidence_with_status_one(refused, filled):
    with sqlite3.connect(filled) as raw:
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_event'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(
            "UPDATE ledger_event SET entry = replace(entry, 'claimledger/1', 'claimledger/2')"
        )
    raw.close()
    assert "claims: " in refused("verify")


def test_another_logs_checkpoint_is_tamper_evidence(refused, good, filled, tmp_path):
    good("init", "other.db")
    longer = good("checkpoint").out
    (tmp_path / "checkpoint.txt").write_text(longer)
    told = refused("verify", "--checkpoint", "checkpoint.txt", "--db", "other.db")
    assert "holds 0" in told


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_sql_of_the_schema_needs_no_ledger(good, dialect):
    told = good("schema", "sql", "--dialect", dialect, "--prefix", "mine_").out
    assert "CREATE TABLE mine_event" in told


def test_a_schema_name_is_for_postgresql_alone(good, refused):
    told = good("schema", "sql", "--dialect", "postgresql", "--schema", "claims").out
    assert "claims.ledger_event" in told
    assert "SQLite has no schemas" in refused("schema", "sql", "--schema", "claims")


def test_the_demonstration_runs_in_a_folder_of_its_own(claims, tmp_path):
    ran = claims("demo")
    assert ran.status == 0
    assert "ok: " in ran.out
    assert list(tmp_path.iterdir()) == []
    assert claims("demo", "--folder", "kept").status == 0
    assert list((tmp_path / "kept").iterdir()) != []
