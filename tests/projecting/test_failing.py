"""An event that a projection cannot take: retried, then parked or waited for, and always shown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from ledger.errors import CodecError, InvalidProjection, ProjectionFailed, UnknownEvent
from ledger.model.events import NewEvent, PartyRegistered
from ledger.projecting import Projection
from ledger.store import transaction


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
    small.projections.add(kit.acts(), mode="deferred", replace=True)  # mended
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
    small.projections.add(kit.acts(), mode="deferred", replace=True)
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


def test_a_table_that_is_gone_parks_nothing_and_a_rebuild_makes_it_again(small, kit):
    kit.say(small, "C1")
    small.projections.add(kit.acts(retries=0), mode="deferred")
    small.projections.run("acts")
    kit.say(small, "C2", "C3")
    with small._folded.bind.begin() as conn:
        kit.acts_table().drop(conn)
    with pytest.raises(InvalidProjection, match=r"host_acts_v1_0 .*'acts', in_place=True") as told:
        small.projections.run("acts")
    assert isinstance(told.value.__cause__, ProjectionFailed)
    assert small.projections.parked("acts") == ()
    assert small.projections.rebuild("acts", in_place=True).switched
    assert kit.seqs(small) == [5, 6, 7]


@pytest.mark.parametrize("state", [{"a", "b"}, {1: "one"}, float("nan")])
def test_a_state_that_begins_as_no_json_parks_nothing(small, kit, state):
    made = Projection(name="lost", initial=lambda: state, evolve=lambda now, event: now)
    small.projections.add(made, mode="deferred")
    with pytest.raises(InvalidProjection, match=r"initial\(\) of the projection lost gives"):
        small.projections.run("lost")
    assert small.projections.parked("lost") == ()


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


@pytest.fixture
def unreadable(small):
    """The world, then at sequence 5 a party whose kind is a number, then a party like any other."""
    with transaction.writing(small._folded.bind) as conn:
        conn.execute(text("UPDATE ledger_log SET size = size + 1"))
        conn.execute(
            text(
                "INSERT INTO ledger_event (log_id, seq, id, type, stream, stream_v, known_at, "
                "entry, leaf_hash, slot_who, slot_what, slot_by) "
                "SELECT log_id, 5, 'by hand', type, 'by hand', 0, known_at, entry, leaf_hash, "
                "slot_who, :what, slot_by FROM ledger_event WHERE seq = 0"
            ),
            {"what": bytes(32) + b'{"kind":5}'},
        )
    guild = PartyRegistered(key="bakers", name="Bakers", kind="guild")
    small.appender.put([NewEvent(id="p-6", stream="p-6", stream_v=0, event=guild)])
    with pytest.raises(CodecError, match="The slots of this party_registered"):
        list(small.events())
    return small


def taken(**options):
    """The keys of the parties that came, as a state."""

    def evolve(state, stored):
        return [*state, stored.event.key]

    return Projection(
        name="keys", initial=list, evolve=evolve, types="party_registered", retries=0, **options
    )


def test_an_event_that_nobody_can_read_is_parked_and_the_others_go_on(unreadable):
    unreadable.projections.add(taken(), mode="deferred")
    outcome = unreadable.projections.run("keys")
    assert (outcome.status, outcome.position, outcome.parked) == ("caught_up", 7, 1)
    assert unreadable.projections.state("keys") == ["board", "millers", "bakers"]
    (parked,) = unreadable.projections.parked("keys")
    assert (parked.sequence, parked.event_id, parked.kind) == (5, "by hand", "parked")
    assert "CodecError: The slots of this party_registered do not make one" in parked.reason
    with pytest.raises(ProjectionFailed, match="at sequence 5: CodecError"):
        unreadable.projections.retry("keys", 5)
    assert unreadable.projections.check("keys").ok


def test_a_projection_may_wait_for_it_until_it_is_skipped(unreadable):
    unreadable.projections.add(taken(on_failure="stop"), mode="deferred")
    followed = unreadable.projections.follow("keys", wait=lambda _: None)
    assert (followed.status, followed.position) == ("failing", 5)
    unreadable.projections.skip("keys", 5)
    assert unreadable.projections.run("keys").status == "caught_up"
    assert unreadable.projections.state("keys") == ["board", "millers", "bakers"]


def test_an_effect_of_what_nobody_can_read_is_parked_too(unreadable):
    sent: list[Any] = []

    def look(page):
        """Reads nothing of an event."""

    made = Projection(name="looks", apply_page=look, on_live=sent.append, retries=0)
    unreadable.projections.add(made, mode="deferred")
    unreadable.projections.run("looks", until=5)
    unreadable.projections.run("looks")
    with transaction.writing(unreadable._folded.bind) as conn:
        conn.execute(text("UPDATE ledger_cursor SET effects = 4"))
    assert unreadable.projections.run("looks").parked == 1
    assert [one.sequence for one in sent] == [4, 6]
    assert [(one.sequence, one.kind) for one in unreadable.projections.parked("looks")] == [
        (5, "effect")
    ]
