"""A new database is made at once, and is the one that the migrations make, to the last trigger.

`make fresh` writes the statements anew, after a new migration.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from ledger import Ledger
from ledger.errors import StoreError
from ledger.store import fresh, migrating, schema, transaction
from ledger.store.layout import Layout

DIALECTS = ("sqlite", "postgresql")
NAMED = Layout(prefix="prefix__")
LAYOUTS = {
    "sqlite": [Layout(), Layout(prefix="claims_")],
    "postgresql": [Layout(), Layout(prefix="claims_"), Layout(prefix="c_", schema="archive")],
}
ON_ITS_WAY = re.compile(
    r"BEGIN|COMMIT|CREATE SCHEMA .*|(INSERT INTO|UPDATE) \S*alembic_version .*", re.DOTALL
)
MADE = re.compile(r"CREATE TRIGGER (\w+) .*|ALTER TABLE \S+ ENABLE ALWAYS TRIGGER (\w+)", re.DOTALL)
DROPPED = re.compile(r"DROP TRIGGER (\w+)\b.*")

SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
POSTGRES = (
    (
        "SELECT c.relname, c.relkind, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), "
        "a.attnotnull, a.attidentity, a.attstorage, pg_get_expr(d.adbin, d.adrelid) "
        "FROM pg_class AS c "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_attrdef AS d "
        "ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE {home} = c.relnamespace ORDER BY 1, 3"
    ),
    (
        "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE {home} = connamespace ORDER BY 1"
    ),
    "SELECT indexname, indexdef FROM pg_indexes WHERE {home} = schemaname::regnamespace ORDER BY 1",
    (
        "SELECT t.tgname, t.tgenabled, pg_get_triggerdef(t.oid) FROM pg_trigger AS t "
        "JOIN pg_class AS c ON c.oid = t.tgrelid "
        "WHERE {home} = c.relnamespace AND NOT tgisinternal ORDER BY 1"
    ),
    (
        "SELECT proname, pg_get_functiondef(oid), proconfig, proacl FROM pg_proc "
        "WHERE {home} = pronamespace ORDER BY 1"
    ),
)


def drawn(dialect):
    """What is left of all migrations where nothing is there yet, with holes for the names."""
    layout = NAMED if dialect == "sqlite" else Layout(prefix=NAMED.prefix, schema="schema__")
    script = migrating.write(dialect, layout, "base", schema.REVISION)
    left: list[str] = []
    for one in re.sub(r"^-- .*\n", "", script, flags=re.MULTILINE).split(fresh.END):
        statement = one.strip()
        if dropped := DROPPED.fullmatch(statement):
            left = [
                each
                for each in left
                if not (made := MADE.fullmatch(each)) or dropped[1] not in made.groups()
            ]
        elif statement and not ON_ITS_WAY.fullmatch(statement):
            left.append(statement)
    versions = layout.qualified(schema.VERSION_TABLE)
    left.append(f"INSERT INTO {versions} (version_num) VALUES ('{schema.REVISION}')")
    whole = "".join(re.sub(r" +$", "", one, flags=re.MULTILINE) + fresh.END for one in left)
    return whole.replace("schema__.", fresh.SCHEMA).replace(layout.prefix, fresh.PREFIX)


def file(dialect):
    return migrating.folder() / "fresh" / f"{schema.REVISION}.{dialect}.sql"


def everything(conn, layout):
    """What the database's own catalogue says of our tables, and the row of the version."""
    home = f"'{layout.schema or 'public'}'::regnamespace"
    asked = [SQLITE] if conn.dialect.name == "sqlite" else [q.format(home=home) for q in POSTGRES]
    told = [[*map(plain, conn.exec_driver_sql(one))] for one in asked]
    return [*told, schema.revision(conn, layout)]


def plain(row):
    """Single blanks: SQL that is written for others is not indented as what is run."""
    return [" ".join(one.split()) if isinstance(one, str) else one for one in row]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_statements_are_those_that_the_migrations_come_to(dialect):
    assert file(dialect).read_text("utf-8") == drawn(dialect), "Type: make fresh"
    assert fresh.statements(dialect, Layout(), "ledger_0001") == ()


def test_a_new_database_is_the_one_that_the_migrations_make(engine):
    for layout in LAYOUTS[engine.dialect.name]:
        told = []
        for make in (migrating.run, fresh.make):
            with engine.connect() as conn, conn.begin() as begun:
                if engine.dialect.name == "sqlite":  # its driver begins for no CREATE TABLE
                    conn.exec_driver_sql("BEGIN")
                make(conn, layout, schema.REVISION)
                told.append(everything(conn, layout))
                begun.rollback()
        assert told[0] == told[1]
        assert told[0][-1] == schema.REVISION
        assert all(told[0])


def test_a_new_database_is_made_in_a_schema_that_is_there(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no schemas")
    layout = Layout(schema="archive")
    with engine.begin() as conn:
        conn.execute(text("CREATE SCHEMA archive"))
    schema.upgrade(engine, layout)
    with transaction.reading(engine) as conn:
        schema.check(conn, layout)
        assert schema.guards(conn, layout) == ()


def test_two_layouts_are_made_in_one_transaction_of_a_host(engine):
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE host_note (words text)"))
        conn.execute(text("INSERT INTO host_note VALUES ('50% said')"))
        for layout in LAYOUTS[engine.dialect.name]:
            schema.upgrade(conn, layout)
    with transaction.reading(engine) as conn:
        for layout in LAYOUTS[engine.dialect.name]:
            schema.check(conn, layout)
            assert schema.guards(conn, layout) == ()


def test_where_a_table_of_that_name_is_there_nothing_is_made(engine):
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE ledger_served (words text)"))
    with pytest.raises(StoreError):
        schema.upgrade(engine)
    assert sa.inspect(engine).get_table_names() == ["ledger_served"]
    with engine.begin() as conn:
        conn.execute(text("DROP TABLE ledger_served"))
    schema.upgrade(engine)
    with transaction.reading(engine) as conn:
        assert schema.guards(conn, Layout()) == ()


def test_an_empty_table_of_versions_is_filled(engine):
    """As it is left by whoever drops a ledger's tables by hand, and not that one."""
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE ledger_alembic_version (version_num varchar(32) NOT NULL)"))
    schema.upgrade(engine)
    with transaction.reading(engine) as conn:
        schema.check(conn, Layout())
        assert schema.guards(conn, Layout()) == ()


WITHOUT_ALEMBIC = """
import sys
from ledger import Ledger, Party
for _ in range(2):
    with Ledger.open(sys.argv[1]) as ledger:
        ledger.register(Party("az", name="Azerbaijan", kind="state"))
        ledger.verify()
sys.exit("alembic" in sys.modules)
"""


def test_a_new_database_is_made_and_verified_without_alembic(database):
    done = subprocess.run([sys.executable, "-c", WITHOUT_ALEMBIC, database], check=False)
    assert done.returncode == 0


PROCESS = """
import sys
from ledger import Ledger, Party
print("ready", flush=True)
sys.stdin.readline()
with Ledger.open(sys.argv[1]) as ledger:
    ledger.register(Party(sys.argv[2], name="Azerbaijan", kind="state"))
"""


def test_of_processes_that_make_a_database_at_once_one_does_and_all_open_it(database):
    if database == "sqlite://":
        pytest.skip("what is in memory belongs to one process")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, database, f"party-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate() for one in running]
    assert [one.returncode for one in running] == [0] * 4, told
    with Ledger.open(database) as ledger:
        assert len(list(ledger.events())) == 4


if __name__ == "__main__":
    for each in DIALECTS:
        for old in file(each).parent.glob(f"*.{each}.sql"):
            old.unlink()
        file(each).parent.mkdir(exist_ok=True)
        file(each).write_text(drawn(each), "utf-8")
        print(f"{file(each).name}: {drawn(each).count(fresh.END)} statements")  # noqa: T201 - a command
