"""Measure the ledger beside its opponent, goal by goal, and print the verdicts as Markdown.

    python tests/benchmarks/peers.py [--only NAME ...] [--rounds 3] [--fill 500000] [--quick]

The opponent is the package `eventsourcing`. Figures are told, never asserted; `--quick` measures
so little that they mean nothing. Files are made in the temporary folder: TMPDIR says on which disk.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

if importlib.util.find_spec("eventsourcing") is None:
    sys.exit("Nothing is measured: the opponent is missing. Type: pip install eventsourcing")

from tests.benchmarks import bare, crowds, databases, races, replays, starts
from tests.benchmarks.harness import machine, markdown
from tests.benchmarks.sides import Arena, supply
from tests.benchmarks.verdicts import Verdict, rows

CONTESTS: Final[Mapping[str, Callable[[Arena], Iterable[Verdict]]]] = {
    "sqlite-fresh": races.sqlite_fresh,
    "sqlite-large": races.sqlite_large,
    "sqlite-normal": bare.sqlite_normal,
    "sqlite-bare": bare.sqlite,
    "postgres-bare": bare.postgres,
    "postgres": races.postgres,
    "writers": crowds.writers,
    "growth": races.growth,
    "memory": replays.memory,
    "replay-sqlite": replays.replay_sqlite,
    "replay-postgres": replays.replay_postgres,
    "rebuild-sqlite": replays.rebuild_sqlite,
    "rebuild-postgres": replays.rebuild_postgres,
    "start": starts.start,
    "disk": starts.disk,
}


def main(arguments: list[str]) -> None:
    """Measure what is asked for, one contest after the other."""
    asked = _asked(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimledger-")))
        words = {
            **machine(folder),
            "opponent": f"eventsourcing {importlib.metadata.version('eventsourcing')}",
        }
        words["rounds"] = f"{asked.rounds}, after one that is not counted"
        print(markdown(("machine", ""), words.items()), flush=True)
        servers: list[databases.Fresh] = []

        def postgres() -> databases.Fresh:
            if not servers:
                server = stack.enter_context(databases.postgres_server())
                print(f"\nPostgreSQL {databases.postgres_words(server)}", flush=True)
                servers.append(stack.enter_context(databases.postgres(server)))
            return servers[0]

        few = 100 if asked.quick else 1
        arena = Arena(
            sqlite=databases.sqlite(folder),
            postgres=postgres,
            given=supply(20_000 // few),
            rounds=asked.rounds,
            filled=asked.fill // few,
            replayed=asked.replay // few,
            small=100_000 // few,
            large=asked.large // few,
            appended={
                size: max(size, count // few)
                for size, count in {1: 1_000, 10: 5_000, 100: 10_000, 1000: 20_000}.items()
            },
            seconds=0.2 if asked.quick else 3,
            crowds=(1,) if asked.quick else (1, 4, 8),
        )
        for name in asked.only or CONTESTS:
            start, load = time.monotonic(), os.getloadavg()[0]
            print(f"\n## {name}\n", flush=True)
            for row in rows(CONTESTS[name](arena)):
                print(row, flush=True)
            print(f"\n{time.monotonic() - start:.0f} s, load {load:.1f} at the start", flush=True)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", choices=CONTESTS, metavar="NAME", help=", ".join(CONTESTS)
    )
    parser.add_argument("--rounds", type=int, default=3, help="that are counted")
    parser.add_argument("--fill", type=int, default=500_000, help="events in a large log")
    parser.add_argument("--replay", type=int, default=100_000, help="events to read back")
    parser.add_argument("--large", type=int, default=1_000_000, help="how far a log grows")
    parser.add_argument("--quick", action="store_true", help="a hundredth of everything")
    asked = parser.parse_args(arguments)
    if asked.rounds < 1 or min(asked.fill, asked.replay, asked.large) < 100:
        parser.error("give at least one round and a hundred events")
    return asked


if __name__ == "__main__":
    main(sys.argv[1:])
