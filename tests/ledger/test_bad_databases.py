"""Databases that are not ours, not yet, or of another version: refused, and left as they were."""

from __future__ import annotations

import os
import sqlite3

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party
from ledger.errors import (
    ForeignDatabase,
    LedgerError,
    SchemaMissing,
    SchemaNewer,
    SchemaOutdated,
    StoreError,
)
from ledger.store import schema


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def shape(engine):
    """Every table with its rows, whatever they hold."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as conn:
        return {
            table.name: sorted(map(repr, conn.execute(sa.select(table))))
            for table in metadata.sorted_tables
        }


@pytest.fixture
def host(database):
    """A host's own engine on the database, which holds a table of the host's and no ledger."""
    options = {"poolclass": sa.StaticPool} if database == "sqlite://" else {}
    made = sa.create_engine(database, **options)
    with made.begin() as conn:
        conn.execute(sa.text("CREATE TABLE host_note (words text)"))
        conn.execute(sa.text("INSERT INTO host_note VALUES ('said')"))
    yield made
    made.dispose()


def other_application(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmark (url text)")
    connection.execute("INSERT INTO bookmark VALUES ('https://gazette.example')")
    connection.commit()
    connection.close()


def other_mark(path):
    other_application(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 1196444487")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "make, words",
    [
        (other_application, ["belongs to another application", "bookmark", "Type another path"]),
        (other_mark, ["belongs to another application", "bookmark", "ledger_log"]),
        (
            lambda path: path.write_text("On 12 December they said.\n"),
            ["no SQLite database", "Type"],
        ),
        (lambda path: path.write_bytes(b"SQLite format 3"), ["no SQLite database", "Type"]),
        (
            lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000),
            ["cannot be read as an SQLite database"],
        ),
    ],
    ids=["application", "marked application", "text", "half a header", "damaged"],
)
@pytest.mark.parametrize("as_url", [False, True])
def test_a_file_of_anothers_is_refused_and_left_as_it_was(tmp_path, make, words, as_url):
    path = tmp_path / "other.db"
    make(path)
    before = files(tmp_path)
    with pytest.raises(ForeignDatabase) as caught:
        Ledger.open(f"sqlite:///{path}" if as_url else path)
    assert [word for word in [*words, str(path)] if word not in caught.value.message] == []
    assert files(tmp_path) == before


def test_a_folder_and_a_path_into_none_are_refused_with_what_to_type(tmp_path):
    with pytest.raises(StoreError, match=r"is a directory\. Type the path of a file, say .*claims"):
        Ledger.open(tmp_path)
    with pytest.raises(StoreError, match=r"no directory .*missing.* Type: mkdir -p "):
        Ledger.open(tmp_path / "missing" / "claims.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.register(Party("board", name="Water Board")),
        lambda ledger: ledger.as_of(),
        lambda ledger: list(ledger.log()),
        lambda ledger: ledger.checkpoint(),
        lambda ledger: ledger.verify(),
        lambda ledger: ledger.position("board", "bridge-open"),
    ],
    ids=["register", "as_of", "log", "checkpoint", "verify", "position"],
)
def test_without_tables_the_command_that_makes_them_is_told(host, tmp_path, ask):
    before, bytes_before = shape(host), files(tmp_path)
    ledger = Ledger(host)
    for _ in range(2):  # the first refusal is not taken for a check that went well
        with pytest.raises(SchemaMissing) as caught:
            ask(ledger)
        told = caught.value.message
        assert "there is no ledger_log" in told
        assert f"Type: claims init {host.url.render_as_string()}" in told
        assert "ledger.store.schema.upgrade(engine, layout)" in told
    assert shape(host) == before == {"host_note": ["('said',)"]}
    assert files(tmp_path) == bytes_before


def test_a_ledger_that_was_refused_works_once_the_tables_are_there(host):
    ledger = Ledger(host)
    with pytest.raises(SchemaMissing):
        ledger.as_of()
    schema.upgrade(host, ledger.layout)
    ledger.register(Party("board", name="Water Board"))
    assert [one.id for one in ledger.as_of().parties()] == ["board"]
    assert shape(host)["host_note"] == ["('said',)"]


@pytest.mark.parametrize(
    "version, error, words",
    [
        ("ledger_9999", SchemaNewer, "Type: pip install --upgrade claimledger"),
        ("ledger_0000", SchemaOutdated, "Type: claims init "),
    ],
)
def test_tables_of_another_version_are_refused_and_left_as_they_were(
    database, tmp_path, version, error, words
):
    if database == "sqlite://":
        pytest.skip("in memory there is no database to come back to")
    with Ledger.open(database) as made:
        made.register(Party("board", name="Water Board"))
    engine = sa.create_engine(database)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE ledger_alembic_version SET version_num = :v"), {"v": version})
    before = shape(engine)
    engine.dispose()
    bytes_before = files(tmp_path)
    ledger = Ledger(engine)
    with pytest.raises(error) as caught:
        ledger.as_of()
    assert isinstance(caught.value, LedgerError)
    assert [w for w in (version, schema.REVISION, words) if w not in caught.value.message] == []
    if error is SchemaNewer:
        with pytest.raises(SchemaNewer, match=words):
            Ledger.open(database)
    assert shape(engine) == before
    engine.dispose()
    assert files(tmp_path) == bytes_before


def test_a_file_in_a_folder_that_is_closed_to_us_is_told(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    me, nobody = os.geteuid(), 65_534
    if me == 0:
        os.seteuid(nobody)  # to root nothing is closed
    try:
        with pytest.raises(
            StoreError, match=r"cannot be read: Permission denied.* ls -ld .*closed"
        ):
            Ledger.open(closed / "claims.db")
    finally:
        os.seteuid(me)
        closed.chmod(0o700)
