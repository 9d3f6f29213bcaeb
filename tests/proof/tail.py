"""The tail counter: writers of one path and readers of each feed, in processes of their own.

A cell is a path, so many writers, so many events in an append. Each cell has a new log of its own.
One append in twenty is written and taken back.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Final

import attrs

from ledger import Party
from ledger.errors import StoreError
from ledger.testing.tally import Tally, tally
from tests.proof.feeds import FEEDS, Feed
from tests.proof.paths import IN_THREADS, PATHS
from tests.proof.places import PATIENCE, SCENE, Place, begin, ledger

WRITERS: Final = (1, 4, 8)
BATCHES: Final = (1, 5, 10, 50)
TAKEN_BACK: Final = 20
END: Final = "the end"


@attrs.frozen
class Cell:
    """One count: which path, how many writers, how many events in an append, how many appends."""

    path: str
    writers: int
    batch: int
    appends: int

    @classmethod
    def of(cls, path: str, writers: int, batch: int, events: int) -> Cell:
        """A cell of about so many events, with twenty appends at least."""
        return cls(path, writers, batch, max(TAKEN_BACK, events // batch))


@attrs.frozen
class Counted:
    """What came of a cell: a tally for each feed, appends stored and taken back, seconds."""

    cell: Cell
    tallies: dict[str, Tally]
    kept: int
    taken_back: int
    seconds: float


_numbers = itertools.count()


def count(pool: Executor, url: str, cell: Cell, readers: dict[str, Feed] | None = None) -> Counted:
    """Run one cell."""
    place = Place(url, f"log-{next(_numbers)}")
    begin(place)
    started = time.perf_counter()
    reading = {name: pool.submit(tail, feed, place) for name, feed in (readers or FEEDS).items()}
    with ThreadPoolExecutor(cell.writers) as threads:
        writers = threads if cell.path in IN_THREADS else pool
        writing = [writers.submit(write, place, cell, number) for number in range(cell.writers)]
        written = [one.result() for one in writing]
    seconds = time.perf_counter() - started
    ledger(place).register(Party(END, name=END))
    names = [[*SCENE, END], *([name for append in kept for name in append] for kept, _ in written)]
    return Counted(
        cell=cell,
        tallies={name: tally(one.result(), names) for name, one in reading.items()},
        kept=sum(len(kept) for kept, _ in written),
        taken_back=sum(back for _, back in written),
        seconds=seconds,
    )


def write(place: Place, cell: Cell, number: int) -> tuple[list[list[str]], int]:
    """Be one of the writers; the names of the appends that are stored, how many were not."""
    kept: list[list[str]] = []
    taken_back = 0
    with PATHS[cell.path](place) as enter:
        for turn in range(number, cell.appends, cell.writers):
            keep = turn % TAKEN_BACK != TAKEN_BACK // 2
            names = [f"{number}-{turn}-{one}" for one in range(cell.batch)]
            _patiently(functools.partial(enter, names, keep=keep))
            if keep:
                kept.append(names)
            else:
                taken_back += 1
    return kept, taken_back


def _patiently(enter: Callable[[], None]) -> None:
    """Try again where the database says that nothing was stored: eight wait for one lock."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return enter()
        except StoreError as error:
            if "write lock" not in error.message or time.monotonic() > give_up:
                raise


def tail(feed: Feed, place: Place) -> list[tuple[int, str]]:
    """Be a reader; all it saw up to the last event, or until it has waited too long."""
    seen: list[tuple[int, str]] = []
    with contextlib.closing(feed(place)) as events:
        for sequence, name in events:
            seen.append((sequence, name))
            if name == END:
                break
    return seen


def _wake_up() -> None:
    """Imports this file, and is busy for so long that each process gets one of these."""
    time.sleep(0.2)


@contextlib.contextmanager
def processes(many: int = max(WRITERS) + len(FEEDS)) -> Iterator[Executor]:
    """Processes that are up and have everything imported."""
    with ProcessPoolExecutor(many, mp_context=multiprocessing.get_context("spawn")) as pool:
        for one in [pool.submit(_wake_up) for _ in range(many)]:
            one.result()
        try:
            yield pool
        except BaseException:
            for process in [*pool._processes.values()]:  # nobody waits for readers any more
                process.kill()
            raise
