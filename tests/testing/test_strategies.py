"""The shipped strategies: a ledger takes whatever they draw; without hypothesis the extra is named."""

from __future__ import annotations

import importlib
import sys

import pytest
from hypothesis import given, settings

from ledger import Ledger
from ledger.errors import MissingExtra
from ledger.testing import strategies


@given(strategies.worlds())
def test_a_ledger_takes_every_world(world):
    with Ledger.open(":memory:") as ledger:
        world.tell(ledger)
        assert set(ledger.as_of(said="2050").claims().ids) <= {one.id for one in world.claims}
        assert [one.event.key for one in ledger.events()][-len(world.claims) or 99 :] == [
            one.id for one in world.claims
        ]
        assert ledger.verify()


@settings(max_examples=25)
@given(strategies.events(), strategies.events(taken=("a", "b")))
def test_a_log_takes_the_events_in_order(first, second):
    with Ledger.open(":memory:") as ledger:
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
