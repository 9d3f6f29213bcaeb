"""Reports of one utterance share one time: what is refused so that no reference runs backwards."""

from __future__ import annotations

import itertools

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
            ("The withdrawal, of one utterance with 'told', ", "later than 'back' (2023-02-21)"),
        ),
        (
            withdraw("apart", uttered="2023", **SHARED),
            ("The withdrawal (2023-02-14", "earlier than 'apart' (2023-02-26)"),
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
    ids=[
        "a report",
        "a withdrawal",
        "a withdrawal too early",
        "an amendment",
        "a report too early",
    ],
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


@pytest.mark.parametrize(
    "edges", list(itertools.permutations([("c", "b"), ("b", "a"), ("c", "a")]))
)
def test_claims_of_one_utterance_refer_back_to_each_other_in_any_order_of_entry(
    ledger, fill, unchanged, edges
):
    fill(ledger)
    for id_ in "abc":
        record(id=id_, **SHARED)(ledger)
    for later, earlier in edges:
        assert ledger.relate(later, "updates", earlier).stored == "stored"
    found = refused(
        ledger, unchanged, lambda it: it.relate("a", "updates", "c"), er.InvalidRelation
    )
    assert "circle" in found.message


@pytest.mark.parametrize("joins", [False, True], ids=["of it", "joins it"])
@pytest.mark.parametrize("edge", [("a", "b"), ("b", "a")])
def test_a_claim_moves_freely_among_what_its_own_utterance_refers_to(ledger, fill, edge, joins):
    fill(ledger)
    record(id="a", **({} if joins else SHARED))(ledger)
    record(id="b", **SHARED)(ledger)
    ledger.relate(edge[0], "updates", edge[1])
    ledger.amend("a", uttered="2023-02-26", reason="read again", **SHARED)
    ledger.amend("a", uttered="2023-02-28", reason="read again")
    assert {one.id: str(one.said) for one in ledger.claims()}["a"] == "2023-02-28"
