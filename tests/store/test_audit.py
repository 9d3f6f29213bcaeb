"""The audit finds each way to tamper with what is stored, on every engine."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from ledger.errors import (
    ColumnMismatch,
    CommitmentMismatch,
    HeadMismatch,
    LeafMismatch,
    MissingEntry,
    MissingGuard,
    TamperEvidence,
)
from ledger.merkle.hashing import leaf_hash
from ledger.store import guards, schema, transaction
from ledger.store.audit import audit
from ledger.store.layout import Layout
from tests.drafts import salted
from tests.merkle.trees import root_of

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def log(drafts, record):
    """Eight events: 0 alone, 1 to 3 and 5 in the stream s, one with a clock that ran behind."""
    given = [
        *drafts(1),
        *drafts(3, stream="s"),
        *drafts(1, recorded_at=NOON),
        *drafts(1, stream="s", version=3),
        *drafts(2, slots=("what", "words")),
    ]
    record(given)
    return given


@pytest.fixture
def tamper(engine):
    """Run SQL with the guards out of the way, and put them back."""

    def run(sql, **values):
        with engine.begin() as conn:
            if engine.dialect.name == "postgresql":
                for name in ("log", "event", "stream"):
                    conn.execute(text(f"ALTER TABLE ledger_{name} DISABLE TRIGGER ALL"))
                conn.execute(text(sql), values)
                for name in every_guard("postgresql"):
                    table = "_".join(name.split("_")[:2])
                    conn.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
                return
            found = conn.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _ in found:
                conn.execute(text(f"DROP TRIGGER {name}"))
            conn.execute(text(sql), values)
            for _, made in found:
                conn.exec_driver_sql(made)

    return run


def every_guard(dialect):
    return list(guards.wanted(dialect, Layout(), schema.REVISION))


def audited(engine, tables, origin="default", **options):
    with transaction.reading(engine) as conn:
        return audit(conn, tables, origin, **options)


def test_a_log_in_order_gives_its_roots(engine, tables, log):
    leaves = [draft.leaf_hash for draft in log]
    found = audited(engine, tables, roots_at=[0, 3, 8, 99])
    assert (found.origin, found.size, found.root) == ("default", 8, root_of(leaves))
    assert found.roots == {0: root_of([]), 3: root_of(leaves[:3]), 8: root_of(leaves)}
    assert found.known_at == max(draft.recorded_at for draft in log)
    assert str(found).startswith("default: 8 events in order, root ")


def test_a_log_that_nobody_wrote_is_empty(engine, tables):
    found = audited(engine, tables, roots_at=[0, 1])
    assert (found.size, found.root, found.roots) == (0, root_of([]), {0: root_of([])})


def test_progress_ends_at_the_size(engine, tables, log):
    told = []
    audited(engine, tables, progress=lambda done, total: told.append((done, total)))
    assert told == [(8, 8)]


def test_an_event_appended_after_an_audit_does_not_disturb_the_next(
    engine, tables, drafts, log, record
):
    before = audited(engine, tables)
    record(drafts(1, stream="s", version=4))
    after = audited(engine, tables, roots_at=[before.size])
    assert after.roots[before.size] == before.root


TAMPERINGS = {
    "an entry": ("UPDATE ledger_event SET entry = entry || ' ' WHERE seq = 2", LeafMismatch, 2),
    "a leaf": ("UPDATE ledger_event SET leaf_hash = :other WHERE seq = 4", LeafMismatch, 4),
    "an entry and its leaf": (
        "UPDATE ledger_event SET entry = '[]', leaf_hash = :leaf WHERE seq = 3",
        LeafMismatch,
        3,
    ),
    "a slot": ("UPDATE ledger_event SET slot_who = :slot WHERE seq = 1", CommitmentMismatch, 1),
    "a slot emptied": (
        "UPDATE ledger_event SET slot_words = NULL WHERE seq = 6",
        CommitmentMismatch,
        6,
    ),
    "a slot filled": (
        "UPDATE ledger_event SET slot_by = :slot WHERE seq = 0",
        CommitmentMismatch,
        0,
    ),
    "an id": ("UPDATE ledger_event SET id = 'x' WHERE seq = 5", ColumnMismatch, 5),
    "a type": ("UPDATE ledger_event SET type = 'x' WHERE seq = 5", ColumnMismatch, 5),
    "a stream": ("UPDATE ledger_event SET stream = 'x' WHERE seq = 5", ColumnMismatch, 5),
    "a version": ("UPDATE ledger_event SET stream_v = 9 WHERE seq = 5", ColumnMismatch, 5),
    "an instant": (
        "UPDATE ledger_event SET known_at = '2001-01-01T00:00:00.000000Z' WHERE seq = 0",
        ColumnMismatch,
        0,
    ),
    "an instant that ran behind": (
        "UPDATE ledger_event SET known_at = '2023-02-23T12:00:00.000000Z' WHERE seq = 4",
        ColumnMismatch,
        4,
    ),
    "the origin": ("UPDATE ledger_log SET origin = 'stolen'", ColumnMismatch, 0),
    "the first event": ("DELETE FROM ledger_event WHERE seq = 0", MissingEntry, 0),
    "an event between": ("DELETE FROM ledger_event WHERE seq = 3", MissingEntry, 3),
    "the last events": ("DELETE FROM ledger_event WHERE seq > 5", MissingEntry, 6),
    "all events": ("DELETE FROM ledger_event", MissingEntry, 0),
    "a head too small": ("UPDATE ledger_log SET size = 6", HeadMismatch, 6),
    "a head too large": ("UPDATE ledger_log SET size = 9", MissingEntry, 8),
    "a head's instant": (
        "UPDATE ledger_log SET known_at = '2001-01-01T00:00:00.000000Z'",
        HeadMismatch,
        7,
    ),
    "a head": ("DELETE FROM ledger_log", HeadMismatch, 0),
    "a stream's head": (
        "UPDATE ledger_stream SET version = 1 WHERE stream = 's'",
        HeadMismatch,
        None,
    ),
    "a stream without head": ("DELETE FROM ledger_stream WHERE stream = 's'", HeadMismatch, None),
    "a head without stream": (
        "INSERT INTO ledger_stream (log_id, stream, version) SELECT id, 'x', 0 FROM ledger_log",
        HeadMismatch,
        None,
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_the_audit_names_what_was_tampered_with(engine, tables, log, tamper, what):
    sql, error, sequence = TAMPERINGS[what]
    values = {"other": bytes(32), "leaf": leaf_hash(b"[]"), "slot": salted(b'{"act":"deny"}')}
    used = {name: value for name, value in values.items() if f":{name}" in sql}
    tamper(sql, **used)
    origin = "stolen" if what == "the origin" else "default"
    with pytest.raises(TamperEvidence) as caught:
        audited(engine, tables, origin)
    assert type(caught.value) is error
    assert caught.value.sequence == sequence
    if sequence is not None and error is not HeadMismatch:
        assert f"sequence {sequence}" in caught.value.message


def test_an_event_left_out_of_its_stream_is_found(engine, tables, drafts, record, tamper):
    """All hashes are right and all sequences dense: only the stream's numbers have a hole."""
    record(drafts(2, stream="s"))
    tamper("UPDATE ledger_stream SET version = 4")
    record(drafts(1, stream="s", version=5))
    with pytest.raises(HeadMismatch, match="is number 2 of the stream s, but says version 5"):
        audited(engine, tables)


@pytest.mark.parametrize("place", range(3))
def test_a_missing_guard_is_found(engine, tables, log, place):
    kind = engine.dialect.name
    name = every_guard(kind)[place * 4]
    with engine.begin() as conn:
        on = f" ON {'_'.join(name.split('_')[:2])}" if kind == "postgresql" else ""
        conn.execute(text(f"DROP TRIGGER {name}{on}"))
    with transaction.reading(engine) as conn:
        assert schema.guards(conn, Layout()) == (name,)
    with pytest.raises(MissingGuard, match=f"{name} is missing, changed or switched off"):
        audited(engine, tables)


def test_a_view_in_the_place_of_a_table_is_found_before_it_is_read(engine, tables, log):
    """One that never ends would else be read for ever."""
    forever = "(WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x)"
    with engine.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE ledger_event RENAME TO hidden")
        conn.exec_driver_sql(
            f"CREATE VIEW ledger_event AS SELECT h.* FROM hidden h CROSS JOIN {forever} x"
        )
    with pytest.raises(MissingGuard, match="ledger_event is no table but something"):
        audited(engine, tables)


HOLLOW = {
    "sqlite": [
        "DROP TRIGGER ledger_event_no_delete",
        "CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event BEGIN SELECT 1; END",
    ],
    "another function": [
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "DROP TRIGGER ledger_event_no_delete ON ledger_event",
        (
            "CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event FOR EACH ROW "
            "EXECUTE FUNCTION nothing()"
        ),
        "ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_no_delete",
    ],
    "another condition": [
        "DROP TRIGGER ledger_event_no_delete ON ledger_event",
        (
            "CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event FOR EACH ROW "
            "WHEN (false) EXECUTE FUNCTION ledger_refuse('an event cannot be deleted')"
        ),
        "ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_no_delete",
    ],
    "another path": ["ALTER FUNCTION ledger_refuse() RESET search_path"],
    "another body": [
        (
            "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN OLD; END'"
        ),
    ],
}


def test_a_guard_of_the_right_name_that_does_nothing_is_found(database, tables):
    made = sa.create_engine(database, poolclass=sa.StaticPool)
    schema.upgrade(made)
    kinds = [one for one in HOLLOW if (one == "sqlite") == (made.dialect.name == "sqlite")]
    for kind in kinds:
        with made.connect() as conn:
            conn.exec_driver_sql("BEGIN" if kind == "sqlite" else "SELECT 1")
            for statement in HOLLOW[kind]:
                conn.exec_driver_sql(statement)
            assert "ledger_event_no_delete" in schema.guards(conn, Layout()), kind
            conn.rollback()
    with made.connect() as conn:
        assert schema.guards(conn, Layout()) == ()
    made.dispose()


def test_a_guard_that_is_switched_off_is_found(postgres_url, tables):
    engine = sa.create_engine(postgres_url)
    schema.upgrade(engine)
    with engine.begin() as conn:
        # Without ALWAYS a session that plays the replica walks past it.
        conn.execute(text("ALTER TABLE ledger_event ENABLE TRIGGER ledger_event_no_delete"))
    with pytest.raises(MissingGuard, match="ledger_event_no_delete"):
        audited(engine, tables)
    engine.dispose()


@pytest.mark.parametrize("column", ["slot_what", "leaf_hash", "entry"])
def test_bytes_that_were_turned_into_text_or_back_are_found(engine, tables, log, tamper, column):
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps no value of another kind than its column")
    other = "BLOB" if column == "entry" else "TEXT"
    tamper(f"UPDATE ledger_event SET {column} = CAST({column} AS {other}) WHERE seq = 3")
    with transaction.reading(engine) as conn, pytest.raises(ColumnMismatch) as caught:
        audit(conn, tables, "default")
    assert caught.value.sequence == 3
