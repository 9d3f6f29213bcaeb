"""What is sent to the database, caught as it is sent, and how the database means to answer it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import psycopg
import sqlalchemy as sa
from sqlalchemy import Engine

from ledger.store import read
from ledger.store.arrays import takes_arrays

ASKS: Final = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
OURS: Final = "ledger_"
VERSION: Final = "ledger_alembic_version"
"""A table of one row, which is read through."""


def _hearing(keep: Callable[[str, Any], None]) -> type[psycopg.Cursor[Any]]:
    """Cursors of psycopg that tell what they carry out, whoever asked them to."""

    class Hearing(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            keep(query, tuple(params) if isinstance(params, list) else params)
            return super().execute(query, params, **how)

    return Hearing


@attrs.frozen
class Sent:
    """A statement and its parameters; SQLite's trace has put them into the text."""

    text: str
    parameters: Any = None


@contextlib.contextmanager
def caught(engine: Engine) -> Iterator[list[Sent]]:
    """`with caught(engine) as sent:` every statement on our tables, the drivers' own included."""
    sent: list[Sent] = []

    def keep(text: str, parameters: Any = None) -> None:
        if text.lstrip().startswith(ASKS) and OURS in text and VERSION not in text:
            sent.append(Sent(text, parameters))

    def lent(connection, _record, _proxy):
        if engine.dialect.name == "sqlite":
            connection.set_trace_callback(keep)
        else:
            connection.cursor_factory = _hearing(keep)

    def given_back(connection, _record):
        if engine.dialect.name == "sqlite":
            connection.set_trace_callback(None)
        elif connection is not None:
            connection.cursor_factory = psycopg.Cursor

    listeners: list[tuple[str, Callable[..., Any]]]
    listeners = [("checkout", lent), ("checkin", given_back)]
    for name, listener in listeners:
        sa.event.listen(engine, name, listener)
    try:
        yield sent
    finally:
        for name, listener in listeners:
            sa.event.remove(engine, name, listener)


def faults(engine: Engine, sent: Sent) -> list[str]:
    """What is wrong with the plan of a statement: one of our tables read through, or a sort.

    PostgreSQL may sort a page that it found by the index in the order of the disk.
    """
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent.text}").all()
            return [detail for *_, detail in plan if _is_fault_on_sqlite(detail)]
        takes_arrays(conn)
        explain = f"EXPLAIN (FORMAT JSON) {sent.text}"
        found = conn.exec_driver_sql(explain, sent.parameters).scalar_one()
        plans = json.loads(found) if isinstance(found, str) else found
        return list(_faults_on_postgres(plans[0]["Plan"]))


def _is_fault_on_sqlite(detail: str) -> bool:
    return detail.startswith(f"SCAN {OURS}") or "TEMP B-TREE" in detail


def _faults_on_postgres(node: dict[str, Any]) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    sorts_more_than_a_page = "Sort" in kind and node["Plan Rows"] > read.PAGE
    if sorts_more_than_a_page or (kind == "Seq Scan" and table.startswith(OURS)):
        yield f"{kind} {table}".strip()
    for child in node.get("Plans", ()):
        yield from _faults_on_postgres(child)


def read_through(engine: Engine) -> int:
    """How many rows PostgreSQL has read from our tables in sequential scans since they were made.

    What triggers and plans kept by a connection do is in it too.
    """
    with engine.connect() as conn:
        conn.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    with engine.connect() as conn:
        return conn.scalar(
            sa.text(
                "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables "
                "WHERE relname LIKE 'ledger\\_%'"
            )
        )
