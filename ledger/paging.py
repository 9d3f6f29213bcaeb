"""The log as it is, read a page at a time: its events and entries, in constant memory.

What is asked of the database is in `ledger.store.read`; reading on as the log grows is in
`ledger.following`. No transaction, lock or pooled connection is held while the caller looks at what
was read.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import Any

import attrs

from ledger.codec.converter import type_called
from ledger.codec.entry import Row
from ledger.codec.envelope import opened
from ledger.errors import Invalid
from ledger.folding import Folded
from ledger.model.events import StoredEvent
from ledger.model.text import show
from ledger.projections import logbook
from ledger.projections.logbook import LogLine
from ledger.store import read
from ledger.store.collector import collector_paused

Types = str | type[Any] | Collection[str | type[Any]]
"""Event types, by stored name or by class; one or several."""


def events(
    log: Folded,
    *,
    after: int = -1,
    stream: str | None = None,
    types: Types | None = None,
    limit: int | None = None,
) -> Iterator[StoredEvent]:
    """The events beyond `after` that the log holds now, in order, a page in memory at a time.

    `stream` and `types` leave out others. Neither has an index: the log is read from `after`, or
    from where the stream begins, to where it ends.

    Raises:
        UnknownEventType: One of the types is none.
        Invalid: `after` or `limit` is no number that it can be.
        MissingEntry: An event that the log counts is not there.
    """
    bounded("after", after, -1)
    if limit is not None:
        bounded("limit", limit, 0)
    return _events(log, after, limit, Wanted.of(types, stream))


def _events(log: Folded, after: int, limit: int | None, wanted: Wanted) -> Iterator[StoredEvent]:
    last, size, version = bounds(log, wanted, after)
    left = size if limit is None else limit
    while left > 0 and last + 1 < size:
        pulled = pull(log, wanted, after=last, limit=min(left, read.PAGE), until=size)
        yield from pulled.events
        if pulled.last == last:  # a host has rolled back what was counted
            return
        last, left = pulled.last, left - len(pulled.events)
        if version is not None and pulled.events and pulled.events[-1].stream_v >= version:
            return


def lines(log: Folded, *, after: int = -1, limit: int | None = None) -> Iterator[LogLine]:
    """The same events as lines; the records that they name are looked up, a page at a time.

    Raises:
        Invalid: `after` or `limit` is no number that it can be.
        MissingEntry: An event that the log counts is not there.
    """
    return _lines(log, events(log, after=after, limit=limit))


def _lines(log: Folded, told: Iterator[StoredEvent]) -> Iterator[LogLine]:
    erasures: list[StoredEvent] = []
    while page := [*itertools.islice(told, read.PAGE)]:
        named = {id_ for one in page for id_ in logbook.names(one)} - {one.id for one in page}
        with log.reading() as conn:
            log_id = log.log_id(conn)
            rows = list[Row]()
            if log_id is not None:
                rows = read.rows_by_id(conn, log.tables, log_id, named)
        if any(one.erased for one in page) and not erasures:
            erasures = [*events(log, types="content_erased")]
        yield from logbook.log_lines(page, map(opened, rows), erasures)


def entries(log: Folded, *, until: int) -> Iterator[Row]:
    """The first `until` entries with their slots as stored, in order, a page in memory at a time.

    Raises:
        MissingEntry: One of them is not there.
    """
    last = -1
    while last + 1 < until:
        with log.reading() as conn:
            head = read.head(conn, log.tables, log.origin)
            if head is None:
                raise read.missing_entry(0, size=until)
            page = read.page(conn, log.tables, head.log_id, after=last, until=until)
        yield from page.rows
        last = page.last


@attrs.frozen(kw_only=True)
class Wanted:
    """Which events are wanted; None is any."""

    types: frozenset[str] | None
    stream: str | None

    @classmethod
    def of(cls, types: Types | None, stream: str | None) -> Wanted:
        """What is wanted of a log.

        Raises:
            UnknownEventType: one of the types is none.
        """
        if types is None:
            return cls(types=None, stream=stream)
        several = (
            types if isinstance(types, Collection) and not isinstance(types, str) else (types,)
        )
        return cls(types=frozenset(map(type_called, several)), stream=stream)


@attrs.frozen(kw_only=True)
class Pulled:
    """What one look at the log gave: events, up to where it looked, and the log's size."""

    events: list[StoredEvent]
    last: int
    size: int
    log_id: int | None

    @property
    def at_end(self) -> bool:
        """Whether the log held nothing more."""
        return self.last + 1 >= self.size


def pull(
    log: Folded, wanted: Wanted, *, after: int, limit: int, until: int | None = None
) -> Pulled:
    """A page of what is wanted beyond `after`, and where the log stands as it is read."""
    with log.reading() as conn:
        head = read.head(conn, log.tables, log.origin)
        if head is None:
            return Pulled(events=[], last=after, size=0, log_id=None)
        page = read.page(
            conn,
            log.tables,
            head.log_id,
            after=after,
            until=head.size if until is None else min(until, head.size),
            limit=limit,
            types=wanted.types,
            stream=wanted.stream,
        )
    with collector_paused():
        found = list(map(opened, page.rows))
    return Pulled(events=found, last=page.last, size=head.size, log_id=head.log_id)


def bounds(log: Folded, wanted: Wanted, after: int) -> tuple[int, int, int | None]:
    """Where to begin, the log's size, and the version that ends a stream."""
    with log.reading() as conn:
        head = read.head(conn, log.tables, log.origin)
        if head is None:
            return after, 0, None
        if wanted.stream is None:
            return after, head.size, None
        extent = read.extent(conn, log.tables, head.log_id, wanted.stream)
    if extent.version < 0:
        return head.size - 1, head.size, None
    return max(after, extent.first - 1), head.size, extent.version


def bounded(field: str, given: object, least: int) -> None:
    """Refuse what is no whole number from `least` on."""
    if type(given) is not int or given < least:
        raise Invalid(
            f"{field} must be a whole number, {least} or more, not {show(given)}.",
            field=field,
            given=given,
        )
