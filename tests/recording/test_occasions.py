"""Reports of one utterance share one time: what is refused so that no reference runs backwards."""

from __future__ import annotations

import pytest

from ledger import errors as er
from tests.recording.entries import amend, record, refused, withdraw

SHARED = {"utterance": "session"}


@pytest.mark.parametrize(
    "entry, words",
    [
        (
            record(id="late", uttered="[2023-02-22..2023-02-27]", **SHARED),
            ("'late', of one utterance with 'told', ", "later than 'back' (2023-02-21)"),
        ),
        (
            withdraw("c1", uttered="[2023-02-22..2023-02-27]", **SHARED),
            ("'the withdrawal', of one utterance with 'told', ", "later than 'back' (2023-02-21)"),
        ),
        (
            amend("apart", uttered="[2023-02-22..2023-02-27]", **SHARED),
            ("'apart', of one utterance with 'told', ", "later than 'back' (2023-02-21)"),
        ),
        (
            record(id="soon", uttered="[2023-02-10..2023-02-19]", **SHARED),
            ("'soon', of one utterance with 'told', ", "earlier than 'c1' (2023-02-20)"),
        ),
    ],
    ids=["a report", "a withdrawal", "an amendment", "a report too early"],
)
def test_another_report_moves_no_occasion_past_what_refers_to_it(
    ledger, fill, unchanged, entry, words
):
    fill(ledger)
    record(id="told", uttered="[2023-02-14..2023-02-25]", **SHARED)(ledger)
    withdraw("told", id="back", uttered="2023-02-21")(ledger)
    ledger.relate("told", "reaffirms", "c1")
    record(id="apart", uttered="2023-02-26")(ledger)
    found = refused(ledger, unchanged, entry, er.InvalidRelation)
    assert [word for word in words if word not in found.message] == []


def test_reports_of_one_utterance_that_share_no_day_are_entered(ledger, fill):
    fill(ledger)
    record(id="told", uttered="2023-02-20", **SHARED)(ledger)
    withdraw("told", id="back", uttered="2023-02-21")(ledger)
    record(id="apart", uttered="2023-02-26", **SHARED)(ledger)
    said = {one.id: str(one.said) for one in ledger.claims()}
    assert (said["told"], said["apart"]) == ("2023-02-20", "2023-02-26")
