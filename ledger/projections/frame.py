"""A frame: the records that are no acts, on which the acts of one question are laid, then lifted.

A question about a cell bears on a few acts, and on all parties, memberships and merges; those are
few, and kept. Which acts bear on it is found out in `ledger.narrowing`. What they mean is told by
`Facts` and by whoever asks it: nothing here knows of positions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar, cast

from ledger.model import events as ev
from ledger.projections.effective import Facts

T = TypeVar("T")

Keys = Callable[[str], Iterable[str]]
"""Gives host ids of a kind, for whoever mistyped one; all there are, or the last few."""


def no_more(_kind: str) -> Iterable[str]:
    """There are none but those that are held."""
    return ()


OF_THE_FRAME: Final = frozenset(
    {
        "anybody",
        "beneath",
        "beside",
        "keys",
        "members",
        "plain_way",
        "shown",
        "spoken_for",
        "steady",
        "ways_up",
    }
)
"""Questions that no act changes the answer to: `Facts.memo` keeps those for good."""


class Frame(Facts):
    """The records of a prefix that are no acts.

    `erasures` are those of the whole log, since they reach every prefix; `gone` are the acts of the
    prefix of which something was erased, or of whose proposition, with all that changes them: of
    these the lost claims are counted. To be used by one at a time.
    """

    def __init__(
        self,
        records: Iterable[ev.StoredEvent],
        *,
        erasures: dict[str, dict[int, ev.StoredEvent]],
        gone: Iterable[ev.StoredEvent],
    ) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], Any] = {}
        self._more_keys: Keys = no_more
        self._lost_claims = 0
        self.extend(records)
        self.erasures = erasures
        self._settle(gone)

    def go_on(self, records: Iterable[ev.StoredEvent], *, gone: Iterable[ev.StoredEvent]) -> None:
        """Become the frame of a longer prefix, by the records that it has more; none erases."""
        self.extend(records)
        self._settle(gone)

    def _settle(self, gone: Iterable[ev.StoredEvent]) -> None:
        self.kept.clear()
        self._lost_claims = 0
        with self.with_acts(gone, self.size):
            self._lost_claims = super().lost_claims

    @property
    def lost_claims(self) -> int:
        """How many claims of the prefix are in no position because their who or what was erased."""
        return self._lost_claims

    def memo(self, question: str, id_: str, answer: Callable[[], T]) -> T:
        """The answer to a question about a record, kept for as long as it can be the same."""
        if question not in OF_THE_FRAME:
            return super().memo(question, id_, answer)
        key = (question, id_)
        if key not in self.kept:
            self.kept[key] = answer()
        return cast("T", self.kept[key])

    def keys(self, kind: str) -> tuple[str, ...]:
        """Host ids of a kind: of acts and documents not all."""
        return (*super().keys(kind), *self._more_keys(kind))

    @contextlib.contextmanager
    def with_acts(
        self, acts: Iterable[ev.StoredEvent], basis: int, more_keys: Keys = no_more
    ) -> Iterator[Facts]:
        """The same with some acts of the prefix on it, as the facts of so many events."""
        many, self._more_keys = 0, more_keys
        at = self.size, self.last_recorded
        try:
            for stored in acts:
                if stored.id not in self.stored:
                    self.apply(stored)
                    many += 1
            self.size = basis
            yield self
        finally:
            self.take_back(many)
            self.size, self.last_recorded = at
            self._memo.clear()
            self._more_keys = no_more
