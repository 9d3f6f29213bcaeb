"""Erasure: the event that says so empties the slots it names, and nothing else ever does.

The database does it itself as that event is inserted: no moment lies between the two, and whoever
inserts needs no right to update.

```
INSERT of a content_erased   event_erases empties the slots that it names of the earlier event
UPDATE                       event_no_update lets that pass, and no other change of anything; of an
                             erasure itself nothing goes but its recorder (`by`)
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0007"
down_revision = "ledger_0006"
branch_labels = None
depends_on = None

SLOTS: Final = ("who", "what", "words", "by")
FIXED: Final = (
    *("log_id", "seq", "id", "type", "stream", "stream_v", "known_at", "entry", "leaf_hash"),
)

# The erasing event is the last of its log while its own trigger runs, so no other can be meant.
# A slot holds 32 bytes of salt, then JSON.
SQLITE: Final = (
    "DROP TRIGGER {p_}event_no_update",
    """
    CREATE TRIGGER {p_}event_no_update BEFORE UPDATE ON {event} BEGIN
      SELECT RAISE(ABORT, '{p_}event is append-only: an event cannot be changed')
      WHERE NEW.rowid <> OLD.rowid OR {moved} OR ({whole}) OR NOT EXISTS (
        SELECT 1 FROM (
          SELECT CASE type WHEN 'content_erased' THEN CAST(substr(slot_what, 33) AS TEXT) END
            AS said FROM {event} WHERE log_id = OLD.log_id ORDER BY seq DESC LIMIT 1
        ) AS cause
        WHERE json_extract(cause.said, '$.target') = OLD.id AND {named});
    END
    """,
    """
    CREATE TRIGGER {p_}event_erases AFTER INSERT ON {event} WHEN NEW.type = 'content_erased' BEGIN
      UPDATE {event} SET {emptied}
      WHERE log_id = NEW.log_id AND seq < NEW.seq
        AND id = json_extract(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.target') AND ({there});
    END
    """,
)
ON_SQLITE: Final = {
    "moved": ("NEW.{0} IS NOT OLD.{0}", " OR "),
    "whole": ("NEW.slot_{0} IS OLD.slot_{0}", " AND "),
    "named": (
        (
            "(NEW.slot_{0} IS OLD.slot_{0} OR (NEW.slot_{0} IS NULL{1} "
            "AND '{0}' IN (SELECT value FROM json_each(cause.said, '$.slots'))))"
        ),
        " AND ",
    ),
    "emptied": ("slot_{0} = CASE WHEN {2} THEN NULL ELSE slot_{0} END", ", "),
    "there": ("(slot_{0} IS NOT NULL AND {2})", " OR "),
    "asked": (
        "'{0}' IN (SELECT value FROM json_each(CAST(substr(NEW.slot_what, 33) AS TEXT), '$.slots'))"
    ),
}

# Whoever calls `erase` from a trigger on a table of their own names an event that the guard does
# not find in the log, or one whose slots are empty already.
POSTGRES: Final = (
    """
    CREATE FUNCTION {check_erased}() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET search_path FROM CURRENT AS $$
    DECLARE
      said jsonb;
    BEGIN
      SELECT convert_from(substr(e.slot_what, 33), 'UTF8')::jsonb INTO said FROM {event} AS e
      WHERE e.log_id = OLD.log_id AND e.type = 'content_erased'
        AND e.seq = nullif(current_setting('claimledger.erasing', true), '')::bigint;
      IF {moved} OR ({whole}) OR (said->>'target' = OLD.id AND {named}) IS NOT TRUE THEN
        RAISE EXCEPTION '% is append-only: an event cannot be changed', TG_TABLE_NAME
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION {erase}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET enable_seqscan = off SET search_path FROM CURRENT AS $$
    DECLARE
      said CONSTANT jsonb := convert_from(substr(NEW.slot_what, 33), 'UTF8')::jsonb;
    BEGIN
      PERFORM set_config('claimledger.erasing', NEW.seq::text, true);
      UPDATE {event} SET {emptied}
      WHERE log_id = NEW.log_id AND seq < NEW.seq AND id = said->>'target' AND ({there});
      PERFORM set_config('claimledger.erasing', '', true);
      RETURN NULL;
    END $$
    """,
    "REVOKE ALL ON FUNCTION {erase}() FROM PUBLIC",
    """
    DO $$ DECLARE
      home text;
    BEGIN
      SELECT relnamespace::regnamespace INTO home FROM pg_class WHERE oid = '{event}'::regclass;
      EXECUTE format('ALTER FUNCTION {check_erased}() SET search_path = %s, pg_temp', home);
      EXECUTE format('ALTER FUNCTION {erase}() SET search_path = %s, pg_temp', home);
    END $$
    """,
    "DROP TRIGGER {p_}event_no_update ON {event}",
    (
        "CREATE TRIGGER {p_}event_no_update BEFORE UPDATE ON {event} FOR EACH ROW "
        "EXECUTE FUNCTION {check_erased}()"
    ),
    "ALTER TABLE {event} ENABLE ALWAYS TRIGGER {p_}event_no_update",
    # PostgreSQL writes a condition so, and the guards are compared with what it writes.
    (
        "CREATE TRIGGER {p_}event_erases AFTER INSERT ON {event} FOR EACH ROW "
        "WHEN ((new.type = 'content_erased'::text)) EXECUTE FUNCTION {erase}()"
    ),
    "ALTER TABLE {event} ENABLE ALWAYS TRIGGER {p_}event_erases",
)
ON_POSTGRES: Final = {
    "moved": ("NEW.{0} IS DISTINCT FROM OLD.{0}", " OR "),
    "whole": ("NEW.slot_{0} IS NOT DISTINCT FROM OLD.slot_{0}", " AND "),
    "named": (
        (
            "(NEW.slot_{0} IS NOT DISTINCT FROM OLD.slot_{0} OR (NEW.slot_{0} IS NULL{1} "
            "AND said->'slots' @> '\"{0}\"'))"
        ),
        " AND ",
    ),
    "emptied": ("slot_{0} = CASE WHEN {2} THEN NULL ELSE slot_{0} END", ", "),
    "there": ("(slot_{0} IS NOT NULL AND {2})", " OR "),
    "asked": "said->'slots' @> '\"{0}\"'",
}


def upgrade() -> None:
    """Let the guard of updates pass an erasure, and let an erasure empty what it names."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    postgres = context.dialect.name == "postgresql"
    parts = filled(ON_POSTGRES if postgres else ON_SQLITE)
    names = {name: layout.qualified(name) for name in ("event", "check_erased", "erase")}
    for text in POSTGRES if postgres else SQLITE:
        op.execute(text.format(**names, **parts, p_=layout.prefix))


def filled(patterns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The conditions on each column and slot, spelled out."""
    asked = str(patterns["asked"])
    kept = {slot: "" if slot == "by" else " AND OLD.type <> 'content_erased'" for slot in SLOTS}
    parts: dict[str, str] = {}
    for name, pattern in patterns.items():
        if isinstance(pattern, tuple):
            columns = FIXED if name == "moved" else SLOTS
            told = [pattern[0].format(one, kept.get(one, ""), asked.format(one)) for one in columns]
            parts[name] = pattern[1].join(told)
    return parts


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The library goes forward only.")
