"""A ledger's own file, to import from or to export to: refused, and no lock on it is dropped."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa

from ledger import Ledger
from ledger.errors import InvalidImport
from ledger.interchange import import_file
from ledger.interchange.source import is_irreplaceable
from ledger.store import schema

SCRIPT = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"


@pytest.fixture
def writing(tmp_path):
    """A path whose database this process is about to write, with a ledger on it."""
    path = tmp_path / "claims.db"
    host = sa.create_engine(f"sqlite:///{path}")
    schema.upgrade(host)
    with host.connect() as conn:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        yield path, Ledger(conn)
        other = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=False
        )
        conn.rollback()
    host.dispose()
    assert "database is locked" in other.stderr


def test_importing_it_is_refused(writing):
    path, ledger = writing
    with pytest.raises(InvalidImport, match="an SQLite database"):
        import_file(ledger, path)


def test_it_is_seen_to_be_no_place_to_export_to(writing):
    path, _ = writing
    assert is_irreplaceable(path)
    assert is_irreplaceable(path.with_name("claims.db-wal"))


def test_a_file_that_is_open_here_is_imported_all_the_same(tmp_path):
    lines = tmp_path / "parties.jsonl"
    with lines.open("w+") as file:
        file.write('{"type": "party", "id": "mill", "name": "Mill"}\n')
        file.flush()
        with Ledger.open(":memory:") as ledger:
            import_file(ledger, lines)
            assert [one.id for one in ledger.as_of().parties()] == ["mill"]
