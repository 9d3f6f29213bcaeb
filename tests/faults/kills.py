"""kill -9 of a writer: at random moments, at every line of the ledger's code, while it opens.

The moments are random over the whole life of the process: opening, folding, saying, noting down.
A killed writer comes back and goes on with the step it has no acknowledgement for.
"""

from __future__ import annotations

import signal
import time
from typing import Final

import attrs

from tests.faults.checks import Notes, check
from tests.faults.seen import Place, Seen, lots
from tests.faults.world import SETUP, Step
from tests.faults.writer import Writer

_LIVES: Final = 2
"""A life lasts up to so many times as long as it takes to start, open and say two steps."""

_EACH: Final = 4
KILLED: Final = -signal.SIGKILL


def lifetime(writer: Writer) -> float:
    """How long a life of this writer may last, in seconds, on this machine at this moment."""
    took = 0.0
    for _ in range(2):  # the first may have to start the process that all others are forked from
        start = time.monotonic()
        attrs.evolve(writer, until=len(Notes.read([writer.notes]).acknowledged) + 2).finish()
        took = time.monotonic() - start
    return _LIVES * took


def killed_writers(place: Place, *, mode: str, times: int, writers: int = 1) -> Seen:
    """One of several writers at a time is killed, while the others go on."""
    noted = []
    for many in lots(times, _EACH):
        url = place.database()
        crew = [
            Writer(url=url, notes=place.path("notes"), mode=mode, writer=one)
            for one in range(writers)
        ]
        files = [one.notes for one in crew]
        longest = lifetime(crew[0])
        alive = {one: crew[one].start() for one in range(writers)}
        for _ in range(many):
            unlucky = place.chance.randrange(writers)
            time.sleep(place.chance.uniform(0, longest))
            alive[unlucky].kill()
            alive[unlucky].join()
            assert alive[unlucky].exitcode == KILLED
            check(url, Notes.read(files))
            alive[unlucky] = crew[unlucky].start()
        for process in alive.values():
            process.kill()
            process.join()
        for one in crew:
            done = len(Notes.read([one.notes]).acknowledged)
            attrs.evolve(one, until=done + 2).finish()
        noted.append(Notes.read(files))
        check(url, noted[-1])
    others = f", {writers - 1} others go on" if writers > 1 else ""
    return Seen.of(f"kill -9 of a writer ({mode}{others})", place.engine, times, noted)


def killed_at_lines(place: Place, *, mode: str, stride: int) -> Seen:
    """A writer dies before each `stride`-th line that the ledger runs for a step."""
    noted, times = [], 0
    for first in range(4 if mode == "mixed" else 1):
        url = place.database()
        writer = Writer(url=url, notes=place.path("notes"), mode=mode)
        attrs.evolve(writer, until=first).finish()
        line = place.chance.randrange(stride)
        while True:
            done = len(Notes.read([writer.notes]).acknowledged)
            dying = attrs.evolve(writer, until=done + 1, dies_at=line).start()
            dying.join()
            if dying.exitcode == 0:
                break
            assert dying.exitcode == KILLED
            times += 1
            line += stride
            checked = check(url, Notes.read([writer.notes]))
            if len(checked.steps) > done:  # it was stored: the next life says the next of its kind
                attrs.evolve(writer, until=_next_of_kind(mode, done)).finish()
        attrs.evolve(writer, until=done + 3).finish()
        noted.append(Notes.read([writer.notes]))
        check(url, noted[-1])
    return Seen.of(
        f"kill -9 of a writer, every {stride} lines of code ({mode})", place.engine, times, noted
    )


def _next_of_kind(mode: str, done: int) -> int:
    number = done + 1
    while Step(mode, 0, number).kind != Step(mode, 0, done).kind:
        number += 1
    return number


def killed_while_opening(place: Place, *, times: int) -> Seen:
    """A writer dies while it makes the tables of a new database; the next one makes them."""
    opened, longest = 0, 0.0
    for _ in range(2):  # with the first the nursery is started, too, which takes far longer
        writer = Writer(url=place.fresh(), notes=place.path("notes"), mode=SETUP, until=0)
        start = time.monotonic()
        writer.finish()
        longest = time.monotonic() - start
    for _ in range(times):
        url = place.fresh()
        writer = Writer(url=url, notes=place.path("notes"), mode=SETUP, until=0)
        process = writer.start()
        time.sleep(place.chance.uniform(0, longest))
        process.kill()
        process.join()
        opened += process.exitcode == 0
        writer.finish()
        check(url)
    return Seen.of("kill -9 while the tables are made", place.engine, times - opened, [])
