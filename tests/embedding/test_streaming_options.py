"""What streams every statement from the server is refused; one statement of yours may stream."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from ledger import Ledger, Party
from ledger.aio import AsyncLedger
from ledger.errors import Invalid
from ledger.store import schema

STREAMING = [{"stream_results": True}, {"yield_per": 10}]


@pytest.fixture
def engine(postgres_url):
    engine = sa.create_engine(postgres_url)
    schema.upgrade(engine)
    Ledger(engine).register_all([Party("mill", name="Mill"), Party("board", name="Board")])
    yield engine
    engine.dispose()


@pytest.mark.parametrize("options", STREAMING, ids=str)
def test_what_streams_everything_is_refused_wherever_it_stands(engine, options):
    streaming = engine.execution_options(**options)
    for refused in (lambda: Ledger(streaming), lambda: schema.upgrade(streaming)):
        with pytest.raises(Invalid, match="through a cursor of the server's"):
            refused()
    with Session(engine) as session:
        ledger = Ledger(session)
        session.connection(execution_options=options)
        with pytest.raises(Invalid):
            ledger.as_of()
    assert len([*Ledger(engine).events()]) == 2


@pytest.mark.parametrize("options", STREAMING, ids=str)
def test_a_connection_that_streams_from_now_on_is_refused_from_now_on(engine, options):
    with engine.begin() as conn:
        ledger = Ledger(conn)
        ledger.register(Party("guild", name="Guild"))
        conn.execution_options(**options)
        for refused in (ledger.as_of, lambda: ledger.register(Party("late", name="Late"))):
            with pytest.raises(Invalid, match=r"conn\.execute\(query, execution_options="):
                refused()
    assert len([*Ledger(engine).events()]) == 3  # what came before it is stored


def test_a_statement_that_streams_is_none_of_ours(engine):
    with engine.begin() as conn:
        rows = conn.execute(sa.text("SELECT 1"), execution_options={"yield_per": 1})
        assert rows.scalars().all() == [1]
        assert len(Ledger(conn).as_of().parties()) == 2


def test_an_asynchronous_engine_is_refused_too(tmp_path):
    async def refused() -> None:
        url = f"sqlite+aiosqlite:///{tmp_path / 'claims.db'}"
        engine = create_async_engine(url, execution_options={"stream_results": True})
        with pytest.raises(Invalid, match="stream_results"):
            await AsyncLedger(engine).register(Party("mill", name="Mill"))
        await engine.dispose()

    asyncio.run(refused())
