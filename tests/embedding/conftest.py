"""What the tests of embedding share: a host with an engine and a table of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from ledger import Ledger, Party, Proposition
from ledger.store import schema


class Host:
    """An application with stories in its database, beside which a ledger is kept."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def write(self, conn: sa.Connection, slug: str) -> None:
        conn.execute(sa.text("INSERT INTO story (slug) VALUES (:slug)"), {"slug": slug})

    def stories(self) -> list[str]:
        """The slugs that another connection sees."""
        with self.engine.connect() as conn:
            return list(conn.scalars(sa.text("SELECT slug FROM story ORDER BY slug")))

    def parties(self) -> list[str]:
        """The parties that another connection sees, in a log that is in order."""
        ledger = Ledger(self.engine)
        found = [one.id for one in ledger.as_of().parties()]
        assert ledger.verify().size == len(list(ledger.events()))
        return sorted(found)


class AsyncHost(Host):
    """The same application on an asynchronous driver; what is stored is looked at from outside."""

    def __init__(self, engine: sa.Engine, url: sa.URL) -> None:
        super().__init__(engine)
        self.url = url

    def run(self, work):
        """Run `work(engine)` in a loop of its own."""

        async def main():
            engine = create_async_engine(self.url)
            try:
                return await work(engine)
            finally:
                await engine.dispose()

        done = asyncio.run(main())
        for thread in threading.enumerate():
            if thread.name.endswith("(_connection_worker_thread)"):  # aiosqlite's, told to stop
                thread.join(10)
        return done

    async def story(self, conn, slug: str) -> None:
        """Write a row by an AsyncConnection or AsyncSession."""
        await conn.execute(sa.text("INSERT INTO story (slug) VALUES (:slug)"), {"slug": slug})


@pytest.fixture(params=["sqlite-file", "postgres"])
def host(request: pytest.FixtureRequest, tmp_path) -> Iterator[Host]:
    """A host on either database that several connections can see; the ledger's tables are there."""
    with _database(request, tmp_path, request.param) as engine:
        yield Host(engine)


@pytest.fixture(params=["aiosqlite", "psycopg", "asyncpg"])
def async_host(request: pytest.FixtureRequest, tmp_path) -> Iterator[AsyncHost]:
    """A host on each asynchronous driver."""
    kind = "sqlite-file" if request.param == "aiosqlite" else "postgres"
    with _database(request, tmp_path, kind) as engine:
        name = f"{engine.dialect.name}+{request.param}"
        yield AsyncHost(engine, engine.url.set(drivername=name))
    if request.node.get_closest_marker("filterwarnings"):
        gc.collect()  # now, while what it may tell is expected


@contextlib.contextmanager
def _database(request: pytest.FixtureRequest, tmp_path, kind: str) -> Iterator[sa.Engine]:
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
    else:
        url = f"sqlite:///{tmp_path / 'host.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE story (slug VARCHAR(20) PRIMARY KEY)"))
        schema.upgrade(conn)
    yield engine
    engine.dispose()


@pytest.fixture
def party():
    """`party("board")` is a party to be registered."""
    return lambda id_: Party(id_, name=id_.title())


@pytest.fixture
def say():
    """`say(ledger, "c1")` records a claim of the board, which is registered where needed."""

    def record(ledger: Ledger, id_: str, **fields):
        ledger.register_all(
            [
                Party("board", name="Water Board"),
                Proposition("bridge-open", text="The lower bridge is open"),
            ]
        )
        given = {"claimant": "board", "act": "assert", "proposition": "bridge-open", **fields}
        return ledger.record(id=id_, **given)

    return record
