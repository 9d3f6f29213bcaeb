"""An append that goes past SQLAlchemy: its arrays, its errors, and who hears of it all the same."""

from __future__ import annotations

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import AlreadyRecorded, StoreError
from ledger.store import read, schema, transaction
from ledger.store.append import put
from ledger.store.arrays import Blobs, Instants, Numbers, Texts, takes_arrays
from tests.waiting import until

BIGGEST = 2**63 - 1
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
instants = st.datetimes(timezones=st.just(dt.UTC))


@pytest.fixture
def engine(postgres_url):
    made = sa.create_engine(postgres_url)
    schema.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def connection(postgres_server):
    made = sa.create_engine(postgres_server)
    with made.connect() as conn:
        assert takes_arrays(conn)
        yield conn
    made.dispose()


def put_into(engine, tables, drafts):
    with transaction.writing(engine, once=True) as conn:
        return put(conn, tables, "default", drafts)


def rows_of(engine, tables):
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        return [] if head is None else list(read.rows(conn, tables, head.log_id))


@pytest.mark.parametrize(
    "kind, type_, items",
    [
        (Texts, "text[]", st.none() | texts),
        (Blobs, "bytea[]", st.none() | st.binary()),
        (Numbers, "bigint[]", st.none() | st.integers(-BIGGEST, BIGGEST)),
        (Instants, "timestamptz[]", instants),
    ],
)
@given(data=st.data())
def test_an_array_is_read_by_the_server_as_what_it_was_made_of(
    connection, kind, type_, items, data
):
    items = data.draw(st.lists(items, min_size=1))
    connection.exec_driver_sql("SET LOCAL TimeZone TO 'UTC'")
    told = connection.exec_driver_sql(
        f"SELECT %(given)b::{type_}, pg_typeof(%(given)b)::text", {"given": kind(items)}
    ).one()
    assert told == (items, type_.replace("timestamptz", "timestamp with time zone"))


def test_a_client_of_another_encoding_is_served(postgres_url, tables, drafts):
    engine = sa.create_engine(postgres_url, connect_args={"client_encoding": "LATIN1"})
    schema.upgrade(engine)
    words = drafts(2, ids=["é", "ü"], slots=("who", "words"))
    put_into(engine, tables, words)
    with engine.connect() as conn:
        assert not takes_arrays(conn)
    assert [row.id for row in rows_of(engine, tables)] == ["é", "ü"]
    engine.dispose()


def test_a_server_that_does_not_answer_is_told(postgres_url, tables, drafts):
    engine = sa.create_engine(sa.make_url(postgres_url).set(host="127.0.0.1", port=1, query={}))
    with pytest.raises(StoreError, match="could not be reached"):
        put_into(engine, tables, drafts(1))


def test_a_server_that_does_not_answer_any_more_is_told(engine, tables, drafts):
    put_into(engine, tables, drafts(1))
    engine.dispose()

    @sa.event.listens_for(engine, "do_connect")
    def _(_dialect, _record, _given, named):
        named.update(host="127.0.0.1", port=1)

    with pytest.raises(StoreError, match="could not be reached"):
        put_into(engine, tables, drafts(1))


def test_a_lost_connection_takes_the_others_of_its_pool_along(engine, tables, drafts):
    with engine.connect() as one, engine.connect() as other:
        lost = [
            conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for conn in (one, other)
        ]
    with engine.connect() as conn:
        mine = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        assert mine in lost
    with psycopg.connect(
        engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    ) as by:
        for pid in lost:
            by.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(StoreError) as caught:
        put_into(engine, tables, drafts(1, ids=["a"]))
    assert caught.value.stored == "unknown"
    for id_ in ("a", "b"):
        put_into(engine, tables, drafts(1, ids=[id_]))
    assert [row.id for row in rows_of(engine, tables)] == ["a", "b"]


def test_a_table_that_is_gone_is_told(engine, tables, drafts):
    put_into(engine, tables, drafts(1))
    with engine.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE ledger_stream RENAME TO taken_away")
    with pytest.raises(StoreError, match="lacks a table"):
        put_into(engine, tables, drafts(1))


def test_a_refusal_leaves_the_pools_connection_as_it_was(engine, tables, drafts):
    put_into(engine, tables, drafts(1, ids=["a"]))
    with pytest.raises(AlreadyRecorded):
        put_into(engine, tables, drafts(1, ids=["a"]))
    assert engine.pool.checkedout() == 0
    with engine.connect() as conn:
        assert conn.connection.driver_connection.autocommit is False
    put_into(engine, tables, drafts(1, ids=["b"]))
    assert len(rows_of(engine, tables)) == 2


@pytest.mark.parametrize(
    "listened_to",
    ["begin", "before_cursor_execute", "after_cursor_execute", "do_execute", "engine_connect"],
)
def test_who_listens_to_the_engine_hears_of_an_append(engine, tables, drafts, listened_to):
    heard = []
    sa.event.listen(engine, listened_to, lambda *given: heard.append(given))
    put_into(engine, tables, drafts(1))
    assert heard


def test_an_engine_that_logs_its_statements_logs_an_append(postgres_url, tables, drafts, caplog):
    schema.upgrade(engine := sa.create_engine(postgres_url))
    engine.dispose()
    with caplog.at_level(logging.INFO, "sqlalchemy.engine"):
        engine = sa.create_engine(postgres_url)  # asks once whether it is to log
        put_into(engine, tables, drafts(1))
    assert any("INSERT INTO ledger_event" in record.getMessage() for record in caplog.records)
    engine.dispose()


@pytest.mark.parametrize("moment", ["connect", "checkout"])
def test_a_listener_that_leaves_a_transaction_open_is_told_what_to_do(
    postgres_url, tables, drafts, moment
):
    schema.upgrade(plain := sa.create_engine(postgres_url))
    engine = sa.create_engine(postgres_url, pool_size=1, max_overflow=0, pool_timeout=2)
    put_into(engine, tables, drafts(1, ids=["a"]))
    engine.dispose()

    @sa.event.listens_for(engine, moment)
    def _(connection, *_):
        connection.execute("SET application_name TO 'host'")
        if ends:
            connection.commit()

    ends = False
    with pytest.raises(StoreError, match="let it commit"):
        put_into(engine, tables, drafts(1))
    with pytest.raises(StoreError, match="let it commit"):
        rows_of(engine, tables)
    ends = True
    put_into(engine, tables, drafts(1, ids=["b"]))
    assert [row.id for row in rows_of(plain, tables)] == ["a", "b"]
    engine.dispose()
    plain.dispose()


def test_the_first_append_of_an_engine_heeds_how_the_server_isolates(postgres_url, tables, drafts):
    schema.upgrade(engine := sa.create_engine(postgres_url))
    put_into(engine, tables, drafts(1, ids=["a"]))
    options = {"options": "-c default_transaction_isolation=serializable"}
    fresh = sa.create_engine(postgres_url, connect_args=options)
    server = engine.execution_options(isolation_level="AUTOCOMMIT")
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor() as beside, server.connect() as watching:
        with transaction.writing(engine) as conn:
            put(conn, tables, "default", drafts(1, ids=["b"]))
            late = beside.submit(put_into, fresh, tables, drafts(1, ids=["c"]))
            until(lambda: watching.scalar(waiting), "the other waits for the head")
        late.result()
    assert [row.id for row in rows_of(engine, tables)] == ["a", "b", "c"]
    for one in (engine, fresh):
        one.dispose()
