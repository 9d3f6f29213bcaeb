"""A projection is run: it reads every event once, in order, whatever interrupts it."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from typing import Any

import pytest

from ledger import Ledger, Topic
from ledger.errors import (
    Invalid,
    InvalidProjection,
    StoreError,
    UnknownEventType,
    UnknownProjection,
)
from ledger.model.events import ClaimRecorded
from ledger.projecting import Projection, Projections, projections, running
from ledger.store import cursors
from ledger.store.cursors import Build


def test_a_run_catches_up_and_the_next_takes_only_what_is_new(small, kit):
    small.projections.add(kit.acts, mode="deferred")
    kit.say(small, "C1", "C2")
    first = small.projections.run("acts")
    assert (first.status, first.position, first.applied) == ("caught_up", 7, 7)
    assert kit.seqs(small) == [5, 6]
    kit.say(small, "C3")
    again = small.projections.run("acts")
    assert (again.status, again.applied) == ("caught_up", 1)
    assert kit.seqs(small) == [5, 6, 7]


def test_a_state_is_kept_with_the_cursor(small, kit):
    small.projections.add(kit.tally(), mode="deferred")
    kit.say(small, "C1", "C2")
    small.projections.run("tally", batch=2)
    assert small.projections.state("tally") == {
        "party_registered": 2,
        "topic_defined": 1,
        "proposition_defined": 2,
        "claim_recorded": 2,
    }


def test_batches_of_any_size_give_the_same_rows(small, kit):
    kit.say(small, *(f"C{n}" for n in range(9)))
    for version, batch in ((1, 1), (2, 2), (3, 100)):
        made = kit.acts(version=version, batches=version > 1)
        small.projections.add(made, mode="deferred")
        small.projections.rebuild("acts", version=version, batch=batch)
        assert kit.seqs(small) == list(range(5, 14))


def test_a_run_can_be_stopped_and_goes_on_where_it_stood(small, kit):
    kit.say(small, *(f"C{n}" for n in range(6)))
    small.projections.add(kit.acts, mode="deferred")
    stop, seen = threading.Event(), []

    def progress(done, total):
        seen.append((done, total))
        if len(seen) == 2:
            stop.set()

    first = small.projections.run("acts", batch=3, progress=progress, stop=stop)
    assert (first.status, first.position) == ("stopped", 6)
    second = small.projections.run("acts", batch=3, progress=lambda *at: seen.append(at))
    assert (second.status, second.applied) == ("caught_up", 5)
    assert seen == [(3, 11), (6, 11), (9, 11), (11, 11)]
    assert kit.seqs(small) == list(range(5, 11))


def test_a_run_reads_no_further_than_it_is_told(small, kit):
    kit.say(small, "C1", "C2", "C3")
    small.projections.add(kit.acts, mode="deferred")
    assert small.projections.run("acts", until=6).position == 6
    with pytest.raises(UnknownProjection, match="Nothing of the projection acts is served yet"):
        small.projections.served("acts")
    small.projections.run("acts")
    assert kit.seqs(small) == [5, 6, 7]


def test_rows_and_cursor_stand_or_fall_together(small, kit):
    kit.say(small, *(f"C{n}" for n in range(6)))
    table, falls = kit.acts_table(), [True]

    def apply_batch(conn, events):
        for stored in events:
            values = {"seq": stored.sequence, "act": "assert", "stance": "supports"}
            conn.execute(table.insert().values(values))
        if falls and events[-1].sequence >= 8:
            falls.clear()
            raise StoreError("the server went away")

    made = Projection(
        name="acts", tables=[table], types=["claim_recorded"], apply_batch=apply_batch
    )
    small.projections.add(made, mode="deferred")
    with pytest.raises(StoreError, match="the server went away"):
        small.projections.run("acts", batch=2)
    stood = small.projections.status()[0]
    assert (stood.position, stood.owner, stood.parked) == (8, None, ())
    assert small.projections.run("acts").status == "caught_up"
    assert kit.seqs(small) == list(range(5, 11))


def test_logs_in_one_database_have_cursors_of_their_own(database, clock, kit, tmp_path):
    one = kit.world(Ledger.open(database, clock=clock))
    other = kit.world(Ledger(one._folded.bind, origin="other", clock=clock))
    for ledger, keys in ((one, ["A1"]), (other, ["B1", "B2"])):
        ledger.projections.add(kit.claims(ledger.layout), mode="deferred")
        kit.say(ledger, *keys)
        ledger.projections.run("claims")
    assert [status.position for status in one.projections.status()] == [6]
    assert [status.position for status in other.projections.status()] == [7]
    one.projections.rebuild("claims")
    one.projections.prune("claims")
    assert other.projections.check("claims").ok
    assert other.projections.check("claims").rows == 2
    one.close()


def test_status_tells_lag_in_events_and_seconds(small, kit, clock):
    small.projections.add(kit.acts, mode="deferred")
    small.projections.run("acts")
    clock.set("2023-03-01T13:00:00Z")
    kit.say(small, "C1", "C2")
    clock.set("2023-03-01T13:01:30Z")
    status = small.projections.status()[0]
    assert (status.lag, status.lag_seconds, status.mode) == (2, 90.0, "deferred")
    assert str(status) == "acts v1, live, served, at 5, 2 events and 90 s behind"
    small.projections.run("acts")
    assert small.projections.status()[0].lag_seconds == 0.0


def test_follow_keeps_up_until_it_is_stopped(small, kit):
    small.projections.add(kit.acts, mode="deferred")
    stop, words = threading.Event(), iter(["C1", "C2", "C3"])

    def wait(seconds):
        key = next(words, None)
        if key is None:
            stop.set()
        else:
            kit.say(small, key)

    outcome = small.projections.follow("acts", stop=stop, wait=wait)
    assert (outcome.status, outcome.applied) == ("stopped", 8)
    assert kit.seqs(small) == [5, 6, 7]


def test_an_unknown_name_is_told_with_near_ones(small, kit):
    small.projections.add(kit.acts)
    with pytest.raises(UnknownProjection, match=r"'act' is registered here.*acts"):
        small.projections.run("act")


@pytest.mark.parametrize(
    "options, told",
    [
        ({"name": "Acts", "evolve": max, "initial": int}, "cannot be the name"),
        ({"name": "acts"}, "in one way"),
        ({"name": "acts", "evolve": max}, "in one way"),
        ({"name": "acts", "apply": print, "apply_batch": print}, "in one way"),
        ({"name": "acts", "apply": print, "version": 0}, "versions are 1, 2, 3"),
        ({"name": "acts", "apply": print, "on_failure": "skip"}, 'Write "park" or "stop"'),
        ({"name": "acts", "apply": print, "retries": -1}, "cannot be tried -1 times"),
    ],
)
def test_a_projection_that_cannot_be_is_refused(options, told):
    with pytest.raises(InvalidProjection, match=told):
        Projection(**options)


@pytest.mark.parametrize("types", ["claim_record", ["claim_record"], [3]])
def test_a_type_that_is_none_is_refused_and_not_waited_for_in_silence(types):
    with pytest.raises(UnknownEventType, match="No event type is called"):
        Projection(name="acts", apply=print, types=types)


def test_types_are_told_by_name_or_by_class():
    for types in ("claim_recorded", ClaimRecorded, [ClaimRecorded]):
        made = Projection(name="acts", apply=print, types=types)
        assert made.types == {"claim_recorded"}


@pytest.mark.parametrize("batch", [0, -1, "9", True])
@pytest.mark.parametrize("order", ["run", "follow", "rebuild"])
def test_a_batch_of_no_events_is_refused_and_moves_nothing(small, kit, order, batch):
    small.projections.add(kit.acts, mode="deferred")
    with pytest.raises(InvalidProjection, match=f"at least one event, not {batch!r}"):
        getattr(small.projections, order)("acts", batch=batch)
    with pytest.raises(InvalidProjection, match="until is a number of events"):
        small.projections.run("acts", until=-1)
    assert small.projections.status() == ()


@pytest.mark.parametrize("given", [None, "claims", 7])
def test_what_is_no_projection_is_refused(small, given):
    with pytest.raises(InvalidProjection, match="is no projection"):
        small.projections.add(given)


def test_a_state_that_is_no_plain_json_is_refused_at_once(small, kit):
    bad = Projection(name="bad", initial=list, evolve=lambda s, e: (*s, 1), retries=0)
    small.projections.add(bad, mode="deferred")
    outcome = small.projections.run("bad", batch=1)
    assert outcome.parked == 5
    assert "no plain JSON" in small.projections.parked("bad")[0].reason


def test_another_projection_of_the_same_name_is_refused_unless_it_is_meant(small, kit):
    made = kit.tally()
    small.projections.add(made)
    small.projections.add(made, mode="deferred")
    small.projections.add(kit.acts)
    small.projections.add(kit.acts)
    for other in (kit.tally(), lambda build: kit.tally()):
        with pytest.raises(InvalidProjection, match=r"tally v1 .*\(version=2\).*replace=True"):
            small.projections.add(other)
    small.projections.add(kit.tally(version=2))
    count = Projection(name="tally", initial=int, evolve=lambda state, _: state + 1)
    small.projections.add(count, replace=True)
    kit.say(small, "C1")
    assert small.projections.run("tally", version=1).status == "caught_up"
    with small._folded.reading() as conn:
        held = cursors.cursor(conn, small._folded.tables, Build(1, "tally", 1, 0))
    assert held is not None
    assert held.state == "6"


def test_a_run_can_be_stopped_by_a_function_too(small, kit):
    kit.say(small, *(f"C{n}" for n in range(5)))
    small.projections.add(kit.tally(), mode="deferred")
    done: list[int] = []
    for go in (small.projections.run, small.projections.rebuild):
        told, asked = (lambda at, _: done.append(at)), (lambda: len(done) > 1)
        outcome = go("tally", batch=2, progress=told, stop=asked)
        assert (outcome.status, len(done)) == ("stopped", 2)
        done.clear()
        with pytest.raises(Invalid, match="3 cannot be asked whether to stop"):
            go("tally", stop=3)


def test_what_falls_behind_while_another_thread_settles_is_not_forgotten(small, kit, monkeypatch):
    """Whatever line of it the other thread has come to."""
    settled: list[int] = []
    for number in range(1, 40):
        small.projections.add(kit.acts(version=number))
    monkeypatch.setattr(projections, "begun", lambda site, entry: entry)
    monkeypatch.setattr(projections, "conduct", lambda _, entry, *__: settled.append(entry.version))
    late = iter(small.projections._registry.inline)
    put: list[int] = []

    def come_between(frame, event, _) -> Any:
        if frame.f_code is not Projections.settle.__code__:
            return None
        if event == "line" and len(put) < 20:
            put.append(next(late).version)
            small.projections._behind.append(small.projections._registry.find("acts", put[-1]))
        return come_between

    small.projections._behind.append(next(late))
    before = sys.gettrace()
    sys.settrace(come_between)
    try:
        small.projections.settle()
    finally:
        sys.settrace(before)
    small.projections.settle()
    assert len(put) > 3
    assert sorted(settled) == [1, *put]


def test_a_slow_projection_is_given_small_batches_so_that_others_may_write(small, monkeypatch):
    monkeypatch.setattr(running, "_LONG", 0.02, raising=False)
    small.register_all(Topic(f"t{one}", label="Topic") for one in range(395))

    def slow(state, _):
        time.sleep(0.001)
        return state + 1

    done = [0]
    small.projections.add(Projection(name="slow", initial=int, evolve=slow), mode="deferred")
    small.projections.run("slow", progress=lambda at, _: done.append(at))
    steps = [after - before for before, after in itertools.pairwise(done)]
    assert sum(steps) == 400
    assert max(steps) <= 100
    assert max(steps[3:]) <= 50
    assert small.projections.state("slow") == 400
