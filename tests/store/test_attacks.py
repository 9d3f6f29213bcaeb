"""The append-only guards: what a hand with write access to the tables cannot do unnoticed."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import Ledger, Party
from ledger.errors import MissingEntry
from ledger.store import engines, schema, transaction
from ledger.store.append import append, lock_head

EVENT = "type, stream, stream_v, known_at, entry, leaf_hash"
VALUES = "'T', 's', 0, '2023-02-23T12:00:00.000000Z', '{}', leaf_hash"
ROOM = "UPDATE ledger_log SET size = size + 1; "

EVERYWHERE = {
    "update of an entry": "UPDATE ledger_event SET entry = '{}' WHERE seq = 1",
    "update of a key": "UPDATE ledger_event SET seq = seq + 10",
    "emptying a slot": "UPDATE ledger_event SET slot_who = NULL",
    "deletion of an event": "DELETE FROM ledger_event WHERE seq = 2",
    "deletion of all": "DELETE FROM ledger_event",
    "a gap": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, 7, 'x', {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a negative sequence": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, -1, 'x', {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a taken sequence": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, 1, 'x', {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a taken id": (
        f"{ROOM}INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, 3, id, {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a row beyond the head": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        "SELECT log_id, 3, 'x', 'T', 's', 0, known_at, '{}', leaf_hash "
        "FROM ledger_event WHERE seq = 0"
    ),
    "a row of no log": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        "SELECT 99, 0, 'x', 'T', 's', 0, known_at, '{}', leaf_hash FROM ledger_event WHERE seq = 0"
    ),
    "a smaller head": "UPDATE ledger_log SET size = 2",
    "an earlier head": "UPDATE ledger_log SET known_at = '2001-01-01T00:00:00.000000Z'",
    "a head without an instant": "UPDATE ledger_log SET known_at = NULL",
    "a renamed log": "UPDATE ledger_log SET origin = 'other'",
    "deletion of a head": "DELETE FROM ledger_log",
    "a log born old": "INSERT INTO ledger_log (origin, size) VALUES ('old', 5)",
    "a stream that goes back": "UPDATE ledger_stream SET version = version - 1",
    "a renamed stream": "UPDATE ledger_stream SET stream = 'other', version = 9 WHERE stream = 's'",
    "deletion of a stream": "DELETE FROM ledger_stream",
}
ON_SQLITE = {
    "a replaced sequence": (
        f"INSERT OR REPLACE INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, 1, 'x', {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a replaced id": (
        f"{ROOM}INSERT OR REPLACE INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, 3, id, {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a replaced rowid": (
        f"{ROOM}INSERT OR REPLACE INTO ledger_event (rowid, log_id, seq, id, {EVENT}) "
        f"SELECT rowid, log_id, 3, 'x', {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a rowid that later inserts would hit": (
        f"{ROOM}INSERT INTO ledger_event (rowid, log_id, seq, id, {EVENT}) "
        f"SELECT -1, log_id, 3, 'x', {VALUES} FROM ledger_event WHERE seq = 0"
    ),
    "a replaced key": "UPDATE OR REPLACE ledger_event SET seq = 1 WHERE seq = 2",
    "a replaced head": "INSERT OR REPLACE INTO ledger_log (id, origin, size) VALUES (1, 'x', 0)",
    "a replaced origin": "INSERT OR REPLACE INTO ledger_log (origin, size) VALUES ('default', 0)",
    "a replaced stream": (
        "INSERT OR REPLACE INTO ledger_stream (log_id, stream, version) VALUES (1, 's', 0)"
    ),
    "an upsert": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        f"SELECT log_id, 1, 'x', {VALUES} FROM ledger_event WHERE seq = 0 "
        "ON CONFLICT DO UPDATE SET entry = '{}'"
    ),
}
ON_POSTGRES = {
    "truncation of the events": "TRUNCATE ledger_event",
    "truncation of the heads": "TRUNCATE ledger_log CASCADE",
    "truncation of the streams": "TRUNCATE ledger_stream",
    "a gap inside one statement": (
        "WITH h AS (UPDATE ledger_log SET size = 9) "
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        "SELECT log_id, 3 + seq * 2, 'x' || seq, 'T', 's', 0, known_at, '{}', leaf_hash "
        "FROM ledger_event"
    ),
    "an upsert": (
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        "SELECT log_id, 1, 'x', 'T', 's', 0, known_at, '{}', leaf_hash "
        "FROM ledger_event WHERE seq = 0 ON CONFLICT (log_id, seq) DO UPDATE SET entry = '{}'"
    ),
    "a change as a replica": (
        "SET LOCAL session_replication_role = replica; UPDATE ledger_event SET entry = '{}'"
    ),
    "a gap as a replica": (
        "SET LOCAL session_replication_role = replica; "
        f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) "
        "SELECT log_id, 7, 'x', 'T', 's', 0, known_at, '{}', leaf_hash "
        "FROM ledger_event WHERE seq = 0"
    ),
    "a deletion as a replica": (
        "SET LOCAL session_replication_role = replica; DELETE FROM ledger_log"
    ),
    "a truncation as a replica": (
        "SET LOCAL session_replication_role = replica; TRUNCATE ledger_event"
    ),
}


def everything(engine, tables):
    with transaction.reading(engine) as conn:
        return [
            conn.execute(table.select().order_by(*table.primary_key)).all()
            for table in (tables.log, tables.event, tables.stream)
        ]


def attack(engine, sql):
    with engine.begin() as conn:
        for statement in sql.split("; "):
            conn.execute(text(statement))


def test_no_statement_changes_what_is_stored(engine, tables, drafts, record):
    """One database for the whole list: making one per attack would cost a minute."""
    record([*drafts(1), *drafts(2, stream="s")])
    before = everything(engine, tables)
    own = ON_SQLITE if engine.dialect.name == "sqlite" else ON_POSTGRES
    for name, sql in (EVERYWHERE | own).items():
        with pytest.raises(DBAPIError) as caught:
            attack(engine, sql)
        told = str(caught.value.orig)
        assert "is append-only: " in told or "unique constraint" in told.lower(), (name, told)
        assert everything(engine, tables) == before, name
    assert record(drafts(1, stream="s", version=2)).size == 4


def test_after_a_row_beyond_the_head_was_refused_appends_go_on(database):
    with Ledger.open(database) as ledger:
        ledger.register(Party("board", name="Water Board"))
        beyond = (
            f"INSERT INTO ledger_event (log_id, seq, id, {EVENT}) SELECT log_id, 1, 'x', 'T', "
            "'s', 0, known_at, '{}', leaf_hash FROM ledger_event"
        )
        with pytest.raises(DBAPIError, match="lies beyond the head"):
            attack(ledger.appender.folded.bind, beyond)
        ledger.register(Party("millers", name="Millers' Guild"))
        assert ledger.verify().size == 2


def test_a_head_that_was_moved_by_hand_is_found_and_not_refused(database):
    """A trigger sees a row and not a transaction: the events might yet come behind it."""
    with Ledger.open(database) as ledger:
        ledger.register(Party("board", name="Water Board"))
        with transaction.writing(ledger.appender.folded.bind) as conn:
            conn.execute(text("UPDATE ledger_log SET size = size + 1"))
        with pytest.raises(MissingEntry) as caught:
            ledger.verify()
        assert caught.value.sequence == 1


def test_copy_is_guarded_too(postgres_url, drafts, tables):
    engine = engines.engine_for(postgres_url)
    schema.upgrade(engine)
    with transaction.writing(engine) as conn:
        append(conn, tables, lock_head(conn, tables, "default"), drafts(1))
    row = ("1", "1", "x", "T", "s", "0", "2023-02-23 12:00:00+00", "{}", r"\\x00")
    copy = f"COPY ledger_event (log_id, seq, id, {EVENT}) FROM STDIN"

    def bulk_load():
        with engine.connect() as conn:
            driver = conn.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with driver.cursor() as cursor, cursor.copy(copy) as to:
                to.write("\t".join(row) + "\n")

    with pytest.raises(psycopg.errors.RestrictViolation, match="lies beyond the head"):
        bulk_load()
    engine.dispose()
