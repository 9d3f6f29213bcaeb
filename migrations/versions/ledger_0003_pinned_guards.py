"""The guards on PostgreSQL look names up where they were made, whoever calls them.

Unless a search path ends with `pg_temp`, temporary tables come first: a role that may only insert
could make a `ledger_event` of its own and lead the guard of the real one to it. The other functions
name no tables, but their operators are looked up too.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0003"
down_revision = "ledger_0002"
branch_labels = None
depends_on = None

TABLELESS: Final = ("refuse", "grow_log", "check_new_log", "grow_stream")
PIN_TO_HOME: Final = """
DO $$ DECLARE
  home text;
BEGIN
  SELECT relnamespace::regnamespace INTO home FROM pg_class WHERE oid = '{event}'::regclass;
  EXECUTE format('ALTER FUNCTION {check_next}() SET search_path = %s, pg_temp', home);
END $$
"""


def upgrade() -> None:
    """Pin the search path of each function; SQLite's triggers see their own database alone."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    if context.dialect.name != "postgresql":
        return
    event, check_next = layout.qualified("event"), layout.qualified("check_next")
    op.execute(PIN_TO_HOME.format(event=event, check_next=check_next))
    for name in TABLELESS:
        op.execute(
            f"ALTER FUNCTION {layout.qualified(name)}() SET search_path = pg_catalog, pg_temp"
        )


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The library goes forward only.")
