"""What a host pays before its first event, and for each event on its disk."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from ledger.store import schema
from tests.benchmarks.crowds import CHILD
from tests.benchmarks.opponent import Opponent
from tests.benchmarks.sides import Arena, Ours, fill
from tests.benchmarks.verdicts import Verdict, least

IMPORTED: Final = 1.15
OPENED: Final = 2.0
OWN_FILE: Final = 1_800
HOST_FILE: Final = 2_200
_TIMED: Final = """
import sys, time
wall, processor = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - wall, time.process_time() - processor)
"""
_PARTS: Final = "attrs, cattrs, sqlalchemy"
_LEDGER: Final = "from ledger import Ledger"
_RECORDED: Final = """
from ledger import Ledger, Party, Proposition
with Ledger.open(sys.argv[1]) as ledger:
    ledger.register_all([Party("weirs", name="Weirs"), Proposition("open", text="It is open")])
    ledger.record(claimant="weirs", act="assert", proposition="open", uttered="2023-01-18")
"""
_CLOCKS: Final = ("wall clock", "processor time")
_JOBS: Final = {
    "import ledger": "import ledger",
    _LEDGER: _LEDGER,
    "import, first open, one claim recorded": _RECORDED,
}


def start(arena: Arena) -> Iterator[Verdict]:
    """Import in a fresh process, and the first open of a new file."""
    with tempfile.TemporaryDirectory() as compiled:
        yield from _started(arena, compiled)


def _started(arena: Arena, compiled: str) -> Iterator[Verdict]:
    """With the modules compiled in the first turn, as an installer does it."""
    codes = {_PARTS: f"import {_PARTS}", **_JOBS}
    told: dict[str, list[Sequence[float]]] = {name: [] for name in codes}
    opened: dict[str, list[Sequence[float]]] = {"ours": [], "peer": []}
    for turn in range(3 * arena.rounds + 1):
        for name, code in codes.items():
            path = arena.sqlite().removeprefix("sqlite:///")
            one = _child(compiled, "-c", _TIMED.format(code), path)
            told[name] += [one] if turn else []
        for side in opened:
            one = _child(compiled, f"{CHILD}", "open", side, arena.sqlite())
            opened[side] += [one] if turn else []
    for job in _JOBS:
        for index, clock in enumerate(_CLOCKS):
            ours, parts = (
                statistics.median(one[index] for one in told[it]) for it in (job, _PARTS)
            )
            yield least(
                f"{job}, {clock}",
                ours * 1e3,
                parts * 1e3,
                "ms",
                None if job.endswith("recorded") else IMPORTED,
                against=f"import {_PARTS}",
            )
    for index, clock in enumerate(_CLOCKS):
        for at, job, goal in ((0, "import", None), (2, "first open of a new SQLite file", OPENED)):
            ours, peer = (statistics.median(one[at + index] for one in opened[a]) for a in opened)
            yield least(f"{job}, {clock}", ours * 1e3, peer * 1e3, "ms", goal, against="peer")


def _child(compiled: str, *arguments: str) -> Sequence[float]:
    """The numbers that a fresh process prints."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=environment,
    )
    return [*map(float, done.stdout.split())]


def disk(arena: Arena) -> Iterator[Verdict]:
    """The size of whole files, the write-ahead log put back into them."""
    count = arena.replayed
    peer = arena.sqlite()
    with closing(Opponent(peer, arena.given.claims)) as other:
        fill(other, count)
    host = arena.sqlite()
    engine = sa.create_engine(host)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA page_size = 4096")
        connection.exec_driver_sql("CREATE TABLE of_the_host (id INTEGER PRIMARY KEY)")
    schema.upgrade(engine)
    with closing(Ours(engine, arena.given)) as beside:
        fill(beside, count)
    engine.dispose()
    own = arena.sqlite()
    with closing(Ours(own, arena.given)) as alone:
        fill(alone, count)
    theirs = _bytes(peer) / count
    for job, url, goal in (
        ("a file of its own, pages of 8 KiB", own, OWN_FILE),
        ("a host's file, pages of 4 KiB", host, HOST_FILE),
    ):
        yield least(
            f"disk, {job}",
            _bytes(url) / (count + len(arena.given.nouns)),
            goal,
            "bytes an event",
            1.0,
            against="allowed",
            beside=f"peer {theirs:,.0f}",
        )


def _bytes(url: str) -> int:
    path = sa.make_url(url).database
    assert path is not None
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return Path(path).stat().st_size
