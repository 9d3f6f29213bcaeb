"""The raw drivers doing the same: the same bytes into the same columns, and out again.

Here lives what the ledger is held against, `sqlite3` and `psycopg` without anything in between.
The rows are taken from a ledger's own table, so the bytes were salted and hashed beforehand. Left
out is what makes a log of a table: heads, streams, triggers.

`reached` is a narrow table for questions: one row for each party that a claim reaches, with an
index. It answers the least that can be asked, the stance of the latest claim.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import psycopg
import sqlalchemy as sa

from ledger.codec.entry import SALT_BYTES

Row = tuple[Any, ...]
Reached = tuple[str, str, str, int, str]
"""Party, proposition, latest day on which it was said, sequence, stance."""

_COLUMNS: Final = (
    *("log_id", "seq", "id", "type", "stream", "stream_v", "known_at", "entry", "leaf_hash"),
    *("slot_who", "slot_what", "slot_words", "slot_by"),
)
_NAMES: Final = ", ".join(_COLUMNS)
_PAGE: Final = (
    "SELECT {names} FROM {table} WHERE log_id = 1 AND seq > {last} ORDER BY seq LIMIT 1000"
)
_SLIM: Final = "type, seq, slot_who, slot_what"
_KEYS: Final = "PRIMARY KEY (log_id, seq), UNIQUE (log_id, id)"
_REACHED: Final = (
    "CREATE TABLE reached (party text, proposition text, said text, seq bigint, stance text)"
)
_REACHED_INDEX: Final = "CREATE INDEX reached_by ON reached (party, proposition, said, seq)"
_CELL: Final = (
    "SELECT stance, seq FROM reached WHERE party = {0} AND proposition = {0} AND said <= {0} "
    "ORDER BY said DESC, seq DESC LIMIT 1"
)


class Sqlite:
    """A file, written with the flushes that the ledger asks for."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(
            sa.make_url(url).database or "", isolation_level=None, cached_statements=256
        )
        self.connection.execute("PRAGMA page_size = 8192")
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")

    def create(self) -> None:
        """A table like the ledger's, with its two keys."""
        kinds = "INTEGER INTEGER TEXT TEXT TEXT INTEGER TEXT TEXT BLOB BLOB BLOB BLOB BLOB"
        self.connection.execute(f"CREATE TABLE event ({_typed(kinds)}, {_KEYS})")

    def append(self, rows: Sequence[Row], batch: int) -> None:
        """One transaction for each batch."""
        statement = f"INSERT INTO event ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"
        for start in range(0, len(rows), batch):
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(statement, rows[start : start + batch])
            self.connection.execute("COMMIT")

    def rows(self, table: str, names: str = _NAMES) -> Iterator[Row]:
        """Every row, in pages; the second of the columns is the sequence."""
        query, last = _PAGE.format(table=table, names=names, last="?"), -1
        while page := self.connection.execute(query, (last,)).fetchall():
            yield from page
            last = page[-1][1]

    def fill(self, reached: Iterable[Reached]) -> None:
        """The table for questions."""
        self.connection.execute("BEGIN")
        self.connection.execute(_REACHED)
        self.connection.executemany("INSERT INTO reached VALUES (?, ?, ?, ?, ?)", reached)
        self.connection.execute(_REACHED_INDEX)
        self.connection.execute("COMMIT")

    def settle(self) -> None:
        """Nothing: a file plans its reads without statistics."""

    def cell(self, party: str, proposition: str, day: str) -> Row | None:
        """The stance of the latest claim of a party on a proposition."""
        found: Row | None = self.connection.execute(
            _CELL.format("?"), (party, proposition, day)
        ).fetchone()
        return found

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


class Postgres:
    """A database of the server, written by its quickest ways that need no file: binary arrays."""

    KINDS: Final = (
        "bigint bigint text text text bigint timestamptz text bytea bytea bytea bytea bytea"
    )

    def __init__(self, url: str) -> None:
        plain = sa.make_url(url).set(drivername="postgresql")
        self.connection = psycopg.connect(
            plain.render_as_string(hide_password=False), autocommit=True
        )

    def create(self) -> None:
        """A table like the ledger's, with its two keys."""
        self.connection.execute(f"CREATE TABLE event ({_typed(self.KINDS)}, {_KEYS})")

    def append(self, rows: Sequence[Row], batch: int) -> None:
        """One statement, and so one transaction, for each batch."""
        arrays = ", ".join(f"%b::{kind}[]" for kind in self.KINDS.split())
        many = f"INSERT INTO event ({_NAMES}) SELECT * FROM unnest({arrays})"
        values = ", ".join(f"%b::{kind}" for kind in self.KINDS.split())
        one = f"INSERT INTO event ({_NAMES}) VALUES ({values})"
        for start in range(0, len(rows), batch):
            if batch == 1:
                self.connection.execute(one, rows[start], prepare=True)
            else:
                columns = [list(c) for c in zip(*rows[start : start + batch], strict=True)]
                self.connection.execute(many, columns, prepare=True)

    def rows(self, table: str, names: str = _NAMES) -> Iterator[Row]:
        """Every row, in pages; the second of the columns is the sequence."""
        query, last = _PAGE.format(table=table, names=names, last="%b"), -1
        with self.connection.cursor(binary=True) as cursor:
            while page := cursor.execute(query, (last,), prepare=True).fetchall():
                yield from page
                last = page[-1][1]

    def fill(self, reached: Iterable[Reached]) -> None:
        """The table for questions."""
        self.connection.execute(_REACHED)
        with self.connection.cursor().copy("COPY reached FROM STDIN") as copy:
            for row in reached:
                copy.write_row(row)
        self.connection.execute(_REACHED_INDEX)

    def settle(self) -> None:
        """Gather the statistics that the server would by itself, within a minute or so."""
        self.connection.execute("ANALYZE")

    def cell(self, party: str, proposition: str, day: str) -> Row | None:
        """The stance of the latest claim of a party on a proposition."""
        parameters = (party, proposition, day)
        return self.connection.execute(_CELL.format("%b"), parameters, prepare=True).fetchone()

    def close(self) -> None:
        """Let go of the server."""
        self.connection.close()


class Counted:
    """Sequences out of a counter row, in one statement: the least that gives them without a hole.

    Its rows have no sequence yet: they are those of an append behind it.
    """

    _KINDS: Final = Postgres.KINDS.split()[2:]
    _BASE: Final = (
        "WITH h AS (UPDATE counter SET size = size + {many} RETURNING size - {many} AS base)"
    )
    _INTO: Final = f"{_BASE} INSERT INTO event ({_NAMES}) SELECT 1, h.base"

    def __init__(self, url: str) -> None:
        self._raw = Postgres(url)
        one = ", ".join(f"%b::{kind}" for kind in self._KINDS)
        arrays = ", ".join(f"%b::{kind}[]" for kind in self._KINDS)
        names = ", ".join(_COLUMNS[2:])
        self._one = f"{self._INTO.format(many='1')}, {one} FROM h"
        self._many = (
            f"{self._INTO.format(many='%b::bigint')} + x.at - 1, {names} "
            f"FROM h, unnest({arrays}) WITH ORDINALITY AS x({names}, at)"
        )

    def create(self) -> None:
        """A table like the ledger's with its two keys, and a counter that stands at none."""
        self._raw.create()
        self._raw.connection.execute("CREATE TABLE counter (size bigint NOT NULL)")
        self._raw.connection.execute("INSERT INTO counter VALUES (0)")

    def put(self, rows: Sequence[Row]) -> None:
        """Store rows in one statement, and so one transaction."""
        if len(rows) == 1:
            self._raw.connection.execute(self._one, rows[0], prepare=True)
            return
        columns = [list(column) for column in zip(*rows, strict=True)]
        many = len(rows)
        self._raw.connection.execute(self._many, (many, many, *columns), prepare=True)

    def counted(self) -> tuple[int, int]:
        """How many rows there are, and what the counter says."""
        found = self._raw.connection.execute(
            "SELECT (SELECT count(DISTINCT seq) FROM event), (SELECT size FROM counter)"
        ).fetchone()
        assert found is not None
        return found[0], found[1]

    def close(self) -> None:
        """Let go of the server."""
        self._raw.close()


Raw = Sqlite | Postgres


def _typed(kinds: str) -> str:
    pairs = zip(_COLUMNS, kinds.split(), strict=True)
    return ", ".join(f"{name} {kind}" for name, kind in pairs)


def raw_for(url: str) -> Raw:
    """The raw driver for a database."""
    return Sqlite(url) if url.startswith("sqlite") else Postgres(url)


class _Link(msgspec.Struct, gc=False):
    agent: str


class _Who(msgspec.Struct, gc=False):
    chains: list[list[_Link]]


class _What(msgspec.Struct, gc=False):
    proposition: str
    stance: str = "supports"
    uttered: str = ""


_who: Final = msgspec.json.Decoder(_Who).decode
_what: Final = msgspec.json.Decoder(_What).decode


def reached(raw: Raw, table: str) -> Iterator[Reached]:
    """The claims of a log by their claimant alone: the least that a view of them can be made of."""
    for type_, seq, who, what in raw.rows(table, _SLIM):
        if type_ == "claim_recorded":
            said = _what(what[SALT_BYTES:])
            agent = _who(who[SALT_BYTES:]).chains[0][-1].agent
            yield agent, said.proposition, said.uttered, seq, said.stance


def hashed(rows: Iterable[Row]) -> int:
    """Hash every entry and every slot: the least that checking a log can be."""
    count = 0
    for row in rows:
        entry, leaf, slots = row[7], row[8], row[9:]
        if hashlib.sha256(b"\0" + entry.encode()).digest() != leaf:
            raise ValueError(f"row {row[1]} was changed")
        count += sum(1 for slot in slots if slot is not None and hashlib.sha256(slot).digest())
    return count
