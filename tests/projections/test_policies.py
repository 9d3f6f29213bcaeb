"""Policies: whose claims decide where a party's own and its speakers' differ (model.md, 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.errors import InvalidView
from tests.projections.worlds import PEOPLE, SAID, TOLD, Clock, told_to, worlds


@pytest.fixture
def disowned(told):
    """The state holds it, its ministry holds it, and the ministry's speaker came last, against."""
    told.claim("state", "delta", uttered="2023-01-03")
    told.claim("office", "harbour", uttered="2023-01-04")
    told.claim("hers", "speaker", uttered="2023-01-05", stance="opposes")
    return told.ledger


def stand(ledger, who, policy, said=None):
    one = ledger.as_of(said=said).position(who, "quay", policy=policy)
    return one.status, one.stance, [e.claim for e in one.passed_over]


def test_the_latest_word_counts_whoever_said_it(disowned):
    assert stand(disowned, "delta", "latest") == ("held", "opposes", [])
    assert disowned.position("delta", "quay").policy == "latest"


def test_own_claims_come_first_if_any_is_certain(disowned):
    assert stand(disowned, "delta", "own_level_first") == ("held", "supports", ["office", "hers"])
    assert stand(disowned, "harbour", "own_level_first") == ("held", "supports", ["hers"])


def test_without_own_claims_all_count(told):
    told.claim("office", "harbour", uttered="2023-01-04")
    told.claim("hers", "speaker", uttered="2023-01-05", stance="opposes")
    assert stand(told.ledger, "delta", "own_level_first") == ("held", "opposes", [])


def test_an_own_claim_that_is_only_possible_silences_nobody(told):
    told.claim("state", "delta", uttered="[2023-01-03..2023-01-09]")
    told.claim("office", "harbour", uttered="2023-01-04", stance="opposes")
    early = stand(told.ledger, "delta", "own_level_first", "2023-01-05")
    assert early == ("held", "opposes", [])
    late = stand(told.ledger, "delta", "own_level_first", "2023-01-09")
    assert late == ("held", "supports", ["office"])


@pytest.mark.parametrize("others", [0, 5])
def test_candidates_come_in_recorded_order_whoever_else_spoke(told, others):
    """A policy may count on it: it was that of the merged propositions, or that of recording."""
    told.claim("first", "river", proposition="jammed", uttered="2023-01-04", stance="opposes")
    told.claim("second", "river", uttered="2023-01-05")
    told.ledger.merge("quay", "jammed")
    for number in range(others):
        told.claim(f"other-{number}", "union", uttered="2023-01-06")
    seen = []

    def all_of_them(candidates):
        seen.append([one.claim for one in candidates])
        return candidates

    told.ledger.position("river", "quay", policy=all_of_them)
    assert seen == [["first", "second"]]


def test_the_shortest_path_is_the_highest_authority(told):
    told.claim("office", "harbour", uttered="2023-01-04")
    told.claim("hers", "speaker", uttered="2023-01-05", stance="opposes")
    assert stand(told.ledger, "delta", "highest_authority_first") == (
        "held",
        "supports",
        ["hers"],
    )
    assert stand(told.ledger, "delta", "own_level_first") == ("held", "opposes", [])


def test_a_refusal_of_its_own_leaves_the_word_to_those_below(told):
    told.claim("state", "delta", act="avoid", uttered="2023-01-05")
    told.claim("office", "harbour", uttered="2023-01-04")
    assert stand(told.ledger, "delta", "own_level_first") == ("held", "supports", [])


def test_its_own_words_taken_back_leave_it_withdrawn_and_not_its_speakers(disowned):
    disowned.withdraw("state", claimant="delta", uttered="2023-01-09")
    assert stand(disowned, "delta", "own_level_first")[0] == "withdrawn"
    assert stand(disowned, "delta", "latest")[:2] == ("held", "opposes")


def test_a_host_brings_a_policy_of_its_own(disowned):
    def no_speakers(claims):
        return [one for one in claims if "speaker" not in one.path]

    one = disowned.position("delta", "quay", policy=no_speakers)
    assert (one.stance, one.policy) == ("supports", "no_speakers")
    assert [e.claim for e in one.evidence] == ["state", "office"]
    assert "Passed over by no_speakers: 1." in str(one)


def test_a_policy_holds_for_tables_and_timelines_too(disowned):
    (row,) = disowned.positions(party="delta", policy="own_level_first")
    assert row.stance == "supports"
    on_topic = disowned.positions(topic="port", policy="own_level_first")
    assert {one.party: one.stance for one in on_topic} == {
        "delta": "supports",
        "harbour": "supports",
        "speaker": "opposes",
    }
    strand = disowned.timeline("delta", "quay", policy="own_level_first").strands[0]
    assert [run.claims for run in strand.runs] == [("state",)]


@pytest.mark.parametrize("policy", ["own_level", "", None, 3])
def test_a_policy_that_there_is_not_is_refused_with_those_there_are(disowned, policy):
    with pytest.raises(InvalidView, match="own_level_first, highest_authority_first"):
        disowned.position("delta", "quay", policy=policy)


def test_a_policy_that_invents_claims_is_refused(disowned):
    with pytest.raises(InvalidView, match="no candidate"):
        disowned.position("delta", "quay", policy=lambda claims: [*claims, "another"])


@given(worlds(), st.sampled_from(SAID))
def test_a_policy_only_ever_leaves_out(world, said):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        view = ledger.as_of(said=said)
        for who in PEOPLE[:4]:
            for what in TOLD[:2]:
                plain = told_in(view.position(who, what))
                for policy in ("own_level_first", "highest_authority_first"):
                    one = view.position(who, what, policy=policy)
                    assert told_in(one) | {e.claim for e in one.passed_over} == plain
                    sure = [e for e in one.passed_over if e.certainty == "certain"]
                    assert not sure or one.status in ("held", "conflicted", "withdrawn")


def told_in(position):
    listed = {claim for run in position.runs for claim in run.claims}
    return listed | {e.claim for e in (*position.possible, *position.set_aside)}
