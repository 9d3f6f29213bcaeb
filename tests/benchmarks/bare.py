"""Beside the raw driver: what a program without any library pays for the same bytes.

The driver is handed rows that are ready: salted, hashed and encoded beforehand. It writes them into
one table with two keys, and reads them back; no heads, no streams, no guards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from ledger.codec.entry import SALT_BYTES
from ledger.store import schema
from ledger.store.engines import engine_for
from ledger.store.layout import Layout
from tests.benchmarks.harness import Prepared, Work, in_turn
from tests.benchmarks.raw import Raw, Row, Sqlite, raw_for
from tests.benchmarks.sides import Arena, Ours, fill, puts
from tests.benchmarks.verdicts import Verdict, faster

SQLITE: Final = {1: 0.65, 10: 0.6, 100: 0.55, 1000: 0.45}
POSTGRES: Final = {1: 0.5, 100: 0.35, 1000: 0.35}
NORMAL: Final = 0.3
DECODED: Final = 0.55
BINARY: Final = 0.25
_AGAINST: Final = "raw driver"


def sqlite(arena: Arena) -> Iterator[Verdict]:
    """Appends to a new file with every flush, and reading back."""
    with ExitStack() as stack:
        url = arena.sqlite()
        ours = stack.enter_context(closing(Ours(url, arena.given)))
        raw = stack.enter_context(closing(raw_for(arena.sqlite())))
        yield from _appends(arena, "SQLite FULL, new file", (ours, raw, url), SQLITE)
        jobs = {"the driver's rows, each slot decoded by msgspec to a dict": (_decoded, DECODED)}
        yield from _reading(arena, "SQLite", (ours, url), jobs)


def postgres(arena: Arena) -> Iterator[Verdict]:
    """The same on a server."""
    fresh = arena.postgres()
    with ExitStack() as stack:
        url = fresh()
        ours = stack.enter_context(closing(Ours(url, arena.given)))
        raw = stack.enter_context(closing(raw_for(fresh())))
        yield from _appends(arena, "PostgreSQL durable", (ours, raw, url), POSTGRES)
        yield from _reading(arena, "PostgreSQL", (ours, url), {"binary pages": (_as_read, BINARY)})


def sqlite_normal(arena: Arena) -> Iterator[Verdict]:
    """One event a transaction without a sync."""
    with ExitStack() as stack:
        url = arena.sqlite()
        engine = engine_for(url)
        sa.event.listen(engine, "connect", _normal)
        stack.callback(engine.dispose)
        schema.ensure(engine, Layout())
        ours = stack.enter_context(closing(Ours(engine, arena.given)))
        raw = stack.enter_context(closing(Sqlite(arena.sqlite())))
        raw.connection.execute("PRAGMA synchronous = NORMAL")
        yield from _appends(arena, "SQLite NORMAL", (ours, raw, url), {1: NORMAL}, times=3)


def _normal(connection: Any, _entry: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


def _appends(
    arena: Arena,
    where: str,
    sides: tuple[Ours, Raw, str],
    goals: Mapping[int, float],
    *,
    times: int = 1,
) -> Iterator[Verdict]:
    ours, raw, url = sides
    raw.create()
    most = max(arena.appended[batch] for batch in goals) * times
    fill(ours, most)
    with closing(raw_for(url)) as source:
        rows = list(source.rows("ledger_event"))[-most:]
    fresh = _renewed(rows)
    for batch, goal in goals.items():
        count = arena.appended[batch] * times

        def again(count: int = count, batch: int = batch) -> Work:
            new = fresh(count)
            return lambda: raw.append(new, batch)

        took = in_turn({"ours": puts(ours, count, batch), "raw": again}, arena.rounds)
        job = f"{where}, log only, batch {batch}"
        yield faster(job, count, (took["ours"], took["raw"]), goal, against=_AGAINST)


def _renewed(rows: Sequence[Row]) -> Callable[[int], list[Row]]:
    """So many rows that no table holds yet, each time."""
    taken = rows[-1][1] + 1

    def fresh(count: int) -> list[Row]:
        nonlocal taken
        start, taken = taken, taken + count
        given = enumerate(rows[:count], start)
        return [(row[0], seq, f"{row[2]}-{seq}", *row[3:]) for seq, row in given]

    return fresh


def _reading(
    arena: Arena,
    engine: str,
    side: tuple[Ours, str],
    jobs: Mapping[str, tuple[Callable[[Iterable[Row]], Iterable[object]], float]],
) -> Iterator[Verdict]:
    ours, url = side
    fill(ours, max(0, arena.replayed - ours.ledger.checkpoint().size))
    count = ours.ledger.checkpoint().size
    with closing(raw_for(url)) as raw:
        raw.settle()
        for job, (read, goal) in jobs.items():

            def theirs(read: Callable[[Iterable[Row]], Iterable[object]] = read) -> Work:
                return lambda: deque(read(raw.rows("ledger_event")), maxlen=0)

            variants: dict[str, Prepared] = {
                "ours": lambda: lambda: deque(ours.ledger.events(), maxlen=0),
                "raw": theirs,
            }
            took = in_turn(variants, arena.rounds)
            seconds = took["ours"], took["raw"]
            yield faster(f"{engine}, replay to typed events", count, seconds, goal, against=job)


def _as_read(rows: Iterable[Row]) -> Iterable[object]:
    return rows


def _decoded(rows: Iterable[Row]) -> Iterator[object]:
    decode = msgspec.json.Decoder().decode
    for row in rows:
        yield decode(row[7]), [decode(slot[SALT_BYTES:]) for slot in row[9:] if slot is not None]
