"""The tables of the log, as SQLAlchemy Core objects (store.md, 1).

Here live names, columns and constraints. The triggers that keep the log append-only are in the
migrations, the statements that write in `on_sqlite` and `on_postgres`, those that read in `read`.
What is derived from the log can be made anew and has no guards: its statements are in `tree` and
`cursors`, its own tables in `views` and `cells`.

```
ledger_log     id | origin | size | known_at                        one row per log: its head
ledger_event   (log_id, seq) | id type stream stream_v known_at | entry leaf_hash | four slots
ledger_stream  (log_id, stream) | version                           what appends are tested against

ledger_node    (log_id, level, idx) | hash                          the tree, one for 256 below

ledger_cursor  (log_id, name, version, build) | position ..          how far a projection has read
ledger_served  (log_id, name) | version build                        which build of it is read
ledger_parked  (log_id, name, version, build, seq) | reason ..       events that it could not take
```
"""

from __future__ import annotations

import functools
from typing import Any, Final

import attrs
from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.store.layout import Layout
from ledger.store.types import UtcInstant


@attrs.frozen(kw_only=True, eq=False)
class Tables:
    """The tables of one layout; compared by identity, so statements can be kept per Tables."""

    layout: Layout
    metadata: MetaData
    log: Table
    event: Table
    stream: Table
    node: Table
    cursor: Table
    served: Table
    parked: Table


@functools.cache
def tables_for(layout: Layout) -> Tables:
    """The tables under the layout's names; the same object for the same layout.

    Example:
        >>> tables_for(Layout(prefix="claims_")).event.name
        'claims_event'
    """
    metadata = MetaData(schema=layout.schema)
    return Tables(
        layout=layout,
        metadata=metadata,
        log=_log(layout, metadata),
        event=_event(layout, metadata),
        stream=_stream(layout, metadata),
        node=_node(layout, metadata),
        cursor=_cursor(layout, metadata),
        served=_served(layout, metadata),
        parked=_parked(layout, metadata),
    )


def _log(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("log"),
        metadata,
        # Only INTEGER makes a rowid alias on SQLite, which is what counts the logs up there.
        Column(
            "id",
            BigInteger().with_variant(Integer, "sqlite"),
            Identity(always=False),
            nullable=False,
        ),
        Column("origin", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("known_at", UtcInstant),
        PrimaryKeyConstraint("id", name=layout.table("log_pk")),
        UniqueConstraint("origin", name=layout.table("log_origin_key")),
    )


def _event(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("event"),
        metadata,
        Column("log_id", BigInteger, nullable=False, autoincrement=False),
        Column("seq", BigInteger, nullable=False, autoincrement=False),
        Column("id", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("stream", Text, nullable=False),
        Column("stream_v", BigInteger, nullable=False),
        Column("known_at", UtcInstant, nullable=False),
        Column("entry", Text, nullable=False),
        Column("leaf_hash", LargeBinary, nullable=False),
        Column("slot_who", LargeBinary),
        Column("slot_what", LargeBinary),
        Column("slot_words", LargeBinary),
        Column("slot_by", LargeBinary),
        PrimaryKeyConstraint("log_id", "seq", name=layout.table("event_pk")),
        # The log comes first: a partitioned table needs its key in every unique constraint.
        UniqueConstraint("log_id", "id", name=layout.table("event_id_key")),
    )


def _stream(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("stream"),
        metadata,
        Column("log_id", BigInteger, nullable=False, autoincrement=False),
        Column("stream", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("log_id", "stream", name=layout.table("stream_pk")),
        sqlite_with_rowid=False,
    )


def _node(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("node"),
        metadata,
        Column("log_id", BigInteger, nullable=False, autoincrement=False),
        Column("level", BigInteger, nullable=False, autoincrement=False),
        Column("idx", BigInteger, nullable=False, autoincrement=False),
        Column("hash", LargeBinary, nullable=False),
        PrimaryKeyConstraint("log_id", "level", "idx", name=layout.table("node_pk")),
        sqlite_with_rowid=False,
    )


def _cursor(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("cursor"),
        metadata,
        *_build_key(),
        Column("phase", Text, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("effects", BigInteger),
        Column("state", Text),
        Column("fence", BigInteger, nullable=False),
        Column("owner", Text),
        Column("beat_at", UtcInstant),
        PrimaryKeyConstraint(*_BUILD, name=layout.table("cursor_pk")),
    )


def _served(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("served"),
        metadata,
        *_build_key(),
        PrimaryKeyConstraint("log_id", "name", name=layout.table("served_pk")),
    )


def _parked(layout: Layout, metadata: MetaData) -> Table:
    return Table(
        layout.table("parked"),
        metadata,
        *_build_key(),
        Column("seq", BigInteger, nullable=False, autoincrement=False),
        Column("event_id", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("attempts", BigInteger, nullable=False),
        Column("at", UtcInstant, nullable=False),
        PrimaryKeyConstraint(*_BUILD, "seq", name=layout.table("parked_pk")),
    )


_BUILD: Final = ("log_id", "name", "version", "build")
"""What names one build of one version of one log's projection."""


def _build_key() -> tuple[Column[Any], ...]:
    return (
        Column("log_id", BigInteger, nullable=False, autoincrement=False),
        Column("name", Text, nullable=False),
        Column("version", BigInteger, nullable=False, autoincrement=False),
        Column("build", BigInteger, nullable=False, autoincrement=False),
    )
