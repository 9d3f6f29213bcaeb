"""Copies made while others write, and restored: SQLite files, PostgreSQL dumps.

A proper copy (SQLite's backup, VACUUM INTO, pg_dump) is one moment of the log: it holds all that
was acknowledged before the copy began. `cp` of a file in use promises nothing; then the ledger must
either show a prefix of the log or say what is wrong, and never show another log.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import sqlalchemy as sa

from ledger import Ledger
from ledger.errors import LedgerError
from tests.faults.checks import Checked, Notes, check
from tests.faults.disks import path_of
from tests.faults.seen import Place, Seen
from tests.faults.servers import Server
from tests.faults.world import Step
from tests.faults.writer import Writer


def _backup(source: Path, target: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(source, timeout=30)) as conn,
        contextlib.closing(sqlite3.connect(target)) as other,
    ):
        conn.backup(other, pages=20, sleep=0.001)


def _vacuum(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source, timeout=30)) as conn:
        conn.execute("VACUUM INTO ?", (f"{target}",))


def _cp(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(f"{source}-wal", f"{target}-wal")


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "backup API": _backup,
    "VACUUM INTO": _vacuum,
    "cp of file and -wal": _cp,
}


@contextlib.contextmanager
def _at_work(place: Place, url: str, many: int = 2) -> Iterator[list[Writer]]:
    """Writers that write while something else goes on."""
    crew = [
        Writer(
            url=url,
            notes=place.path("notes"),
            mode=("batch", "mixed")[number % 2],
            writer=number,
            patient=30,
            pause=0.02,
        )
        for number in range(many)
    ]
    processes = [one.start() for one in crew]
    try:
        yield crew
    finally:
        for process in processes:
            process.kill()
            process.join()


def _notes(crew: list[Writer]) -> Notes:
    return Notes.read([one.notes for one in crew])


def copied(place: Place, *, way: str, times: int) -> Seen:
    """A file is copied under load, and the copy is opened, checked and written to."""
    noted, told = [], Counter[str]()
    url = place.database()
    with _at_work(place, url) as crew:
        for _ in range(times):
            while not _notes(crew).acknowledged:
                time.sleep(0.02)
            time.sleep(place.chance.uniform(0, 0.3))
            before, copy = _notes(crew), place.path("db")
            WAYS[way](path_of(url), copy)
            promised = before if WAYS[way] is not _cp else None
            try:
                left = check(f"sqlite:///{copy}", *([] if promised is None else [promised]))
            except (LedgerError, sqlite3.DatabaseError) as error:
                assert WAYS[way] is _cp, "a proper copy is sound"
                told[type(error).__name__] += 1
                continue
            _same_log(url, copy, left)
            _goes_on(copy)
            noted.append(before)
    check(url, _notes(crew))
    seen = Seen.of(f"SQLite file copied under load ({way})", place.engine, times, [_notes(crew)])
    lost = "0" if WAYS[way] is not _cp else "the copy is a prefix"
    return attrs.evolve(seen, told=told, lost=lost)


def _same_log(url: str, copy: Path, left: Checked) -> None:
    with Ledger.open(url) as ledger, Ledger.open(copy) as other:
        assert f"{other.checkpoint()}" == f"{ledger.checkpoint(left.size)}"


def _goes_on(copy: Path) -> None:
    """The copy is written to, and is in order after."""
    with Ledger.open(copy) as ledger:
        for number in range(2):
            Step("single", 15, number).enter(ledger)
    check(f"sqlite:///{copy}")


def restored(place: Place, *, times: int) -> Seen:
    """An older copy is put back, by SQLite's backup, under a ledger that has folded the newer."""
    url = place.database()
    done: dict[str, list[int]] = {}
    number = 0
    with Ledger.open(url) as ledger:
        for _ in range(times):
            kept, copy = dict(done), place.path("db")
            _backup(path_of(url), copy)
            for _ in range(place.chance.randrange(1, 5)):  # these are lost by the restore
                Step("single", 1, number).enter(ledger)
                number += 1
            if place.chance.random() < 0.5:
                ledger.as_of().parties()
            _backup(copy, path_of(url))
            if place.chance.random() < 0.5:  # the log grows beyond the fold by other hands
                with Ledger.open(url) as other:
                    for _ in range(place.chance.randrange(1, 7)):
                        _say(other, kept)
            done = kept
            _say(ledger, done)
            check(url, Notes(acknowledged=done, began=1, told=Counter(), already=0, lied=()))
            with Ledger.open(url) as other:
                assert [str(one) for one in ledger.claims()] == [str(one) for one in other.claims()]
    notes = Notes(acknowledged=done, began=1, told=Counter(), already=0, lied=())
    return Seen.of("SQLite file restored under a running ledger", place.engine, times, [notes])


def _say(ledger: Ledger, done: dict[str, list[int]]) -> None:
    step = Step("batch", 0, len(done))
    done[step.name], again = step.enter(ledger)
    assert not again


def dumped(place: Place, target: Server, *, times: int) -> Seen:
    """pg_dump under load, pg_restore into another cluster, and reading on from where one was."""
    noted = []
    for _ in range(times):
        url = place.database()
        with _at_work(place, url) as crew:
            while len((before := _notes(crew)).acknowledged) < place.chance.randrange(20, 100):
                time.sleep(0.05)
            saved = _read_on(url, -1)
            dump = place.path("dump")
            _run(target, "pg_dump", "-Fc", "-f", dump, "-d", _libpq(url))
        check(url, _notes(crew))
        restored = target.database()
        _run(target, "pg_restore", "--no-owner", "--exit-on-error", "-d", _libpq(restored), dump)
        left = check(restored, before)
        with Ledger.open(url) as ledger, Ledger.open(restored) as other:
            assert f"{other.checkpoint()}" == f"{ledger.checkpoint(left.size)}"
        writer = Writer(url=restored, notes=place.path("notes"), mode="batch", writer=9, until=5)
        writer.finish()
        rest = _read_on(restored, saved[-1])
        after = Notes.read([writer.notes])
        size = check(restored, after).size
        assert saved + rest == list(range(size))
        noted += [before, after]
    return Seen.of("pg_dump under load, pg_restore elsewhere", place.engine, times, noted)


def _read_on(url: str, after: int) -> list[int]:
    with Ledger.open(url) as ledger:
        return [event.sequence for event in ledger.events(after=after)]


def _libpq(url: str) -> str:
    made = sa.make_url(url)
    return f"host={made.query['host']} dbname={made.database} user={made.username}"


def _run(server: Server, program: str, *arguments: str | Path) -> None:
    found = server.programs / program
    subprocess.run([found, *arguments], check=True, capture_output=True)
