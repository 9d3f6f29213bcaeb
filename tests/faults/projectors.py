"""kill -9 of what keeps views up with the log: a run, a rebuild, an append with a view inside.

Two views are kept: a host's own, and the built-in table of claims. What their rows must be is
worked out from the bare rows of the log (which step, which sequence) and from `world`; nothing is
folded twice by the same code.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any, Final

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text

from ledger import Ledger
from ledger.errors import UnknownProjection
from ledger.model.events import StoredEvent
from ledger.projecting import Projection, Projections, claims
from tests.faults.checks import Notes, check, rows
from tests.faults.kills import KILLED, lifetime
from tests.faults.seen import Place, Seen, lots
from tests.faults.world import PARTIES, PROPOSITIONS, SETUP, Step
from tests.faults.writer import LONGEST, NURSERY, Writer, dying_at

NAMES: Final = ("claims", "keys")
_BATCH: Final = 17
_EACH: Final = 4


def keys(build: int) -> Projection:
    """A host's own view: the key of every claim."""
    table = Table(
        f"host_keys_{build}",
        MetaData(),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("key", Text, nullable=False),
    )

    def apply(conn: Connection, stored: StoredEvent) -> None:
        key = getattr(stored.event, "key", None)
        conn.execute(table.insert().values(seq=stored.sequence, key=key))

    return Projection(name="keys", version=1, tables=[table], apply=apply, types=["claim_recorded"])


def with_views(ledger: Ledger, *, inline: bool) -> Projections:
    """Both views; an owner that was killed is taken for dead at once."""
    projections = ledger.projections
    projections._site = attrs.evolve(projections._site, patience=dt.timedelta(0))
    projections.add(claims(ledger.layout), mode="inline" if inline else "deferred")
    projections.add(keys, mode="inline" if inline else "deferred")
    return projections


@attrs.frozen(kw_only=True)
class Projector:
    """A process that runs or rebuilds views for ever; `dies_at` as a `Writer`'s."""

    url: str
    task: str
    dies_at: int | None = None

    def start(self) -> BaseProcess:
        process = NURSERY.Process(target=self.work, daemon=True)
        process.start()
        return process

    def work(self) -> None:
        with Ledger.open(self.url) as ledger:
            projections = with_views(ledger, inline=False)
            if self.dies_at is not None:
                sys.settrace(dying_at(self.dies_at))
            end = time.monotonic() + LONGEST
            while time.monotonic() < end:
                for name in NAMES:
                    getattr(projections, self.task)(name, batch=_BATCH)
                if self.dies_at is not None:
                    return
                time.sleep(0.001)


@attrs.frozen
class _InlineViews:
    """What a writer adds to its ledger."""

    def __call__(self, ledger: Ledger) -> None:
        with_views(ledger, inline=True)


def expected(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of both views for the whole log, by the bare rows of the log."""
    with rows(url) as ask:
        stored = ask("SELECT seq, type, entry FROM ledger_event ORDER BY seq")
    steps: dict[str, list[int]] = {}
    for seq, type_, entry in stored:
        name = msgspec.json.decode(entry)["correlation"]
        if type_ in {"claim_recorded", "record_amended", "claim_withdrawn"} and name != SETUP:
            steps.setdefault(name, []).append(seq)
    found: dict[str, list[tuple[Any, ...]]] = {"claims": [], "keys": []}
    for name, sequences in steps.items():
        step = Step.named(name)
        for said, seq in zip(step.claims, sequences, strict=False):
            following = Step(step.mode, step.writer, step.number + 1)
            end = None
            if following.kind in {"amend", "withdraw"} and following.name in steps:
                end = steps[following.name][0]
            party, proposition = PARTIES.index(said.party), PROPOSITIONS.index(said.proposition)
            found["keys"].append((seq, said.id))
            found["claims"].append((seq, party, len(PARTIES) + proposition, said.stance, end))
    return {name: sorted(one) for name, one in found.items()}


def check_views(url: str, *, whole: bool) -> None:
    """The rows served are those of the events before the cursor, or of all events."""
    wanted = expected(url)
    with Ledger.open(url) as ledger:
        projections = with_views(ledger, inline=False)
        for name in NAMES:
            with ledger._folded.reading() as conn:  # one moment: the cursor and the rows
                try:
                    served = projections.served(name, conn)
                except UnknownProjection:  # its first build was not finished
                    assert not whole
                    continue
                held = [*_rows(conn, served.table)]
            upto = [
                _known_at(row, served.position) for row in wanted[name] if row[0] < served.position
            ]
            assert held == upto, f"the view {name} is another than its cursor says"
            assert not whole or len(held) == len(wanted[name])


def _known_at(row: tuple[Any, ...], position: int) -> tuple[Any, ...]:
    """A row as it is while the cursor stands there: an end that is still to come is none."""
    end = row[-1]
    return (*row[:-1], None) if isinstance(end, int) and end >= position else row


def _rows(conn: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    wanted = (
        ("seq", "key")
        if "key" in table.c
        else (*("seq", "party", "proposition", "stance", "known_to"),)
    )
    query = sa.select(*(table.c[name] for name in wanted)).order_by(table.c.seq)
    for row in conn.execute(query):
        yield tuple(row)


def killed_projectors(place: Place, *, task: str, times: int) -> Seen:
    """A run or rebuild is killed at random moments, while a writer writes."""
    noted = []
    for many in lots(times, _EACH):
        url = _filled(place)
        writer = Writer(url=url, notes=place.path("notes"), mode="mixed", pause=0.02, patient=30)
        longest = lifetime(writer)
        writing = writer.start()
        for _ in range(many):
            process = Projector(url=url, task=task).start()
            time.sleep(place.chance.uniform(0, longest))
            process.kill()
            process.join()
            assert process.exitcode == KILLED
            check_views(url, whole=False)
        writing.kill()
        writing.join()
        noted.append(_finished(url, [writer], task))
    return Seen.of(_called(task), place.engine, times, noted)


def killed_projectors_at_lines(place: Place, *, task: str, stride: int) -> Seen:
    """A run or rebuild dies before each `stride`-th line that it runs."""
    url, line, times = _filled(place), place.chance.randrange(stride), 0
    if task == "rebuild":
        _ran(url, "run")
    while True:
        if task == "run":  # there must be something to do
            url = _filled(place)
        process = Projector(url=url, task=task, dies_at=line).start()
        process.join()
        if process.exitcode == 0:
            break
        assert process.exitcode == KILLED
        check_views(url, whole=task == "rebuild")
        line += stride
        times += 1
    notes = _finished(url, [], task)
    return Seen.of(f"{_called(task)}, every {stride} lines of code", place.engine, times, [notes])


def killed_inline(place: Place, *, times: int) -> Seen:
    """A writer is killed whose appends change both views in the same transaction."""
    noted = []
    for many in lots(times, _EACH):
        url = place.database()
        writer = Writer(
            url=url, notes=place.path("notes"), mode="mixed", added=_InlineViews(), pause=0.001
        )
        longest = lifetime(writer)
        for _ in range(many):
            process = writer.start()
            time.sleep(place.chance.uniform(0, longest))
            process.kill()
            process.join()
            check(url, Notes.read([writer.notes]))
            check_views(url, whole=False)
        attrs.evolve(writer, until=len(Notes.read([writer.notes]).acknowledged) + 3).finish()
        notes = Notes.read([writer.notes])
        check(url, notes)
        check_views(url, whole=True)
        noted.append(notes)
    return Seen.of("kill -9 of a writer with inline views", place.engine, times, noted)


def _called(task: str) -> str:
    return "kill -9 of a projector" if task == "run" else "kill -9 of a rebuild"


def _filled(place: Place) -> str:
    url = place.database()
    for number, mode in enumerate(["batch", "mixed"]):
        notes = place.path("notes")
        Writer(url=url, notes=notes, mode=mode, writer=14 + number, until=20).finish()
    return url


def _ran(url: str, task: str) -> None:
    with Ledger.open(url) as ledger:
        projections = with_views(ledger, inline=False)
        for name in NAMES:
            outcome = getattr(projections, task)(name)
            assert outcome.status == "caught_up", outcome


def _finished(url: str, writers: list[Writer], task: str) -> Notes:
    """Run it to the end; then everything is there once, as a fresh replay has it."""
    _ran(url, task)
    notes = Notes.read([one.notes for one in writers])
    check(url, notes)
    check_views(url, whole=True)
    with Ledger.open(url) as ledger:
        projections = with_views(ledger, inline=False)
        for name in NAMES:
            assert projections.check(name).ok
    return notes
