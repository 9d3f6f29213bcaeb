"""The tables by migration: as by metadata, beside a host's own, in a host's transaction."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from ledger.errors import (
    Invalid,
    InvalidLayout,
    SchemaMissing,
    SchemaNewer,
    SchemaOutdated,
    StoreError,
)
from ledger.store import engines, migrating, schema, transaction
from ledger.store.layout import Layout
from ledger.store.tables import tables_for


@pytest.fixture
def postgres(postgres_url):
    made = engines.engine_for(postgres_url)
    yield made
    made.dispose()


def layouts(engine):
    plain = [Layout(), Layout(prefix="claims_")]
    return plain if engine.dialect.name == "sqlite" else [*plain, Layout(schema="archive")]


def check(engine, layout):
    with transaction.reading(engine) as conn:
        schema.check(conn, layout)
        return schema.guards(conn, layout)


def shape(engine, layout):
    """Columns, keys and unique constraints as the database tells them."""
    inspector = sa.inspect(engine)
    told = {}
    for one in tables_for(layout).metadata.sorted_tables:
        name, table, where = one.name.removeprefix(layout.prefix), one.name, layout.schema
        columns = inspector.get_columns(table, schema=where)
        told[name] = (
            [(c["name"], str(c["type"]), c["nullable"]) for c in columns],
            inspector.get_pk_constraint(table, schema=where),
            inspector.get_unique_constraints(table, schema=where),
        )
    return told


def test_the_last_migration_is_the_one_that_the_library_needs():
    script = ScriptDirectory.from_config(migrating.config_for(Layout()))
    assert script.get_heads() == [schema.REVISION]
    assert all(each.revision.startswith("ledger_") for each in script.walk_revisions())


def test_without_tables_the_command_is_told(engine):
    with pytest.raises(SchemaMissing, match=r"there is no ledger_log.* Type: claims init "):
        check(engine, Layout())


def test_a_password_is_not_told(postgres_url):
    engine = sa.create_engine(sa.make_url(postgres_url).set(password="open-sesame"))
    with pytest.raises(SchemaMissing) as caught:
        check(engine, Layout())
    assert "open-sesame" not in str(caught.value)
    engine.dispose()


def test_upgrade_makes_what_the_metadata_says(engine):
    for layout in layouts(engine):
        schema.upgrade(engine, layout)
        assert check(engine, layout) == ()
        own = tables_for(layout).metadata

        def ours(name, kind, parents, own=own, layout=layout):
            if kind == "schema":
                return name == layout.schema
            return kind != "table" or parents["schema_qualified_table_name"] in own.tables

        with engine.connect() as conn:
            context = MigrationContext.configure(
                conn, opts={"include_name": ours, "include_schemas": layout.schema is not None}
            )
            assert compare_metadata(context, own) == []


def test_upgrade_equals_create_all(engine):
    """Types, names of keys and nullability too, which Alembic does not compare."""
    other = Layout(prefix="created_")
    schema.upgrade(engine, Layout())
    tables_for(other).metadata.create_all(engine)
    migrated, created = shape(engine, Layout()), shape(engine, other)
    assert repr(migrated).replace("ledger_", "created_") == repr(created)


def test_upgrading_again_changes_nothing(engine):
    schema.upgrade(engine)
    schema.upgrade(engine)
    assert check(engine, Layout()) == ()


def test_several_may_upgrade_at_once(engine):
    errors = []

    def run():
        try:
            schema.upgrade(engine)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert check(engine, Layout()) == ()


PROCESS = """
import sys, time
import sqlalchemy as sa
from ledger.store import schema
from ledger.store.layout import Layout
import alembic.command

engine = sa.create_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
schema.upgrade(engine)
with engine.connect() as conn:
    schema.check(conn, Layout())
"""


def test_several_processes_may_upgrade_at_once(engine, database):
    if database == "sqlite://":
        pytest.skip("what is in memory belongs to one process")
    schema.upgrade(engine, to="ledger_0001")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], told
    assert check(engine, Layout()) == ()


def test_threads_may_upgrade_several_databases_at_once(tmp_path):
    """Alembic keeps the running migration in global names; ours wait for one another."""
    made = [sa.create_engine(f"sqlite:///{tmp_path / str(number)}.db") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(schema.upgrade, made))
    for one in made:
        assert check(one, Layout()) == ()
        one.dispose()


STUMBLES = """
import sqlalchemy as sa
from alembic import op

revision = "ledger_9999"
down_revision = "{last}"
branch_labels = depends_on = None


def upgrade():
    op.create_table("ledger_half", sa.Column("id", sa.Integer()))
    op.execute("UPDATE ledger_log SET size = size + 1")
    op.execute("{stumble}")
"""


@pytest.mark.parametrize(
    "stumble", ["SELECT * FROM nowhere", "INSERT INTO ledger_log (origin, size) VALUES ('old', 5)"]
)
@pytest.mark.parametrize("start", [None, "ledger_0001", schema.REVISION])
def test_a_failed_upgrade_leaves_everything_as_it_was(
    engine, tmp_path, monkeypatch, stumble, start
):
    if start is not None:
        schema.upgrade(engine, to=start)
        with engine.begin() as conn:
            conn.execute(text("INSERT INTO ledger_log (origin, size) VALUES ('default', 0)"))
    before = contents(engine)
    shutil.copytree(migrating.folder(), tmp_path / "migrations")
    (tmp_path / "migrations" / "versions" / "ledger_9999.py").write_text(
        STUMBLES.format(last=schema.REVISION, stumble=stumble)
    )
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "folder", lambda: tmp_path / "migrations")
        patched.setattr(schema, "REVISION", "ledger_9999")
        with pytest.raises(StoreError):
            schema.upgrade(engine, to="ledger_9999")
        assert contents(engine) == before
        with engine.connect() as conn:
            with pytest.raises(StoreError):
                schema.upgrade(conn, to="ledger_9999")
            conn.execute(text("CREATE TABLE host_note (words text)"))
            conn.rollback()
    assert contents(engine) == before
    schema.upgrade(engine)
    assert check(engine, Layout()) == ()


def contents(engine):
    """Every table, its columns and its rows."""
    found = sa.MetaData()
    found.reflect(engine)
    with engine.connect() as conn:
        return {
            name: ([repr(column) for column in table.columns], conn.execute(table.select()).all())
            for name, table in found.tables.items()
        }


def test_an_unknown_revision_is_refused_with_what_to_type(engine):
    with pytest.raises(SchemaNewer, match="knows no revision 'ledger_4242' of the tables"):
        schema.upgrade(engine, to="ledger_4242")
    with pytest.raises(SchemaNewer, match="knows no revision"):
        schema.sql("sqlite", since="ledger_4242")
    with pytest.raises(SchemaNewer, match="knows no revision"):
        schema.sql("sqlite", to="head")
    assert sa.inspect(engine).get_table_names() == []


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_an_upgrade_belongs_to_the_hosts_transaction(engine, end):
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))
    with engine.connect() as conn:
        conn.execute(text("INSERT INTO host_note VALUES ('said')"))
        schema.upgrade(conn)
        schema.check(conn, Layout())
        getattr(conn, end)()
    with engine.connect() as conn:
        kept = conn.scalar(text("SELECT count(*) FROM host_note"))
        found = schema.revision(conn, Layout())
    assert (kept, found) == ((1, schema.REVISION) if end == "commit" else (0, None))


def test_a_failed_check_leaves_the_hosts_transaction_usable(engine):
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))
        with pytest.raises(SchemaMissing):
            schema.check(conn, Layout())
        conn.execute(text("INSERT INTO host_note VALUES ('said')"))
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM host_note")) == 1


def test_a_hosts_own_migrations_are_not_touched(engine):
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE alembic_version (version_num varchar(32))"))
        conn.execute(text("INSERT INTO alembic_version VALUES ('host_0042')"))
    schema.upgrade(engine)
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT version_num FROM alembic_version")) == "host_0042"


@pytest.mark.parametrize(
    "version, error, told",
    [
        ("ledger_0000", SchemaOutdated, "Type: claims init "),
        ("ledger_9999", SchemaNewer, "Type: pip install --upgrade claimledger"),
    ],
)
def test_another_version_is_refused_with_what_to_type(engine, version, error, told):
    schema.upgrade(engine)
    with engine.begin() as conn:
        conn.execute(text("UPDATE ledger_alembic_version SET version_num = :v"), {"v": version})
    with pytest.raises(error, match=told):
        check(engine, Layout())


def test_newer_tables_are_not_upgraded(engine):
    schema.upgrade(engine)
    with engine.begin() as conn:
        conn.execute(text("UPDATE ledger_alembic_version SET version_num = 'ledger_9999'"))
    with pytest.raises(SchemaNewer):
        schema.upgrade(engine)


def test_sqlite_has_no_schemas():
    engine = engines.engine_for(":memory:")
    for act in (schema.upgrade, check):
        with pytest.raises(InvalidLayout, match="SQLite has no schemas"):
            act(engine, Layout(schema="archive"))
    with pytest.raises(InvalidLayout, match="SQLite has no schemas"):
        schema.sql("sqlite", Layout(schema="archive"))
    engine.dispose()


@pytest.mark.parametrize(
    "bind, told",
    [
        (Session(), r"not on Session\. Type: schema\.upgrade\(session\.connection\(\)\)"),
        ("b.db", r"not on 'b\.db'\. Type: Ledger\.open\('b\.db'\), which makes them"),
        (create_async_engine("sqlite+aiosqlite://"), r"run_sync\(schema\.upgrade\)"),
        (3, r"not on int\. Type: schema\.upgrade\(engine\)"),
    ],
    ids=["a session", "a path", "an async engine", "a number"],
)
def test_what_tables_cannot_be_made_on_is_told_what_to_type(bind, told):
    with pytest.raises(Invalid, match=told) as caught:
        schema.upgrade(bind)
    assert (caught.value.field, caught.value.given) == ("bind", bind)


def test_sql_for_another_database_is_refused_with_what_to_type():
    told = r"not in 'mysql'\. Type: schema\.sql\(\"sqlite\"\) or schema\.sql\(\"postgresql\"\)"
    with pytest.raises(Invalid, match=told):
        schema.sql("mysql")  # type: ignore[arg-type]


def test_offline_sql_makes_the_same_tables_on_sqlite(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'by-hand.db'}")
    with engine.connect() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.executescript(schema.sql("sqlite"))
    assert check(engine, Layout()) == ()
    assert "%" not in schema.sql("sqlite")
    engine.dispose()


@pytest.mark.parametrize("layout", [Layout(), Layout(prefix="claims_", schema="archive")])
def test_offline_sql_makes_the_same_tables_on_postgresql(postgres, layout):
    with postgres.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.execute(schema.sql("postgresql", layout))
    assert check(postgres, layout) == ()
    before = shape(postgres, layout)
    other = Layout(prefix="upgraded_", schema=layout.schema)
    schema.upgrade(postgres, other)
    assert repr(shape(postgres, other)).replace("upgraded_", layout.prefix) == repr(before)


def test_slots_are_kept_as_they_are_on_postgresql(postgres):
    schema.upgrade(postgres)
    with postgres.connect() as conn:
        storage = conn.execute(
            text(
                "SELECT attname, attstorage FROM pg_attribute "
                "WHERE attrelid = 'ledger_event'::regclass AND attname LIKE 'slot%'"
            )
        ).all()
    assert {kind for _, kind in storage} == {"e"}
    assert len(storage) == 4


def test_reading_the_schema_does_not_import_alembic():
    code = "import sys, ledger.store.schema; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
