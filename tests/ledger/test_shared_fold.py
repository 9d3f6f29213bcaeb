"""Ledgers on one engine share a fold: it follows commits, and takes back what is rolled back."""

from __future__ import annotations

import threading
import time

import attrs
import pytest
import sqlalchemy as sa

from ledger import Ledger, Party, Proposition
from ledger.errors import AlreadyRecorded, Invalid, NotFound, WrongExpectedVersion
from ledger.grouping import Grouped
from ledger.model import events as ev
from ledger.model.events import NewEvent
from ledger.recording.ids import new_id
from ledger.store import schema


def party(id_):
    return Party(id_, name=id_.title())


def ids(ledger):
    return [one.id for one in ledger.as_of().parties()]


def read(engine):
    """How many rows of events are read while it is asked what parties there are."""
    rows = []

    def count(_conn, _cursor, statement, parameters, *_):
        if "leaf_hash, " in statement and "ORDER BY" in statement:
            rows.append(parameters)

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        found = ids(Ledger(engine))
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    return found, rows


def test_a_ledger_made_for_a_request_reads_only_what_is_new(engine):
    Ledger(engine).register_all([party(f"p{n}") for n in range(30)])
    found, statements = read(engine)
    assert len(found) == 30
    for one in statements:  # each from the last event known
        assert 28 in (one.values() if isinstance(one, dict) else one)
    assert statements


def test_what_a_host_rolled_back_is_taken_back_and_what_it_committed_stays(engine):
    ledger = Ledger(engine)
    ledger.register(party("before"))
    with engine.connect() as conn:
        inside = Ledger(conn)
        inside.register(party("lost"))
        assert ids(inside) == ["before", "lost"]
        conn.rollback()
    assert ids(ledger) == ["before"]
    ledger.register(party("after"))
    with engine.begin() as conn:
        Ledger(conn).register(party("kept"))
    assert ids(ledger) == ids(Ledger(engine)) == ["after", "before", "kept"]
    assert ledger.verify().size == 3


def test_a_claim_that_names_what_was_rolled_back_is_refused(engine):
    ledger = Ledger(engine)
    ledger.register(Proposition("p", text="It is so"))
    with engine.connect() as conn:
        Ledger(conn).register(party("lost"))
        conn.rollback()
    with pytest.raises(NotFound):
        ledger.record(claimant="lost", act="assert", proposition="p")


def test_many_events_rolled_back_at_once_are_taken_back(engine):
    ledger = Ledger(engine)
    ledger.register(party("before"))
    with engine.connect() as conn:
        Ledger(conn).register_all([party(f"p{n}") for n in range(150)])
        conn.rollback()
    assert ids(ledger) == ["before"]


def test_the_same_refusal_comes_after_a_fresh_look_only(engine):
    here, there = Ledger(engine), Ledger(engine)
    here.register(party("a"))
    assert there.register(party("a")).stored == "already_stored"
    with pytest.raises(AlreadyRecorded):
        there.register(Party("a", name="Another"))


def test_an_expected_version_is_of_the_record_and_is_tested(engine):
    ledger = Ledger(engine)
    first = ledger.register(party("a"))
    second = ledger.amend("a", name="B", reason="mistyped", expected=first.version)
    assert (first.version, second.version) == (0, 1)
    with pytest.raises(WrongExpectedVersion) as caught:
        ledger.amend("a", name="C", reason="mistyped", expected=first.version)
    assert (caught.value.expected, caught.value.actual) == (0, 1)
    assert ledger.register(party("a")).version == 1
    again = ledger.amend("a", name="B", reason="mistyped", expected=first.version)
    assert again.stored == "already_stored"


def new_party(id_, version=0, stream=None):
    made = ev.PartyRegistered(key=id_, name=id_.title(), kind="organisation")
    event_id = new_id(Ledger(":memory:")._clock())
    return NewEvent(id=event_id, stream=stream or event_id, stream_v=version, event=made)


def test_typed_events_are_put_as_they_are(engine):
    ledger = Ledger(engine)
    ledger.register(party("a"))
    stored = ledger.appender.put([new_party("b"), new_party("c")])
    assert (stored.first, stored.size) == (1, 3)
    assert ids(ledger) == ["a", "b", "c"]
    assert ledger.verify().size == 3
    with pytest.raises(WrongExpectedVersion):
        ledger.appender.put([new_party("d", version=3)])
    assert ids(ledger) == ["a", "b", "c"]


def test_the_same_events_put_again_are_no_news_and_others_are_refused(engine):
    appender = Ledger(engine).appender
    events = [new_party("b"), new_party("c")]
    first = appender.put(events)
    appender.put([new_party("d")])
    again = appender.put(events)
    assert (again.first, again.known, again.already) == (first.first, first.known, True)
    other = attrs.evolve(events[1], event=attrs.evolve(events[1].event, name="Another"))
    for refused in ([events[0], other], [events[1], events[0]], [events[0], new_party("e")]):
        with pytest.raises(AlreadyRecorded):
            appender.put(refused)
    assert Ledger(engine).verify().size == 3


def test_threads_that_share_a_ledger_lose_nothing_and_hear_their_own_refusals(engine):
    shared = Ledger(engine).grouped()
    shared.register(party("first"))
    stored, refused = [], []

    def work(thread):
        for turn in range(10):
            try:
                stored.append(shared.register(party(f"p{thread}-{turn}")).id)
                shared.register(Party("first", name=f"Another {thread} {turn}"))
            except AlreadyRecorded as error:
                refused.append(error.given)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(stored) == len(refused) == 80
    assert ids(shared) == sorted(["first", *stored])
    assert shared.verify().size == 81


def test_what_threads_enter_while_one_writes_is_stored_in_one_append(engine):
    shared = Ledger(engine).grouped()
    shared.register(party("first"))
    receipts = []

    def work(thread):
        receipts.append(shared.register(party(f"p{thread}")))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    lead = shared.appender
    assert isinstance(lead, Grouped)
    with shared._folded.fold.lock:  # whoever leads waits for this
        for thread in threads:
            thread.start()
        while len(lead._queue) < 7:
            time.sleep(0.001)
    for thread in threads:
        thread.join(60)
    assert sorted(one.size for one in receipts) == [2, *[9] * 7]
    assert sorted(one.sequences[0] for one in receipts) == [*range(1, 9)]


def test_only_an_engine_is_shared_by_threads(engine):
    with engine.connect() as conn, pytest.raises(Invalid, match="belongs to one of them"):
        Ledger(conn).grouped()


def test_a_transaction_goes_on_while_another_thread_waits_for_it(engine):
    if isinstance(engine.pool, sa.StaticPool):
        pytest.skip("in memory there is one connection")
    with engine.connect() as conn:
        inside = Ledger(conn)
        inside.register(party("a"))
        waiting = threading.Thread(target=lambda: Ledger(engine).register(party("b")))
        waiting.start()
        for turn in range(5):
            inside.register(party(f"c{turn}"))
            assert "a" in ids(inside)
        conn.commit()
        waiting.join(30)
        assert not waiting.is_alive()
    assert ids(Ledger(engine)) == ["a", "b", *(f"c{turn}" for turn in range(5))]
    assert Ledger(engine).verify().size == 7


def test_tables_made_in_a_transaction_that_is_rolled_back_are_missed_at_the_next_use(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'host.db'}")
    with engine.connect() as conn:
        schema.upgrade(conn)
        Ledger(conn).register(party("lost"))
        conn.rollback()
    with pytest.raises(Exception, match="claims init"):
        Ledger(engine).register(party("a"))
    engine.dispose()


def test_an_id_put_twice_at_once_is_refused_and_nothing_is_left_out(engine):
    appender = Ledger(engine).appender
    event = new_party("b")
    other = attrs.evolve(event, event=attrs.evolve(event.event, name="Another"))
    for twice in ([event, event], [event, other]):
        with pytest.raises(AlreadyRecorded):
            appender.put([new_party("a"), *twice])
    assert ids(Ledger(engine)) == []
