"""The line to PostgreSQL is lost: cut at any message, ended by the server, timed out, restarted.

An error that says `stored: no` is held to it, by the log: nothing of the step may be there. One
that says `unknown` may be either; saying it again must end in one of each event.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import attrs
import sqlalchemy as sa

from ledger import Ledger
from ledger.errors import StoreError
from tests.faults.checks import Notes, check, rows
from tests.faults.proxy import Cut, Proxy, at, proxied
from tests.faults.seen import Place, Seen, refusal
from tests.faults.servers import Server
from tests.faults.world import Step
from tests.faults.writer import Writer

_PATIENCE: Final = 30.0
_BEYOND: Final = 3
"""How many steps in a row must be too short for the cut until there are no more messages."""

_END_ALL: Final = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@attrs.define
class _Line:
    """A ledger behind a proxy, and what became of each step said through it."""

    ledger: Ledger
    proxy: Proxy
    url: str
    mode: str
    told: Counter[str] = attrs.field(factory=Counter)
    done: dict[str, list[int]] = attrs.field(factory=dict)
    already: int = 0

    def say(self) -> tuple[str, bool]:
        """Say the next step, again if it fails: what was told ("" if nothing), and if it stood."""
        step, outcome, stood = Step(self.mode, 0, len(self.done)), "", False
        size = self.size()
        try:
            sequences, _ = step.enter(self.ledger)
        except StoreError as error:
            outcome, stood = error.stored, self.size() > size
            self.told[f"StoreError, stored: {outcome}"] += 1
            assert outcome == "unknown" or not stood, "it was told that nothing was stored"
            self.proxy.stop()
            sequences, again = step.enter(self.ledger)
            assert again == stood
            self.already += again
        self.done[step.name] = sequences
        if outcome:
            check(self.url, self.notes())
        return outcome, stood

    def messages(self) -> list[bytes]:
        """The messages of one step that is not disturbed."""
        heard: list[bytes] = []

        def listen(_: int, message: bytes) -> bool:
            heard.append(message)
            return False

        self.proxy.cut("before", listen)
        self.say()
        self.proxy.stop()
        return heard

    def size(self) -> int:
        with rows(self.url) as ask:
            return int(ask("SELECT count(*) FROM ledger_event")[0][0])

    def notes(self) -> Notes:
        return Notes(acknowledged=self.done, began=1, told=self.told, already=self.already, lied=())


@contextlib.contextmanager
def _line(place: Place, mode: str) -> Iterator[_Line]:
    url = place.database()
    with (
        proxied(url, place.folder) as proxy,
        Ledger.open(proxy.url) as ledger,
    ):
        line = _Line(ledger, proxy, url, mode)
        for _ in range(8):  # until the driver has prepared what it says often
            line.say()
        yield line
    check(url, line.notes())


def cut_at_each_message(place: Place, *, mode: str, when: Cut) -> Seen:
    """The line is cut at the first message of a step, at the second of the next, and so on."""
    with _line(place, mode) as line:
        for _ in range(4 if mode == "mixed" else 1):
            number = missed = 0
            while missed < _BEYOND:
                before = line.proxy.cuts
                line.proxy.cut(when, at(number))
                line.say()
                line.proxy.stop()
                missed = missed + 1 if line.proxy.cuts == before else 0
                number += 1
                for _ in range(3 if mode == "mixed" else 0):
                    line.say()
            line.say()
    fault = f"connection cut {when} each message of an append ({mode})"
    return Seen.of(fault, place.engine, line.proxy.cuts, [line.notes()])


def cut_in_commit(place: Place, *, when: Cut, times: int) -> Seen:
    """The line is cut at the message that commits: the caller is told that nobody knows."""
    with _line(place, "single") as line:
        for _ in range(times):
            number = _of_commit(line.messages())
            line.proxy.cut(when, at(number))
            assert line.say() == ("unknown", when == "after")
    fault = f"connection lost during COMMIT, {when} the server {_DOES[when]}"
    return Seen.of(fault, place.engine, times, [line.notes()])


_DOES: Final = {"before": "heard of it", "after": "did it"}


def _of_commit(messages: list[bytes]) -> int:
    """Which message commits: COMMIT, or in autocommit the statement with the claim's id in it."""
    for sign in (b"COMMIT", b"single-0-"):
        found = [number for number, message in enumerate(messages) if sign in message]
        if found:
            return found[-1]
    raise AssertionError("no message commits")


def terminated_writers(place: Place, *, times: int, writers: int = 2) -> Seen:
    """An administrator ends the sessions of writers at random moments."""
    url = place.database()
    crew = [
        Writer(
            url=url,
            notes=place.path("notes"),
            mode=mode,
            writer=one,
            patient=_PATIENCE,
            pause=0.01,
        )
        for one, mode in enumerate(["single", "batch", "mixed"][:writers])
    ]
    processes = [one.start() for one in crew]
    ended = 0
    with rows(url) as ask:
        while ended < times:
            time.sleep(place.chance.uniform(0.02, 0.2))
            ended += ask(_END_ALL)[0][0]
    _stop_all(crew, processes)
    notes = Notes.read([one.notes for one in crew])
    check(url, notes)
    return Seen.of("pg_terminate_backend of writers", place.engine, ended, [notes])


def _stop_all(crew, processes) -> None:
    """Kill the writers, and let each end what it had in hand."""
    for process in processes:
        assert process.is_alive(), "a writer gave up"
        process.kill()
        process.join()
    for one in crew:
        done = len(Notes.read([one.notes]).acknowledged)
        attrs.evolve(one, until=done + 2).finish()


def terminated_reader(place: Place, *, times: int) -> Seen:
    """A reader's session is ended while it goes through the log; it goes on from where it was."""
    url = place.database()
    writer = Writer(url=url, notes=place.path("notes"), mode="import", until=3)
    writer.finish()
    told: Counter[str] = Counter()
    with Ledger.open(url) as ledger, rows(url) as ask:
        size = ledger.verify().size
        read: list[int] = []
        while sum(told.values()) < times:
            last = read[-1] if read else -1
            fresh = last == size - 1
            try:
                for event in ledger.events(after=-1 if fresh else last):
                    if event.sequence == 0:
                        assert read in ([], list(range(size)))
                        read = []
                    read.append(event.sequence)
                    if place.chance.random() < 0.001:
                        ask(_END_ALL)
            except StoreError as error:
                told[f"StoreError, stored: {error.stored}"] += 1
    notes = attrs.evolve(Notes.read([writer.notes]), told=told)
    check(url, notes)
    return Seen.of("pg_terminate_backend of a reader", place.engine, times, [notes])


def terminated_follower(place: Place, *, times: int) -> Seen:
    """The session of a follower that listens is ended, and all others; it misses nothing."""
    url = place.database()
    writer = Writer(
        url=url,
        notes=place.path("notes"),
        mode="mixed",
        patient=_PATIENCE,
        pause=0.01,
    )
    process = writer.start()
    stop, got = threading.Event(), list[int]()
    with Ledger.open(url) as ledger, ThreadPoolExecutor(1) as pool:

        def follow() -> None:
            for event in ledger.follow(stop=stop.is_set):
                got.append(event.sequence)

        following, ended = pool.submit(follow), 0
        with rows(url) as ask:
            while ended < times:
                time.sleep(place.chance.uniform(0.05, 0.3))
                ended += ask(_END_ALL)[0][0]
        _stop_all([writer], [process])
        notes = Notes.read([writer.notes])
        size = check(url, notes).size
        give_up = time.monotonic() + _PATIENCE
        while len(got) < size and time.monotonic() < give_up and not following.done():
            time.sleep(0.05)
        stop.set()
        following.result()
    assert got == list(range(size))
    return Seen.of("pg_terminate_backend of a listening follower", place.engine, ended, [notes])


def statement_timeouts(place: Place, *, times: int) -> Seen:
    """A statement waits for the head longer than `statement_timeout` (or `lock_timeout`) allows."""
    url = place.database()
    told: Counter[str] = Counter()
    done: dict[str, list[int]] = {}
    for number in range(times):
        setting = ("statement_timeout", "lock_timeout")[number % 2]
        short = sa.make_url(url).update_query_dict({"options": f"-c {setting}=50"})
        step = Step("single", 0, number)
        with Ledger.open(short.render_as_string(hide_password=False)) as ledger:
            with rows(url) as ask:
                ask("BEGIN")
                ask("SELECT 1 FROM ledger_log FOR UPDATE")
                try:
                    step.enter(ledger)
                except StoreError as error:
                    told[refusal(error)] += 1
                else:
                    raise AssertionError("nobody waited")
            done[step.name], again = step.enter(ledger)
            assert not again
    notes = Notes(acknowledged=done, began=1, told=told, already=0, lied=())
    check(url, notes)
    return Seen.of("statement_timeout, lock_timeout", place.engine, times, [notes])


def restarted(place: Place, server: Server, *, how: str, times: int, writers: int = 3) -> Seen:
    """The server is stopped under load and started again; the writers wait and go on."""
    url = place.database()
    crew = [
        Writer(
            url=url,
            notes=place.path("notes"),
            mode=("single", "batch", "mixed")[one % 3],
            writer=one,
            patient=_PATIENCE,
            pause=0.01,
        )
        for one in range(writers)
    ]
    processes = [one.start() for one in crew]
    for _ in range(times):
        time.sleep(place.chance.uniform(0.3, 1.0))
        server.stop(how)
        server.start()
        check(url, Notes.read([one.notes for one in crew]))
    _stop_all(crew, processes)
    notes = Notes.read([one.notes for one in crew])
    check(url, notes)
    fault = f"PostgreSQL stopped ({how}) under load and started, {writers} writers"
    return Seen.of(fault, place.engine, times, [notes])
