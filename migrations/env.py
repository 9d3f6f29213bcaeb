"""How Alembic runs the ledger's migrations: inside the transaction that it is handed.

`ledger.store.schema` calls this, with the layout and a Connection (or a dialect's name, to write
SQL) as attributes of the configuration. Here are no connections made and no transactions ended.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, inspect
from sqlalchemy.schema import CreateSchema

from ledger.store.layout import Layout
from ledger.store.schema import VERSION_TABLE
from ledger.store.tables import tables_for

layout: Layout = context.config.attributes["layout"]
tables = tables_for(layout)


def ours(name: str | None, kind: str, parents: Any) -> bool:
    """Whether a name in the database is one of ours: a host's tables are no business of ours."""
    if kind == "schema":
        return name == layout.schema
    return kind != "table" or parents["schema_qualified_table_name"] in tables.metadata.tables


settings: dict[str, Any] = {
    "target_metadata": tables.metadata,
    "version_table": layout.table(VERSION_TABLE),
    "version_table_schema": layout.schema,
    "include_name": ours,
    "include_schemas": layout.schema is not None,
}


def offline(dialect: str) -> None:
    """Write the SQL instead of running it."""
    context.configure(
        dialect_name=dialect,
        literal_binds=True,
        # The default of PostgreSQL's dialect would double each % of the functions' bodies.
        dialect_opts={"paramstyle": "named"},
        **settings,
    )
    with context.begin_transaction():
        if layout.schema is not None:
            context.execute(CreateSchema(layout.schema, if_not_exists=True))
        context.run_migrations()


def online(connection: Connection) -> None:
    """Run the migrations in the transaction that the connection is in."""
    # Even IF NOT EXISTS asks for the right to make schemas, which an owner of tables may lack.
    if layout.schema is not None and not inspect(connection).has_schema(layout.schema):
        connection.execute(CreateSchema(layout.schema))
    context.configure(connection=connection, **settings)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline(context.config.attributes["dialect"])
else:
    online(context.config.attributes["connection"])
