"""Two connections, step by step: what each sees and may do while the other is in the middle.

On PostgreSQL the second writer waits for the head row; on SQLite for the file's write lock, or, if
it has no patience, it is refused at once.
"""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party
from ledger.appending import utc_now
from ledger.errors import StoreError, WrongExpectedVersion
from ledger.model.events import NewEvent, PartyNamed
from ledger.recording.ids import new_id
from ledger.store import engines, read, schema, transaction
from ledger.store.append import append, lock_head
from tests.proof.feeds import name_of
from tests.proof.paths import sealed, typed
from tests.proof.places import TABLES

PATIENCE = 20


@pytest.fixture(params=["sqlite-file", "postgres"])
def url(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'claims.db'}"


@pytest.fixture
def engine(url):
    made = engines.engine_for(url)
    schema.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def write(bind, *names):
    with transaction.writing(bind) as joined:
        head = lock_head(joined, TABLES, "default")
        append(joined, TABLES, head, sealed(typed(names), "default"))


def seen(engine, after=-1):
    """What a reader with a connection of its own is given."""
    return [(one.sequence, name_of(one)) for one in Ledger(engine).events(after=after)]


def waits_for_a_lock(engine, other):
    """Whether the other connection comes to wait for a lock, as the server itself tells it."""
    number = other.connection.driver_connection.info.backend_pid
    asked = sa.text("SELECT wait_event_type FROM pg_stat_activity WHERE pid = :pid")
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        with engine.connect() as conn:
            if conn.scalar(asked, {"pid": number}) == "Lock":
                return True
        time.sleep(0.01)
    return False


def second_writer(engine, other, thread, *names):
    """The second writer, set going while the first has not committed: it cannot have written."""
    if engine.dialect.name == "postgresql":
        waiting = thread.submit(write, other, *names)
        assert waits_for_a_lock(engine, other)
        return waiting
    impatient = sa.create_engine(engine.url, connect_args={"timeout": 0})
    with impatient.connect() as conn, pytest.raises(StoreError, match="write lock") as caught:
        write(conn, *names)
    assert caught.value.stored == "no"
    impatient.dispose()
    return None


def finish(waiting, other, *names):
    """Let the second writer come through, now that the first is done."""
    if waiting is None:
        write(other, *names)
    else:
        waiting.result(PATIENCE)


def test_the_second_writer_is_behind_the_first_whoever_began_first(engine, thread):
    with engine.connect() as one, engine.connect() as other:
        other.execute(sa.text("SELECT 1"))
        write(one, "a", "b")
        waiting = second_writer(engine, other, thread, "c")
        assert seen(engine) == []
        one.commit()
        assert seen(engine) == [(0, "a"), (1, "b")]
        finish(waiting, other, "c")
        assert seen(engine) == [(0, "a"), (1, "b")]
        other.commit()
        assert seen(engine, after=1) == [(2, "c")]


def test_an_append_that_is_rolled_back_leaves_its_place_to_the_next(engine, thread):
    with engine.connect() as one, engine.connect() as other:
        write(one, "kept")
        one.commit()
        write(one, "gone", "gone too")
        waiting = second_writer(engine, other, thread, "next")
        one.rollback()
        finish(waiting, other, "next")
        other.commit()
    assert seen(engine) == [(0, "kept"), (1, "next")]
    assert Ledger(engine).verify().size == 2


def test_a_reader_in_the_middle_of_a_page_sees_no_later_event_before_an_earlier(engine, thread):
    with engine.connect() as one, engine.connect() as other:
        write(one, "a")
        one.commit()
        with transaction.reading(engine) as reader:
            head = read.head(reader, TABLES, "default")
            assert head is not None
            write(one, "b")
            one.commit()
            write(other, "c")
            assert [row.seq for row in read.rows(reader, TABLES, head.log_id)] == [0]
        assert seen(engine, after=0) == [(1, "b")]
        other.commit()
        assert seen(engine, after=1) == [(2, "c")]


def test_writers_of_two_logs_do_not_wait_for_each_other_on_postgresql(postgres_url):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    with engine.connect() as one, engine.connect() as other:
        for origin in ("one", "other"):
            with transaction.writing(engine) as conn:
                lock_head(conn, TABLES, origin)
        for conn, origin in ((one, "one"), (other, "other")):
            conn.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
            head = lock_head(conn, TABLES, origin)
            append(conn, TABLES, head, sealed(typed(["a"]), origin))
        other.commit()
        one.commit()
    engine.dispose()


def test_of_two_that_expect_one_version_exactly_one_wins_in_every_round(engine):
    ledger = Ledger(engine)
    place = ledger.register(Party("board", name="Board")).ledger_id
    with ThreadPoolExecutor(2) as pool:
        for turn in range(20):
            outcomes = list(pool.map(lambda who, at=turn: race(engine, place, at, who), "ab"))
            lost = f"expected {turn}, stands at {turn + 1}"
            assert sorted(outcomes) == [lost, "won"]
    assert [one.stream_v for one in ledger.events()] == [*range(21)]


def race(engine, stream, version, who):
    name = PartyNamed(party=stream, name=f"{who}{version}")
    id_ = new_id(utc_now())
    event = NewEvent(id=id_, stream=stream, stream_v=version + 1, event=name)
    try:
        with transaction.writing(engine) as conn:
            append(conn, TABLES, lock_head(conn, TABLES, "default"), sealed([event], "default"))
    except WrongExpectedVersion as error:
        return f"expected {error.expected}, stands at {error.actual}"
    return "won"


def test_what_a_failed_commit_refused_is_not_stored_by_the_next_append(tmp_path):
    # Without write-ahead logging a reader keeps a writer from committing, and SQLite then leaves
    # the transaction open, for whoever is the next to have the connection.
    path = tmp_path / "claims.db"
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
    schema.upgrade(engine)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM ledger_log").fetchall()
    with pytest.raises(StoreError) as caught:
        write(engine, "refused")
    assert caught.value.stored == "no"
    reader.close()
    write(engine, "stored")
    assert seen(engine) == [(0, "stored")]
    engine.dispose()


def test_a_commit_that_a_hosts_listener_forbids_stores_nothing(postgres_url):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)

    def forbid(_):
        raise PermissionError

    sa.event.listen(engine, "commit", forbid)
    with pytest.raises(PermissionError):
        write(engine, "refused")
    sa.event.remove(engine, "commit", forbid)
    with engine.begin() as conn:
        conn.execute(sa.text("SELECT count(*) FROM ledger_event"))
    write(engine, "stored")
    assert seen(engine) == [(0, "stored")]
    engine.dispose()
