"""Try every fault at full size and print the table that docs/reference/faults.md publishes.

    python tests/faults/run.py [--size 1.0] [--engine sqlite|postgres|both] [--only WORD ...]

Hundreds of processes are killed, servers stopped, disks filled; `--size 0.1` tries a tenth. A fault
that finds something lost, doubled, halved or answered wrongly is told, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults import (
    clocks,
    connections,
    copies,
    disks,
    groups,
    kills,
    projectors,
    seen,
    servers,
    volumes,
)
from tests.faults.proxy import Cut
from tests.faults.seen import Place, Seen

HEADINGS: Final = (
    "fault",
    "engine",
    "times",
    "acknowledged",
    "lost",
    "stored, not acknowledged",
    "what callers were told (how often)",
)

Trial = tuple[str, Callable[[], Seen]]
Sized = Callable[[int], int]


def main(arguments: list[str]) -> int:
    """Try what is asked for; the exit code."""
    asked = _asked(arguments)
    start, failed = time.monotonic(), 0
    _tell(_row(HEADINGS), _row("---" for _ in HEADINGS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimledger-")))
        folder.chmod(0o755)
        for name, trial in _trials(asked, folder, stack):
            if asked.only and not any(word in name for word in asked.only):
                continue
            try:
                _tell(_row(trial().cells()))
            except PermissionError as why:
                _tell(f"{name}: skipped, {why}", to=sys.stderr)
            except Exception:  # noqa: BLE001 - the other faults are tried all the same
                failed += 1
                _tell(f"{name}: FAILED", traceback.format_exc(), to=sys.stderr)
    _tell("", f"{failed} failed; {time.monotonic() - start:,.0f} s")
    return 1 if failed else 0


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tell(*lines: str, to: TextIO | None = None) -> None:
    out = to or sys.stdout
    out.writelines(f"{line}\n" for line in lines)
    out.flush()


def _trials(asked: argparse.Namespace, folder: Path, stack: ExitStack) -> Iterator[Trial]:
    def sized(times: int) -> int:
        return max(1, round(times * asked.size))

    if asked.engine in ("sqlite", "both"):
        place = seen.sqlite(folder)
        yield from _on_both(place, sized)
        yield from _on_sqlite(place, sized)
    if asked.engine in ("postgres", "both"):
        server = stack.enter_context(servers.server())
        place = Place(engine="PostgreSQL", fresh=server.database, folder=folder)
        yield from _on_both(place, sized)
        yield from _on_postgres(place, stack, sized)
        yield from _dumps(server, folder, stack, sized)


def _on_both(place: Place, sized: Sized) -> Iterator[Trial]:
    for mode, times in (("single", 100), ("batch", 60), ("mixed", 60), ("import", 40)):
        yield _trial(kills.killed_writers, place, mode=mode, times=sized(times))
    yield _trial(kills.killed_writers, place, mode="mixed", times=sized(60), writers=3)
    for mode, stride in (("single", 11), ("mixed", 29)):
        wider = max(1, round(stride / min(1, sized(100) / 100)))
        yield _trial(kills.killed_at_lines, place, mode=mode, stride=wider)
    yield _trial(kills.killed_while_opening, place, times=sized(60))
    yield _trial(projectors.killed_inline, place, times=sized(40))
    for task in ("run", "rebuild"):
        yield _trial(projectors.killed_projectors, place, task=task, times=sized(40))
        stride = max(1, round(250 / min(1, sized(100) / 100)))
        yield _trial(projectors.killed_projectors_at_lines, place, task=task, stride=stride)
    yield _trial(clocks.jumping_clocks, place, times=sized(200))


def _on_sqlite(place: Place, sized: Sized) -> Iterator[Trial]:
    yield _trial(disks.full_by_limit, place, times=sized(40))
    yield _trial(disks.full_by_pages, place, times=sized(40))
    yield _trial(disks.full_disk, place, times=sized(20))
    for what in ("file", "directory"):
        yield _trial(disks.read_only, place, what=what, times=sized(8))
    yield _trial(disks.locked, place, times=sized(40))
    yield _trial(disks.torn_log, place, times=sized(200))
    for way in copies.WAYS:
        yield _trial(copies.copied, place, way=way, times=sized(20))
    yield _trial(copies.restored, place, times=sized(60))


def _on_postgres(place: Place, stack: ExitStack, sized: Sized) -> Iterator[Trial]:
    whens: tuple[Cut, ...] = ("before", "after")
    for when in whens:
        yield _trial(connections.cut_in_commit, place, when=when, times=sized(100))
        for mode in ("single", "batch", "mixed"):
            yield _trial(connections.cut_at_each_message, place, mode=mode, when=when)
    yield _trial(groups.cut_in_groups, place, times=sized(100))
    yield _trial(connections.terminated_writers, place, times=sized(100), writers=3)
    yield _trial(connections.terminated_reader, place, times=sized(40))
    yield _trial(connections.terminated_follower, place, times=sized(60))
    yield _trial(connections.statement_timeouts, place, times=sized(20))
    # A server of few databases: after a crash it looks through all their files.
    small = stack.enter_context(servers.server())
    own = Place(engine=place.engine, fresh=small.database, folder=place.folder)
    for how in ("fast", "immediate"):
        yield _trial(connections.restarted, own, small, how=how, times=sized(10))
    yield _trial(volumes.full_tables, own, small, times=sized(10))
    yield _trial(volumes.full_cluster, own, small.programs, times=sized(10))


def _dumps(target: servers.Server, folder: Path, stack: ExitStack, sized: Sized) -> Iterator[Trial]:
    for programs in (None, *servers.installed()):
        try:
            source = stack.enter_context(servers.server(programs))
        except (OSError, RuntimeError, subprocess.SubprocessError) as why:
            _tell(f"a dump out of {programs}: skipped, {why}", to=sys.stderr)
            continue
        version = "the same" if programs is None else programs.parent.name
        place = Place(
            engine=f"PostgreSQL ({version} version)", fresh=source.database, folder=folder
        )
        yield _trial(copies.dumped, place, target, times=sized(5))


def _trial(fault: Callable[..., Seen], place: Place, *given: object, **options: object) -> Trial:
    name = " ".join([fault.__name__, place.engine, *map(str, options.values())])
    return name, functools.partial(fault, place, *given, **options)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=float, default=1.0, help="of the published table: 1")
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--only", nargs="*", default=[], help="words out of a fault's function")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
