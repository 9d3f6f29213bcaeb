"""Answers at the edges of a day, and of one speaking occasion."""

from __future__ import annotations

import pytest

from ledger import Document, Proposition
from ledger.errors import UnknownTopic


@pytest.mark.parametrize(
    "day, expected", [("2023-02-14", ()), ("2023-02-15", ("c",)), ("2023-02-16", ("c",))]
)
def test_a_document_is_out_by_a_day_if_its_hour_is_before_that_days_end(
    ledger, fill, day, expected
):
    fill(ledger).register(
        Document("hourly", publisher="gazette", published="2023-02-15T05:00:00Z", text="Open.")
    )
    ledger.record(
        id="c", claimant="board", act="assert", proposition="bridge-open", document="hourly"
    )
    assert ledger.claims(published=day).ids == expected


@pytest.mark.parametrize(
    "said, lapsed",
    [
        ("2023-02-09", False),
        ("2023-02-10T12:00:00Z", False),
        ("2023-02-10T12:00:01Z", True),
        ("2023-02-10", True),
        ("2023-02-11", True),
    ],
)
def test_what_expires_at_an_hour_has_lapsed_at_the_end_of_that_day(ledger, fill, said, lapsed):
    fill(ledger).record(
        claimant="board",
        act="predict",
        proposition="bridge-open",
        uttered="2023-02-01",
        expires="2023-02-10T12:00:00Z",
    )
    assert ledger.as_of(said=said).position("board", "bridge-open").lapsed is lapsed


def test_reports_of_one_utterance_that_differ_in_the_act_are_no_shift(ledger, fill):
    fill(ledger).register(Proposition("open", text="Open the lower bridge", kind="aim"))
    for id_, act in (("a", "call_for"), ("b", "demand")):
        ledger.record(
            id=id_,
            claimant="board",
            act=act,
            proposition="open",
            uttered="2023-02-01",
            utterance="hour",
        )
    (run,) = ledger.position("board", "open").runs
    assert (run.claims, run.shifts) == (("a", "b"), ())
    ledger.record(claimant="board", act="demand", proposition="open", uttered="2023-02-02", id="c")
    (run,) = ledger.position("board", "open").runs
    assert run.shifts == ()
    ledger.record(
        claimant="board", act="call_for", proposition="open", uttered="2023-02-03", id="d"
    )
    (run,) = ledger.position("board", "open").runs
    assert run.shifts == ("demand, certain to call_for, certain (d)",)


def test_a_timeline_of_nothing_known_says_that_there_is_no_such_topic(told):
    with pytest.raises(UnknownTopic, match="Did you mean 'bridges'"):
        told.timeline("board", "bridge")
    assert (
        told.timeline("board", "bridge-open").strands == told.timeline("board", "bridges").strands
    )
