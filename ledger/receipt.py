"""The receipt: what came of an entry; and whether its date shows that a clock is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from ledger.model.events import StoredEvent
from ledger.model.moment import write_bound
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


_APART: Final = dt.timedelta(minutes=1)
"""By how much the clocks of two computers may differ without a word."""


def is_ahead(recorded: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether an entry is dated later than a clock says, by more than clocks differ.

    Example:
        >>> noon = dt.datetime(2024, 3, 4, 12, tzinfo=dt.UTC)
        >>> is_ahead(noon, noon - dt.timedelta(hours=1)), is_ahead(noon, noon)
        (True, False)
    """
    return recorded is not None and recorded > now + _APART


def later_than(recorded: dt.datetime, now: dt.datetime) -> str:
    """What such an entry is told with: dates never fall, so all later ones have its date, too."""
    return (
        f"The last entry is dated {write_bound(recorded)}, and the clock here says "
        f"{write_bound(now)}: one of the two is wrong. Until that date comes, all entries get it; "
        "tell them apart by their sequence numbers, as in known=41."
    )


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
