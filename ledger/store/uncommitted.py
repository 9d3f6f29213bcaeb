"""What an open transaction has appended: from where on its log may still be rolled back.

Here lives one number for each log, kept with SQLAlchemy's transaction and gone with it. A savepoint
that is rolled back leaves it, so it may lie too early. Where a host ends transactions behind
SQLAlchemy's back it may lie too late: whoever keeps what was read compares leaves as well.
"""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, RootTransaction

from ledger.store.batch import Base
from ledger.store.held import Writer
from ledger.store.tables import Tables

_first: Final[WeakKeyDictionary[RootTransaction, dict[tuple[Tables, int], int]]] = (
    WeakKeyDictionary()
)


def note(conn: Writer, tables: Tables, base: Base) -> None:
    """Note where an append begins, in the transaction that it is part of."""
    if isinstance(conn, Connection) and (whole := conn.get_transaction()) is not None:
        _first.setdefault(whole, {}).setdefault((tables, base.log_id), base.size)


def has_appended(bind: Engine | Connection) -> bool:
    """Whether a host's open transaction has appended to a log, and may still roll it back."""
    whole = bind.get_transaction() if isinstance(bind, Connection) else None
    return whole is not None and whole in _first


def committed(conn: Connection, tables: Tables, log_id: int, size: int) -> int:
    """How many of the `size` events that a connection sees are committed.

    Example:
        >>> from sqlalchemy import create_engine
        >>> from ledger.store.layout import Layout
        >>> from ledger.store.tables import tables_for
        >>> with create_engine("sqlite://").connect() as conn:
        ...     committed(conn, tables_for(Layout()), 1, 7)
        7
    """
    whole = conn.get_transaction()
    return size if whole is None else min(size, _first.get(whole, {}).get((tables, log_id), size))
