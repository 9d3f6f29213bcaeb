"""The schema: whether a database holds our tables, and how they get there.

Here live the check that every ledger makes, the upgrade, the SQL for database administrators and
the list of guards. The tables' changes themselves are Alembic migrations, which the wheel holds in
`ledger/migrations` and a checkout in `migrations`; Alembic is imported when it is needed.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import Connection, column, select, table, text

from ledger.errors import InvalidLayout, SchemaMissing, SchemaNewer, SchemaOutdated
from ledger.store.layout import Layout
from ledger.store.transaction import Bind, reading, writing

if TYPE_CHECKING:
    from alembic.config import Config

REVISION: Final = "ledger_0001"
"""The last migration, which this version of the library reads and writes."""

VERSION_TABLE: Final = "alembic_version"

_GUARDS: Final = {
    "sqlite": (
        *("log_new", "log_grows", "log_no_delete"),
        *("event_next", "event_place", "event_no_update", "event_no_delete"),
        *("stream_new", "stream_grows", "stream_no_delete"),
    ),
    "postgresql": (
        *("log_new", "log_grows", "log_no_delete", "log_no_truncate"),
        *("event_next", "event_no_update", "event_no_delete", "event_no_truncate"),
        *("stream_grows", "stream_no_delete", "stream_no_truncate"),
    ),
}


def check(conn: Connection, layout: Layout) -> None:
    """Make sure that the tables are there and of this version; nothing is changed.

    Raises:
        SchemaMissing: There are no tables under this layout.
        SchemaOutdated: They are of an earlier version of the library.
        SchemaNewer: They are of a later one.
        InvalidLayout: The layout names a schema, and the database is SQLite.
    """
    found = revision(conn, layout)
    if found == REVISION:
        return
    command = f"Type: claims init {conn.engine.url.render_as_string()}"
    if found is None:
        raise SchemaMissing(
            f"The database holds no ledger: there is no {layout.qualified('log')}. {command}, "
            "or in Python: ledger.store.schema.upgrade(engine, layout)"
        )
    if found < REVISION:
        raise SchemaOutdated(
            f"The ledger's tables are at {found}, this version needs {REVISION}. {command}, "
            "or in Python: ledger.store.schema.upgrade(engine, layout)"
        )
    raise SchemaNewer(
        f"The ledger's tables are at {found}, this version of the library knows {REVISION} at "
        "most. Type: pip install --upgrade claimledger"
    )


def revision(conn: Connection, layout: Layout) -> str | None:
    """The migration that the tables are at, None where there are none."""
    _refuse_schema_on_sqlite(conn.dialect.name, layout)
    name = layout.table(VERSION_TABLE)
    # Asked for first: on PostgreSQL a SELECT that fails would take a host's transaction with it.
    if not conn.dialect.has_table(conn, name, schema=layout.schema):
        return None
    versions = table(name, column("version_num"), schema=layout.schema)
    return conn.scalar(select(versions.c.version_num))


def ensure(bind: Bind, layout: Layout) -> None:
    """Bring the tables to this version where they are not; one SELECT where they are.

    Raises:
        SchemaNewer: The tables are of a later version than this library.
        StoreError: The database refused.
    """
    with reading(bind) as conn:
        found = revision(conn, layout)
    if found != REVISION:
        upgrade(bind, layout)


def upgrade(bind: Bind, layout: Layout | None = None) -> None:
    """Make the tables, or bring them to this version, in one transaction.

    An Engine gets a transaction of its own; a host's Connection is joined and not committed.

    Raises:
        SchemaNewer: The tables are of a later version than this library.
        StoreError: The database refused.
    """
    layout = layout or Layout()
    with writing(bind) as conn:
        _wait_for_others(conn, layout)
        found = revision(conn, layout)
        if found == REVISION:
            return
        if found is not None and found > REVISION:
            check(conn, layout)
        from alembic import command  # noqa: PLC0415 - costs 50 ms that no reader should pay

        config = _config(layout)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def sql(dialect: Literal["sqlite", "postgresql"], layout: Layout | None = None) -> str:
    """The statements that make the tables on an empty database, for someone else to run.

    Example:
        >>> "CREATE TABLE ledger_event" in sql("postgresql")
        True
    """
    from alembic import command  # noqa: PLC0415 - costs 50 ms that no reader should pay

    layout = layout or Layout()
    _refuse_schema_on_sqlite(dialect, layout)
    written = io.StringIO()
    config = _config(layout)
    config.output_buffer = written
    config.attributes["dialect"] = dialect
    command.upgrade(config, "head", sql=True)
    return written.getvalue()


def guards(conn: Connection, layout: Layout) -> tuple[str, ...]:
    """The names of the append-only triggers that are missing or switched off; none, one hopes."""
    wanted = [layout.table(name) for name in _GUARDS[conn.dialect.name]]
    there = set(_triggers(conn, layout))
    return tuple(name for name in wanted if name not in there)


def _triggers(conn: Connection, layout: Layout) -> Iterator[str]:
    if conn.dialect.name == "sqlite":
        yield from conn.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        return
    for name in ("log", "event", "stream"):
        yield from conn.scalars(
            text(
                "SELECT tgname FROM pg_trigger "
                "WHERE tgrelid = to_regclass(:name) AND tgenabled = 'A' AND NOT tgisinternal"
            ),
            {"name": layout.qualified(name)},
        )


def _wait_for_others(conn: Connection, layout: Layout) -> None:
    """Let one process upgrade at a time; SQLite's write lock, which is held, does the same."""
    if conn.dialect.name == "postgresql":
        key = zlib.crc32(f"claimledger {layout.qualified('log')}".encode())
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _refuse_schema_on_sqlite(dialect: str, layout: Layout) -> None:
    if dialect == "sqlite" and layout.schema is not None:
        raise InvalidLayout(
            f"SQLite has no schemas, so the tables cannot live in {layout.schema!r}. "
            f"Leave the schema out: Layout(prefix={layout.prefix!r})",
            field="schema",
            given=layout.schema,
        )


def _config(layout: Layout) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - costs 50 ms that no reader should pay

    config = Config()
    # ConfigParser reads % as the beginning of a reference.
    config.set_main_option("script_location", str(_migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["layout"] = layout
    return config


def _migrations() -> Path:
    inside = Path(__file__).parents[1] / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"
