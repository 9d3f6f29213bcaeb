"""Explanations, perspectives and silences agree with the positions, in any small world."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger, Topic
from tests.projections.worlds import PEOPLE, SAID, TOLD, Clock, told_to, worlds


@given(worlds(), st.sampled_from(SAID), st.sampled_from(("latest", "own_level_first")))
def test_every_claim_is_told_once_in_each_step_and_the_end_is_the_position(world, said, policy):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        view = ledger.as_of(said=said)
        far = ledger.as_of(said="2999-01-01")
        for who in PEOPLE:
            for what in TOLD[:2]:
                found = view.explain(who, what, policy=policy)
                position = view.position(who, what, policy=policy)
                assert found.position == position
                steps = {step.title: step for step in found.steps}
                for step in found.steps:
                    told = [one.claim for one in step.claims]
                    assert len(told) == len(set(told)), step
                collected = {one.claim: one.kept for one in steps["Collect"].claims}
                assert collected.keys() >= set(far.claims(proposition=what).ids)
                kept = {claim for claim, yes in collected.items() if yes}
                assert kept == told_of(position)
                ends = {one.claim for one in steps["Order"].claims if one.kept}
                rests_on = {one.claim for one in position.evidence}
                assert bool(ends & rests_on) == bool(rests_on)
                assert steps["Decide"].words.startswith(position.status)


def told_of(position):
    listed = {claim for run in position.runs for claim in run.claims}
    rest = (*position.possible, *position.set_aside, *position.passed_over)
    return listed | {one.claim for one in rest}


@given(worlds(), st.sampled_from(SAID))
def test_accounts_and_silences_agree_with_the_positions(world, said):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        ledger.register(Topic("all", label="All of it"))
        for line in ledger.as_of().propositions():
            ledger.amend(line.id, topics=["all"], reason="to ask for them together")
        view = ledger.as_of(said=said)
        stands = {
            (who.id, what.id): view.position(who.id, what.id)
            for who in view.parties()
            for what in view.propositions()
        }
        spoken_on = {row.proposition for row in view.claims(certainty="certain")}
        silent = {cell for cell, one in stands.items() if one.status == "silent"}
        told = {(one.party, what) for one in view.silences("all") for what in one.propositions}
        assert told == {cell for cell in silent if cell[1] in spoken_on}
        for row in view.silences("all"):
            for what in row.propositions:
                assert stands[row.party, what].last_word_on_topic == row.last_word
        for account in view.perspectives("the-road"):
            assert account.position == stands[account.party, account.proposition]
            assert all(one.own for one in account.words)
            assert account.words
