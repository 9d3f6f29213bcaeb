"""What is measured: each job done by the ledger and, beside it, by the raw driver.

The ledger's runs are here; the raw driver's are in `raw`, how both are timed is in `harness`.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import workload
from databases import Fresh
from harness import Line, Work, latency, rate, rounds
from raw import Raw, Row, hashed, raw_for

from ledger import Claim, Ledger

BATCH: Final = 500
SINGLE: Final = 1_000
BATCHED: Final = 10_000
QUESTIONS: Final = 200
TABLES: Final = 20
FORGOTTEN: Final = 20
FRESH_PROCESS: Final = Path(__file__).with_name("fresh_process.py")


@attrs.frozen(kw_only=True)
class Bench:
    """One engine, its databases, and how much is measured."""

    fresh: Fresh
    claims: int
    rounds: int


@attrs.frozen(kw_only=True)
class Filled:
    """The full log, its rows as stored, the raw driver on a table of the same rows."""

    url: str
    ledger: Ledger
    raw: Raw
    rows: Sequence[Row]
    raw_url: str
    raw_size: int
    nouns: int


def measure(bench: Bench) -> Iterator[Line]:
    """Every line of one engine's table."""
    filling: list[Line] = []
    with _filled(bench, filling) as full:
        yield from _appending(bench, full.rows)
        yield from filling
        yield from _reading(bench, full)
        yield from _asking(bench, full)
        yield from _in_fresh_processes(bench, full)
        yield _on_disk(full)
        yield _appending_to_the_full_log(bench, full)


def _opened(url: str) -> tuple[Ledger, int]:
    """A new ledger with everything that claims name, and how many events that took."""
    ledger = Ledger.open(url)
    return ledger, ledger.register_all(workload.nouns())[-1].size


def _recorded(ledger: Ledger, given: list[workload.Fields]) -> None:
    for start in range(0, len(given), BATCH):
        ledger.record_all(Claim(**fields) for fields in given[start : start + BATCH])


# -- appending --------------------------------------------------------------------------------


def _appending(bench: Bench, rows: Sequence[Row]) -> Iterator[Line]:
    def ledger(many: int, batch: int) -> Callable[[], Work]:
        given = workload.claims(many)

        def prepare() -> Work:
            new, _ = _opened(bench.fresh())
            if batch > 1:
                return lambda: _recorded(new, given)
            return lambda: deque((new.record(**fields) for fields in given), maxlen=0)

        return prepare

    def raw(many: int, batch: int) -> Callable[[], Work]:
        def prepare() -> Work:
            new = raw_for(bench.fresh())
            new.create()
            return lambda: new.append(rows[-many:], batch)

        return prepare

    for many, batch, job in (
        (min(SINGLE, bench.claims), 1, "append, one claim a transaction"),
        (min(BATCHED, bench.claims), BATCH, f"append, {BATCH} claims a transaction"),
    ):
        took = rounds({"ledger": ledger(many, batch), "raw": raw(many, batch)}, bench.rounds)
        yield rate(job, many, "claims", took)


@contextlib.contextmanager
def _filled(bench: Bench, filling: list[Line]) -> Iterator[Filled]:
    """Fill a log; how fast its first and last tenth went is the one thing measured once."""
    url, raw_url = bench.fresh(), bench.fresh()
    ledger, nouns = _opened(url)
    given = workload.claims(bench.claims)
    tenth = len(given) // 10
    taken = []
    for part in (given[:tenth], given[tenth:-tenth], given[-tenth:]):
        start = time.perf_counter()
        _recorded(ledger, part)
        taken.append(tenth / (time.perf_counter() - start))
    filling.append(
        Line(
            job="the same: last tenth of the full log (raw: the ledger's first tenth)",
            size=f"{tenth:,} claims",
            unit="claims/s",
            ours=taken[-1],
            raw=taken[0],
            ratio=taken[-1] / taken[0],
        )
    )
    source, raw = raw_for(url), raw_for(raw_url)
    rows = list(source.rows("ledger_event"))
    raw.create()
    raw.append(rows, BATCH)
    raw_size = raw.size()
    raw.fill(workload.reached(given, nouns))
    yield Filled(
        url=url,
        ledger=ledger,
        raw=raw,
        rows=rows,
        raw_url=raw_url,
        raw_size=raw_size,
        nouns=nouns,
    )
    ledger.close()
    source.close()
    raw.close()


def _appending_to_the_full_log(bench: Bench, full: Filled) -> Line:
    many = min(SINGLE, bench.claims) // 5
    turns = iter(range(bench.rounds + 1))

    def ledger() -> Work:
        given = workload.claims(many, prefix=f"late-{next(turns)}")
        return lambda: deque((full.ledger.record(**fields) for fields in given), maxlen=0)

    size = len(full.rows)
    late = iter(range(size, size + many * (bench.rounds + 1)))

    def raw() -> Work:
        rows = [
            (row[0], seq, f"{seq}", *row[3:])
            for row, seq in zip(full.rows[-many:], late, strict=False)
        ]
        return lambda: full.raw.append(rows, 1)

    took = rounds({"ledger": ledger, "raw": raw}, bench.rounds)
    return rate("append to the full log, one claim a transaction", many, "claims", took)


# -- reading ----------------------------------------------------------------------------------


def _reading(bench: Bench, full: Filled) -> Iterator[Line]:
    size = len(full.rows)

    def drained() -> object:
        return deque(full.raw.rows("event"), maxlen=0)

    def events() -> Work:
        return lambda: deque(full.ledger.events(), maxlen=0)

    def fold() -> Work:
        return lambda: Ledger(full.url).as_of()

    def verify() -> Work:
        return lambda: full.ledger.verify()

    for job, work, raw in (
        ("replay to typed events", events, drained),
        ("replay to folded facts: the first view", fold, drained),
        ("verify every byte (raw: hash every byte)", verify, lambda: hashed(full.raw.rows("event"))),
    ):
        took = rounds({"ledger": work, "raw": lambda raw=raw: raw}, bench.rounds)
        yield rate(job, size, "events", took)


# -- asking -----------------------------------------------------------------------------------


def _asking(bench: Bench, full: Filled) -> Iterator[Line]:
    ledger, raw = full.ledger, full.raw
    day = workload.LAST_DAY.isoformat()
    cells = workload.cells(QUESTIONS)
    parties = [party for party, _ in cells[:TABLES]]
    late = iter(workload.claims(FORGOTTEN + 1, prefix="asked"))
    asked = iter(cells * 2)

    def position() -> Work:
        return lambda: [ledger.position(*cell) for cell in cells]

    def raw_position() -> Work:
        return lambda: [raw.cell(*cell, day) for cell in cells]

    def positions() -> Work:
        return lambda: [ledger.positions(party=party) for party in parties]

    def raw_positions() -> Work:
        return lambda: [raw.cells(party, day) for party in parties]

    def after_append() -> Work:
        ledger.record(**next(late))
        cell = next(asked)
        return lambda: ledger.position(*cell)

    def raw_after_append() -> Work:
        cell = next(asked)
        return lambda: raw.cell(*cell, day)

    took = rounds({"ledger": position, "raw": raw_position}, bench.rounds)
    yield latency("position(party, proposition), asked before", QUESTIONS, took)
    took = rounds({"ledger": after_append, "raw": raw_after_append}, FORGOTTEN)
    yield latency("position(party, proposition), right after an append", 1, took)
    took = rounds({"ledger": positions, "raw": raw_positions}, bench.rounds)
    yield latency("positions(party=), asked before", TABLES, took)


# -- fresh processes and sizes ----------------------------------------------------------------


def _in_fresh_processes(bench: Bench, full: Filled) -> Iterator[Line]:
    cell = (*workload.cells(1)[0], workload.LAST_DAY.isoformat())
    jobs = {"position": full.url, "replay": full.url}
    jobs |= {f"raw {job}": full.raw_url for job in jobs}
    found: dict[str, list[dict[str, float]]] = {job: [] for job in jobs}
    for _ in range(bench.rounds):
        for job, url in jobs.items():
            found[job].append(_fresh(job, url, *cell))
    for job, told, unit, words in (
        ("position", "import", "s", "import the package (raw: the driver)"),
        ("position", "seconds", "s", "open and answer the first position"),
        ("position", "memory", "MiB", "memory that takes: all facts of the log"),
        ("replay", "memory", "MiB", "memory of a replay to typed events"),
    ):
        ours, raw = (
            statistics.median(one[told] for one in found[name]) for name in (job, f"raw {job}")
        )
        yield Line(
            job=f"fresh process: {words}",
            size=f"{len(full.rows):,} events",
            unit=unit,
            ours=ours,
            raw=raw,
            ratio=raw / ours,
        )


def _fresh(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, FRESH_PROCESS, *arguments], check=True, capture_output=True, text=True
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _on_disk(full: Filled) -> Line:
    source = raw_for(full.url)
    events = full.ledger.checkpoint().size
    ours, raw = source.size() / events, full.raw_size / len(full.rows)
    source.close()
    held = sum(len(value) for row in full.rows for value in row[7:] if value is not None)
    return Line(
        job=f"on disk, keys and all (entry and slots: {held / len(full.rows):,.0f} bytes)",
        size=f"{events:,} events",
        unit="bytes/event",
        ours=ours,
        raw=raw,
        ratio=raw / ours,
    )
