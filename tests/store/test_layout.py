"""Names that tables can have, and the column of instants."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidDate, InvalidLayout
from ledger.store.layout import Layout
from ledger.store.tables import tables_for
from ledger.store.types import UtcInstant

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
INSTANTS = st.datetimes(timezones=ZONES).filter(lambda i: 1000 < i.year < 9999)


@pytest.mark.parametrize(
    "name", ["", "1st", "Ledger_", "a-b", "a b", "x;--", "ä", "a" * 32, "pg_x", 3]
)
@pytest.mark.parametrize("field", ["prefix", "schema"])
def test_a_name_that_would_need_quotes_is_refused(field, name):
    with pytest.raises(InvalidLayout, match=f"cannot be the {field}") as caught:
        Layout(**{field: name})
    assert (caught.value.field, caught.value.given) == (field, name)


def test_a_schema_that_is_a_word_of_sql_is_refused(postgres_url):
    """And of those that are let through, none is: the server says which there are."""
    engine = sa.create_engine(postgres_url)
    with engine.connect() as conn:
        found = conn.execute(
            sa.text("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R','T')")
        )
        words = list(found.scalars())
    engine.dispose()
    assert "order" in words
    for word in words:
        with pytest.raises(InvalidLayout, match=f"'{word}' is a word of PostgreSQL's SQL.*_ledger"):
            Layout(schema=word)
        assert Layout(prefix=f"{word}_", schema=f"{word}_ledger").schema


def test_the_longest_prefix_keeps_names_apart_on_postgresql():
    names = tables_for(Layout(prefix="a" * 31)).metadata.tables
    assert all(len(name) + len("_no_truncate") < 64 for name in names)


def test_the_same_layout_has_the_same_tables():
    assert tables_for(Layout()) is tables_for(Layout(prefix="ledger_"))
    assert tables_for(Layout()) is not tables_for(Layout(schema="s"))


@given(st.lists(INSTANTS, min_size=1, max_size=8))
def test_instants_keep_their_moment_and_sort_as_text(instants):
    column = UtcInstant()
    dialect = sa.create_engine("sqlite://").dialect
    written = {str(column.process_bind_param(each, dialect)): each for each in instants}
    for text, instant in written.items():
        back = column.process_result_value(text, dialect)
        assert back == instant
        assert back is not None
        assert back.tzinfo is dt.UTC
        assert len(text) == len("2023-02-23T10:00:00.000000Z")
    assert [written[text] for text in sorted(written)] == sorted(written.values())


def test_a_naive_instant_is_refused_with_what_to_type():
    dialect = sa.create_engine("sqlite://").dialect
    naive = dt.datetime(2023, 2, 23, 10, tzinfo=dt.UTC).replace(tzinfo=None)
    with pytest.raises(InvalidDate, match=r"say 2023-02-23T10:00:00\+00:00"):
        UtcInstant().process_bind_param(naive, dialect)
