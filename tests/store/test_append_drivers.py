"""The same append through the asynchronous drivers, under SQLAlchemy's facade."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest
import sqlalchemy as sa

from ledger.errors import AlreadyRecorded, HeadMoved, StoreError, WrongExpectedVersion
from ledger.store import read, schema, transaction
from ledger.store.append import append, lock_head, put

if importlib.util.find_spec("greenlet") is None:
    pytest.skip("needs greenlet", allow_module_level=True)

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DRIVERS = ["aiosqlite", "psycopg_async", "asyncpg"]


@pytest.fixture(params=DRIVERS)
def url(request, tmp_path):
    """The URL of a new database, through each asynchronous driver."""
    if importlib.util.find_spec(request.param.removesuffix("_async")) is None:
        pytest.skip(f"needs {request.param}")
    if request.param == "aiosqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'claims.db'}"
    plain = sa.make_url(request.getfixturevalue("postgres_url"))
    return plain.set(drivername=f"postgresql+{request.param}")


@pytest.fixture
def run(url):
    """`run(work)` calls `work(engine)` where the driver's awaiting is done for it."""

    def drive(work):
        async def main():
            engine: AsyncEngine = create_async_engine(url)
            try:
                async with engine.connect() as conn:
                    return await conn.run_sync(lambda _: work(engine.sync_engine))
            finally:
                await engine.dispose()

        return asyncio.run(main())

    return drive


def rows_of(engine, tables):
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        return [] if head is None else list(read.rows(conn, tables, head.log_id))


def put_into(engine, tables, drafts):
    with transaction.writing(engine, once=True) as conn:
        return put(conn, tables, "default", drafts)


def put_beside(_conn, engine, tables, drafts):
    return put_into(engine, tables, drafts)


def test_what_is_put_and_appended_comes_back(run, tables, drafts):
    given = [*drafts(2, slots=("who", "by")), *drafts(1, stream="s"), *drafts(1, slots=())]
    more = drafts(3, stream="s", version=1)

    def work(engine):
        schema.upgrade(engine)
        first = put_into(engine, tables, given)
        with transaction.writing(engine) as conn:
            head = lock_head(conn, tables, "default")
            second = append(conn, tables, head, more)
        return first, second, rows_of(engine, tables)

    first, second, rows = run(work)
    assert (first.first, first.size, second.first, second.size) == (0, 4, 4, 7)
    assert [(row.seq, row.entry, row.leaf_hash) for row in rows] == [
        (seq, one.entry, one.leaf_hash) for seq, one in enumerate([*given, *more])
    ]
    assert [row.known_at for row in rows] == [*first.known, *second.known]
    for row, one in zip(rows, [*given, *more], strict=True):
        assert {name: row.slot(name) for name in one.slots} == dict(one.slots)


def test_a_wide_append_is_stored_whole_or_not_at_all(run, tables, drafts):
    given = drafts(5_002)
    (twin,) = drafts(1, ids=[given[3].id], stream="another")

    def work(engine):
        schema.upgrade(engine)
        with pytest.raises(AlreadyRecorded):
            put_into(engine, tables, [*given, twin])
        put_into(engine, tables, given[:4])
        with pytest.raises(AlreadyRecorded):
            put_into(engine, tables, [*given[4:], *drafts(5), twin])
        put_into(engine, tables, given[4:])
        return rows_of(engine, tables)

    assert [row.id for row in run(work)] == [one.id for one in given]


def test_what_is_refused_is_told_as_through_the_plain_drivers(run, tables, drafts):
    given = drafts(2, stream="s")

    def work(engine):
        schema.upgrade(engine)
        put_into(engine, tables, given)
        with pytest.raises(WrongExpectedVersion) as caught:
            put_into(engine, tables, [*drafts(1), *drafts(1, stream="s", version=5)])
        assert (caught.value.stream, caught.value.expected, caught.value.actual) == ("s", 4, 1)
        with pytest.raises(AlreadyRecorded) as taken:
            put_into(engine, tables, [given[0]])
        assert (taken.value.given, taken.value.sequence) == (given[0].id, 0)
        with pytest.raises(AlreadyRecorded) as taken:
            put_into(engine, tables, drafts(1, ids=[given[1].id]))
        assert taken.value.given == given[1].id
        with transaction.reading(engine) as conn:
            head = read.head(conn, tables, "default")
        assert head is not None
        put_into(engine, tables, drafts(1))
        with pytest.raises(HeadMoved), transaction.writing(engine, once=True) as conn:
            append(conn, tables, head, drafts(1))
        return rows_of(engine, tables)

    assert len(run(work)) == 3


def test_a_hosts_transaction_goes_on_after_a_refusal_and_is_the_hosts_to_end(run, tables, drafts):
    def work(engine):
        schema.upgrade(engine)
        with engine.begin() as conn:
            conn.exec_driver_sql("CREATE TABLE host_note (words text)")
        put_into(engine, tables, drafts(1, ids=["taken"]))
        for end in ("rollback", "commit"):
            with engine.connect() as conn:
                with transaction.writing(conn) as joined:
                    put(joined, tables, "default", drafts(2))
                with pytest.raises(AlreadyRecorded), transaction.writing(conn) as joined:
                    put(joined, tables, "default", drafts(2, ids=["fresh", "taken"]))
                conn.exec_driver_sql("INSERT INTO host_note VALUES ('said')")
                getattr(conn, end)()
        with engine.connect() as conn:
            notes = conn.exec_driver_sql("SELECT count(*) FROM host_note").scalar()
        return notes, len(rows_of(engine, tables))

    assert run(work) == (1, 3)


def test_an_append_is_the_first_thing_in_a_hosts_savepoint(run, tables, drafts):
    """SQLite would take a SAVEPOINT for the transaction, and commit at its RELEASE."""

    def work(engine):
        schema.upgrade(engine)
        with engine.connect() as conn:
            with transaction.writing(conn) as joined:
                put(joined, tables, "default", drafts(1))
            conn.rollback()
        return rows_of(engine, tables)

    assert run(work) == []


def test_a_connection_in_autocommit_is_refused(run, url, tables, drafts):
    def work(engine):
        schema.upgrade(engine)
        other = engine.execution_options(isolation_level="AUTOCOMMIT")
        with other.connect() as conn, pytest.raises(StoreError, match="is in autocommit"):
            transaction.writing(conn).__enter__()
        return rows_of(engine, tables)

    assert run(work) == []


def test_tasks_that_put_at_the_same_time_leave_no_hole(url, tables, drafts):
    if "aiosqlite" in str(url):
        pytest.skip("SQLite's writers wait for each other inside the driver's threads")
    parts = [[drafts(size) for size in (1, 3, 1)] for _ in range(5)]

    async def main():
        engine = create_async_engine(url)
        async with engine.connect() as conn:
            await conn.run_sync(lambda _: schema.upgrade(engine.sync_engine))

        async def write(batches):
            for batch in batches:
                async with engine.connect() as conn:
                    await conn.run_sync(put_beside, engine.sync_engine, tables, batch)

        await asyncio.gather(*map(write, parts))
        async with engine.connect() as conn:
            rows = await conn.run_sync(lambda _: rows_of(engine.sync_engine, tables))
        await engine.dispose()
        return rows

    rows = asyncio.run(main())
    assert [row.seq for row in rows] == list(range(25))
    assert {row.id for row in rows} == {one.id for part in parts for b in part for one in b}


def test_a_connection_lost_in_the_one_statement_leaves_the_outcome_open(run, tables, drafts):
    def work(engine):
        schema.upgrade(engine)
        if engine.dialect.name == "sqlite":
            pytest.skip("SQLite has no connection to lose")
        put_into(engine, tables, drafts(1))

        def write_and_lose():
            with transaction.writing(engine, once=True) as conn:
                assert isinstance(conn, sa.Connection)
                number = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                with engine.connect() as other:
                    other.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)")
                put(conn, tables, "default", drafts(1))

        with pytest.raises(StoreError) as caught:
            write_and_lose()
        assert caught.value.stored == "unknown"
        put_into(engine, tables, drafts(1))
        return rows_of(engine, tables)

    assert len(run(work)) == 2
