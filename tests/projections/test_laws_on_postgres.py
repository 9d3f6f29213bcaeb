"""The laws of the model on PostgreSQL: the same properties, few worlds each, a log for each."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from ledger import Ledger
from tests.projections import test_laws

LAWS = [
    law
    for name, law in vars(test_laws).items()
    if name.startswith("test_law_") and "database" not in name and "every_engine" not in name
]
settings.register_profile(
    "few",
    deadline=None,
    max_examples=5,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class OnPostgres:
    """Opens what a law asks for in memory as a new log of a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opened = 0

    def open(self, url: str, **options: Any) -> Ledger:
        assert url == ":memory:"
        self.opened += 1
        return Ledger.open(self.url, origin=f"log-{uuid4()}", **options)


def test_every_law_but_that_of_the_engines_is_here() -> None:
    assert len(LAWS) >= len("123456")


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.removeprefix("test_"))
def test_the_law_holds(
    law: Callable[[], None], postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = OnPostgres(postgres_url)
    monkeypatch.setattr(test_laws, "Ledger", there)
    before = "ci" if os.environ.get("CI", "").lower() in {"1", "true"} else "dev"
    settings.load_profile("few")
    try:
        law()
    finally:
        settings.load_profile(before)
    assert there.opened > 1
