"""Puts that follow one another: where the last one left the log is tried, and no more."""

from __future__ import annotations

import attrs
import pytest
import sqlalchemy as sa

from ledger import Ledger
from ledger.errors import ProjectionFailed
from ledger.model.events import ClaimRecorded, NewEvent


@pytest.fixture
def claim(small, kit):
    """`claim("C2")` is an event to be put: the board says so once more."""
    kit.say(small, "C1")
    said = next(one.event for one in small.events() if isinstance(one.event, ClaimRecorded))

    def make(key):
        event = attrs.evolve(said, key=key)
        return NewEvent(id=f"put-{key}", stream=f"put-{key}", stream_v=0, event=event)

    return make


def beside(ledger, kit, bind=None):
    other = Ledger(bind or ledger._folded.bind, clock=ledger._clock)
    other.projections.add(kit.claims(ledger.layout))
    return other


def statements(engine, act):
    """The texts that SQLAlchemy hears of while something is done."""
    heard = []

    def hear(_conn, _cursor, statement, *_):
        heard.append(statement)

    sa.event.listen(engine, "before_cursor_execute", hear)
    try:
        act()
    finally:
        sa.event.remove(engine, "before_cursor_execute", hear)
    return heard


def test_what_a_view_looked_up_it_knows_in_the_next_put(small, kit, claim):
    engine = small._folded.bind
    if engine.pool.__class__.__name__ == "StaticPool":
        pytest.skip("its statements are the same")
    small.projections.add(kit.claims(small.layout))
    small.projections.ready()
    first = statements(engine, lambda: small.appender.put([claim("C2")]))
    second = statements(engine, lambda: small.appender.put([claim("C3")]))
    asked = [any("SELECT id, seq" in one for one in heard) for heard in (first, second)]
    assert asked == [True, False]
    assert not any("FOR UPDATE OF" in one for one in second)
    assert small.projections.check("claims").ok


def test_writers_that_take_turns_leave_one_log_and_one_view(small, kit, claim):
    small.projections.add(kit.claims(small.layout))
    other = beside(small, kit)
    for place, writer in enumerate([small, small, other, small, other, other, *[small] * 20]):
        stored = writer.appender.put([claim(f"C{place + 2}")])
        assert stored.size == stored.first + 1
    assert kit.seqs(small, "claims") == [*range(5, 32)]
    assert small.projections.check("claims").ok
    small.verify()


def test_what_a_host_rolled_back_is_not_built_on(small, kit, claim):
    small.projections.add(kit.claims(small.layout))
    small.projections.ready()
    engine = small._folded.bind
    with engine.connect() as conn:
        host = beside(small, kit, conn)
        for keys, keep in ((["C2"], True), (["C3", "C4"], False), (["C5", "C6"], True)):
            transaction = conn.begin()
            for key in keys:
                host.appender.put([claim(key)])
            transaction.commit() if keep else transaction.rollback()
    assert [row.seq for row in kit.rows(small, "claims")][-3:] == [6, 7, 8]
    assert [one.event.key for one in small.events()][-3:] == ["C2", "C5", "C6"]
    assert small.projections.check("claims").ok
    small.verify()


def test_a_put_that_a_view_refuses_leaves_nothing_behind(small, kit, claim):
    small.projections.add(kit.acts(poison=["C3"]))
    small.appender.put([claim("C2")])
    with pytest.raises(ProjectionFailed):
        small.appender.put([claim("C3")])
    small.appender.put([claim("C4")])
    assert [one.event.key for one in small.events()][-2:] == ["C2", "C4"]
    assert small.projections.check("acts").ok
