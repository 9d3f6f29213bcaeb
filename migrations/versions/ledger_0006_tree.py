"""Where the tree of hashes is kept above its leaves: one row for each whole tile of 256.

Nothing here is part of the log: all of it follows from the leaf hashes, so no trigger guards it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.store.layout import Layout

revision = "ledger_0006"
down_revision = "ledger_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    context = op.get_context()
    if context.config is None:
        raise RuntimeError("Run this through ledger.store.schema.upgrade(engine, layout).")
    layout: Layout = context.config.attributes["layout"]
    op.create_table(
        layout.table("node"),
        sa.Column("log_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("level", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("idx", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "level", "idx", name=layout.table("node_pk")),
        schema=layout.schema,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Refuse."""
    raise RuntimeError("The library goes forward only; drop the table by hand if you must.")
