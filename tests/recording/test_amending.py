"""Amendments and corrections that would leave a record which could not have been entered."""

from __future__ import annotations

import pytest

from ledger import Membership
from ledger import errors as er


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"claims": []}, "one claim or more"),
        ({"claims": ["other"]}, "is a withdrawal itself"),
        ({"claims": ["c3"]}, "has no part in 'c3'"),
        ({"claimant": "stranger"}, "has no part in 'c1'"),
        ({"uttered": None}, "keeps uttered= or document="),
    ],
)
def test_an_amended_withdrawal_still_has_to_be_one(town, unchanged, fields, words):
    town.withdraw("c1", claimant="board", uttered="2023-02-27", id="back")
    town.withdraw("c2", claimant="ministry", uttered="2023-02-27", id="other")
    with unchanged(town), pytest.raises(er.InvalidWithdrawal, match=words):
        town.amend("back", reason="read again", **fields)
    assert town.amend("back", reason="read again", uttered="2023-02-26").stored == "stored"


def test_a_corrected_withdrawal_still_has_to_be_one(town, unchanged):
    town.withdraw("c1", claimant="board", document="gazette-1", id="back")
    with unchanged(town), pytest.raises(er.InvalidWithdrawal, match="has no part in 'c3'"):
        town.correct("back", document="gazette-2", claims=["c3"])


def test_an_aim_that_somebody_demands_cannot_become_a_fact(town, unchanged):
    town.record(id="c4", claimant="board", act="demand", proposition="open-bridge")
    with unchanged(town), pytest.raises(er.InvalidClaim, match="demand wants something"):
        town.amend("open-bridge", kind="fact", reason="read again")
    town.amend("c4", act="assert", reason="it was said so")
    assert town.amend("open-bridge", kind="fact", reason="read again").stored == "stored"


def test_an_amended_membership_cannot_lead_back_to_its_member(town, unchanged):
    seat = town.register(Membership("stranger", "board"))
    with unchanged(town), pytest.raises(er.InvalidMembership, match="cannot belong to itself"):
        town.amend(seat, organisation="stranger", reason="read again")
