"""The log: heads, events, streams, and the triggers that keep them append-only.

Here are the words of SQL as they were shipped; later versions change the tables by migrations of
their own. There is no way down: an append-only log is not thrown away by a command.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0001"
down_revision = None
branch_labels = None
depends_on = None

SLOTS: Final = ("slot_who", "slot_what", "slot_words", "slot_by")


def upgrade() -> None:
    """Make the three tables and their guards."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    create_tables(layout)
    if context.dialect.name == "postgresql":
        for slot in SLOTS:
            # Slots begin with a random salt: compressing them costs time and gains nothing.
            op.execute(
                f"ALTER TABLE {layout.qualified('event')} ALTER COLUMN {slot} SET STORAGE EXTERNAL"
            )
    for guard in GUARDS[context.dialect.name]:
        op.execute(fill(guard, layout))


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The log is append-only; drop its tables by hand if you mean it.")


def create_tables(layout: Layout) -> None:
    """Make the tables with their constraints."""
    instant = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
    op.create_table(
        layout.table("log"),
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("known_at", instant),
        sa.PrimaryKeyConstraint("id", name=layout.table("log_pk")),
        sa.UniqueConstraint("origin", name=layout.table("log_origin_key")),
        schema=layout.schema,
    )
    op.create_table(
        layout.table("event"),
        sa.Column("log_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_v", sa.BigInteger(), nullable=False),
        sa.Column("known_at", instant, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        *(sa.Column(slot, sa.LargeBinary()) for slot in SLOTS),
        sa.PrimaryKeyConstraint("log_id", "seq", name=layout.table("event_pk")),
        sa.UniqueConstraint("log_id", "id", name=layout.table("event_id_key")),
        schema=layout.schema,
    )
    op.create_table(
        layout.table("stream"),
        sa.Column("log_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "stream", name=layout.table("stream_pk")),
        schema=layout.schema,
        sqlite_with_rowid=False,
    )


def fill(guard: str, layout: Layout) -> str:
    """Put the layout's names into a guard; `p_` is the prefix alone, for names without schema."""
    names = {name: layout.qualified(name) for name in ("log", "event", "stream")}
    functions = {name: layout.qualified(name) for name in ("refuse", "grow_log", "grow_stream")}
    return guard.format(
        **names,
        **functions,
        check_new_log=layout.qualified("check_new_log"),
        check_next=layout.qualified("check_next"),
        p_=layout.prefix,
    )


# INSERT OR REPLACE deletes what stands in its way without asking the DELETE trigger. So nothing may
# stand in the way: neither a key nor a rowid. A rowid that nobody chose reads as -1 before the
# insert, hence the second trigger keeps rows from ever getting one below 1.
SQLITE_GUARDS: Final = (
    """
    CREATE TRIGGER {p_}event_next BEFORE INSERT ON {event} BEGIN
      SELECT RAISE(ABORT, '{p_}event is append-only: only the next sequence of a log can be added')
      WHERE NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM {event} WHERE log_id = NEW.log_id);
      SELECT RAISE(ABORT, '{p_}event is append-only: the log holds an event with this id already')
      WHERE EXISTS (SELECT 1 FROM {event} WHERE log_id = NEW.log_id AND id = NEW.id);
      SELECT RAISE(ABORT, '{p_}event is append-only: this rowid is taken')
      WHERE EXISTS (SELECT 1 FROM {event} WHERE rowid = NEW.rowid);
    END
    """,
    """
    CREATE TRIGGER {p_}event_place AFTER INSERT ON {event} WHEN NEW.rowid < 1 BEGIN
      SELECT RAISE(ABORT, '{p_}event is append-only: a rowid below 1 is refused');
    END
    """,
    """
    CREATE TRIGGER {p_}event_no_update BEFORE UPDATE ON {event} BEGIN
      SELECT RAISE(ABORT, '{p_}event is append-only: an event cannot be changed');
    END
    """,
    """
    CREATE TRIGGER {p_}event_no_delete BEFORE DELETE ON {event} BEGIN
      SELECT RAISE(ABORT, '{p_}event is append-only: an event cannot be deleted');
    END
    """,
    """
    CREATE TRIGGER {p_}log_new BEFORE INSERT ON {log} BEGIN
      SELECT RAISE(ABORT, '{p_}log is append-only: a new log begins with size 0 and no instant')
      WHERE NEW.size <> 0 OR NEW.known_at IS NOT NULL;
      SELECT RAISE(ABORT, '{p_}log is append-only: this log is there already')
      WHERE EXISTS (SELECT 1 FROM {log} WHERE id = NEW.id OR origin = NEW.origin);
    END
    """,
    """
    CREATE TRIGGER {p_}log_grows BEFORE UPDATE ON {log}
    WHEN NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NEW.size < OLD.size
      OR (OLD.known_at IS NOT NULL AND (NEW.known_at IS NULL OR NEW.known_at < OLD.known_at))
    BEGIN
      SELECT RAISE(ABORT, '{p_}log is append-only: a head can only grow');
    END
    """,
    """
    CREATE TRIGGER {p_}log_no_delete BEFORE DELETE ON {log} BEGIN
      SELECT RAISE(ABORT, '{p_}log is append-only: a head cannot be deleted');
    END
    """,
    """
    CREATE TRIGGER {p_}stream_new BEFORE INSERT ON {stream} BEGIN
      SELECT RAISE(ABORT, '{p_}stream is append-only: this stream is there already')
      WHERE EXISTS (SELECT 1 FROM {stream} WHERE log_id = NEW.log_id AND stream = NEW.stream);
    END
    """,
    """
    CREATE TRIGGER {p_}stream_grows BEFORE UPDATE ON {stream}
    WHEN NEW.log_id <> OLD.log_id OR NEW.stream <> OLD.stream OR NEW.version <= OLD.version BEGIN
      SELECT RAISE(ABORT, '{p_}stream is append-only: a version can only grow');
    END
    """,
    """
    CREATE TRIGGER {p_}stream_no_delete BEFORE DELETE ON {stream} BEGIN
      SELECT RAISE(ABORT, '{p_}stream is append-only: a stream cannot be deleted');
    END
    """,
)


def always(table: str, trigger: str, *, on: str, call: str) -> tuple[str, str]:
    """A trigger of PostgreSQL that fires under every `session_replication_role`."""
    return (
        f"CREATE TRIGGER {{p_}}{trigger} {on.format(table=f'{{{table}}}')} EXECUTE FUNCTION {call}",
        f"ALTER TABLE {{{table}}} ENABLE ALWAYS TRIGGER {{p_}}{trigger}",
    )


UPDATED: Final = "BEFORE UPDATE ON {table} FOR EACH ROW"
DELETED: Final = "BEFORE DELETE ON {table} FOR EACH ROW"
TRUNCATED: Final = "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"

# Without `enable_seqscan = off` a plan made while the table was empty scans it for ever after.
# The search path is the migration's, or a caller's own could lead the function to other tables.
POSTGRES_GUARDS: Final = (
    """
    CREATE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '% is append-only: %', TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE FUNCTION {check_next}() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET search_path FROM CURRENT AS $$
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
          OR (batch.first > 0 AND NOT EXISTS (
            SELECT 1 FROM {event} WHERE log_id = batch.log_id AND seq = batch.first - 1))
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
    """,
    """
    CREATE FUNCTION {grow_log}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NEW.size < OLD.size
        OR (OLD.known_at IS NOT NULL AND (NEW.known_at IS NULL OR NEW.known_at < OLD.known_at))
      THEN
        RAISE EXCEPTION '% is append-only: a head can only grow', TG_TABLE_NAME
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION {check_new_log}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.size <> 0 OR NEW.known_at IS NOT NULL THEN
        RAISE EXCEPTION '% is append-only: a new log begins with size 0 and no instant',
          TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION {grow_stream}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.log_id <> OLD.log_id OR NEW.stream <> OLD.stream OR NEW.version <= OLD.version THEN
        RAISE EXCEPTION '% is append-only: a version can only grow', TG_TABLE_NAME
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    *always(
        "event",
        "event_next",
        on="AFTER INSERT ON {table} REFERENCING NEW TABLE AS added FOR EACH STATEMENT",
        call="{check_next}()",
    ),
    *always("event", "event_no_update", on=UPDATED, call="{refuse}('an event cannot be changed')"),
    *always("event", "event_no_delete", on=DELETED, call="{refuse}('an event cannot be deleted')"),
    *always("event", "event_no_truncate", on=TRUNCATED, call="{refuse}('it cannot be emptied')"),
    *always("log", "log_new", on="BEFORE INSERT ON {table} FOR EACH ROW", call="{check_new_log}()"),
    *always("log", "log_grows", on=UPDATED, call="{grow_log}()"),
    *always("log", "log_no_delete", on=DELETED, call="{refuse}('a head cannot be deleted')"),
    *always("log", "log_no_truncate", on=TRUNCATED, call="{refuse}('it cannot be emptied')"),
    *always("stream", "stream_grows", on=UPDATED, call="{grow_stream}()"),
    *always(
        "stream", "stream_no_delete", on=DELETED, call="{refuse}('a stream cannot be deleted')"
    ),
    *always("stream", "stream_no_truncate", on=TRUNCATED, call="{refuse}('it cannot be emptied')"),
)

GUARDS: Final = {"sqlite": SQLITE_GUARDS, "postgresql": POSTGRES_GUARDS}
