"""Commands about the tables: made or upgraded, as SQL for someone else, and who may use them."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs
from cyclopts import App, Parameter

from ledger.cli.options import CHECK, DESK, Desk, Flag
from ledger.cli.output import as_json, handed_out, safe, say
from ledger.store import schema
from ledger.store.engines import engine_for
from ledger.store.grants import Roles, grants
from ledger.store.layout import Layout

schema_app = App(name="schema", help="The tables of a ledger.", group=CHECK)

SchemaName = Annotated[str | None, Parameter(name="--schema")]


def init(target: str | None = None, /, *, beside: Flag = False, where: Desk = DESK) -> None:
    """Create a ledger, or upgrade its tables.

    Example: `claims init claims.db`

    Args:
        target: Path or URL of the ledger; --db if left out.
        beside: The file holds another application's tables; put the ledger's beside them.
    """
    where = where if target is None else attrs.evolve(where, db=target)
    where.refuse_memory()
    engine = engine_for(where.db, layout=where.layout, beside=beside)
    try:
        schema.ensure(engine, where.layout)
    finally:
        engine.dispose()
    with where.ledger() as ledger:
        size = ledger.checkpoint().size
    if where.json:
        as_json({"events": size})
    else:
        shown = "The ledger" if "://" in where.db else where.db  # a URL may hold a password
        say(f"{safe(shown)} is ready ({size} event{'' if size == 1 else 's'})")


@schema_app.command(name="sql")
def schema_sql(
    *,
    dialect: Literal["sqlite", "postgresql"] = "sqlite",
    prefix: str = Layout().prefix,
    schema_name: SchemaName = None,
    since: str | None = None,
    json: Flag = False,
) -> None:
    """Print the SQL that creates the tables, for somebody else to run.

    Example: `claims schema sql --dialect postgresql`

    Args:
        dialect: For which database.
        prefix: The prefix of the table names.
        schema_name: Their schema, on PostgreSQL.
        since: Print an upgrade from this revision; all tables if left out.
        json: Print one JSON document.
    """
    statements = schema.sql(dialect, Layout(prefix=prefix, schema=schema_name), since=since)
    handed_out(statements, {"dialect": dialect, "sql": statements}, json=json)


@schema_app.command(name="grants")
def schema_grants(
    *,
    prefix: str = Layout().prefix,
    schema_name: SchemaName = None,
    owner: str = Roles().owner,
    writer: str = Roles().writer,
    reader: str = Roles().reader,
    json: Flag = False,
) -> None:
    """Print the SQL that creates roles on PostgreSQL and gives them their rights.

    Example: `claims schema grants | psql claims`

    Args:
        prefix: The prefix of the table names.
        schema_name: Their schema.
        owner: The role that makes and changes the tables.
        writer: The role that may record.
        reader: The role that may ask and verify.
        json: Print one JSON document.
    """
    roles = Roles(owner=owner, writer=writer, reader=reader)
    statements = grants(Layout(prefix=prefix, schema=schema_name), roles)
    handed_out(statements, {"dialect": "postgresql", "sql": statements}, json=json)
