"""Ledgers that leave: the example data, and one with something of its own in every field."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ledger import (
    Document,
    Ledger,
    Link,
    Membership,
    Name,
    Occurrence,
    Party,
    Proposition,
    Recorder,
    Topic,
)
from ledger.interchange.out.exporting import FORMATS, export
from ledger.testing import lachin

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

_HEAD = f"Textsentinel {'-' * 7_000} ahead of it "
TEXT = f"{_HEAD}Quotesentinel and behind it; Wordsentinel Cuesentinel said. {'-' * 1_000}"
AT = len(_HEAD)
BACK = "Backsentinel, they take it back."
NOON = dt.datetime(2031, 7, 8, 12, tzinfo=dt.UTC)


@pytest.fixture
def corridor():
    """The example data with a withdrawal, an amendment and a merge."""
    with Ledger.open(":memory:") as ledger:
        lachin.load(ledger)
        ledger.withdraw("moscow-offer", claimant="ru", uttered="2023-02-28", id="taken-back")
        ledger.amend("lavrov-soon", note="typed anew", reason="a slip")
        ledger.register(Party("the-kremlin", name="The Kremlin"))
        ledger.merge("ru", "the-kremlin", reason="one and the same")
        yield ledger


@pytest.fixture(scope="module")
def full():
    """A ledger in which no field of no record is empty, and each says what nothing else does."""
    desk = Recorder(id="desksentinel", name="Recordernamesentinel", tool="toolsentinel")
    with Ledger.open(":memory:", recorder=desk, clock=lambda: NOON) as ledger:
        fill(ledger)
        yield ledger


def fill(ledger):
    two = Name("Namesentinel", period="1871-02-03/1971-02-04", rank=471123, language="tlh")
    ledger.register_all(
        [
            Party("p1", name="Partysentinel", kind="x-host:kindsentinel", names=[two]),
            Party("p2", name="Second", metonyms=["Metonymsentinel"]),
            Party("p3", name="Third", kind="person"),
            Party("both", name="Both", kind="joint", members=["p1", "p2"]),
            Party("twin", name="Twin"),
            Membership("p3", "p2", role="belongsentinel", period="1872-03-04/..", speaks_for=False),
            Topic("t0", label="Wider"),
            Topic("t1", label="Topicsentinel", part_of="t0"),
            Proposition("q1", text="Propositionsentinel", topic="t1"),
            Proposition("q2", text="Other", topic="t1", kind="aim"),
            Occurrence("o1", label="Occurrencesentinel", propositions=["q1"]),
            Document(
                "d1",
                publisher="p2",
                published="1993-05",
                text=TEXT,
                title="Titlesentinel",
                url="https://urlsentinel.example/1",
                language="qqd",
            ),
            Document("d2", publisher="p2", published="1994-05", text=BACK, revises="d1"),
        ]
    )
    ledger.merge("p2", "twin", reason="reasonsentinel")
    with ledger.tagged(correlation="correlationsentinel"):
        claim(ledger, "claimsentinel")
    claim(ledger, "other", utterance=None, conditions=None)
    ledger.relate("claimsentinel", "x-host:relationsentinel", "other", note="relationnotesentinel")
    ledger.withdraw(
        "other",
        id="withdrawalsentinel",
        claimant="p3",
        uttered="1994-04-21",
        utterance="backutterance",
        document="d2",
        quote={"exact": "Backsentinel", "ranges": [(0, 12)], "suffix": ", they take"},
        note="backnotesentinel",
    )
    ledger.amend("claimsentinel", conditions="conditionsentinel", reason="amendmentsentinel")


def claim(ledger, id_, **fields):
    ledger.record(
        id=id_,
        chain=[
            Link("p2", "reports"),
            Link("p3", "says", words="Wordsentinel", cue="Cuesentinel"),
            Link("p1", "on_behalf_of", role="linkrolesentinel"),
        ],
        proposition="q1",
        act="x-host:actsentinel",
        stance="mixed",
        factuality="probable",
        capacity="personal",
        document="d1",
        quote={
            "exact": "Quotesentinel",
            "ranges": [(AT, AT + 13)],
            "mode": "indirect",
            "prefix": "ahead of it ",
            "renderings": [{"text": "Renderingsentinel", "language": "qqr"}],
        },
        addressees=["p2"],
        mentions=["both"],
        **{"utterance": "utterancesentinel", "conditions": "earlierwording"} | fields,
        uttered="1993-04-21",
        about="1874-06-07",
        expires="2875-07-08",
        language="qqc",
        basis="basissentinel",
        note="remarksentinel",
        extra={"extrasentinel": [1]},
    )


@pytest.fixture
def exported(tmp_path):
    """`exported(ledger, format)` is the text of what leaves; of tables, all their rows as JSON."""

    def write(ledger, format_, view=None, **options):
        view = ledger.as_of() if view is None else view
        if FORMATS[format_].folder:
            folder = tmp_path / "tables"
            export(view, format_, folder, **options)
            found = {one.stem: pq.read_table(one).to_pylist() for one in folder.iterdir()}
            return json.dumps(found, default=str)
        out = io.BytesIO()
        export(view, format_, out, **options)
        return out.getvalue().decode()

    return write
