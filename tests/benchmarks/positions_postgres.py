"""Measure positions on PostgreSQL beside psycopg, and print the figures as Markdown.

    python tests/benchmarks/positions_postgres.py [--claims 10000] [--rounds 5] [--keep FOLDER]

The world is that of `positions.py`, told to a file and restored into a durable server. The raw
driver asks a narrow table of the claimants' own claims, by statements that are prepared. Seconds
are those of the clock, since the server works in a process of its own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

from ledger import Ledger
from ledger.interchange.out.exporting import export
from ledger.interchange.restoring import restore
from ledger.projecting import cells
from tests.benchmarks import databases
from tests.benchmarks.harness import machine, markdown
from tests.benchmarks.opinions import SAID, World

Asked = tuple[Callable[..., object], Sequence[tuple[Any, ...]]]


class Raw:
    """The same claims in a narrow table, asked past everything."""

    def __init__(self, url: str, path: Path, world: World) -> None:
        self._day = world.day(SAID)
        self._place = {**world.party_numbers(path), **world.proposition_numbers(path)}
        at = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._conn = psycopg.connect(at, autocommit=True, prepare_threshold=0)
        self._conn.execute(
            "CREATE TABLE pos (party bigint, topic bigint, vt bigint, seq bigint, "
            "PRIMARY KEY (party, topic, vt, seq))"
        )
        with self._conn.cursor().copy("COPY pos FROM STDIN") as copy:
            for row in sorted(world.plain(path)):
                copy.write_row(row)
        self._conn.execute("ANALYZE pos")

    def nothing(self) -> object:
        """A round trip."""
        return self._conn.execute("SELECT 1").fetchone()

    def cell(self, party: str, proposition: str) -> object:
        """The latest claim on one cell."""
        return self._conn.execute(
            "SELECT seq FROM pos WHERE party = %s AND topic = %s AND vt <= %s "
            "ORDER BY vt DESC, seq DESC LIMIT 1",
            (self._place[party], self._place[proposition], self._day),
        ).fetchone()

    def party(self, party: str) -> object:
        """The latest claim of a party on everything."""
        return self._conn.execute(
            "SELECT DISTINCT ON (topic) topic, seq FROM pos WHERE party = %s AND vt <= %s "
            "ORDER BY topic, vt DESC, seq DESC",
            (self._place[party], self._day),
        ).fetchall()


def main(arguments: Sequence[str]) -> None:
    """Measure each size in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--claims", type=int, nargs="+", default=[10_000])
    parser.add_argument("--rounds", type=int, default=5, help="that are counted")
    parser.add_argument("--keep", help="a folder for the worlds, to ask them again")
    asked = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="claimledger-") as folder,
        databases.postgres_server() as server,
        databases.postgres(server) as fresh,
    ):
        where = Path(asked.keep or folder)
        words = {**machine(where), "PostgreSQL": databases.postgres_words(server)}
        print(markdown(("machine", ""), words.items()), flush=True)
        for claims in asked.claims:
            figures = measure(where, World(claims=claims), fresh(), asked.rounds)
            rows = ((name, f"{seconds * 1e6:,.0f} µs") for name, seconds in figures.items())
            print("\n" + markdown((f"{claims:,} claims, median of the clock", ""), rows))


def measure(where: Path, world: World, url: str, rounds: int) -> Mapping[str, float]:
    """Ask a world all questions in turn: A B C A B C .."""
    path = where / f"opinions-{world.claims}.db"
    if not path.exists():
        world.tell(path)
    with Ledger.open(url) as ledger:
        restored(path, ledger, where / f"opinions-{world.claims}.jsonl")
        ledger.projections.add(cells(ledger.layout), mode="deferred")
        ledger.projections.run("cells")
        view, raw = ledger.as_of(said=SAID), Raw(url, path, world)
        some, parties = world.spoken(400), world.parties(12)
        questions: dict[str, Asked] = {
            "round trip": (raw.nothing, [()] * len(some)),
            "bare look-up": (raw.cell, some),
            "one cell": (view.position, some),
            "one cell, a view made for it": (
                lambda *cell: ledger.as_of(said=SAID).position(*cell),
                some,
            ),
            "raw DISTINCT ON": (raw.party, parties),
            "one party, all positions, in full": (
                lambda party: view.positions(party=party),
                parties,
            ),
        }
        seconds: dict[str, list[float]] = {name: [] for name in questions}
        for turn in range(rounds + 1):
            for name, (ask, over) in questions.items():
                seconds[name] += timed(ask, over) if turn else ()
        return {name: statistics.median(found) for name, found in seconds.items()}


def restored(path: Path, ledger: Ledger, file: Path) -> None:
    """The log of a file, in another ledger."""
    with Ledger.open(path) as told, file.open("wb") as out:
        export(told.as_of(), "log", out)
    restore(ledger, file)


def timed(ask: Callable[..., object], over: Iterable[tuple[Any, ...]]) -> list[float]:
    """How long each answer took."""
    found = []
    for one in over:
        start = time.perf_counter()
        ask(*one)
        found.append(time.perf_counter() - start)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
