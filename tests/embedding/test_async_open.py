"""AsyncLedger on a database that it opens itself: a thread of its own beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ledger import Ledger
from ledger.aio import AsyncLedger
from ledger.errors import ForeignDatabase, StoreError
from tests.embedding.entries import FIRST, said
from tests.waiting import until


def own(database):
    """As an application would have it in its settings, with an asynchronous driver."""
    return database.replace("sqlite:", "sqlite+aiosqlite:").replace("+psycopg:", "+asyncpg:")


@pytest.fixture
def opened(database):
    """`opened(work)` runs `work(ledger)` on a ledger that opened the database itself."""

    def run(work):
        async def main():
            async with await AsyncLedger.open(own(database)) as ledger:
                return await work(ledger)

        return asyncio.run(main())

    return run


def test_it_opens_a_database_and_makes_the_tables(database, opened):
    async def work(ledger):
        await ledger.register_all(FIRST)
        async with ledger.tagged(causation="inspection"):
            await asyncio.gather(*(ledger.record(**said(f"c{number}")) for number in range(9)))
        assert len([line async for line in ledger.log()]) == 11
        view = await ledger.replay((await ledger.checkpoint()).origin and "2024-03-13")
        assert await view.parties() == ()
        return [event.causation async for event in ledger.events()]

    assert opened(work) == [None, None, *["inspection"] * 9]
    if database != "sqlite://":
        with Ledger.open(database) as ledger:
            assert ledger.verify().size == 11


def test_a_path_will_do(tmp_path):
    async def main():
        async with await AsyncLedger.open(tmp_path / "claims.db") as ledger:
            assert repr(ledger).startswith("AsyncLedger('sqlite:///")
            await ledger.register(FIRST[0])

    asyncio.run(main())
    with Ledger.open(tmp_path / "claims.db") as ledger:
        assert ledger.verify().size == 1


def test_the_loop_goes_on_while_the_thread_works(opened):
    async def work(ledger):
        hold = threading.Event()
        held = asyncio.create_task(ledger.run_sync(lambda _: hold.wait(10)))
        behind = asyncio.create_task(ledger.register(FIRST[0]))
        await asyncio.sleep(0.01)
        assert not behind.done()
        hold.set()
        assert await held
        assert (await behind).stored == "stored"

    opened(work)


def test_a_call_that_is_cancelled_before_it_writes_stores_nothing(opened):
    async def work(ledger):
        await ledger.register_all(FIRST)
        await ledger.record(**said("kept"))
        begun, go_on = threading.Event(), threading.Event()

        def late(it):
            begun.set()
            go_on.wait(10)
            return it.record(**said("given up"))

        running = asyncio.create_task(ledger.run_sync(late))
        waiting = asyncio.create_task(ledger.record(**said("never begun")))
        await asyncio.to_thread(begun.wait, 10)
        for call in (running, waiting):
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        go_on.set()
        assert (await ledger.claims()).ids == ("kept",)
        assert (await ledger.record(**said("after"))).sequences == (3,)
        assert (await ledger.verify()).size == 4

    opened(work)


def test_what_cannot_be_opened_leaves_no_thread_behind(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Board, the bridge is open. " * 9)
    before = threading.active_count()

    async def main():
        with pytest.raises(ForeignDatabase):
            await AsyncLedger.open(tmp_path / "letter.txt")
        with pytest.raises(StoreError, match="no directory"):
            await AsyncLedger.open(tmp_path / "nowhere" / "claims.db")
        with pytest.raises(StoreError):
            await AsyncLedger.open("postgresql://nobody@localhost:1/claims")

    asyncio.run(main())
    until(lambda: threading.active_count() <= before, "the threads have ended")
