"""A ledger on a host's Connection: rows and claims are stored together, or neither is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger import Layout, Ledger, Topic
from ledger.errors import (
    AlreadyRecorded,
    InvalidView,
    LedgerError,
    NotFound,
    StoreError,
    UnknownParty,
)
from ledger.store import schema


def shown(ledger):
    return sorted(one.id for one in ledger.as_of().parties())


@pytest.mark.parametrize("first", ["row", "claim"])
def test_rows_and_claims_are_committed_together(host, say, first):
    with host.engine.begin() as conn:
        if first == "row":
            host.write(conn, "flood")
        say(Ledger(conn), "c1")
        if first == "claim":
            host.write(conn, "flood")
        assert Ledger(conn).claims().ids == ("c1",)
        assert Ledger(conn).verify().size == 3
    assert host.stories() == ["flood"]
    assert Ledger(host.engine).claims().ids == ("c1",)
    assert host.parties() == ["board"]


def test_before_the_commit_nobody_else_sees_them(host, say):
    with host.engine.connect() as conn:
        host.write(conn, "flood")
        ledger = Ledger(conn)
        say(ledger, "c1")
        assert shown(ledger) == ["board"]
        assert (host.stories(), host.parties()) == ([], [])
        conn.commit()
    assert (host.stories(), host.parties()) == (["flood"], ["board"])


@pytest.mark.parametrize("first", ["row", "claim", "claim alone"])
def test_a_hosts_error_takes_back_both(host, say, first):
    def work():
        with host.engine.begin() as conn:
            if first == "row":
                host.write(conn, "flood")
            say(Ledger(conn), "c1")
            if first == "claim":
                host.write(conn, "flood")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert (host.stories(), host.parties()) == ([], [])


def test_what_the_host_forgets_to_commit_is_not_stored(host, say):
    with host.engine.connect() as conn:
        host.write(conn, "flood")
        say(Ledger(conn), "c1")
    assert (host.stories(), host.parties()) == ([], [])


@pytest.mark.parametrize(
    "refuse, error",
    [
        (lambda it: it.record(claimant="nobody", act="assert", proposition="p"), NotFound),
        (lambda it: it.register(Topic("road", label="Another road")), AlreadyRecorded),
        (lambda it: it.position("nobody", "p"), UnknownParty),
        (lambda it: it.as_of(known=99), InvalidView),
    ],
    ids=["unknown", "taken", "question", "view"],
)
def test_a_refusal_leaves_the_hosts_transaction_usable(host, party, refuse, error):
    with host.engine.begin() as conn:
        ledger = Ledger(conn)
        host.write(conn, "before")
        ledger.register(Topic("road", label="The road"))
        with pytest.raises(error):
            refuse(ledger)
        host.write(conn, "after")
        ledger.register(party("board"))
    assert host.stories() == ["after", "before"]
    assert host.parties() == ["board"]


def test_a_refusal_of_the_database_leaves_the_hosts_transaction_usable(host, party):
    if host.engine.dialect.name == "sqlite":
        pytest.skip("SQLite refuses before anything is written, PostgreSQL aborts what is begun")
    Ledger(host.engine).register(party("board"))
    with host.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        host.write(conn, "before")
        Ledger(host.engine).register(party("harbour"))
        with pytest.raises(StoreError, match="must be run again"):
            Ledger(conn).register(party("late"))
        host.write(conn, "after")
        conn.commit()
    assert host.stories() == ["after", "before"]
    assert host.parties() == ["board", "harbour"]


def test_closing_the_ledger_ends_no_transaction_of_the_host(host, party):
    with host.engine.connect() as conn:
        with Ledger(conn) as ledger:
            ledger.register(party("board"))
        assert conn.in_transaction()
        assert host.parties() == []
        conn.commit()
    assert host.parties() == ["board"]


# -- the same object after a rollback -----------------------------------------------------------


def test_a_ledger_answers_rightly_after_its_host_rolled_back(host, party, say):
    with host.engine.connect() as conn:
        ledger = Ledger(conn)
        ledger.register(party("kept"))
        conn.commit()
        ledger.register(party("phantom"))
        conn.rollback()
        assert shown(ledger) == ["kept"]
        assert ledger.checkpoint().size == ledger.verify().size == 1
        with pytest.raises(UnknownParty, match="'phantom'"):
            say(ledger, "c1", claimant="phantom")
        conn.rollback()
        again = ledger.register(party("phantom"))
        assert (again.stored, again.sequences) == ("stored", (1,))
        conn.commit()
    assert host.parties() == ["kept", "phantom"]


def test_a_rolled_back_first_event_is_forgotten_too(host, party):
    with host.engine.connect() as conn:
        ledger = Ledger(conn)
        ledger.register(party("phantom"))
        conn.rollback()
        assert shown(ledger) == []
        conn.rollback()
        assert ledger.register(party("board")).sequences == (0,)
        conn.commit()
        assert shown(ledger) == ["board"]
    assert host.parties() == ["board"]


@pytest.mark.parametrize("held", [0, 1], ids=["empty log", "log with an event"])
@pytest.mark.parametrize("others", [1, 2])
def test_another_writer_may_take_the_place_of_what_was_rolled_back(host, party, held, others):
    for number in range(held):
        Ledger(host.engine).register(party(f"kept{number}"))
    with host.engine.connect() as conn:
        ledger = Ledger(conn)
        lost = ledger.register(party("phantom"))
        conn.rollback()
        for number in range(others):
            Ledger(host.engine).register(party(f"real{number}"))
        expected = [f"kept{n}" for n in range(held)] + [f"real{n}" for n in range(others)]
        assert lost.sequences == (held,)
        assert shown(ledger) == expected
        conn.rollback()
        mine = ledger.register(party("mine"))
        assert mine.sequences == (held + others,)
        conn.commit()
        assert shown(ledger) == sorted([*expected, "mine"])
        assert ledger.verify().size == held + others + 1
    assert host.parties() == sorted([*expected, "mine"])


def test_an_empty_log_that_was_rolled_back_hides_no_log_that_another_writer_begins(host, party):
    with host.engine.connect() as conn:
        ledger = Ledger(conn)
        assert ledger.register_all([]) == []  # locks the log, and makes it, for nothing
        conn.rollback()
        Ledger(host.engine).register(party("board"))
        assert shown(ledger) == ["board"]
        conn.rollback()
        assert ledger.register(party("board")).stored == "already_stored"


def test_a_view_of_what_was_rolled_back_says_so(host, party):
    with host.engine.connect() as conn:
        ledger = Ledger(conn)
        ledger.register(party("phantom"))
        view = ledger.as_of()
        assert len(view.parties()) == 1
        conn.rollback()
        with pytest.raises(InvalidView, match=r"rolled back since\. Ask for a new view"):
            view.parties()


# -- savepoints ---------------------------------------------------------------------------------


def test_a_hosts_savepoint_takes_back_what_was_recorded_in_it(host, party):
    with host.engine.begin() as conn:
        ledger = Ledger(conn)
        ledger.register(party("before"))
        inner = conn.begin_nested()
        host.write(conn, "lost")
        ledger.register(party("lost"))
        assert shown(ledger) == ["before", "lost"]
        inner.rollback()
        assert shown(ledger) == ["before"]
        with conn.begin_nested():
            host.write(conn, "kept")
            assert ledger.register(party("after")).sequences == (1,)
    assert host.stories() == ["kept"]
    assert host.parties() == ["after", "before"]


def test_a_savepoint_may_be_the_first_statement(host, party):
    with host.engine.connect() as conn:
        inner = conn.begin_nested()
        ledger = Ledger(conn)
        ledger.register(party("lost"))
        inner.rollback()
        assert shown(ledger) == []
        ledger.register(party("kept"))
        conn.commit()
    assert host.parties() == ["kept"]


# -- several ledgers in one transaction ---------------------------------------------------------


def pair(conn, kind):
    if kind == "origins":
        return Ledger(conn, origin="one.example"), Ledger(conn, origin="two.example")
    schema.upgrade(conn, Layout(prefix="claims_"))
    return Ledger(conn), Ledger(conn, layout=Layout(prefix="claims_"))


@pytest.mark.parametrize("kind", ["origins", "prefixes"])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_two_ledgers_share_a_transaction_and_nothing_else(host, party, kind, end):
    with host.engine.connect() as conn:
        one, two = pair(conn, kind)
        conn.commit()
        host.write(conn, "flood")
        one.register(party("board"))
        two.register_all([party("board"), party("guest")])
        with pytest.raises(LedgerError):
            one.record(claimant="guest", act="assert", proposition="p")
        one.register(party("mill"))
        getattr(conn, end)()
        stored = end == "commit"
        assert shown(one) == (["board", "mill"] if stored else [])
        assert shown(two) == (["board", "guest"] if stored else [])
        assert [one.verify().size, two.verify().size] == ([2, 2] if stored else [0, 0])
    assert host.stories() == (["flood"] if stored else [])


# -- threads ------------------------------------------------------------------------------------


def test_threads_with_a_connection_each_lose_nothing_and_keep_nothing_that_was_rolled_back(
    host, party
):
    def work(number):
        with host.engine.connect() as conn:
            host.write(conn, f"s{number}")
            Ledger(conn).register(party(f"p{number}"))
            (conn.commit if number % 2 else conn.rollback)()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(12)))
    odd = range(1, 12, 2)
    assert host.stories() == sorted(f"s{number}" for number in odd)
    assert host.parties() == sorted(f"p{number}" for number in odd)
