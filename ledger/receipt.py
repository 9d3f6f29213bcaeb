"""The receipt: what came of an entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import attrs

from ledger.model.events import StoredEvent
from ledger.projections.answer import Answer
from ledger.recording.intake import Made


@attrs.frozen(kw_only=True)
class Receipt(Answer):
    """The result of recording: the id, the sequence numbers, and when it was recorded.

    `stored` is "stored"; "already_stored", if the same content was there under the same id; or
    "pending" in a Session, where sequence numbers come with the commit. `version` counts the
    record's changes, to be passed as `expected=`. A receipt can be passed in place of the id.
    """

    id: str
    ledger_id: str
    sequences: tuple[int, ...]
    recorded: dt.datetime
    stored: Literal["stored", "already_stored", "pending"]
    size: int
    version: int = 0

    def __str__(self) -> str:
        at = ", ".join(f"#{one}" for one in self.sequences)
        return f"{self.id} ({self.stored.replace('_', ' ')}{f' at {at}' if at else ''})"


def receipt(
    made: Made, there: Mapping[str, StoredEvent], placed: Mapping[str, StoredEvent], size: int
) -> Receipt:
    """The account of one record, by its events, old or new, and the size of the log."""
    found = [there.get(id_) or placed[id_] for id_ in (made.events or (made.id,))]
    return Receipt(
        id=made.public,
        ledger_id=made.id,
        sequences=tuple(one.sequence for one in found),
        recorded=found[0].recorded,
        stored="already_stored" if made.already else "stored",
        size=size,
        version=found[-1].stream_v,
    )
