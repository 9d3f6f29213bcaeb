"""SQLite and the disk: full, read-only, locked, and a write-ahead log that lost its end.

A writer meets the fault in a process of its own and gives up; then the fault is taken away, and the
writer that comes next must end what the first had in hand.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import sqlalchemy as sa

from ledger import Ledger
from ledger.errors import StoreError
from tests.faults.checks import Notes, check
from tests.faults.seen import Place, Seen, refusal, sqlite
from tests.faults.world import MODES, Step
from tests.faults.writer import GAVE_UP, Writer


def path_of(url: str) -> Path:
    """The file of an SQLite URL."""
    return Path(f"{sa.make_url(url).database}")


@attrs.frozen
class _Limited:
    """No file of this process grows beyond so many bytes."""

    many: int

    def __call__(self) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.many, self.many))


@attrs.frozen
class _Nobody:
    """This process is root no more, whom permissions do not hold back."""

    def __call__(self) -> None:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)


def full_by_limit(place: Place, *, times: int) -> Seen:
    """A file may grow no further: the write-ahead log, or the database at a checkpoint."""
    noted = []
    for number in range(times):
        writer = _writer(place, place.database(), MODES[number % len(MODES)])
        attrs.evolve(writer, until=1).finish()
        size = path_of(writer.url).stat().st_size
        limit = size + place.chance.randrange(300_000)
        give_up(attrs.evolve(writer, prepare=_Limited(limit)))
        noted.append(recovered(writer))
    return Seen.of("disk full: a limit on the size of files", place.engine, times, noted)


def full_by_pages(place: Place, *, times: int) -> Seen:
    """The database may have no more pages (`PRAGMA max_page_count`), in a host's own engine."""
    noted = []
    for _ in range(times):
        url = place.database()
        engine = sa.create_engine(url)

        def limit(conn: sqlite3.Connection, _: object) -> None:
            (pages,) = conn.execute("PRAGMA page_count").fetchone()
            conn.execute(f"PRAGMA max_page_count = {pages + place.chance.randrange(1, 30)}")

        sa.event.listen(engine, "connect", limit)
        noted.append(_said_until_refused(place, url, Ledger(engine)))
        engine.dispose()
    return Seen.of("disk full: PRAGMA max_page_count", place.engine, times, noted)


def _said_until_refused(place: Place, url: str, ledger: Ledger) -> Notes:
    """Say steps until one is refused, say it again where nothing hinders; what came of it."""
    done: dict[str, list[int]] = {}
    told: Counter[str] = Counter()
    while True:
        step = Step("batch", 0, len(done))
        try:
            done[step.name], _ = step.enter(ledger)
        except StoreError as error:
            told[refusal(error)] += 1
            break
    check(url, Notes(acknowledged=done, began=1, told=told, already=0, lied=()))
    with Ledger.open(url) as other:
        done[step.name], again = step.enter(other)
        assert not again
    notes = Notes(acknowledged=done, began=1, told=told, already=0, lied=())
    check(url, notes)
    return notes


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[Callable[[str], None]]:
    """A file system of that size at `folder`; what is given makes it larger.

    Raises:
        PermissionError: this process may not mount one.
    """
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", f"{folder}"]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        raise PermissionError("this process may not mount a file system")
    try:
        yield lambda size: _remount(folder, size)
    finally:
        subprocess.run(["umount", f"{folder}"], check=True)


def _remount(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", f"{folder}"], check=True)


def full_disk(place: Place, *, times: int) -> Seen:
    """A file system of one megabyte runs full; it is made larger, and the writer goes on."""
    noted = []
    for number in range(times):
        folder = place.path("disk")
        folder.mkdir()
        with small_disk(folder, f"{place.chance.randrange(400, 1400)}k") as enlarge:
            inside = sqlite(folder)
            writer = _writer(place, inside.database(), MODES[number % len(MODES)])
            give_up(writer)
            enlarge("64m")
            noted.append(recovered(writer))
    return Seen.of("disk full: a small file system", place.engine, times, noted)


def read_only(place: Place, *, times: int, what: str) -> Seen:
    """The file, or its directory, may be read and not written; then it may be written again."""
    noted = []
    for number in range(times):
        writer = _writer(place, place.database(), MODES[number % len(MODES)])
        attrs.evolve(writer, until=2).finish()
        folder = place.path("read-only")
        folder.mkdir()
        for file in path_of(writer.url).parent.glob(f"{path_of(writer.url).name}*"):
            shutil.move(file, folder / file.name)
        path = folder / path_of(writer.url).name
        writer = attrs.evolve(writer, url=f"sqlite:///{path}")
        path.chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o777 if what == "file" else 0o555)
        before = path.read_bytes()
        give_up(attrs.evolve(writer, prepare=_Nobody()))
        assert path.read_bytes() == before
        folder.chmod(0o755)
        path.chmod(0o644)
        noted.append(recovered(writer))
    return Seen.of(f"read-only {what}", place.engine, times, noted)


def locked(place: Place, *, times: int, seconds: float = 0.1) -> Seen:
    """Another connection holds BEGIN EXCLUSIVE for longer than the engine waits; then it ends."""
    url = place.database()
    done: dict[str, list[int]] = {}
    told: Counter[str] = Counter()
    engine = sa.create_engine(url, connect_args={"timeout": seconds})
    ledger = Ledger(engine)
    for number in range(times):
        step = Step(("single", "batch")[number % 2], 0, number)
        with contextlib.closing(sqlite3.connect(path_of(url), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            try:
                step.enter(ledger)
            except StoreError as error:
                told[refusal(error)] += 1
            else:
                raise AssertionError("nobody waited")
        done[step.name], again = step.enter(ledger)
        assert not again
    engine.dispose()
    notes = Notes(acknowledged=done, began=1, told=told, already=0, lied=())
    check(url, notes)
    return Seen.of("database locked by another process", place.engine, times, [notes])


def torn_log(place: Place, *, times: int) -> Seen:
    """After a kill the write-ahead log loses its end, or some bytes of it: a prefix is left."""
    url = place.database()
    path = path_of(url)
    writer = _writer(place, url, "mixed")
    process = writer.start()
    while not (wal := path.with_name(f"{path.name}-wal")).exists() or wal.stat().st_size < 1 << 20:
        time.sleep(0.02)
    process.kill()
    process.join()
    whole, tail = path.read_bytes(), wal.read_bytes()
    checked = check(url, Notes.read([writer.notes]))
    sizes = set()
    with Ledger.open(url) as ledger:
        for number in range(times):
            copy = place.path("db")
            copy.write_bytes(whole)
            place_of_tear = place.chance.randrange(len(tail))
            torn = tail[:place_of_tear]
            if number % 2:
                torn += place.chance.randbytes(40) + tail[place_of_tear + 40 :]
            copy.with_name(f"{copy.name}-wal").write_bytes(torn)
            left = check(f"sqlite:///{copy}")
            assert left.root == Ledger.verify(ledger).root or left.size < checked.size
            assert f"{ledger.checkpoint(left.size)}" == _checkpoint(copy)
            sizes.add(left.size)
    assert len(sizes) > min(times // 4, 20)  # the log of a megabyte holds some forty commits
    notes = Notes.read([writer.notes])
    seen = Seen.of("write-ahead log torn or overwritten after a kill", place.engine, times, [notes])
    return attrs.evolve(seen, lost="only what lay behind the tear")


def _checkpoint(path: Path) -> str:
    with Ledger.open(path) as ledger:
        return f"{ledger.checkpoint()}"


def _writer(place: Place, url: str, mode: str) -> Writer:
    return Writer(url=url, notes=place.path("notes"), mode=mode)


def give_up(writer: Writer) -> None:
    """Let a writer work until it has no patience left."""
    process = writer.start()
    process.join(60)
    assert process.exitcode == GAVE_UP, f"the writer ended with {process.exitcode}"


def recovered(writer: Writer) -> Notes:
    """Check, let the writer go on, and check again."""
    check(writer.url, Notes.read([writer.notes]))
    done = len(Notes.read([writer.notes]).acknowledged)
    attrs.evolve(writer, until=done + 3).finish()
    notes = Notes.read([writer.notes])
    check(writer.url, notes)
    return notes
