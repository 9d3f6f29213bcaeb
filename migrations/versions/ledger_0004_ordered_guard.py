"""The guard on PostgreSQL looks for the event before a batch in the order of sequences.

Asked for by log and sequence alone, a plan made for a young table may walk the index of ids, whose
first column is the log too: it then reads the whole log at every append, until the next ANALYZE.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0004"
down_revision = "ledger_0003"
branch_labels = None
depends_on = None

# With scans and sorts off, only the key (log_id, seq) gives the order that is asked for.
CHECK_NEXT: Final = """
CREATE OR REPLACE FUNCTION {check_next}() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_sort = off SET search_path FROM CURRENT AS $$
DECLARE
  batch record;
  known_size bigint;
BEGIN
  FOR batch IN
    SELECT log_id, min(seq) AS first, max(seq) AS last, count(*) AS many
    FROM added GROUP BY log_id
  LOOP
    SELECT size INTO known_size FROM {log} WHERE id = batch.log_id;
    IF batch.first < 0 OR batch.last - batch.first + 1 <> batch.many
      OR (batch.first > 0 AND batch.first - 1 IS DISTINCT FROM (
        SELECT e.seq FROM {event} AS e WHERE e.log_id = batch.log_id AND e.seq < batch.first
        ORDER BY e.seq DESC LIMIT 1))
    THEN
      RAISE EXCEPTION '% is append-only: only the next sequences of a log can be added',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    IF known_size IS NULL OR batch.last >= known_size THEN
      RAISE EXCEPTION '% is append-only: sequence % lies beyond the head of its log',
        TG_TABLE_NAME, batch.last USING ERRCODE = 'restrict_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$
"""
PIN_TO_HOME: Final = """
DO $$ DECLARE
  home text;
BEGIN
  SELECT relnamespace::regnamespace INTO home FROM pg_class WHERE oid = '{event}'::regclass;
  EXECUTE format('ALTER FUNCTION {check_next}() SET search_path = %s, pg_temp', home);
END $$
"""


def upgrade() -> None:
    """Replace the function, and pin its search path again."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    if context.dialect.name != "postgresql":
        return
    names = {name: layout.qualified(name) for name in ("log", "event", "check_next")}
    for text in (CHECK_NEXT, PIN_TO_HOME):
        op.execute(text.format(**names))


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The library goes forward only.")
