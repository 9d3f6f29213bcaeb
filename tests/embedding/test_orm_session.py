"""A ledger inside an ORM Session: through `session.connection()`, in the session's transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ledger import Ledger
from ledger.errors import NotFound


class Base(DeclarativeBase):
    """The host's own tables."""


class Story(Base):
    __tablename__ = "story"

    slug: Mapped[str] = mapped_column(String(20), primary_key=True)


def test_rows_and_claims_are_committed_together(host, say):
    with Session(host.engine) as session:
        session.add(Story(slug="flood"))
        say(Ledger(session.connection()), "c1")
        session.commit()
        assert Ledger(session.connection()).claims().ids == ("c1",)
    assert (host.stories(), host.parties()) == (["flood"], ["board"])


@pytest.mark.parametrize("flushed", [True, False])
def test_rows_and_claims_are_rolled_back_together(host, say, flushed):
    with Session(host.engine) as session:
        session.add(Story(slug="flood"))
        if flushed:
            session.flush()
        say(Ledger(session.connection()), "c1")
        session.rollback()
        session.add(Story(slug="drought"))
        session.commit()
    assert (host.stories(), host.parties()) == (["drought"], [])


def test_a_hosts_error_in_the_sessions_block_takes_back_both(host, say):
    def work():
        with Session(host.engine) as session, session.begin():
            session.add(Story(slug="flood"))
            say(Ledger(session.connection()), "c1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert (host.stories(), host.parties()) == ([], [])


def test_a_refused_claim_leaves_the_session_usable(host, say):
    with Session(host.engine) as session:
        session.add(Story(slug="flood"))
        ledger = Ledger(session.connection())
        with pytest.raises(NotFound):
            ledger.record(claimant="nobody", act="assert", proposition="p")
        say(ledger, "c1")
        session.add(Story(slug="drought"))
        session.commit()
    assert (host.stories(), host.parties()) == (["drought", "flood"], ["board"])


def test_a_nested_transaction_of_the_session_takes_back_its_claims(host, party):
    with Session(host.engine) as session:
        ledger = Ledger(session.connection())
        ledger.register(party("before"))
        with session.begin_nested() as inner:
            session.add(Story(slug="lost"))
            # asked again: only then does the session set its savepoint on the connection
            Ledger(session.connection()).register(party("lost"))
            inner.rollback()
        ledger.register(party("after"))
        session.add(Story(slug="kept"))
        session.commit()
    assert (host.stories(), host.parties()) == (["kept"], ["after", "before"])
