"""Rows are looked at many at once, and by themselves where something about them is unusual."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from ledger.codec.canonical import canonical
from ledger.codec.sound import sound
from ledger.errors import ColumnMismatch, CommitmentMismatch, LeafMismatch, MissingEntry
from ledger.store import read, transaction, walk
from ledger.store.audit import audit
from tests.drafts import draft, salted
from tests.merkle.trees import root_of

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Pages of seven rows."""
    monkeypatch.setattr(read, "PAGE", 7)


@pytest.fixture
def closer(monkeypatch):
    """The sequences that were looked at by themselves."""
    looked = []

    def noted(row, origin):
        looked.append(row.seq)
        return sound(row, origin)

    monkeypatch.setattr(walk, "sound", noted)
    return looked


@pytest.fixture
def forty(record, drafts):
    """Events 0 to 39, of a stream each."""
    record(drafts(40))


@pytest.fixture
def sqlite(engine):
    """For what PostgreSQL lets no hand do."""
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps no value of another kind than its column")


@pytest.fixture
def audited(engine, tables):
    def run(**options):
        with transaction.reading(engine) as conn:
            return audit(conn, tables, "default", **options)

    return run


@pytest.fixture
def tamper(engine):
    def run(*statements):
        with engine.begin() as conn:
            if engine.dialect.name == "postgresql":
                conn.execute(sa.text("ALTER TABLE ledger_event DISABLE TRIGGER ALL"))
            else:
                query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for name in conn.scalars(sa.text(query)).all():
                    conn.execute(sa.text(f"DROP TRIGGER {name}"))
            for statement in statements:
                conn.execute(sa.text(statement))

    return run


def tagged(number, **tags):
    """An event of a recorder and of causes of its own."""
    id_ = f"tagged-{number:03}"
    return draft(
        log="default",
        type="ClaimRecorded",
        type_v=1,
        recorded_at=NOON,
        id=id_,
        stream=id_,
        stream_v=0,
        recorder=f"desk-{number}",
        slots={"what": salted(b"{}")},
        **tags,
    )


def test_rows_in_order_are_looked_at_together(record, drafts, audited, closer):
    given = drafts(40)
    record(given)
    told = []
    found = audited(roots_at=[3, 20], progress=lambda *at: told.append(at))
    leaves = [one.leaf_hash for one in given]
    assert (found.root, found.known_at) == (root_of(leaves), given[-1].recorded_at)
    assert found.roots == {3: root_of(leaves[:3]), 20: root_of(leaves[:20])}
    assert told == [(7, 40), (14, 40), (21, 40), (28, 40), (35, 40), (40, 40)]
    assert closer == []


def test_what_is_unusual_is_looked_at_by_itself_and_is_in_order(record, drafts, audited, closer):
    """Of 21: recorders of their own (3 to 5), a clock that ran behind (9), odd names (15)."""
    given = [
        *drafts(3),
        *(tagged(number, correlation=f"r{number}", causation="c") for number in range(3)),
        *drafts(3),
        *drafts(1, recorded_at=NOON),
        *drafts(5),
        *drafts(1, ids=['an "id"']),
        *drafts(5),
    ]
    record(given)
    found = audited(roots_at=range(22))
    leaves = [one.leaf_hash for one in given]
    assert found.roots == {size: root_of(leaves[:size]) for size in range(22)}
    assert found.known_at == given[-1].recorded_at
    assert {4, 5, 9, 15} <= set(closer)
    assert set(closer) <= {*range(3, 7), 9, *range(14, 21)}


@pytest.mark.parametrize("contents", [True, False])
@pytest.mark.parametrize("missing", [0, 5, 6, 7, 13, 38])
def test_a_hole_between_pages_is_told_like_one_within(forty, audited, tamper, missing, contents):
    tamper(f"DELETE FROM ledger_event WHERE seq = {missing}")
    with pytest.raises(MissingEntry) as caught:
        audited(contents=contents)
    assert caught.value.sequence == missing
    assert f"is missing: the next one stored is {missing + 1}" in caught.value.message


@pytest.mark.parametrize("contents", [True, False])
def test_a_head_that_counts_without_end_is_told_soon(forty, audited, tamper, contents):
    tamper("UPDATE ledger_log SET size = 4611686018427387904")
    with pytest.raises(MissingEntry) as caught:
        audited(contents=contents)
    assert caught.value.sequence == 40


WRONG = {
    "a leaf": ("entry = entry || ' '", LeafMismatch),
    "a slot": ("slot_what = slot_who", CommitmentMismatch),
    "a column": ("type = 'x'", ColumnMismatch),
    "a version": ("stream_v = 7", ColumnMismatch),
}


@pytest.mark.parametrize("place", [0, 6, 7, 9, 39])
@pytest.mark.parametrize("what", WRONG)
def test_the_first_bad_row_of_a_page_is_named(forty, audited, tamper, place, what):
    change, error = WRONG[what]
    later = f"UPDATE ledger_event SET entry = '[]' WHERE seq > {place}"
    tamper(f"UPDATE ledger_event SET {change} WHERE seq = {place}", later)
    with pytest.raises(error) as caught:
        audited()
    assert caught.value.sequence == place


def test_an_instant_before_the_one_before_is_named(record, drafts, audited, tamper):
    """Its entry says the same, and its leaf is right: only in its place it cannot stand."""
    behind = NOON - dt.timedelta(days=1)
    record([*drafts(10), *drafts(1, recorded_at=behind), *drafts(10)])
    tamper("UPDATE ledger_event SET known_at = '2023-02-22T12:00:00.000000Z' WHERE seq = 10")
    with pytest.raises(ColumnMismatch, match="known_at at sequence 10 says 2023-02-22") as caught:
        audited()
    assert caught.value.sequence == 10


@pytest.mark.parametrize(
    "wrong, raised",
    [
        ("DELETE FROM ledger_event WHERE seq = 3", (MissingEntry, 3)),
        ("UPDATE ledger_event SET stream = 'x' WHERE seq = 6", (ColumnMismatch, 6)),
        ("UPDATE ledger_event SET stream = 'x' WHERE seq = 12", (ColumnMismatch, 10)),
    ],
)
@pytest.mark.parametrize("odd", ["CAST(x'ff' AS TEXT)", "7", "NULL"])
@pytest.mark.usefixtures("sqlite", "forty")
def test_a_value_that_is_none_waits_its_turn(audited, tamper, odd, wrong, raised):
    try:
        tamper(f"UPDATE ledger_event SET slot_by = {odd} WHERE seq = 10", wrong)
        tamper(f"UPDATE ledger_event SET leaf_hash = {odd} WHERE seq = 10")
    except sa.exc.IntegrityError:
        pytest.skip("no column of these may be empty")
    error, sequence = raised
    with pytest.raises(error) as caught:
        audited()
    assert caught.value.sequence == sequence
    if sequence == 10:
        assert "of another kind" in caught.value.message or "cannot be read" in caught.value.message


@pytest.mark.parametrize("column", ["entry", "leaf_hash"])
@pytest.mark.usefixtures("sqlite")
def test_the_tree_alone_is_made_of_texts_and_bytes(forty, audited, tamper, column):
    other = "BLOB" if column == "entry" else "TEXT"
    tamper(f"UPDATE ledger_event SET {column} = CAST({column} AS {other}) WHERE seq = 30")
    with pytest.raises(ColumnMismatch) as caught:
        audited(contents=False)
    assert caught.value.sequence == 30


def test_an_erasure_among_others_is_followed(record, drafts, audited, tamper):
    record(drafts(20))
    erasure = draft(
        log="default",
        id="erasure",
        type="content_erased",
        type_v=1,
        stream="erasure",
        stream_v=0,
        recorded_at=NOON + dt.timedelta(hours=1),
        recorder="tests",
        slots={"what": salted(canonical({"target": "event-000004", "slots": ["who"]}))},
    )
    record([erasure])  # empties the slot
    record(drafts(5, recorded_at=NOON + dt.timedelta(hours=2)))
    assert audited().erased == 1
    tamper("UPDATE ledger_event SET slot_who = slot_what WHERE seq = 4")
    with pytest.raises(CommitmentMismatch) as caught:
        audited()
    assert caught.value.sequence == 4
    tamper("UPDATE ledger_event SET slot_who = NULL WHERE seq IN (4, 22)")
    with pytest.raises(CommitmentMismatch, match="no erasure says why") as caught:
        audited()
    assert caught.value.sequence == 22
