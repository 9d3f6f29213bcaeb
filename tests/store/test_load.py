"""A bulk load: a stream in chunks, in constant memory, which goes on where it was interrupted."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import attrs
import pytest

from ledger import Ledger, Party
from ledger.errors import AlreadyRecorded, CodecError, Invalid, WrongExpectedVersion
from ledger.loading import Loaded
from ledger.model.events import (
    NewEvent,
    PartyNamed,
    PartyRegistered,
    RecordAmended,
    Remains,
)
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


def an_event(event: Any, **place: Any) -> NewEvent:
    given: dict[str, Any] = {"id": "e-1", "stream": "e-1", "stream_v": 0, "event": event}
    return NewEvent(**{**given, **place})


def evolved(event: Any, **fields: Any) -> Any:
    """The event with fields of which a type checker would say that they cannot be."""
    return attrs.evolve(event, **fields)


BOARD = PartyRegistered(key="board", name="Water Board", kind="organisation")
NAMED = PartyNamed(party="p", name="Board")
UNREADABLE: dict[str, Any] = {
    "a number for a text": evolved(BOARD, kind=5),
    "nothing for a text": evolved(BOARD, name=None),
    "a list for a text": evolved(BOARD, key=["board"]),
    "a list of numbers": evolved(BOARD, members=(1,)),
    "one text for several": evolved(BOARD, members="board"),
    "a text for yes or no": evolved(NAMED, metonym="yes"),
    "yes for a number": evolved(NAMED, rank=True),
    "a text for a period": evolved(NAMED, period="2023"),
    "a list among the changes": RecordAmended(
        target="r", record_type="party_registered", reason="why", changes={"members": ["a"]}
    ),
    "a field that the record lacks": RecordAmended(
        target="r", record_type="party_registered", reason="why", changes={"colour": "red"}
    ),
}


@pytest.mark.parametrize("event", UNREADABLE.values(), ids=UNREADABLE)
def test_what_could_not_be_read_again_is_not_stored(ledger, typed, event):
    for store in (ledger.appender.put, ledger.appender.load):
        with pytest.raises(CodecError, match=r"party_registered|party_named|record_amended"):
            store([*typed(1), an_event(event)])
    assert ids(ledger) == []
    ledger.register(Party("millers", name="Millers' Guild"))
    assert ledger.verify().size == 1


@pytest.mark.parametrize("place", [{"id": 5}, {"id": ""}, {"stream": 7}, {"stream": None}])
def test_an_event_needs_an_id_and_a_stream(ledger, typed, place):
    (field,) = place
    for store in (ledger.appender.put, ledger.appender.load):
        with pytest.raises(Invalid, match=rf"{field} \(at place 1\)"):
            store([*typed(1), an_event(BOARD, **place)])
    assert ids(ledger) == []


@pytest.mark.parametrize("version", [-1, True, "0", None, 2**63])
def test_an_event_needs_a_place_in_its_stream(ledger, typed, version):
    with pytest.raises(Invalid, match="stream_v, at place 1"):
        ledger.appender.put([*typed(1), an_event(BOARD, stream_v=version)])
    assert ids(ledger) == []


@pytest.mark.parametrize(
    "event", [None, Party("board", name="Board"), Remains("claim_recorded", ())]
)
def test_a_new_event_holds_an_event(ledger, typed, event):
    with pytest.raises(Invalid, match=r"at place 1 is .*, which no log holds") as caught:
        ledger.appender.put([*typed(1), an_event(event)])
    assert caught.value.given is event
    assert ids(ledger) == []


@pytest.mark.parametrize("given", [None, 7, an_event(BOARD)])
def test_what_is_no_list_of_events_is_refused(ledger, given):
    with pytest.raises(Invalid, match=r"Write put\(\[event\]\)"):
        ledger.appender.put(given)
