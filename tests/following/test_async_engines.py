"""Following on an asynchronous engine: the event loop goes on while a follower waits."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

from ledger import Ledger
from ledger.errors import TimedOut
from ledger.store import schema


@pytest.fixture(params=["aiosqlite", "psycopg", "asyncpg"])
def async_url(request, tmp_path):
    """The URL of a database with a ledger's tables, for each asynchronous driver."""
    if request.param == "aiosqlite":
        url = sa.make_url(f"sqlite:///{tmp_path / 'claims.db'}")
    else:
        url = sa.make_url(request.getfixturevalue("postgres_url"))
    engine = sa.create_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    return url.set(drivername=f"{url.get_backend_name()}+{request.param}")


def test_a_task_follows_what_another_task_of_the_same_loop_records(async_url, register):
    async def main() -> list[int]:
        engine = create_async_engine(async_url)
        ledger = Ledger(engine.sync_engine)
        await greenlet_spawn(register, ledger)
        events = ledger.follow()
        seen = [(await greenlet_spawn(next, events)).sequence]
        for _ in range(2):
            coming = asyncio.create_task(greenlet_spawn(next, events))
            await asyncio.sleep(0)
            await greenlet_spawn(register, ledger)
            seen.append((await coming).sequence)
        with pytest.raises(TimedOut):
            await greenlet_spawn(lambda: ledger.wait_for(9, timeout=0.05, poll=0.01))
        await greenlet_spawn(events.close)
        await engine.dispose()
        return seen

    assert asyncio.run(main()) == [0, 1, 2]
