"""A schema_translate_map moves the tables for SQLAlchemy alone, so a ledger refuses it."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from ledger import Ledger, Party
from ledger.aio import AsyncLedger
from ledger.errors import InvalidLayout
from ledger.store import schema
from ledger.store.layout import Layout

HERE, ELSEWHERE = {None: "tenant"}, {"orders": "tenant"}


@pytest.fixture
def engine(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'claims.db'}")
    schema.upgrade(engine)
    Ledger(engine).register(Party("mill", name="Mill"))  # so that the engine's fold is known
    yield engine
    engine.dispose()


def test_what_moves_the_ledgers_tables_is_refused_wherever_it_stands(engine):
    moved = engine.execution_options(schema_translate_map=HERE)
    for refused in (lambda: Ledger(moved), lambda: schema.upgrade(moved)):
        with pytest.raises(InvalidLayout, match="puts 'tenant' for the ledger"):
            refused()
    with moved.connect() as conn, pytest.raises(InvalidLayout):
        Ledger(conn)
    with Session(engine) as session:
        ledger = Ledger(session)
        session.connection(execution_options={"schema_translate_map": HERE})
        with pytest.raises(InvalidLayout):
            ledger.register(Party("board", name="Board"))
        session.rollback()
    assert len([*Ledger(engine).events()]) == 1


def test_what_moves_the_hosts_tables_alone_is_none_of_ours(engine):
    beside = engine.execution_options(schema_translate_map=ELSEWHERE)
    with Session(beside) as session:
        Ledger(session).register(Party("board", name="Board"))
        session.commit()
    assert len([*Ledger(beside).events()]) == 2


def test_a_schema_of_the_ledgers_own_is_used_past_the_map(postgres_url):
    engine = sa.create_engine(postgres_url, execution_options={"schema_translate_map": HERE})
    layout = Layout(schema="tenant")
    schema.upgrade(engine, layout)
    ledger = Ledger(engine, layout=layout)
    ledger.register(Party("mill", name="Mill"))
    assert ledger.verify().size == 1
    engine.dispose()


async def refused(engine):
    with pytest.raises(InvalidLayout):
        await AsyncLedger(engine).register(Party("mill", name="Mill"))
    await engine.dispose()


def test_an_asynchronous_engine_is_refused_too(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'claims.db'}"
    engine = create_async_engine(url, execution_options={"schema_translate_map": HERE})
    asyncio.run(refused(engine))
