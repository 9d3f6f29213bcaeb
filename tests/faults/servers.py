"""PostgreSQL servers of our own, which can be stopped while others write, and started again.

They are durable, unlike the server that the other tests share: what an immediate stop loses must
not be the fault of `synchronous_commit = off`.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import attrs
import sqlalchemy as sa

from tests import conftest

STOPS: Final = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "smart": signal.SIGTERM}
"""How `pg_ctl stop -m` calls them: sessions are ended; all is dropped and recovered; awaited."""

_SETTINGS: Final = {
    "max_connections": "100",
    "shared_buffers": "64MB",
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
}


@attrs.define
class Server:
    """A cluster in a folder, whose socket stands there too."""

    programs: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.data}"

    def make(self) -> None:
        """Make the cluster."""
        owner = conftest._owner_of_server()
        self.data.mkdir(mode=0o700)
        if owner is not None:
            self.folder.chmod(0o755)
            shutil.chown(self.data, owner)
        conftest._initialise(self.programs, self.data, owner)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command: list[str | Path] = [self.programs / "postgres", "-D", self.data, "-k", self.data]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        log = self.folder / "server.log"
        with log.open("a") as out:
            self.process = subprocess.Popen(
                command,
                user=conftest._owner_of_server(),
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        conftest._wait_until_ready(self.url, self.process, log)

    def stop(self, how: str = "fast") -> None:
        """Stop it: "fast" ends the sessions, "immediate" is as good as a crash."""
        assert self.process is not None
        self.process.send_signal(STOPS[how])
        self.process.wait(conftest.SECONDS_TO_START)

    def database(self) -> str:
        """The URL of a new database."""
        name = f"ledger_fault_{uuid4().hex}"
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as conn:
            conn.execute(sa.text(f"CREATE DATABASE {name}"))
        return sa.make_url(self.url).set(database=name).render_as_string(hide_password=False)


def installed() -> Iterator[Path]:
    """The programs of every PostgreSQL that is installed where Debian puts them, newest first."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    yield from (one.parent for one in sorted(found, key=lambda one: -int(one.parts[-3])))


@contextlib.contextmanager
def server(programs: Path | None = None) -> Iterator[Server]:
    """A new cluster that runs; of the wheel's programs, unless others are named.

    Raises:
        RuntimeError: the programs are not there, or the server does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="claimledger-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        one = Server(programs or conftest._copied_programs(folder), folder)
        one.make()
        try:
            one.start()
            yield one
        finally:
            if one.process is not None and one.process.poll() is None:
                one.stop("immediate")
