"""Builds stand side by side: the old one is read until the new one is complete."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from ledger import Ledger
from ledger.errors import InvalidProjection, StoreError, UnknownProjection
from ledger.projecting import Projection, cells, claims


def test_a_rebuild_gives_the_same_rows_twice(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C1", "C2", "C3")
    before = kit.rows(small)
    for build in (1, 2):
        outcome = small.projections.rebuild("acts")
        assert (outcome.status, outcome.build, outcome.switched) == ("caught_up", build, True)
        assert small.projections.served("acts").build == build
        assert kit.rows(small) == before
    phases = [(one.build, one.phase, one.served) for one in small.projections.status()]
    assert phases == [(0, "retired", False), (1, "retired", False), (2, "live", True)]


def test_a_version_takes_over_from_an_earlier_one_where_it_says_so(small, kit):
    kit.say(small, "C1", "C2")
    for version, says, served in ((2, False, 2), (3, False, 2), (4, True, 4), (1, True, 4)):
        small.projections.add(kit.acts(version=version, takes_over=says))
        outcome = small.projections.run("acts", version=version)
        assert outcome.status == "caught_up"
        assert small.projections.served("acts").version == served


def test_the_old_build_is_read_until_the_switch(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, *(f"C{n}" for n in range(6)))
    seen = []

    def progress(done, total):
        seen.append((done, small.projections.served("acts").build, len(kit.rows(small))))

    small.projections.rebuild("acts", batch=4, progress=progress)
    assert seen == [(4, 0, 6), (8, 0, 6), (11, 0, 6)]


def test_an_inline_view_goes_on_in_the_new_build(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C1")
    small.projections.rebuild("acts")
    kit.say(small, "C2")
    assert kit.seqs(small) == [5, 6]
    assert [one.position for one in small.projections.status()] == [6, 7]


def test_a_rebuild_takes_in_what_is_appended_meanwhile(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C1", "C2", "C3")
    keys = iter(["D1", "D2"])

    def progress(done, total):
        if (key := next(keys, None)) is not None:
            kit.say(small, key)

    small.projections.rebuild("acts", batch=3, progress=progress)
    assert kit.seqs(small) == [5, 6, 7, 8, 9]
    assert small.projections.check("acts").ok


def test_a_switch_under_load_loses_nothing(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C0")
    done = threading.Event()

    def write():
        for n in range(1, 30):
            kit.say(small, f"C{n}")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    switched = 0
    while not done.is_set() or not switched:
        switched += small.projections.rebuild("acts", batch=5).switched
    writer.join()
    small.projections.ready()
    assert kit.seqs(small) == list(range(5, 35))
    assert small.projections.check("acts").ok


def test_a_rebuild_that_was_stopped_goes_on(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, *(f"C{n}" for n in range(6)))
    stop = threading.Event()
    half = small.projections.rebuild("acts", batch=4, stop=stop, progress=lambda *_: stop.set())
    assert (half.status, half.position, half.switched) == ("stopped", 4, False)
    assert small.projections.served("acts").build == 0
    whole = small.projections.rebuild("acts")
    assert (whole.build, whole.applied, whole.switched) == (1, 7, True)


def test_a_new_version_stands_beside_the_old_one(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C1")
    small.projections.add(lambda build: kit.acts(build, version=2))
    kit.say(small, "C2")
    assert small.projections.served("acts").version == 1
    assert kit.seqs(small) == [5, 6]
    assert small.projections.rebuild("acts").switched
    assert small.projections.served("acts").version == 2
    kit.say(small, "C3")
    assert kit.seqs(small) == [5, 6, 7]
    assert small.projections.prune("acts") == ("acts v1, build 0",)
    with small._folded.reading() as conn:
        there = conn.dialect.has_table(conn, "host_acts_v1_0")
    assert not there
    kit.say(small, "C4")
    assert kit.seqs(small) == [5, 6, 7, 8]


def test_tables_of_fixed_names_are_rebuilt_in_place_if_that_is_said(small, kit):
    small.projections.add(kit.acts())
    kit.say(small, "C1", "C2")
    before = kit.rows(small)
    with pytest.raises(InvalidProjection, match=r"rebuild\('acts', in_place=True\)"):
        small.projections.rebuild("acts")
    assert small.projections.rebuild("acts", in_place=True).switched
    assert kit.rows(small) == before
    kit.say(small, "C3")
    assert kit.seqs(small) == [5, 6, 7]


def test_a_rebuild_removes_what_no_replay_makes(small, kit):
    small.projections.add(kit.acts)
    kit.say(small, "C1")
    table = small.projections.served("acts").table
    with small._folded.bind.begin() as conn:
        conn.execute(table.insert().values(seq=99, act="shout", stance="supports"))
    found = small.projections.check("acts")
    assert not found.ok
    assert "99" in (found.difference or "")
    assert "no such row" not in str(small.projections.check("acts").rows)
    small.projections.rebuild("acts")
    assert small.projections.check("acts").ok


def test_a_check_changes_nothing(small, kit):
    for made in (kit.acts, kit.acts(version=3), kit.tally()):
        small.projections.add(made)
    kit.say(small, "C1", "C2")
    small.projections.rebuild("acts", version=3)
    before = kit.rows(small), small.projections.status(), small.projections.state("tally")
    assert small.projections.check("acts").ok
    assert small.projections.check("tally").ok
    after = kit.rows(small), small.projections.status(), small.projections.state("tally")
    assert after == before


@pytest.mark.parametrize("made", [cells, claims])
@pytest.mark.parametrize("mode", ["inline", "deferred"])
def test_an_erasure_that_a_view_has_not_read_is_not_told_as_a_change_of_its_rows(
    small, kit, made, mode
):
    small.projections.add(made(small.layout), mode=mode)
    kit.say(small, "C1", "C2")
    small.amend("C1", reason="misheard", claimant="millers")
    small.projections.run(made.__name__)
    read = small.projections.served(made.__name__).position
    with Ledger(small._folded.bind.engine) as another:  # which knows of no views
        another.erase("C1", slots=["who"], reason="a wish", authority="the editor")
        kit.say(another, "C3")
    found = small.projections.check(made.__name__)
    assert (found.ok, found.position) == (True, read)
    assert small.verify(views=True).views == (found,)
    small.projections.run(made.__name__)
    assert small.projections.check(made.__name__).position == read + 3
    assert small.projections.check(made.__name__).ok


def test_a_rebuild_that_fell_goes_on(small, kit):
    small.projections.add(kit.tally(), mode="deferred")
    kit.say(small, "C1", "C2")
    small.projections.run("tally")
    before, falls = small.projections.state("tally"), [True]

    def evolve(state, stored):
        if falls and stored.sequence == 4:
            raise StoreError("the disk is full")
        return {**state, stored.type: state.get(stored.type, 0) + 1}

    falling = Projection(name="tally", initial=dict, evolve=evolve)
    small.projections.add(falling, mode="deferred", replace=True)
    with pytest.raises(StoreError):
        small.projections.rebuild("tally", batch=2)
    assert [one.position for one in small.projections.status()] == [7, 4]
    falls.clear()
    assert small.projections.rebuild("tally", batch=2).applied == 3
    assert small.projections.state("tally") == before


def test_indexes_are_there_once_a_build_is_served(small, kit):
    kit.say(small, "C1", "C2")
    small.projections.add(kit.acts, mode="deferred")
    half = small.projections.run("acts", until=3)
    table = kit.acts_table().name
    assert half.position == 3

    def indexes():
        with small._folded.reading() as conn:
            return [one["name"] for one in sa.inspect(conn).get_indexes(table)]

    assert indexes() == []
    small.projections.run("acts")
    assert indexes() == [f"{table}_by_act"]


def test_nothing_is_served_of_what_never_ran(small, kit):
    small.projections.add(kit.acts, mode="deferred")
    for ask in (small.projections.served, small.projections.check, small.projections.parked):
        with pytest.raises(UnknownProjection, match=r"Type: ledger\.projections\.run\('acts'\)"):
            ask("acts")
