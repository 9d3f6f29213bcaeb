"""A host's savepoint as the first thing in a transaction: what is rolled back around it is gone.

Python's SQLite driver begins nothing before a SAVEPOINT, so its release would commit all.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ledger import Ledger
from ledger.errors import StoreError
from ledger.store import schema


class Base(DeclarativeBase):
    """The host's own tables."""


class Story(Base):
    __tablename__ = "story"

    slug: Mapped[str] = mapped_column(sa.String(20), primary_key=True)


def test_a_ledgers_rows_go_with_the_transaction_around_the_savepoint(host, party):
    with host.engine.connect() as conn:
        with conn.begin_nested():
            Ledger(conn).register(party("lost"))
        conn.rollback()
    assert host.parties() == []


def test_the_hosts_rows_go_with_it_too(host, party):
    with host.engine.connect() as conn:
        with conn.begin_nested():
            host.write(conn, "lost")
            Ledger(conn).register(party("lost"))
        conn.rollback()
    assert (host.stories(), host.parties()) == ([], [])


@pytest.mark.parametrize("first", ["claim", "row"])
def test_a_sessions_savepoint_goes_with_the_session(host, party, first):
    with Session(host.engine) as session:
        ledger = Ledger(session)
        with session.begin_nested():
            if first == "row":
                session.add(Story(slug="lost"))
                session.flush()
            ledger.register(party("lost"))
            ledger.flush()
        session.rollback()
    assert (host.stories(), host.parties()) == ([], [])


def test_a_test_suite_that_gives_each_session_a_savepoint_leaves_nothing_behind(host, party):
    with host.engine.connect() as conn:
        outer = conn.begin()
        with Session(conn, join_transaction_mode="create_savepoint") as session:
            session.add(Story(slug="lost"))
            Ledger(session).register(party("lost"))
            session.commit()
        outer.rollback()
    assert (host.stories(), host.parties()) == ([], [])


def test_what_is_committed_around_the_savepoint_stays(host, party):
    with host.engine.connect() as conn:
        with conn.begin_nested():
            host.write(conn, "kept")
            Ledger(conn).register(party("kept"))
        conn.commit()
    assert (host.stories(), host.parties()) == (["kept"], ["kept"])


def test_an_engine_is_watched_once_however_many_ledgers_are_made(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'host.db'}")
    schema.upgrade(engine)
    for _ in range(3):
        Ledger(engine)
    assert len(list(engine.dispatch.savepoint)) == 1
    engine.dispose()


@pytest.fixture
def unknown(host):
    """An engine of another process, on a database in which a ledger's tables are: none was made."""
    if host.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no savepoint without a transaction")
    engine = sa.create_engine(host.engine.url)
    yield engine
    engine.dispose()


REFUSED = r"set before a ledger was bound to the engine.*Ledger\(engine\), before the first"


def test_a_savepoint_set_before_any_ledger_was_made_takes_nothing_of_it(host, unknown, party):
    with unknown.connect() as conn:
        with conn.begin_nested():
            with pytest.raises(StoreError, match=REFUSED):
                Ledger(conn).register(party("lost"))
            assert Ledger(conn).as_of().parties() == ()  # a question harms nobody
        conn.rollback()
    with unknown.connect() as conn:
        with conn.begin_nested():
            Ledger(conn).register(party("lost"))
        conn.rollback()
    assert host.parties() == []


def test_nor_does_a_sessions(host, unknown, party):
    with Session(unknown) as session:
        with session.begin_nested():
            ledger = Ledger(session)
            ledger.register(party("lost"))
            with pytest.raises(StoreError, match=REFUSED):
                ledger.flush()
        session.rollback()
    with unknown.connect() as conn, conn.begin() as outer:
        with Session(conn, join_transaction_mode="create_savepoint") as session:
            Ledger(session).register(party("lost"))
            session.commit()  # by now the engine is known
        outer.rollback()
    assert host.parties() == []


def test_nor_does_one_of_an_engine_with_other_options(host, unknown, party):
    Ledger(unknown.execution_options(logging_token="other"))
    with unknown.connect() as conn:
        with conn.begin_nested(), pytest.raises(StoreError, match=REFUSED):
            Ledger(conn).register(party("lost"))
        conn.rollback()
    assert host.parties() == []


def test_a_host_that_begins_by_itself_may_set_a_savepoint_whenever_it_likes(host, unknown, party):
    @sa.event.listens_for(unknown, "begin")
    def _(conn):
        conn.exec_driver_sql("BEGIN")

    for end in ("rollback", "commit"):
        with unknown.connect() as conn:
            with conn.begin_nested():
                Ledger(conn).register(party(end))
            getattr(conn, end)()
    assert host.parties() == ["commit"]
