"""Two ledgers in one database, and one in a schema of its own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.store import engines, read, schema, transaction
from ledger.store.append import append, lock_head
from ledger.store.audit import audit
from ledger.store.layout import Layout
from ledger.store.tables import tables_for


def write(engine, layout, drafts):
    tables = tables_for(layout)
    with transaction.writing(engine) as conn:
        append(conn, tables, lock_head(conn, tables, "default"), drafts)


def size(engine, layout):
    with transaction.reading(engine) as conn:
        return audit(conn, tables_for(layout), "default").size


def test_two_prefixes_live_beside_each_other(database, drafts):
    engine = engines.engine_for(database)
    one, two = Layout(prefix="one_"), Layout(prefix="two_")
    for layout in (one, two):
        schema.upgrade(engine, layout)
    write(engine, one, drafts(3, stream="s"))
    write(engine, two, drafts(1, stream="s"))
    write(engine, one, drafts(1, stream="s", version=3))
    assert (size(engine, one), size(engine, two)) == (4, 1)
    engine.dispose()


def test_a_schema_of_its_own_needs_no_search_path(postgres_url, drafts):
    engine = engines.engine_for(postgres_url)
    plain, apart = Layout(), Layout(schema="archive")
    for layout in (plain, apart):
        schema.upgrade(engine, layout)
    write(engine, apart, drafts(2))
    write(engine, plain, drafts(1))
    assert (size(engine, plain), size(engine, apart)) == (1, 2)
    with pytest.raises(DBAPIError, match="is append-only"), engine.begin() as conn:
        conn.execute(text("DELETE FROM archive.ledger_event"))
    engine.dispose()


def test_the_guard_looks_at_its_own_tables_whatever_the_callers_path(postgres_url, drafts):
    """Tables made through a search path are guarded when another path leads to others."""
    admin = engines.engine_for(postgres_url)
    with admin.begin() as conn:
        conn.execute(text("CREATE SCHEMA inner_room"))
    inside = sa.create_engine(admin.url, connect_args={"options": "-c search_path=inner_room"})
    schema.upgrade(inside)
    write(inside, Layout(), drafts(2))
    schema.upgrade(admin)
    write(admin, Layout(schema="inner_room"), drafts(1))
    with transaction.reading(inside) as conn:
        head = read.head(conn, tables_for(Layout()), "default")
    assert head is not None
    assert head.size == 3
    inside.dispose()
    admin.dispose()
