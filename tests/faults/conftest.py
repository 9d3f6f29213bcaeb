"""Where the tests try faults: folders with short names, that a server and nobody may enter."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults import seen, servers


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="claimledger-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def sqlite(folder) -> seen.Place:
    return seen.sqlite(folder)


@pytest.fixture
def postgres(folder, new_postgres) -> Iterator[seen.Place]:
    with contextlib.ExitStack() as stack:
        yield seen.Place(
            engine="PostgreSQL",
            fresh=lambda: stack.enter_context(new_postgres()),
            folder=folder,
        )


@pytest.fixture
def on_a_socket(postgres, postgres_server) -> seen.Place:
    """As `postgres`, where a proxy can stand in front of it."""
    host = f"{sa.make_url(postgres_server).query.get('host', '')}"
    if not host.startswith("/"):
        pytest.skip("the proxy needs a PostgreSQL on a Unix socket")
    return postgres


@pytest.fixture(params=["sqlite", "postgres"])
def place(request) -> seen.Place:
    return request.getfixturevalue(request.param)


@pytest.fixture
def new_server() -> Iterator:
    """`new_server()` is a PostgreSQL of our own; `new_server(programs)` one of another version."""
    with contextlib.ExitStack() as stack:

        def start(programs: Path | None = None) -> servers.Server:
            try:
                return stack.enter_context(servers.server(programs))
            except (OSError, RuntimeError, subprocess.SubprocessError) as why:
                pytest.skip(f"no PostgreSQL server of our own could be started: {why}")

        yield start
