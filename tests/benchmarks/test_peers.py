"""The contests with the opponent run, small: what they print, not how fast anything is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PEERS = Path(__file__).with_name("peers.py")

pytest.importorskip("eventsourcing", reason="the opponent is not installed")


def run(*arguments, **environment):
    command = [sys.executable, PEERS, "--quick", "--rounds", "1", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "/s" in line]
    return [row for row in rows if len(row) > 4]


def test_contests_on_files_print_both_rates_and_whether_the_goal_was_met():
    rows = run(
        *("--only", "sqlite-fresh", "sqlite-normal", "sqlite-bare", "growth"),
        *("replay-sqlite", "disk"),
    )

    jobs = [row[0] for row in rows]
    assert "SQLite FULL, new file, log only, batch 1000" in jobs
    assert "SQLite, replay to typed events" in jobs
    for _, goal, *rates, ratio, met in (row[:6] for row in rows):
        ours, other = (float(cell.split("/s")[0].replace(",", "")) for cell in rates)
        assert float(ratio) == pytest.approx(ours / other, rel=0.02, abs=0.006)
        reached = float(ratio) / float(goal.removeprefix("≥ "))
        if abs(reached - 1) > 0.1:
            assert met.startswith("yes" if reached > 1 else "**no**")


def test_the_raw_driver_is_measured_on_a_server(postgres_server):
    rows = run("--only", "postgres-bare", LEDGER_TEST_POSTGRES_URL=postgres_server)

    assert [row[0] for row in rows] == [
        *(f"PostgreSQL durable, log only, batch {batch}" for batch in (1, 100, 1000)),
        "PostgreSQL, replay to typed events",
    ]


def test_the_inline_view_and_its_rebuild_are_measured_on_files():
    rows = run("--only", "sqlite-large", "rebuild-sqlite", "--fill", "50000")

    jobs = [row[0] for row in rows]
    assert "SQLite FULL, 500 events, inline claims view, batch 100" in jobs
    assert jobs[-4:] == [
        *["SQLite, rebuild of the claims view"] * 2,
        *["SQLite, rebuild of the cells view"] * 2,
    ]
    assert rows[-1][3].endswith("raw driver")


def test_the_rebuild_is_measured_on_a_server(postgres_server):
    rows = run("--only", "rebuild-postgres", LEDGER_TEST_POSTGRES_URL=postgres_server)

    assert [row[0] for row in rows] == [
        *["PostgreSQL, rebuild of the claims view"] * 2,
        *["PostgreSQL, rebuild of the cells view"] * 2,
    ]


def test_writers_on_a_server_are_read_back_without_a_hole(postgres_server):
    rows = run("--only", "writers", LEDGER_TEST_POSTGRES_URL=postgres_server)

    assert [row[0] for row in rows] == [
        *["PostgreSQL durable, writers: 1, batch 1"] * 2,
        *["PostgreSQL durable, writers: 1, batch 100"] * 2,
    ]
    for peer, bare in zip(rows[::2], rows[1::2], strict=True):
        assert "0 holes, 0 missed of" in peer[6]
        assert bare[3].endswith("bare counter row")
