"""How it is measured and told: variants in turn within one process, medians, the machine's words.

Here lives what no case needs to know of: rounds, the collector, the table. What is measured is in
`cases`, with what in `workload`, against what in `raw`.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

Work = Callable[[], object]
Prepared = Callable[[], Work]
"""Makes ready what is not measured, and returns what is."""


@attrs.frozen
class Line:
    """One line of the table; a ratio of 1 is as fast as the raw driver."""

    job: str
    size: str
    ledger: str
    raw: str
    ratio: float

    def cells(self) -> Sequence[str]:
        """The line as a table shows it."""
        return self.job, self.size, self.ledger, self.raw, f"{self.ratio:.2g}"


def compared(ledger: Prepared, raw: Prepared, count: int) -> tuple[float, float]:
    """The median seconds of both, as `in_turn`."""
    took = in_turn({"ledger": ledger, "raw": raw}, count)
    return took["ledger"], took["raw"]


def in_turn(variants: Mapping[str, Prepared], count: int) -> Mapping[str, float]:
    """The median seconds of each variant over `count` rounds, run in turn: A B C A B C ..

    One round more is run first and not counted. The collector is run before each and is on while
    it runs, as it is in a host; to let go of what a work returns is not measured.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(count + 1):
        for name, prepare in variants.items():
            work = prepare()
            gc.collect()
            start = time.perf_counter()
            kept = work()
            took = time.perf_counter() - start
            del kept, work
            if turn:
                seconds[name].append(took)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def rate(job: str, many: int, what: str, took: tuple[float, float]) -> Line:
    """A line in things a second; `took` is in seconds, the ledger's and the raw driver's."""
    ledger, raw = (f"{figure(many / seconds)} {what}/s" for seconds in took)
    return Line(job, f"{many:,} {what}", ledger, raw, took[1] / took[0])


def latency(job: str, many: int, took: tuple[float, float]) -> Line:
    """A line in microseconds a question; `took` as in `rate`."""
    ledger, raw = (f"{figure(seconds / many * 1e6)} µs" for seconds in took)
    return Line(job, f"{many:,} questions", ledger, raw, took[1] / took[0])


def figure(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value < 1_000:
        return f"{value:.3g}"
    return f"{round(value, 3 - len(str(int(value)))):,.0f}"


def table(lines: Iterable[Line]) -> str:
    """The lines as Markdown."""
    head = ("job", "how much", "ledger", "raw driver", "ratio")
    return markdown(head, (line.cells() for line in lines))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as a Markdown table."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body])


def machine(folder: Path) -> Mapping[str, str]:
    """The machine in words: what a reader needs to judge the figures by."""
    names = ("attrs", "cattrs", "sqlalchemy", "msgspec", "psycopg")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names),
        "SQLite": f"{sqlite3.sqlite_version}, WAL, synchronous FULL, pages of 8 KiB",
        "one flush": f"{_flush_seconds(folder) * 1e3:.2f} ms (fdatasync of a small append)",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _flush_seconds(folder: Path) -> float:
    flush = getattr(os, "fdatasync", os.fsync)
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(100):
            file.write(bytes(1_000))
            file.flush()
            start = time.perf_counter()
            flush(file.fileno())
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)
