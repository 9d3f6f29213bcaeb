"""What a host's listeners record while a Session commits is stored with the commit, not lost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from ledger import Claim, Ledger, Name, Party, Proposition


class Base(DeclarativeBase):
    """The host's own tables."""


class Story(Base):
    __tablename__ = "story"

    slug: Mapped[str] = mapped_column(sa.String(20), primary_key=True)


@pytest.fixture(params=["the ledger first used there", "a ledger used before"])
def before(request, party):
    """What the host does with a ledger before its listener does."""
    if request.param == "a ledger used before":
        return lambda session: Ledger(session).register(party("before"))
    return lambda session: None


@pytest.mark.parametrize("moment", ["before_flush", "after_flush", "before_commit"])
@pytest.mark.parametrize("of", ["one session", "all sessions"])
def test_what_a_listener_records_at_the_commit_is_stored(host, party, before, moment, of):
    def listener(session, *_):
        Ledger(session).register(party("audited"))

    sessions = sessionmaker(host.engine)
    with sessions() as session:
        sa.event.listen(session if of == "one session" else sessions, moment, listener)
        before(session)
        session.add(Story(slug="flood"))
        session.commit()
    assert host.stories() == ["flood"]
    assert "audited" in host.parties()


def test_what_a_listener_records_at_a_flush_goes_when_that_is_rolled_back(host, party):
    with Session(host.engine) as session:
        sa.event.listen(
            session, "before_flush", lambda *_: Ledger(session).register(party("audited"))
        )
        with session.begin_nested() as inner:
            session.add(Story(slug="flood"))
            session.flush()
            inner.rollback()
        session.commit()
    assert (host.stories(), host.parties()) == ([], [])


def test_a_commit_over_an_open_savepoint_stores_what_waits(host, party):
    with Session(host.engine) as session:
        with session.begin():
            Ledger(session).register(party("before"))
            session.begin_nested()
            session.add(Story(slug="flood"))
            session.begin_nested()
            Ledger(session).register(party("inside"))
        assert not session.in_transaction()
    assert (host.stories(), host.parties()) == (["flood"], ["before", "inside"])


def test_an_id_told_while_it_waits_is_the_id_at_the_commit(host):
    other = Ledger(host.engine)
    other.register_all([Party("board", name="Water Board"), Proposition("p", text="It is so")])
    board = Party("delta", name="Delta", names=[Name("The Delta")], part_of="board")
    said: dict[str, Any] = {"act": "assert", "proposition": "p"}
    with Session(host.engine) as session:
        ledger = Ledger(session)
        told = [
            ledger.record(claimant=board, **said),
            ledger.record(claimant="delta", utterance="speech", **said),
            *ledger.record_all(
                [Claim(id="c1", claimant="delta", **said), Claim(claimant="delta", **said)]
            ),
        ]
        other.record(claimant=board, utterance="speech", **said)
        other.record(id="c1", claimant="delta", **said)
        session.commit()
    assert [one.stored for one in told] == ["pending"] * 4
    assert {one.ledger_id for one in told if one.id != "c1"} <= set(other.claims().ids)
    assert len(other.claims().ids) == 5


def test_the_version_told_while_it_waits_is_the_version_at_the_commit(host):
    with Session(host.engine) as session:
        ledger = Ledger(session)
        told = ledger.register(Party("delta", name="Delta", names=[Name("The Delta")]))
        changed = ledger.amend("delta", name="D", reason="mistyped", expected=told.version)
        assert (
            ledger.register(Party("delta", name="Delta", names=["The Delta"])).stored == "pending"
        )
        again = ledger.register(Party("delta", name="Delta", names=["The Delta"]))
        assert [one.version for one in ledger.flush()] == [told.version, changed.version]
        assert (told.version, changed.version, again.version) == (1, 2, 2)
