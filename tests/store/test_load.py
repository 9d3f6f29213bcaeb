"""A bulk load: a stream in chunks, in constant memory, which goes on where it was interrupted."""

from __future__ import annotations

import gc
import weakref

import attrs
import pytest

from ledger import Ledger, Party
from ledger.errors import AlreadyRecorded, Invalid, WrongExpectedVersion
from ledger.loading import Loaded
from ledger.model.events import NewEvent, PartyRegistered
from ledger.projecting import Projection
from ledger.recording.ids import new_id


@pytest.fixture
def typed(clock):
    """`typed(3)` are three events of parties, `typed(3, "b")` three others."""

    def make(many, name="p"):
        made = []
        for number in range(many):
            id_ = new_id(clock())
            event = PartyRegistered(key=f"{name}-{number}", name=f"{name} {number}", kind="person")
            made.append(NewEvent(id=id_, stream=id_, stream_v=0, event=event))
        return made

    return make


def ids(ledger):
    return [event.id for event in ledger.events()]


def interrupted(events, after):
    yield from events[:after]
    raise KeyboardInterrupt


@pytest.mark.parametrize("chunk", [1, 3, 4, 5_000])
def test_a_stream_is_stored_in_its_order_whatever_the_chunk(ledger, typed, chunk):
    events = typed(10)
    told: list[Loaded] = []
    loaded = ledger.appender.load(iter(events), chunk=chunk, progress=told.append)
    assert loaded == Loaded(stored=10, size=10)
    assert [one.stored for one in told] == [*range(chunk, 10, chunk), 10]
    assert ids(ledger) == [one.id for one in events]
    assert ledger.verify().size == 10
    assert [one.id for one in ledger.as_of().parties()] == sorted(one.event.key for one in events)


def test_nothing_is_loaded_from_nothing(ledger):
    assert ledger.appender.load([]) == Loaded()
    assert ids(ledger) == []


def test_a_load_that_was_interrupted_goes_on_where_it_was(ledger, typed):
    events = typed(10)
    with pytest.raises(KeyboardInterrupt):
        ledger.appender.load(interrupted(events, 7), chunk=3)
    assert ids(ledger) == [one.id for one in events[:6]]
    assert ledger.appender.load(events, chunk=3) == Loaded(stored=4, already_stored=6, size=10)
    assert ids(ledger) == [one.id for one in events]


def test_it_goes_on_with_other_chunks_and_between_what_others_stored(ledger, typed):
    events = typed(10)
    ledger.appender.load(events[:3])
    ledger.appender.put(typed(7, "other"))
    ledger.appender.load(events[3:5])
    assert ledger.appender.load(events, chunk=6) == Loaded(stored=5, already_stored=5, size=17)
    loaded = ids(ledger)
    assert [one for one in loaded if one in {event.id for event in events}] == [
        one.id for one in events
    ]
    assert ledger.appender.load(events) == Loaded(already_stored=10, size=17)


def test_what_is_there_under_the_id_must_be_the_same(ledger, typed):
    events = typed(4)
    ledger.appender.load(events[:2])
    changed = attrs.evolve(events[1], event=attrs.evolve(events[1].event, name="Another"))
    with pytest.raises(AlreadyRecorded, match="at sequence 1") as caught:
        ledger.appender.load([events[0], changed, *events[2:]])
    assert (caught.value.given, caught.value.sequence) == (changed.id, 1)
    assert ids(ledger) == [one.id for one in events[:2]]


def test_of_a_chunk_that_is_refused_nothing_is_stored_and_the_ones_before_stand(ledger, typed):
    events = typed(6)
    events[4] = attrs.evolve(events[4], stream_v=3)
    with pytest.raises(WrongExpectedVersion):
        ledger.appender.load(events, chunk=2)
    assert ids(ledger) == [one.id for one in events[:4]]


@pytest.mark.parametrize("chunk", [0, -1, True, 2.5])
def test_a_chunk_holds_events(ledger, typed, chunk):
    with pytest.raises(Invalid, match="chunk"):
        ledger.appender.load(typed(1), chunk=chunk)


def test_a_hosts_rollback_takes_a_load_back(ledger, typed):
    with ledger._folded.bind.connect() as conn:
        assert Ledger(conn).appender.load(typed(5), chunk=2).size == 5
        conn.rollback()
    assert ids(ledger) == []


def test_a_chunk_is_let_go_of_before_the_next_but_one_is_made(ledger, typed):
    events = typed(40)
    held = []

    def stream():
        for _ in range(len(events)):
            event = events.pop(0)
            held.append(weakref.ref(event))
            yield event
            del event
            gc.collect(0)
            assert sum(one() is not None for one in held) <= 2 * 4 + 1

    assert ledger.appender.load(stream(), chunk=4).stored == 40


def test_a_projection_has_all_of_it_when_it_is_asked(ledger, typed):
    count = Projection(name="count", initial=lambda: 0, evolve=lambda state, _: state + 1)
    ledger.projections.add(count)
    ledger.appender.load(typed(30), chunk=7)
    ledger.projections.ready()
    assert ledger.projections.state("count") == 30


@pytest.mark.parametrize("one", [Party("board", name="Water Board"), "board", None])
def test_what_is_no_event_is_refused_with_what_to_write(ledger, typed, one):
    told = r"at place 1, is no event\. Give a NewEvent; for a Party .* ledger\.register\(\.\.\.\)"
    for store in (ledger.appender.put, ledger.appender.load):
        with pytest.raises(Invalid, match=told) as caught:
            store([*typed(1), one])
        assert caught.value.given is one
    assert ids(ledger) == []
