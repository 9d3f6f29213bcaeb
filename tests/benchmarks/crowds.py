"""Several processes that write at once on PostgreSQL, and what is read back afterwards.

Each writer is `child.py`. They are started, make themselves ready, wait for one line on their
standard input, and then write for so many seconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger import Ledger
from tests.benchmarks.opponent import Opponent
from tests.benchmarks.sides import Arena, Ours
from tests.benchmarks.verdicts import Verdict, faster

CHILD: Final = Path(__file__).with_name("child.py")
GOALS: Final = {1: {1: 1.8, 4: 1.8, 8: 1.4}, 100: {1: 3.0, 4: 3.0, 8: 3.0}}
ROUNDS: Final = 2


def writers(arena: Arena) -> Iterator[Verdict]:
    """Ours and the opponent's in turn, each on one database."""
    fresh = arena.postgres()
    for batch, goals in GOALS.items():
        urls = {"ours": fresh(), "peer": fresh()}
        Ours(urls["ours"], arena.given).close()
        Opponent(urls["peer"], arena.given.claims).close()  # two that make tables at once fail
        stored = dict.fromkeys(urls, 0)
        for many, goal in goals.items():
            rates: dict[str, list[float]] = {side: [] for side in urls}
            for turn in range(min(arena.rounds, ROUNDS) + 1):
                for side, url in urls.items():
                    count = _together(side, url, batch, many, arena.seconds)
                    stored[side] += count
                    if turn:
                        rates[side].append(count / arena.seconds)
            ours, peer = (statistics.median(rates[side]) for side in ("ours", "peer"))
            yield faster(
                f"PostgreSQL durable, {many} writers, batch {batch}",
                1,
                (1 / ours, 1 / peer),
                goal,
                beside=_read_back(urls, stored, len(arena.given.nouns)),
            )


def _together(side: str, url: str, batch: int, many: int, seconds: float) -> int:
    """How many events so many processes stored between them."""
    command = [sys.executable, CHILD, "write", side, url, f"{batch}", f"{seconds}"]
    children = [
        subprocess.Popen(
            [*command, f"{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(many)
    ]
    for child in children:
        assert child.stdout is not None
        if child.stdout.readline() != "ready\n":
            raise RuntimeError(f"a writer of {side} did not get ready")
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate()[0] for child in children]
    return sum(map(int, said))


def _read_back(urls: dict[str, str], stored: dict[str, int], nouns: int) -> str:
    """What the logs hold, ours to be without any hole and not one event short."""
    with Ledger(urls["ours"]) as ledger:
        seen = [(one.sequence, one.id) for one in ledger.events()]
    missed = stored["ours"] + nouns - len({id_ for _, id_ in seen})
    if missed or [sequence for sequence, _ in seen] != list(range(len(seen))):
        raise AssertionError(f"{missed} events are missed, or the log has holes")
    with closing(Opponent(urls["peer"], ())) as peer:
        numbers = peer.sequences()
    holes = numbers[-1] - len(numbers)
    return f"0 holes, 0 missed of {len(seen):,}; peer: {holes} holes"
