"""The tree above the leaves: kept where it is worth it, computed where it is not, compared."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from ledger import Ledger, Topic, storing
from ledger.errors import NodeMismatch
from ledger.model.events import NewEvent, TopicDefined
from ledger.recording.ids import new_id
from ledger.store import read, schema, tree
from tests.merkle.trees import root_of

NODE = "ledger_node"


def topics(many):
    for number in range(many):
        id_ = new_id(dt.datetime.now(dt.UTC))
        event = TopicDefined(key=f"{id_}-{number}", label="T")
        yield NewEvent(id=id_, stream=id_, stream_v=0, event=event)


@pytest.fixture
def tall(ledger):
    """A log of 1,500 events: five whole tiles, and some."""
    ledger.appender.load(topics(1_500))
    return ledger


def rows(ledger):
    with ledger._folded.reading() as conn:
        query = sa.text(f"SELECT level, idx, hash FROM {NODE} ORDER BY level, idx")
        return [(level, index, bytes(found)) for level, index, found in conn.execute(query)]


def leaves(ledger):
    with ledger._folded.reading() as conn:
        folded = ledger._folded
        return [*read.leaf_hashes(conn, folded.tables, folded.log_id(conn), 0, 10**6)][
            : ledger.checkpoint().size
        ]


def change(ledger, statement, **values):
    with ledger._folded.bind.begin() as conn:
        conn.execute(sa.text(statement), values)


def test_a_tree_is_kept_once_it_is_asked_for(tall):
    assert rows(tall) == []
    whole = leaves(tall)
    assert tall.checkpoint().root == root_of(whole)
    kept = [(8, at, root_of(whole[at * 256 : at * 256 + 256])) for at in range(5)]
    assert rows(tall) == kept
    tall.appender.load(topics(700))
    assert tall.checkpoint().root == root_of(leaves(tall))
    assert rows(tall) == kept
    tall.appender.load(topics(500))
    tall.prove(0)
    assert len(rows(tall)) == 10
    assert tall.verify().size == 2_700


def test_a_short_log_is_not_worth_it(ledger):
    ledger.appender.load(topics(1_023))
    assert ledger.checkpoint().root == root_of(leaves(ledger))
    assert rows(ledger) == []


def test_no_answer_depends_on_what_is_kept(tall):
    before = tall.checkpoint(), tall.prove(700), tall.prove_growth(300)
    assert len(rows(tall)) == 5
    for kept in (f"DELETE FROM {NODE} WHERE idx > 1", f"DELETE FROM {NODE}"):
        change(tall, kept)
        with tall._folded.bind.begin() as conn:
            by_host = Ledger(conn)
            assert (by_host.checkpoint(), by_host.prove(700), by_host.prove_growth(300)) == before
        assert len(rows(tall)) in {0, 2}
    assert (tall.checkpoint(), tall.prove(700), tall.prove_growth(300)) == before


def test_two_who_keep_it_at_once_keep_the_same(tall):
    folded = tall._folded
    with folded.bind.begin() as conn:
        log = folded.log_id(conn)
        assert tree.keep(conn, folded.tables, log, 1_500) == 5
        change_back = rows_of(conn)
        conn.execute(sa.text(f"DELETE FROM {NODE} WHERE idx = 4"))
        assert tree.keep(conn, folded.tables, log, 1_500) == 1
        assert rows_of(conn) == change_back


def rows_of(conn):
    return [tuple(map(bytes, row)) for row in conn.execute(sa.text(f"SELECT hash FROM {NODE}"))]


def test_a_log_that_grows_far_is_kept_without_being_asked(ledger, monkeypatch):
    monkeypatch.setattr(storing, "STRIDE", 1_200)
    ledger.appender.load(topics(1_100), chunk=1_100)
    assert rows(ledger) == []
    ledger.appender.load(topics(200))
    assert len(rows(ledger)) == 5


def test_an_append_stands_though_the_tree_could_not_be_kept(postgres_url, monkeypatch):
    monkeypatch.setattr(storing, "STRIDE", 1_200)
    engine = sa.create_engine(postgres_url, connect_args={"options": "-c lock_timeout=50"})
    schema.upgrade(engine)
    ledger = Ledger(engine)
    ledger.appender.load(topics(1_199), chunk=1_199)
    with engine.connect() as other:
        other.execute(sa.text(f"LOCK TABLE {NODE}"))
        assert ledger.register(Topic("last", label="last")).stored == "stored"
    assert ledger.checkpoint().size == 1_200
    engine.dispose()


def test_who_may_not_write_gets_the_same_answers(tmp_path):
    path = tmp_path / "claims.db"
    with Ledger.open(path) as ledger:
        ledger.appender.load(topics(1_500))
        wanted = root_of(leaves(ledger))
        change(ledger, f"DELETE FROM {NODE}")
    with Ledger(f"sqlite:///file:{path}?mode=ro&uri=true") as reader:
        assert reader.checkpoint().root == wanted
        reader.prove(3).verify()
        assert rows(reader) == []


@pytest.mark.parametrize(
    "statement, sequence, told",
    [
        (f"UPDATE {NODE} SET hash = :other WHERE idx = 3", 768, "over the 256 events"),
        (f"UPDATE {NODE} SET idx = 9 WHERE idx = 4", None, "keeps 5 hashes of level 8 up to"),
        (f"DELETE FROM {NODE} WHERE idx = 1", None, "keeps 4 hashes"),
        (f"INSERT INTO {NODE} VALUES (1, 8, 5, :other)", None, "has 5 tiles"),
        (f"INSERT INTO {NODE} VALUES (1, 16, 0, :other)", None, "has 0 tiles"),
    ],
)
def test_a_hash_that_was_changed_by_hand_is_found(tall, statement, sequence, told):
    tall.checkpoint()
    change(tall, statement, **({"other": bytes(32)} if ":other" in statement else {}))
    with pytest.raises(NodeMismatch, match=told) as caught:
        tall.verify()
    assert caught.value.sequence == sequence
    assert f"Delete the rows of {NODE}" in caught.value.message
    change(tall, f"DELETE FROM {NODE}")
    assert tall.verify(tall.checkpoint()).size == 1_500
