"""A ledger on a path or a URL: the engine is the ledger's own, and every call a transaction.

Savepoints, nested use and scoped sessions belong to a transaction of the host's, in which such a
ledger never is.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from ledger import Ledger
from ledger.aio import AsyncLedger
from ledger.errors import Invalid, NotFound, SchemaMissing, StoreError, UnknownParty
from ledger.store import engines


@pytest.fixture(params=["text", "path"])
def url(request, host):
    """The host's database as a host may write it down."""
    found = host.engine.url
    if request.param == "text":
        return found.render_as_string(hide_password=False)
    if found.get_backend_name() != "sqlite":
        pytest.skip("only SQLite's databases have a path")
    return Path(found.database)


def test_what_is_recorded_is_committed_at_once_and_outlives_an_error_of_the_host(host, url, say):
    def work():
        with Ledger(url) as ledger:
            say(ledger, "c1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert Ledger(host.engine).claims().ids == ("c1",)
    assert host.parties() == ["board"]


def test_a_refused_claim_leaves_nothing_of_itself_and_the_next_is_stored(host, url, party):
    with Ledger(url) as ledger:
        with pytest.raises(NotFound):
            ledger.record(claimant="nobody", act="assert", proposition="p", mentions=party("guest"))
        assert list(ledger.events()) == []
        ledger.register(party("board"))
    assert host.parties() == ["board"]


def test_a_hosts_transaction_and_the_ledgers_know_nothing_of_each_other(host, url, party):
    with host.engine.connect() as conn, Ledger(url) as ledger:
        conn.execute(sa.text("SELECT slug FROM story")).all()
        ledger.register(party("board"))
        conn.rollback()
        host.write(conn, "flood")
        conn.rollback()
        ledger.register(party("mill"))
    assert (host.stories(), host.parties()) == ([], ["board", "mill"])


def test_threads_share_it_and_lose_nothing(host, url, party):
    with Ledger(url) as ledger:
        threads = [
            threading.Thread(target=lambda n=n: ledger.register(party(f"p{n}"))) for n in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert host.parties() == [f"p{n}" for n in range(6)]


def test_two_ledgers_on_one_database_know_nothing_of_each_other(host, url, say, party):
    with Ledger(url, origin="north") as north, Ledger(url, origin="south") as south:
        say(north, "c1")
        with pytest.raises(NotFound):
            south.record(claimant="board", act="assert", proposition="bridge-open")
        say(south, "c1")
        north.register(party("mill"))
        assert (north.claims().ids, south.claims().ids) == (("c1",), ("c1",))
        assert (north.verify().size, south.verify().size) == (4, 3)
    assert host.parties() == []


def test_closing_it_lets_go_of_the_database(host, url, say):
    ledger = Ledger(url)
    say(ledger, "c1")
    ledger.close()
    if host.engine.dialect.name == "postgresql":
        host.engine.dispose()
        with host.engine.connect() as conn:
            others = sa.text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            assert conn.scalar(others) == 0
    with pytest.raises(UnknownParty):
        ledger.position("nobody", "bridge-open")  # it is opened again where it is asked again
    ledger.close()


def test_the_constructor_makes_no_tables_and_open_does(tmp_path, party):
    path = tmp_path / "new.db"
    with Ledger(path) as ledger, pytest.raises(SchemaMissing, match="claims init"):
        ledger.register(party("board"))
    with Ledger.open(path) as ledger:
        assert ledger.register(party("board")).sequences == (0,)


def test_what_is_no_text_of_a_url_is_told_how_to_write_it(host):
    with pytest.raises(Invalid, match=r"render_as_string\(hide_password=False\)"):
        Ledger(host.engine.url)
    with pytest.raises(StoreError, match=r"leave '\+aiosqlite' out of the URL"):
        Ledger("sqlite+aiosqlite:///claims.db")


@pytest.mark.parametrize(
    "given, told",
    [
        ({"layout": "claims_"}, r"'claims_' is no layout.*layout=Layout\(prefix='claims_'\)"),
        ({"layout": ""}, r"'' is no layout"),
        ({"layout": 3}, r'3 is no layout.*layout=Layout\(prefix="ledger_"\)'),
        ({"origin": 3}, r"3 cannot name a log.*origin='claims\.example/ledger'"),
        ({"origin": ("a", "b")}, r"cannot name a log"),
        ({"clock": 3}, r"3 is no clock.*clock=lambda: datetime\.now\(UTC\)"),
        ({"recorder": "me"}, r"'me' is no recorder.*recorder=Recorder\(id='me'\)"),
        ({"recorder": 3}, r'3 is no recorder.*recorder=Recorder\(id="desk-7"\)'),
        ({"recorder": ""}, r"'' is no recorder"),
    ],
)
def test_an_argument_of_another_kind_is_refused_with_what_to_type(given, told):
    for make in (Ledger, Ledger.open, AsyncLedger):
        with pytest.raises(Invalid, match=told) as caught:
            make("sqlite://", **given)
        assert {caught.value.field: caught.value.given} == given


def test_who_waits_for_a_lock_of_its_own_process_is_told_and_does_not_wait_for_ever(
    host, party, monkeypatch
):
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.3)
    url = host.engine.url.render_as_string(hide_password=False)
    with Ledger(url) as ledger, host.engine.begin() as conn:
        Ledger(conn).register(party("first"))
        with pytest.raises(StoreError, match="write lock for too long") as caught:
            ledger.register(party("second"))
        assert caught.value.stored == "no"
    assert host.parties() == ["first"]


def test_a_clock_that_tells_no_instant_is_refused(url, party):
    with Ledger(url, clock=lambda: cast("Any", 1)) as ledger:
        with pytest.raises(Invalid, match="The clock tells 1, which is no instant") as caught:
            ledger.register(party("board"))
        assert (caught.value.field, caught.value.given) == ("clock", 1)


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_refused_and_not_taken_for_memory(path):
    for make in (Ledger, Ledger.open, AsyncLedger):
        with pytest.raises(Invalid, match=r"The path is empty.*':memory:'"):
            make(path)


def test_a_closed_ledger_in_memory_tells_that_it_is_gone(party):
    ledger = Ledger.open(":memory:")
    ledger.register(party("board"))
    ledger.close()
    ledger.close()
    for ask in (ledger.claims, ledger.verify, lambda: ledger.register(party("mill"))):
        with pytest.raises(StoreError, match="was in memory and has been closed"):
            ask()
