"""AsyncLedger in an AsyncSession's unit of work: what is recorded is stored with its commit."""

from __future__ import annotations

import asyncio
import gc

import pytest
from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ledger import Topic
from ledger.aio import AsyncLedger
from ledger.errors import AlreadyRecorded, NotFound, UnknownParty
from tests.embedding.entries import cancelled_while_it_connects


class Base(DeclarativeBase):
    """The host's own tables."""


class Story(Base):
    __tablename__ = "story"

    slug: Mapped[str] = mapped_column(String(20), primary_key=True)


async def shown(ledger):
    return sorted(one.id for one in await (await ledger.as_of()).parties())


def test_rows_and_claims_are_committed_together(async_host, party):
    async def work(engine):
        async with AsyncSession(engine) as session:
            session.add(Story(slug="flood"))
            receipt = await AsyncLedger(session).register(party("board"))
            assert (receipt.stored, receipt.sequences) == ("pending", ())
            assert await shown(AsyncLedger(engine)) == []
            await session.commit()
            assert await shown(AsyncLedger(session)) == ["board"]

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == (["flood"], ["board"])


def test_what_waits_holds_up_nobody_until_it_is_written(async_host, party):
    async def work(engine):
        async with AsyncSession(engine) as session:
            ledger = AsyncLedger(session)
            await ledger.register(party("board"))
            await AsyncLedger(engine).register(party("mill"))
            (receipt,) = await ledger.flush()
            assert (receipt.id, receipt.stored, receipt.sequences) == ("board", "stored", (1,))
            await session.commit()

    async_host.run(work)
    assert async_host.parties() == ["board", "mill"]


@pytest.mark.parametrize("flushed", [True, False])
def test_rows_and_claims_are_rolled_back_together(async_host, party, flushed):
    async def work(engine):
        async with AsyncSession(engine) as session:
            ledger = AsyncLedger(session)
            session.add(Story(slug="flood"))
            await ledger.register(party("phantom"))
            if flushed:
                await session.flush()
                assert await shown(ledger) == ["phantom"]
            await session.rollback()
            session.add(Story(slug="drought"))
            await session.commit()
            assert await shown(ledger) == await shown(AsyncLedger(engine)) == []

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == (["drought"], [])


def test_a_hosts_error_in_the_sessions_block_takes_back_both(async_host, party):
    async def work(engine):
        async with AsyncSession(engine) as session, session.begin():
            session.add(Story(slug="flood"))
            await AsyncLedger(session).register(party("board"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == ([], [])


def test_a_session_that_is_closed_forgets_what_waited(async_host, party):
    async def work(engine):
        async with AsyncSession(engine) as session:
            await AsyncLedger(session).register(party("lost"))
            await session.close()
            session.add(Story(slug="kept"))
            await session.commit()

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == (["kept"], [])


@pytest.mark.parametrize(
    "refuse, error",
    [
        (lambda it: it.record(claimant="nobody", act="assert", proposition="p"), NotFound),
        (lambda it: it.register(Topic("road", label="Another road")), AlreadyRecorded),
        (lambda it: it.position("nobody", "p"), UnknownParty),
    ],
    ids=["unknown", "taken", "question"],
)
def test_a_refusal_leaves_the_session_usable(async_host, party, refuse, error):
    async def work(engine):
        async with AsyncSession(engine) as session:
            ledger = AsyncLedger(session)
            session.add(Story(slug="before"))
            await ledger.register(Topic("road", label="The road"))
            with pytest.raises(error):
                await refuse(ledger)
            await ledger.register(party("board"))
            session.add(Story(slug="after"))
            await session.commit()

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == (["after", "before"], ["board"])


@pytest.mark.parametrize("asked", [True, False], ids=["written inside", "waiting"])
def test_a_savepoint_of_the_session_takes_back_its_claims(async_host, party, asked):
    async def work(engine):
        async with AsyncSession(engine) as session:
            ledger = AsyncLedger(session)
            await ledger.register(party("before"))
            async with session.begin_nested() as inner:
                session.add(Story(slug="lost"))
                await ledger.register(party("lost"))
                if asked:
                    assert await shown(ledger) == ["before", "lost"]
                await inner.rollback()
            assert await shown(ledger) == ["before"]
            async with session.begin_nested():
                await ledger.register(party("after"))
            session.add(Story(slug="kept"))
            await session.commit()

    async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == (["kept"], ["after", "before"])


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_two_ledgers_share_a_unit_of_work_and_nothing_else(async_host, party, end):
    async def work(engine):
        async with AsyncSession(engine) as session:
            one, two = (AsyncLedger(session, origin=f"{it}.example") for it in ("one", "two"))
            session.add(Story(slug="flood"))
            await one.register(party("board"))
            await two.register_all([party("board"), party("guest")])
            await one.register(party("mill"))
            await getattr(session, end)()
            stored = end == "commit"
            assert await shown(one) == (["board", "mill"] if stored else [])
            assert await shown(two) == (["board", "guest"] if stored else [])

    async_host.run(work)
    assert async_host.stories() == (["flood"] if end == "commit" else [])


# -- tasks --------------------------------------------------------------------------------------


def test_sessions_of_several_tasks_commit_at_once(async_host, party):
    async def work(engine):
        sessions = async_sessionmaker(engine)

        async def task(number):
            async with sessions() as session:
                ledger = AsyncLedger(session)
                await ledger.register(party(f"p{number}"))
                session.add(Story(slug=f"s{number}"))
                if number % 4 == 0:
                    raise ZeroDivisionError
                await session.commit()
                assert f"p{number}" in await shown(ledger)

        done = await asyncio.gather(*map(task, range(12)), return_exceptions=True)
        assert [type(one) for one in done if one] == [ZeroDivisionError] * 3

    async_host.run(work)
    assert len(async_host.stories()) == len(async_host.parties()) == 9


def test_a_registry_of_sessions_gives_each_task_its_own(async_host, party):
    async def work(engine):
        sessions = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
        ledger = AsyncLedger(sessions)

        async def request(number):
            sessions.add(Story(slug=f"s{number}"))
            await ledger.register(party(f"p{number}"))
            await asyncio.sleep(0)
            await ledger.register(party(f"q{number}"))
            await (sessions.commit() if number % 2 else sessions.rollback())
            await sessions.remove()

        await asyncio.gather(*(asyncio.create_task(request(number)) for number in range(6)))

    async_host.run(work)
    assert async_host.stories() == ["s1", "s3", "s5"]
    assert async_host.parties() == [f"{letter}{number}" for letter in "pq" for number in (1, 3, 5)]


@cancelled_while_it_connects
@pytest.mark.parametrize("patience", [0, 0.002, 0.005, 0.01, 0.02])
def test_a_commit_that_is_cancelled_stores_both_or_neither(async_host, party, patience):
    async def work(engine):
        async def task():
            async with AsyncSession(engine) as session:
                session.add(Story(slug="flood"))
                await AsyncLedger(session).register_all([party(f"p{it}") for it in range(20)])
                await session.commit()

        call = asyncio.create_task(task())
        await asyncio.sleep(patience)
        call.cancel()
        await asyncio.wait({call})
        # What the task ended with may hold the cursor of a SELECT that was cut off, and sqlite3
        # ends the transaction of a closed connection only with the last cursor on it.
        del call
        gc.collect()
        assert (await AsyncLedger(engine).register(party("board"))).stored == "stored"

    async_host.run(work)
    assert len(async_host.parties()) == (21 if async_host.stories() else 1)
