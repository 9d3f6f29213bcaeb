"""The tables by migration: as by metadata, beside a host's own, in a host's transaction."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ledger.errors import InvalidLayout, SchemaMissing, SchemaNewer, SchemaOutdated
from ledger.store import engines, schema, transaction
from ledger.store.layout import Layout
from ledger.store.tables import tables_for


@pytest.fixture
def engine(database):
    made = engines.engine_for(database)
    yield made
    made.dispose()


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
    for name in ("log", "event", "stream"):
        table, where = layout.table(name), layout.schema
        columns = inspector.get_columns(table, schema=where)
        told[name] = (
            [(c["name"], str(c["type"]), c["nullable"]) for c in columns],
            inspector.get_pk_constraint(table, schema=where),
            inspector.get_unique_constraints(table, schema=where),
        )
    return told


def test_the_last_migration_is_the_one_that_the_library_needs():
    script = ScriptDirectory.from_config(schema._config(Layout()))
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
