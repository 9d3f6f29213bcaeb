"""Group commit: threads that record at once share one append, and so one flush of the disk.

Whoever comes first while nobody writes leads: it checks and writes its own entry with all that
wait, one append for all, and hands the lead on to the next who came meanwhile. There is no thread
of ours and no delay: alone, it is an append like any other.
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from typing import Final

import attrs
from sqlalchemy import Engine

from ledger import observing
from ledger.appending import Appender
from ledger.errors import Invalid, LedgerError, StoreError
from ledger.projections.missing import Unheld
from ledger.receipt import Receipt
from ledger.unit import Entered, Entry, Unit

MOST: Final = 200
"""How many entries one append takes in."""


@attrs.define(eq=False)
class _Place:
    """An entry in the queue, and what becomes of it."""

    entered: Entered
    leads: bool = False
    turn: threading.Event = attrs.field(factory=threading.Event)
    receipts: list[Receipt] | None = None
    error: Exception | None = None


@attrs.define(kw_only=True, eq=False)
class Grouped(Appender):
    """The write path that threads share."""

    _queue: deque[_Place] = attrs.field(factory=deque, init=False)
    _guard: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _led: bool = attrs.field(default=False, init=False)

    def append(self, entry: Entry) -> list[Receipt]:
        """Store an entry together with what other threads hand in; a refusal is its own alone.

        Raises:
            LedgerError: what speaks against this entry; or what the database refused for all that
                were written with it.
        """
        place = _Place(self.entered(entry))
        with self._guard:
            self._queue.append(place)
            place.leads, self._led = not self._led, True
        try:
            if not place.leads:
                place.turn.wait()
        except BaseException:
            self._leave(place)
            raise
        if place.leads:
            self._lead()
        if place.error is not None:
            raise place.error
        return place.receipts or []

    def _leave(self, place: _Place) -> None:
        """Do not hold up those behind a thread that was interrupted while it waited."""
        with self._guard:
            if place in self._queue:
                self._queue.remove(place)
        if place.leads:
            self._hand_on()

    def _lead(self) -> None:
        with self._guard:
            many = min(len(self._queue), MOST)
            places = [self._queue.popleft() for _ in range(many)]
        try:
            self._write_all(places)
        except BaseException as error:
            for place in places:
                if place.receipts is None and place.error is None:
                    place.error = _unknown(error)
            raise
        finally:
            for place in places:
                place.turn.set()
            self._hand_on()

    def _hand_on(self) -> None:
        with self._guard:
            following = self._queue[0] if self._queue else None
            self._led = following is not None
            if following is not None:
                following.leads = True
                following.turn.set()

    def _write_all(self, places: list[_Place]) -> None:
        try:
            with self.watched() as told:
                self.thriftily(lambda path: path.write_together(places, told))
        except LedgerError as error:
            # Those refused at once may have been so for what now is not stored.
            if len(places) > 1 and not isinstance(error, StoreError):
                for place in places:
                    self._write_all([place])
            else:
                for place in places:
                    place.error = _own(error)

    def write_together(self, places: list[_Place], told: observing.Append) -> None:
        """Store what was handed in, but for what is refused by itself."""
        unit, together = Unit(self.folded.origin), list[_Place]()
        for place in places:
            place.error = None
            try:
                self.enter(unit, place.entered)
            except Unheld:
                raise
            except Exception as error:  # noqa: BLE001 - raised in the thread it belongs to
                place.error = error
            else:
                together.append(place)
        receipts = iter(self.write(unit, told))
        for place in together:
            place.receipts = [next(receipts) for _ in place.entered.made]


def _own(error: LedgerError) -> LedgerError:
    own = copy.copy(error)  # a thread adds its traceback to what it raises
    own.__cause__ = error.__cause__
    return own


def _unknown(error: BaseException) -> StoreError:
    found = StoreError(
        f"The thread that wrote this together with its own was stopped by {type(error).__name__}: "
        "the records may be stored or not. Record them again with the same ids; what is stored "
        "already will not be stored twice.",
        stored="unknown",
    )
    found.__cause__ = error
    return found


def shared(appender: Appender) -> Grouped:
    """The same write path for many threads.

    Raises:
        Invalid: its host is a Connection or a Session, which threads do not share.
    """
    if not isinstance(appender.folded.host, Engine):
        raise Invalid(
            "Only a ledger on an Engine, a path or a URL can be shared by threads: a "
            f"{type(appender.folded.host).__name__} belongs to one of them. Write "
            "Ledger(engine).grouped().",
            field="bind",
            given=appender.folded.host,
        )
    return Grouped(
        folded=appender.folded,
        clock=appender.clock,
        recorder=appender.recorder,
        projections=appender.projections,
    )
