"""What an append says when the database cannot: nothing half-written, and whether it is stored."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.errors import HeadMismatch, StoreError
from ledger.store import engines, read, schema, transaction
from ledger.store.append import append, lock_head, put
from ledger.store.audit import audit
from ledger.store.refusals import passes, refusal


def put_into(bind, tables, drafts, **how):
    with transaction.writing(bind, once=True) as conn:
        return put(conn, tables, "default", drafts, **how)


def size(engine, tables):
    with transaction.reading(engine) as conn:
        head = read.head(conn, tables, "default")
        return 0 if head is None else head.size


def test_a_pool_without_a_free_connection_is_told(tmp_path, tables, drafts):
    engine = sa.create_engine(
        f"sqlite:///{tmp_path / 'claims.db'}", pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    schema.upgrade(engine)
    with engine.connect(), pytest.raises(StoreError, match="pool_size") as caught:
        put_into(engine, tables, drafts(1))
    assert caught.value.stored == "no"
    put_into(engine, tables, drafts(1))
    engine.dispose()


LEAVES_OUT = {
    "sqlite": "CREATE TRIGGER odd BEFORE INSERT ON {0} WHEN {1} BEGIN SELECT RAISE(IGNORE); END",
    "postgresql": "CREATE TRIGGER odd BEFORE INSERT ON {0} FOR EACH ROW WHEN ({1}) "
    "EXECUTE FUNCTION nothing()",
}
NOTHING = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"


def leave_out(conn, table, which):
    """Let a trigger leave out rows of a table."""
    kind = conn.dialect.name
    if kind == "postgresql":
        conn.exec_driver_sql(NOTHING)
    conn.exec_driver_sql(LEAVES_OUT[kind].format(table, which))


@pytest.mark.parametrize(
    "which, many", [("NEW.seq > 0", 1), ("NEW.seq = 2", 2), ("NEW.seq = 5001", 5_001)]
)
def test_rows_that_a_trigger_leaves_out_are_no_append(engine, tables, drafts, which, many):
    put_into(engine, tables, drafts(1))
    with engine.begin() as conn:
        leave_out(conn, "ledger_event", which)
    with transaction.writing(engine) as conn:
        head = lock_head(conn, tables, "default")
    with pytest.raises(StoreError, match="left out rows of ledger_event") as caught:
        put_into(engine, tables, drafts(many))
    assert caught.value.stored == "no"
    with (
        pytest.raises(StoreError, match="left out rows"),
        transaction.writing(engine) as conn,
    ):
        append(conn, tables, head, drafts(many))
    assert size(engine, tables) == 1
    with engine.begin() as conn:
        on = " ON ledger_event" if engine.dialect.name == "postgresql" else ""
        conn.exec_driver_sql(f"DROP TRIGGER odd{on}")
    put_into(engine, tables, drafts(many))
    assert size(engine, tables) == 1 + many


def test_a_stream_that_a_trigger_leaves_out_is_refused_or_found(engine, tables, drafts):
    """On PostgreSQL counting it would cost each append a twentieth."""
    put_into(engine, tables, drafts(1))
    with engine.begin() as conn:
        leave_out(conn, "ledger_stream", "NEW.version >= 0")
    if engine.dialect.name == "sqlite":
        with pytest.raises(StoreError, match="left out rows of ledger_stream"):
            put_into(engine, tables, drafts(3))
        assert size(engine, tables) == 1
        return
    put_into(engine, tables, drafts(3))
    with transaction.reading(engine) as conn, pytest.raises(HeadMismatch, match="at version -1"):
        audit(conn, tables, "default")


SPEAKS = {
    "sqlite": "BEGIN SELECT RAISE(ABORT, 'not on Sundays'); END",
    "postgresql": "FOR EACH ROW EXECUTE FUNCTION speaks()",
}


@pytest.mark.parametrize("table", ["ledger_event", "ledger_stream"])
def test_a_trigger_that_refuses_is_told_in_its_own_words(engine, tables, drafts, table):
    put_into(engine, tables, drafts(1))
    with engine.begin() as conn:
        if engine.dialect.name == "postgresql":
            conn.exec_driver_sql(
                "CREATE FUNCTION speaks() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN RAISE EXCEPTION ''not on Sundays''; END'"
            )
        conn.exec_driver_sql(f"CREATE TRIGGER odd BEFORE INSERT ON {table} {SPEAKS[engine.name]}")
    with pytest.raises(StoreError, match="not on Sundays") as caught:
        put_into(engine, tables, drafts(1))
    assert caught.value.stored == "no"
    assert size(engine, tables) == 1


def test_a_head_that_a_trigger_keeps_where_it_is_ends_in_an_error(postgres_url, tables, drafts):
    engine = sa.create_engine(postgres_url)
    schema.upgrade(engine)
    put_into(engine, tables, drafts(1))
    with engine.begin() as conn:
        conn.exec_driver_sql(NOTHING)
        conn.exec_driver_sql(
            "CREATE TRIGGER odd BEFORE UPDATE ON ledger_log FOR EACH ROW EXECUTE FUNCTION nothing()"
        )
    with pytest.raises(StoreError, match="left out rows of ledger_log"):
        put_into(engine, tables, drafts(1))
    engine.dispose()


def forget_statements(connection, *_):
    """What a pooler does: the next transaction finds another connection of the server."""
    connection.pgconn.exec_(b"DEALLOCATE ALL")


def test_a_pooler_that_loses_prepared_statements_is_told_of(postgres_url, tables, drafts):
    between = engines.engine_for(postgres_url)
    schema.upgrade(between)
    sa.event.listen(between, "checkin", forget_statements)

    def often(engine):
        for _ in range(20):
            put_into(engine, tables, drafts(1))

    told = r"behind a pooler.* Put \?prepare_threshold=none"
    with pytest.raises(StoreError, match=told) as caught:
        often(between)
    assert caught.value.stored == "no"
    between.dispose()
    url = sa.make_url(postgres_url).update_query_dict({"prepare_threshold": "none"})
    unprepared = engines.engine_for(url.render_as_string(hide_password=False))
    before = size(unprepared, tables)
    with unprepared.connect() as conn:
        # What is set for a session would be set for others behind the same pooler.
        assert conn.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
    sa.event.listen(unprepared, "checkin", forget_statements)
    often(unprepared)
    assert size(unprepared, tables) == before + 20
    unprepared.dispose()


@pytest.mark.parametrize("given", ["never", "-1", "5.5"])
def test_a_threshold_that_is_no_number_is_refused(given):
    with pytest.raises(StoreError, match=r"no number. Type \?prepare_threshold=none"):
        engines.engine_for(f"postgresql://reader@db.example/claims?prepare_threshold={given}")


def test_a_full_database_keeps_nothing_of_the_append(tmp_path, tables, drafts):
    engine = engines.engine_for(tmp_path / "claims.db")
    schema.upgrade(engine)
    put_into(engine, tables, drafts(1))

    @sa.event.listens_for(engine, "checkout")
    def no_room(connection, *_):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(StoreError, match="disk is full, so nothing was written") as caught:
        put_into(engine, tables, drafts(2_000))
    assert caught.value.stored == "no"
    sa.event.remove(engine, "checkout", no_room)
    engine.dispose()
    assert size(engine, tables) == 1
    put_into(engine, tables, drafts(2_000))
    assert size(engine, tables) == 2_001
    engine.dispose()


@pytest.mark.parametrize("many", [1, 5_001])
def test_a_server_that_ends_the_connection_leaves_the_outcome_open(
    postgres_url, tables, drafts, many
):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    given = drafts(many)

    def write_and_lose():
        with transaction.writing(engine, once=True) as conn:
            driver: Any = conn.connection.driver_connection
            number = driver.info.backend_pid
            with engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:n, 5000)"), {"n": number})
            put(conn, tables, "default", given)

    with pytest.raises(StoreError, match="may be stored or not") as caught:
        write_and_lose()
    assert caught.value.stored == "unknown"
    assert put_into(engine, tables, given).size == many
    engine.dispose()


def test_a_server_that_is_not_there_is_told(tables, drafts):
    engine = engines.engine_for("postgresql://nobody@localhost:1/claims")
    with pytest.raises(StoreError, match="could not be reached") as caught:
        put_into(engine, tables, drafts(1))
    assert caught.value.stored == "no"


class Starting(Exception):
    """What asyncpg raises of a server that is not up yet."""

    sqlstate = "57P03"


def test_a_server_that_is_starting_is_told_as_one_to_wait_for():
    told = refusal(DBAPIError("", {}, Starting("the database system is starting up")))
    assert "takes no connections now" in str(told)
    assert isinstance(told, StoreError)
    told.__cause__ = Starting()
    assert passes(told)


def test_a_read_only_server_is_told(postgres_url, tables, drafts):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    reader = sa.create_engine(
        engine.url, connect_args={"options": "-c default_transaction_read_only=on"}
    )
    with pytest.raises(StoreError, match="read-only here") as caught:
        put_into(reader, tables, drafts(1))
    assert caught.value.stored == "no"
    reader.dispose()
    engine.dispose()


def test_a_server_that_is_read_only_stays_so_for_a_host_whose_log_was_read(postgres_url, tables):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    reader = sa.create_engine(
        engine.url, connect_args={"options": "-c default_transaction_read_only=on"}
    )
    assert size(reader, tables) == 0
    with pytest.raises(DBAPIError, match="read-only transaction"), reader.begin() as conn:
        conn.execute(text("CREATE TABLE note (words text)"))
    reader.dispose()
    engine.dispose()


def test_whoever_is_handed_a_connection_to_read_with_cannot_write(postgres_url):
    engine = engines.engine_for(postgres_url)
    with pytest.raises(StoreError, match="read-only here"), transaction.reading(engine) as conn:
        conn.execute(text("CREATE TABLE note (words text)"))
    engine.dispose()


def test_a_head_locked_for_too_long_is_told(postgres_url, tables, drafts):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    put_into(engine, tables, drafts(1))
    hasty = sa.create_engine(engine.url, connect_args={"options": "-c lock_timeout=50"})
    with transaction.writing(engine) as conn:
        put(conn, tables, "default", drafts(1))
        with pytest.raises(StoreError, match="write lock for too long"):
            put_into(hasty, tables, drafts(1))
    assert size(engine, tables) == 2
    hasty.dispose()
    engine.dispose()


def test_a_statement_that_was_cancelled_is_told_as_that(postgres_url, tables, drafts):
    """By the server's own time-out, or by somebody: the lock may have been free."""
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    hasty = sa.create_engine(engine.url, connect_args={"options": "-c statement_timeout=50"})
    with transaction.writing(engine) as conn:
        put(conn, tables, "default", drafts(1))
        with pytest.raises(StoreError, match=r"cancelled.*statement_timeout.*Nothing was written"):
            put_into(hasty, tables, drafts(1))
    assert size(engine, tables) == 1
    hasty.dispose()
    engine.dispose()


@pytest.mark.parametrize("notify", [True, False])
def test_listeners_are_told_of_each_append_unless_it_is_switched_off(
    postgres_url, tables, drafts, notify
):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    first = put_into(engine, tables, drafts(1))
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as conn:
        conn.execute(text(f"LISTEN ledger_log_{first.log_id}"))
        put_into(engine, tables, drafts(5_001), notify=notify)
        with transaction.reading(engine) as other:
            head = read.head(other, tables, "default")
        assert head is not None
        with transaction.writing(engine, once=True) as other:
            append(other, tables, head, drafts(2), notify=notify)
        driver: Any = conn.connection.driver_connection
        within: dict[str, Any] = {"timeout": 30, "stop_after": 2} if notify else {"timeout": 0.2}
        told = [*driver.notifies(**within)]
    assert [note.payload for note in told] == ["", ""] * notify
    engine.dispose()


def test_an_append_reads_as_few_rows_of_a_long_log_as_of_a_young_one(postgres_url, tables, drafts):
    """Without ANALYZE, and with statements whose plans were made while the tables were empty."""
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    with engine.begin() as conn:
        for table in (tables.log, tables.event, tables.stream):
            conn.execute(text(f"ALTER TABLE {table.name} SET (autovacuum_enabled = off)"))

    def read_by(work):
        def rows():
            with engine.connect() as conn:
                conn.execute(text("SELECT pg_stat_force_next_flush()"))
                conn.commit()
                return conn.scalar(
                    text("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables")
                )

        before = rows()
        work()
        return rows() - before

    def write(version):
        for stream in "abcdefghijkl":
            put_into(engine, tables, drafts(1, stream=stream, version=version))
            with transaction.reading(engine) as conn:
                head = read.head(conn, tables, "default")
            assert head is not None
            with transaction.writing(engine, once=True) as conn:
                append(conn, tables, head, drafts(1))

    young = read_by(lambda: write(0))
    put_into(engine, tables, drafts(3_000))
    long = read_by(lambda: write(1))
    assert young > 0
    assert long < young + 24 * 10
    engine.dispose()
