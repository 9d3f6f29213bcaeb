"""What is measured: each job done by the ledger and, beside it, by the raw driver.

The raw driver's side is in `raw`, how both are timed in `harness`.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Final

import attrs

from ledger import Claim, Ledger
from ledger.view import View
from tests.benchmarks import workload
from tests.benchmarks.databases import Fresh
from tests.benchmarks.harness import Line, Prepared, Work, compared, latency, rate
from tests.benchmarks.raw import Raw, Row, hashed, raw_for

BATCH: Final = 500
MANY: Final = {1: 1_000, BATCH: 10_000}
"""How many claims are appended, one and so many to a transaction."""

TO_FULL: Final = {1: 200, BATCH: 2_000}
QUESTIONS: Final = 200
FORGOTTEN: Final = 20


@attrs.frozen(kw_only=True)
class Bench:
    """One engine's databases, and how much is measured."""

    fresh: Fresh
    claims: int
    rounds: int


@attrs.frozen(kw_only=True)
class Full:
    """The full log, the rows it holds, and the raw driver on a table of the same rows."""

    url: str
    ledger: Ledger
    raw: Raw
    rows: Sequence[Row]


def measure(bench: Bench) -> Iterator[Line]:
    """Every line of one engine's table."""
    with ExitStack() as stack:
        full = _full(bench, stack)
        yield from _appending(bench, full.rows, stack)
        yield from _reading(bench, full)
        yield from _asking(bench, full)
        yield from _appending_to_the_full(bench, full)


def _opened(url: str, stack: ExitStack) -> Ledger:
    """A new ledger that holds everything that claims name."""
    ledger = stack.enter_context(Ledger.open(url))
    ledger.register_all(workload.nouns())
    return ledger


def _full(bench: Bench, stack: ExitStack) -> Full:
    url = bench.fresh()
    ledger = _opened(url, stack)
    first = ledger.checkpoint().size
    given = workload.claims(bench.claims)
    _record(ledger, given, BATCH)
    with closing(raw_for(url)) as source:
        source.settle()
        rows = list(source.rows("ledger_event"))
    raw = stack.enter_context(closing(raw_for(bench.fresh())))
    raw.create()
    raw.append(rows, BATCH)
    raw.fill(workload.reached(given, first))
    raw.settle()
    return Full(url=url, ledger=ledger, raw=raw, rows=rows)


def _record(ledger: Ledger, given: Sequence[workload.Fields], batch: int) -> None:
    if batch == 1:
        for fields in given:
            ledger.record(**fields)
        return
    for start in range(0, len(given), batch):
        ledger.record_all(Claim(**fields) for fields in given[start : start + batch])


def _claims(batch: int) -> str:
    return "one claim a transaction" if batch == 1 else f"{batch} claims a transaction"


def _appending(bench: Bench, rows: Sequence[Row], stack: ExitStack) -> Iterator[Line]:
    for batch, most in MANY.items():
        given = workload.claims(min(most, bench.claims))

        def ledger(given: Sequence[workload.Fields] = given, batch: int = batch) -> Work:
            new = _opened(bench.fresh(), stack)
            return lambda: _record(new, given, batch)

        def raw(last: Sequence[Row] = rows[-len(given) :], batch: int = batch) -> Work:
            new = stack.enter_context(closing(raw_for(bench.fresh())))
            new.create()
            return lambda: new.append(last, batch)

        job = f"append, {_claims(batch)}"
        yield rate(job, len(given), "claims", compared(ledger, raw, bench.rounds))


def _appending_to_the_full(bench: Bench, full: Full) -> Iterator[Line]:
    sequences = itertools.count(len(full.rows))
    for batch, most in TO_FULL.items():
        many = min(most, bench.claims)
        turns = itertools.count()

        def ledger(many: int = many, batch: int = batch, turns: Iterator[int] = turns) -> Work:
            given = workload.claims(many, prefix=f"late-{batch}-{next(turns)}")
            return lambda: _record(full.ledger, given, batch)

        def raw(many: int = many, batch: int = batch) -> Work:
            late = zip(full.rows[-many:], sequences, strict=False)
            rows = [(row[0], seq, f"{seq}", *row[3:]) for row, seq in late]
            return lambda: full.raw.append(rows, batch)

        job = f"append to the full log, {_claims(batch)}"
        yield rate(job, many, "claims", compared(ledger, raw, bench.rounds))


def _reading(bench: Bench, full: Full) -> Iterator[Line]:
    def view() -> View:
        with Ledger(full.url) as new:
            return new.as_of()

    def read() -> object:
        return deque(full.raw.rows("event"), maxlen=0)

    jobs: dict[str, tuple[Work, Work]] = {
        "replay to typed events": (lambda: deque(full.ledger.events(), maxlen=0), read),
        "replay to folded facts: the first view": (view, read),
        "verify every byte (raw: hash every byte)": (
            full.ledger.verify,
            lambda: hashed(full.raw.rows("event")),
        ),
    }
    for job, (ours, theirs) in jobs.items():
        took = compared(_ready(ours), _ready(theirs), bench.rounds)
        yield rate(job, len(full.rows), "events", took)


def _ready(work: Work) -> Prepared:
    return lambda: work


def _asking(bench: Bench, full: Full) -> Iterator[Line]:
    ledger, raw = full.ledger, full.raw
    day = workload.LAST_DAY.isoformat()
    cells = workload.cells(QUESTIONS)
    late = iter(workload.claims(FORGOTTEN + 1, prefix="asked"))
    asked = itertools.cycle(cells)

    def after_append() -> Work:
        ledger.record(**next(late))
        cell = next(asked)
        return lambda: ledger.position(*cell)

    def raw_after_append() -> Work:
        cell = next(asked)
        return lambda: raw.cell(*cell, day)

    took = compared(
        _ready(lambda: [ledger.position(*cell) for cell in cells]),
        _ready(lambda: [raw.cell(*cell, day) for cell in cells]),
        bench.rounds,
    )
    yield latency("position(party, proposition)", QUESTIONS, took)
    took = compared(after_append, raw_after_append, FORGOTTEN)
    yield latency("position(party, proposition), right after an append", 1, took)
