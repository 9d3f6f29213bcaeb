"""The benchmarks run, small: what they print, not how fast anything is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")
JOBS = [
    "append, one claim a transaction",
    "append, 500 claims a transaction",
    "replay to typed events",
    "replay to folded facts: the first view",
    "verify every byte (raw: hash every byte)",
    "position(party, proposition)",
    "position(party, proposition), right after an append",
    "append to the full log, one claim a transaction",
    "append to the full log, 500 claims a transaction",
]


def test_a_small_run_prints_every_job_with_the_figures_of_ledger_and_raw_driver():
    command = [sys.executable, str(RUN), "--claims", "200", "--rounds", "1", "--engine", "sqlite"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    _, _, after = done.stdout.partition("## SQLite, 200 claims\n\n")
    _, _, *rows = (line for line in after.splitlines() if line.startswith("|"))
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row[0] for row in cells] == JOBS
    for _, size, ours, raw, ratio in cells:
        assert size.split()[1] in {"claims", "events", "questions"}
        assert ours.split()[1] == raw.split()[1]
        assert float(ratio) > 0


@pytest.mark.parametrize("wrong", ["--claims=5", "--rounds=0", "--engine=other"])
def test_what_cannot_be_measured_is_refused_before_anything_is(wrong):
    done = subprocess.run([sys.executable, RUN, wrong], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert not done.stdout
