"""The batch: what one append sends, worked out before the database hears of it.

Here live sequences, instants and stream versions as plain values, and the sentences of the
conflicts. Neither engine's SQL is here; `on_sqlite` and `on_postgres` write a batch.

```
head.size  n        n+1      n+2                 known_at of n+k  =  max(head.known_at,
           draft 0  draft 1  draft 2                                     recorded_at of drafts 0..k)
```
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from ledger.codec.entry import Draft
from ledger.errors import AlreadyRecorded, HeadMoved, StoreError, WrongExpectedVersion
from ledger.store.types import in_utc

NEW: Final = -1
"""The version of a stream that is not there: its first event has version 0."""

ROWS_AT_ONCE: Final = 5_000
"""The largest number of events that one statement carries."""

Move = tuple[int, int]
"""What a batch does to one stream: the version it expects, and the one of its own last event."""


@attrs.frozen(kw_only=True)
class Head:
    """Where a log stands: its size, when its last event became known, that event's leaf hash.

    The leaf hash is empty where the log is.
    """

    log_id: int
    size: int
    known_at: dt.datetime | None
    leaf: bytes


@attrs.frozen(kw_only=True)
class Base:
    """What a batch came to stand on: the log, its size before, and its last instant before."""

    log_id: int
    size: int
    known_at: dt.datetime | None


@attrs.frozen(kw_only=True)
class Batch:
    """The drafts of one append, the running maximum of their instants, and their streams' moves."""

    drafts: Sequence[Draft]
    latest: Sequence[dt.datetime]
    moves: Mapping[str, Move]

    @property
    def ids(self) -> list[str]:
        """The drafts' ids, in their order."""
        return [draft.id for draft in self.drafts]

    def known(self, before: dt.datetime | None) -> Sequence[dt.datetime]:
        """When each event becomes known, if the last one before it did so at an instant."""
        if before is None or before <= self.latest[0]:
            return self.latest
        return [max(before, instant) for instant in self.latest]

    def parts(self) -> Iterator[slice]:
        """The places of the drafts that one statement carries, part by part."""
        for start in range(0, len(self.drafts), ROWS_AT_ONCE):
            yield slice(start, start + ROWS_AT_ONCE)


def batch_of(drafts: Sequence[Draft]) -> Batch:
    """Work out what appending drafts means, wherever the log stands.

    Raises:
        AlreadyRecorded: Two drafts have one id.
        WrongExpectedVersion: The drafts of a stream do not follow one another.
        InvalidDate: A `recorded_at` does not say its time zone.
    """
    _refuse_twins(drafts)
    return Batch(drafts=drafts, latest=_running_maximum(drafts), moves=_moves(drafts))


def _running_maximum(drafts: Sequence[Draft]) -> list[dt.datetime]:
    given = drafts[0].recorded_at
    latest = in_utc(given)
    found = []
    for draft in drafts:
        if draft.recorded_at is not given:  # the drafts of one entry share one instant
            given = draft.recorded_at
            latest = max(latest, in_utc(given))
        found.append(latest)
    return found


def _moves(drafts: Sequence[Draft]) -> dict[str, Move]:
    moves: dict[str, Move] = {}
    for draft in drafts:
        stream, version = draft.stream, draft.stream_v
        before = moves.get(stream)
        if before is None:
            moves[stream] = version - 1, version
        elif version == before[1] + 1:
            moves[stream] = before[0], version
        else:
            raise wrong_version(stream, version - 1, before[1])
    return moves


def _refuse_twins(drafts: Sequence[Draft]) -> None:
    if len({draft.id for draft in drafts}) == len(drafts):
        return
    seen: set[str] = set()
    for draft in drafts:
        if draft.id in seen:
            raise AlreadyRecorded(
                f"The id {draft.id} stands twice in this append. Give each event an id of its own.",
                given=draft.id,
            )
        seen.add(draft.id)


def head_moved(expected: int, actual: int) -> HeadMoved:
    """The conflict of a log that is elsewhere, or is another one of the same size.

    Example:
        >>> head_moved(3, 4).message
        'The log was expected to hold 3 events, but it holds 4. Nothing was appended; read what \
came and decide anew.'
    """
    found = f"it holds {actual}" if actual != expected else "its last event is another"
    return HeadMoved(
        f"The log was expected to hold {expected} events, but {found}. Nothing was appended; "
        "read what came and decide anew.",
        expected=expected,
        actual=actual,
    )


def wrong_version(stream: str, expected: int, actual: int) -> WrongExpectedVersion:
    """The conflict of a stream that is elsewhere.

    Example:
        >>> wrong_version("s", NEW, 3).message
        'The stream s was expected to be not there, but it is at version 3. Read it again and \
decide anew.'
    """

    def told(version: int) -> str:
        return "not there" if version == NEW else f"at version {version}"

    return WrongExpectedVersion(
        f"The stream {stream} was expected to be {told(expected)}, but it is {told(actual)}. "
        "Read it again and decide anew.",
        stream=stream,
        expected=expected,
        actual=actual,
    )


def already_recorded(taken: str, sequence: int = -1) -> AlreadyRecorded:
    """The conflict of an id that is taken, at a sequence if that is known."""
    where = "" if sequence < 0 else f", at sequence {sequence}"
    return AlreadyRecorded(
        f"The log holds an event with the id {taken} already{where}. Give the new one its own.",
        given=taken,
        sequence=sequence,
    )


def left_out(table: str) -> StoreError:
    """The refusal of a database that wrote fewer rows than it was given, and said nothing.

    A trigger of somebody else's does that by RAISE(IGNORE) on SQLite, by NULL on PostgreSQL.
    """
    return StoreError(
        f"The database left out rows of {table} and said nothing, as a trigger or a rule on it can "
        "make it do. Nothing was stored. Take that trigger or rule off, and record again."
    )
