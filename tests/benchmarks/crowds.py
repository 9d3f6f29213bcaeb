"""Several processes that write at once on PostgreSQL, and what is read back afterwards.

Each writer is `child.py`, started once. So many are told to make their events, and when all have,
to go; then they write for so many seconds. The others wait, and do nothing else meanwhile.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from ledger import Ledger
from tests.benchmarks.opponent import Opponent
from tests.benchmarks.raw import Counted
from tests.benchmarks.sides import Arena, Ours
from tests.benchmarks.verdicts import Verdict, faster

CHILD: Final = Path(__file__).with_name("child.py")
GOALS: Final = {1: {1: 1.8, 4: 1.8, 8: 1.4}, 100: {1: 3.0, 4: 3.0, 8: 3.0}}
BARE: Final = {1: 0.7, 100: 0.35}
"""What is to be left of the rate of a bare counter row, whose writers are handed rows ready."""

AHEAD: Final = {1: 6_000, 100: 60_000}
"""How many events all writers together make beforehand for each second of writing."""

Children = Sequence["subprocess.Popen[str]"]


def writers(arena: Arena) -> Iterator[Verdict]:
    """Ours, the opponent's and those of a bare counter row in turn, each on one database."""
    fresh = arena.postgres()
    for batch, goals in GOALS.items():
        urls = {"ours": fresh(), "peer": fresh(), "bare": fresh()}
        Ours(urls["ours"], arena.given).close()
        Opponent(urls["peer"], arena.given.claims).close()
        with closing(Counted(urls["bare"])) as counted:
            counted.create()
        stored = dict.fromkeys(urls, 0)
        with ExitStack() as stack:
            children = {
                side: [
                    stack.enter_context(_started(side, url, batch, arena.seconds, number))
                    for number in range(max(arena.crowds))
                ]
                for side, url in urls.items()
            }
            for many in arena.crowds:
                rates: dict[str, list[float]] = {side: [] for side in urls}
                for turn in range(arena.rounds + 1):
                    for side in urls:
                        ahead = int(AHEAD[batch] * arena.seconds) // many
                        count = _together(children[side][:many], ahead)
                        stored[side] += count
                        rates[side] += [count / arena.seconds] if turn else []
                ours, peer, bare = (statistics.median(rates[side]) for side in urls)
                job = f"PostgreSQL durable, writers: {many}, batch {batch}"
                beside = _read_back(urls, stored, len(arena.given.nouns))
                yield faster(job, 1, (1 / ours, 1 / peer), goals[many], beside=beside)
                against = "bare counter row"
                yield faster(job, 1, (1 / ours, 1 / bare), BARE[batch], against=against)


def _started(side: str, url: str, batch: int, seconds: float, number: int) -> subprocess.Popen[str]:
    """A writer; at the end of the block its input is closed, and it ends."""
    command = (
        sys.executable,
        f"{CHILD}",
        "write",
        side,
        url,
        f"{batch}",
        f"{seconds}",
        f"{number}",
    )
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _together(children: Children, ahead: int) -> int:
    """How many events these processes stored between them, from one word to go."""
    for child in children:
        _tell(child, f"{ahead}")
    for child in children:
        _answer(child)
    for child in children:
        _tell(child, "go")
    return sum(int(_answer(child)) for child in children)


def _tell(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None
    child.stdin.write(f"{line}\n")
    child.stdin.flush()


def _answer(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise RuntimeError(f"a writer ended early: {child.args!r}")
    return line


def _read_back(urls: Mapping[str, str], stored: Mapping[str, int], nouns: int) -> str:
    """What the logs hold, ours to be without any hole and not one event short."""
    with Ledger(urls["ours"]) as ledger:
        seen = [(one.sequence, one.id) for one in ledger.events()]
    missed = stored["ours"] + nouns - len({id_ for _, id_ in seen})
    if missed or [sequence for sequence, _ in seen] != list(range(len(seen))):
        raise AssertionError(f"{missed} events are missed, or the log has holes")
    with closing(Counted(urls["bare"])) as bare:
        if {*bare.counted()} != {stored["bare"]}:
            raise AssertionError("the bare counter row lost count")
    with closing(Opponent(urls["peer"], ())) as peer:
        numbers = peer.sequences()
    holes = numbers[-1] - len(numbers)
    return f"0 holes, 0 missed of {len(seen):,}; peer: {holes} holes"
