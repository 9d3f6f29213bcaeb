"""Two logs under one set of tables: the same ids in both, nothing of one is seen in the other."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from ledger import Ledger, Party, Proposition
from ledger.errors import InconsistentCheckpoint, TimedOut, UnknownClaim
from ledger.projecting import claims
from ledger.store import read, transaction
from ledger.store.layout import Layout
from ledger.store.tables import tables_for

NAMES = {"one": "The One", "two": "The Two"}


@pytest.fixture
def logs(engine):
    """Both logs, entered in turns under the same ids; the second says the contrary, and less."""
    one, two = (Ledger(engine, origin=f"{name}.example") for name in NAMES)
    for ledger, name in ((one, "one"), (two, "two")):
        ledger.register_all(
            [Party("board", name=NAMES[name]), Proposition("shut", text=f"It is shut, says {name}")]
        )
    for number in range(3):
        said(one, f"c{number}", "assert", number)
        if number < 2:
            said(two, f"c{number}", "deny", number)
    one.amend("c0", reason="only in the first", note="a note")
    return one, two


def said(ledger, id_, act, number):
    ledger.record(
        id=id_,
        claimant="board",
        act=act,
        proposition="shut",
        uttered=dt.date(2024, 3, 1 + number).isoformat(),
    )


def test_ids_sequences_and_streams_are_each_logs_own(logs):
    one, two = logs
    assert one.claims().ids == ("c0", "c1", "c2")
    assert two.claims().ids == ("c0", "c1")
    assert [e.sequence for e in one.events()] == list(range(6))
    assert [e.sequence for e in two.events()] == list(range(4))
    assert not {e.id for e in one.events()} & {e.id for e in two.events()}
    assert [e.stream_v for e in one.events()] == [0, 0, 0, 0, 0, 1]
    assert {e.stream_v for e in two.events()} == {0}
    with pytest.raises(UnknownClaim):
        two.trace("c2")


def test_answers_views_and_replays_are_each_logs_own(logs):
    one, two = logs
    assert one.position("board", "shut").stance == "supports"
    assert two.position("board", "shut").stance == "opposes"
    assert [p.name for p in one.as_of().parties()] == ["The One"]
    assert [p.name for p in two.as_of().parties()] == ["The Two"]
    assert two.as_of(known=2).claims().ids == ("c0",)
    assert one.as_of(known=3).claims().ids == ("c0", "c1")


def test_checkpoints_and_audits_are_each_logs_own(engine, logs):
    one, two = logs
    assert (one.verify().size, two.verify().size) == (6, 4)
    assert one.checkpoint(2).root != two.checkpoint(2).root
    with pytest.raises(InconsistentCheckpoint, match=r"is of log 'one\.example'"):
        two.verify(one.checkpoint())
    kept = two.checkpoint()
    said(one, "c9", "deny", 9)
    assert two.verify(kept).size == 4
    assert one.trace("c9").sequence == 6


def test_what_is_read_and_followed_is_each_logs_own(engine, logs):
    one, two = logs
    seen = {e.id for e in two.events(after=1)}
    assert len(seen) == 2
    assert not seen & {e.id for e in one.events()}
    tables = tables_for(Layout())
    with transaction.reading(engine) as conn:
        heads = [read.head(conn, tables, f"{name}.example") for name in NAMES]
        assert read.origins(conn, tables) == ("one.example", "two.example")
    assert [head.size for head in heads if head is not None] == [6, 4]


def test_another_logs_damage_is_not_this_logs(engine, logs):
    one, two = logs
    with engine.begin() as conn:
        if engine.dialect.name == "postgresql":
            conn.exec_driver_sql("ALTER TABLE ledger_event DISABLE TRIGGER ALL")
        else:
            conn.exec_driver_sql("DROP TRIGGER ledger_event_no_update")
        conn.exec_driver_sql(
            "UPDATE ledger_event SET entry = '{}' WHERE seq = 0 AND log_id = "
            "(SELECT id FROM ledger_log WHERE origin = 'one.example')"
        )
        if engine.dialect.name == "postgresql":
            for name in ("next", "erases", "no_update", "no_delete", "no_truncate"):
                conn.exec_driver_sql(
                    f"ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_{name}"
                )
    with pytest.raises(Exception, match="sequence 0"):
        one.verify()
    if engine.dialect.name == "postgresql":
        assert two.verify().size == 4
    else:
        with pytest.raises(Exception, match="ledger_event_no_update is missing"):
            two.verify()


def test_following_and_waiting_see_their_own_log_alone(logs):
    one, two = logs
    told = list(itertools.islice(two.follow(after=-1), 4))
    assert [e.id for e in told] == [e.id for e in two.events()]
    assert one.wait_for(5, timeout=0)
    with pytest.raises(TimedOut, match="the last one is 3"):
        two.wait_for(4, timeout=0)


def test_cursors_and_views_are_each_logs_own(engine, logs):
    for ledger in logs:
        ledger.projections.add(claims(), mode="deferred")
        ledger.projections.run("claims")
    with engine.connect() as conn:
        cursors = conn.exec_driver_sql("SELECT log_id, position FROM ledger_cursor").all()
        rows = conn.exec_driver_sql("SELECT log_id, count(*) FROM ledger_v1_claim GROUP BY 1").all()
    assert len({log for log, _ in cursors}) == len(cursors) == 2
    assert sorted(many for _, many in rows) == [2, 3]
