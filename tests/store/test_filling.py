"""Many rows into a table: each arrives once, and what goes wrong is told as SQLAlchemy tells it."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.store import cells, engines, views
from ledger.store.layout import Layout

NUMBERS = (1, 49, 50, 51, 100, 137)
"""Around the many that go into one statement."""


@pytest.fixture
def made(engine):
    """The tables of claims, cells and links."""
    claim, built = views.claim_table(Layout(), 0), cells.tables_of(Layout(), 0)
    for table in (claim, *built):
        table.metadata.create_all(engine)
    return (claim, *built)


def claims(many):
    days = [dt.date.min, None, dt.date(2023, 1, 18), dt.date.max]
    return [(seq, 3, seq % 7, days[seq % 4], "assert", "“é”\t\\N") for seq in range(many)]


def held(engine, table):
    with engine.connect() as conn:
        return [tuple(row)[1:] for row in conn.execute(sa.select(table).order_by(table.c.seq))]


@pytest.mark.parametrize("many", NUMBERS)
def test_each_claim_arrives_once_and_as_it_was(engine, made, many):
    with engine.begin() as conn:
        views.add_claims(conn, made[0], 1, claims(many))
    assert held(engine, made[0]) == [(*row, None) for row in claims(many)]


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("many", NUMBERS)
def test_each_cell_arrives_once_with_its_document_or_without(engine, made, many, new):
    rows = [(seq % 5, -1, seq, None if seq % 3 else seq - 1) for seq in range(many)]
    with engine.begin() as conn:
        cells.add(conn, made[1], 1, [*rows, *rows[:2]], new=new)
    assert held(engine, made[1]) == rows


def test_the_first_of_a_key_stays(engine, made):
    rows = [(cells.TOUCH, 9, seq) for seq in range(120)]
    with engine.begin() as conn:
        cells.add(conn, made[2], 1, rows[::2], new=True)
        cells.add(conn, made[2], 1, rows)
    assert held(engine, made[2]) == rows


def test_rows_that_are_there_already_are_refused_as_ever(engine, made):
    with engine.begin() as conn:
        views.add_claims(conn, made[0], 1, claims(120))
    with pytest.raises(IntegrityError), engine.begin() as conn:
        views.add_claims(conn, made[0], 1, claims(120))
    assert len(held(engine, made[0])) == 120


def test_a_connection_that_is_lost_while_rows_are_copied_is_given_up(postgres_url):
    engine = engines.engine_for(postgres_url)
    claim = views.claim_table(Layout(), 0)
    claim.metadata.create_all(engine)
    with engine.connect() as conn:
        number = conn.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": number})
        with pytest.raises(DBAPIError) as lost:
            views.add_claims(conn, claim, 1, claims(120))
        assert lost.value.connection_invalidated
    with engine.begin() as conn:
        views.add_claims(conn, claim, 1, claims(120))
    assert len(held(engine, claim)) == 120
    engine.dispose()
