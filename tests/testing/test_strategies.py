"""The shipped strategies: a ledger takes whatever they draw, and the extra is named."""

from __future__ import annotations

import importlib
import itertools
import sys

import pytest
from hypothesis import given, settings

from ledger import Ledger
from ledger.errors import MissingExtra
from ledger.store import engines, schema
from ledger.testing import strategies

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def engine():
    made = engines.engine_for(":memory:")
    schema.upgrade(made)
    yield made
    made.dispose()


def new_log(engine):
    return Ledger(engine, origin=f"log-{next(NUMBERS)}")


@settings(max_examples=30)
@given(world=strategies.worlds())
def test_a_ledger_takes_every_world(engine, world):
    ledger = new_log(engine)
    world.tell(ledger)
    told = [*world.parties, *world.propositions, *world.documents, *world.claims]
    assert [one.event.key for one in ledger.events()] == [one.id for one in told]
    assert set(ledger.as_of(said="2050-01-01").claims().ids) <= {one.id for one in world.claims}
    assert ledger.verify().size == len(told)


@settings(max_examples=30)
@given(first=strategies.events(), second=strategies.events(taken=("a", "b")))
def test_a_log_takes_the_events_in_order(engine, first, second):
    ledger = new_log(engine)
    ledger.appender.put(first)
    known = {one.id for one in first}
    fresh = [one for one in second if one.id not in known and one.stream_v == 0]
    ledger.appender.put(fresh)
    assert [one.id for one in ledger.events()] == [one.id for one in (*first, *fresh)]
    assert {one.id for one in second}.isdisjoint({"a", "b"})


@pytest.mark.parametrize("module, missing", [("strategies", "hypothesis"), ("contract", "pytest")])
def test_without_the_extra_it_is_named(monkeypatch, module, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"ledger.testing.{module}", raising=False)
    with pytest.raises(MissingExtra, match=r"claimledger\[testing\]"):
        importlib.import_module(f"ledger.testing.{module}")
