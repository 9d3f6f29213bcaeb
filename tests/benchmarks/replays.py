"""Reading against the opponent: replays, what they keep in memory, views that are built anew."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Final

from ledger import Ledger
from ledger.codec.peek import peek
from ledger.projecting import cells as cells_view
from ledger.projecting import claims as claims_view
from ledger.store import read
from ledger.store.read import slim_rows
from tests.benchmarks.crowds import CHILD
from tests.benchmarks.databases import Fresh
from tests.benchmarks.harness import Prepared, Work, in_turn
from tests.benchmarks.opponent import Opponent
from tests.benchmarks.raw import raw_for, reached
from tests.benchmarks.sides import Arena, Ours, fill
from tests.benchmarks.verdicts import Verdict, faster, least

TYPED: Final = 2.5
SLIM: Final = 6.0
REBUILD: Final = 25.0
CEILING: Final = 0.5
"""Of what the raw driver makes of the same log: a narrow table, its index made last."""
GROWN: Final = 16.0
PAGE: Final = 20_000
FOLLOWED: Final = 5
"""The opponent's follower takes one of so many events, for it is slow."""


def replay_sqlite(arena: Arena) -> Iterator[Verdict]:
    """Every event of a file."""
    yield from _replays(arena, "SQLite", lambda: arena.sqlite)


def replay_postgres(arena: Arena) -> Iterator[Verdict]:
    """Every event of a database of a server."""
    yield from _replays(arena, "PostgreSQL", arena.postgres)


def _replays(arena: Arena, engine: str, place: Callable[[], Fresh]) -> Iterator[Verdict]:
    fresh = place()
    with ExitStack() as stack:
        url = fresh()
        ours = stack.enter_context(closing(Ours(url, arena.given)))
        peer = stack.enter_context(closing(Opponent(fresh(), arena.given.claims)))
        fill(ours, arena.replayed)
        fill(peer, arena.replayed)
        for one in (url, peer.url):
            with closing(raw_for(one)) as settling:
                settling.settle()
        took = in_turn(
            {
                "typed": lambda: lambda: deque(ours.ledger.events(), maxlen=0),
                "slim": lambda: lambda: slim(ours.ledger),
                "peer": lambda: peer.replay,
            },
            arena.rounds,
        )
    jobs = {"typed": ("to typed events", TYPED), "slim": ("slim, five fields", SLIM)}
    for name, (job, goal) in jobs.items():
        yield faster(f"{engine}, replay {job}", arena.replayed, (took[name], took["peer"]), goal)


def slim(ledger: Ledger) -> int:
    """The fields that a view of positions needs, of every claim."""
    look = peek("claim_recorded", "chains", "proposition", "act", "stance", "uttered")
    found, tables = 0, ledger._folded.tables
    with ledger._folded.reading() as conn:
        head = read.head(conn, tables, ledger.origin)
        assert head is not None
        for start in range(0, head.size, PAGE):
            for _, _, type_, who, what in slim_rows(conn, tables, head.log_id, start, start + PAGE):
                if type_ == look.type:
                    found += look.read(what, who) is not None
    return found


def memory(arena: Arena) -> Iterator[Verdict]:
    """How far a replay's peak is above what stood after its first events, in a process each."""
    for size in (arena.small, arena.large):
        done = subprocess.run(
            [sys.executable, CHILD, "replay", arena.url(size)],
            capture_output=True,
            text=True,
            check=True,
        )
        before, most = map(float, done.stdout.split())
        yield least(
            f"SQLite, replay of {size:,}: growth of memory",
            most - before,
            GROWN,
            "MiB",
            1.0,
            against="allowed",
            beside=f"{most:.0f} MiB at most",
        )


def rebuild_sqlite(arena: Arena) -> Iterator[Verdict]:
    """Our views into a file, against a follower that only keeps a dict."""
    yield from _rebuilt(arena, "SQLite", arena.sqlite, "Follower")


def rebuild_postgres(arena: Arena) -> Iterator[Verdict]:
    """Our views into a server, against a table of positions."""
    yield from _rebuilt(arena, "PostgreSQL", arena.postgres(), "ProjectionRunner")


_VIEWS: Final = {"claims": claims_view, "cells": cells_view}
"""The table of claims for a host's SQL, and the tables by which positions are narrowed."""


def _rebuilt(arena: Arena, engine: str, fresh: Fresh, by: str) -> Iterator[Verdict]:
    fewer = arena.replayed // FOLLOWED
    with ExitStack() as stack:
        url = fresh()
        ours = stack.enter_context(closing(Ours(url, arena.given)))
        peer = stack.enter_context(closing(Opponent(fresh(), arena.given.claims)))
        source = stack.enter_context(closing(raw_for(url)))
        fill(ours, arena.replayed)
        fill(peer, fewer)
        projections = ours.ledger.projections
        for name, view in _VIEWS.items():
            projections.add(view(ours.ledger.layout), mode="deferred")
            projections.run(name)

        def again(name: str) -> Work:
            projections.prune(name)
            return lambda: projections.rebuild(name)

        def narrow() -> Work:
            sink = stack.enter_context(closing(raw_for(fresh())))
            return lambda: sink.fill(reached(source, "ledger_event"))

        entrants: dict[str, Prepared] = {"peer": lambda: peer.follower(fresh()), "raw": narrow}
        entrants |= {name: functools.partial(again, name) for name in _VIEWS}
        took = in_turn(entrants, arena.rounds)
    many, beside = arena.replayed, f"the peer's of {fewer:,} events"
    for name in _VIEWS:
        job, ours_took = f"{engine}, rebuild of the {name} view", took[name]
        times = ours_took, took["peer"] * FOLLOWED
        yield faster(job, many, times, REBUILD, against=by, beside=beside)
        times, goal = (ours_took, took["raw"]), CEILING if engine == "SQLite" else None
        yield faster(job, many, times, goal, against="raw driver")
