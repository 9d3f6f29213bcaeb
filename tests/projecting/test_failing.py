"""An event that a projection cannot take: retried, then parked or waited for, and always shown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from ledger.errors import ProjectionFailed, UnknownEvent
from ledger.projecting import Projection


@pytest.mark.parametrize("batches", [False, True])
def test_a_poison_event_is_parked_with_its_reason_and_the_others_go_on(small, kit, batches):
    receipts = kit.say(small, *(f"C{n}" for n in range(8)))
    made = kit.acts(poison=["C3", "C6"], batches=batches, retries=1)
    small.projections.add(made, mode="deferred")
    outcome = small.projections.run("acts")
    assert (outcome.status, outcome.position, outcome.parked) == ("caught_up", 13, 2)
    assert kit.seqs(small) == [5, 6, 7, 9, 10, 12]
    first, second = small.projections.parked("acts")
    assert (first.sequence, first.event_id) == (8, receipts[3].ledger_id)
    assert (first.kind, first.attempts, second.sequence) == ("parked", 2, 11)
    assert "ValueError: no acts of C3" in first.reason
    assert "parked #8" in str(small.projections.status()[0])
    assert small.projections.check("acts").ok


def test_an_event_is_tried_again_before_it_is_parked(small, kit):
    kit.say(small, "C1")
    tries = []

    def evolve(state, stored):
        tries.append(stored.sequence)
        if len(tries) < 3:
            raise ConnectionError("not yet")
        return state + 1

    made = Projection(name="late", initial=int, evolve=evolve, types=["claim_recorded"])
    small.projections.add(made, mode="deferred")
    outcome = small.projections.run("late", batch=1)
    assert (outcome.parked, small.projections.state("late"), tries) == (0, 1, [5, 5, 5])


def test_a_projection_may_wait_for_an_event_instead(small, kit):
    kit.say(small, "C1", "C2", "C3")
    made = kit.acts(poison=["C2"], retries=0, on_failure="stop")
    small.projections.add(made, mode="deferred")
    outcome = small.projections.run("acts")
    assert (outcome.status, outcome.position) == ("failing", 6)
    assert small.projections.parked("acts")[0].kind == "stopping"
    small.projections.add(kit.acts(), mode="deferred")  # mended
    assert small.projections.run("acts").status == "caught_up"
    assert small.projections.parked("acts") == ()
    assert kit.seqs(small) == [5, 6, 7]


def test_what_was_parked_is_taken_later(small, kit):
    kit.say(small, "C1", "C2", "C3")
    small.projections.add(kit.acts(poison=["C2"], retries=0), mode="deferred")
    small.projections.run("acts")
    with pytest.raises(ProjectionFailed, match="acts v1 could not take the event at sequence 6"):
        small.projections.retry("acts", 6)
    assert len(small.projections.parked("acts")) == 1
    small.projections.add(kit.acts(), mode="deferred")
    small.projections.retry("acts", 6)
    assert small.projections.parked("acts") == ()
    assert kit.seqs(small) == [5, 6, 7]
    with pytest.raises(UnknownEvent, match="no event at sequence 6; parked are: none"):
        small.projections.retry("acts", 6)


@pytest.mark.parametrize("on_failure", ["park", "stop"])
def test_what_was_skipped_stays_out_and_is_told(small, kit, on_failure):
    kit.say(small, "C1", "C2", "C3")
    made = kit.acts(poison=["C2"], retries=0, on_failure=on_failure)
    small.projections.add(made, mode="deferred")
    small.projections.run("acts")
    small.projections.skip("acts", 6)
    small.projections.run("acts")
    assert [one.kind for one in small.projections.parked("acts")] == ["skipped"]
    assert small.projections.status()[0].parked == ()
    assert kit.seqs(small) == [5, 7]
    assert small.projections.check("acts").ok


def test_a_refusal_of_the_database_is_the_events_own(small, kit):
    kit.say(small, "C1", "C2")

    def apply(conn, stored):
        conn.execute(text("INSERT INTO no_such_table VALUES (1)"))

    made = Projection(name="lost", apply=apply, types=["claim_recorded"], retries=0)
    small.projections.add(made, mode="deferred")
    assert small.projections.run("lost").parked == 2
    assert "no_such_table" in small.projections.parked("lost")[0].reason


def test_effects_are_not_made_in_a_replay(small, kit):
    sent: list[Any] = []
    kit.say(small, "C1", "C2")
    small.projections.add(kit.tally(on_live=sent.append), mode="deferred")
    small.projections.run("tally")
    assert sent == []
    kit.say(small, "C3")
    small.projections.run("tally")
    assert [one.event.key for one in sent] == ["C3"]


def test_a_new_build_makes_the_effects_that_the_one_before_left(small, kit):
    sent: list[Any] = []
    small.projections.add(kit.tally(on_live=sent.append), mode="deferred")
    small.projections.run("tally")
    kit.say(small, "C1", "C2")
    small.projections.run("tally", until=6)
    small.projections.add(kit.tally(version=2, on_live=sent.append), mode="deferred")
    assert small.projections.rebuild("tally").switched
    kit.say(small, "C3")
    small.projections.run("tally")
    assert [one.event.key for one in sent] == ["C1", "C2", "C3"]


def test_an_effect_that_fails_is_parked_and_its_rows_stay(small, kit):
    falls = [True]

    def send(stored):
        if falls:
            raise OSError("no route to the post office")

    small.projections.add(kit.acts(on_live=send, retries=0), mode="deferred")
    small.projections.run("acts")
    kit.say(small, "C1")
    small.projections.run("acts")
    assert kit.seqs(small) == [5]
    (parked,) = small.projections.parked("acts")
    assert (parked.kind, parked.sequence) == ("effect", 5)
    assert "no route" in parked.reason
    falls.clear()
    small.projections.retry("acts", 5)
    assert small.projections.parked("acts") == ()
