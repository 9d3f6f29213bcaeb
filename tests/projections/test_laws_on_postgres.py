"""The laws of the model on PostgreSQL: the same properties, few worlds each, a log for each."""

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
from tests.conftest import IN_CI

settings.register_profile(
    "few",
    deadline=None,
    max_examples=6,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def laws() -> ModuleType:
    """The module of the laws once more: a law takes its number of examples where it is defined."""
    spec = importlib.util.spec_from_file_location(
        "laws_on_postgres", Path(__file__).with_name("test_laws.py")
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


MODULE = laws()
LAWS = [
    law
    for name, law in vars(MODULE).items()
    if name.startswith("test_law_") and "every_engine" not in name
]


class OnPostgres:
    """Opens what a law asks for in memory as a new log of a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened = 0

    def open(self, url: str, **options: Any) -> Ledger:
        assert url == ":memory:"
        self.opened += 1
        return Ledger.open(self.url, origin=f"log-{uuid4()}", **options)


@pytest.fixture(scope="module")
def place(
    new_postgres: Callable[[], contextlib.AbstractContextManager[str]],
) -> Iterator[str]:
    """One database for all laws: each opens logs of its own in it."""
    with new_postgres() as url:
        yield url


def test_every_law_but_that_of_the_engines_is_here() -> None:
    assert {law.__name__[: len("test_law_1")] for law in LAWS} == {
        f"test_law_{number}" for number in range(1, 7)
    }


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.removeprefix("test_"))
def test_the_law_holds(
    law: Callable[[], None], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = OnPostgres(place)
    monkeypatch.setattr(MODULE, "Ledger", there)
    law()
    assert there.opened > 1
