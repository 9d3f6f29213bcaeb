"""Whose transaction it is: the ledger ends only what it began."""

from __future__ import annotations

import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from ledger import Ledger, Party
from ledger.errors import AlreadyRecorded, LedgerError, StoreError
from ledger.store import engines, read, schema, transaction
from ledger.store.append import append, lock_head


@pytest.fixture
def host(database, engine):
    """A host's own engine on the same database, with a table of its own."""
    if database == "sqlite://":
        made = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        schema.upgrade(made)
    else:
        made = sa.create_engine(engine.url)
    with made.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))
    yield made
    made.dispose()


def write(bind, tables, drafts):
    with transaction.writing(bind) as conn:
        append(conn, tables, lock_head(conn, tables, "default"), drafts)


def count(engine, tables):
    with engine.connect() as conn:
        notes = conn.scalar(text("SELECT count(*) FROM host_note"))
        return notes, conn.scalar(sa.select(sa.func.count()).select_from(tables.event))


def note(conn):
    conn.execute(text("INSERT INTO host_note VALUES ('said')"))


def test_a_joined_connection_is_committed_by_its_host(host, tables, drafts):
    with host.connect() as conn:
        write(conn, tables, drafts(2))
        note(conn)
        conn.commit()
    assert count(host, tables) == (1, 2)


@pytest.mark.parametrize("host_first", [True, False])
def test_a_joined_connection_is_rolled_back_by_its_host(host, tables, drafts, host_first):
    with host.connect() as conn:
        if host_first:
            note(conn)
        write(conn, tables, drafts(2))
        write(conn, tables, drafts(1))
        conn.rollback()
        assert not conn.in_transaction()
    assert count(host, tables) == (0, 0)


def test_a_host_that_forgets_to_commit_stores_nothing(host, tables, drafts):
    with host.connect() as conn:
        write(conn, tables, drafts(2))
        assert conn.in_transaction()
    assert count(host, tables) == (0, 0)


def test_a_refused_append_leaves_the_hosts_transaction_usable(host, tables, drafts):
    with host.begin() as conn:
        note(conn)
        write(conn, tables, drafts(1, ids=["taken"]))
        with pytest.raises(AlreadyRecorded):
            write(conn, tables, drafts(2, ids=["fresh", "taken"]))
        note(conn)
    assert count(host, tables) == (2, 1)


def test_a_hosts_savepoint_takes_the_append_back(host, tables, drafts):
    transaction.watch_savepoints(host)  # as a ledger does that is bound to the engine
    with host.begin() as conn:
        note(conn)
        savepoint = conn.begin_nested()
        write(conn, tables, drafts(2))
        savepoint.rollback()
        write(conn, tables, drafts(1))
    assert count(host, tables) == (1, 1)


def test_a_reading_joins_what_its_host_has_not_committed(host, tables, drafts):
    with host.connect() as conn:
        write(conn, tables, drafts(2))
        with transaction.reading(conn) as joined:
            assert joined is conn
            head = read.head(joined, tables, "default")
        assert head is not None
        assert head.size == 2
        assert conn.in_transaction()
    assert count(host, tables) == (0, 0)


def test_sqlite_in_its_older_autocommit_is_given_a_transaction(tmp_path, tables, drafts):
    def connect():
        return sqlite3.connect(tmp_path / "host.db", isolation_level=None)

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    schema.upgrade(engine)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))
    with engine.connect() as conn:
        write(conn, tables, drafts(1))
        conn.rollback()
    assert count(engine, tables) == (0, 0)
    with engine.connect() as conn:
        write(conn, tables, drafts(1))
        conn.commit()
    write(engine, tables, drafts(1))
    assert count(engine, tables) == (0, 2)


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
def test_a_host_whose_listener_sends_begin_itself_is_served(tmp_path, tables, drafts, begin):
    """The recipe by which SQLAlchemy makes savepoints of SQLite right."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'host.db'}")
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
    schema.upgrade(engine)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))

    def record(_):
        for _ in range(5):
            write(engine, tables, drafts(2))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(record, range(4)))
    with engine.connect() as conn:
        with conn.begin_nested():
            note(conn)
            write(conn, tables, drafts(1))
        conn.rollback()
    assert count(engine, tables) == (0, 40)
    engine.dispose()


def test_a_connection_in_autocommit_is_refused(postgres_url, tables, drafts):
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn, pytest.raises(StoreError, match="is in autocommit"):
        write(conn, tables, drafts(1))
    with pytest.raises(StoreError, match=r"is in autocommit.* or an Engine, that was made without"):
        write(engine, tables, drafts(1))
    engine.dispose()


def test_a_hosts_connection_in_autocommit_is_refused_on_sqlite_too(tmp_path, tables, drafts):
    """Its driver would honour a BEGIN; but nobody would commit it."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'host.db'}", isolation_level="AUTOCOMMIT")
    schema.upgrade(engine)
    with engine.connect() as conn, pytest.raises(StoreError, match="is in autocommit"):
        write(conn, tables, drafts(1))
    with engine.connect() as conn:
        serializable = conn.execution_options(isolation_level="SERIALIZABLE")
        write(serializable, tables, drafts(1))
        serializable.commit()
    engine.dispose()


def test_in_memory_a_nested_transaction_joins_the_outer_one(tables, drafts):
    engine = engines.engine_for(":memory:")
    schema.upgrade(engine)
    first, second, third = drafts(3)
    with transaction.reading(engine) as outer:
        write(engine, tables, [first])
        head = read.head(outer, tables, "default")
        assert head is not None
        assert head.size == 1
    with transaction.writing(engine) as outer:
        write(engine, tables, [second])
        with transaction.reading(engine) as inner:
            assert inner is outer
        with pytest.raises(AlreadyRecorded):
            write(engine, tables, [second])
        write(engine, tables, [third])
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
    assert head is not None
    assert head.size == 3
    engine.dispose()


def test_a_lock_held_by_another_is_told(tmp_path, tables, drafts):
    path = tmp_path / "claims.db"
    schema.upgrade(mine := engines.engine_for(path))
    other = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
    with transaction.writing(mine), pytest.raises(StoreError, match="write lock") as caught:
        write(other, tables, drafts(1))
    assert caught.value.stored == "no"
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    mine.dispose()
    other.dispose()


def test_a_database_that_is_read_only_is_told(tmp_path, tables, drafts):
    path = tmp_path / "claims.db"
    schema.upgrade(mine := engines.engine_for(path))
    mine.dispose()
    engine = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(StoreError, match="read-only here, so nothing was written"):
        write(engine, tables, drafts(1))
    engine.dispose()


def test_a_connection_lost_before_the_commit_leaves_the_outcome_open(postgres_url, tables, drafts):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)

    def write_and_lose():
        with transaction.writing(engine) as conn:
            append(conn, tables, lock_head(conn, tables, "default"), drafts(1))
            end(conn)

    def end(conn):
        with engine.connect() as other:
            number = conn.connection.driver_connection.info.backend_pid
            other.execute(text("SELECT pg_terminate_backend(:n, 5000)"), {"n": number})

    with pytest.raises(StoreError, match="may be stored or not") as caught:
        write_and_lose()
    assert caught.value.stored == "unknown"
    write(engine, tables, drafts(1))

    def lose_and_write():
        with transaction.writing(engine) as conn:
            end(conn)
            append(conn, tables, lock_head(conn, tables, "default"), drafts(1))

    with pytest.raises(StoreError, match="Nothing was written") as caught:
        lose_and_write()
    assert caught.value.stored == "no"
    engine.dispose()


def test_an_answer_stands_whose_connection_is_lost_at_the_end(postgres_url):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    Ledger(engine).register(Party("mill", name="Mill"))

    @sa.event.listens_for(engine, "commit")
    def lose(conn):
        conn.connection.driver_connection.close()

    for _ in range(2):
        assert [one.id for one in Ledger(engine).as_of().parties()] == ["mill"]
    engine.dispose()


def test_a_serializable_host_is_told_to_run_again(postgres_url, tables, drafts):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    write(engine, tables, drafts(1))
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        conn.execute(sa.select(tables.log)).all()
        write(engine, tables, drafts(1))
        with pytest.raises(StoreError, match="must be run again"):
            write(conn, tables, drafts(1))
    engine.dispose()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has no attribute autocommit yet")
def test_sqlite_that_is_always_in_a_transaction_takes_the_write_lock_first(tmp_path):
    engine = sa.create_engine(
        f"sqlite:///{tmp_path / 'host.db'}", connect_args={"autocommit": False, "timeout": 60}
    )
    schema.upgrade(engine)
    errors = []

    def work(name):
        try:
            for number in range(10):
                Ledger(engine).register(Party(f"{name}{number}", name="Somebody"))
        except LedgerError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Ledger(engine).verify().size == 60
    engine.dispose()
