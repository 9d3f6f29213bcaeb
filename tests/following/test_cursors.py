"""Named cursors: each event once for what a host does in the ledger's database, on every engine."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from ledger import Ledger
from ledger.errors import CursorMoved, InvalidCursor
from ledger.projecting import Projection

MAIL = sa.Table("mail", sa.MetaData(), sa.Column("sequence", sa.BigInteger, nullable=False))


@pytest.fixture
def engine(ledger):
    found = ledger._folded.bind
    MAIL.create(found)
    return found


def sent(engine):
    with engine.connect() as conn:
        return list(conn.scalars(sa.select(MAIL.c.sequence).order_by(MAIL.c.sequence)))


def mail_what_is_new(ledger, engine, *, until_the_end=10**9):
    cursor = ledger.cursor("mailer")
    for event in ledger.events(after=cursor.position):
        if event.sequence >= until_the_end:
            return
        with engine.begin() as conn:
            conn.execute(MAIL.insert().values(sequence=event.sequence))
            cursor.advance(event.sequence, conn)


def test_a_cursor_begins_before_the_first_event_and_stands_where_it_was_put(ledger, register):
    cursor = ledger.cursor("mailer")
    assert cursor.position == -1
    register(ledger, 3)
    assert cursor.position == -1
    cursor.advance(0)
    cursor.advance(2)
    assert cursor.position == 2
    assert ledger.cursor("mailer").position == 2
    assert ledger.cursor("archive").position == -1


def test_what_a_host_does_in_the_cursors_transaction_happens_once_for_each_event(
    ledger, engine, register
):
    register(ledger, 5)
    mail_what_is_new(ledger, engine, until_the_end=2)
    mail_what_is_new(ledger, engine)
    register(ledger, 2)
    mail_what_is_new(ledger, engine)
    assert sent(engine) == [*range(7)]


def test_a_cursor_goes_back_with_the_hosts_transaction_and_then_refuses_to_skip(
    ledger, engine, register
):
    register(ledger, 3)
    cursor = ledger.cursor("mailer")
    with engine.connect() as conn:
        conn.execute(MAIL.insert().values(sequence=0))
        cursor.advance(0, conn)
        conn.rollback()
    with pytest.raises(CursorMoved) as caught:
        cursor.advance(1)
    assert (caught.value.expected, caught.value.actual) == (0, -1)
    assert cursor.position == -1
    cursor.advance(0)
    assert cursor.position == 0


def test_of_two_consumers_of_one_name_one_moves_on_and_the_other_is_told(ledger, engine, register):
    register(ledger, 4)
    one, other = ledger.cursor("mailer"), ledger.cursor("mailer")
    assert (one.position, other.position) == (-1, -1)
    one.advance(1)
    with engine.connect() as conn:
        conn.execute(MAIL.insert().values(sequence=0))
        with pytest.raises(CursorMoved, match="seen at -1, but it stands at 1") as caught:
            other.advance(0, conn)
        conn.rollback()
    assert (caught.value.expected, caught.value.actual) == (-1, 1)
    one.advance(2)
    assert other.position == 2
    other.advance(3)
    with pytest.raises(CursorMoved):
        one.advance(3)


def test_a_refused_move_leaves_the_hosts_transaction_usable(ledger, engine, register):
    register(ledger, 2)
    one, other = ledger.cursor("mailer"), ledger.cursor("mailer")
    assert other.position == -1
    one.advance(0)
    with engine.begin() as conn:
        with pytest.raises(CursorMoved):
            other.advance(0, conn)
        conn.execute(MAIL.insert().values(sequence=9))
    assert sent(engine) == [9]


def test_a_session_carries_the_move_to_its_commit(ledger, engine, register):
    register(ledger, 2)
    cursor = ledger.cursor("mailer")
    with Session(engine) as session:
        cursor.advance(0, session)
        session.rollback()
    assert cursor.position == -1
    with Session(engine) as session:
        cursor.advance(1, session)
        session.commit()
    assert cursor.position == 1


def test_a_ledger_on_a_hosts_connection_moves_it_in_the_hosts_transaction(ledger, engine, register):
    register(ledger, 2)
    with engine.connect() as conn:
        inside = Ledger(conn).cursor("mailer")
        inside.advance(1)
        assert inside.position == 1
        conn.rollback()
    assert ledger.cursor("mailer").position == -1


def test_a_cursor_goes_back_by_reset_alone(ledger, register):
    register(ledger, 3)
    cursor = ledger.cursor("mailer")
    cursor.advance(2)
    for place in (1, 2, -1):
        with pytest.raises(InvalidCursor, match=rf"cursor.reset\({place}\)"):
            cursor.advance(place)
    cursor.reset(0)
    assert ledger.cursor("mailer").position == 0
    cursor.advance(1)
    cursor.reset(-1)
    assert ledger.cursor("mailer").position == -1
    ledger.cursor("new").reset(2)
    assert ledger.cursor("new").position == 2


@pytest.mark.parametrize("place", [3, 99, True, -2, 1.5, "1", None])
def test_a_cursor_stands_at_no_sequence_that_the_log_does_not_hold(ledger, register, place):
    register(ledger, 3)
    with pytest.raises(InvalidCursor):
        ledger.cursor("mailer").reset(place)
    with pytest.raises(InvalidCursor):
        ledger.cursor("mailer").advance(place)
    assert ledger.cursor("mailer").position == -1


def test_an_empty_log_has_nothing_to_be_handled(ledger):
    cursor = ledger.cursor("mailer")
    with pytest.raises(InvalidCursor, match="holds 0 events"):
        cursor.advance(0)
    cursor.reset(-1)
    assert cursor.position == -1


@pytest.mark.parametrize("name", ["", "Mailer", "two words", "x" * 64, 7])
def test_a_cursor_has_a_name_of_plain_letters(ledger, name):
    with pytest.raises(InvalidCursor):
        ledger.cursor(name)


def test_a_projection_of_the_same_name_goes_its_own_way(ledger, register):
    register(ledger, 3)
    count = Projection(name="mailer", initial=lambda: 0, evolve=lambda state, _: state + 1)
    ledger.projections.add(count, mode="deferred")
    ledger.cursor("mailer").advance(1)
    assert ledger.projections.status() == ()
    assert ledger.projections.run("mailer").position == 3
    assert ledger.projections.rebuild("mailer").switched
    (*_, status) = ledger.projections.status()
    assert (status.name, status.position) == ("mailer", 3)
    ledger.projections.prune("mailer")
    assert ledger.cursor("mailer").position == 1


def test_each_log_of_a_database_has_its_own(ledger, register):
    other = Ledger(ledger._folded.bind, origin="other")
    register(ledger, 2)
    register(other, 4)
    ledger.cursor("mailer").advance(1)
    other.cursor("mailer").advance(3)
    assert (ledger.cursor("mailer").position, other.cursor("mailer").position) == (1, 3)


def test_threads_that_race_handle_each_event_once(database, register):
    if database == "sqlite://":
        pytest.skip("a database in memory has one connection")
    with Ledger.open(database) as ledger:
        engine = ledger._folded.bind
        MAIL.create(engine)
        register(ledger, 30)

        def consume():
            while True:
                try:
                    mail_what_is_new(ledger, engine)
                except CursorMoved:
                    continue
                return

        threads = [threading.Thread(target=consume) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sent(engine) == [*range(30)]
        assert ledger.cursor("mailer").position == 29
