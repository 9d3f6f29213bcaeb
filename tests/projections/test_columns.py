"""Columns: on every day, everybody's status and stance are those of the position."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.errors import InvalidView
from ledger.narrowing import columns
from ledger.projecting import cells
from ledger.testing import lachin
from tests.examples import examples
from tests.projections.test_narrowed import WORLDS
from tests.projections.worlds import Clock, told_to

DAYS = [dt.date(2019, 1, 1), dt.date(2022, 12, 31), dt.date(2023, 3, 1)]
DAYS += [dt.date(2023, 1, day) for day in range(2, 14)]


def positions(ledger, day, known=None):
    """All that is not silent, by the position itself."""
    view = ledger.as_of(said=day, known=known)
    found = {
        (who.id, what.id): view.position(who.id, what.id)
        for who in view.parties()
        for what in view.propositions()
    }
    rows = {(one.party, one.proposition): one for one in found.values()}
    return sorted(
        (*key, one.status, one.stance) for key, one in rows.items() if one.status != "silent"
    )


@pytest.fixture
def example():
    with Ledger.open(":memory:") as ledger:
        lachin.load(ledger)
        yield ledger


def rows(sheet):
    return sorted((one.party, one.proposition, one.status, one.stance) for one in sheet)


@settings(max_examples=examples(25))
@given(WORLDS, st.booleans(), st.lists(st.sampled_from(DAYS), min_size=2, max_size=2))
def test_a_sheet_is_the_table_of_positions_on_any_day(world, narrow, days):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        if narrow:
            ledger.projections.add(cells(ledger.layout))
        told_to(ledger, clock, world)
        held = ledger.as_of().columns()
        for day in days:
            assert rows(held.at(day)) == positions(ledger, day)


@pytest.mark.parametrize("numbers", [True, False])
def test_one_party_and_everybody_agree_with_numpy_and_without(example, monkeypatch, numbers):
    if not numbers:
        monkeypatch.setattr(columns, "numpy", lambda: None)
    else:
        pytest.importorskip("numpy")
        monkeypatch.setattr(columns, "_FEW", 0)
    for known in (None, 35):
        held = example.as_of(known=known).columns()
        for day in ("2022-12-31", "2023-01-18", "2023-02-22"):
            everybody = rows(held.at(day))
            assert everybody == positions(example, day, known)
            for party in held.parties:
                mine = [row for row in everybody if row[0] == party]
                assert rows(held.at(day, party=party)) == mine
        assert rows(held.at("1999-01-01")) == positions(example, "1999-01-01", known)
        assert held.nbytes > 0


def test_an_instant_or_an_unknown_party_is_refused(example):
    held = example.as_of().columns()
    with pytest.raises(InvalidView, match="by plain days"):
        held.at("2023-01-18T12:00:00Z")
    with pytest.raises(InvalidView, match="No party 'nobody'"):
        held.at("2023-01-18", party="nobody")
    with pytest.raises(InvalidView, match="No party 7 is"):
        held.at("2023-01-18", party=7)


def test_what_is_shown_of_a_million_numbers_is_how_many(example):
    held = example.as_of().columns()
    events = f"of {example.as_of().basis} events>"
    of = f"{len(held.parties)} parties on {len(held.propositions)} propositions"
    assert repr(held) == f"<columns of {of}, {events}"
    sheet = held.at("2023-02-22", party="az")
    assert str(sheet) == f"<2 cells said by 2023-02-22, {events}"
