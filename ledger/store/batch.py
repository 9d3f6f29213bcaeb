"""The batch: what one append sends, worked out before the database hears of it.

Here live sequences, instants and stream versions as plain values, and the sentences of the two
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
from ledger.errors import AlreadyRecorded, StoreError, WrongExpectedVersion
from ledger.store.types import in_utc

NEW: Final = -1
"""The version of a stream that is not there: its first event has version 0."""

ROWS_AT_ONCE: Final = 5_000
"""The largest number of events that one statement carries."""


@attrs.frozen(kw_only=True)
class Head:
    """Where a log stands: how many events it holds, and when the last became known."""

    log_id: int
    size: int
    known_at: dt.datetime | None


@attrs.frozen(kw_only=True)
class Move:
    """What a batch does to one stream: from the version it expects to its own last one."""

    expected: int
    version: int


@attrs.frozen(kw_only=True)
class Batch:
    """The drafts of one append, the instants they become known at, and their streams' moves."""

    head: Head
    drafts: Sequence[Draft]
    known: tuple[dt.datetime, ...]
    moves: Mapping[str, Move]

    @property
    def size(self) -> int:
        """The log's size after the append."""
        return self.head.size + len(self.drafts)

    @property
    def ids(self) -> list[str]:
        """The drafts' ids, in their order."""
        return [draft.id for draft in self.drafts]

    def parts(self) -> Iterator[tuple[int, Sequence[Draft]]]:
        """The drafts by so many at once, each part with the place of its first."""
        for start in range(0, len(self.drafts), ROWS_AT_ONCE):
            yield start, self.drafts[start : start + ROWS_AT_ONCE]


def batch_of(head: Head, drafts: Sequence[Draft]) -> Batch:
    """Work out what appending drafts after a head means.

    Raises:
        AlreadyRecorded: Two drafts have one id.
        WrongExpectedVersion: The drafts of a stream do not follow one another.
        InvalidDate: A `recorded_at` does not say its time zone.
    """
    _refuse_twins(drafts)
    return Batch(
        head=head,
        drafts=drafts,
        known=tuple(_running_maximum(head.known_at, drafts)),
        moves=_moves(drafts),
    )


def _running_maximum(start: dt.datetime | None, drafts: Sequence[Draft]) -> Iterator[dt.datetime]:
    latest = start
    for draft in drafts:
        recorded_at = in_utc(draft.recorded_at)
        if latest is None or recorded_at > latest:
            latest = recorded_at
        yield latest


def _moves(drafts: Sequence[Draft]) -> dict[str, Move]:
    moves: dict[str, Move] = {}
    for draft in drafts:
        before = moves.get(draft.stream)
        if before is not None and draft.stream_v != before.version + 1:
            raise wrong_version(draft.stream, draft.stream_v - 1, before.version)
        moves[draft.stream] = Move(
            expected=draft.stream_v - 1 if before is None else before.expected,
            version=draft.stream_v,
        )
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


def refuse_moved_head(head: Head, locked: int) -> None:
    """Raise StoreError unless one row was updated: the head as it was locked."""
    if locked != 1:
        raise StoreError(
            f"The log does not stand at {head.size} events any more, so nothing was appended. "
            "Lock the head in the transaction that appends, and once for each append."
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
