"""The guard: an erasure empties what it names as it is stored, and nothing else ever does."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ledger import Ledger
from ledger.errors import StoreError
from ledger.model import events as ev
from ledger.store.grants import Roles, grants
from tests.drafts import salted
from tests.erasing.conftest import WHY, filled

ATTEMPTS = {
    "another slot": "UPDATE ledger_event SET slot_who = NULL WHERE seq = 8",
    "the same slot of another event": "UPDATE ledger_event SET slot_words = NULL WHERE seq = 9",
    "all of them": "UPDATE ledger_event SET slot_words = NULL",
    "the slot again": "UPDATE ledger_event SET slot_words = NULL WHERE seq = 8",
    "nothing": "UPDATE ledger_event SET entry = entry WHERE seq = 8",
    "the slot put back": "UPDATE ledger_event SET slot_words = :slot WHERE seq = 8",
    "what the erasure says": "UPDATE ledger_event SET slot_what = NULL WHERE seq = 12",
    "an entry": "UPDATE ledger_event SET entry = '{}' WHERE seq = 8",
    "an entry and a slot": "UPDATE ledger_event SET entry = '{}', slot_who = NULL WHERE seq = 8",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_in_the_wake_of_an_erasure_nothing_else_passes(engine, world, attempt):
    """Not even in its own transaction, while it is the last event of the log."""
    sql = ATTEMPTS[attempt]
    values = {"slot": salted(b'{"note":"put back"}')} if ":slot" in sql else {}
    with engine.connect() as conn:
        Ledger(conn).erase("c1", **WHY)
        with pytest.raises(DBAPIError, match="ledger_event is append-only"):
            conn.execute(sa.text(sql), values)
        conn.rollback()
    world.erase("c1", **WHY)
    with engine.connect() as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(sa.text("SELECT set_config('claimledger.erasing', '11', true)"))
        with pytest.raises(DBAPIError, match="ledger_event is append-only"):
            conn.execute(sa.text(sql), values)
        conn.rollback()
    assert world.verify().erased == 2


def stored(ledger, **fields):
    """Store an erasure as another writer might."""
    size = ledger.checkpoint().size
    new = ev.NewEvent(
        id=f"00000000-0000-7000-8000-{size:012}",
        stream=f"s{size}",
        stream_v=0,
        event=ev.ContentErased(**WHY, **fields),
    )
    ledger.appender.put([new])


def test_an_erasure_of_what_is_not_there_takes_nothing(world):
    for target in ("nobody", ""):
        stored(world, target=target, slots=("who", "what", "words", "by"))
    stored(world, target=next(world.events()).id, slots=("quote", ""))
    assert world.verify().erased == 0


def test_an_erasure_does_not_reach_what_comes_after_it_or_itself(world):
    ahead = "00000000-0000-7000-8000-000000000012"
    stored(world, target=ahead, slots=("by",))
    stored(world, target="nobody", slots=("by",))
    events = list(world.events())
    assert (events[12].id, events[12].erased) == (ahead, ())
    assert world.verify().erased == 0


def test_an_erasure_that_would_take_another_ones_words_is_refused(world, unchanged):
    world.erase("c1", **WHY)
    erasing = next(one for one in world.events(types="content_erased"))
    with unchanged(world), pytest.raises(StoreError, match="The database refused"):
        stored(world, target=erasing.id, slots=("what",))


def test_two_logs_of_one_database_do_not_reach_one_another(engine, world):
    other = filled(Ledger(engine, origin="other.example"))
    claim = world.trace("c1").ledger_id
    stored(other, target=claim, slots=("words",))
    assert (world.verify().erased, other.verify().erased) == (0, 0)
    other.erase("c1", **WHY)
    assert (world.verify().erased, other.verify().erased) == (0, 2)


@pytest.fixture
def writer(postgres_url):
    """A ledger whose role may insert and not update, and the engine of an administrator."""
    admin = sa.create_engine(postgres_url)
    made = Ledger.open(postgres_url)
    filled(made)
    made.close()
    roles = Roles(owner="erasing_owner", writer="erasing_writer", reader="erasing_reader")
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.execute(grants(roles=roles))
        driver.execute("DROP ROLE IF EXISTS erasing_desk")
        driver.execute("CREATE ROLE erasing_desk LOGIN IN ROLE erasing_writer")
    engine = sa.create_engine(sa.make_url(postgres_url).set(username="erasing_desk"))
    yield Ledger(engine), engine, admin
    engine.dispose()
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for name in ("desk", "writer", "reader", "owner"):
            conn.exec_driver_sql(f"DROP OWNED BY erasing_{name} CASCADE")
            conn.exec_driver_sql(f"DROP ROLE erasing_{name}")
    admin.dispose()


def test_a_role_that_may_only_insert_erases_and_does_nothing_else(writer):
    ledger, engine, _ = writer
    ledger.erase("c1", **WHY)
    assert ledger.verify().erased == 2
    with engine.connect() as conn:
        with pytest.raises(DBAPIError, match="permission denied"):
            conn.execute(sa.text("UPDATE ledger_event SET slot_who = NULL"))
        conn.rollback()


def test_a_role_that_may_only_insert_cannot_call_the_eraser_from_a_table_of_its_own(writer):
    """Neither as it stands, nor where everybody was given the right to call it."""
    ledger, engine, admin = writer
    claim = ledger.trace("c1").ledger_id
    said = salted(b'{"slots":["words"],"target":"' + claim.encode() + b'"}')
    table = "CREATE TEMP TABLE mine (log_id bigint, seq bigint, type text, slot_what bytea)"
    trigger = (
        "CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW "
        "EXECUTE FUNCTION public.ledger_erase()"
    )
    with engine.connect() as conn:
        conn.execute(sa.text(table))
        with pytest.raises(DBAPIError, match="permission denied for function"):
            conn.execute(sa.text(trigger))
        conn.rollback()
    with admin.begin() as conn:
        conn.execute(sa.text("GRANT EXECUTE ON FUNCTION ledger_erase() TO PUBLIC"))
    with engine.connect() as conn:
        for sql in (table, trigger):
            conn.execute(sa.text(sql))
        with pytest.raises(DBAPIError, match="ledger_event is append-only"):
            conn.execute(
                sa.text("INSERT INTO mine SELECT id, 99, 'content_erased', :said FROM ledger_log"),
                {"said": said},
            )
        conn.rollback()
    assert ledger.verify().erased == 0
