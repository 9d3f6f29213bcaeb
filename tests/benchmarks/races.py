"""Appends against the opponent: whole puts, typed events in, committed at the end.

Each batch is one transaction, and both sides sync at every commit. What is measured with is in
`sides` and `opponent`, several processes that write at once are in `crowds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any, Final

from tests.benchmarks.databases import Fresh
from tests.benchmarks.harness import figure, in_turn
from tests.benchmarks.opponent import Opponent
from tests.benchmarks.sides import Arena, Checked, Ours, Side, fill, puts
from tests.benchmarks.verdicts import Verdict, faster

Goals = Mapping[int, float]
Entrants = Mapping[str, Side]

FRESH: Final[Goals] = {1: 0.9, 10: 1.3, 100: 1.9, 1000: 2.0}
LARGE: Final[Goals] = {1: 1.0, 10: 1.7, 100: 2.5, 1000: 2.5}
LARGE_VIEW: Final[Goals] = {1: 0.8, 10: 0.95, 100: 1.15, 1000: 1.3}
POSTGRES: Final[Goals] = {1: 1.9, 10: 2.0, 100: 2.9, 1000: 2.7}
POSTGRES_VIEW: Final[Goals] = {1: 1.7, 10: 1.8, 100: 2.4, 1000: 2.2}
GROWTH: Final = 0.9
_LOG: Final = "log only"
_VIEW: Final = "inline claims view"
_CHECKED: Final = "record_all"
_CHECKED_VIEW: Final = "record_all with the view"


def sqlite_fresh(arena: Arena) -> Iterator[Verdict]:
    """A new file; and what the checks of meaning add."""
    yield from _on_fresh(arena, "SQLite", lambda: arena.sqlite, {_LOG: FRESH})


def postgres(arena: Arena) -> Iterator[Verdict]:
    """A new database, without and with the view."""
    goals = {_LOG: POSTGRES, _VIEW: POSTGRES_VIEW}
    yield from _on_fresh(arena, "PostgreSQL", arena.postgres, goals)


def _on_fresh(
    arena: Arena, engine: str, place: Callable[[], Fresh], goals: Mapping[str, Goals]
) -> Iterator[Verdict]:
    fresh = place()
    for batch, count in arena.appended.items():
        with ExitStack() as stack:
            entrants: dict[str, Any] = {"peer": Opponent(fresh(), arena.given.claims)}
            for name in goals:
                entrants[name] = Ours(fresh(), arena.given, view=name == _VIEW)
            entrants[_CHECKED] = Checked(fresh())
            if _VIEW in goals:
                entrants[_CHECKED_VIEW] = Checked(fresh(), view=True)
            for one in entrants.values():
                stack.enter_context(closing(one))
            where = f"{engine} FULL, new file" if engine == "SQLite" else f"{engine} durable"
            yield from _race(arena, where, entrants, goals, batch, count)


def sqlite_large(arena: Arena) -> Iterator[Verdict]:
    """Files that hold many events already, all filled with the same."""
    with ExitStack() as stack:
        view = Ours(arena.sqlite(), arena.given, view=True)
        entrants: dict[str, Any] = {
            "peer": Opponent(arena.sqlite(), arena.given.claims),
            _LOG: Ours(arena.sqlite(), arena.given),
            _VIEW: view,
        }
        for one in entrants.values():
            stack.enter_context(closing(one))
            fill(one, arena.filled)
        view.ready()
        goals = {_LOG: LARGE, _VIEW: LARGE_VIEW}
        where = f"SQLite FULL, {arena.filled:,} events"
        for batch, count in arena.appended.items():
            yield from _race(arena, where, entrants, goals, batch, count)


def _race(  # noqa: PLR0917 - a race has so many parts
    arena: Arena,
    where: str,
    entrants: Entrants,
    goals: Mapping[str, Goals],
    batch: int,
    count: int,
) -> Iterator[Verdict]:
    took = in_turn({name: puts(one, count, batch) for name, one in entrants.items()}, arena.rounds)
    for name, goal in goals.items():
        checked = took.get(_CHECKED_VIEW if name == _VIEW else _CHECKED)
        yield faster(
            f"{where}, {name}, batch {batch}",
            count,
            (took[name], took["peer"]),
            goal.get(batch),
            beside="" if checked is None else f"record_all {figure(count / checked)}/s",
        )


def growth(arena: Arena) -> Iterator[Verdict]:
    """Our own rate when the log is large, to that when it is small."""
    with ExitStack() as stack:
        logs = {}
        for size in (arena.small, arena.large):
            logs[size] = stack.enter_context(closing(arena.log(size)))
        count = arena.appended[1000]
        took = in_turn(
            {f"{size}": puts(one, count, 1000) for size, one in logs.items()}, arena.rounds
        )
        yield faster(
            f"SQLite FULL, log only, batch 1000, at {arena.large:,} events",
            count,
            (took[f"{arena.large}"], took[f"{arena.small}"]),
            GROWTH,
            against=f"at {arena.small:,}",
        )
