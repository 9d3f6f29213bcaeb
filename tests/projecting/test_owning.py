"""One projector at a time: in threads and in processes; a stale owner moves nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema

from ledger import Ledger, Topic
from ledger.errors import StoreError
from ledger.projecting import Projection
from ledger.projecting.owning import owning
from ledger.projecting.running import Orders, Run
from ledger.store import cursors, transaction
from ledger.store.cursors import Build
from tests.waiting import until

CHILD = """
import sys, time
from ledger import Ledger
from ledger.projecting import Projection

with Ledger.open(sys.argv[1]) as ledger:
    def evolve(state, stored):
        time.sleep(0.002)
        return [*state, stored.sequence]
    ledger.projections.add(
        Projection(name="order", initial=list, evolve=evolve), mode="deferred"
    )
    print("ready", flush=True)
    sys.stdin.readline()
    while ledger.projections.run("order", batch=3).status != "caught_up":
        time.sleep(0.01)
"""


def order(**options):
    """The sequences in the order in which they came."""
    return Projection(name="order", initial=list, evolve=lambda s, e: [*s, e.sequence], **options)


@pytest.fixture
def shared_url(database):
    """A database that several connections can reach."""
    if database == "sqlite://":
        pytest.skip("a database in memory has one connection")
    return database


def test_processes_that_race_take_each_event_once(shared_url, kit):
    with Ledger.open(shared_url) as ledger:
        kit.world(ledger)
        kit.say(ledger, *(f"C{n}" for n in range(40)))
        children = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD, shared_url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.communicate("go\n")
        assert [child.returncode for child in children] == [0, 0, 0]
        ledger.projections.add(order(), mode="deferred")
        assert ledger.projections.state("order") == list(range(45))


def standing(ledger, *, position):
    return any(one.position >= position for one in ledger.projections.status())


def test_a_killed_owner_is_taken_over_from(shared_url, kit):
    with Ledger.open(shared_url) as ledger:
        kit.world(ledger)
        kit.say(ledger, *(f"C{n}" for n in range(60)))
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, shared_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.write("go\n")
        child.stdin.flush()
        until(lambda: standing(ledger, position=9), "the child has taken nine events")
        child.kill()
        child.communicate()
        heirs = kit.patient(ledger, seconds=0.2)
        heirs.add(order(), mode="deferred")
        until(lambda: heirs.run("order").status == "caught_up", "the dead owner is given up")
        assert heirs.state("order") == list(range(65))
        assert heirs.check("order").ok


def test_threads_that_follow_take_turns(shared_url, kit):
    with Ledger.open(shared_url) as ledger:
        kit.world(ledger)
        ledger.projections.add(order(), mode="deferred")
        stop, outcomes = threading.Event(), []

        def follow():
            outcomes.append(ledger.projections.follow("order", stop=stop, poll=0.01))

        threads = [threading.Thread(target=follow) for _ in range(3)]
        for thread in threads:
            thread.start()
        kit.say(ledger, *(f"C{n}" for n in range(20)))
        until(lambda: standing(ledger, position=25), "one of the threads has caught up")
        stop.set()
        for thread in threads:
            thread.join()
        assert len(outcomes) == 3
        assert ledger.projections.state("order") == list(range(25))
        assert sum(one.applied for one in outcomes) <= 25


FOLLOWER = """
import sys
from ledger import Ledger
from ledger.projecting import Projection

def apply(conn, stored):
    print(stored.sequence, flush=True)

with Ledger.open(sys.argv[1]) as ledger:
    ledger.projections.add(Projection(name="told", apply=apply), mode="deferred")
    ledger.projections.follow("told", poll=0.05)
"""


def test_on_postgres_one_of_two_processes_works_and_the_other_takes_over_at_its_death(
    postgres_url, kit
):
    with Ledger.open(postgres_url) as ledger:
        kit.world(ledger)
        ledger.projections.add(Projection(name="told", apply=lambda *_: None), mode="deferred")
        first = follower(postgres_url)
        assert lines(first, 5) == [0, 1, 2, 3, 4]
        second = follower(postgres_url)
        owner = ledger.projections.status()[0].owner
        assert f":{first.pid}:" in str(owner)
        kit.say(ledger, *(f"C{n}" for n in range(20)))
        assert lines(first, 20) == [*range(5, 25)]
        assert ledger.projections.run("told").status == "elsewhere"
        first.kill()
        kit.say(ledger, "late", "later")
        assert lines(second, 2) == [25, 26]
        assert f":{second.pid}:" in str(ledger.projections.status()[0].owner)
        second.kill()
        assert (first.communicate()[0], second.communicate()[0]) == ("", "")


def follower(url):
    return subprocess.Popen(
        [sys.executable, "-c", FOLLOWER, url], stdout=subprocess.PIPE, text=True
    )


def lines(child, many):
    return [int(child.stdout.readline()) for _ in range(many)]


def test_where_another_is_at_work_a_run_says_so(small, kit):
    small.projections.add(order(), mode="deferred")
    small.projections.run("order")
    key = small.projections._site.folded
    with small._folded.reading() as conn:
        log_id = small._folded.log_id(conn)
    assert key is small._folded
    with owning(small.projections._site, Build(log_id, "order", 1, 0)) as fence:
        assert fence is not None
        kit.say(small, "C1")
        elsewhere = []

        def run():
            elsewhere.append(small.projections.run("order"))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert [one.status for one in elsewhere] == ["elsewhere"]
        owner = small.projections.status()[0].owner
        assert owner is not None
        assert owner.endswith(str(threading.get_ident()))
    assert small.projections.status()[0].owner is None
    assert small.projections.run("order").status == "caught_up"


def test_the_batch_of_a_stale_owner_is_refused_rows_and_all(small, kit):
    small.projections.add(kit.acts, mode="deferred")
    small.projections.run("acts")
    kit.say(small, "C1", "C2", "C3")
    site = small.projections._site
    with small._folded.reading() as conn:
        key = Build(small._folded.log_id(conn), "acts", 1, 0)

    def take():
        with transaction.writing(small._folded.bind) as conn:
            now = small._clock() + dt.timedelta(hours=1)
            taken = cursors.take(
                conn, small._folded.tables, key, owner="other", now=now, stale=None
            )
            assert taken is not None
            return taken

    stale = take()
    made = kit.acts()
    late = Run(site=site, projection=made, key=key, fence=stale, orders=Orders(batch=1))
    late.position = 5
    fresh = take()
    assert fresh == stale + 1
    assert late.go().status == "elsewhere"
    assert late._advance(8) == "elsewhere"
    assert kit.seqs(small) == []
    owner = Run(site=site, projection=made, key=key, fence=fresh, orders=Orders())
    assert owner.go().status == "caught_up"
    assert kit.seqs(small) == [5, 6, 7]


def test_a_silent_owner_on_sqlite_is_taken_for_dead_after_a_while(tmp_path, clock, kit):
    with Ledger.open(tmp_path / "claims.db", clock=clock) as ledger:
        kit.world(ledger)
        ledger.projections.add(order(), mode="deferred")
        ledger.projections.run("order", until=2)
        key = Build(1, "order", 1, 0)
        with transaction.writing(ledger._folded.bind) as conn:
            cursors.take(conn, ledger._folded.tables, key, owner="gone", now=clock(), stale=None)
        assert ledger.projections.run("order").status == "elsewhere"
        clock.set("2023-03-01T12:00:31Z")
        assert ledger.projections.run("order").status == "caught_up"


@contextlib.contextmanager
def in_schema(url, name):
    """A ledger in a schema that only `search_path` names."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as conn:
        conn.execute(CreateSchema(name))
    there = sa.make_url(url).update_query_dict({"options": f"-csearch_path={name}"})
    with Ledger.open(there.render_as_string(hide_password=False)) as ledger:
        ledger.projections.add(order(), mode="deferred")
        yield ledger


def test_ledgers_of_one_name_in_two_schemas_are_run_side_by_side(postgres_url, kit):
    with in_schema(postgres_url, "north") as north, in_schema(postgres_url, "south") as south:
        kit.world(north)
        kit.world(south)
        stop = threading.Event()
        worker = threading.Thread(target=lambda: north.projections.follow("order", stop=stop))
        worker.start()
        try:
            until(lambda: standing(north, position=5), "the one in the north has caught up")
            assert south.projections.run("order").status == "caught_up"
        finally:
            stop.set()
            worker.join(30)


def test_a_server_with_no_connection_left_is_told_and_undoes_no_append(postgres_url, kit):
    psycopg = pytest.importorskip("psycopg")
    url = sa.make_url(postgres_url)
    made: list[object] = []

    def connect():
        if made:
            raise psycopg.OperationalError("connection failed: FATAL: too many connections")
        made.append(psycopg.connect(dbname=url.database, user=url.username, **url.query))
        return made[-1]

    with Ledger.open(postgres_url) as ledger:
        kit.world(ledger)
        ledger.register_all(Topic(f"T{n}", label="Topic") for n in range(1_100))
    engine = sa.create_engine("postgresql+psycopg://", creator=connect)
    ledger = Ledger(engine)
    ledger.projections.add(order(), mode="deferred")
    with pytest.raises(StoreError, match="too many connections"):
        ledger.projections.run("order")
    ledger.projections.add(kit.tally())
    assert kit.say(ledger, "D")[0].stored == "stored"
    engine.dispose()
