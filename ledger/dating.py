"""The view of two dates: which events it is of, and until when it counts what was said.

Here lives what a date comes to, by the log as it stands. What a view answers is `ledger.view`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable

from ledger.folding import Folded, size_by, size_of
from ledger.model.moment import Knob
from ledger.narrowing.heading import moment
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
        InvalidView: a naive instant, or a `known` that begins in the future.
    """
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
