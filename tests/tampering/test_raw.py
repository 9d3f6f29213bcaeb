"""What is edited byte by byte, or set to what no column should hold, is told in words."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError

from ledger.cli import main
from tests.tampering.forging import Forger

ODD = {
    "text": "'odd'",
    "nothing": "''",
    "bytes": "x'ff00'",
    "a number": "-7",
    "a fraction": "0.5",
    "a huge number": "9223372036854775807",
    "text that is none": "CAST(x'ff' AS TEXT)",
    "no value": "NULL",
}
COLUMNS = [
    *(("ledger_log", name) for name in ("origin", "size", "known_at")),
    *(
        ("ledger_event", name)
        for name in (
            *("log_id", "seq", "id", "type", "stream", "stream_v", "known_at", "entry"),
            *("leaf_hash", "slot_who", "slot_what", "slot_words", "slot_by"),
        )
    ),
    *(("ledger_stream", name) for name in ("log_id", "stream", "version")),
]
WHERE = {
    "ledger_log": "",
    "ledger_event": " WHERE seq = 8",
    "ledger_stream": " WHERE stream = (SELECT stream FROM ledger_event WHERE seq = 8)",
}


@pytest.fixture
def copy(url, ledger, tmp_path, capsys):
    """`copy(act)`: a copy of the file, tampered with, and what an auditor of it is told."""
    if not url.startswith("sqlite"):
        pytest.skip("a server holds its files itself; it is edited by SQL")
    numbers = iter(range(10_000))

    def tried(act):
        path = tmp_path / f"copy-{next(numbers)}.db"
        with (
            contextlib.closing(sqlite3.connect(tmp_path / "claims.db")) as source,
            contextlib.closing(sqlite3.connect(path)) as target,
        ):
            source.backup(target)
        act(path)
        capsys.readouterr()
        status = main(["verify", "--db", str(path)])
        return status, capsys.readouterr().err

    return tried


@pytest.mark.parametrize("what", ODD)
def test_whatever_a_column_is_made_to_hold_is_told_in_one_sentence(copy, what):
    tried = 0
    for table, column in COLUMNS:
        sql = f"UPDATE {table} SET {column} = {ODD[what]}{WHERE[table]}"
        refused: list[DBAPIError] = []

        def act(path, sql=sql, refused=refused):
            hand = Forger(f"sqlite:///{path}")
            try:
                hand.run(sql)
            except DBAPIError as error:  # not even its type or key would have it
                refused.append(error)
            hand.engine.dispose()

        status, told = copy(act)
        if refused:
            continue
        tried += 1
        assert (status, told.count("\n")) == (1, 1), (sql, told)
        assert told.startswith("claims: ")
        if table == "ledger_event":
            assert f"sequence {'' if column == 'seq' else '8'}" in told, (sql, told)
    assert tried >= (4 if what == "no value" else 12)


def flipped(path, needle, *, by=1, at=0):
    """Change one byte inside the only place where some bytes stand."""
    data = bytearray(path.read_bytes())
    place = data.find(needle)
    assert place >= 0
    assert data.find(needle, place + 1) < 0
    data[place + at] ^= by
    path.write_bytes(data)


@pytest.mark.parametrize(
    "query, told",
    [
        ("SELECT CAST(entry AS BLOB) FROM ledger_event WHERE seq = 8", "sequence 8 was changed"),
        ("SELECT leaf_hash FROM ledger_event WHERE seq = 8", "sequence 8 was changed"),
        ("SELECT slot_words FROM ledger_event WHERE seq = 8", "'words' at sequence 8 was changed"),
        ("SELECT slot_by FROM ledger_event WHERE seq = 14", "'by' at sequence 14 was changed"),
    ],
)
@pytest.mark.parametrize("by", [0x01, 0x80])
def test_a_byte_that_was_changed_in_the_file_is_told_by_its_sequence(copy, query, told, by):
    def act(path):
        with contextlib.closing(sqlite3.connect(path)) as raw:
            (needle,) = raw.execute(query).fetchone()
        flipped(path, needle, by=by, at=20)

    status, words = copy(act)
    assert status == 1
    assert told in words or (by == 0x80 and "sequence 8" in words)


def test_a_file_that_was_shortened_is_told(copy):
    def act(path):
        path.write_bytes(path.read_bytes()[:-8192])

    status, told = copy(act)
    assert (status, told.count("\n")) == (1, 1)
    assert "malformed" in told or "sequence" in told
