"""Measure verification, proofs and checkpoints, and print the figures as Markdown.

    python tests/benchmarks/integrity.py [--claims 100000] [--rounds 3] [--leaves 1000000 10000000]

On SQLite, for the hashing is the same on every engine. Verification goes in turn with a bare loop
that reads the same rows, makes the same five hashes and decodes the entry, and with auditchain
0.3.0 where that is installed (`pip install auditchain==0.3.0`). Proofs are asked of logs whose
leaves are made by SQL. Seconds are those of the processor where one process works, so that a busy
machine tells the same, and those of the clock beside them. Figures are told, never asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import itertools
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

# The folders of the tests are no packages: they are imported by their full names from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))

from ledger import Claim, Ledger
from ledger.codec import entry
from ledger.codec.entry import commitment
from ledger.model.events import NewEvent
from tests.benchmarks import workload
from tests.benchmarks.harness import figure, machine, markdown

CHUNK: Final = 500
QUESTIONS: Final = 200
NEW: Final = 10_000
TIMES: Final = 5
PEER: Final = "auditchain"
ROWS: Final = (
    "SELECT entry, slot_who, slot_what, slot_words, slot_by FROM ledger_event ORDER BY log_id, seq"
)
LEAVES: Final = """
WITH RECURSIVE n(seq) AS (SELECT :first UNION ALL SELECT seq + 1 FROM n WHERE seq + 1 < :stop)
INSERT INTO ledger_event
  (log_id, seq, id, type, stream, stream_v, known_at, entry, leaf_hash)
SELECT 1, seq, 'e' || seq, 't', 's', seq, '2024-01-01T00:00:00.000000Z', 'x', randomblob(32) FROM n
"""


def main(arguments: list[str]) -> None:
    """Measure everything, in one run."""
    asked = _asked(arguments)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="claimledger-") as made:
        folder = Path(made)
        words = {**machine(folder), "rounds": f"{asked.rounds}, after one that is not counted"}
        print(markdown(("machine", ""), words.items()), flush=True)
        rows: list[Sequence[str]] = [*verification(folder, asked.claims, asked.rounds)]
        head = ("verification", "events/s of processor", "beside the bare loop", PEER, "of clock")
        print(f"\n{markdown(head, rows)}", flush=True)
        rows = [*appends(folder, asked.claims, asked.rounds)]
        head = ("events an append", "with, us an event", "without", "of clock", "of processor")
        print(f"\n{markdown(head, rows)}", flush=True)
        for leaves in asked.leaves:
            rows = [*proofs(folder / f"{leaves}.db", leaves, asked.rounds)]
            columns = (f"a log of {leaves:,} leaves", "median of processor", "of clock", "worst")
            print(f"\n{markdown(columns, rows)}", flush=True)
    print(f"\nmeasured in {time.monotonic() - start:,.0f} s")


# -- verification -------------------------------------------------------------------------------


def verification(folder: Path, claims: int, rounds: int) -> Iterator[Sequence[str]]:
    """Events a second of each way to verify, and memory."""
    path = folder / "claims.db"
    size = _filled(path, claims)
    with Ledger(path) as ledger:
        ways: dict[str, Callable[[], object]] = {
            "bare loop: read, five hashes, decode": lambda: _bare(path),
            "verify()": ledger.verify,
            "verify(processes=2)": lambda: ledger.verify(processes=2),
            "bare loop: read, one hash": lambda: _bare_leaves(path),
            "verify(contents=False): leaves and tree": lambda: ledger.verify(contents=False),
        }
        many = dict.fromkeys(ways, size)
        if importlib.util.find_spec(PEER):
            ways[PEER], many[PEER] = _peer(folder / "peer.db", min(claims, 20_000))
        took = _in_turn(ways, rounds)
        rates = {name: many[name] / seconds for name, (seconds, _) in took.items()}
        clocks = {name: many[name] / seconds for name, (_, seconds) in took.items()}
        kept = ledger.checkpoint(size - NEW if size > NEW else 0)
        since, clock = _in_turn({"": lambda: ledger.verify(since=kept)}, rounds)[""]
    bare = rates["bare loop: read, five hashes, decode"]
    for name, rate in rates.items():
        beside = rate / (rates["bare loop: read, one hash"] if "leaves" in name else bare)
        peer = f"{rate / rates[PEER]:.3g}" if PEER in rates else "not installed"
        if "processes" in name:  # what they take is not this process's
            yield name, "", "", "", figure(clocks[name])
        else:
            yield name, figure(rate), f"{beside:.2f}", peer, figure(clocks[name])
    later = f"verify(since=), {min(NEW, size):,} events later"
    yield later, f"{since * 1e3:.0f} ms", "", "", f"{clock * 1e3:.0f} ms"
    yield "verify(): resident MiB before, and at most", _memory(path), "", "", ""


def _in_turn(
    ways: Mapping[str, Callable[[], object]], rounds: int
) -> Mapping[str, tuple[float, float]]:
    """The median seconds of each way, of processor and of clock, run in turn: A B C A B C .."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, work in ways.items():
            gc.collect()
            cpu, clock = _spent(work)
            if turn:
                taken[name].append((cpu, clock))
    return {name: _medians(found) for name, found in taken.items()}


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - clock


def _medians(taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    cpu, clock = zip(*taken, strict=True)
    return statistics.median(cpu), statistics.median(clock)


def _filled(path: Path, claims: int) -> int:
    with Ledger.open(path) as ledger:
        ledger.register_all(workload.nouns())
        given = workload.claims(claims)
        for start in range(0, len(given), CHUNK):
            ledger.record_all(Claim(**fields) for fields in given[start : start + CHUNK])
        return ledger.checkpoint().size


def _bare(path: Path) -> None:
    decode = json.loads
    with closing(sqlite3.connect(path)) as raw:
        for entry, *slots in raw.execute(ROWS):
            sha256(b"\0" + entry.encode()).digest()
            decode(entry)
            for slot in slots:
                if slot is not None:
                    commitment(slot)


def _bare_leaves(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        for entry, leaf in raw.execute("SELECT entry, leaf_hash FROM ledger_event ORDER BY seq"):
            if sha256(b"\0" + entry.encode()).digest() != leaf:
                raise AssertionError(entry)


def _peer(path: Path, many: int) -> tuple[Callable[[], object], int]:
    """The other log, filled with as much in its own form; what verifies it."""
    import auditchain  # noqa: PLC0415 - not among our packages

    run = asyncio.new_event_loop().run_until_complete
    log: Any = auditchain.AuditLog(auditchain.SqliteBackend(path))
    run(log.init())
    given = workload.claims(many)
    for start in range(0, many, 1_000):
        part = given[start : start + 1_000]
        run(log.append_many([("party", "claim.asserted", "topic", dict(one)) for one in part]))
    return lambda: run(log.verify()), many


MEMORY: Final = """
import sys
from ledger import Ledger
def resident(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith(name))
with Ledger(sys.argv[1]) as ledger:
    ledger.checkpoint()
    before = resident("VmRSS")
    ledger.verify()
print(f"{before}, {resident('VmHWM')}")
"""


def _memory(path: Path) -> str:
    command = [sys.executable, "-c", MEMORY, str(path)]
    if not Path("/proc/self/status").exists():
        return "told on Linux alone"
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


# -- appends ------------------------------------------------------------------------------------


def appends(folder: Path, claims: int, rounds: int) -> Iterator[Sequence[str]]:
    """What salts, commitments and leaf hashes cost an append: the same rows with zeros for them."""
    with Ledger.open(":memory:") as source:
        source.register_all(workload.nouns())
        start = source.checkpoint().size
        source.record_all(Claim(**fields) for fields in workload.claims(CHUNK * 2))
        said = [one.event for one in source.events(after=start - 1)]
    numbers = itertools.count()
    for batch, most in ((1, 200), (10, 50), (100, 20), (1_000, 5)):
        many = max(1, min(most, claims // batch))
        taken: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for turn, hashed in itertools.product(range(rounds * 3 + 1), taken):
            given = [[_new(said, next(numbers)) for _ in range(batch)] for _ in range(many)]
            path = folder / f"append-{next(numbers)}.db"
            with Ledger.open(path) as ledger, nullcontext() if hashed else _unhashed():
                spent = _spent(lambda: [ledger.appender.put(one) for one in given])  # noqa: B023
            if turn:
                taken[hashed].append(spent)
        with_, without = (_medians(taken[hashed]) for hashed in (True, False))
        events = batch * many
        yield (
            f"{batch:,}",
            *(f"{clock / events * 1e6:.1f}" for _, clock in (with_, without)),
            *(f"{with_[at] / without[at]:.2f}" for at in (1, 0)),
        )


def _new(said: Sequence[Any], number: int) -> NewEvent:
    id_ = f"event-{number}"
    return NewEvent(id=id_, stream=id_, stream_v=0, event=said[number % len(said)])


@contextmanager
def _unhashed() -> Iterator[None]:
    """Zeros in the place of salts, commitments and leaf hashes."""
    with (
        patch("ledger.codec.envelope.os.urandom", bytes),
        patch.object(entry, "commitment", lambda _: "0" * 64),
        patch.object(entry, "leaf_hash", lambda _: bytes(32)),
    ):
        yield


# -- proofs -------------------------------------------------------------------------------------


def proofs(path: Path, leaves: int, rounds: int) -> Iterator[Sequence[str]]:
    """Milliseconds of what is asked of a long log."""
    Ledger.open(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        guards = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in guards:
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("INSERT INTO ledger_log VALUES (1, 'default', 0, NULL)")
        _grow(raw, 0, leaves)
        with Ledger(path) as ledger:
            first = _spent(ledger.checkpoint)
            opening = _timed(lambda: _opened(path), rounds)
            chance = random.Random(7)
            index = iter(lambda: chance.randrange(leaves), None)
            prove = _timed(lambda: ledger.prove(next(index)), QUESTIONS)
            grow = _timed(lambda: ledger.prove_growth(next(index) or 1, leaves), QUESTIONS)
            sizes = itertools.count(leaves, NEW)
            fresh = [_late(raw, ledger, next(sizes)) for _ in range(TIMES)]
    yield "the first checkpoint, which keeps the whole tree", *(f"{one:.2f} s" for one in first), ""
    yield "open, and prove one entry", *_told(opening)
    yield "proof of inclusion", *_told(prove)
    yield "proof of growth", *_told(grow)
    yield f"checkpoint over {NEW:,} new events", *_told(fresh)


def _grow(raw: sqlite3.Connection, first: int, stop: int) -> None:
    raw.execute(LEAVES, {"first": first, "stop": stop})
    raw.execute("UPDATE ledger_log SET size = ?, known_at = '2024-01-01T00:00:00.000000Z'", [stop])
    raw.commit()


def _late(raw: sqlite3.Connection, ledger: Ledger, size: int) -> tuple[float, float]:
    _grow(raw, size, size + NEW)
    return _spent(ledger.checkpoint)


def _opened(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.prove(0)


def _timed(work: Callable[[], object], many: int) -> list[tuple[float, float]]:
    work()
    return [_spent(work) for _ in range(many)]


def _told(taken: Sequence[tuple[float, float]]) -> Sequence[str]:
    worst = max(clock for _, clock in taken)
    return [f"{seconds * 1e3:.2f} ms" for seconds in (*_medians(taken), worst)]


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--claims", type=int, default=100_000, help="in the log that is verified")
    parser.add_argument("--rounds", type=int, default=3, help="that are counted")
    parser.add_argument(
        "--leaves", type=int, nargs="*", default=[1_000_000, 10_000_000], help="of the long logs"
    )
    asked = parser.parse_args(arguments)
    if asked.claims < CHUNK or asked.rounds < 1 or any(one < 2 for one in asked.leaves):
        parser.error(f"give at least {CHUNK} claims, one round, two leaves")
    return asked


if __name__ == "__main__":
    main(sys.argv[1:])
