"""The hot queries use their index at every size: no table is read through, nothing is sorted.

The statements are caught as they are sent. A log of a few dozen events with statistics is left out:
one page is read through faster than an index, and PostgreSQL knows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from uuid import uuid4

import pytest
import sqlalchemy as sa

from ledger import Claim, Ledger, Party
from ledger.projecting import Projection, claims
from ledger.store import engines, read, schema, transaction
from ledger.store.append import append, lock_head
from tests.proof.paths import sealed, typed
from tests.proof.places import TABLES, Place, begin
from tests.proof.plans import Sent, caught, faults, read_through

CURSOR = "ledger_cursor"
SMALL, LARGE, OTHER_LOGS = 40, 6_000, 1_500
"""More logs than a page of their table holds, where their index would not be worth it."""
REGIMES = ((SMALL, False), (LARGE, False), (LARGE, True))
BEHIND = {"caught up": 0, "slightly behind": 10, "deep in the backlog": 3_000, "from zero": 10**9}


def grow(engine, many):
    """Events in the log that is asked, as many as it has to have."""
    with transaction.writing(engine) as conn:
        head = lock_head(conn, TABLES, "default")
        names = [f"party-{one}" for one in range(head.size, many)]
        append(conn, TABLES, head, sealed(typed(names), "default"))


def analyse(engine):
    with engine.begin() as conn:
        conn.execute(sa.text("ANALYZE"))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def made(request, tmp_path_factory):
    """Engines whose log is small or large, with statistics and without."""
    with contextlib.ExitStack() as stack:

        def new_database():
            if request.param == "sqlite":
                return f"sqlite:///{tmp_path_factory.mktemp('plans') / 'claims.db'}"
            return stack.enter_context(request.getfixturevalue("new_postgres")())

        kept = {}
        for size, analysed in REGIMES:
            kept[size, analysed] = filled(new_database(), size, analysed=analysed)
            stack.callback(kept[size, analysed].dispose)
        yield kept


def filled(url, size, *, analysed):
    engine = engines.engine_for(url)
    schema.upgrade(engine)
    _keep_autovacuum_away(engine)
    begin(Place(url, "default"))
    with transaction.writing(engine) as conn:
        others = [{"origin": f"log-{number}", "size": 0} for number in range(OTHER_LOGS)]
        conn.execute(TABLES.log.insert(), others)
        conn.execute(TABLES.cursor.insert(), [cursor_of(number) for number in range(OTHER_LOGS)])
        conn.execute(TABLES.served.insert(), [build_of(number) for number in range(OTHER_LOGS)])
        conn.execute(TABLES.parked.insert(), [parked_of(number) for number in range(OTHER_LOGS)])
    grow(engine, size)
    if analysed:
        analyse(engine)
    return engine


def build_of(number):
    """A build of another log."""
    return {"log_id": 1_000_000 + number, "name": "mailer", "version": 0, "build": 0}


def parked_of(number):
    """What a build of another log has set aside."""
    why = {"event_id": "x", "kind": "KeyError", "reason": "none", "attempts": 1}
    return {**build_of(number), **why, "seq": 7, "at": dt.datetime(2024, 5, 1, tzinfo=dt.UTC)}


def cursor_of(number):
    """A cursor of another log."""
    return {**build_of(number), "phase": "consumer", "position": 7, "fence": 0}


def _keep_autovacuum_away(engine):
    """Statistics come when the test says so."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as conn:
            for table in (TABLES.log, TABLES.event, TABLES.stream, TABLES.cursor):
                conn.execute(sa.text(f"ALTER TABLE {table.name} SET (autovacuum_enabled = false)"))


@pytest.fixture(params=REGIMES, ids=str)
def engine(request, made):
    return made[request.param]


def told(engine, ask):
    """Ask, and tell what is wrong with the plan of each statement that was sent for it."""
    with caught(engine) as sent:
        ask()
    assert sent, "nothing was caught, so nothing is proved"
    return {one.text: wrong for one in sent if (wrong := faults(engine, one))}


def asking(engine, ask):
    def run():
        with transaction.reading(engine) as conn:
            head = read.head(conn, TABLES, "default")
            assert head is not None
            return ask(conn, head)

    return run


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
def test_a_page_of_events(engine, behind):
    ledger = Ledger(engine)
    after = max(-1, _size(engine) - 1 - behind)
    assert told(engine, lambda: list(ledger.events(after=after, limit=100))) == {}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("types", ["party_registered", ["claim_recorded", "party_named"]])
def test_a_page_of_events_of_some_types(engine, behind, types, monkeypatch):
    # Of a log no longer than a stretch or two, reading it through is the better plan.
    monkeypatch.setattr(read, "STRETCH", 400)
    ledger = Ledger(engine)
    after = max(-1, _size(engine) - 1 - behind)
    assert told(engine, lambda: list(ledger.events(after=after, types=types, limit=100))) == {}


def test_where_a_named_cursor_stands_and_how_it_moves(engine):
    cursor = Ledger(engine).cursor("mailer")

    def move():
        cursor.reset(-1)
        cursor.advance(1)
        cursor.advance(2)
        return cursor.position

    assert move() == 2
    assert told(engine, move) == {}


def test_how_the_cursor_of_a_projection_is_found_and_moved(engine):
    ledger = Ledger(engine)
    count = Projection(name="count", initial=int, evolve=lambda state, _: state + 1)
    ledger.projections.add(count)
    ledger.projections.run("count")
    number = itertools.count()

    def follow():
        ledger.register(Party(f"{uuid4()}", name=f"Number {next(number)}"))
        assert ledger.projections.run("count").status == "caught_up"
        assert ledger.projections.state("count") == _size(engine)

    follow()
    assert {text: wrong for text, wrong in told(engine, follow).items() if CURSOR in text} == {}


def test_the_last_word_by_a_day_in_the_view_of_claims(engine):
    ledger = Ledger(engine)
    ledger.projections.add(claims(ledger.layout))
    said = ["2024-01-01", "2024-02-01", "2024-03-01"]
    ledger.record_all(
        Claim(id=f"{uuid4()}", claimant="board", act="assert", proposition="open", uttered=day)
        for day in said * 20
    )
    ledger.projections.ready("claims")
    table = ledger.projections.served("claims").table
    rows = [
        {"log_id": 1_000_000 + number, "seq": number, "party": 0, "proposition": 1}
        | {"uttered_latest": dt.date(2024, 1, 1), "act": "assert", "stance": "supports"}
        for number in range(OTHER_LOGS)
    ]
    with engine.begin() as conn:
        conn.execute(table.delete().where(table.c.log_id >= 1_000_000))
        conn.execute(table.insert(), rows)
    board, open_ = (event.sequence for event in ledger.events(limit=2))
    c = table.c
    with transaction.reading(engine) as conn:
        log_id = ledger._folded.log_id(conn)
    last = (
        sa.select(c.seq, c.stance, c.uttered_latest)
        .where(c.log_id == log_id, c.party == board, c.proposition == open_)
        .where(c.uttered_latest <= dt.date(2024, 2, 15))
        .where(sa.or_(c.known_to.is_(None), c.known_to > _size(engine)))
        .order_by(c.uttered_latest.desc())
        .limit(1)
    )

    def ask():
        with ledger.projections.reading("claims") as (conn, _):
            return conn.execute(last).one()

    assert ask().uttered_latest == dt.date(2024, 2, 1)
    wrong = told(engine, ask)
    assert {text: fault for text, fault in wrong.items() if table.name in text} == {}


def _size(engine):
    return asking(engine, lambda _, head: head.size)()


def test_an_event_by_its_id(engine):
    (first,) = Ledger(engine).events(limit=1)
    found = asking(engine, lambda conn, head: read.row_by_id(conn, TABLES, head.log_id, first.id))
    assert found() is not None
    assert told(engine, found) == {}


def test_a_page_of_leaves(engine):
    size = _size(engine)

    def leaves(conn, head):
        return list(read.leaf_hashes(conn, TABLES, head.log_id, size - 30, size))

    assert told(engine, asking(engine, leaves)) == {}


def test_the_size_at_an_instant(engine):
    now = dt.datetime.now(dt.UTC)
    ask = asking(engine, lambda conn, head: read.size_at(conn, TABLES, head.log_id, now))
    assert ask() == _size(engine)
    assert told(engine, ask) == {}


def entering(engine, number):
    """A claim, an amendment of it, and a name for a party that stands in the log's beginning."""
    ledger = Ledger(engine)
    ledger.checkpoint()
    name = f"c{number}"

    def enter():
        ledger.record(id=name, claimant="board", act="assert", proposition="open")
        ledger.amend(name, uttered="2024-05-01", reason="a slip")
        ledger.name("board", f"The Board {number}")

    return enter


def test_what_an_append_looks_up(engine):
    enter = entering(engine, 1)
    assert told(engine, enter) == {}


def test_a_plan_that_a_connection_made_for_a_young_log_is_not_kept_for_an_old_one(postgres_url):
    engine = filled(postgres_url, SMALL, analysed=True)
    one = sa.create_engine(engine.url, poolclass=sa.StaticPool)
    for number in range(12):  # psycopg prepares after five, PostgreSQL plans for good after five
        entering(one, number)()
        list(Ledger(one).events(after=10, limit=5))
    grow(engine, LARGE)
    ledger = Ledger(one)
    ledger.checkpoint()
    before = read_through(one)  # asked on the connection itself, which tells what it did till then
    ledger.record(id="late", claimant="board", act="assert", proposition="open")
    list(ledger.events(after=LARGE - 10))
    assert read_through(one) - before < LARGE
    engine.dispose()
    one.dispose()


@pytest.mark.parametrize(
    "wrong",
    [
        "SELECT * FROM ledger_event WHERE type = 'Party' ORDER BY known_at",
        "SELECT count(*) FROM ledger_stream WHERE version > 3",
    ],
)
def test_a_query_without_an_index_would_be_noticed(engine, wrong):
    assert faults(engine, Sent(wrong)) != []
