"""From a path or a URL to an engine, and the refusal of what is not ours."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sqlite3
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party, Proposition
from ledger.errors import ForeignDatabase, MissingExtra, StoreError
from ledger.store import engines, schema
from ledger.store.append import lock_head
from ledger.store.layout import Layout


def pragma(engine, name):
    with engine.connect() as conn:
        return conn.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize("as_text", [True, False])
def test_a_new_file_is_set_up_and_marked(tmp_path, as_text):
    path = tmp_path / "claims.db"
    engine = engines.engine_for(str(path) if as_text else path)
    schema.upgrade(engine)
    assert pragma(engine, "page_size") == 8192
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "synchronous") == 2
    assert pragma(engine, "busy_timeout") == 10_000
    engine.dispose()
    with path.open("rb") as file:
        assert file.read(72)[68:] == b"Ledg"
    again = engines.engine_for(f"sqlite:///{path}")
    with again.connect() as conn:
        schema.check(conn, Layout())
    again.dispose()


def test_a_file_that_got_no_tables_is_marked_when_it_gets_them(tmp_path):
    path = tmp_path / "claims.db"
    stopped = engines.engine_for(path)
    assert pragma(stopped, "journal_mode") == "wal"
    stopped.dispose()
    with path.open("rb") as file:
        assert file.read(72)[68:] == bytes(4)
    again = engines.engine_for(path)
    schema.upgrade(again)
    assert pragma(again, "application_id") == engines.APPLICATION_ID
    assert pragma(again, "journal_mode") == "wal"
    again.dispose()


def test_a_file_that_holds_anothers_tables_is_not_marked(tmp_path):
    path = tmp_path / "host.db"
    with contextlib.closing(sqlite3.connect(path)) as host:
        host.execute("CREATE TABLE of_the_host (id INTEGER PRIMARY KEY)")
    beside = engines.engine_for(path, beside=True)
    schema.upgrade(beside)
    assert pragma(beside, "application_id") == 0
    assert pragma(beside, "journal_mode") == "delete"
    beside.dispose()


def test_a_new_file_that_another_writes_to_is_waited_for(tmp_path):
    path = tmp_path / "claims.db"
    with contextlib.closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        soon = threading.Timer(0.2, other.execute, ["ROLLBACK"])
        soon.start()
        engine = engines.engine_for(path)
        schema.upgrade(engine)
        soon.join()
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "application_id") == engines.APPLICATION_ID
    engine.dispose()


def test_a_file_that_another_marked_keeps_its_mark(tmp_path):
    path = tmp_path / "host.db"
    with contextlib.closing(sqlite3.connect(path)) as host:
        host.execute("PRAGMA application_id = 7")
    engine = engines.engine_for(path)
    schema.upgrade(engine)
    assert pragma(engine, "application_id") == 7
    assert pragma(engine, "journal_mode") == "delete"
    engine.dispose()


@pytest.mark.parametrize("foreign", [False, True])
def test_what_was_cut_off_inside_a_transaction_is_taken_back_first(tmp_path, foreign):
    path, journal = tmp_path / "cut.db", tmp_path / "cut.db-journal"
    with contextlib.closing(sqlite3.connect(tmp_path / "whole.db")) as whole:
        whole.execute("CREATE TABLE of_the_host (id)" if foreign else "PRAGMA user_version = 1")
        whole.execute("PRAGMA cache_size = 1")
        whole.execute("BEGIN")
        whole.execute("CREATE TABLE unfinished (words)")
        whole.executemany("INSERT INTO unfinished VALUES (?)", [("word " * 1000,)] * 9)
        shutil.copy(tmp_path / "whole.db", path)
        shutil.copy(tmp_path / "whole.db-journal", journal)
    if foreign:
        with pytest.raises(ForeignDatabase, match="holds of_the_host, and no"):
            engines.engine_for(path)
        return
    engine = engines.engine_for(path)
    schema.upgrade(engine)
    with engine.connect() as conn:
        assert "unfinished" not in sa.inspect(conn).get_table_names()
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("On 12 December the road was blocked, they said.\n")
    with pytest.raises(ForeignDatabase, match="is no SQLite database"):
        engines.engine_for(path)


def test_a_damaged_database_is_refused(tmp_path):
    path = tmp_path / "claims.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4000)
    with pytest.raises(ForeignDatabase, match="cannot be read as an SQLite database"):
        engines.engine_for(path)


def test_anothers_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "app.db"
    connection = sqlite3.connect(path)
    for number in range(7):
        connection.execute(f"CREATE TABLE app_{number} (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ForeignDatabase, match="app_0, app_1, app_2, app_3, app_4 and 2 more"):
        engines.engine_for(path)
    assert path.read_bytes() == before


def test_anothers_database_that_holds_a_ledger_is_taken(tmp_path):
    path = tmp_path / "app.db"
    host = sa.create_engine(f"sqlite:///{path}")
    with host.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE app (x)")
    schema.upgrade(host, Layout(prefix="claims_"))
    host.dispose()
    with pytest.raises(ForeignDatabase, match="and no ledger_log"):
        engines.engine_for(path)
    engines.engine_for(path, layout=Layout(prefix="claims_")).dispose()


def test_a_file_that_stops_being_a_database_is_told(tmp_path):
    path = tmp_path / "claims.db"
    engine = engines.engine_for(path)
    path.write_bytes(b"no database at all " * 500)
    with pytest.raises(ForeignDatabase, match="no SQLite database"):
        schema.upgrade(engine)
    engine.dispose()


def test_a_missing_directory_is_told(tmp_path):
    with pytest.raises(StoreError, match="There is no directory"):
        engines.engine_for(tmp_path / "nowhere" / "claims.db")


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(StoreError, match="is a directory"):
        engines.engine_for(tmp_path)


@pytest.mark.parametrize("url", ["mysql://localhost/x", "claims://x", "http://", "://x"])
def test_a_url_of_neither_engine_is_refused(url):
    with pytest.raises(StoreError, match="Type a file path"):
        engines.engine_for(url)


@pytest.mark.parametrize(
    "url, typed",
    [
        ("sqlite://claims.db", "sqlite:///claims.db with three slashes, or the path alone: claims"),
        ("sqlite://data/claims.db", "sqlite:///data/claims.db with three slashes"),
        ("sqlite:claims.db", "or the path alone: claims.db"),
        ("sqlite:/data/claims.db", "or the path alone: /data/claims.db"),
        ("postgresql:claims", "that of a server with postgresql://"),
        ("claims\0.db", "holds a NUL"),
    ],
)
def test_half_a_url_is_refused_and_no_file_of_that_name_is_made(tmp_path, monkeypatch, url, typed):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as refused:
        engines.engine_for(url)
    assert typed in str(refused.value)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_url_is_served_by_psycopg(scheme):
    engine = engines.engine_for(f"{scheme}://somebody@localhost/claims")
    assert (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg")


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'claimledger\[postgres\]'"):
        engines.engine_for("postgresql://localhost/claims")


@pytest.mark.parametrize("target", [":memory:", "sqlite://", "sqlite:///:memory:"])
def test_each_engine_in_memory_is_a_database_of_its_own(target):
    one, two = engines.engine_for(target), engines.engine_for(target)
    schema.upgrade(one)
    with one.connect() as conn:
        assert schema.revision(conn, Layout()) == schema.REVISION
    with two.connect() as conn:
        assert schema.revision(conn, Layout()) is None
    one.dispose()
    two.dispose()


def test_a_driver_that_cannot_bind_arrays_is_refused(tables):
    engine = sa.create_mock_engine("postgresql+psycopg2://", executor=lambda *_: None)
    conn: Any = types.SimpleNamespace(dialect=engine.dialect)
    with pytest.raises(StoreError, match=r"postgresql\+psycopg2. Make the engine with"):
        lock_head(conn, tables, "default")


def test_opening_a_database_drops_no_lock_that_this_process_has_on_it(tmp_path):
    path = tmp_path / "claims.db"
    host = sa.create_engine(f"sqlite:///{path}")
    schema.upgrade(host)  # journals with a file beside it: its locks are on the database
    script = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    )
    with host.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        engines.engine_for(path).dispose()
        other = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
        )
    host.dispose()
    assert "database is locked" in other.stderr


def test_a_path_is_never_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sqlite:data").mkdir()
    engine = engines.engine_for(Path("sqlite:data") / "claims.db")
    with engine.connect() as conn:
        conn.execute(sa.text("SELECT 1"))
    engine.dispose()
    assert (tmp_path / "sqlite:data" / "claims.db").exists()


ODD_DATABASES = {
    "without an encoding": (
        "TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
        "",
    ),
    "of one byte a letter": (
        "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "",
    ),
    "with German dates": ("", "SET datestyle = 'German, DMY'"),
    "in Tokyo": ("", "SET timezone = 'Asia/Tokyo'"),
    "with escapes": ("", "SET bytea_output = 'escape'"),
    "serializable": ("", "SET default_transaction_isolation = 'serializable'"),
}


@pytest.mark.parametrize("which", ODD_DATABASES)
def test_a_server_may_be_set_up_in_its_own_way(new_postgres, which):
    how, setting = ODD_DATABASES[which]
    with new_postgres(how) as url:
        if setting:
            server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
            with server.connect() as conn:
                conn.exec_driver_sql(f"ALTER DATABASE {conn.engine.url.database} {setting}")
            server.dispose()
        with Ledger.open(url) as ledger:
            ledger.register(Party("zizkov", name="Žižkov “日本” 😀"))
            ledger.register(Proposition("shut", text="Zavřeno"))
            for number in range(12):
                ledger.record(
                    claimant="zizkov", act="assert", proposition="shut", note=f"ř {number}"
                )
            size = ledger.verify().size
        with Ledger.open(url) as ledger:
            assert ledger.verify().size == size
            assert "Žižkov “日本” 😀 supported “Zavřeno”" in str(ledger.position("zizkov", "shut"))


def test_a_search_path_that_leads_nowhere_is_told_of(postgres_url):
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as conn:
        conn.exec_driver_sql(f"ALTER DATABASE {server.url.database} SET search_path = nowhere")
    server.dispose()
    with pytest.raises(StoreError, match=r"None of the schemas .* Layout\(schema='claims'\)"):
        Ledger.open(postgres_url)
    with Ledger.open(postgres_url, layout=Layout(schema="claims")) as ledger:
        assert ledger.verify().size == 0
