"""When the tree above the leaves is kept: before it is asked, and now and then as the log grows.

What is kept saves reading leaves again, and no answer depends on it. It is written in transactions
of its own, outside of any append and of any host's transaction; where that is not allowed, as to a
reader or on a host's connection, nothing is kept and what is missing is computed each time.
"""

from __future__ import annotations

import contextlib
from typing import Final

from sqlalchemy import Engine

from ledger.errors import StoreError
from ledger.folding import Folded
from ledger.merkle.tiles import HEIGHT
from ledger.store import read, tree
from ledger.store.transaction import writing

WORTH: Final = 4
"""With fewer whole tiles than so many to keep, computing them is quicker than to write them."""

_AT_ONCE: Final = 1 << 18
"""For so many leaves a transaction, of a third of a second, in which nobody else writes."""

_STRIDE: Final = 1 << 16
"""Each time that a log grows past a multiple of it, its tree is kept without being asked for."""


def keep(folded: Folded) -> None:
    """Keep what is missing, where it is worth it and where it may be written."""
    if not isinstance(folded.host, Engine):
        return
    with folded.connected() as conn:
        head = read.head(conn, folded.tables, folded.origin)
        if head is None or head.size >> HEIGHT < WORTH:
            return
        start = tree.kept(conn, folded.tables, head.log_id)
    if (head.size >> HEIGHT) - start < WORTH:
        return
    with contextlib.suppress(StoreError):
        for size in (*range((start << HEIGHT) + _AT_ONCE, head.size, _AT_ONCE), head.size):
            with writing(folded.host) as conn:
                tree.keep(conn, folded.tables, head.log_id, size)


def grown(folded: Folded, before: int, after: int) -> None:
    """Keep the tree of a log that has grown between these sizes, now and then."""
    if before // _STRIDE != after // _STRIDE:
        keep(folded)
