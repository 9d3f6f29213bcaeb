"""The projections of a ledger: registered, run, rebuilt, looked at and mended.

Here lives what a host types. The loop is in `running`, appends in `inlining`, builds in `building`,
who may move one in `owning`, the comparison in `checking`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table

from ledger.errors import InvalidProjection, LedgerError, ProjectionFailed, ViewMismatch
from ledger.folding import Folded
from ledger.model.events import StoredEvent
from ledger.projecting import checking, mending
from ledger.projecting.checking import Checked
from ledger.projecting.conducting import begun, begun_anew, conduct
from ledger.projecting.inlining import LIMIT, Inline, Memories
from ledger.projecting.looking import ProjectionStatus, Served, serving, statuses
from ledger.projecting.projection import Mode, Projection
from ledger.projecting.registry import (
    Clock,
    Entry,
    Factory,
    Outcome,
    Registry,
    Site,
    entry_of,
)
from ledger.projecting.running import BATCH, Orders, Progress, Wait
from ledger.projecting.stopping import event_of
from ledger.projecting.waking import news
from ledger.store import cursors
from ledger.store.cursors import Build, Parked
from ledger.store.follow import Stop
from ledger.store.riding import Riding

_LOG: Final = logging.getLogger(__name__)
_PATIENCE: Final = dt.timedelta(seconds=30)


class Projections:
    """The projections of one ledger, `ledger.projections`.

    Nothing is read or written before the first append, run or question. `patience` is how many
    seconds an owner that gives no sign counts as alive on SQLite.

    Example:
        >>> from ledger import Ledger
        >>> from ledger.projecting import claims
        >>> with Ledger.open(":memory:") as ledger:
        ...     ledger.projections.add(claims(ledger.layout))
        ...     ledger.projections.status()
        ()
    """

    def __init__(self, folded: Folded, clock: Clock, *, patience: dt.timedelta = _PATIENCE) -> None:
        self._site = Site(folded=folded, clock=clock, patience=patience)
        self._registry = Registry()
        self._hints: dict[tuple[int, str, int], int] = {}
        self._behind: deque[Entry] = deque()  # threads put into it and take out of it

    # -- registering ------------------------------------------------------------------------

    def add(
        self, projection: Projection | Factory, *, mode: Mode = "inline", replace: bool = False
    ) -> None:
        """Register a projection, or a function of a build's number that makes it.

        "inline": its rows change in each append's transaction. "deferred": a run changes them.
        Register a function, with the build's number in its tables' names, to rebuild beside the
        build in use. `replace=True` replaces one of the same name and version.

        Raises:
            InvalidProjection: no projection, effects (`on_live`) inline, or the name and version
                of another one.
        """
        self._registry.add(entry_of(projection, mode), replace=replace)

    def together(self, folded: Folded, others: Iterable[Projections]) -> Projections:
        """These and those of other ledgers over the same log, in a transaction that they share."""
        joint = Projections(folded, self._site.clock, patience=self._site.patience)
        joint._hints = self._hints
        for one in (self, *others):
            joint._registry.take_over(one._registry)  # noqa: SLF001 - of our own kind
        return joint

    # -- in an append -----------------------------------------------------------------------

    @property
    def has_inline(self) -> bool:
        """Whether an append has anything to do here."""
        return bool(self._registry.inline)

    def inline(
        self,
        conn: Connection,
        log_id: int,
        events: Sequence[StoredEvent],
        sequence_of: Callable[[str], int | None] | None,
        memories: Memories,
    ) -> None:
        """Bring the inline projections forward, in the append's transaction, after its rows.

        More than 1,000 events are left to a run: sorted and in large batches they cost less.
        `memories` is what they kept from the append that this one is known to follow.

        Raises:
            ProjectionFailed: a projection cannot take an event, so the append is to be refused.
        """
        if not events or len(events) > LIMIT:
            return
        append = Inline(self._site, conn, log_id, events, sequence_of, self._hints, memories)
        for entry in self._registry.inline:
            if not append.take(entry):
                self._behind.append(entry)

    def riding(
        self,
        log_id: int,
        events: Callable[[], Sequence[StoredEvent]],
        sequence_of: Callable[[str], int | None] | None,
        memories: Memories,
    ) -> tuple[Riding, Memories] | None:
        """What `inline` would write, to go with the append's statement, and what it would keep.

        None where it must be found out in the append's transaction.
        """
        entries, bind = self._registry.inline, self._site.bind
        if bind.dialect.name != "postgresql" or not all(one.of(0).rides for one in entries):
            return None
        riding, kept = Riding(bind.engine, self._site.reading), {**memories}
        append = Inline(self._site, riding, log_id, events(), sequence_of, self._hints, kept)
        return (riding, kept) if append.rides(entries) else None

    def settle(self) -> None:
        """After an append: catch up what it found left behind. Nothing is raised: it stands.

        A host's own transaction is not made longer by that: there a run, or `ready`, does it.
        """
        behind: dict[tuple[str, int], Entry] = {}
        while self._behind:
            with contextlib.suppress(IndexError):  # another thread has taken the last one
                entry = self._behind.popleft()
                behind[entry.name, entry.version] = entry
        for entry in behind.values():
            if isinstance(self._site.bind, Connection):
                continue
            try:
                conduct(self._site, entry, begun(self._site, entry), Orders())
            except LedgerError as error:
                _LOG.warning("The inline projection %s is behind: %s", entry.name, error)

    def ready(self, name: str | None = None) -> None:
        """Catch up inline projections, before a read that needs them.

        Raises:
            ProjectionFailed: one waits for an event that it cannot take.
            UnknownProjection: nothing of that name is registered here.
        """
        if name is not None:
            self._registry.find(name)
        for entry in self._registry.inline:
            if name in (None, entry.name):
                outcome = self.run(entry.name, version=entry.version)
                if outcome.status == "failing":
                    raise ProjectionFailed(
                        f"The projection {entry.name} waits at sequence {outcome.position} for an "
                        "event that it cannot take. Type: "
                        f"ledger.projections.parked({entry.name!r})",
                        projection=entry.name,
                        sequence=outcome.position,
                    )

    # -- running ----------------------------------------------------------------------------

    def run(
        self,
        name: str,
        *,
        version: int | None = None,
        until: int | None = None,
        batch: int = BATCH,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Catch a projection up with the log once (or with its first `until` events).

        `stop` (an event, or a function that returns True) stops it after a batch; the next run goes
        on from there.

        Raises:
            UnknownProjection: no such projection is registered.
            InvalidProjection: a table of it is gone, or `initial()` gives no plain JSON.
            StoreError: the database refused; what was committed stands.
        """
        entry = self._found(name, version)
        orders = Orders(until=until, batch=batch, progress=progress, stop=event_of(stop))
        return conduct(self._site, entry, begun(self._site, entry), orders)

    def follow(
        self,
        name: str,
        *,
        version: int | None = None,
        stop: Stop | None = None,
        batch: int = BATCH,
        progress: Progress | None = None,
        wait: Wait | None = None,
        poll: float = 1.0,
    ) -> Outcome:
        """Keep a projection up with the log until `stop` is set (or true), or it fails for good.

        If another process runs it, this one waits to take over. A commit in any process wakes it;
        it also looks every `poll` seconds. `wait(seconds)` replaces the waiting: it may return as
        soon as there is news.

        Raises:
            InvalidProjection: the ledger is bound to a Connection, which only its host can commit.
        """
        if isinstance(self._site.bind, Connection):
            raise InvalidProjection(
                "A ledger bound to a Connection cannot follow: only its host commits. Use "
                "Ledger(engine), or run() inside the host's transaction.",
                field="bind",
            )
        entry = self._registry.find(name, version)
        stopped = event_of(stop)
        with contextlib.nullcontext(wait) if wait else news(self._site, stopped) as waits:
            orders = Orders(batch=batch, progress=progress, stop=stopped, wait=waits, poll=poll)
            while True:
                at = begun(self._site, entry)
                outcome = conduct(self._site, entry, at, orders)
                if stopped.is_set() or outcome.status == "failing":
                    return outcome
                # Where another runs it: to ask at each commit would be a commit, and wake others.
                (waits if at is None else stopped.wait)(poll)

    def rebuild(
        self,
        name: str,
        *,
        version: int | None = None,
        in_place: bool = False,
        batch: int = BATCH,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> Outcome:
        """Build a projection anew beside the build in use, then switch to it in one transaction.

        Call it again to continue one that was stopped or killed. A new version is built in the same
        way. `in_place` empties the tables first, for a projection whose tables have fixed names:
        readers see it half full meanwhile.

        Raises:
            InvalidProjection: its tables have fixed names, and `in_place` was not given.
        """
        entry = self._found(name, version)
        orders = Orders(batch=batch, progress=progress, stop=event_of(stop), switch=True)
        return conduct(self._site, entry, begun_anew(self._site, entry, in_place=in_place), orders)

    def _found(self, name: str, version: int | None) -> Entry:
        """A registered projection, once a Session's pending entries are written."""
        self._site.flush()
        return self._registry.find(name, version)

    # -- looking ----------------------------------------------------------------------------

    def status(self) -> tuple[ProjectionStatus, ...]:
        """The state of every build of every projection of this log."""
        self._site.flush()
        return statuses(self._site, self._registry)

    def served(self, name: str, conn: Connection | None = None) -> Served:
        """The build in use; with `conn`, in the transaction that will read it.

        Raises:
            UnknownProjection: it is not registered, or none of its builds is complete.
        """
        self._site.flush()
        return serving(self._site, self._registry, name, conn)

    def served_tables(self) -> tuple[Table, ...]:
        """The tables of every projection that is served and registered here."""
        registered = {(one.name, one.version): one for one in self._registry.all()}
        return tuple(
            table
            for key in self._served().values()
            if (key.name, key.version) in registered
            for table in registered[key.name, key.version].of(key.build).tables
        )

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[tuple[Connection, Served]]:
        """A connection and the build in use, in one transaction.

        Raises:
            UnknownProjection: it is not registered, or none of its builds is complete.
        """
        self._site.flush()
        with self._site.reading() as conn:
            yield conn, serving(self._site, self._registry, name, conn)

    def state(self, name: str) -> Any:
        """The state of a projection that keeps one, None before its first event.

        Raises:
            UnknownProjection: it is not registered, or none of its builds is complete.
        """
        return self.served(name).state

    def check(self, name: str) -> Checked:
        """Compare the build in use with a replay of the log, row by row; nothing is changed.

        The replay is made in a transaction that is rolled back; on SQLite other writers wait.

        Raises:
            ProjectionFailed: it cannot take an event, in the replay or before an unread erasure.
            UnknownProjection: it is not registered, or none of its builds is complete.
        """
        found = self.served(name)
        entry = self._registry.find(name, found.version)
        return checking.check(self._site, entry, found.build)

    def check_all(self, *, registered: bool = False) -> tuple[Checked, ...]:
        """Compare everything that is served with a fresh replay, as `check` does.

        With `registered` what is served and not registered here is left out.

        Raises:
            UnknownProjection: one is served here and not registered, so nobody can replay it.
            ViewMismatch: the first row of a table that is not as a replay makes it.
        """
        found = []
        known = {entry.name for entry in self._registry.all()}
        self._site.flush()
        for name in sorted(self._served()):
            if registered and name not in known:
                continue
            checked = self.check(name)
            if not checked.ok:
                about = "" if checked.sequence is None else f" at sequence {checked.sequence}"
                raise ViewMismatch(
                    f"The view {name} v{checked.version} was changed{about}: "
                    f"{checked.difference}. The log itself is in order; type: "
                    f"ledger.projections.rebuild({name!r})",
                    sequence=checked.sequence,
                )
            found.append(checked)
        return tuple(found)

    def _served(self) -> dict[str, Build]:
        """The build of each projection that is in use."""
        with self._site.reading() as conn:
            log_id = self._site.log_id(conn)
            return {} if log_id is None else cursors.served(conn, self._site.tables, log_id)

    # -- mending ----------------------------------------------------------------------------

    def parked(self, name: str) -> tuple[Parked, ...]:
        """The events that a projection could not take, with reasons, by sequence."""
        self._site.flush()
        with self._site.reading() as conn:
            at = mending.at_work(self._site, self._registry, conn, name)
            return tuple(cursors.parked(conn, self._site.tables, at.key))

    def retry(self, name: str, sequence: int) -> None:
        """Let a projection take an event that it parked: now, after all later ones.

        Raises:
            ProjectionFailed: it still cannot take it; it stays parked.
            UnknownEvent: it did not park that event.
        """
        mending.retry(self._site, self._registry, name, sequence)

    def skip(self, name: str, sequence: int) -> None:
        """Leave an event out for good; a projection that waits for it goes on.

        Raises:
            UnknownEvent: the projection neither parked that event nor waits for it.
        """
        mending.skip(self._site, self._registry, name, sequence)

    def prune(self, name: str) -> tuple[str, ...]:
        """Remove builds that were replaced, with their tables; return which.

        Raises:
            UnknownProjection: it, or a version to remove, is not registered here.
        """
        return mending.prune(self._site, self._registry, name)
