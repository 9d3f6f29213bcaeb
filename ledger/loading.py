"""Bulk load: a stream of typed events into the log, in chunks, each of them one append.

Here live the chunks, and how a load that was interrupted goes on. What one append does is in
`ledger.appending`; records that are to be checked come in by `ledger.interchange`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

from ledger.codec.canonical import MAX_INTEGER
from ledger.codec.converter import is_event
from ledger.codec.entry import Row
from ledger.codec.envelope import opened
from ledger.errors import AlreadyRecorded, Invalid
from ledger.folding import Folded
from ledger.model.events import NewEvent
from ledger.model.fields import check_told
from ledger.model.text import check_id, show
from ledger.projections.answer import Answer
from ledger.store import read
from ledger.store.append import Appended

CHUNK: Final = 5_000
"""As many events as one statement carries on PostgreSQL."""

_PLAIN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,200}").fullmatch
"""Most ids, the ledger's own among them; `check_id` says what others may be."""

Put = Callable[[Iterable[NewEvent]], Appended]
Progress = Callable[["Loaded"], object]
"""Told after each chunk how far the load is."""


@attrs.frozen(kw_only=True)
class Loaded(Answer):
    """What a load has come to: events stored by it, events that were there, the log's size."""

    stored: int = 0
    already_stored: int = 0
    size: int = 0

    def __str__(self) -> str:
        there = f", {self.already_stored:,} there already" if self.already_stored else ""
        return f"{self.stored:,} events stored{there}; the log holds {self.size:,}"


def load(
    folded: Folded,
    put: Put,
    events: Iterable[NewEvent],
    *,
    chunk: int = CHUNK,
    progress: Progress | None = None,
) -> Loaded:
    """Store a stream of events in chunks; a chunk is in memory at a time.

    Raises:
        Invalid: `chunk` is no positive number, one of them is no NewEvent, or `progress` cannot be
            called.
        AlreadyRecorded: an id is taken by other content; the chunks before stand.
        WrongExpectedVersion: a stream is elsewhere; the chunks before stand.
    """
    if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
        raise Invalid(
            f"A chunk holds at least one event, not {chunk!r}. Leave it out for {CHUNK:,}.",
            field="chunk",
            given=chunk,
        )
    check_told(progress, "progress")
    loaded = Loaded()
    for part in map(typed, _parts(events, chunk)):
        new = _not_there(folded, part)
        stored = put(new)
        many = 0 if stored.already else len(new)
        loaded = Loaded(
            stored=loaded.stored + many,
            already_stored=loaded.already_stored + len(part) - many,
            size=stored.size,
        )
        if progress is not None:
            progress(loaded)
    return loaded


def typed(events: Iterable[NewEvent]) -> tuple[NewEvent, ...]:
    """Events that may be stored as they are; their fields are looked at as they are encoded.

    Raises:
        Invalid: one of them is no NewEvent, or has no id, stream, version or event.
    """
    if isinstance(events, NewEvent) or not isinstance(events, Iterable):
        raise Invalid(
            f"{show(events)} is no list of events. Write put([event]).",
            field="events",
            given=events,
        )
    given = tuple(events)
    for place, one in enumerate(given):
        if not _usual(one):
            _look_at(place, one)
    return given


def _usual(new: NewEvent) -> bool:
    """Whether an event stands where most do, in a stream that it opens; a tenth of a look."""
    if type(new) is not NewEvent or type(new.id) is not str or new.stream != new.id:
        return False
    if type(new.stream_v) is not int or new.stream_v != 0:
        return False
    return _PLAIN_ID(new.id) is not None and is_event(new.event)


def _look_at(place: int, new: NewEvent) -> None:
    """Refuse what is no event, or has no id, stream, place in that, or content."""
    if not isinstance(new, NewEvent):
        raise Invalid(
            f"{show(new)}, at place {place}, is no event. Give a NewEvent; for a Party and its "
            "like write ledger.register(...), for a Claim ledger.record_all([...]).",
            field="events",
            given=new,
        )
    check_id(new.id, field=f"id (at place {place})")
    check_id(new.stream, field=f"stream (at place {place})")
    if type(new.stream_v) is not int or not 0 <= new.stream_v <= MAX_INTEGER:
        raise Invalid(
            f"stream_v, at place {place}, counts the events of a stream from 0; it cannot be "
            f"{show(new.stream_v)}.",
            field="stream_v",
            given=new.stream_v,
        )
    if not is_event(new.event):
        raise Invalid(
            f"The event at place {place} is {show(new.event)}, which no log holds. Give one of "
            "the classes in ledger.model.events.",
            field="event",
            given=new.event,
        )


def _parts(events: Iterable[NewEvent], chunk: int) -> Iterator[Sequence[NewEvent]]:
    given = iter(events)
    while part := list(itertools.islice(given, chunk)):
        yield part


def _not_there(folded: Folded, part: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """What of a chunk an earlier load has not stored: chunks are stored from their beginning."""
    with folded.reading() as conn:
        log_id = folded.log_id(conn)
        first = None
        if log_id is not None:
            first = read.row_by_id(conn, folded.tables, log_id, part[0].id)
        if log_id is None or first is None:
            return part
        near = read.rows(conn, folded.tables, log_id, after=first.seq - 1, limit=len(part))
        by_id = {row.id: row for row in near}
        for place, new in enumerate(part):
            # What others stored between two chunks of the earlier load may have moved it away.
            row = by_id.get(new.id) or read.row_by_id(conn, folded.tables, log_id, new.id)
            if row is None:
                return part[place:]
            _refuse_another(row, new)
    return ()


def _refuse_another(row: Row, new: NewEvent) -> None:
    stored = opened(row)
    if (stored.stream, stored.stream_v, stored.event) != (new.stream, new.stream_v, new.event):
        raise AlreadyRecorded(
            f"The log holds another event with the id {new.id}, at sequence {row.seq}. Give the "
            "new one its own.",
            given=new.id,
            sequence=row.seq,
        )
