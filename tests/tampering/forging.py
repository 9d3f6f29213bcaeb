"""What an administrator could do to a ledger: everything, with the guards out of the way.

Here live the hands of the attacker. Who notices what is in the tests.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from ledger.codec.canonical import canonical
from ledger.codec.entry import commitment
from ledger.merkle.hashing import leaf_hash
from ledger.store import guards, schema
from ledger.store.layout import Layout
from tests.drafts import salted

TABLES = ("ledger_log", "ledger_event", "ledger_stream")
DERIVED = ("ledger_node",)
"""What is made from the leaves, and made anew by whoever forges those."""


class Forger:
    """Somebody with every right on a database, who puts the guards back behind them."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    @contextlib.contextmanager
    def hands(self) -> Iterator[sa.Connection]:
        """A connection that nothing stands in the way of."""
        with self.engine.begin() as conn:
            if self.engine.dialect.name == "postgresql":
                for table in TABLES:
                    conn.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
                yield conn
                for name in guards.wanted("postgresql", Layout(), schema.REVISION):
                    table = "_".join(name.split("_")[:2])
                    conn.execute(sa.text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))
                return
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            made = conn.execute(sa.text(query)).all()
            for name, _ in made:
                conn.execute(sa.text(f"DROP TRIGGER {name}"))
            yield conn
            for _, sql in made:
                conn.exec_driver_sql(sql)

    def run(self, *statements: str, **values: Any) -> None:
        """Carry out SQL."""
        with self.hands() as conn:
            for sql in statements:
                used = {name: value for name, value in values.items() if f":{name}" in sql}
                conn.execute(sa.text(sql), used)

    def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with self.engine.connect() as conn:
            return [tuple(row) for row in conn.execute(sa.text(sql), values)]

    def rewrite(self, sequence: int, change: Callable[[dict[str, Any]], object]) -> None:
        """Change an entry, and make its hash and its columns anew."""
        ((text,),) = self.ask("SELECT entry FROM ledger_event WHERE seq = :seq", seq=sequence)
        entry = json.loads(text)
        change(entry)
        made = canonical(entry).decode()
        self.run(
            "UPDATE ledger_event SET entry = :entry, leaf_hash = :leaf, id = :id, type = :type, "
            "stream = :stream, stream_v = :stream_v WHERE seq = :seq",
            entry=made,
            leaf=leaf_hash(made.encode()),
            seq=sequence,
            **{name: entry[name] for name in ("id", "type", "stream", "stream_v")},
        )
        self.forget_tree()

    def resay(self, sequence: int, slot: str, said: dict[str, Any]) -> None:
        """Say something else in a slot, and make commitment, entry and hash anew."""
        made = salted(canonical(said))
        self.rewrite(sequence, lambda entry: entry["slots"].update({slot: commitment(made)}))
        self.run(f"UPDATE ledger_event SET slot_{slot} = :made WHERE seq = {sequence}", made=made)

    def cut(self, size: int) -> None:
        """Cut the end of the log off, with its heads and streams."""
        self.run(
            f"DELETE FROM ledger_event WHERE seq >= {size}",
            "UPDATE ledger_stream SET version = (SELECT max(e.stream_v) FROM ledger_event e "
            "WHERE e.stream = ledger_stream.stream) "
            "WHERE stream IN (SELECT stream FROM ledger_event)",
            "DELETE FROM ledger_stream WHERE stream NOT IN (SELECT stream FROM ledger_event)",
            f"UPDATE ledger_log SET size = {size}, known_at = "
            "(SELECT max(known_at) FROM ledger_event)",
        )
        self.forget_tree()

    def forget_tree(self) -> None:
        """Throw away what is derived from the leaves: it is made anew from the forged ones."""
        with self.engine.connect() as conn:
            there = sa.inspect(conn).get_table_names()
        for table in DERIVED:
            if table in there:
                self.run(f"DELETE FROM {table}")
