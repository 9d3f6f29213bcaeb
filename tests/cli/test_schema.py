from __future__ import annotations

import sqlite3

import pytest

from ledger.store import schema
from ledger.store.grants import Roles, grants
from ledger.store.layout import Layout


@pytest.fixture
def host(tmp_path):
    """A file of another application, which journals it in its own way."""
    path = tmp_path / "the shop.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE parcel (id TEXT)")
        raw.execute("INSERT INTO parcel VALUES ('p1')")
    raw.close()
    return path


def asked(path, sql):
    with sqlite3.connect(path) as raw:
        found = raw.execute(sql).fetchone()
    raw.close()
    return found[0]


def test_a_ledger_is_put_beside_a_hosts_tables_when_that_is_said(good, refused, host):
    told = refused("init", host)
    assert "Type another path; or, to keep a ledger beside those tables, type once: " in told
    assert told.endswith(f"claims init --beside '{host}'\n")
    assert asked(host, "SELECT count(*) FROM sqlite_master") == 1
    assert good("init", "--beside", host).out == f"{host} is ready (0 events)\n"
    good("party", "add", "board", "--name", "Water Board", "--db", host)
    assert good("verify", "--db", host).out.startswith("ok: 1 event ")
    assert asked(host, "SELECT id FROM parcel") == "p1"
    assert asked(host, "PRAGMA journal_mode") == "delete"
    assert good("init", "--beside", host).out.endswith("is ready (1 event)\n")


def test_beside_takes_a_prefix_of_its_own(good, host):
    good("init", "--beside", host, "--prefix", "claims_")
    assert asked(host, "SELECT count(*) FROM claims_log") == 0


def test_beside_still_refuses_what_is_no_database(refused, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear reader, this is a letter and no database.")
    assert "is no SQLite database" in refused("init", "--beside", "letter.txt")


def test_a_new_file_may_be_made_with_beside_too(good):
    assert good("init", "--beside", "new.db").out == "new.db is ready (0 events)\n"
    assert asked("new.db", "PRAGMA journal_mode") == "wal"


@pytest.mark.parametrize("json", [False, True])
def test_the_grants_are_printed_for_the_roles_that_are_named(good, json):
    options = ("--prefix", "weir_", "--schema", "claims", "--writer", "newsroom")
    ran = good("schema", "grants", *options, *(["--json"] if json else []))
    wanted = grants(Layout(prefix="weir_", schema="claims"), Roles(writer="newsroom"))
    assert (ran.json["sql"] if json else ran.out) == wanted
    assert 'GRANT INSERT ON claims.weir_event TO "newsroom";' in wanted


def test_the_sql_of_an_upgrade_begins_where_the_tables_are(good, refused):
    told = good("schema", "sql", "--since", "ledger_0001").out
    assert told == schema.sql("sqlite", since="ledger_0001")
    assert "CREATE TABLE ledger_event" not in told
    assert "knows no revision 'head'" in refused("schema", "sql", "--since", "head")


def test_a_role_that_cannot_be_is_refused(refused):
    assert "cannot be the owner's role" in refused("schema", "grants", "--owner", "")
    assert "'\\udcff' cannot be the writer" in refused("schema", "grants", "--writer", "\udcff")
    assert len(refused("schema", "grants", "--reader", "x" * 5000)) < 300
