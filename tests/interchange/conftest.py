"""A ledger to import into, and lines to import."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.interchange import import_file
from ledger.interchange.outcomes import Outcome
from ledger.projections.catalogue import Belonging

GOOD = [
    {"type": "party", "id": "board", "name": "Water board", "kind": "body"},
    {"type": "party", "id": "gazette", "name": "Gazette", "kind": "publisher"},
    {"type": "proposition", "id": "safe", "text": "The dam is safe"},
    {
        "type": "document",
        "id": "d1",
        "publisher": "gazette",
        "published": "2024-03-05",
        "text": "The water board said the dam is safe.",
    },
]
CLAIM = {
    "type": "claim",
    "id": "c1",
    "claimant": "board",
    "act": "assert",
    "proposition": "safe",
    "uttered": "2024-03-04",
    "document": "d1",
    "quote": "is safe",
    "via": ["gazette"],
}


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as opened:
        yield opened


class Importer:
    """Imports lines behind four good ones, and keeps what was told of each."""

    def __init__(self, ledger, folder):
        self.ledger = ledger
        self.file = folder / "lines.jsonl"

    def __call__(self, *lines, **options):
        self.file.write_text("".join(_line(one) for one in (*GOOD, *lines)), encoding="utf-8")
        return self.again(**options)

    def again(self, **options):
        self.told: list[Outcome] = []
        self.account = import_file(self.ledger, self.file, tell=self.told.append, **options)
        return self.told[len(GOOD) :]

    def types(self):
        return [event.type for event in self.ledger.log()]


def _line(one):
    return one if isinstance(one, str) else json.dumps(one) + "\n"


@pytest.fixture
def importing(ledger, tmp_path):
    return Importer(ledger, tmp_path)


@pytest.fixture
def claim():
    return dict(CLAIM)


@pytest.fixture
def popolo(tmp_path):
    """Imports a document, and tells it by what it was for each place, and Ann's memberships."""

    def read(*documents):
        told: list[Outcome] = []
        found: tuple[Belonging, ...] = ()
        with Ledger.open(":memory:") as ledger:
            for place, one in enumerate(documents):
                path = tmp_path / f"{place}.json"
                path.write_text(json.dumps(one))
                import_file(ledger, path, format="popolo", tell=told.append)
            if any(party.id == "ann" for party in ledger.as_of().parties()):
                found = ledger.as_of().memberships("ann")
        places = {one.at: one for one in told}
        return places, sorted((one.organisation, one.role, str(one.period)) for one in found)

    return read
