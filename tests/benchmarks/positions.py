"""Measure positions beside raw SQLite and pandas, and print the verdicts as Markdown.

    python tests/benchmarks/positions.py [--claims 10000 100000] [--rounds 5] [--keep FOLDER]

A world of parties in three levels of membership and of propositions in topics of their own; some
claims are amended, some withdrawn. The opponents get the claimants' own claims in narrow tables,
ready to be asked: no roll-up, no undo, no known-date. Ratios are within one run, of the seconds of
this process: all there is happens inside it.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

from ledger import Ledger
from ledger.projecting import cells
from tests.benchmarks.harness import machine, markdown
from tests.benchmarks.opinions import SAID, World

Question = Callable[[], object]


@attrs.frozen
class Goal:
    """What a question is to come to, as a ratio to one opponent."""

    question: str
    to: str
    at_most: float


GOALS = (
    Goal("one cell", "bare look-up", 8),
    Goal("one cell at random, mostly silent in the small data", "bare look-up", 8),
    Goal("one cell, as of a known sequence", "bare look-up", 8),
    Goal("one cell, a view made for it, both dates", "bare look-up", 8),
    Goal("one cell, from columns", "bare look-up, beside columns", 8),
    Goal("one party, all positions, as a sheet", "raw max()", 4),
    Goal("one party, all positions, as a sheet", "pandas, a party", 1 / 3),
    Goal("one party, all positions, in full", "raw max()", 4),
    Goal("one party, all positions, in full", "pandas, a party", 1 / 3),
    Goal("everybody, from columns", "stored intervals", 2),
    Goal("everybody, from columns", "pandas, everybody", 1.5),
    Goal("a state's cell, by claims of its members", "the same with claims of its own", 3),
)


def main(arguments: Sequence[str]) -> None:
    """Measure each size in turn."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="claimledger-") as folder:
        where = Path(asked.keep or folder)
        print(markdown(("machine", ""), dict(machine(where)).items()), flush=True)
        for claims in asked.claims:
            measure(where / f"opinions-{claims}.db", claims, asked.rounds)


def measure(path: Path, claims: int, rounds: int) -> None:
    """Make a world where it is not there, ask, and print."""
    world = World(claims=claims)
    if not path.exists():
        seconds = world.tell(path)
        print(f"\n{claims:,} claims told in {seconds:,.0f} s", flush=True)
    with Ledger.open(path) as ledger:
        ledger.projections.add(cells(ledger.layout), mode="deferred")
        start = time.process_time()
        outcome = ledger.projections.run("cells", batch=200_000)
        seconds = time.process_time() - start
        if outcome.applied:
            print(f"\ncells of {outcome.applied:,} events in {seconds:,.1f} s", flush=True)
        with tempfile.TemporaryDirectory(prefix="raw-", dir=path.parent) as beside:
            took = dict(_measured(ledger, world, (path, Path(beside) / "raw.db"), rounds))
    rows = [
        (name, f"{seconds * 1e6:,.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms")
        for name, seconds in took.items()
    ]
    print(f"\n### {claims:,} claims\n\n{markdown(('question', 'median'), rows)}")
    verdicts = []
    for goal in GOALS:
        ours, theirs = took.get(goal.question), took.get(goal.to)
        if ours is not None and theirs is not None:
            ratio = ours / theirs
            met = "met" if ratio <= goal.at_most else "**not met**"
            verdicts.append((goal.question, goal.to, f"{goal.at_most:.2g}", f"{ratio:.2g}", met))
    head = ("question", "to", "at most", "measured", "")
    print(f"\n{markdown(head, verdicts)}", flush=True)


def _measured(
    ledger: Ledger, world: World, files: tuple[Path, Path], rounds: int
) -> Iterator[tuple[str, float]]:
    start = time.process_time()
    view = ledger.as_of(said=SAID)
    view.position(*world.cells(1)[0])
    yield "the first answer after opening", time.process_time() - start
    path, beside = files
    raw = Raw(path, world, beside)
    known = view.basis * 3 // 4
    earlier = ledger.as_of(said=SAID, known=known)
    some, parties = world.spoken(400), world.parties(12)
    at_random = world.cells(400)

    def each(ask: Callable[..., object], over: Sequence[tuple[Any, ...]]) -> Question:
        return lambda: [ask(*one) for one in over]

    def both(party: str, proposition: str) -> object:
        return ledger.as_of(said=SAID, known=known).position(party, proposition)

    yield from _in_turn(
        {
            "bare look-up": (each(raw.cell, some), len(some)),
            "one cell": (each(view.position, some), len(some)),
            "one cell at random, mostly silent in the small data": (
                each(view.position, at_random),
                len(at_random),
            ),
            "one cell, as of a known sequence": (each(earlier.position, some), len(some)),
            "one cell, a view made for it, both dates": (each(both, some), len(some)),
        },
        rounds,
    )
    start = time.process_time()
    held = view.columns()
    seconds = time.process_time() - start
    yield "making columns", seconds
    print(f"\ncolumns: {held.nbytes / world.claims:.0f} bytes a claim", flush=True)
    yield from _in_turn(
        {
            "bare look-up, beside columns": (each(raw.cell, some), len(some)),
            "one cell, from columns": (
                lambda: [held.cell(*one, view.said) for one in some],
                len(some),
            ),
        },
        rounds,
    )
    frames = Frames.of(world, path)
    each_party: dict[str, tuple[Question, int]] = {
        "raw max()": (each(raw.party, parties), len(parties)),
        "one party, all positions, as a sheet": (
            lambda: [[*held.at(SAID, party=one)] for (one,) in parties],
            len(parties),
        ),
        "one party, all positions, in full": (
            lambda: [view.positions(party=one) for (one,) in parties],
            len(parties),
        ),
    }
    everybody: dict[str, tuple[Question, int]] = {
        "stored intervals": (raw.everybody, 1),
        "everybody, from columns": (lambda: held.at(SAID), 1),
    }
    if frames is not None:
        each_party["pandas, a party"] = (each(frames.party, parties), len(parties))
        everybody["pandas, everybody"] = (frames.everybody, 1)
    yield from _in_turn(each_party, rounds)
    yield from _in_turn(everybody, rounds)
    who, what = some[0]
    yield from _in_turn(
        {
            "contradictions on a proposition": (lambda: view.contradictions(proposition=what), 1),
            "divergences on a proposition": (lambda: view.divergences(proposition=what), 1),
            "a party's difference from an earlier known-date": (
                lambda: ledger.diff(earlier, view, party=who),
                1,
            ),
            "all that is attributed to a party": (lambda: view.attributed_to(who), 1),
        },
        rounds,
    )
    state, single, proposition = world.rolled()
    yield from _in_turn(
        {
            "a state's cell, by claims of its members": (
                lambda: view.position(state, proposition),
                1,
            ),
            "the same with claims of its own": (lambda: view.position(single, proposition), 1),
        },
        rounds,
    )


def _in_turn(
    questions: Mapping[str, tuple[Question, int]], rounds: int
) -> Iterator[tuple[str, float]]:
    """The median seconds of one of so many answers, all questions in turn: A B C A B C .."""
    seconds: dict[str, list[float]] = {name: [] for name in questions}
    for turn in range(rounds + 1):
        for name, (ask, many) in questions.items():
            gc.collect()
            start = time.process_time()
            ask()
            if turn:
                seconds[name].append((time.process_time() - start) / many)
    return iter({name: statistics.median(one) for name, one in seconds.items()}.items())


class Raw:
    """The same claims in narrow tables of an SQLite file, asked past everything."""

    def __init__(self, path: Path, world: World, file: Path) -> None:
        self._day = world.day(SAID)
        self._place = {**world.party_numbers(path), **world.proposition_numbers(path)}
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA cache_size = -262144")
        key = "party INTEGER, topic INTEGER, vt INTEGER, seq INTEGER"
        ends = "PRIMARY KEY (party, topic, vt, seq)) WITHOUT ROWID"
        self._db.execute(f"CREATE TABLE pos ({key}, {ends}")
        self._db.executemany("INSERT INTO pos VALUES (?, ?, ?, ?)", sorted(world.plain(path)))
        self._db.execute(f"CREATE TABLE span ({key}, upto INTEGER, {ends}")
        self._db.execute(
            "INSERT INTO span SELECT party, topic, vt, seq, coalesce(lead(vt) OVER w, 1 << 60) "
            "FROM pos WINDOW w AS (PARTITION BY party, topic ORDER BY vt, seq)"
        )
        self._db.execute("ANALYZE")

    def cell(self, party: str, proposition: str) -> object:
        """The latest claim on one cell."""
        return self._db.execute(
            "SELECT seq FROM pos WHERE party = ? AND topic = ? AND vt <= ? "
            "ORDER BY vt DESC, seq DESC LIMIT 1",
            (self._place[party], self._place[proposition], self._day),
        ).fetchone()

    def party(self, party: str) -> object:
        """The latest claim of a party on everything."""
        return self._db.execute(
            "SELECT topic, seq FROM (SELECT topic, seq, max(vt * 10000000 + seq) FROM pos "
            "WHERE party = ? AND vt <= ? GROUP BY topic) ORDER BY topic",
            (self._place[party], self._day),
        ).fetchall()

    def everybody(self) -> object:
        """The latest claim on every cell, from stored intervals."""
        return self._db.execute(
            "SELECT party, topic, seq FROM span WHERE vt <= ? AND upto > ?", (self._day, self._day)
        ).fetchall()


class Frames:
    """The same claims in a sorted frame of pandas."""

    def __init__(self, pandas: Any, world: World, path: Path) -> None:
        names = ["party", "topic", "vt", "seq"]
        self._frame = pandas.DataFrame(world.plain(path), columns=names)
        self._frame = self._frame.sort_values(names, ignore_index=True)
        self._day = world.day(SAID)
        self._place = world.party_numbers(path)

    @classmethod
    def of(cls, world: World, path: Path) -> Frames | None:
        """Such a frame, None where pandas is not installed."""
        try:
            return cls(importlib.import_module("pandas"), world, path)
        except ImportError:
            print("\npandas is not installed: pip install pandas", flush=True)
            return None

    def party(self, party: str) -> object:
        """The latest claim of a party on everything."""
        rows = self._frame
        rows = rows[(rows.party == self._place[party]) & (rows.vt <= self._day)]
        rows = rows.drop_duplicates(["topic"], keep="last")
        return list(zip(rows.topic.tolist(), rows.seq.tolist(), strict=True))

    def everybody(self) -> object:
        """The latest claim on every cell."""
        rows = self._frame[self._frame.vt <= self._day]
        return rows.drop_duplicates(["party", "topic"], keep="last")


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--claims", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5, help="that are counted")
    parser.add_argument("--keep", help="a folder for the ledgers, to ask them again")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    random.seed(0)
    main(sys.argv[1:])
