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
from contextlib import ExitStack
from pathlib import Path

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import databases
from tests.benchmarks.harness import machine, markdown

NAMES = (
    *("sqlite-fresh", "sqlite-large", "sqlite-normal", "postgres", "writers", "growth"),
    *("replay-sqlite", "replay-postgres", "memory", "rebuild-sqlite", "rebuild-postgres"),
    *("start", "disk"),
)


def main(arguments: list[str]) -> None:
    """Measure what is asked for, one contest after the other."""
    asked = _asked(arguments)
    if importlib.util.find_spec("eventsourcing") is None:
        print("Nothing is measured: the opponent is missing. Type: pip install eventsourcing")
        return
    # Only now: these import the opponent.
    from tests.benchmarks import crowds, races, replays, starts
    from tests.benchmarks.sides import Arena, supply
    from tests.benchmarks.verdicts import table

    contests = {
        "sqlite-fresh": races.sqlite_fresh,
        "sqlite-large": races.sqlite_large,
        "sqlite-normal": races.sqlite_normal,
        "postgres": races.postgres,
        "writers": crowds.writers,
        "growth": races.growth,
        "replay-sqlite": replays.replay_sqlite,
        "replay-postgres": replays.replay_postgres,
        "memory": replays.memory,
        "rebuild-sqlite": replays.rebuild_sqlite,
        "rebuild-postgres": replays.rebuild_postgres,
        "start": starts.start,
        "disk": starts.disk,
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimledger-")))
        words = {**machine(folder), "opponent": f"eventsourcing {_version()}"}
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
            seconds=3 / (10 if asked.quick else 1),
        )
        for name in asked.only or NAMES:
            start, load = time.monotonic(), os.getloadavg()[0]
            lines = list(contests[name](arena))
            took = time.monotonic() - start
            print(f"\n## {name}\n\n{table(lines)}\n\n{took:.0f} s, load {load:.1f}", flush=True)


def _version() -> str:
    return importlib.metadata.version("eventsourcing")


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
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
