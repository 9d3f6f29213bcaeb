"""The commands, run for real in an empty folder, and a small ledger to run them on."""

from __future__ import annotations

import datetime as dt
import json

import attrs
import pytest

from ledger import Claim, Document, Ledger, Membership, Name, Occurrence, Party, Proposition, Topic
from ledger.cli import main

TEXT = "The water board said the dam is safe. The inspectors called it a risk."


@attrs.frozen
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def claims(tmp_path, monkeypatch, capsys):
    """`claims("position", "board", "safe")` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLAIMS_DB", raising=False)

    def run(*argv):
        status = main([str(one) for one in argv])
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run


@pytest.fixture
def good(claims):
    """As `claims`, for what must succeed without a word on standard error."""

    def run(*argv):
        ran = claims(*argv)
        assert (ran.status, ran.err) == (0, "")
        return ran

    return run


@pytest.fixture
def refused(claims):
    """As `claims`, for what must be refused in one sentence; gives the sentence."""

    def run(*argv, status=1):
        ran = claims(*argv)
        assert (ran.status, ran.out) == (status, "")
        assert ran.err.startswith("claims: ")
        assert ran.err.count("\n") == 1
        assert "Traceback" not in ran.err
        return ran.err

    return run


@pytest.fixture
def filled(claims, tmp_path):
    """A ledger at claims.db: entered on 6 March 2024, and one claim more on 10 March."""
    now = dt.datetime(2024, 3, 6, 12, tzinfo=dt.UTC)
    with Ledger.open(tmp_path / "claims.db", clock=lambda: now) as ledger:
        county = Party(
            "county",
            name="County",
            kind="state",
            names=[Name("Dam house", period="2000-01-01/..", metonym=True)],
        )
        board = Party(
            "board",
            name="Water board",
            kind="body",
            names=[Name("Dam house", period="../2000-01-01", metonym=True), Name("Keepers")],
        )
        office = Party("office", name="Inspectors", kind="office", names=["Keepers"])
        ledger.register_all(
            [
                county,
                board,
                office,
                Party("gazette", name="Gazette", kind="publisher"),
                Membership("office", "county", role="inspection"),
                Topic("dam", label="The dam"),
                Proposition("safe", text="The dam is safe", topic="dam"),
                Proposition("risk", text="The dam is a risk", topic="dam"),
                Occurrence("state", label="The dam's state", propositions=["safe", "risk"]),
                Document("d1", publisher="gazette", published="2024-03-05", text=TEXT),
            ]
        )
        ledger.record_all(
            [
                _claim("c1", "board", "assert", "safe", "2024-03-01", quote="is safe"),
                _claim("c2", "office", "assert", "risk", "2024-03-04", quote="a risk"),
            ]
        )
        now = dt.datetime(2024, 3, 10, 12, tzinfo=dt.UTC)
        ledger.record_all([_claim("c3", "office", "deny", "safe", "2024-03-04")])
    return tmp_path / "claims.db"


def _claim(key, claimant, act, proposition, uttered, *, quote=None):
    return Claim(
        id=key,
        claimant=claimant,
        act=act,
        proposition=proposition,
        uttered=uttered,
        document="d1",
        quote=quote,
        via="gazette",
    )
