"""Who may do what on PostgreSQL: the SQL that makes three roles and gives each its rights.

Here live rights alone. The migrations' triggers hold for every role, the owner too; rights are a
second lock, which keeps whoever steals the application's password from the first. The SQL is for a
superuser to run; tables that are made later, for projections, get the rights of their like.

```
owner    makes and changes the tables; nobody logs in with it between two upgrades
writer   SELECT, INSERT; UPDATE of a head's size and instant, of a stream's version
reader   SELECT
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
from sqlalchemy import Connection, Table, text

from ledger.errors import InvalidLayout
from ledger.model.text import show
from ledger.store.layout import Layout
from ledger.store.tables import Tables, tables_for

_LONGEST: Final = 63
_NUMBER: Final = ("log_id", "id", "origin", "stream")
"""What names a row of a head, and never changes."""

_FUNCTIONS: Final = """DO $$ DECLARE function regprocedure; BEGIN
  FOR function IN SELECT DISTINCT tgfoid::regprocedure FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid IN ({tables})
  LOOP EXECUTE format({alter}, function); END LOOP;
END $$;"""

_OWNER: Final = """SELECT quote_ident(pg_get_userbyid(relowner)),
    relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user),
    pg_has_role(current_user, relowner, 'MEMBER')
  FROM pg_class WHERE oid = CAST(:like AS regclass)"""
"""Who owns a table, whether that is the current role, and whether it may speak for the owner."""

_RIGHTS: Final = """SELECT string_agg(a.privilege_type, ', '),
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
  FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
  WHERE c.oid = CAST(:like AS regclass) AND a.grantee <> c.relowner GROUP BY a.grantee"""

_VIEWS: Final = """DO $$ DECLARE made regclass; BEGIN
  FOR made IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relname ~ {names}
    AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = {event}::regclass)
  LOOP
    EXECUTE format({own}, made);
    EXECUTE format({write}, made);
    EXECUTE format({read}, made);
  END LOOP;
END $$;"""


def _allowed(_roles: Roles, attribute: attrs.Attribute[str], name: str) -> None:
    size = len(name.encode("utf-8", "surrogatepass"))
    whole = name.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in name)
    if not name.strip() or "\x00" in name or size > _LONGEST or not whole:
        raise InvalidLayout(
            f"{show(name)} cannot be the {attribute.name}'s role: a name on PostgreSQL holds 1 to "
            f"{_LONGEST} bytes. Type another one.",
            field=attribute.name,
            given=name,
        )


@attrs.frozen(kw_only=True)
class Roles:
    """The names of the three roles.

    Raises:
        InvalidLayout: A name is empty or too long for PostgreSQL, or two of them are one.
    """

    owner: str = attrs.field(default="ledger_owner", validator=_allowed)
    writer: str = attrs.field(default="ledger_writer", validator=_allowed)
    reader: str = attrs.field(default="ledger_reader", validator=_allowed)

    def __attrs_post_init__(self) -> None:
        if self.owner in (self.writer, self.reader) or self.writer == self.reader:
            raise InvalidLayout(
                f"The roles are {self.owner!r}, {self.writer!r} and {self.reader!r}, and one of "
                "them would have the rights of another. Give three names.",
                field="owner",
                given=self.owner,
            )


def grants(layout: Layout | None = None, roles: Roles | None = None) -> str:
    """The SQL that makes the roles where they are missing, and gives them their rights.

    It may be run again, after each upgrade of the tables, by a superuser. The roles cannot log in:
    make the application's user a member of one.

    Example:
        >>> "GRANT SELECT ON ledger_event TO ledger_reader;" in grants()
        False
        >>> 'GRANT SELECT ON ledger_event TO "ledger_reader";' in grants()
        True
    """
    layout, roles = layout or Layout(), roles or Roles()
    tables = tables_for(layout)
    parts = (
        ("BEGIN;",),
        map(_role, (roles.owner, roles.writer, roles.reader)),
        _schema(layout, roles),
        _ownership(tables, roles),
        _rights(tables, roles),
        ("COMMIT;",),
    )
    return "\n".join("\n".join(part) + "\n" for part in parts)


def give_alike(conn: Connection, table: Table, like: Table) -> None:
    """On PostgreSQL, give a table that was just made the owner and the rights of another one.

    Or whoever fills and reads it would be refused until the SQL of `grants` was run again.
    """
    if conn.dialect.name != "postgresql":
        return
    owner, ours, mine = conn.execute(text(_OWNER), {"like": like.fullname}).one()
    named = conn.dialect.identifier_preparer.format_table(table)
    alike = [f"ALTER TABLE {named} OWNER TO {owner}"] if mine and not ours else []
    for rights, to in conn.execute(text(_RIGHTS), {"like": like.fullname}).all():
        alike.append(f"GRANT {rights} ON {named} TO {to}")
    for statement in alike:
        conn.execute(text(statement.replace(":", r"\:")))


def _role(name: str) -> str:
    return (
        f"DO $$ BEGIN\n  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_text(name)}) THEN\n"
        f"    CREATE ROLE {_name(name)} NOLOGIN;\n  END IF;\nEND $$;"
    )


def _schema(layout: Layout, roles: Roles) -> Iterator[str]:
    users = f"{_name(roles.writer)}, {_name(roles.reader)}"
    for rights, to in (("USAGE, CREATE", _name(roles.owner)), ("USAGE", users)):
        if layout.schema is not None:
            yield f"GRANT {rights} ON SCHEMA {layout.schema} TO {to};"
        else:
            grant = _text(f"GRANT {rights} ON SCHEMA %I TO {to.replace('%', '%%')}")
            yield f"DO $$ BEGIN EXECUTE format({grant}, current_schema()); END $$;"


def _ownership(tables: Tables, roles: Roles) -> Iterator[str]:
    """The tables, and the functions of their triggers, whoever made them."""
    for name in _all(tables):
        yield f"ALTER TABLE {name} OWNER TO {_name(roles.owner)};"
    listed = ", ".join(f"{_text(one)}::regclass" for one in _all(tables))
    alter = _text(f"ALTER FUNCTION %s OWNER TO {_name(roles.owner).replace('%', '%%')}")
    yield _FUNCTIONS.format(tables=listed, alter=alter)


def _rights(tables: Tables, roles: Roles) -> Iterator[str]:
    writer, reader = _name(roles.writer), _name(roles.reader)
    for name in _all(tables):
        yield f"REVOKE ALL ON {name} FROM PUBLIC, {writer}, {reader};"
        yield f"GRANT SELECT ON {name} TO {reader};"
        yield f"GRANT SELECT ON {name} TO {writer};"
    for table in tables.metadata.sorted_tables:
        if table is tables.event:
            yield f"GRANT INSERT ON {table.fullname} TO {writer};"
        elif table in {tables.log, tables.stream}:
            yield f"GRANT INSERT, UPDATE ({_moving(table)}) ON {table.fullname} TO {writer};"
        else:  # what can be thrown away and made anew from the events
            yield f"GRANT INSERT, UPDATE, DELETE ON {table.fullname} TO {writer};"
    yield _VIEWS.format(
        event=_text(tables.event.fullname),
        names=_text(f"^{tables.layout.prefix}v[0-9]+_"),
        own=_text(f"ALTER TABLE %s OWNER TO {_name(roles.owner).replace('%', '%%')}"),
        write=_text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {writer.replace('%', '%%')}"),
        read=_text(f"GRANT SELECT ON %s TO {reader.replace('%', '%%')}"),
    )


def _moving(table: Table) -> str:
    return ", ".join(one.name for one in table.columns if one.name not in _NUMBER)


def _all(tables: Tables) -> tuple[str, ...]:
    version = tables.layout.qualified("alembic_version")
    return (*(table.fullname for table in tables.metadata.sorted_tables), version)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
