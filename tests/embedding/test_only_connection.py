"""A host's engine with a single connection, as tests like it: a database in memory for all."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from ledger import Ledger
from ledger.aio import AsyncLedger
from ledger.errors import StoreError
from ledger.projecting import cells
from ledger.store import schema
from tests.embedding.entries import FIRST, said


@pytest.fixture
def engine():
    made = sa.create_engine(
        "sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False}
    )
    schema.upgrade(made)
    with made.begin() as conn:
        conn.execute(sa.text("CREATE TABLE story (slug VARCHAR(20) PRIMARY KEY)"))
    yield made
    made.dispose()


def test_threads_take_turns(engine):
    ledger = Ledger(engine)
    ledger.register_all(FIRST)
    errors = []

    def record(name):
        try:
            for number in range(20):
                ledger.record(**said(f"{name}-{number}"))
                assert ledger.claims()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=record, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ledger.verify().size == 82


@contextlib.asynccontextmanager
async def one_for_all():
    """An asynchronous engine on a database in memory, and a ledger that knows who and what."""
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as conn:
        await conn.run_sync(schema.upgrade)
    ledger = AsyncLedger(engine)
    await ledger.register_all(FIRST)
    yield engine, ledger
    await engine.dispose()


def test_tasks_take_turns():
    async def main():
        async with one_for_all() as (_, ledger):

            async def record(name):
                for number in range(5):
                    await ledger.record(**said(f"{name}-{number}"))
                    assert await ledger.claims()

            await asyncio.gather(*(record(name) for name in "abcd"))
            return (await ledger.verify()).size

    assert asyncio.run(main()) == 22


def test_a_hosts_open_transaction_is_neither_committed_nor_rolled_back(engine):
    ledger = Ledger(engine)
    ledger.register_all(FIRST)
    with Session(engine) as session:
        session.execute(sa.text("INSERT INTO story VALUES ('flood')"))
        for call in (lambda: ledger.record(**said("c1")), ledger.claims):
            with pytest.raises(StoreError, match=r"one connection.*Ledger\(connection\)"):
                call()
        Ledger(session).record(**said("c2"))
        session.commit()
    assert ledger.claims().ids == ("c2",)
    with engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM story")) == 1


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///{}/host.db"])
def test_a_pool_with_one_connection_for_a_thread_is_shared_with_its_host(tmp_path, address):
    engine = sa.create_engine(address.format(tmp_path), poolclass=sa.SingletonThreadPool)
    schema.upgrade(engine)
    with engine.begin() as conn:
        conn.execute(sa.text("CREATE TABLE story (slug VARCHAR(20) PRIMARY KEY)"))
    ledger = Ledger(engine)
    ledger.register_all(FIRST)
    with engine.begin() as conn:
        conn.execute(sa.text("INSERT INTO story VALUES ('flood')"))
        for call in (lambda: ledger.record(**said("c1")), ledger.claims):
            with pytest.raises(StoreError, match=r"one connection.*Ledger\(connection\)"):
                call()
        Ledger(conn).record(**said("c2"))
    with contextlib.suppress(ZeroDivisionError), engine.begin() as conn:
        conn.execute(sa.text("INSERT INTO story VALUES ('drought')"))
        Ledger(conn).record(**said("c3"))
        raise ZeroDivisionError
    assert ledger.claims().ids == ("c2",)
    ledger.projections.add(cells(ledger.layout))
    assert ledger.position("board", "bridge-open").status == "held"
    with engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM story")) == 1
    engine.dispose()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has the attribute since 3.12")
@pytest.mark.parametrize("address", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///{}/host.db"])
def test_the_drivers_own_autocommit_is_seen_from_the_event_loop_too(tmp_path, address):
    async def main(*, autocommit):
        engine = create_async_engine(
            address.format(tmp_path), connect_args={"autocommit": autocommit}
        )
        try:
            ledger = AsyncLedger(engine)
            async with engine.begin() as conn:
                await conn.run_sync(schema.upgrade)
            await ledger.register_all(FIRST)
            return (await ledger.verify()).size
        finally:
            await engine.dispose()

    with pytest.raises(StoreError, match="in autocommit"):
        asyncio.run(main(autocommit=True))
    assert asyncio.run(main(autocommit=False)) == len(FIRST)


def test_a_task_that_reads_does_not_end_the_transaction_of_another():
    async def main():
        async with one_for_all() as (engine, ledger):

            async def host():
                async with AsyncSession(engine) as session, session.begin():
                    inside = AsyncLedger(session)
                    await inside.record(**said("rolled-back"))
                    await inside.flush()
                    await session.rollback()

            async def ask():
                for _ in range(30):
                    with contextlib.suppress(StoreError):  # a transaction of the host's is open
                        await ledger.claims()

            await asyncio.gather(host(), ask())
            return (await ledger.claims()).ids

    assert asyncio.run(main()) == ()
