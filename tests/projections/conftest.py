"""What the tests of the projections share: a small ledger, and the way to the folder's helpers.

The helpers are imported by their full names, from wherever pytest was started.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import Document, Ledger, Link, Membership, Party, Position, Proposition, Topic

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

LATER = dt.datetime(2023, 3, 1, 12, tzinfo=dt.UTC)
NOUNS: list[Party | Membership | Topic | Proposition | Document] = [
    Party("delta", name="Delta", kind="state"),
    Party("river", name="River", kind="state"),
    Party("union", name="Union", kind="organisation"),
    Party("harbour", name="Harbour Office", kind="organisation"),
    Party("speaker", name="The speaker", kind="person"),
    Party("former", name="The former speaker", kind="person"),
    Party("leaders", name="The leaders", kind="joint", members=["delta", "river"]),
    Party("gazette", name="Gazette", kind="publisher"),
    Party("courier", name="Courier", kind="publisher"),
    Membership("harbour", "delta"),
    Membership("speaker", "harbour", role="spokeswoman"),
    Membership("former", "harbour", role="spokesman", period="../2023-01-01"),
    Topic("port", label="The port"),
    Proposition("quay", text="The quay is open", topic="port"),
    Proposition("jammed", text="The quay is jammed", topic="port"),
    Proposition("said-so", text="River said that the quay is open"),
    Proposition("reopen", text="Open the quay", kind="aim", topic="port"),
    Document("gazette-1", publisher="gazette", published="2023-01-06", text="One."),
    Document("gazette-2", publisher="gazette", published="2023-01-20", text="Two."),
    Document("courier-1", publisher="courier", published="2023-01-10", text="Three."),
]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = dt.datetime(2022, 12, 1, 12, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


class Told:
    """A small ledger of invented places, and the shortest way to tell it something."""

    def __init__(self, ledger: Ledger, clock: Clock):
        self.ledger, self.clock = ledger, clock
        for noun in NOUNS:
            ledger.register(noun)
        self.at_start = ledger.checkpoint().size - 1
        clock.now = LATER

    def claim(self, id_: str, claimant: str | list[str] | None, **fields: Any):
        given = {"proposition": "quay", "act": "assert", **fields}
        return self.ledger.record(id=id_, claimant=claimant, **given)

    def links(self, *pairs: tuple[str, str]) -> list[Link]:
        return [Link(party, kind) for party, kind in pairs]

    def everyone(self, proposition: str) -> list[Position]:
        return [self.ledger.position(p.id, proposition) for p in self.ledger.as_of().parties()]

    def stands(self, party: str, said: str | None = None, known: Any = None) -> tuple:
        """Status and stance of a party on the quay."""
        one = self.ledger.as_of(said=said, known=known).position(party, "quay")
        return one.status, one.stance


@pytest.fixture
def told() -> Iterator[Told]:
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        yield Told(ledger, clock)
