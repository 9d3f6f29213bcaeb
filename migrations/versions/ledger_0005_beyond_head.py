"""The guard on SQLite refuses a row beyond the head of its log, as PostgreSQL's does.

An append moves the head first, so a row at or behind the head's size is none of an append's: it
would stand in the way of every later one, and could not be deleted.
"""

from __future__ import annotations

from typing import Final

from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0005"
down_revision = "ledger_0004"
branch_labels = None
depends_on = None

EVENT_NEXT: Final = """
CREATE TRIGGER {p_}event_next BEFORE INSERT ON {event} BEGIN
  SELECT RAISE(ABORT, '{p_}event is append-only: only the next sequence of a log can be added')
  WHERE NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM {event} WHERE log_id = NEW.log_id);
  SELECT RAISE(ABORT, '{p_}event is append-only: this sequence lies beyond the head of its log')
  WHERE NEW.seq >= coalesce((SELECT size FROM {log} WHERE id = NEW.log_id), 0);
  SELECT RAISE(ABORT, '{p_}event is append-only: the log holds an event with this id already')
  WHERE EXISTS (SELECT 1 FROM {event} WHERE log_id = NEW.log_id AND id = NEW.id);
  SELECT RAISE(ABORT, '{p_}event is append-only: this rowid is taken')
  WHERE EXISTS (SELECT 1 FROM {event} WHERE rowid = NEW.rowid);
END
"""


def upgrade() -> None:
    """Make the trigger anew; PostgreSQL's function looks at the head already."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    if context.dialect.name != "sqlite":
        return
    op.execute(f"DROP TRIGGER {layout.table('event_next')}")
    names = {name: layout.qualified(name) for name in ("log", "event")}
    op.execute(EVENT_NEXT.format(p_=layout.prefix, **names))


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The library goes forward only.")
