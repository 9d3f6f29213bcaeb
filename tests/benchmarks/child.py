"""What runs in a process of its own: a writer among several, a replay, a first open.

It imports no more than it needs, for that is measured too.

child.py write ours|peer|bare URL BATCH SECONDS NUMBER    how many events it stored, each time
child.py replay URL                                       resident MiB before, and at most
child.py open ours|peer URL                               seconds to import, to open; by two clocks
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

WARM = 2_000
"""How many events are read before memory is looked at for the first time."""


def write(side: str, url: str, batch: str, seconds: str, number: str) -> None:
    """Make as many events as is asked for, and write from the word go until the time is over."""
    from tests.benchmarks.opponent import Opponent  # noqa: PLC0415
    from tests.benchmarks.sides import Ours, Sealed, Side, Supply, supply  # noqa: PLC0415

    many, length = int(batch), float(seconds)
    claims = supply(max(100, many)).claims
    kinds: dict[str, Callable[[], Side]] = {
        "ours": lambda: Ours(url, Supply([], claims)),
        "peer": lambda: Opponent(url, claims, streams=f"{number} {time.time_ns()}"),
        "bare": lambda: Sealed(url, claims),
    }
    one = kinds[side]()
    for line in iter(sys.stdin.readline, ""):
        ahead = deque(one.events(many) for _ in range(int(line) // many))
        print("ready", flush=True)
        sys.stdin.readline()
        stored, end = 0, time.perf_counter() + length
        while time.perf_counter() < end:
            part = ahead.popleft() if ahead else one.events(many)
            one.put(part)
            stored += many
        print(stored, flush=True)
    one.close()


def replay(url: str) -> None:
    """Read every event of a ledger, and see how memory grows."""
    from ledger import Ledger  # noqa: PLC0415

    with Ledger(url) as ledger:
        deque(ledger.events(limit=WARM), maxlen=0)
        before = _resident("VmRSS")
        deque(ledger.events(), maxlen=0)
    print(before, _resident("VmHWM"))


def _resident(name: str) -> float:
    """A figure of this process in MiB; `resource` would tell the parent's peak on Linux."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"this system does not tell {name}")


def first(side: str, url: str) -> None:
    """Import, then open a database that is not there yet."""
    start = _clocks()
    if side == "ours":
        from ledger import Ledger  # noqa: PLC0415

        imported = _clocks()
        Ledger.open(url)
    else:
        import eventsourcing.sqlite  # noqa: F401, PLC0415 - what an application would load by its name
        from eventsourcing.application import Application  # noqa: PLC0415

        imported = _clocks()
        Application(
            env={
                "PERSISTENCE_MODULE": "eventsourcing.sqlite",
                "SQLITE_DBNAME": url[len("sqlite:///") :],
            }
        )
    opened = _clocks()
    print(*(later - earlier for earlier, later in zip(start, imported, strict=True)))
    print(*(later - earlier for earlier, later in zip(imported, opened, strict=True)))


def _clocks() -> tuple[float, float]:
    """The clock on the wall, and what the processor has worked."""
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", *rest]:
            write(*rest)
        case ["replay", url]:
            replay(url)
        case ["open", side, url]:
            first(side, url)
        case _:
            sys.exit(__doc__)
