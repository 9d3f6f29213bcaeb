"""The tree above the leaves is kept before it is asked, and now and then as the log grows.

What is kept saves reading leaves again, and no answer depends on it. It is written in transactions
of its own, outside of any append and of any host's transaction; where that is not allowed, as to a
reader or on a host's connection, nothing is kept and what is missing is computed each time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Engine

from ledger.errors import StoreError
from ledger.folding import Folded
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tiles import HEIGHT
from ledger.proving.proof import Trunk
from ledger.store import tree
from ledger.store.transaction import writing

WORTH: Final = 4
"""With fewer whole tiles than so many to keep, computing them is quicker than to write them."""

_AT_ONCE: Final = 1 << 18
"""For so many leaves a transaction, of a third of a second, in which nobody else writes."""


@contextlib.contextmanager
def trunk(folded: Folded, given: Checkpoint | None = None) -> Iterator[Trunk]:
    """The log up to a checkpoint of it, or to its end, with its tree kept.

    Raises:
        InconsistentCheckpoint: the checkpoint is of another log, or counts more.
        RootMismatch: the log is not the one that the checkpoint speaks of.
    """
    with folded.reading() as conn:
        held = Trunk.of(conn, folded)
        if not _is_behind(held):
            yield held.upto(given)
            return
    keep(folded)
    with folded.reading() as conn:
        yield Trunk.of(conn, folded).upto(given)


def keep(folded: Folded) -> None:
    """Keep what is missing, where it is worth it and where it may be written."""
    with folded.connected() as conn:
        held = Trunk.of(conn, folded)
        if not _is_behind(held):
            return
        start = tree.kept(conn, folded.tables, held.log_id)
    size = held.tree.size
    with contextlib.suppress(StoreError):
        for stop in (*range((start << HEIGHT) + _AT_ONCE, size, _AT_ONCE), size):
            with writing(folded.bind) as conn:
                tree.keep(conn, folded.tables, held.log_id, stop)


def _is_behind(held: Trunk) -> bool:
    tiles = held.tree.size >> HEIGHT
    if tiles < WORTH or not isinstance(held.folded.host, Engine):
        return False
    return tiles - tree.kept(held.conn, held.folded.tables, held.log_id) >= WORTH
