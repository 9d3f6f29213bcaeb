"""A ledger in an ORM Session's unit of work: what is recorded waits for the Session's commit.

So a host's long transaction does not hold the log's lock. The queue is the Session's own: all
ledgers bound to it over one log share it. SQLAlchemy's events say when to write and what to forget:

```
before_commit              write what waits; not at the release of a savepoint
after_transaction_create   of a savepoint: remember how long the queue is
after_soft_rollback        of a savepoint: cut the queue to that; what was written since then waits
                           again if it was entered before
after_rollback             of the whole transaction: what waits is taken back, and not dropped
after_transaction_end      of the whole transaction: forget all
```
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

import attrs
from sqlalchemy import Connection, event

from ledger import observing
from ledger.appending import Appender
from ledger.errors import Conflict
from ledger.folding import Folded
from ledger.model.events import NewEvent
from ledger.receipt import Receipt, receipt
from ledger.recording.intake import Made
from ledger.store.append import Appended
from ledger.store.binds import AnySession, session_of
from ledger.unit import Entered, Entry, Unit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, SessionTransaction


@attrs.define(kw_only=True, eq=False)
class Joined(Appender):
    """The write path of a ledger whose host is a Session, or a registry of Sessions."""

    def __attrs_post_init__(self) -> None:
        self.folded.before_reading = self.flush

    def append(self, entry: Entry) -> list[Receipt]:
        """Check an entry now, and store it at the Session's commit; at once if that is under way.

        Raises:
            LedgerError: what speaks against it; the Session and its transaction go on.
        """
        if _ends(session_of(self._session)):
            self.flush()
            return super().append(entry)
        work = self._work()
        try:
            return [] if work is None else work.add(self, self.entered(entry))
        except Conflict as error:
            observing.refused(self.folded.origin, self.folded.bind.dialect.name, error)
            raise

    def enter(self, unit: Unit, entered: Entered) -> None:
        """Check an entry without folding the log for it, where that can be done."""
        self.thriftily(lambda path: Appender.enter(path, unit, entered))

    def flush(self) -> list[Receipt]:
        """Store in the Session's transaction what waits, without committing."""
        work = self._work(begin=False)
        return [] if work is None else work.write(session_of(self._session))

    def append_at_once(self, entry: Entry) -> list[Receipt]:
        """Store an entry at the call, behind what waits, in the Session's transaction."""
        self.flush()
        return super().append_at_once(entry)

    def put(self, events: Iterable[NewEvent]) -> Appended:
        """Store typed events at the call, behind what waits."""
        self.flush()
        return super().put(events)

    def _work(self, *, begin: bool = True) -> Work | None:
        session = session_of(self._session)
        key = f"claimledger {self.folded.layout} {self.folded.origin}"
        if begin and not session.in_transaction():
            session.begin()  # else nothing would fire at close(), and the queue would outlive it
        if begin and key not in session.info:
            session.info[key] = Work(session, self.folded.origin)
        return cast("Work | None", session.info.get(key))

    @property
    def _session(self) -> AnySession:
        return cast("AnySession", self.folded.host)


class Work:
    """What was entered in one transaction of a Session: a written part, then a waiting one."""

    def __init__(self, session: Session, origin: str) -> None:
        self._appenders: list[Appender] = []
        self._written: list[Entered] = []
        self._waiting = Unit(origin)
        self._taken_back = False
        # A savepoint's end comes before the word of its rollback, so its mark goes when it does.
        self._marks: WeakKeyDictionary[SessionTransaction, tuple[int, int]] = WeakKeyDictionary()
        begun = session.get_nested_transaction()
        while begun is not None:
            self._marks[begun] = (0, 0)
            begun = begun.parent if begun.parent and begun.parent.nested else None
        event.listen(session, "before_commit", self._commit)
        event.listen(session, "after_transaction_create", self._mark)
        event.listen(session, "after_soft_rollback", self._cut)
        event.listen(session, "after_rollback", self._rolled_back)
        event.listen(session, "after_transaction_end", self._end)

    def add(self, appender: Appender, entered: Entered) -> list[Receipt]:
        """Check an entry against the log and what waits, and let it wait too."""
        appender.enter(self._waiting, entered)
        if appender not in self._appenders:
            self._appenders.append(appender)
        if not entered.new:
            self._waiting.entries.remove(entered)
        return [
            receipt(made, entered.there, {}, entered.size)
            if made.already and not self._waits(made.already)
            else _pending(made, entered)
            for made in entered.made
        ]

    def _waits(self, id_: str) -> bool:
        return any(new.id == id_ for one in self._waiting.entries for new in one.new)

    def write(self, session: Session) -> list[Receipt]:
        """Store what waits in the Session's transaction."""
        if not self._waiting.entries:
            return []
        appender = self._joint(session)
        unit, many = self._waiting, len(self._written)
        # What a projection asks while it is written would else write it once more.
        self._waiting = Unit(unit.origin)
        self._written += unit.entries
        try:
            with appender.watched() as told:
                return appender.thriftily(lambda path: path.write(unit, told))
        except BaseException:
            if self._appenders:  # else the transaction has ended
                self._waiting = unit
                del self._written[many:]
            raise

    def _joint(self, session: Session) -> Appender:
        """The write path of all who entered something, in this Session.

        A registry may stand for another Session by now, and each ledger has views of its own.
        """
        first, *others = self._appenders
        folded = Folded(session, first.folded.layout, first.folded.origin)
        projections = first.projections.together(folded, [one.projections for one in others])
        return attrs.evolve(first, folded=folded, projections=projections)

    # -- the Session's events ---------------------------------------------------------------

    def _commit(self, session: Session) -> None:
        if _ends(session) and self._waiting.entries:
            session.flush()  # what is wrong with the host's rows shows before the log is locked
            works = {key: one for key, one in session.info.items() if isinstance(one, Work)}
            for key in sorted(works):  # whoever writes into several logs locks them in one order
                works[key].write(session)

    def _mark(self, _: Session, transaction: SessionTransaction) -> None:
        if transaction.nested:
            written = len(self._written)
            self._marks[transaction] = (written, written + len(self._waiting.entries))

    def _cut(self, _: Session, transaction: SessionTransaction) -> None:
        mark = self._marks.get(transaction)
        if mark is not None:
            written, entered = mark
            entries = [*self._written, *self._waiting.entries][:entered]
            self._written = entries[: min(written, len(self._written))]
            self._waiting = Unit(self._waiting.origin)
            self._waiting.entries = entries[len(self._written) :]

    def _rolled_back(self, session: Session) -> None:
        self._taken_back = not session.in_nested_transaction()

    def _end(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:  # of a savepoint, it comes before the word of its rollback
            if self._waiting.entries and not self._taken_back and _goes_on_without(session):
                warnings.warn(
                    "What was recorded in a Session is dropped with it: it was closed without a "
                    "commit(), while the Connection that it is on goes on, with the rows that were "
                    "flushed. Call session.commit() first, which leaves the Connection's "
                    "transaction open; or ledger.flush().",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._taken_back = False
            self._marks.clear()
            self._appenders.clear()
            self._written = []
            self._waiting = Unit(self._waiting.origin)


def _ends(session: Session) -> bool:
    """Whether the Session's whole transaction, not a savepoint in it, is being ended now.

    SQLAlchemy tells nobody, and what listeners record then has no later moment to be written in: of
    a flush that the commit makes, of `before_commit` behind ours. A commit may also begin while a
    savepoint is open, which it releases.
    """
    whole = session.get_transaction()
    return whole is not None and whole._current_fn is not None  # noqa: SLF001


def _goes_on_without(session: Session) -> bool:
    bind = session.bind
    return isinstance(bind, Connection) and bind.in_transaction()


def _pending(made: Made, entered: Entered) -> Receipt:
    versions = {new.id: new.stream_v for new in entered.new}
    versions |= {id_: stored.stream_v for id_, stored in entered.there.items()}
    return Receipt(
        id=made.public,
        ledger_id=made.id,
        sequences=(),
        recorded=entered.now,
        stored="pending",
        size=entered.size,
        version=versions[(made.events or (made.id,))[-1]],
    )
