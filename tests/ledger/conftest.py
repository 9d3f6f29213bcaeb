"""What the tests of the ledger share: a bridge, and what a board said of it, learnt in March."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ledger import Document, Ledger, Party, Proposition, Topic

NOUNS: list[Party | Topic | Proposition | Document] = [
    Party("board", name="Water Board", kind="body"),
    Party("ministry", name="Ministry of Roads", kind="body"),
    Party("gazette", name="Gazette", kind="publisher"),
    Topic("bridges", label="Bridges"),
    Proposition("bridge-open", text="The lower bridge is open", topic="bridges"),
    Document("gazette-1", publisher="gazette", published="2023-02-12", text="It is closed."),
]


SAID = [
    ("first", "assert", "2023-02-01", 1, None),
    ("second", "deny", "2023-02-10", 10, "gazette-1"),
    ("third", "assert", "2023-02-20", 20, None),
]


class Noon:
    """Noon of a day in March 2023."""

    def __init__(self, day: int = 1) -> None:
        self.day = day

    def __call__(self) -> dt.datetime:
        return dt.datetime(2023, 3, self.day, 12, tzinfo=dt.UTC)


def _fill(ledger: Ledger) -> Ledger:
    ledger.register_all(NOUNS)
    return ledger


def _tell(ledger: Ledger, set_day: Callable[[int], None]) -> Ledger:
    _fill(ledger)
    for id_, act, uttered, learnt, document in SAID:
        set_day(learnt)
        at: Any = {} if document is None else {"document": document}
        ledger.record(
            id=id_,
            claimant="board",
            act=act,
            proposition="bridge-open",
            uttered=uttered,
            about=uttered,
            **at,
        )
    return ledger


@pytest.fixture
def fill() -> Callable[[Ledger], Ledger]:
    """`fill(ledger)` enters the parties, the topic, the proposition and the document."""
    return _fill


@pytest.fixture
def told(ledger, clock):
    """Said in February: open (1st), closed (10th), open (20th); learnt on 1, 10 and 20 March."""
    return _tell(ledger, lambda day: clock.set(f"2023-03-{day:02}T12:00:00Z"))


@pytest.fixture(scope="module")
def standing(lasting_database: str) -> Iterator[Ledger]:
    """What `told` is, shared by the tests of a file, once for each engine; they may not write."""
    noon = Noon()
    with Ledger.open(lasting_database, clock=noon) as ledger:
        yield _tell(ledger, lambda day: setattr(noon, "day", day))
