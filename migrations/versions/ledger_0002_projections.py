"""What projections need: how far each has read, which build is served, what it could not take.

Nothing here is part of the log: all of it can be thrown away and made anew from the events, so no
trigger guards it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

BUILD = ("log_id", "name", "version", "build")


def upgrade() -> None:
    """Make the three tables."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    instant = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
    op.create_table(
        layout.table("cursor"),
        *build_key(),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("effects", sa.BigInteger()),
        sa.Column("state", sa.Text()),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("beat_at", instant),
        sa.PrimaryKeyConstraint(*BUILD, name=layout.table("cursor_pk")),
        schema=layout.schema,
    )
    op.create_table(
        layout.table("served"),
        *build_key(),
        sa.PrimaryKeyConstraint("log_id", "name", name=layout.table("served_pk")),
        schema=layout.schema,
    )
    op.create_table(
        layout.table("parked"),
        *build_key(),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint(*BUILD, "seq", name=layout.table("parked_pk")),
        schema=layout.schema,
    )


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The library goes forward only; drop the three tables by hand if you must.")


def build_key() -> tuple[sa.Column[object], ...]:
    """The columns that name one build of one version of one log's projection."""
    return (
        sa.Column("log_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("build", sa.BigInteger(), nullable=False, autoincrement=False),
    )
