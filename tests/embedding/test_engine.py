"""A ledger on a host's Engine: every call a transaction of its own, the engine the host's.

Savepoints, nested use and scoped sessions are the host's transaction's, of which such a ledger
knows nothing: they are proved for a Connection and for a Session.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ledger import Layout, Ledger
from ledger.errors import LedgerError, SchemaMissing, UnknownParty
from ledger.projecting import cells, claims
from ledger.store import schema


def test_what_is_recorded_is_committed_at_once(host, say):
    receipt = say(Ledger(host.engine), "c1")
    assert Ledger(host.engine).trace("c1").sequence == receipt.sequences[0]
    assert host.parties() == ["board"]


def test_a_refused_claim_leaves_nothing_of_itself(host, party):
    ledger = Ledger(host.engine)
    with pytest.raises(UnknownParty):
        ledger.record(claimant="nobody", act="assert", proposition="p", mentions=party("guest"))
    assert list(ledger.events()) == []
    ledger.register(party("board"))
    assert host.parties() == ["board"]


def test_no_connection_is_kept_between_calls(host, say):
    ledger = Ledger(host.engine)
    say(ledger, "c1")
    ledger.trace("c1")
    ledger.verify()
    assert len(list(ledger.log(limit=1))) == 1
    with pytest.raises(UnknownParty):
        ledger.position("nobody", "bridge-open")
    assert host.engine.pool.checkedout() == 0


@pytest.fixture
def narrow(host):
    """An engine on the host's database with a pool of one connection."""
    made = sa.create_engine(host.engine.url, pool_size=1, max_overflow=0, pool_timeout=1)
    yield made
    made.dispose()


def test_a_pool_of_one_connection_is_enough(narrow, say):
    ledger = Ledger(narrow)
    say(ledger, "c1")
    before = ledger.as_of()
    say(ledger, "c2")
    assert [one.id for one in ledger.diff(before, ledger.as_of()).learnt] == ["c2"]
    assert ledger.trace("c2").claim == "c2"
    for stored in ledger.events(after=1, limit=1):
        say(ledger, f"c-{stored.sequence}")
    assert ledger.verify().size == 5
    for view in (claims, cells):
        ledger.projections.add(view())
    ledger.projections.ready()
    say(ledger, "c3")
    assert {one.lag for one in ledger.projections.status()} == {0}
    assert [one.ok for one in ledger.projections.check_all()] == [True, True]
    assert ledger.projections.rebuild("claims").switched


def test_closing_the_ledger_leaves_the_hosts_engine_alone(say):
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    schema.upgrade(engine)
    with Ledger(engine) as ledger:
        say(ledger, "c1")
    assert Ledger(engine).trace("c1").claim == "c1"  # in memory nothing outlives its connection
    engine.dispose()


def test_the_constructor_makes_no_tables(host):
    before = set(sa.inspect(host.engine).get_table_names())
    ledger = Ledger(host.engine, layout=Layout(prefix="claims_"))
    with pytest.raises(SchemaMissing, match="there is no claims_log"):
        ledger.as_of()
    assert set(sa.inspect(host.engine).get_table_names()) == before


def test_a_hosts_commit_between_two_questions_is_seen(host, party):
    ledger = Ledger(host.engine)
    assert ledger.as_of().parties() == ()
    with host.engine.begin() as conn:
        Ledger(conn).register(party("board"))
    assert [one.id for one in ledger.as_of().parties()] == ["board"]


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("where", ["engine", "options", "server"])
def test_whatever_isolation_the_host_prefers_no_append_is_refused_for_it(host, say, level, where):
    if host.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one level")
    if where == "server":
        with host.engine.begin() as conn:
            name = conn.scalar(sa.text("SELECT current_database()"))
            conn.execute(
                sa.text(f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
            )
    given = {"isolation_level": level} if where == "engine" else {}
    engine = sa.create_engine(host.engine.url, **given)
    chosen = engine.execution_options(isolation_level=level) if where == "options" else engine
    say(Ledger(chosen), "first")
    refused = []

    def work(name):
        try:
            for number in range(5):
                Ledger(chosen).record(
                    id=f"{name}{number}", claimant="board", act="assert", proposition="bridge-open"
                )
        except LedgerError as error:
            refused.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    with chosen.connect() as conn:
        shown = conn.scalar(sa.text("SHOW transaction_isolation"))
    assert shown == level.lower()
    engine.dispose()


def test_an_error_of_the_host_takes_back_its_rows_and_not_what_was_recorded(host, say):
    ledger = Ledger(host.engine)

    def work():
        with host.engine.begin() as conn:
            say(ledger, "c1")
            host.write(conn, "flood")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert (host.stories(), ledger.claims().ids) == ([], ("c1",))
    with host.engine.begin() as conn:
        host.write(conn, "thaw")
    assert (host.stories(), host.parties()) == (["thaw"], ["board"])


def test_a_refusal_leaves_the_hosts_own_transaction_alone(host, party):
    with host.engine.begin() as conn:
        with pytest.raises(UnknownParty):
            Ledger(host.engine).position("nobody", "bridge-open")
        host.write(conn, "flood")
    assert host.stories() == ["flood"]


def test_two_ledgers_on_one_engine_know_nothing_of_each_other(host, say):
    north, south = Ledger(host.engine, origin="north"), Ledger(host.engine, origin="south")
    for id_ in ("c1", "c2"):
        say(north, id_)
    say(south, "c1")
    with pytest.raises(UnknownParty):
        south.record(claimant="nobody", act="assert", proposition="bridge-open")
    say(north, "c3")
    assert (north.claims().ids, south.claims().ids) == (("c1", "c2", "c3"), ("c1",))
    assert (north.verify().size, south.verify().size) == (5, 3)
    assert host.parties() == []


@pytest.mark.parametrize("ledgers", ["one", "one each"])
def test_threads_share_it_and_lose_nothing(host, party, ledgers):
    shared = Ledger(host.engine)

    def register(number):
        ledger = shared if ledgers == "one" else Ledger(host.engine)
        ledger.register(party(f"p{number}"))
        return f"p{number}" in {one.id for one in ledger.as_of().parties()}

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(register, range(18)))
    assert host.parties() == sorted(f"p{number}" for number in range(18))
