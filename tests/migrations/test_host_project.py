"""A host with an Alembic project of its own: beside it, inside its history, and away from it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ledger import Ledger, Party
from ledger.errors import SchemaError, SchemaOutdated
from ledger.store import schema
from ledger.store.layout import Layout

ENV = """
from alembic import context
from sqlalchemy import Column, MetaData, Table, Text, create_engine, pool

{imports}

host = MetaData()
Table("parcel", host, Column("id", Text, primary_key=True), {column})


def run():
    url = context.config.get_main_option("sqlalchemy.url")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=host, {options})
        with context.begin_transaction():
            context.run_migrations()


run()
"""
MAKO = """
from alembic import op
import sqlalchemy as sa

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
"""
HISTORY = """
import sqlalchemy as sa
from alembic import op

from ledger import Layout
from ledger.store import schema

revision = "{revision}"
down_revision = {down}


def upgrade():
    {body}


def downgrade():
    op.drop_table("parcel")
"""
MAKE_PARCEL = 'op.create_table("parcel", sa.Column("id", sa.Text(), primary_key=True))'


class Project:
    """A host's folder with an `env.py` and revisions, and the database they are for."""

    def __init__(self, folder, url):
        self.folder = folder
        self.engine = sa.create_engine(url)
        (folder / "versions").mkdir(parents=True)
        (folder / "script.py.mako").write_text(MAKO)
        self.config = Config()
        self.config.set_main_option("script_location", str(folder))
        self.config.set_main_option("path_separator", "os")
        self.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        self.env()

    def env(self, *, imports="", options="", column=""):
        """Write the `env.py`; `column` is one that the host's model has and its table lacks."""
        text = ENV.format(imports=imports, options=options, column=column)
        (self.folder / "env.py").write_text(text)

    def write(self, revision, body, *, down=None):
        text = HISTORY.format(
            revision=revision, down=repr(down), body=textwrap.indent(body, "    ").lstrip()
        )
        (self.folder / "versions" / f"{revision}.py").write_text(text)

    def upgrade(self):
        command.upgrade(self.config, "head")

    def autogenerate(self):
        """What `alembic revision --autogenerate` proposes: the text of the new revision."""
        made = command.revision(self.config, message="proposed", autogenerate=True)
        assert made is not None
        assert not isinstance(made, list)
        return Path(made.path).read_text()

    def tables(self):
        return set(sa.inspect(self.engine).get_table_names())


@pytest.fixture
def project(tmp_path):
    """`project(url)` is a host's project on that database."""
    with contextlib.ExitStack() as stack:

        def make(url):
            made = Project(tmp_path / "host", url)
            stack.callback(made.engine.dispose)
            return made

        yield make


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """A database that several connections can see."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'host.db'}"


# -- beside -------------------------------------------------------------------------------------


def test_autogenerate_proposes_nothing_about_our_tables(project, url):
    host = project(url)
    host.write("host_0001", MAKE_PARCEL)
    host.upgrade()
    schema.upgrade(host.engine)
    host.env(imports="from ledger.store import schema", options="include_name=schema.include_name")
    assert "ledger_" not in host.autogenerate().split("def upgrade")[1]


def test_autogenerate_still_sees_what_is_the_hosts(project, url):
    host = project(url)
    host.write("host_0001", MAKE_PARCEL)
    host.upgrade()
    schema.upgrade(host.engine)
    host.env(
        imports="from ledger.store import schema",
        options="include_name=schema.include_name",
        column='Column("owner", Text)',
    )
    proposed = host.autogenerate().split("def upgrade")[1].split("def downgrade")[0]
    assert "op.add_column('parcel'" in proposed
    assert "op.drop_table" not in proposed


def test_without_the_function_autogenerate_would_drop_the_ledger(project, url):
    """What the how-to warns of; were it otherwise, the page could be shorter."""
    host = project(url)
    host.write("host_0001", MAKE_PARCEL)
    host.upgrade()
    schema.upgrade(host.engine)
    assert "op.drop_table('ledger_event')" in host.autogenerate()


def test_a_schema_of_its_own_is_out_of_sight_without_any_function(project, postgres_url):
    host = project(postgres_url)
    host.write("host_0001", MAKE_PARCEL)
    host.upgrade()
    schema.upgrade(host.engine, Layout(schema="archive"))
    assert "ledger_" not in host.autogenerate().split("def upgrade")[1]


@pytest.mark.parametrize("where", [None, "archive", "public"])
def test_no_layout_is_seen_in_any_schema(postgres_url, where):
    engine = sa.create_engine(postgres_url)
    layouts = [Layout(schema=where), Layout(prefix="claims_", schema=where)]
    for layout in layouts:
        schema.upgrade(engine, layout)

    def include_name(name, kind, parents):
        return schema.include_name(name, kind, parents, layouts=layouts)

    with engine.connect() as conn:
        conn.execute(sa.text("CREATE TABLE ledger_of_accounts (id int)"))
        for layout in layouts:
            conn.execute(sa.text(f"CREATE TABLE {layout.qualified('v1_claim_3')} (id int)"))
        context = MigrationContext.configure(
            conn, opts={"include_name": include_name, "include_schemas": True}
        )
        (change,) = compare_metadata(context, sa.MetaData())
        assert (change[0], change[1].name) == ("remove_table", "ledger_of_accounts")
    engine.dispose()


def test_both_histories_go_their_own_way(project, url):
    host = project(url)
    host.write("host_0001", MAKE_PARCEL)
    schema.upgrade(host.engine)
    host.upgrade()
    command.downgrade(host.config, "base")
    assert "parcel" not in host.tables()
    with host.engine.connect() as conn:
        schema.check(conn, Layout())
        assert schema.guards(conn, Layout()) == ()


# -- inside -------------------------------------------------------------------------------------


def test_a_revision_of_the_host_makes_the_tables_and_goes_on(project, url):
    """Alembic keeps the running migration in `op`: ours, run inside, must give it back."""
    host = project(url)
    body = f'schema.upgrade(op.get_bind(), to="{schema.REVISION}")\n{MAKE_PARCEL}'
    host.write("host_0001", body)
    host.write(
        "host_0002", 'op.add_column("parcel", sa.Column("owner", sa.Text()))', down="host_0001"
    )
    host.upgrade()
    assert [c["name"] for c in sa.inspect(host.engine).get_columns("parcel")] == ["id", "owner"]
    with host.engine.connect() as conn:
        assert conn.scalar(sa.text("SELECT version_num FROM alembic_version")) == "host_0002"
    Ledger(host.engine).register(Party("board", name="Water Board"))
    assert Ledger(host.engine).verify().size == 1


@pytest.mark.parametrize("to", ["ledger_0001"])
def test_a_history_that_names_a_revision_gives_the_same_for_ever(project, url, to):
    host = project(url)
    host.write("host_0001", f'schema.upgrade(op.get_bind(), Layout(prefix="claims_"), to="{to}")')
    host.upgrade()
    with host.engine.connect() as conn:
        assert schema.revision(conn, Layout(prefix="claims_")) == to
    if to != schema.REVISION:
        with pytest.raises(SchemaOutdated, match="Type: claims init"):
            Ledger(host.engine, layout=Layout(prefix="claims_")).as_of()


def test_a_revision_that_is_replayed_over_newer_tables_changes_nothing(project, url):
    host = project(url)
    schema.upgrade(host.engine)
    host.write("host_0001", 'schema.upgrade(op.get_bind(), to="ledger_0001")')
    host.upgrade()
    with host.engine.connect() as conn:
        assert schema.revision(conn, Layout()) == schema.REVISION


def test_on_postgresql_a_failed_revision_of_the_host_takes_our_tables_back(project, postgres_url):
    host = project(postgres_url)
    body = f'{MAKE_PARCEL}\nschema.upgrade(op.get_bind())\nraise RuntimeError("the host stumbles")'
    host.write("host_0001", body)
    with pytest.raises(RuntimeError, match="the host stumbles"):
        host.upgrade()
    assert host.tables() <= {"alembic_version"}


def test_an_offline_run_of_the_host_is_told_what_to_type():
    with pytest.raises(SchemaError, match="claims schema sql"):
        schema.upgrade(None)  # type: ignore[arg-type] # what `op.get_bind()` gives then


def test_the_hosts_commands_work_from_a_shell_too(project, url):
    """In a process of its own: nothing that these tests imported helps it."""
    host = project(url)
    host.write("host_0001", f"schema.upgrade(op.get_bind())\n{MAKE_PARCEL}")
    (host.folder / "alembic.ini").write_text(
        f"[alembic]\nscript_location = {host.folder}\npath_separator = os\n"
        f"sqlalchemy.url = {url}\n".replace("%", "%%")
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "alembic",
            "-c",
            str(host.folder / "alembic.ini"),
            "upgrade",
            "head",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"parcel", "ledger_event"} <= host.tables()
    assert ScriptDirectory.from_config(host.config).get_heads() == ["host_0001"]
