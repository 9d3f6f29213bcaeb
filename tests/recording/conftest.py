"""What the tests of recording share: a small town's ledger, empty or filled, on every engine.

The folder's other helpers are imported by their full names, from wherever pytest was started.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger import Document, Ledger, Membership, Occurrence, Party, Proposition, Topic

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

NOON = dt.datetime(2023, 3, 1, 12, tzinfo=dt.UTC)
TEXT = (
    "The board says the lower bridge is open. The ministry, asked about it, says the lower "
    "bridge is “closed for good”."
)


def _fill(ledger: Ledger) -> Ledger:
    ledger.register_all(
        [
            Party("state", name="The Republic", kind="state", metonyms=["Uptown"]),
            Party("ministry", name="Ministry of Roads", part_of="state"),
            Party("board", name="Water Board", kind="body", part_of="ministry"),
            Party("speaker", name="The speaker", kind="person"),
            Party("stranger", name="A stranger", kind="person"),
            Party("gazette", name="Gazette", kind="publisher"),
            Party("courier", name="Courier", kind="publisher"),
            Membership("speaker", "board", role="speaker", period="2022-01-01/.."),
            Topic("bridges", label="Bridges"),
            Proposition("bridge-open", text="The lower bridge is open", topic="bridges"),
            Proposition("bridge-shut", text="The lower bridge is shut", topic="bridges"),
            Proposition("open-bridge", text="Open the lower bridge", kind="aim"),
            Occurrence("bridge", label="The lower bridge", propositions=["bridge-open"]),
            Document("gazette-1", publisher="gazette", published="2023-02-22", text=TEXT),
            Document("gazette-2", publisher="gazette", published="2023-02-25", text="Corrected."),
            Document("courier-1", publisher="courier", published="2023-02-23", text="As is said."),
            Document(
                "courier-2", publisher="courier", published="2023-02-24", sha256="ab" * 32, length=9
            ),
        ]
    )
    ledger.record(
        id="c1",
        claimant="board",
        act="assert",
        proposition="bridge-open",
        uttered="2023-02-20",
        document="gazette-1",
        quote="the lower bridge is open",
    )
    ledger.record(
        id="c2",
        claimant="ministry",
        act="deny",
        proposition="bridge-open",
        uttered="2023-02-21",
        document="gazette-1",
        utterance="press-hour",
    )
    ledger.record(id="c3", claimant="stranger", act="assert", proposition="bridge-shut")
    return ledger


@pytest.fixture
def fill() -> Callable[[Ledger], Ledger]:
    """`fill(ledger)` enters the town: parties, propositions, documents, the claims c1 to c3."""
    return _fill


@pytest.fixture
def town(ledger: Ledger) -> Ledger:
    """A filled ledger of the test's own, once for each engine."""
    return _fill(ledger)


@pytest.fixture(scope="module")
def standing(lasting_database: str) -> Iterator[Ledger]:
    """A filled ledger that the tests of a file share, once for each engine; they may not write."""
    with Ledger.open(lasting_database, clock=lambda: NOON) as ledger:
        yield _fill(ledger)
