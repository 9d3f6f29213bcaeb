"""The built-in table of claims, for hosts' own SQL: narrow, with whole numbers for keys (store.md).

Here live the table and the statements that fill it. Which event does what to it is in
`ledger.projecting.claims`.

```
ledger_v1_claim   (log_id, seq, party) | proposition | uttered_latest | act stance | known_to
as-of index       (log_id, party, proposition, uttered_latest)
```

`party` and `proposition` are the sequences of the events that registered them; `party` is -1 where
the text names nobody, and a claim with several alternative claimants has a row for each. `seq` is
the claim's own sequence, so it is known from there on; `known_to` is the sequence of the first
event that withdrew, corrected, amended or erased it. `uttered_latest` is the last day, anywhere on
Earth, on which it can have been said by its own date; NULL where it has none.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TextClause,
    text,
)

from ledger.store.fetching import changed, is_psycopg
from ledger.store.filling import MANY, copy, fill
from ledger.store.layout import Layout
from ledger.store.riding import Riding

VERSION: Final = 1
NOBODY: Final = -1

ClaimRow: TypeAlias = tuple[int, int, int, dt.date | None, str, str]
"""A row of the table, without its log and its end, in the order of the columns."""


def claim_table(layout: Layout, build: int) -> Table:
    """The table of one build.

    Example:
        >>> claim_table(Layout(), 0).name, claim_table(Layout(), 2).name
        ('ledger_v1_claim', 'ledger_v1_claim_2')
    """
    name = layout.table(f"v{VERSION}_claim" + (f"_{build}" if build else ""))
    table = Table(
        name,
        MetaData(schema=layout.schema),
        Column("log_id", BigInteger, nullable=False, autoincrement=False),
        Column("seq", BigInteger, nullable=False, autoincrement=False),
        Column("party", BigInteger, nullable=False, autoincrement=False),
        Column("proposition", BigInteger, nullable=False),
        Column("uttered_latest", Date),
        Column("act", Text, nullable=False),
        Column("stance", Text, nullable=False),
        Column("known_to", BigInteger),
        PrimaryKeyConstraint("log_id", "seq", "party", name=f"{name}_pk"),
        sqlite_with_rowid=False,
    )
    Index(
        f"{name}_as_of",
        table.c.log_id,
        table.c.party,
        table.c.proposition,
        table.c.uttered_latest,
    )
    return table


_TEXT: Final = {
    "add_sqlite": """
INSERT INTO {table} (log_id, seq, party, proposition, uttered_latest, act, stance)
VALUES""",
    "add": """
INSERT INTO {table} (log_id, seq, party, proposition, uttered_latest, act, stance)
SELECT CAST(? AS bigint), x.* FROM unnest(
  CAST(? AS bigint[]), CAST(? AS bigint[]), CAST(? AS bigint[]),
  CAST(CAST(? AS text[]) AS date[]), CAST(? AS text[]), CAST(? AS text[])) AS x""",
    "add_one": """
INSERT INTO {table} (log_id, seq, party, proposition, uttered_latest, act, stance)
VALUES (CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint),
  CAST(CAST(? AS text) AS date), CAST(? AS text), CAST(? AS text))""",
    "end": """
UPDATE {table} SET known_to = :known_to
WHERE log_id = :log AND seq = :seq AND known_to IS NULL""",
    "remove": "DELETE FROM {table} WHERE log_id = :log AND seq = :seq",
}


@functools.cache
def _sql(name: str, table: str) -> TextClause:
    return text(_TEXT[name].format(table=table))


def add_claims(
    conn: Connection | Riding, table: Table, log_id: int, rows: Sequence[ClaimRow]
) -> None:
    """Add claims, many in one statement."""
    if not rows:
        return
    # A day as text: asyncpg takes the first and the last of all for minus and plus infinity.
    worded = [(s, p, q, u and u.isoformat(), a, t) for s, p, q, u, a, t in rows]
    if not isinstance(conn, Riding):
        if conn.dialect.name == "sqlite":
            into = _TEXT["add_sqlite"].format(table=table.name)
            fill(conn, into, f"({log_id:d}, ?, ?, ?, ?, ?, ?)", worded)
            return
        if len(rows) > MANY and is_psycopg(conn):
            copy(conn, table, [(log_id, *row) for row in rows])
            return
        if len(rows) == 1:
            # Arrays would cost driver and server as much again.
            changed(conn, _TEXT["add_one"].format(table=table.fullname), (log_id, *worded[0]))
            return
    columns = map(list, zip(*worded, strict=True))
    changed(conn, _TEXT["add"].format(table=table.fullname), (log_id, *columns))


def end_claims(
    conn: Connection, table: Table, log_id: int, ends: Iterable[tuple[int, int]]
) -> None:
    """Note of claims, by sequence, which event was the first to touch each; in the log's order.

    One by one: a table without statistics is joined by PostgreSQL row with row.
    """
    first: dict[int, int] = {}
    for seq, known_to in ends:
        first.setdefault(seq, known_to)
    given = [{"log": log_id, "seq": seq, "known_to": known_to} for seq, known_to in first.items()]
    if given:
        conn.execute(_sql("end", table.fullname), given)


def remove_claims(conn: Connection, table: Table, log_id: int, erased: Iterable[int]) -> None:
    """Remove claims whose content was erased."""
    given = [{"log": log_id, "seq": seq} for seq in erased]
    if given:
        conn.execute(_sql("remove", table.fullname), given)
