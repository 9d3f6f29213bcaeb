"""The schema: whether a database holds our tables, and how they get there.

Here live the check that every ledger makes, the upgrade, the SQL for database administrators and
what a host's own Alembic must know. The changes of the tables are the files in `migrations`, run by
`migrating`; where there are no tables yet, `fresh` makes what they come to. The triggers are
compared in `guards`, roles and their rights are in `grants`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from sqlalchemy import Connection, Engine, column, select, table, text

from ledger.errors import (
    Invalid,
    InvalidLayout,
    SchemaError,
    SchemaMissing,
    SchemaNewer,
    SchemaOutdated,
)
from ledger.store import fresh, migrating
from ledger.store import guards as guarding
from ledger.store.binds import Bind, is_session, refuse_options
from ledger.store.engines import mark
from ledger.store.layout import Layout
from ledger.store.tables import tables_for
from ledger.store.transaction import reading, watch_savepoints, writing

REVISION: Final = "ledger_0007"
"""The last migration, which this version of the library reads and writes."""

VERSION_TABLE: Final = "alembic_version"

_FIRST: Final = "base"
_DEFAULT: Final = (Layout(),)


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
    raise _newer(found)


def revision(conn: Connection, layout: Layout) -> str | None:
    """The migration that the tables are at, None where there are none."""
    return next(iter(_revisions(conn, layout) or ()), None)


def _revisions(conn: Connection, layout: Layout) -> Sequence[str] | None:
    """The rows of the table of versions: one, or none; None where there is no such table."""
    _refuse_schema_on_sqlite(conn.dialect.name, layout)
    name = layout.table(VERSION_TABLE)
    # Asked for first: on PostgreSQL a SELECT that fails would take a host's transaction with it.
    if not conn.dialect.has_table(conn, name, schema=layout.schema):
        return None
    versions = table(name, column("version_num"), schema=layout.schema)
    return conn.scalars(select(versions.c.version_num)).all()


def ensure(bind: Bind, layout: Layout) -> bool:
    """Bring the tables to this version where they are not, and tell whether there were any.

    Raises:
        SchemaNewer: The tables are of a later version than this library.
        StoreError: The database refused.
    """
    with reading(bind) as conn:
        found = revision(conn, layout)
    if found != REVISION:
        upgrade(bind, layout)
    return found is not None


def upgrade(bind: Bind, layout: Layout | None = None, *, to: str = REVISION) -> None:
    """Make the tables, or bring them to this version, in one transaction.

    An Engine gets a transaction of its own; a host's Connection is joined and not committed. `to`
    is the revision to stop at, for a host's migration that must do the same for ever; tables that
    are there already, or beyond, are left as they are.

    Raises:
        Invalid: `bind` is neither an Engine nor a Connection.
        SchemaNewer: The tables are of a later version than this library, or `to` is.
        SchemaError: A host's Alembic writes SQL, so there is no connection to run anything on.
        StoreError: The database refused.

    Example:
        >>> from sqlalchemy import create_engine
        >>> upgrade(create_engine("sqlite://"), Layout(prefix="claims_"), to="ledger_0001")
    """
    layout = layout or Layout()
    _refuse_unknown(to)
    _refuse_other_binds(bind)
    refuse_options(bind, layout)
    watch_savepoints(bind)
    with writing(bind) as conn:
        _wait_for_others(conn, layout)
        rows = _revisions(conn, layout)
        found = next(iter(rows or ()), None)
        if found is not None and found > REVISION:
            raise _newer(found)
        if rows is None:
            mark(conn)
            if fresh.make(conn, layout, to):
                return
        if found is None or found < to:
            migrating.run(conn, layout, to)


def sql(
    dialect: Literal["sqlite", "postgresql"],
    layout: Layout | None = None,
    *,
    since: str | None = None,
    to: str = REVISION,
) -> str:
    """The statements that make the tables, for someone else to run.

    They begin on an empty database, or `since` a revision that the tables are at, and end at `to`.

    Raises:
        Invalid: A ledger is not kept in such a database.
        InvalidLayout: The layout names a schema, and the database is SQLite.
        SchemaNewer: This version of the library does not know `since` or `to`.

    Example:
        >>> "CREATE TABLE ledger_event" in sql("postgresql")
        True
    """
    layout = layout or Layout()
    if dialect not in {"sqlite", "postgresql"}:
        raise Invalid(
            f"A ledger is kept in SQLite or PostgreSQL, not in {dialect!r}. Type: "
            'schema.sql("sqlite") or schema.sql("postgresql")',
            field="dialect",
            given=dialect,
        )
    _refuse_schema_on_sqlite(dialect, layout)
    for one in (since, to):
        if one is not None:
            _refuse_unknown(one)
    return migrating.write(dialect, layout, since or _FIRST, to)


def include_name(
    name: str | None,
    kind: str,
    parents: Mapping[str, str | None],
    *,
    layouts: Iterable[Layout] = _DEFAULT,
) -> bool:
    """Whether a host's Alembic shall look at a name in the database: not at a ledger's tables.

    It is what `context.configure(include_name=...)` asks for, in the host's `env.py`; without it
    autogenerate would propose to drop them. `layouts` are those that the host has made.

    Example:
        >>> include_name("parcel", "table", {"schema_name": None})
        True
        >>> include_name("ledger_event", "table", {"schema_name": None})
        False
    """
    if kind != "table":
        return True
    # Alembic tells no schema for the connection's default one, which a layout may have named.
    return not any(
        _owns(layout, name or "") and parents.get("schema_name") in {None, layout.schema}
        for layout in layouts
    )


def _owns(layout: Layout, name: str) -> bool:
    """Whether it is a table of a layout by its bare name, those of projections among them."""
    made = {one.name for one in tables_for(layout).metadata.tables.values()}
    view = re.match(rf"{layout.prefix}v[0-9]+_", name)
    return name in made or name == layout.table(VERSION_TABLE) or view is not None


def guards(conn: Connection, layout: Layout) -> tuple[str, ...]:
    """The append-only triggers that are missing, changed or switched off; none, one hopes."""
    return guarding.guards(conn, layout, REVISION)


def _newer(found: str) -> SchemaNewer:
    return SchemaNewer(
        f"The ledger's tables are at {found}, this version of the library knows {REVISION} at "
        "most. Type: pip install --upgrade claimledger"
    )


def _refuse_unknown(wanted: str) -> None:
    if wanted != REVISION and wanted not in migrating.revisions():
        raise SchemaNewer(
            f"This version of the library knows no revision {wanted!r} of the tables; its last is "
            f"{REVISION}. Type that, or: pip install --upgrade claimledger"
        )


def _refuse_other_binds(bind: object) -> None:
    if bind is None:
        raise SchemaError(
            "Alembic is writing SQL (--sql), so there is no connection to make the ledger's tables "
            "on. Put their SQL beside it. Type: claims schema sql --dialect postgresql"
        )
    if isinstance(bind, Engine | Connection):
        return
    name, typed = type(bind).__name__, "schema.upgrade(engine)"
    if is_session(bind):
        typed = "schema.upgrade(session.connection())"
    elif isinstance(bind, str) or hasattr(bind, "__fspath__"):
        name = repr(str(bind))
        typed = f"Ledger.open({name}), which makes them; or with an engine: {typed}"
    elif name.startswith(("Async", "async")):
        typed = "await connection.run_sync(schema.upgrade), on an AsyncConnection"
    raise Invalid(
        f"The tables are made on an Engine or a Connection, not on {name}. Type: {typed}",
        field="bind",
        given=bind,
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
