"""Measure the ledger beside the raw driver and print the figures as Markdown.

    python tests/benchmarks/run.py [--claims 100000] [--rounds 3] [--engine sqlite|postgres|both]
                                   [--postgres URL]

Files are made in the temporary folder: TMPDIR says on which disk. Figures are told, never asserted.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

import databases
import table
from cases import Bench, measure
from harness import machine

LEAST_CLAIMS = 100


def main(arguments: list[str]) -> None:
    """Measure what is asked for, one engine after the other."""
    asked = _asked(arguments)
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(databases.scratch())
        words = machine(folder)
        engines: dict[str, databases.Fresh] = {}
        if asked.engine in ("sqlite", "both"):
            engines["SQLite"] = stack.enter_context(databases.sqlite(folder))
        if asked.engine in ("postgres", "both"):
            server = stack.enter_context(databases.postgres_server(asked.postgres))
            words.append(databases.postgres_words(server))
            engines["PostgreSQL"] = stack.enter_context(databases.postgres(server))
        words.append(("rounds", f"{asked.rounds}, after one that is not counted"))
        print(table.markdown(("machine", ""), words), flush=True)
        for name, fresh in engines.items():
            measured = measure(Bench(fresh=fresh, claims=asked.claims, rounds=asked.rounds))
            print(f"\n## {name}, {asked.claims:,} claims\n\n{table.lines(measured)}", flush=True)
    print(f"\nmeasured in {time.monotonic() - start:,.0f} s")


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--claims", type=int, default=100_000, help="in the full log")
    parser.add_argument("--rounds", type=int, default=3, help="that are counted")
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--postgres", metavar="URL", help="a server to make databases on")
    asked = parser.parse_args(arguments)
    if asked.claims < LEAST_CLAIMS or asked.rounds < 1:
        parser.error(f"give at least {LEAST_CLAIMS} claims and one round")
    return asked


_AsWritten = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    main(sys.argv[1:])
