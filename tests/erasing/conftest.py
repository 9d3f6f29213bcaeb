"""What the tests of erasing share: a woman by a weir, who is named in every kind of slot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ledger import Document, Ledger, Name, Party, Proposition, Recorder, Topic

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

NAME = "Zuzana Kovarikova"
SAID = "the sluice by my garden has stood shut since Monday"
TEXT = f"Asked by this paper, {NAME} said: {SAID}. The board did not answer."
WHY: dict[str, Any] = {"reason": "request of the person concerned", "authority": "privacy officer"}

NOUNS: list[Party | Topic | Proposition | Document] = [
    Party("kovarikova", name=NAME, kind="person", names=[Name("Z. Kovarikova", rank=1)]),
    Party("board", name="Water Board", kind="body"),
    Party("paper", name="The Paper", kind="publisher"),
    Topic("weir", label="The weir"),
    Proposition("shut", text="The sluice is shut", topic="weir"),
    Proposition("hers", text=f"The garden of {NAME} was flooded", topic="weir"),
    Document("paper-7", publisher="paper", published="2023-02-12", text=TEXT),
]


def filled(ledger: Ledger) -> Ledger:
    """Enter her world: 0 to 8, then a claim of hers, one of the board's, and an amendment."""
    ledger.register_all(NOUNS)
    ledger.record(
        id="c1",
        claimant="kovarikova",
        act="assert",
        proposition="shut",
        uttered="2023-02-10",
        document="paper-7",
        quote=SAID,
        extra={"desk": "rang her at home"},
    )
    ledger.record(
        id="c2",
        claimant="board",
        act="deny",
        proposition="shut",
        uttered="2023-02-11",
        note=f"said when asked about {NAME.upper()}",
    )
    ledger.amend("c1", note="she rang back", reason="added later")
    return ledger


@pytest.fixture
def world(engine, clock):
    """Her world, on each database."""
    return filled(Ledger(engine, clock=clock, recorder=Recorder(id="desk-7", name=f"Mr {NAME}")))


@pytest.fixture
def slots(engine):
    """Which slots of an event stand in the table."""

    def stand(sequence, conn=None):
        query = sa.text(
            "SELECT slot_who, slot_what, slot_words, slot_by FROM ledger_event WHERE seq = :seq"
        )
        if conn is not None:
            row = conn.execute(query, {"seq": sequence}).one()
        else:
            with engine.connect() as own:
                row = own.execute(query, {"seq": sequence}).one()
        names = ("who", "what", "words", "by")
        return tuple(name for name, slot in zip(names, row, strict=True) if slot is not None)

    return stand
