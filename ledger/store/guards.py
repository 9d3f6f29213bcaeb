"""The guards: the triggers that keep the log append-only, and whether they are as they were made.

Here live the comparison, and whether what they stand on is a table at all. The guards themselves
are in the migrations, and what those come to is what they are compared with: a trigger of the right
name with another body is none.

```
SQLite       the text of each trigger
PostgreSQL   the definition of each trigger, the body of the function that it calls, where that
             function looks names up, and that it fires always, for a replica too
```
"""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

from ledger.store import fresh, migrating
from ledger.store.layout import Layout
from ledger.store.tables import tables_for

_SQLITE: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
_POSTGRES: Final = text(
    "SELECT t.tgname, pg_get_triggerdef(t.oid), p.prosrc "
    "FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid "
    "JOIN pg_class AS c ON c.oid = t.tgrelid "
    "WHERE t.tgrelid = to_regclass(:name) AND t.tgenabled = 'A' AND NOT t.tgisinternal "
    "AND p.proconfig && ARRAY['search_path=pg_catalog, pg_temp', "
    "'search_path=' || c.relnamespace::regnamespace || ', pg_temp']"
)
_COMPUTED_SQLITE: Final = text(
    "SELECT name FROM sqlite_master WHERE lower(name) = :name "
    "AND (type <> 'table' OR sql LIKE 'CREATE VIRTUAL %')"
)
_COMPUTED_POSTGRES: Final = text(
    "SELECT c.relname FROM pg_class AS c WHERE c.oid = to_regclass(:name) "
    "AND c.relkind NOT IN ('r', 'p')"
)
_FUNCTION: Final = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION (?P<name>[\w.]+)\(\).*?\$\$(?P<body>.*?)\$\$", re.DOTALL
)
_TRIGGER: Final = re.compile(
    r"^\s*(?:(?P<made>CREATE TRIGGER (?P<name>\w+) .*? FUNCTION (?P<calls>[\w.]+)\([^;]*\))"
    r"|DROP TRIGGER (?:IF EXISTS )?(?P<dropped>\w+) [^;]*);",
    re.DOTALL | re.MULTILINE,
)


def guards(conn: Connection, layout: Layout, revision: str) -> tuple[str, ...]:
    """The names of the guards that are missing, changed or switched off; none, one hopes."""
    made = wanted(conn.dialect.name, layout, revision)
    there = _there(conn, layout)
    return tuple(name for name, guard in made.items() if there.get(name) != guard)


def computed(conn: Connection, layout: Layout) -> tuple[str, ...]:
    """The names of the log's tables that are views, or anything else that computes its rows."""
    query = _COMPUTED_SQLITE if conn.dialect.name == "sqlite" else _COMPUTED_POSTGRES
    tables = tables_for(layout).metadata.tables.values()
    found = (conn.scalars(query, {"name": one.fullname}).first() for one in tables)
    return tuple(name for name in found if name is not None)


def _there(conn: Connection, layout: Layout) -> dict[str, str]:
    if conn.dialect.name == "sqlite":
        return {name: _plain(sql, layout) for name, sql in conn.exec_driver_sql(_SQLITE)}
    return {
        name: _plain(made, layout) + body
        for table in tables_for(layout).metadata.tables.values()
        for name, made, body in conn.execute(_POSTGRES, {"name": table.fullname})
    }


@functools.cache
def wanted(dialect: str, layout: Layout, revision: str) -> Mapping[str, str]:
    """Each guard by its name, as the migrations make them."""
    script = "".join(f"{one};\n" for one in fresh.statements(dialect, layout, revision))
    script = script or migrating.write(dialect, layout, "base", revision)
    if dialect == "sqlite":
        with contextlib.closing(sqlite3.connect(":memory:")) as made:
            made.executescript(script)
            return {name: _plain(sql, layout) for name, sql in made.execute(_SQLITE)}
    bodies = {found["name"]: found["body"] for found in _FUNCTION.finditer(script)}
    kept: dict[str, str] = {}
    for found in _TRIGGER.finditer(script):
        if found["dropped"]:
            kept.pop(found["dropped"], None)
        else:
            kept[found["name"]] = _plain(found["made"], layout) + bodies[found["calls"]]
    return kept


def _plain(made: str, layout: Layout) -> str:
    """A definition without the schema that PostgreSQL adds, and with single blanks."""
    return " ".join(re.sub(rf"\b\w+\.(?={layout.prefix})", "", made).split())
