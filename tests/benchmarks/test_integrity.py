"""The benchmark of verification and proofs runs, small: what it prints, not how fast it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).with_name("integrity.py")


def test_a_small_run_prints_verification_and_proofs():
    command = [sys.executable, str(RUN), "--claims", "500", "--rounds", "1", "--leaves", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for words in (
        "| verify() |",
        "| verify(processes=2) |",
        "| verify(contents=False): leaves and tree |",
        "| events an append |",
        "| a log of 2,000 leaves |",
        "| proof of inclusion |",
        "| checkpoint over 10,000 new events |",
    ):
        assert words in done.stdout
