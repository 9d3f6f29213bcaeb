"""PostgreSQL and the disk: that of the tables is full, or that of the whole cluster.

A full disk of the tables refuses what would make them longer, and the server goes on. Where the
write-ahead log finds no room either, the server stops itself and recovers once there is some.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from ledger import Ledger
from tests import conftest
from tests.faults.disks import give_up, recovered, small_disk
from tests.faults.seen import Place, Seen
from tests.faults.servers import Server
from tests.faults.world import MODES, set_up
from tests.faults.writer import Writer

_PATIENCE: Final = 30.0


def full_tables(place: Place, server: Server, *, times: int) -> Seen:
    """The tables stand on a file system of some megabytes; it is made larger, and work goes on."""
    noted = []
    for number in range(times):
        folder = place.path("tablespace")
        folder.mkdir()
        with small_disk(folder, f"{place.chance.randrange(9_500, 14_000)}k") as enlarge:
            folder.chmod(0o777)
            url = _database_on(server, folder)
            try:
                writer = Writer(url=url, notes=place.path("notes"), mode=MODES[number % len(MODES)])
                give_up(writer)
                enlarge("64m")
                noted.append(recovered(writer))
            finally:
                _drop(server, url)
    return Seen.of("disk full: that of the tables", "PostgreSQL", times, noted)


def full_cluster(place: Place, programs: Path, *, times: int) -> Seen:
    """The cluster stands on a small file system; it is made larger, and the server started."""
    noted = []
    for number in range(times):
        folder = place.path("cluster")
        folder.mkdir()
        with small_disk(folder, "512m") as resize:
            server = Server(programs, folder)
            server.make()
            try:
                server.start()
                url = server.database()
                with Ledger.open(url) as ledger:
                    set_up(ledger)
                resize(f"{_used(folder) + place.chance.randrange(1_000, 9_000)}k")
                writer = Writer(url=url, notes=place.path("notes"), mode=MODES[number % len(MODES)])
                give_up(writer)
                resize("512m")
                _up_again(server, url)
                noted.append(recovered(writer))
            finally:
                if server.process is not None and server.process.poll() is None:
                    server.stop("immediate")
    return Seen.of("disk full: that of the cluster", "PostgreSQL", times, noted)


def _database_on(server: Server, folder: Path) -> str:
    """The URL of a database whose tables stand in a folder, with what the writers speak of."""
    name = f"small_{uuid4().hex}"
    inside = folder / "tables"
    inside.mkdir()
    owner = conftest._owner_of_server()
    if owner is not None:
        shutil.chown(inside, owner)
    engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.execute(sa.text(f"CREATE TABLESPACE {name} LOCATION '{inside}'"))
        conn.execute(sa.text(f"CREATE DATABASE {name} TABLESPACE {name}"))
    url = sa.make_url(server.url).set(database=name).render_as_string(hide_password=False)
    with Ledger.open(url) as ledger:
        set_up(ledger)
    return url


def _drop(server: Server, url: str) -> None:
    name = sa.make_url(url).database
    engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as conn:
        conn.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        conn.execute(sa.text(f"DROP TABLESPACE {name}"))


def _used(folder: Path) -> int:
    """How many KiB of a file system are taken."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


def _up_again(server: Server, url: str) -> None:
    """Wait until the server has recovered by itself; start it where it ended."""
    assert server.process is not None
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if server.process.poll() is not None:
            server.start()
        try:
            with sa.create_engine(url, poolclass=sa.NullPool).connect():
                return
        except OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up again")
