"""A projection that follows is woken by the next commit, in whatever process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from ledger import Ledger, Party
from ledger.projecting import Projection
from ledger.store import cursors

NEVER = 600.0
"""Seconds between two looks: what comes before was woken."""
ENOUGH = 30.0

WRITER = """
import sys
from ledger import Ledger, Party
with Ledger.open(sys.argv[1]) as ledger:
    ledger.register(Party("from-elsewhere", name="Somebody"))
"""


class Following:
    """A projection that follows in a thread."""

    def __init__(self, ledger, **options):
        self.stop = threading.Event()
        self.outcome = None
        count = Projection(name="count", initial=lambda: 0, evolve=lambda state, _: state + 1)
        ledger.projections.add(count, mode="deferred")
        self._ledger = ledger
        self._options = {"stop": self.stop, "poll": NEVER, **options}
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        self.outcome = self._ledger.projections.follow("count", **self._options)

    def until(self, position):
        give_up = time.monotonic() + ENOUGH
        while time.monotonic() < give_up:
            if any(one.position >= position for one in self._ledger.projections.status()):
                return
            time.sleep(0.005)
        pytest.fail(f"nothing woke it before {position} events")

    def ended(self):
        self._thread.join(ENOUGH)
        return not self._thread.is_alive()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        assert self.ended()


def test_each_commit_of_this_process_wakes_it(small):
    with Following(small) as following:
        following.until(5)
        for number in range(5):
            small.register(Party(f"p{number}", name="Somebody"))
            following.until(6 + number)
    assert following.outcome.status == "stopped"
    assert small.projections.state("count") == 10


def test_a_commit_of_another_process_wakes_it(database, kit):
    if database == "sqlite://":
        pytest.skip("a database in memory is of one process")
    with Ledger.open(database) as ledger:
        kit.world(ledger)
        with Following(ledger) as following:
            following.until(5)
            subprocess.run([sys.executable, "-c", WRITER, database], check=True)
            following.until(6)


def test_an_owner_gives_few_signs_of_life_however_often_it_is_woken(small, monkeypatch):
    """Each is a commit: at every wake-up, two projectors would keep each other awake for ever."""
    beats, beat = [], cursors.beat

    def counted(*given):
        beats.append(given)
        return beat(*given)

    monkeypatch.setattr(cursors, "beat", counted)
    with Following(small) as following:
        for number in range(20):
            small.register(Party(f"p{number}", name="Somebody"))
            following.until(6 + number)
    assert len(beats) <= 1


def test_it_begins_with_the_first_event_of_an_empty_log(ledger, kit):
    with Following(ledger) as following:
        kit.world(ledger)
        following.until(5)


def test_a_host_may_wait_in_its_own_way(small):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            following.stop.set()
        else:
            small.register(Party("late", name="Somebody"))

    with Following(small, wait=wait) as following:
        following.until(6)
        assert following.ended()
    assert waits == [NEVER, NEVER]
