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


@attrs.frozen(kw_only=True)
class Layout:
    """Where a ledger's tables live beside a host's own: a prefix, and on PostgreSQL a schema.

    Raises:
        InvalidLayout: The prefix or the schema cannot begin or be a plain SQL name.

    Example:
        >>> Layout(prefix="claims_").table("event")
        'claims_event'
        >>> Layout(prefix="claims_", schema="archive").qualified("event")
        'archive.claims_event'
    """

    prefix: str = attrs.field(default="ledger_", validator=_allowed)
    schema: str | None = attrs.field(default=None, validator=_allowed)

    def table(self, name: str) -> str:
        """The bare name of a table, constraint, trigger or function."""
        return f"{self.prefix}{name}"

    def qualified(self, name: str) -> str:
        """The name with its schema, ready for SQL."""
        return self.table(name) if self.schema is None else f"{self.schema}.{self.table(name)}"
