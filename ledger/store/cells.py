"""The tables that questions are narrowed on: which acts may bear on a cell, and what touches what.

Here live the tables and their statements. Which event does what to them is in
`ledger.projecting.cells`, what is asked of them in `ledger.narrowing`.

```
ledger_v4_cell   (log_id, party, proposition, seq) | document    a claim that may bear on the cell
ledger_v4_link   (log_id, kind, target, seq)                     what else a question must read

link of kind     target               seq
0 frame          0                    a record that is no act: a party, a membership, a merge ..
1 erased         0                    a claim, or a change, whose who or what was erased
2 touch          a record             what withdraws, corrects, amends or relates it
3 utterance      a number of its id   an act of it
4 key            a number of both     what a host knows by this kind and id, or knew
5 carried        a document           an act that it carries, or carried
6 part           a party              an act that names it and is in no cell of it
```

All numbers are sequences of events, so a prefix of the log is `seq < basis`: any known-date is a
look-up. A row too many does no harm, since whoever reads looks at the events themselves; a row too
few would change answers.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, MetaData, PrimaryKeyConstraint, Table, select

from ledger.store.fetching import changed, fetched, is_psycopg
from ledger.store.filling import MANY, copy, fill
from ledger.store.layout import Layout
from ledger.store.riding import Riding
from ledger.store.tables import Tables

NAME: Final = "cells"
VERSION: Final = 4
FRAME: Final = 0
ERASED: Final = 1
TOUCH: Final = 2
UTTERANCE: Final = 3
KEY: Final = 4
CARRIED: Final = 5
PART: Final = 6
NOBODY: Final = -1
"""The party of a claim of which the text names no claimant."""

CellRow = tuple[int, int, int, int | None]
"""Party, proposition, claim, document."""

LinkRow = tuple[int, int, int]
"""Kind, target, event."""


@functools.cache
def tables_of(layout: Layout, build: int, version: int = VERSION) -> tuple[Table, Table]:
    """The two tables of one build: cells and links; of an earlier version no more than their names.

    Example:
        >>> [table.name for table in tables_of(Layout(), 0)]
        ['ledger_v4_cell', 'ledger_v4_link']
    """
    metadata, end = MetaData(schema=layout.schema), f"_{build}" if build else ""
    cell, link = (layout.table(f"v{version}_{name}{end}") for name in ("cell", "link"))
    return (
        Table(
            cell,
            metadata,
            *_numbers("log_id", "party", "proposition", "seq"),
            Column("document", BigInteger),
            PrimaryKeyConstraint("log_id", "party", "proposition", "seq", name=f"{cell}_pk"),
            sqlite_with_rowid=False,
        ),
        Table(
            link,
            metadata,
            *_numbers("log_id", "kind", "target", "seq"),
            PrimaryKeyConstraint("log_id", "kind", "target", "seq", name=f"{link}_pk"),
            sqlite_with_rowid=False,
        ),
    )


def _numbers(*names: str) -> list[Column[Any]]:
    return [Column(name, BigInteger, nullable=False, autoincrement=False) for name in names]


_FRESH: Final = hashlib.blake2b(digest_size=7)


@functools.lru_cache(maxsize=10_000)
def number_of(id_: str) -> int:
    """A number for an id that is no event's; two ids with one number only cost time.

    Of a UUID of version 7 it is the millisecond and what counts within it.

    Example:
        >>> number_of("0197c1de-0000-7001-8000-000000000000")
        7173342171758593
    """
    digits = id_.replace("-", "")
    try:
        return int(digits[:12] + digits[13:16], 16)
    except ValueError:
        return _digest(id_)


def _digest(text: str) -> int:
    made = _FRESH.copy()  # in half of the time of a new one
    made.update(text.encode("utf-8", "surrogatepass"))  # what is asked about may be no log's
    return int.from_bytes(made.digest(), "big")


def number_of_key(kind: str, key: str) -> int:
    """A number for what a host calls a record of a kind, or an utterance."""
    return _digest(f"{kind} {key}")  # which is no event's id, so it is not tried as one


_BY_KEY: Final = (itemgetter(2), itemgetter(1), itemgetter(0))
"""One number after the other, last first, takes half of what it takes to compare rows."""


# -- writing ------------------------------------------------------------------------------------


def add(
    conn: Connection | Riding,
    table: Table,
    log_id: int,
    rows: Iterable[CellRow] | Iterable[LinkRow],
    *,
    new: bool = False,
) -> None:
    """Add rows of one of the tables, in the order of its key; the first of a key stays.

    `new` tells that the table holds none of them yet.
    """
    many = len(table.columns)
    given: list[CellRow | LinkRow] = [*rows]
    if not given:
        return
    for number in _BY_KEY:
        given.sort(key=number)
    names = ", ".join(column.name for column in table.columns)
    if not isinstance(conn, Riding):
        if conn.dialect.name == "sqlite":
            into = f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES"
            fill(conn, into, f"({log_id:d}{', ?' * (many - 1)})", given)
            return
        if new and len(given) > MANY and is_psycopg(conn):
            copy(conn, table, [(log_id, *row) for row in dict.fromkeys(given)])
            return
    arrays = ", ".join(["CAST(? AS bigint[])"] * (many - 1))
    changed(
        conn,
        f"INSERT INTO {table.fullname} ({names}) SELECT CAST(? AS bigint), x.* "  # noqa: S608 - checked names
        f"FROM unnest({arrays}) AS x ON CONFLICT DO NOTHING",
        (log_id, *map(list, zip(*given, strict=True))),
    )


def remove(conn: Connection, build: Sequence[Table], log_id: int, sequences: Iterable[int]) -> None:
    """Remove what some events said; it scans once, as erasing is rare."""
    cell, link = build
    given: Any = sorted(set(sequences))
    if conn.dialect.name == "sqlite":
        given, among = json.dumps(given), "IN (SELECT value FROM json_each(?))"
    else:
        among = "= ANY(CAST(? AS bigint[]))"
    these = f"log_id = CAST(? AS bigint) AND seq {among}"
    changed(conn, f"DELETE FROM {cell.fullname} WHERE {these}", (log_id, given))  # noqa: S608 - checked names
    kinds = f"kind IN ({TOUCH}, {UTTERANCE}, {KEY}, {CARRIED}, {PART})"
    changed(conn, f"DELETE FROM {link.fullname} WHERE {these} AND {kinds}", (log_id, given))  # noqa: S608 - checked names


# -- asking -------------------------------------------------------------------------------------


class Served(NamedTuple):
    """The build of a log that is to be read, how far it is, and how many events the log holds."""

    log_id: int
    build: int
    position: int
    size: int


def served(conn: Connection, tables: Tables, origin: str) -> Served | None:
    """What is to be read of a log; None where no build is complete.

    A build that had to leave an event out is not. One behind its log is complete as far as it is,
    but what it has not read may erase what it has.
    """
    postgres = conn.dialect.name == "postgresql"
    found = fetched(conn, _served(tables, postgres=postgres), (NAME, VERSION, origin))
    return None if not found else Served(*found[0])


@functools.cache
def _served(tables: Tables, *, postgres: bool) -> str:
    log, cursor, served_, parked = (
        tables.layout.qualified(name) for name in ("log", "cursor", "served", "parked")
    )
    cell = tables_of(tables.layout, 0)[0].fullname
    # An old snapshot still shows what is read there, though the table was dropped since.
    there = f" AND to_regclass('{cell}' || coalesce('_' || nullif(c.build, 0), '')) IS NOT NULL"
    same = "{0}.log_id = s.log_id AND {0}.name = s.name AND {0}.version = s.version"
    same += " AND {0}.build = s.build"
    query = (
        f"SELECT l.id, c.build, c.position, l.size FROM {log} l "  # noqa: S608 - checked names
        f"JOIN {served_} s ON s.log_id = l.id AND s.name = ? AND s.version = CAST(? AS bigint) "
        f"JOIN {cursor} c ON {same.format('c')} AND c.phase = 'live' "
        f"WHERE l.origin = ? AND NOT EXISTS (SELECT 1 FROM {parked} p WHERE {same.format('p')})"
    )
    return f"{query}{there}" if postgres else query


def in_cells(
    conn: Connection,
    cell: Table,
    key: tuple[int, int],
    parties: Iterable[int],
    propositions: Iterable[int] | None,
    *,
    start: int = 0,
) -> set[int]:
    """The claims that may bear on any of the cells; with no propositions, on any cell of theirs.

    `key` is the log and the basis; they are of `start` or later.
    """
    columns = {"party": parties}
    if propositions is not None:
        columns["proposition"] = propositions
    return _found(conn, cell, columns, key, start)


def all_of(conn: Connection, cell: Table, key: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """Proposition and claim of every cell of the prefix; `key` is the log and the basis."""
    query = select(cell.c.proposition, cell.c.seq).where(
        cell.c.log_id == key[0], cell.c.seq < key[1]
    )
    # Of the statement alone: on the connection it would be of every later one, too.
    rows = conn.execute(query, execution_options={"yield_per": 10_000})
    return ((row[0], row[1]) for row in rows)


def linked(
    conn: Connection,
    link: Table,
    key: tuple[int, int],
    kind: int,
    targets: Iterable[int] = (0,),
    *,
    start: int = 0,
) -> set[int]:
    """The events of the prefix from a sequence on that are linked to some targets.

    `key` is the log and the basis.
    """
    return _found(conn, link, {"kind": (kind,), "target": targets}, key, start)


def targets(
    conn: Connection, link: Table, key: tuple[int, int], kind: int, *, several: bool
) -> set[int]:
    """What events of the prefix are linked to; `several` leaves what two or more are linked to."""
    query = (
        f"SELECT t.target FROM {link.fullname} t WHERE t.log_id = CAST(? AS bigint) "  # noqa: S608 - checked names
        "AND t.seq < CAST(? AS bigint) AND t.kind = CAST(? AS bigint) GROUP BY t.target"
    )
    more = " HAVING count(*) > 1" if several else ""
    return {row[0] for row in fetched(conn, f"{query}{more}", (*key, kind))}


def framed(conn: Connection, link: Table, key: tuple[int, int], start: int) -> set[int]:
    """The events of the frame from a sequence on; `key` is the log and the basis."""
    return _found(conn, link, {"kind": (FRAME,), "target": (0,)}, key, start)


def _found(
    conn: Connection,
    table: Table,
    columns: Mapping[str, Iterable[int]],
    key: tuple[int, int],
    start: int,
) -> set[int]:
    """The sequences of the rows with any of the values in each column, in `start` <= seq < basis.

    On SQLite the values are joined: it would read a table by its order rather than look many up.
    Where there are more values to look up than events, that is what it is to do.
    """
    given = {name: sorted(set(values)) for name, values in columns.items()}
    prefix = "t.log_id = CAST(? AS bigint) AND t.seq < CAST(? AS bigint) AND "
    prefix += "t.seq >= CAST(? AS bigint)"
    if conn.dialect.name == "sqlite" and math.prod(map(len, given.values())) > key[1]:
        # The plus keeps it from looking them up in the index after all.
        among = "".join(f" AND +t.{name} IN (SELECT value FROM json_each(?))" for name in given)  # noqa: S608 - checked names
        query = f"SELECT t.seq FROM {table.name} t WHERE {prefix}{among}"  # noqa: S608 - checked names
        values: list[Any] = [*key, start, *map(json.dumps, given.values())]
    elif conn.dialect.name == "sqlite":
        joined = "".join(f"json_each(?) {name} CROSS JOIN " for name in given)
        same = " AND ".join(f"t.{name} = {name}.value" for name in given)
        query = f"SELECT t.seq FROM {joined}{table.name} t WHERE {same} AND {prefix}"  # noqa: S608 - checked names
        values = [*map(json.dumps, given.values()), *key, start]
    else:
        among = " AND ".join(f"t.{name} = ANY(CAST(? AS bigint[]))" for name in given)
        query = f"SELECT t.seq FROM {table.fullname} t WHERE {among} AND {prefix}"  # noqa: S608 - checked names
        values = [*given.values(), *key, start]
    return {row[0] for row in fetched(conn, query, values)}
