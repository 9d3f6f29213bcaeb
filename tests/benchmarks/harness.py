"""How it is measured: variants in turn within one process, first round dropped, medians.

Here lives what no case needs to know of: rounds, the collector, memory, the machine's words. What
is measured is in `ours` and `raw`, with what in `workload`.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

Work = Callable[[], object]
Prepared = Callable[[], Work]
"""Makes ready what is not measured, and returns what is."""


@attrs.frozen(kw_only=True)
class Line:
    """One line of the table: a job, how much of it, and how long ledger and raw driver took.

    `ours` and `raw` are medians in `unit`; `ratio` is the raw driver's time over the ledger's, so
    1 is as fast as the driver. `raw` and `ratio` are None where there is nothing to compare with.
    """

    job: str
    size: str
    unit: str
    ours: float
    raw: float | None = None
    ratio: float | None = None


def rounds(variants: Mapping[str, Prepared], count: int) -> dict[str, float]:
    """The median seconds of each variant over `count` rounds, run in turn: A B A B ..

    One round more is run first and not counted. The collector is run before each variant and is
    on while it runs, as it is in a host.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(count + 1):
        for name, prepare in variants.items():
            work = prepare()
            gc.collect()
            start = time.perf_counter()
            work()
            took = time.perf_counter() - start
            if turn:
                seconds[name].append(took)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def rate(job: str, many: int, what: str, took: Mapping[str, float]) -> Line:
    """A line in things a second; `took` holds the seconds of "ledger" and "raw"."""
    ours, raw = took["ledger"], took["raw"]
    return Line(
        job=job,
        size=f"{many:,} {what}",
        unit=f"{what}/s",
        ours=many / ours,
        raw=many / raw,
        ratio=raw / ours,
    )


def latency(job: str, many: int, took: Mapping[str, float]) -> Line:
    """A line in microseconds a question."""
    ours, raw = took["ledger"], took["raw"]
    return Line(
        job=job,
        size=f"{many:,} questions",
        unit="µs",
        ours=ours / many * 1e6,
        raw=raw / many * 1e6,
        ratio=raw / ours,
    )


def peak_mib() -> float:
    """The largest resident size of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def machine(folder: Path) -> list[tuple[str, str]]:
    """The machine in words: what a reader needs to judge the figures by."""
    packages = ("attrs", "cattrs", "sqlalchemy", "orjson", "psycopg")
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores, {_memory()}"),
        ("system", f"{platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("packages", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)),
        ("SQLite", f"{sqlite3.sqlite_version}, WAL, synchronous FULL, pages of 8 KiB"),
        ("one flush", f"{_flush_seconds(folder) * 1e3:.2f} ms (fdatasync of a small append)"),
    ]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


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
