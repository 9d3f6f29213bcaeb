"""Tables where there are none: what the migrations come to, made at once and without Alembic.

Here lives the reading of `migrations/fresh`: for the last revision and each engine the statements
that are left of all migrations when a database holds nothing yet. They are written from the
migrations (`make fresh`), and tests hold them to make the same database.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Final

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateSchema

from ledger.store import migrating
from ledger.store.layout import Layout

END: Final = ";\n\n"
"""What ends a statement; the body of a trigger holds no blank line."""

SCHEMA: Final = "{schema}"
PREFIX: Final = "{prefix}"


def statements(dialect: str, layout: Layout, revision: str) -> tuple[str, ...]:
    """What makes the tables at a revision, on an empty database; none where it is not known."""
    script = _script(dialect, revision)
    schema = "" if layout.schema is None else f"{layout.schema}."
    named = script.replace(SCHEMA, schema).replace(PREFIX, layout.prefix)
    return tuple(one for one in named.split(END) if one)


def make(conn: Connection, layout: Layout, revision: str) -> bool:
    """Make the tables in the transaction that the connection is in; whether that was done."""
    made = statements(conn.dialect.name, layout, revision)
    # Even IF NOT EXISTS asks for the right to make schemas, which an owner of tables may lack.
    if made and layout.schema is not None and not inspect(conn).has_schema(layout.schema):
        conn.execute(CreateSchema(layout.schema))
    if conn.dialect.name == "sqlite":  # past SQLAlchemy, which takes a millisecond of seven
        with contextlib.closing(conn.connection.cursor()) as cursor:
            for statement in made:
                cursor.execute(statement)
        return bool(made)
    for statement in made:
        # A driver that is given parameters, be it none, reads the % of a function's body.
        conn.exec_driver_sql(statement, execution_options={"no_parameters": True})
    return bool(made)


@functools.cache
def _script(dialect: str, revision: str) -> str:
    file = migrating.folder() / "fresh" / f"{revision}.{dialect}.sql"
    return file.read_text("utf-8") if file.is_file() else ""
