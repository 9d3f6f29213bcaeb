"""The two commands that have no ledger to ask answer in JSON as well."""

from __future__ import annotations

import json

from ledger.cli import main


def test_the_demonstration_gives_its_transcript(capsys):
    assert main(["demo", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["transcript"]
    assert told[0].startswith("Who held what")
    assert any("CommitmentMismatch" in line for line in told)


def test_the_statements_come_with_their_dialect(capsys):
    assert main(["schema", "sql", "--dialect", "postgresql", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dialect"] == "postgresql"
    assert "ledger_event" in found["sql"]
