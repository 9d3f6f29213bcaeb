"""The view of two dates: which events it is of, and until when it counts what was said.

Here lives what a date comes to, by the log as it stands. What a view answers is `ledger.view`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable

from ledger.errors import InvalidView
from ledger.folding import Folded
from ledger.model.moment import Knob, check_zone
from ledger.narrowing.heading import Moment, moment
from ledger.view import Day, View


@functools.lru_cache(maxsize=10_000)
def _knob_of_text(value: str, name: str) -> Knob:
    return Knob.parse(value, name=name)


def _knob(value: Day, zone: dt.tzinfo | None, name: str) -> Knob:
    """A cut; the same texts come again and again."""
    if type(value) is str and zone is None:
        return _knob_of_text(value, name)
    return Knob.parse(value, zone=zone, name=name)


def view_of(
    folded: Folded,
    clock: Callable[[], dt.datetime],
    *,
    said: Day | None,
    known: Day | int | None,
    zone: dt.tzinfo | None,
) -> View:
    """The view of two dates; `Ledger.as_of` says what they mean.

    Raises:
        InvalidView: a naive instant, no time zone, or a `known` that begins in the future.
    """
    if zone is not None:
        check_zone(zone)
    with moment(folded) as log:
        now = clock() if log.last is None else max(clock(), log.last)
        cut: Knob | int | None = None
        basis, shown = log.size, None
        if isinstance(known, int):
            cut, basis = known, size_of(known, log.size)
            shown = Knob.parse(log.recorded_at(known)) if said is None else None
        elif known is not None:
            cut = shown = _knob(known, zone, "known")
            basis = size_by(log, cut, now)
        if said is not None:
            shown = _knob(said, zone, "said")
        settled = basis < log.size or isinstance(cut, int)
    shown = Knob.parse(now) if shown is None else shown
    return View(said=shown, known=cut, basis=basis, settled=settled, folded=folded)


def size_by(moment: Moment, known: Knob, now: dt.datetime) -> int:
    """How many events were known by a date; today's is cut to now.

    Raises:
        InvalidView: the date begins in the future.
    """
    if known.starts() > now:
        raise InvalidView(
            f"known={known} lies in the future: it is {now:%Y-%m-%d %H:%M} UTC now, and nobody "
            "can tell what will be known. Ask as of today, or of an earlier day.",
            field="known",
            given=str(known),
        )
    return moment.size_at(min(known.end(), now))


def size_of(sequence: int, size: int) -> int:
    """The size of the prefix that ends with a sequence, in a log of so many events.

    Raises:
        InvalidView: the log has no such sequence.
    """
    if isinstance(sequence, bool) or not 0 <= sequence < size:
        held = f"{size} events, 0 to {size - 1}" if size else "no events"
        raise InvalidView(
            f"known={sequence} is no sequence of this log, which holds {held}.",
            field="known",
            given=sequence,
        )
    return sequence + 1
