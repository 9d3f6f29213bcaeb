"""The layout: how the tables are called and which schema they live in.

Here live the names alone. The columns are in `tables`, the triggers in the migrations.
"""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from ledger.errors import InvalidLayout

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
_TAKEN: Final = ("sqlite_", "pg_")

_WORDS: Final = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check
collate collation column concurrently constraint create cross current_catalog current_date
current_role current_schema current_time current_timestamp current_user default deferrable desc
distinct do else end except false fetch for foreign freeze from full grant group having ilike in
initially inner intersect into is isnull join lateral leading left like limit localtime
localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
references returning right select session_user similar some symmetric system_user table
tablesample then to trailing true union unique user using variadic verbose when where window with
"""
_RESERVED: Final = frozenset(_WORDS.split())
"""What PostgreSQL reads as a word of SQL unless it is quoted: pg_get_keywords(), R and T."""


def _allowed(_layout: Layout, attribute: attrs.Attribute[Any], name: str | None) -> None:
    if name is None:
        return
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith(_TAKEN):
        raise InvalidLayout(
            f"{name!r} cannot be the {attribute.name} of the tables. Write a small letter, then up "
            "to 30 of a-z, 0-9 and _; begin with neither 'sqlite_' nor 'pg_', which belong to the "
            "engines.",
            field=attribute.name,
            given=name,
        )


def _no_word(_layout: Layout, _attribute: attrs.Attribute[Any], schema: str | None) -> None:
    if schema in _RESERVED:
        raise InvalidLayout(
            f"{schema!r} is a word of PostgreSQL's SQL and cannot be the schema of the tables. "
            f"Write another one, such as schema='{schema}_ledger'.",
            field="schema",
            given=schema,
        )


@attrs.frozen(kw_only=True)
class Layout:
    """The prefix of a ledger's tables, and on PostgreSQL their schema.

    Raises:
        InvalidLayout: The prefix or the schema cannot begin or be a plain SQL name, or the schema
            is a reserved word.

    Example:
        >>> Layout(prefix="claims_").table("event")
        'claims_event'
        >>> Layout(prefix="claims_", schema="archive").qualified("event")
        'archive.claims_event'
    """

    prefix: str = attrs.field(default="ledger_", validator=_allowed)
    schema: str | None = attrs.field(default=None, validator=[_allowed, _no_word])

    def table(self, name: str) -> str:
        """The bare name of a table, constraint, trigger or function."""
        return f"{self.prefix}{name}"

    def qualified(self, name: str) -> str:
        """The name with its schema, ready for SQL."""
        return self.table(name) if self.schema is None else f"{self.schema}.{self.table(name)}"
