"""Measure the ledger beside the raw driver and print the figures as Markdown.

    python tests/benchmarks/run.py [--claims 100000] [--rounds 3] [--engine sqlite|postgres|both]

Files are made in the temporary folder: TMPDIR says on which disk. Figures are told, never asserted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import databases
from tests.benchmarks.cases import Bench, measure
from tests.benchmarks.harness import machine, markdown, table

LEAST_CLAIMS = 100


def main(arguments: list[str]) -> None:
    """Measure what is asked for, one engine after the other."""
    asked = _asked(arguments)
    start = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimledger-")))
        words = dict(machine(folder))
        engines: dict[str, databases.Fresh] = {}
        if asked.engine in ("sqlite", "both"):
            engines["SQLite"] = databases.sqlite(folder)
        if asked.engine in ("postgres", "both"):
            server = stack.enter_context(databases.postgres_server())
            words["PostgreSQL"] = databases.postgres_words(server)
            engines["PostgreSQL"] = stack.enter_context(databases.postgres(server))
        words["rounds"] = f"{asked.rounds}, after one that is not counted"
        print(markdown(("machine", ""), words.items()), flush=True)
        for name, fresh in engines.items():
            lines = measure(Bench(fresh=fresh, claims=asked.claims, rounds=asked.rounds))
            print(f"\n## {name}, {asked.claims:,} claims\n\n{table(lines)}", flush=True)
    print(f"\nmeasured in {time.monotonic() - start:,.0f} s")


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--claims", type=int, default=100_000, help="in the full log")
    parser.add_argument("--rounds", type=int, default=3, help="that are counted")
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    asked = parser.parse_args(arguments)
    if asked.claims < LEAST_CLAIMS or asked.rounds < 1:
        parser.error(f"give at least {LEAST_CLAIMS} claims and one round")
    return asked


if __name__ == "__main__":
    main(sys.argv[1:])
