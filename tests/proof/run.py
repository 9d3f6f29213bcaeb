"""Runs the tail counter at any size and prints its table, for docs/reference/tail-counter.md.

python tests/proof/run.py --events 2000 --url postgresql://user@/database
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.proof.paths import ON_POSTGRES, PATHS
from tests.proof.places import prepare
from tests.proof.tail import BATCHES, WRITERS, Cell, Counted, count, processes

HEAD = (
    "| path | engine | cells | appends | taken back | events | feed | seen | missed | twice "
    "| holes | out of order |\n" + "| --- " * 12 + "|"
)


def rows(path: str, engine: str, found: list[Counted]) -> Iterator[str]:
    """A line of the table for each feed."""
    for feed in found[0].tallies:
        tallies = [one.tallies[feed] for one in found]
        total = {
            name: sum(getattr(one, name) for one in tallies)
            for name in ("stored", "seen", "missed", "twice", "foreign", "holes")
        }
        disorder = sum(one.disordered + one.overtaken for one in tallies)
        kept, back = sum(one.kept for one in found), sum(one.taken_back for one in found)
        cells: tuple[int | str, ...] = (
            *(path, engine, len(found), kept, back, total["stored"], feed, total["seen"]),
            *(total["missed"], total["twice"] + total["foreign"], total["holes"], disorder),
        )
        yield (
            "| "
            + " | ".join(f"{one:,}" if isinstance(one, int) else str(one) for one in cells)
            + " |"
        )


def main() -> int:
    """Print the table; 1 where anything was missed, came twice or in the wrong order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000, help="about so many in each cell")
    parser.add_argument("--url", help="an empty PostgreSQL database; without it SQLite alone")
    parser.add_argument("--path", action="append", choices=PATHS, help="only these paths")
    asked = parser.parse_args()
    clean = True
    print(HEAD, flush=True)  # noqa: T201 - a script prints
    with processes() as pool, tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": f"sqlite:///{folder}/claims.db"}
        urls |= {"PostgreSQL": asked.url} if asked.url else {}
        for engine, url in urls.items():
            prepare(url)
            for path in asked.path or PATHS:
                if path in ON_POSTGRES and engine == "SQLite":
                    continue
                found = [
                    count(pool, url, Cell.of(path, writers, batch, asked.events))
                    for writers in WRITERS
                    for batch in BATCHES
                ]
                clean &= all(one.clean for each in found for one in each.tallies.values())
                print(*rows(path, engine, found), sep="\n", flush=True)  # noqa: T201
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
