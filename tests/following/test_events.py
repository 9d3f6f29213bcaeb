"""Reading the events that are there: filters, bounds, memory."""

from __future__ import annotations

import tracemalloc

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party, Proposition, Topic, paging
from ledger.errors import Invalid, MissingEntry, UnknownEventType
from ledger.model.events import PropositionDefined, TopicDefined
from ledger.store import read


@pytest.fixture(params=[1, 3, 1000])
def pages(request, monkeypatch):
    """Pages and stretches so short that every filter meets their edges, and long ones."""
    monkeypatch.setattr(read, "PAGE", request.param)
    monkeypatch.setattr(read, "STRETCH", request.param + 1)


@pytest.fixture
def mixed(ledger):
    """Thirty events of four types; some streams have several, far apart; another log beside."""
    parties = [ledger.register(Party(f"p-{n}", name=f"P {n}", kind="state")) for n in range(5)]
    for n in range(6):
        ledger.register(Topic(f"t-{n}", label=f"Topic {n}"))
        ledger.register(Proposition(f"q-{n}", text=f"Proposition {n}"))
        if n % 2:
            ledger.name(parties[n % 3], f"Name {n}")
    other = Ledger(ledger._folded.bind, origin="other")
    other.register(Topic("t-0", label="Another log's"))
    return ledger


def sequences(ledger, **asked) -> list[int]:
    return [event.sequence for event in paging.events(ledger._folded, **asked)]


def wanted(ledger, holds) -> list[int]:
    return [event.sequence for event in ledger.events() if holds(event)]


@pytest.mark.parametrize(
    "types, names",
    [
        ("topic_defined", {"topic_defined"}),
        (TopicDefined, {"topic_defined"}),
        (["topic_defined", PropositionDefined], {"topic_defined", "proposition_defined"}),
        ((), set()),
    ],
)
def test_types_are_told_by_name_or_by_class(mixed, pages, types, names):
    expected = wanted(mixed, lambda event: event.type in names)
    assert sequences(mixed, types=types) == expected
    assert bool(expected) == bool(names)


def test_every_stream_is_read_whole_and_alone(mixed, pages):
    streams = {event.stream for event in mixed.events()}
    assert len(streams) > 10
    for stream in streams:
        expected = wanted(mixed, lambda event, stream=stream: event.stream == stream)
        assert sequences(mixed, stream=stream) == expected
        assert sequences(mixed, stream=stream, after=expected[0]) == expected[1:]


def test_a_stream_that_is_not_there_has_no_events(mixed):
    assert sequences(mixed, stream="nobody") == []


def test_stream_types_bounds_and_limit_hold_together(mixed, pages):
    (named,) = {e.stream for e in mixed.events() if e.type == "party_named" and e.sequence < 10}
    expected = wanted(mixed, lambda e: e.stream == named and e.type == "party_named")
    assert sequences(mixed, stream=named, types="party_named") == expected
    assert sequences(mixed, stream=named, types="party_named", limit=1) == expected[:1]
    topics = wanted(mixed, lambda e: e.type == "topic_defined")
    assert sequences(mixed, types="topic_defined", after=topics[1], limit=2) == topics[2:4]
    assert sequences(mixed, limit=0) == []
    assert sequences(mixed, after=10_000) == []


def test_a_stream_is_read_from_where_it_begins_to_where_it_ends(mixed, monkeypatch):
    """Not from the log's beginning: its place is known from its id and its head."""
    monkeypatch.setattr(read, "PAGE", 1)
    monkeypatch.setattr(read, "STRETCH", 1)
    topic = next(e for e in mixed.events() if e.type == "topic_defined" and e.sequence > 12)
    looked: list[int] = []
    page = read.page

    def watched(*args, **asked):
        looked.append(asked["after"])
        return page(*args, **asked)

    monkeypatch.setattr(read, "page", watched)
    assert sequences(mixed, stream=topic.stream) == [topic.sequence]
    assert looked == [topic.sequence - 1]


def test_a_type_that_is_none_is_refused_before_anything_is_read(ledger):
    with pytest.raises(UnknownEventType, match="Did you mean topic_defined"):
        paging.events(ledger._folded, types=["topic_define"])
    with pytest.raises(UnknownEventType, match="There are party_registered"):
        paging.events(ledger._folded, types=int)


@pytest.mark.parametrize("types", ["topic_define", 7, [7], [None]])
def test_what_is_no_type_at_all_is_refused(ledger, types):
    with pytest.raises(UnknownEventType, match="No event type is called"):
        paging.events(ledger._folded, types=types)


@pytest.mark.parametrize("bound", ["after", "limit"])
@pytest.mark.parametrize("given", ["3", 1.5, True, -2])
def test_a_bound_that_is_no_number_of_events_is_refused_at_the_call(ledger, bound, given):
    for read_by in (ledger.events, ledger.follow)[: 1 + (bound == "after")]:
        with pytest.raises(Invalid, match=f"{bound} must be .* not {given!r}"):
            read_by(**{bound: given})


def test_events_of_a_hosts_transaction_are_read_through_it(ledger, register):
    register(ledger)
    with ledger._folded.bind.connect() as conn:
        joined = Ledger(conn)
        register(joined, 2)
        assert sequences(joined) == [0, 1, 2]
        conn.rollback()
        assert sequences(joined) == [0]


def test_a_reader_of_what_a_host_rolls_back_comes_to_an_end(ledger, register, monkeypatch):
    monkeypatch.setattr(read, "PAGE", 1)
    register(ledger)
    with ledger._folded.bind.connect() as conn:
        joined = Ledger(conn)
        register(joined, 2)
        events = paging.events(joined._folded)
        assert next(events).sequence == 0
        conn.rollback()
        assert list(events) == []


def test_an_event_that_is_gone_is_missed_and_not_passed_over(tmp_path, register):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        register(ledger, 4)
        outside = sa.create_engine(ledger._folded.bind.engine.url, poolclass=sa.NullPool)
        with outside.begin() as conn:
            conn.execute(sa.text("DROP TRIGGER ledger_event_no_delete"))
            conn.execute(sa.text("DELETE FROM ledger_event WHERE seq = 2"))
        events = paging.events(ledger._folded)
        with pytest.raises(MissingEntry, match="sequence 2 is missing") as caught:
            list(events)
        assert caught.value.sequence == 2


@pytest.mark.parametrize("how", [Ledger.events, Ledger.follow])
def test_a_long_log_takes_no_more_memory_than_a_short_one(tmp_path, monkeypatch, how):
    monkeypatch.setattr(read, "PAGE", 100)
    many = [Party(f"p-{n}", name=f"Party number {n}", kind="state") for n in range(4000)]
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.register_all(many)
        log = Ledger(ledger._folded.bind)
        peaks = [peak(how(log), count) for count in (400, 4000)]
    assert peaks[1] < 1.5 * peaks[0]


def peak(events, count: int) -> int:
    """The most bytes held at once while so many events are read."""
    tracemalloc.start()
    try:
        for _ in range(count):
            next(events)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        events.close()
