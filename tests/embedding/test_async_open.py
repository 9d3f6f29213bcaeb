"""AsyncLedger on a database that it opens itself: a thread of its own beside the event loop.

Savepoints, nested use and scoped sessions belong to a transaction of the host's, in which such a
ledger never is.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import warnings
from contextlib import closing

import pytest

from ledger import Ledger
from ledger.aio import AsyncLedger
from ledger.errors import ForeignDatabase, NotFound, StoreError
from ledger.projecting import Projection
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


def test_a_call_cancelled_while_it_waits_for_the_lock_stores_nothing(tmp_path):
    async def main():
        async with await AsyncLedger.open(tmp_path / "claims.db") as ledger:
            await ledger.register_all(FIRST)
            with closing(sqlite3.connect(tmp_path / "claims.db")) as other:
                other.isolation_level = None
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(ledger.record(**said("given up")), 0.3)
                other.execute("COMMIT")
            await ledger.record(**said("after"))
            assert (await ledger.claims()).ids == ("after",)

    asyncio.run(main())


def test_a_call_cancelled_before_its_commit_stores_nothing(tmp_path):
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def slowly(state, stored):
        seen.append(stored.sequence)
        begun.set()
        assert go_on.wait(20)
        return state

    async def main():
        async with await AsyncLedger.open(tmp_path / "claims.db") as ledger:
            await ledger.register_all(FIRST)
            slow = Projection(name="slow", initial=dict, evolve=slowly)
            await ledger.run_sync(lambda it: it.projections.add(slow))
            go_on.set()
            await ledger.run_sync(lambda it: it.projections.ready())
            begun.clear()
            go_on.clear()
            call = asyncio.create_task(ledger.record(**said("given up")))
            await asyncio.to_thread(begun.wait, 20)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            go_on.set()
            assert (await ledger.claims()).ids == ()
            assert (await ledger.verify()).size == 2

    asyncio.run(main())
    assert seen == [0, 1, 2]


def test_a_ledger_that_was_used_works_in_a_forked_child(tmp_path):
    async def main():
        ledger = await AsyncLedger.open(tmp_path / "claims.db")
        await ledger.register_all(FIRST)
        return ledger

    ledger = asyncio.run(main())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
    if not child:
        status = 1
        try:
            asyncio.run(asyncio.wait_for(ledger.record(**said("of the child")), 20))
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    async def after():
        assert (await ledger.claims()).ids == ("of the child",)
        await ledger.close()

    asyncio.run(after())


def test_work_that_raises_stop_iteration_ends(opened):
    async def work(ledger):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.wait_for(ledger.run_sync(lambda _: next(iter(()))), 20)

    opened(work)


def test_an_error_of_the_host_afterwards_takes_nothing_back(database, tmp_path):
    url = database if database != "sqlite://" else str(tmp_path / "claims.db")

    async def main():
        async with await AsyncLedger.open(url) as ledger:
            await ledger.register_all(FIRST)
            await ledger.record(**said("c1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(main())
    with Ledger.open(url) as ledger:
        assert (ledger.claims().ids, ledger.verify().size) == (("c1",), 3)


def test_a_refusal_leaves_nothing_and_the_next_is_stored(opened):
    async def work(ledger):
        await ledger.register_all(FIRST)
        with pytest.raises(NotFound):
            await ledger.record(**said("c1", claimant="nobody"))
        assert (await ledger.record(**said("c1"))).sequences == (2,)

    opened(work)


def test_two_ledgers_on_one_database_know_nothing_of_each_other(database, tmp_path):
    url = database if database != "sqlite://" else str(tmp_path / "claims.db")

    async def main():
        async with (
            await AsyncLedger.open(url, origin="north") as north,
            await AsyncLedger.open(url, origin="south") as south,
        ):
            await asyncio.gather(north.register_all(FIRST), south.register_all(FIRST))
            await asyncio.gather(*(north.record(**said(f"c{number}")) for number in range(3)))
            await south.record(**said("c0", act="deny"))
            assert ((await north.verify()).size, (await south.verify()).size) == (5, 3)
            return (await south.claims()).ids

    assert asyncio.run(main()) == ("c0",)


def test_a_closed_ledger_tells_so(tmp_path):
    async def main():
        ledger = await AsyncLedger.open(tmp_path / "claims.db")
        await ledger.close()
        await ledger.close()
        with pytest.raises(StoreError, match=r"was closed.*await AsyncLedger\.open"):
            await ledger.claims()

    asyncio.run(main())


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
