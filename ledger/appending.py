"""One append: checked and encoded before the lock is taken, and again where another came first.

```
catch up    read what others appended since
prepare     intake makes and checks events, the codec salts and hashes them
lock        the head row; if the log has moved on meanwhile, prepare again
store       one transaction; then fold what was stored, without reading it back
```
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Final, Literal

import attrs

from ledger.codec.converter import type_name
from ledger.codec.entry import Draft
from ledger.codec.envelope import seal
from ledger.folding import Folded
from ledger.model.events import NewEvent, Recorder, StoredEvent
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.recording.intake import Intake, Made
from ledger.store import append as log
from ledger.store.append import Appended
from ledger.store.transaction import writing

Clock = Callable[[], dt.datetime]
Entry = Callable[[Intake], Iterable[Made]]


def utc_now() -> dt.datetime:
    """The clock of this machine, in UTC."""
    return dt.datetime.now(dt.UTC)


_NO_TAGS: Final[tuple[str | None, str | None]] = (None, None)
tags: Final[ContextVar[tuple[str | None, str | None]]] = ContextVar("ledger_tags", default=_NO_TAGS)
"""The causation and correlation ids of what is entered now."""


@attrs.frozen(kw_only=True)
class Receipt(Answer):
    """What came of an entry: its id, the sequences it took, and when the log knew it.

    `stored` is "stored" or "already_stored": the same content under the same id is no news.
    A receipt stands wherever the id does.
    """

    id: str
    ledger_id: str
    sequences: tuple[int, ...]
    recorded: dt.datetime
    stored: Literal["stored", "already_stored"]
    size: int

    def __str__(self) -> str:
        at = ", ".join(f"#{one}" for one in self.sequences)
        return f"{self.id} ({self.stored.replace('_', ' ')} at {at})"


@attrs.frozen(kw_only=True)
class Appender:
    """The write path of one ledger."""

    folded: Folded
    clock: Clock
    recorder: Recorder

    def append(self, entry: Entry) -> list[Receipt]:
        """Make the events of an entry and store them, all or nothing."""
        folded = self.folded
        with folded.lock:
            with folded.reading() as conn:
                prepared = self._prepare(folded.at_head(conn), entry)
            with writing(folded.bind) as conn:
                head = log.lock_head(conn, folded.tables, folded.origin)
                facts = folded.at_head(conn)
                if facts is not prepared.facts or facts.size != prepared.size:
                    prepared = self._prepare(facts, entry)
                stored = None
                if prepared.drafts:
                    stored = log.append(conn, folded.tables, head, prepared.drafts)
            if stored is not None:
                folded.take(self._events(prepared, stored), prepared.drafts)
            return [_receipt(facts, made) for made in prepared.made]

    def _prepare(self, facts: Facts, entry: Entry) -> _Prepared:
        now = self.clock()
        intake = Intake(facts, now=now)
        made = list(entry(intake))
        causation, correlation = tags.get()
        drafts = [
            seal(
                new,
                log=self.folded.origin,
                recorded_at=now,
                recorder=self.recorder,
                causation=causation,
                correlation=correlation,
            )
            for new in intake.new
        ]
        return _Prepared(facts=facts, size=facts.size, made=made, new=intake.new, drafts=drafts)

    def _events(self, prepared: _Prepared, appended: Appended) -> list[StoredEvent]:
        causation, correlation = tags.get()
        return [
            StoredEvent(
                sequence=appended.first + offset,
                id=new.id,
                type=type_name(new.event),
                type_v=draft.type_v,
                stream=new.stream,
                stream_v=new.stream_v,
                recorded=known,
                recorder=self.recorder,
                causation=causation,
                correlation=correlation,
                event=new.event,
            )
            for offset, (new, draft, known) in enumerate(
                zip(prepared.new, prepared.drafts, appended.known, strict=True)
            )
        ]


@attrs.frozen(kw_only=True)
class _Prepared:
    """An append checked and encoded, and the facts it was checked against."""

    facts: Facts
    size: int
    made: Sequence[Made]
    new: Sequence[NewEvent]
    drafts: Sequence[Draft]


def _receipt(facts: Facts, made: Made) -> Receipt:
    events = [facts.stored[id_] for id_ in (made.events or (made.id,))]
    return Receipt(
        id=made.public,
        ledger_id=made.id,
        sequences=tuple(one.sequence for one in events),
        recorded=events[0].recorded,
        stored="already_stored" if made.already else "stored",
        size=facts.size,
    )
