"""A ledger bound to a Session: claims wait for its commit, and go where the session's rows go."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session
from sqlalchemy.orm import sessionmaker as maker

from ledger import Ledger, Party
from ledger.errors import AlreadyRecorded, Invalid, NotFound, StoreError
from ledger.projecting import Projection


class Base(DeclarativeBase):
    """The host's own tables."""


class Story(Base):
    __tablename__ = "story"

    slug: Mapped[str] = mapped_column(sa.String(20), primary_key=True)


@pytest.fixture
def session(host):
    with Session(host.engine) as session:
        yield session


def test_what_is_recorded_waits_for_the_commit_and_goes_with_it(host, session, say):
    ledger = Ledger(session)
    session.add(Story(slug="flood"))
    receipt = say(ledger, "c1")
    assert (receipt.id, receipt.stored, receipt.sequences) == ("c1", "pending", ())
    assert str(receipt) == "c1 (pending)"
    assert (host.stories(), host.parties()) == ([], [])
    session.commit()
    assert (host.stories(), host.parties()) == (["flood"], ["board"])
    assert Ledger(host.engine).claims().ids == ("c1",)


def test_it_is_rolled_back_with_the_sessions_rows(host, session, say):
    ledger = Ledger(session)
    session.add(Story(slug="flood"))
    say(ledger, "c1")
    session.rollback()
    session.add(Story(slug="drought"))
    session.commit()
    assert (host.stories(), host.parties()) == (["drought"], [])


@pytest.mark.parametrize("end", ["close", "expire", "rollback"])
def test_what_waits_never_reaches_the_next_transaction(host, session, party, end):
    ledger = Ledger(session)
    ledger.register(party("lost"))
    if end == "close":
        session.close()
    elif end == "rollback":
        session.rollback()
    else:
        session.rollback()
        session.expire_all()
    ledger.register(party("kept"))
    session.commit()
    assert host.parties() == ["kept"]


def test_a_hosts_error_after_recording_takes_back_both(host, say):
    def work():
        with Session(host.engine) as session, session.begin():
            session.add(Story(slug="flood"))
            say(Ledger(session), "c1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert (host.stories(), host.parties()) == ([], [])


def test_a_refused_claim_leaves_the_session_and_its_transaction_usable(host, session, say):
    ledger = Ledger(session)
    session.add(Story(slug="flood"))
    with pytest.raises(NotFound):
        ledger.record(claimant="nobody", act="assert", proposition="p")
    say(ledger, "c1")
    with pytest.raises(AlreadyRecorded):
        say(ledger, "c1", stance="opposes")
    session.add(Story(slug="drought"))
    session.commit()
    assert (host.stories(), host.parties()) == (["drought", "flood"], ["board"])
    assert Ledger(host.engine).claims().ids == ("c1",)


def test_a_claim_that_waits_can_be_spoken_of_at_once(host, session, say):
    ledger = Ledger(session)
    say(ledger, "c1")
    say(ledger, "c2", stance="opposes")
    ledger.relate("c2", "reverses", "c1")
    ledger.amend("c1", note="by telephone", reason="forgotten")
    ledger.withdraw("c1", claimant="board", uttered="2020-01-01", id="w1")
    assert say(ledger, "c1").stored == "pending"
    session.commit()
    assert [one.type for one in Ledger(host.engine).events()] == [
        *("party_registered", "proposition_defined", "claim_recorded", "claim_recorded"),
        *("claims_related", "record_amended", "claim_withdrawn"),
    ]
    assert say(Ledger(host.engine), "c1").stored == "already_stored"


def test_a_question_through_the_same_ledger_writes_what_waits_first(host, session, say):
    ledger = Ledger(session)
    say(ledger, "c1")
    assert ledger.claims().ids == ("c1",)
    assert [one.type for one in ledger.events()][-1] == "claim_recorded"
    assert host.parties() == []
    session.rollback()
    assert ledger.claims().ids == ()


def test_flush_writes_what_waits_and_gives_its_receipts(host, session, party):
    ledger = Ledger(session)
    ledger.register(party("a"))
    ledger.register(party("b"))
    assert [(one.id, one.stored, one.sequences) for one in ledger.flush()] == [
        ("a", "stored", (0,)),
        ("b", "stored", (1,)),
    ]
    assert ledger.flush() == []
    assert host.parties() == []
    session.commit()
    assert host.parties() == ["a", "b"]


def test_the_log_is_not_locked_while_claims_wait(host, session, party):
    Ledger(session).register(party("waiting"))
    Ledger(host.engine).register(party("other"))
    session.commit()
    assert host.parties() == ["other", "waiting"]


def test_what_was_taken_by_another_meanwhile_is_refused_at_the_commit(host, session, party):
    session.add(Story(slug="flood"))
    Ledger(session).register(party("a"))
    Ledger(host.engine).register(Party("a", name="Somebody else"))
    with pytest.raises(AlreadyRecorded):
        session.commit()
    session.rollback()
    assert (host.stories(), host.parties()) == ([], ["a"])


def test_what_was_recorded_by_another_word_for_word_is_no_news_at_the_commit(host, session, party):
    session.add(Story(slug="flood"))
    Ledger(session).register(party("a"))
    Ledger(host.engine).register(party("a"))
    session.commit()
    assert (host.stories(), host.parties()) == (["flood"], ["a"])


def test_a_savepoint_takes_its_own_claims_back_and_no_others(host, session, party):
    ledger = Ledger(session)
    ledger.register(party("before"))
    with session.begin_nested() as inner:
        session.add(Story(slug="lost"))
        ledger.register(party("lost"))
        with session.begin_nested():
            ledger.register(party("deeper"))
        inner.rollback()
    with session.begin_nested():
        ledger.register(party("released"))
    ledger.register(party("after"))
    session.commit()
    assert (host.stories(), host.parties()) == ([], ["after", "before", "released"])


def test_releasing_a_savepoint_does_not_lock_the_log(host, session, party):
    if host.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one lock, which a savepoint takes where nothing came before it")
    with session.begin_nested():
        session.add(Story(slug="flood"))
        Ledger(session).register(party("inside"))
    Ledger(host.engine).register(party("other"))
    session.commit()
    assert host.parties() == ["inside", "other"]


def test_what_was_written_inside_a_savepoint_waits_again_when_that_is_rolled_back(
    host, session, party
):
    ledger = Ledger(session)
    ledger.register(party("before"))
    with session.begin_nested() as inner:
        ledger.register(party("lost"))
        assert [one.id for one in ledger.as_of().parties()] == ["before", "lost"]
        inner.rollback()
    session.commit()
    assert host.parties() == ["before"]


def test_a_ledger_first_used_inside_a_savepoint_is_cut_with_it(host, session, party):
    with session.begin_nested() as inner:
        Ledger(session).register(party("lost"))
        inner.rollback()
    Ledger(session).register(party("kept"))
    session.commit()
    assert host.parties() == ["kept"]


def test_two_ledgers_on_one_session_are_one_queue_in_order(host, session, party, say):
    Ledger(session).register(party("first"))
    say(Ledger(session), "c1")
    session.commit()
    ids = [getattr(one.event, "key", None) for one in Ledger(host.engine).events()]
    assert ids == ["first", "board", "bridge-open", "c1"]


def test_two_logs_in_one_transaction_are_committed_together(host, session, party):
    Ledger(session, origin="one").register(party("a"))
    Ledger(session, origin="two").register(party("b"))
    session.commit()
    found = {
        origin: [one.id for one in Ledger(host.engine, origin=origin).as_of().parties()]
        for origin in ("one", "two")
    }
    assert found == {"one": ["a"], "two": ["b"]}


def test_sessions_that_write_into_two_logs_wait_for_each_other_in_one_order(host, party):
    failures = []

    def work(*origins):
        try:
            for turn in range(10):
                with Session(host.engine) as session:
                    for origin in origins:
                        Ledger(session, origin=origin).register(party(f"{origins[0]}-{turn}"))
                    session.commit()
        except StoreError as error:  # pragma: no cover - the assertion shows it
            failures.append(error)

    threads = [threading.Thread(target=work, args=order) for order in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for origin in "ab":
        assert len(Ledger(host.engine, origin=origin).as_of().parties()) == 20


def test_a_scoped_session_is_that_of_the_thread(host, party):
    registry = scoped_session(maker(host.engine))
    ledger = Ledger(registry)

    def work(id_, end):
        ledger.register(party(id_))
        getattr(registry, end)()
        registry.remove()

    threads = [
        threading.Thread(target=work, args=(f"p{n}", "commit" if n % 2 else "rollback"))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert host.parties() == ["p1", "p3", "p5"]


def test_a_session_takes_its_claims_along_whose_ever_turn_the_registry_says_it_is(host, party):
    scope = ["first"]
    registry = scoped_session(maker(host.engine), scopefunc=lambda: scope[0])
    first = registry()
    first.add(Story(slug="flood"))
    Ledger(registry).register(party("board"))
    scope[0] = "second"
    first.commit()
    registry.remove()
    assert (host.stories(), host.parties()) == (["flood"], ["board"])
    first.close()


def seen_by(ledger, name):
    keys = Projection(name=name, initial=list, evolve=lambda held, one: [*held, one.id])
    ledger.projections.add(keys)
    return ledger


def test_the_views_of_every_ledger_that_recorded_go_with_the_commit(host, session, party):
    for id_ in ("a", "b", "c"):
        seen_by(Ledger(session), f"of-{id_}").register(party(id_))
    session.commit()
    views = seen_by(seen_by(seen_by(Ledger(host.engine), "of-a"), "of-b"), "of-c").projections
    assert {views.state(f"of-{id_}").__len__() for id_ in "abc"} == {3}
    assert {one.position for one in views.status()} == {3}


@pytest.mark.parametrize("ends", ["close", "commit", "flush", "rollback"])
def test_a_session_on_a_hosts_connection_drops_nothing_in_silence(host, party, ends):
    with host.engine.connect() as conn, conn.begin() as outer:
        session = Session(conn, join_transaction_mode="create_savepoint")
        ledger = Ledger(session)
        session.add(Story(slug="flood"))
        session.flush()
        ledger.register(party("board"))
        if ends == "close":
            with pytest.warns(RuntimeWarning, match=r"Call session\.commit\(\) first"):
                session.close()
        else:
            getattr(ledger if ends == "flush" else session, ends)()
            session.close()
        outer.commit()
    kept = ["board"] if ends == "commit" else []
    assert host.parties() == kept


def test_sessions_of_many_threads_lose_nothing_and_wait_for_nobody_for_ever(host, party):
    failures = []

    def work(thread):
        try:
            for turn in range(5):
                with Session(host.engine) as session:
                    ledger = Ledger(session)
                    ledger.register(party(f"p{thread}-{turn}"))
                    if turn == 2:
                        ledger.flush()
                    if turn == 3:
                        session.rollback()
                    session.commit()
        except StoreError as error:  # pragma: no cover - the assertion shows it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert host.parties() == sorted(f"p{n}-{turn}" for n in range(4) for turn in (0, 1, 2, 4))


def test_a_session_without_a_single_engine_is_told_what_to_bind(party):
    with Session() as session, pytest.raises(Invalid, match=r"session\.connection\("):
        Ledger(session).register(party("a"))


def test_a_prepared_transaction_holds_its_claims(host, party):
    if host.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no two-phase commit")
    with host.engine.connect() as conn:
        if conn.scalar(sa.text("SHOW max_prepared_transactions")) == "0":
            pytest.skip("this PostgreSQL was started without prepared transactions")
    with Session(host.engine, twophase=True) as session:
        Ledger(session).register(party("lost"))
        session.prepare()
        session.rollback()
        Ledger(session).register(party("kept"))
        session.prepare()
        session.commit()
    assert host.parties() == ["kept"]


def test_a_session_whose_transaction_has_failed_is_told_in_the_ledgers_words(host, session, party):
    with host.engine.begin() as conn:
        host.write(conn, "flood")
    ledger = Ledger(session)
    session.add(Story(slug="flood"))
    with pytest.raises(IntegrityError):
        session.flush()
    for call in (ledger.claims, lambda: ledger.register(party("b")), ledger.checkpoint):
        with pytest.raises(StoreError, match=r"takes no statement now.*Session\.rollback\(\)"):
            call()
    session.rollback()
    ledger.register(party("c"))
    session.commit()
    assert host.parties() == ["c"]


def test_a_claim_refused_at_a_flush_goes_with_the_savepoint_around_it(host, session, party):
    ledger = Ledger(session)
    if host.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: nobody takes an id behind the first statement")
    session.add(Story(slug="kept"))
    ledger.register(party("mine"))

    def enter():
        with session.begin_nested():
            ledger.register(Party("ours", name="Ours"))
            Ledger(host.engine).register(Party("ours", name="Theirs"))
            ledger.flush()

    with pytest.raises(AlreadyRecorded):
        enter()
    session.commit()
    assert host.stories() == ["kept"]
    names = {one.name for one in Ledger(host.engine).as_of().parties()}
    assert names == {"Mine", "Theirs"}


def test_a_hosts_rows_are_flushed_before_the_log_is_locked(host, session, party):
    if host.engine.dialect.name == "sqlite":
        pytest.skip("an append to an SQLite file goes past SQLAlchemy's events")
    statements = []
    sa.event.listen(
        host.engine,
        "before_cursor_execute",
        lambda _conn, _cursor, statement, *_: statements.append(statement),
    )
    Ledger(session).register(party("a"))
    session.add(Story(slug="flood"))
    session.commit()
    story = next(n for n, one in enumerate(statements) if one.startswith("INSERT INTO story"))
    written = [n for n, one in enumerate(statements) if "INSERT INTO ledger_event" in one]
    assert story < min(written)
