"""The laws and the reference model elsewhere: on PostgreSQL, and over the tables of cells.

The same properties, few worlds each, a log for each ledger that a property opens.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from ledger import Ledger
from ledger.projecting import cells
from tests.conftest import IN_CI

settings.register_profile(
    "few",
    deadline=None,
    max_examples=4,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def again(name: str) -> ModuleType:
    """A module of properties once more: each takes its number of examples where it is defined."""
    spec = importlib.util.spec_from_file_location(
        f"{name}_elsewhere", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    settings.load_profile("few")
    try:
        spec.loader.exec_module(module)
    finally:
        settings.load_profile("ci" if IN_CI else "dev")
    return module


MODULES = [again("test_laws"), again("test_against_naive")]
PROPERTIES = {
    name.removeprefix("test_"): (module, one)
    for module in MODULES
    for name, one in vars(module).items()
    if name.startswith("test_") and "every_engine" not in name and "a_date_has" not in name
}


class There:
    """Opens what a property asks for in memory as a new log of a database."""

    def __init__(self, url: str, *, narrowed: bool) -> None:
        self.url, self.narrowed = url, narrowed
        self.opened = 0

    def open(self, url: str, **options: Any) -> Ledger:
        assert url == ":memory:"
        self.opened += 1
        ledger = Ledger.open(self.url, origin=f"log-{uuid4()}", **options)
        if self.narrowed:
            ledger.projections.add(cells(ledger.layout))
        return ledger


@pytest.fixture(scope="module", params=["postgres", "postgres, cells", "sqlite, cells"])
def place(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_postgres: Callable[[], contextlib.AbstractContextManager[str]],
) -> Iterator[tuple[str, bool]]:
    """One database for all properties: each opens logs of its own in it."""
    narrowed = "cells" in request.param
    if request.param.startswith("sqlite"):
        yield f"sqlite:///{tmp_path_factory.mktemp('elsewhere') / 'claims.db'}", narrowed
        return
    with new_postgres() as url:
        yield url, narrowed


def test_every_law_but_that_of_the_engines_is_here() -> None:
    laws = {name for name in PROPERTIES if name.startswith("law_")}
    assert {name[: len("law_1")] for name in laws} == {f"law_{number}" for number in range(1, 7)}
    assert len(PROPERTIES) > len(laws)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROPERTIES)
def test_the_property_holds(
    name: str, place: tuple[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, holds = PROPERTIES[name]
    url, narrowed = place
    there = There(url, narrowed=narrowed)
    monkeypatch.setattr(module, "Ledger", there)
    holds()
    assert there.opened > 1
