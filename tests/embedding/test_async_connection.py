"""AsyncLedger on a host's AsyncConnection: rows and claims are stored together, or neither is."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from ledger import Layout, Topic
from ledger.aio import AsyncLedger
from ledger.errors import (
    AlreadyRecorded,
    Invalid,
    InvalidView,
    LedgerError,
    NotFound,
    StoreError,
    UnknownParty,
)
from ledger.store import schema
from tests.embedding.entries import cancelled_while_it_connects


async def shown(ledger):
    return sorted(one.id for one in await (await ledger.as_of()).parties())


@pytest.mark.parametrize("first", ["row", "claim"])
def test_rows_and_claims_are_committed_together(async_host, party, first):
    async def work(engine):
        async with engine.begin() as conn:
            if first == "row":
                await async_host.story(conn, "flood")
            await AsyncLedger(conn).register(party("board"))
            if first == "claim":
                await async_host.story(conn, "flood")
            assert await shown(AsyncLedger(conn)) == ["board"]
            assert (await AsyncLedger(conn).verify()).size == 1
            assert await shown(AsyncLedger(engine)) == []

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == (["flood"], ["board"])


@pytest.mark.parametrize("first", ["row", "claim", "claim alone"])
def test_a_hosts_error_takes_back_both(async_host, party, first):
    async def work(engine):
        async with engine.begin() as conn:
            if first == "row":
                await async_host.story(conn, "flood")
            await AsyncLedger(conn).register(party("board"))
            if first == "claim":
                await async_host.story(conn, "flood")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == ([], [])


def test_what_the_host_forgets_to_commit_is_not_stored(async_host, party):
    async def work(engine):
        async with engine.connect() as conn:
            await async_host.story(conn, "flood")
            await AsyncLedger(conn).register(party("board"))

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == ([], [])


@pytest.mark.parametrize(
    "refuse, error",
    [
        (lambda it: it.record(claimant="nobody", act="assert", proposition="p"), NotFound),
        (lambda it: it.register(Topic("road", label="Another road")), AlreadyRecorded),
        (lambda it: it.position("nobody", "p"), UnknownParty),
        (lambda it: it.as_of(known=99), InvalidView),
    ],
    ids=["unknown", "taken", "question", "view"],
)
def test_a_refusal_leaves_the_hosts_transaction_usable(async_host, party, refuse, error):
    async def work(engine):
        async with engine.begin() as conn:
            ledger = AsyncLedger(conn)
            await async_host.story(conn, "before")
            await ledger.register(Topic("road", label="The road"))
            with pytest.raises(error):
                await refuse(ledger)
            await async_host.story(conn, "after")
            await ledger.register(party("board"))

    async_host.run(work)
    assert async_host.stories() == ["after", "before"]
    assert async_host.parties() == ["board"]


def test_a_refusal_of_the_database_leaves_the_hosts_transaction_usable(async_host, party):
    if async_host.engine.dialect.name == "sqlite":
        pytest.skip("SQLite refuses before anything is written, PostgreSQL aborts what is begun")

    async def work(engine):
        await AsyncLedger(engine).register(party("board"))
        async with engine.connect() as conn:
            await conn.execution_options(isolation_level="REPEATABLE READ")
            await async_host.story(conn, "before")
            await AsyncLedger(engine).register(party("harbour"))
            with pytest.raises(StoreError, match="must be run again"):
                await AsyncLedger(conn).register(party("late"))
            await async_host.story(conn, "after")
            await conn.commit()

    async_host.run(work)
    assert async_host.stories() == ["after", "before"]
    assert async_host.parties() == ["board", "harbour"]


def test_closing_the_ledger_ends_no_transaction_of_the_host(async_host, party):
    async def work(engine):
        async with engine.connect() as conn:
            async with AsyncLedger(conn) as ledger:
                await ledger.register(party("board"))
            assert conn.in_transaction()
            await conn.commit()

    async_host.run(work)
    assert async_host.parties() == ["board"]


def test_a_ledger_answers_rightly_after_its_host_rolled_back(async_host, party):
    async def work(engine):
        async with engine.connect() as conn:
            ledger = AsyncLedger(conn)
            await ledger.register(party("kept"))
            await conn.commit()
            await ledger.register(party("phantom"))
            await conn.rollback()
            assert await shown(ledger) == await shown(AsyncLedger(engine)) == ["kept"]
            await conn.rollback()
            again = await ledger.register(party("phantom"))
            assert (again.stored, again.sequences) == ("stored", (1,))
            await conn.commit()

    async_host.run(work)
    assert async_host.parties() == ["kept", "phantom"]


# -- savepoints ---------------------------------------------------------------------------------


def test_a_hosts_savepoint_takes_back_what_was_recorded_in_it(async_host, party):
    async def work(engine):
        async with engine.begin() as conn:
            ledger = AsyncLedger(conn)
            await ledger.register(party("before"))
            inner = await conn.begin_nested()
            await async_host.story(conn, "lost")
            await ledger.register(party("lost"))
            assert await shown(ledger) == ["before", "lost"]
            await inner.rollback()
            assert await shown(ledger) == ["before"]
            async with conn.begin_nested():
                await async_host.story(conn, "kept")
                assert (await ledger.register(party("after"))).sequences == (1,)

    async_host.run(work)
    assert async_host.stories() == ["kept"]
    assert async_host.parties() == ["after", "before"]


def test_a_savepoint_may_be_the_first_statement(async_host, party):
    async def work(engine):
        AsyncLedger(engine)
        async with engine.connect() as conn:
            inner = await conn.begin_nested()
            ledger = AsyncLedger(conn)
            await ledger.register(party("lost"))
            await inner.rollback()
            assert await shown(ledger) == []
            await ledger.register(party("kept"))
            await conn.commit()

    async_host.run(work)
    assert async_host.parties() == ["kept"]


def test_a_savepoint_that_was_set_before_any_ledger_was_made_is_refused(async_host, party):
    if async_host.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no savepoint without a transaction")

    async def work(engine):
        async with engine.connect() as conn:
            async with conn.begin_nested():
                await async_host.story(conn, "lost")
                with pytest.raises(StoreError, match="Nothing was written"):
                    await AsyncLedger(conn).register(party("lost"))
            await conn.rollback()
        async with engine.connect() as conn:  # the engine is known by now
            async with conn.begin_nested():
                await AsyncLedger(conn).register(party("lost"))
            await conn.rollback()

    async_host.run(work)
    assert async_host.parties() == []


# -- several ledgers, several tasks -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["origins", "prefixes"])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_two_ledgers_share_a_transaction_and_nothing_else(async_host, party, kind, end):
    async def work(engine):
        async with engine.connect() as conn:
            if kind == "origins":
                one, two = (AsyncLedger(conn, origin=f"{it}.example") for it in ("one", "two"))
            else:
                claims = Layout(prefix="claims_")
                await conn.run_sync(schema.upgrade, claims)
                one, two = AsyncLedger(conn), AsyncLedger(conn, layout=claims)
            await conn.commit()
            await async_host.story(conn, "flood")
            await one.register(party("board"))
            await two.register_all([party("board"), party("guest")])
            with pytest.raises(LedgerError):
                await one.record(claimant="guest", act="assert", proposition="p")
            await one.register(party("mill"))
            await getattr(conn, end)()
            stored = end == "commit"
            assert await shown(one) == (["board", "mill"] if stored else [])
            assert await shown(two) == (["board", "guest"] if stored else [])
            sizes = [(await it.verify()).size for it in (one, two)]
            assert sizes == ([2, 2] if stored else [0, 0])

    async_host.run(work)
    assert async_host.stories() == (["flood"] if end == "commit" else [])


def test_calls_made_at_once_on_one_connection_wait_for_one_another(async_host, party):
    async def work(engine):
        async with engine.begin() as conn:
            ledger = AsyncLedger(conn)
            calls = [ledger.register(party(f"p{number}")) for number in range(5)]
            done, _, _ = await asyncio.gather(
                asyncio.gather(*calls), ledger.verify(), ledger.checkpoint()
            )
            assert [one.sequences[0] for one in done] == [0, 1, 2, 3, 4]

    async_host.run(work)
    assert len(async_host.parties()) == 5


def test_transactions_of_several_tasks_are_stored_one_after_another(async_host, party):
    async def work(engine):
        async def task(number):
            async with engine.begin() as conn:
                ledger = AsyncLedger(conn)
                first = await ledger.register(party(f"a{number}"))
                await async_host.story(conn, f"s{number}")
                second = await ledger.register(party(f"b{number}"))
                # Whoever has recorded in a transaction keeps the log until it ends.
                assert second.sequences[0] == first.sequences[0] + 1
                if number % 3 == 0:
                    raise ZeroDivisionError

        done = await asyncio.gather(*map(task, range(6)), return_exceptions=True)
        assert [type(one) for one in done if one] == [ZeroDivisionError] * 2
        assert len(await shown(AsyncLedger(engine))) == 8

    async_host.run(work)
    assert async_host.stories() == ["s1", "s2", "s4", "s5"]
    assert async_host.parties() == [f"{letter}{it}" for letter in "ab" for it in (1, 2, 4, 5)]


@cancelled_while_it_connects
@pytest.mark.parametrize("patience", [0, 0.002, 0.005, 0.01, 0.02])
def test_a_task_that_is_cancelled_in_its_transaction_takes_back_all_of_it(
    async_host, party, patience
):
    async def work(engine):
        async def task():
            async with engine.begin() as conn:
                await async_host.story(conn, "flood")
                ledger = AsyncLedger(conn)
                for number in range(100):
                    await ledger.register(party(f"p{number}"))

        call = asyncio.create_task(task())
        await asyncio.sleep(patience)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        ledger = AsyncLedger(engine)
        assert await shown(ledger) == []
        assert (await ledger.register(party("board"))).sequences == (0,)

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == ([], ["board"])


# -- what cannot be joined ----------------------------------------------------------------------


def test_a_connection_that_was_not_started_is_refused():
    engine = create_async_engine("sqlite+aiosqlite://")
    with pytest.raises(Invalid, match=re.escape("async with engine.connect() as connection")):
        AsyncLedger(engine.connect())


def test_a_connection_in_autocommit_is_refused(async_host, party):
    async def work(engine):
        async with engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(StoreError, match="in autocommit"):
                await AsyncLedger(conn).register(party("board"))

    async_host.run(work)
    assert async_host.parties() == []
