"""AsyncLedger on an AsyncEngine: cursors, followers, and who waits for an event."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.aio import AsyncLedger
from ledger.errors import CursorMoved, MissingEntry, StoreError, TimedOut
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
