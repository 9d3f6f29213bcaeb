"""AsyncLedger on an AsyncEngine: cursors, followers, and who waits for an event."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import Ledger
from ledger.aio import AsyncLedger
from ledger.errors import CursorMoved, Invalid, MissingEntry, StoreError, TimedOut, UnknownEventType
from tests.embedding.entries import FIRST
from tests.waiting import ENOUGH


@pytest.mark.parametrize("own", [False, True], ids=["the engine's ledger", "a ledger by URL"])
def test_a_cursor_moves_in_the_hosts_own_transaction(async_host, own):
    async def work(engine):
        ledger = AsyncLedger(
            async_host.url.render_as_string(hide_password=False) if own else engine
        )
        try:
            await ledger.register_all(FIRST)
            cursor, late = await ledger.cursor("mailer"), await ledger.cursor("mailer")
            assert (await cursor.position, await late.position) == (-1, -1)
            async with engine.connect() as conn:
                await async_host.story(conn, "lost")
                await cursor.advance(0, conn)
                await conn.rollback()
            assert (cursor.name, await cursor.position) == ("mailer", -1)
            async with AsyncSession(engine) as session:
                await async_host.story(session, "kept")
                await cursor.advance(0, session)
                await session.commit()
            await cursor.advance(1)
            async with engine.connect() as conn:
                with pytest.raises(CursorMoved):
                    await late.advance(0, conn)
                await conn.rollback()
            assert await late.position == 1
            await late.reset(-1)
            async with engine.begin() as conn:
                await late.reset(0, conn)
            return await cursor.position
        finally:
            await ledger.close()

    assert async_host.run(work) == 0
    assert async_host.stories() == ["kept"]


async def until(there):
    async with asyncio.timeout(ENOUGH):
        while not there():  # noqa: ASYNC110 - what is waited for is no coroutine's
            await asyncio.sleep(0.01)


def test_a_follower_sees_each_event_once_and_in_order(async_host, party):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register(party("board"))
        looked: list[int] = []
        seen = []

        async def read():
            async for event in ledger.follow(poll=0.01, idle=looked.append):
                seen.append(event.sequence)
                if len(seen) == 9:
                    return

        reader = asyncio.create_task(read())
        await until(lambda: looked)
        assert (seen, looked[0]) == ([0], 0)
        await asyncio.gather(*(ledger.register(party(f"p{number}")) for number in range(8)))
        await reader
        assert seen == list(range(9))

        looked.clear()
        kinds = ledger.follow(
            types="proposition_defined",
            poll=0.01,
            idle=looked.append,
            stop=lambda: looked[-1:] == [9],
        )
        found = asyncio.create_task(anext(kinds))
        await until(lambda: looked)
        await ledger.register(FIRST[1])
        assert ((await found).sequence, looked[-1]) == (9, 8)
        assert [event async for event in kinds] == []

    async_host.run(work)


def test_who_waits_for_an_event_is_told_when_it_does_not_come(async_host, party):
    async def work(engine):
        ledger = AsyncLedger(engine)
        waiting = asyncio.create_task(ledger.wait_for(0))
        await asyncio.sleep(0)
        await ledger.register(party("board"))
        assert await waiting
        with pytest.raises(TimedOut, match=r"sequence 7 did not come within 0\.01 seconds"):
            await ledger.wait_for(7, timeout=0.01)
        with pytest.raises(MissingEntry, match="the log holds 1 events"):
            await anext(ledger.follow(after=3))
        async with engine.connect() as connection:
            with pytest.raises(StoreError, match=r"Wait with one bound to the engine"):
                await AsyncLedger(connection).wait_for(0)

    async_host.run(work)


@pytest.fixture(params=["engine", "url"])
def waiting_ledger(request, async_host):
    """An AsyncLedger on the host's engine, or one that opened the database itself."""

    def made(engine):
        url = async_host.url.render_as_string(hide_password=False)
        return AsyncLedger(engine if request.param == "engine" else url)

    return made


def test_a_commit_wakes_whoever_follows_or_waits(async_host, waiting_ledger, party):
    async def work(engine):
        ledger, writer = waiting_ledger(engine), AsyncLedger(engine)
        try:
            await writer.register(party("board"))
            looked: list[int] = []
            seen = []

            async def read():
                async for event in ledger.follow(poll=3600, idle=looked.append):
                    seen.append(event.sequence)
                    if len(seen) == 4:
                        return

            reader = asyncio.create_task(read())
            for number in range(3):
                await until(lambda at=number: looked[-1:] == [at])
                await writer.register(party(f"p{number}"))
            await asyncio.wait_for(reader, ENOUGH)
            coming = asyncio.create_task(ledger.wait_for(4, timeout=ENOUGH, poll=3600))
            await asyncio.sleep(0.2)
            await writer.register(party("last"))
            assert await coming
            return seen
        finally:
            await ledger.close()

    assert async_host.run(work) == [0, 1, 2, 3]


def test_a_follower_that_is_cancelled_or_told_to_stop_lets_go(async_host, waiting_ledger, party):
    async def work(engine):
        ledger = waiting_ledger(engine)
        try:
            await ledger.register(party("board"))
            looked: list[int] = []
            stop = asyncio.Event()

            async def read():
                return [one.sequence async for one in ledger.follow(stop=stop, idle=looked.append)]

            reader = asyncio.create_task(read())
            await until(lambda: looked)
            stop.set()
            assert await asyncio.wait_for(reader, ENOUGH) == [0]
            stop.clear()
            looked.clear()
            cancelled = asyncio.create_task(read())
            await until(lambda: looked)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            await ledger.register(party("later"))
        finally:
            await ledger.close()

    async_host.run(work)


def test_a_listener_that_was_lost_listens_again(async_host, waiting_ledger, party):
    if async_host.url.get_backend_name() != "postgresql":
        pytest.skip("Only PostgreSQL has connections that can be lost.")
    listening = "query ~ '^LISTEN' AND datname = current_database() AND pid <> pg_backend_pid()"
    lost = sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}")

    async def work(engine):
        ledger, writer = waiting_ledger(engine), AsyncLedger(engine)
        try:
            await writer.register(party("board"))
            looked: list[int] = []
            events = ledger.follow(after=0, poll=3600, idle=looked.append)
            for number in range(2):
                coming = asyncio.create_task(anext(events))
                await until(lambda: looked)
                await asyncio.sleep(0.3)
                async with engine.begin() as conn:
                    assert (await conn.execute(lost)).all() == [(True,)]
                await writer.register(party(f"p{number}"))
                assert (await asyncio.wait_for(coming, ENOUGH)).sequence == number + 1
                looked.clear()
                await asyncio.sleep(1.1)  # after a second without, it listens again
            await events.aclose()
        finally:
            await ledger.close()

    async_host.run(work)


def test_a_follower_outlasts_the_loss_of_every_connection(async_host, waiting_ledger, party):
    if async_host.url.get_backend_name() != "postgresql":
        pytest.skip("Only PostgreSQL has connections that can be lost.")
    url = async_host.url.set(drivername="postgresql+psycopg")
    ours = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    lost = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname = current_database()"
    )

    async def work(engine):
        ledger = waiting_ledger(engine)
        try:
            await ledger.register(party("board"))
            looked: list[int] = []
            events = ledger.follow(poll=0.05, idle=looked.append)
            assert (await anext(events)).sequence == 0
            coming = asyncio.create_task(anext(events))
            await until(lambda: looked)
            with ours.connect() as conn:
                conn.execute(lost)
            with Ledger(ours.execution_options(isolation_level="READ COMMITTED")) as writer:
                writer.register_all([party("p0"), party("p1")])
            found = [(await asyncio.wait_for(coming, ENOUGH)).sequence]
            found.append((await asyncio.wait_for(anext(events), ENOUGH)).sequence)
            await events.aclose()
            coming = asyncio.create_task(ledger.wait_for(3, timeout=ENOUGH, poll=0.05))
            await asyncio.sleep(0.2)
            with ours.connect() as conn:
                conn.execute(lost)
            with Ledger(ours.execution_options(isolation_level="READ COMMITTED")) as writer:
                writer.register(party("p2"))
            assert await coming
            return found
        finally:
            await ledger.close()

    assert async_host.run(work) == [1, 2]


def test_what_nobody_can_follow_or_wait_for_is_refused(async_host):
    async def work(engine):
        ledger = AsyncLedger(engine)
        with pytest.raises(Invalid, match="after must be a whole number, -1 or more, not -2"):
            await anext(ledger.follow(after=-2))
        with pytest.raises(Invalid, match="poll is a number of seconds, 0 or more, not -1"):
            await anext(ledger.follow(poll=-1))
        with pytest.raises(UnknownEventType):
            await anext(ledger.follow(types="claim_recordd"))
        with pytest.raises(Invalid, match="sequence must be a whole number, 0 or more, not '7'"):
            await ledger.wait_for(cast("int", "7"))

    async_host.run(work)
