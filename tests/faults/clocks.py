"""Clocks that jump, back most of all: what the log knows when never runs backwards."""

from __future__ import annotations

import datetime as dt
import random

import attrs

from ledger import Ledger
from tests.faults.checks import Notes, check, rows
from tests.faults.seen import Place, Seen
from tests.faults.writer import Writer

_START = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)


@attrs.define
class Jumping:
    """A clock that goes on by a second, and at times jumps by up to a month, mostly back."""

    seed: int
    now: dt.datetime = _START
    jumps: int = 0

    def __call__(self) -> dt.datetime:
        chance = random.Random(f"{self.seed} {self.now}")
        self.now += dt.timedelta(seconds=1)
        if chance.random() < 0.2:
            self.jumps += 1
            self.now += dt.timedelta(seconds=chance.randrange(-2_600_000, 1_300_000))
        return self.now


def jumping_clocks(place: Place, *, times: int) -> Seen:
    """Writers whose clocks jump and disagree; each has said something every `times` steps."""
    url = place.database()
    crew = [
        Writer(
            url=url,
            notes=place.path("notes"),
            mode=mode,
            writer=one,
            until=times,
            clock=Jumping(one),
            patient=30,
        )
        for one, mode in enumerate(["single", "batch", "mixed"])
    ]
    for process in [one.start() for one in crew]:
        process.join()
        assert process.exitcode == 0
    notes = Notes.read([one.notes for one in crew])
    check(url, notes)
    _check_known(url)
    fell = _times_fallen(url)
    assert fell
    return Seen.of("clock that jumps back", place.engine, fell, [notes])


def _times_fallen(url: str) -> int:
    """How often an entry's own clock was behind the log's."""
    with rows(url) as ask:
        stored = ask("SELECT seq, known_at, entry FROM ledger_event ORDER BY seq")
    said = [entry.split('"recorded_at":"')[1][:19] for *_, entry in stored]
    known = [
        f"{one:%Y-%m-%dT%H:%M:%S}" if isinstance(one, dt.datetime) else one[:19]
        for _, one, _ in stored
    ]
    latest = ""
    for one, held in zip(said, known, strict=True):
        latest = max(latest, one)
        assert held == latest
    return sum(one < held for one, held in zip(said, known, strict=True))


def _check_known(url: str) -> None:
    """What was known by an instant is what the bare rows say."""
    with Ledger.open(url) as ledger:
        known = [event.recorded for event in ledger.events()]
        for instant in known[:: max(1, len(known) // 20)]:
            view = ledger.as_of(known=instant.isoformat())
            assert view.basis == sum(one <= instant for one in known)
