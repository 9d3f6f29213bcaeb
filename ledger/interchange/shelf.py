"""Where an import keeps the records that it does not hold: ids on disk, events in the log itself.

Here lives what `ledger.projections.slim` asks of a shelf. Ids go into a private SQLite database,
which the system keeps in a file once it is large and removes with the connection.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Self

from sqlalchemy import Connection

from ledger.codec.envelope import opened
from ledger.folding import Fold, Folded
from ledger.model.events import StoredEvent
from ledger.projections.effective import Facts
from ledger.projections.slim import Slim
from ledger.store import read
from ledger.store.turns import lock_for

_WAITING: Final = 2_000
"""How many ids are held before they are written."""

_LENT: Final = 16_000_000
"""How many characters of events are held that were asked for: of a document, by each claim."""

_OF_AN_EVENT: Final = 1_000
"""What is counted for an event beside the text of a document."""

_NEAR: Final = 10_000

_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE key (kind text, key text, id text, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE act (utterance text, id text, PRIMARY KEY (utterance, id)) WITHOUT ROWID;
"""


class Ids:
    """A shelf; `lend` gives an event of the log by its id."""

    def __init__(self, lend: Callable[[str], StoredEvent | None]) -> None:
        self._lend = lend
        self._lent: OrderedDict[str, StoredEvent] = OrderedDict()
        self._held = 0
        self._waiting: dict[tuple[str, str], str] = {}
        self._acts: list[tuple[str, str]] = []
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def clear(self) -> None:
        """Forget everything."""
        self._lent.clear()
        self._held = 0
        self._waiting.clear()
        self._acts.clear()
        self._db.executescript("DELETE FROM key; DELETE FROM act")

    def put(self, kind: str, key: str, id_: str) -> None:
        """Keep a record's id; what was there before under that kind and key is replaced."""
        self._waiting[kind, key] = id_
        if len(self._waiting) >= _WAITING:
            rows = ((kind, key, id_) for (kind, key), id_ in self._waiting.items())
            self._written("INSERT OR REPLACE INTO key VALUES (?, ?, ?)", rows)
            self._waiting.clear()

    def id_of(self, kind: str, key: str) -> str | None:
        """The id that was put there last."""
        held = self._waiting.get((kind, key))
        if held is not None:
            return held
        row = self._db.execute(
            "SELECT id FROM key WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return None if row is None else str(row[0])

    def keys(self, kind: str) -> Iterator[str]:
        """Keys of a kind, not more than ten thousand."""
        yield from (key for known, key in self._waiting if known == kind)
        rows = self._db.execute("SELECT key FROM key WHERE kind = ? LIMIT ?", (kind, _NEAR))
        yield from (key for (key,) in rows)

    def add_act(self, utterance: str, id_: str) -> None:
        """Keep that an act is of an utterance."""
        self._acts.append((utterance, id_))
        if len(self._acts) >= _WAITING:
            self._write_acts()

    def acts_of(self, utterance: str) -> tuple[str, ...]:
        """The acts that were added to an utterance."""
        if self._acts:
            self._write_acts()
        rows = self._db.execute("SELECT id FROM act WHERE utterance = ?", (utterance,))
        return tuple(id_ for (id_,) in rows)

    def event(self, id_: str, before: int) -> StoredEvent | None:
        """A stored event whose sequence is before a size, from the log."""
        if id_ in self._lent:
            self._lent.move_to_end(id_)
            return self._lent[id_]
        found = self._lend(id_)
        if found is None or found.sequence >= before:
            return None
        self.hold(found)
        return found

    def hold(self, stored: StoredEvent) -> None:
        """Hold an event for a while, since it will be asked for soon."""
        self.let_go(stored.id)
        self._lent[stored.id] = stored
        self._held += _weight(stored)
        while self._held > _LENT:
            self._held -= _weight(self._lent.popitem(last=False)[1])

    def let_go(self, id_: str) -> None:
        """Hold an event no longer."""
        gone = self._lent.pop(id_, None)
        self._held -= _weight(gone) if gone else 0

    def _write_acts(self) -> None:
        self._written("INSERT OR IGNORE INTO act VALUES (?, ?)", iter(self._acts))
        self._acts.clear()

    def _written(self, statement: str, rows: Iterator[tuple[str, ...]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")


class _Lending(Fold):
    """A fold that knows the connection it was last brought to the head with."""

    conn: Connection | None = None

    def at_head(self, conn: Connection) -> Facts:
        self.conn = conn
        return super().at_head(conn)

    @contextlib.contextmanager
    def connected(self, folded: Folded) -> Iterator[Connection]:
        """That connection while it is open: a host's pool may hold no other one."""
        if self.conn is not None and not self.conn.closed:
            yield self.conn
            return
        with folded.connected() as conn:
            yield conn


def _weight(stored: StoredEvent) -> int:
    return _OF_AN_EVENT + len(getattr(stored.event, "text", None) or "")


@contextlib.contextmanager
def without_claims(folded: Folded) -> Iterator[Folded]:
    """The same way to the same log, with a fold that holds no claims and no documents."""

    def lend(id_: str) -> StoredEvent | None:
        log = fold.number
        if log is None:
            return None
        with fold.connected(folded) as conn:
            row = read.row_by_id(conn, folded.tables, log, id_)
        return None if row is None else opened(row)

    def begun() -> Facts:
        ids.clear()
        return Slim(ids)

    with Ids(lend) as ids:
        lock = lock_for(folded.bind)
        fold = _Lending(folded.tables, folded.origin, lock, begun=begun, back=0)
        yield Folded(folded.host, folded.layout, folded.origin, fold=fold)
