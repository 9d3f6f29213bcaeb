"""The surface of an AsyncLedger, method by method that of a Ledger; what it cannot be bound to."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from ledger import Ledger, View
from ledger.aio import AsyncCursor, AsyncLedger, AsyncView
from ledger.consuming import Cursor
from ledger.errors import Invalid, MissingExtra

ELSEWISE = {
    (View, "facts"): "holds a lock while its caller works: view.run_sync(...) does",
    (Ledger, "grouped"): "is for threads, which wait for one another: tasks share record_all(...)",
    (Ledger, "projections"): "is set up before the loop; ledger.run_sync(...) hands it over",
    (Ledger, "appender"): "is the write path of importers: ledger.run_sync(...) hands it over",
}
TWINS = [(Ledger, AsyncLedger), (View, AsyncView), (Cursor, AsyncCursor)]


def public(kind):
    made = kind("sqlite://") if kind is Ledger else None
    names = set(dir(kind) if made is None else dir(made)) | set(getattr(kind, "__slots__", ()))
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("one, other", TWINS)
def test_whatever_a_ledger_can_its_asynchronous_twin_can(one, other):
    missing = public(one) - set(dir(other)) - {name for kind, name in ELSEWISE if kind is one}
    assert missing == set(), f"Add them to {other.__name__}; most are one line."


METHODS = [
    pytest.param(one, other, name, id=f"{one.__name__}.{name}")
    for one, other in TWINS
    for name in sorted(public(one) & set(dir(other)))
    if callable(getattr(one, name, None))
]


@pytest.mark.parametrize("one, other, name", METHODS)
def test_a_method_is_called_as_its_twin_is_and_awaited(one, other, name):
    here, there = getattr(one, name), getattr(other, name)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(here).parameters.values()
    ]
    awaited = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(there).parameters.values()
    ]
    assert awaited == plain
    assert (there.__doc__ or "").strip() != ""
    asynchronous = inspect.iscoroutinefunction(there) or inspect.isasyncgenfunction(there)
    assert asynchronous or inspect.isasyncgenfunction(inspect.unwrap(there))


# -- what cannot be bound -----------------------------------------------------------------------


def test_a_synchronous_engine_is_refused_with_what_to_type():
    engine = sa.create_engine("sqlite://")
    with pytest.raises(Invalid, match=r"not to Engine.*await AsyncLedger\.open\(path\).*Ledger"):
        AsyncLedger(engine)  # type: ignore[arg-type]


def test_without_greenlet_the_import_names_the_extra():
    code = "import sys; sys.modules['greenlet'] = None; import ledger.aio"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "MissingExtra: The asynchronous ledger needs greenlet" in ran.stderr
    assert ran.stderr.endswith("Type: pip install 'claimledger[async]'\n")


def test_without_greenlet_the_extra_is_named(monkeypatch):
    engine = create_async_engine("sqlite+aiosqlite://")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "greenlet" else find(name)
    )
    with pytest.raises(MissingExtra, match=r"pip install 'claimledger\[async\]'"):
        AsyncLedger(engine)
