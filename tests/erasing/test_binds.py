"""An erasure inside a host's transaction: gone with its commit, there again if it rolls back."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ledger import Ledger, Topic
from ledger.aio import AsyncLedger
from ledger.errors import Invalid
from ledger.projecting import claims
from tests.erasing.conftest import SAID, WHY


def quote_of(ledger):
    return next(one.quote for one in ledger.claims() if one.id == "c1")


@pytest.fixture(params=["connection", "session"])
def host(request, engine, world):
    """What opens a host's transaction: the ledger in it, and what ends it."""

    @contextlib.contextmanager
    def begin():
        if request.param == "connection":
            with engine.connect() as conn:
                yield Ledger(conn), conn
        else:
            with Session(engine) as session:
                yield Ledger(session), session

    return begin


def test_a_hosts_rollback_brings_back_what_its_commit_would_have_erased(world, host, slots):
    with host() as (ledger, transaction):
        ledger.projections.add(claims(ledger.layout))
        done = ledger.erase("c1", **WHY)
        assert done.stored == "stored"
        assert quote_of(ledger) == ""
        assert ledger.verify().erased == 2
        transaction.rollback()
        assert quote_of(ledger) == SAID
        transaction.rollback()
    assert (quote_of(world), slots(8)) == (SAID, ("who", "what", "words", "by"))
    with host() as (ledger, transaction):
        ledger.erase("c1", **WHY)
        transaction.commit()
    assert (quote_of(world), slots(8)) == ("", ("who", "what", "by"))
    assert world.verify().erased == 2


def test_a_hosts_savepoint_takes_the_erasure_along(world, host, slots):
    with host() as (ledger, transaction):
        ledger.register(Topic("before", label="Before"))
        with contextlib.suppress(ZeroDivisionError), transaction.begin_nested():
            ledger.erase("c1", **WHY)
            assert quote_of(ledger) == ""
            _ = 1 / 0
        assert quote_of(ledger) == SAID
        transaction.commit()
    assert slots(8) == ("who", "what", "words", "by")
    assert [one.id for one in world.as_of().topics()] == ["weir", "before"]
    assert world.verify().erased == 0


def test_what_waits_in_a_session_is_stored_before_and_the_erasure_does_not_wait(engine, world):
    with Session(engine) as session:
        ledger = Ledger(session)
        assert ledger.register(Topic("pending", label="P")).stored == "pending"
        done = ledger.erase("c1", **WHY)
        assert (done.stored, done.sequences) == ("stored", (12, 13))
        session.commit()
    assert [one.type for one in world.events()][11:] == ["topic_defined"] + 2 * ["content_erased"]


def test_files_are_written_anew_only_outside_a_transaction(world, host):
    with host() as (ledger, _), pytest.raises(Invalid, match=r"Ledger\(engine\).vacuum\(\)"):
        ledger.vacuum()
    world.erase("c1", **WHY)
    for step in world.vacuum():
        assert step.done is (not step.how)
    assert world.verify().erased == 2


def test_threads_that_share_a_ledger_erase_alike(world):
    shared = world.grouped()
    assert shared.erase("c1", **WHY).stored == "stored"
    assert quote_of(shared) == quote_of(world) == ""


@pytest.fixture
def asynchronous(database, world):
    """The URL of the same database for asyncio."""
    url = sa.make_url(database)
    if database == "sqlite://":
        pytest.skip("what is in memory has one engine")
    sqlite = url.get_backend_name() == "sqlite"
    return url.set(drivername="sqlite+aiosqlite" if sqlite else "postgresql+psycopg")


@pytest.mark.parametrize("bind", ["engine", "connection", "session"])
def test_asyncio_erases_alike(asynchronous, world, slots, bind):
    async def run():
        engine = create_async_engine(asynchronous, poolclass=NullPool)
        if bind == "engine":
            done = await AsyncLedger(engine).erase("c1", **WHY)
            steps = await AsyncLedger(engine).vacuum()
            assert steps[0].done
        elif bind == "connection":
            async with engine.connect() as conn:
                await AsyncLedger(conn).erase("paper-7", **WHY)
                await conn.rollback()
                done = await AsyncLedger(conn).erase("c1", **WHY)
                await conn.commit()
        else:
            async with AsyncSession(engine) as session:
                await AsyncLedger(session).erase("paper-7", **WHY)
                await session.rollback()
                done = await AsyncLedger(session).erase("c1", **WHY)
                await session.commit()
        await engine.dispose()
        return done

    assert asyncio.run(run()).stored == "stored"
    assert (slots(7), slots(8)) == (("what", "words", "by"), ("who", "what", "by"))
    assert world.verify().erased == 2


def test_an_opened_async_ledger_erases_alike(database, world):
    if database == "sqlite://":
        pytest.skip("what is in memory has one engine")

    async def run():
        async with await AsyncLedger.open(database) as ledger:
            return await ledger.erase("c1", **WHY)

    assert asyncio.run(run()).stored == "stored"
    assert quote_of(world) == ""
