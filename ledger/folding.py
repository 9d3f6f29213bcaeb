"""The log, folded and kept in memory: caught up before every use, mended where it is another.

Every question is answered from `Facts`. A `Fold` keeps those at the head of one log of an engine,
and a few of earlier sizes; all ledgers on that engine share it, so that one made for a request
reads only what is new. Others append, a host may roll back what was folded already, and a file may
be replaced by its backup: the last event known here is compared with the stored one, by its leaf
hash, and events are taken back as far as the two differ.

```
reading(bind)  ->  fold.lock      always in this order, and nothing that waits for another writer
                                  happens inside the lock
```
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.codec.envelope import opened
from ledger.errors import InvalidView, LedgerError
from ledger.model.events import ContentErased, StoredEvent
from ledger.projections.effective import TAKEN_BACK, Facts
from ledger.store import read, schema
from ledger.store.append import Head
from ledger.store.binds import Bind, Host, engine_or_connection, refuse_options
from ledger.store.collector import collector_paused
from ledger.store.held import Held
from ledger.store.layout import Layout
from ledger.store.tables import Tables, tables_for
from ledger.store.transaction import asking, reading, watch_savepoints
from ledger.store.turns import Lock, lock_for
from ledger.store.uncommitted import committed

T = TypeVar("T")

_KEPT: Final = 4
_GLANCE: Final = 100


class Layer(Protocol):
    """A unit of work that may lie on top."""

    @property
    def entries(self) -> Sized:
        """What was entered, in order; it grows at its end."""

    def provisional(
        self, entry: int, first: int, known: dt.datetime | None
    ) -> Iterable[StoredEvent]:
        """The events from an entry on, as they would stand behind a log that ends so."""


class Fold:
    """The facts of one log at its head and at a few earlier sizes; hold `lock` while using them.

    On top there may lie events that are not stored yet, those of one unit of work (`lay`). `begun`
    gives the facts of an empty log, of which the last `back` events can be taken back.
    `fetches` tells that the facts ask the database for what they miss.
    """

    fetches = False

    def __init__(
        self,
        tables: Tables,
        origin: str,
        lock: Lock,
        *,
        begun: Callable[[], Facts] = Facts,
        back: int = TAKEN_BACK,
    ) -> None:
        self.tables, self.origin, self.lock = tables, origin, lock
        self.checked = False
        self.firm = True  # nobody can roll back what is folded
        self.kept: object = None  # what `ledger.narrowing` keeps of the log
        self.beside: object = None  # the same for whoever sees less of the log, or another one
        self.unfolded: object = None  # the way to enter without folding it
        self.facts = begun()
        self._begun = begun
        self._log: int | None = None
        self._leaves: deque[bytes] = deque(maxlen=max(back, 1))
        self._back = back
        self._past: OrderedDict[int, Facts] = OrderedDict()
        self._owner: object = None
        self._laid = self._entries = 0

    # -- what is stored ---------------------------------------------------------------------

    def head(self) -> Head | None:
        """Where the log stands as far as it is folded; None where it was never read."""
        self._lift()
        if self._log is None or (self.facts.size and not self._leaves):
            return None
        return Head(
            log_id=self._log,
            size=self.facts.size,
            known_at=self.facts.last_recorded,
            leaf=self._leaves[-1] if self.facts.size else b"",
        )

    @property
    def number(self) -> int | None:
        """The number of the log in its database, None where it was never read."""
        return self._log

    def at_head(self, conn: Connection) -> Facts:
        """The facts at the log's last event."""
        self._lift()
        if not self.facts.size:  # an empty log may be one that a host has rolled back since
            self._log = self.log_id(conn)
        if self._log is not None and not self._follow(conn, self._log):
            self._step_back(conn, self._log)
            self._log = self.log_id(conn)
            if self._log is not None:
                self._follow(conn, self._log)
        size = self.facts.size
        self.firm = not size or committed(conn, self.tables, self._log or 0, size) == size
        return self.facts

    def log_id(self, conn: Connection) -> int | None:
        """The number of the log in this database, None before its first event."""
        head = read.head(conn, self.tables, self.origin)
        return None if head is None else head.log_id

    def _follow(self, conn: Connection, log: int) -> bool:
        """Fold what is new; False where the log is not the one folded so far."""
        rows = read.rows(conn, self.tables, log, after=self.facts.size - 2)
        if self.facts.size:
            last = next(rows, None)
            if (
                last is None
                or last.seq != self.facts.size - 1
                or not self._leaves
                or last.leaf_hash != self._leaves[-1]
            ):
                return False
        with collector_paused():
            for row in rows:
                self._apply(opened(row))
                self._leaves.append(row.leaf_hash)
        return True

    def _apply(self, event: StoredEvent) -> None:
        """Fold the next stored event; what an erasure names is let go of wherever it is kept."""
        self.facts.apply(event)
        if isinstance(event.event, ContentErased):
            self._past.clear()

    def _step_back(self, conn: Connection, log: int) -> None:
        """Take back what the stored log does not hold; fold anew where too little is left."""
        many = min(_GLANCE, self._back)
        while True:
            start = self.facts.size - min(many, len(self._leaves))
            here = list(self._leaves)[start - self.facts.size :] if start < self.facts.size else []
            there = read.leaf_hashes(conn, self.tables, log, start, self.facts.size)
            common = sum(1 for _ in _while_same(here, there))
            if common or many >= self._back:
                break
            many = self._back
        erased = any(
            isinstance(self.facts.stored[id_].event, ContentErased)
            for id_ in self.facts.at[start + common - self.facts.size :]
        )
        # What was read beside an erasure that is no longer there was empty then.
        if not common or start + common < self.facts.floor or erased:
            self.forget()
            return
        for _ in self.facts.take_back(self.facts.size - start - common):
            self._leaves.pop()
        for size in [size for size in self._past if size > self.facts.size]:
            del self._past[size]

    def forget(self) -> None:
        """Begin anew; the next question folds the whole log."""
        self.facts, self._log = self._begun(), None
        self._owner, self._laid, self._entries = None, 0, 0
        self._leaves.clear()
        self._past.clear()

    def take(self, head: Head, events: Iterable[StoredEvent], leaves: Sequence[bytes]) -> None:
        """Fold what was appended behind a head, without reading it back."""
        if self.head() != head:
            return  # somebody followed the log meanwhile, and has read it or will
        for event in events:
            self._apply(event)
        self._leaves.extend(leaves)

    def at(self, conn: Connection, size: int) -> Facts:
        """The facts of the first `size` events."""
        facts = self.at_head(conn)
        if facts.size == size:
            return facts
        if facts.size < size:
            raise InvalidView(
                f"The view is of {size} events, and the log holds {facts.size}: a transaction was "
                "rolled back since. Ask for a new view with ledger.as_of(...).",
                field="basis",
                given=size,
            )
        if size not in self._past:
            log = self._log if self._log is not None else -1
            rows = read.rows(conn, self.tables, log, until=size) if size else ()
            with collector_paused():
                self._past[size] = Facts().extend(map(opened, rows))
            while len(self._past) > _KEPT:
                self._past.popitem(last=False)
        self._past.move_to_end(size)
        self._past[size].erasures = facts.erasures  # the later ones reach it too
        return self._past[size]

    # -- what is not stored yet -------------------------------------------------------------

    def lay(self, unit: Layer) -> Facts:
        """Put the events of a unit of work on top, from the first entry that is not there yet."""
        if not self.laid(unit):
            self._lift()
        self._owner = unit
        try:
            for event in unit.provisional(self._entries, self.facts.size, self.facts.last_recorded):
                self.facts.apply(event)
                self._laid += 1
        except BaseException:
            self.forget()  # nobody can tell how much of it is there
            raise
        self._entries = len(unit.entries)
        return self.facts

    def laid(self, unit: Layer) -> bool:
        """Whether the events of this unit are on top."""
        return self._owner is unit

    def goes_on(self, conn: Connection, unit: Layer) -> bool:  # noqa: ARG002 - see `fetches`
        """Whether a unit can go on where it is, without a look at the log."""
        return False

    def _lift(self) -> None:
        if self._laid > TAKEN_BACK or self.facts.size - self._laid < self.facts.floor:
            self.forget()
        self.facts.take_back(self._laid)
        self._laid = 0
        self._owner, self._entries = None, 0


def _while_same(here: Iterable[bytes], there: Iterable[bytes]) -> Iterator[bytes]:
    for one, other in zip(here, there, strict=False):
        if one != other:
            return
        yield one


_folds: Final = weakref.WeakKeyDictionary[Dialect, dict[tuple[Layout, str], Fold]]()
_finding: Final = threading.Lock()


def fold_of(bind: Bind, layout: Layout, origin: str) -> Fold:
    """The one fold of a log for all ledgers on an engine, its connections and its sessions."""
    # An engine with other execution options, or after dispose(), still has its one dialect.
    with _finding:
        watch_savepoints(bind)
        folds = _folds.setdefault(bind.dialect, {})
        fold = folds.get((layout, origin))
        if fold is None:
            fold = folds[layout, origin] = Fold(tables_for(layout), origin, lock_for(bind))
        return fold


class Folded:
    """A ledger's way to its database and to the fold of its log."""

    def __init__(
        self, host: Host, layout: Layout, origin: str, *, fold: Fold | None = None
    ) -> None:
        self.host = host
        self.layout = layout
        self.origin = origin
        self.before_reading: Callable[[], object] | None = None
        self._fold, self._checked = fold, False
        self._by: Folded | None = None
        self._bind = host if isinstance(host, Engine | Connection) else None
        if self._bind is not None:
            refuse_options(self._bind, layout)
            watch_savepoints(self._bind)

    @functools.cached_property
    def tables(self) -> Tables:
        """The tables, drawn when they are first asked for: opening a file needs none."""
        return tables_for(self.layout)

    @property
    def checked(self) -> bool:
        """Whether the tables were seen to be ours."""
        return self._checked or self.fold.checked

    @property
    def bind(self) -> Bind:
        """The Engine or the Connection to work with now."""
        bind = self._bind or engine_or_connection(self.host)
        if bind is not self._bind or isinstance(bind, Connection):  # whose options may be set late
            refuse_options(bind, self.layout)
        return bind

    @property
    def fold(self) -> Fold:
        """The fold that is shared with every other ledger on the engine."""
        if self._fold is not None:
            return self._fold
        found = fold_of(self.bind, self.layout, self.origin)
        if self._bind is not None:  # a Session may come to stand on another engine
            self._fold = found
        return found

    def by(self, fold: Fold) -> Folded:
        """The same way to the database, and to another fold of its log."""
        if self._by is None or self._by.fold is not fold:
            self._by = Folded(self.host, self.layout, self.origin, fold=fold)
            self._by._checked = self.checked  # noqa: SLF001 - its own
        return self._by

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to ask questions with; what a Session's unit of work holds is written first.

        On first use it is made sure that the tables are ours.
        """
        if self.before_reading is not None:
            self.before_reading()
        return self.connected()

    @contextlib.contextmanager
    def connected(self) -> Iterator[Connection]:
        """The same without writing anything."""
        with reading(self.bind) as conn:
            if not self.checked:
                schema.check(conn, self.layout)
                # A host may still roll back the transaction in which it made the tables.
                self._checked, self.fold.checked = True, isinstance(self.host, Engine)
            yield conn

    def at_once(self, ask: Callable[[Held], T]) -> T | None:
        """What is asked by single statements; None where it is to be asked in a transaction.

        There it is told what was wrong, but for a pool that is exhausted: to ask again would be to
        wait as long again.

        Raises:
            StoreError: no connection became free in time.
        """
        host = self.host
        found = asking(host) if isinstance(host, Engine) and self.checked else None
        if found is None:
            return None
        try:
            with found as conn:
                return ask(conn)
        except LedgerError as error:
            if isinstance(error.__cause__, PoolTimeout):
                raise
            return None

    @contextlib.contextmanager
    def facts(self) -> Iterator[Facts]:
        """The facts at the log's last event, for as long as they are used."""
        with self.reading() as conn, self.fold.lock:
            yield self.fold.at_head(conn)

    @contextlib.contextmanager
    def facts_at(self, size: int) -> Iterator[Facts]:
        """The facts of the first `size` events, for as long as they are used."""
        with self.reading() as conn, self.fold.lock:
            yield self.fold.at(conn, size)

    def log_id(self, conn: Connection) -> int | None:
        """The number of the log in this database, None before its first event."""
        return self.fold.log_id(conn)
