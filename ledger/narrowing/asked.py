"""The questions of a view that can be narrowed, asked of what bears on them or of the folded log.

Here lives which acts a question needs. What it means is in `ledger.projections`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, cast

from sqlalchemy import Connection

from ledger.errors import LedgerError
from ledger.folding import Folded
from ledger.model import events as ev
from ledger.model.moment import Knob
from ledger.narrowing.acts import Narrowed, narrowed
from ledger.narrowing.driver import Gone
from ledger.narrowing.plain import quick
from ledger.narrowing.records import beside, held_of
from ledger.projections import perspectives, positions, standing, timeline
from ledger.projections.effective import Facts
from ledger.projections.policies import Policy

T = TypeVar("T")


class Asked:
    """The questions of one view: narrowed where that can be done, else of the folded log."""

    def __init__(self, records: Facts, narrowed: Narrowed | None) -> None:
        self.records = records
        self._narrowed = narrowed

    def position(
        self, party: str, proposition: str, said: Knob, policy: str | Policy = "latest"
    ) -> standing.Position:
        """Where a party stands on a proposition, by their ledger ids."""
        if self._narrowed is None:
            return positions.position(self.records, party, proposition, said, policy)
        proposition = self.records.canonical(proposition)
        with self._narrowed.about(party, [proposition]) as facts:
            found = positions.position(facts, party, proposition, said, policy)
        # Of a silent party its last word on the topic is told: on what stands beside this.
        others = beside(self.records, proposition) if found.status == "silent" else ()
        if not others:
            return found
        with self._narrowed.about(party, [proposition, *others]) as facts:
            return positions.position(facts, party, proposition, said, policy)

    def positions_of(
        self, party: str, said: Knob, policy: str | Policy = "latest"
    ) -> perspectives.Positions:
        """Where a party stands on everything."""
        with self._about(party, None) as facts:
            return perspectives.positions_of(facts, party, said, policy)

    def positions_on(
        self, topic: str, said: Knob, policy: str | Policy = "latest"
    ) -> perspectives.Positions:
        """Where everybody stands on a topic."""
        with self._about(None, perspectives.propositions_of(self.records, topic)) as facts:
            return perspectives.positions_on(facts, topic, said, policy)

    def timeline(
        self, party: str, topic: str, said: Knob, policy: str | Policy = "latest"
    ) -> timeline.Timeline:
        """A party's words over time on a topic or a proposition."""
        on = perspectives.propositions_of(self.records, topic)
        if self.records.get(topic, ev.PropositionDefined) is not None:
            on = (self.records.canonical(topic),)
        others = [one for proposition in on for one in beside(self.records, proposition)]
        with self._about(party, [*on, *others]) as facts:
            return timeline.timeline(facts, party, topic, said, policy)

    def _about(
        self, party: str | None, propositions: Iterable[str] | None
    ) -> contextlib.AbstractContextManager[Facts]:
        if self._narrowed is None:
            return contextlib.nullcontext(self.records)
        return self._narrowed.about(party, propositions)


def ask(folded: Folded, basis: int, question: Callable[[Asked], T]) -> T:
    """The answer to a question about a prefix.

    Asked of the driver first, where that can be done: nothing was committed meanwhile, or it is
    asked once more, inside a transaction.
    """
    driver = quick(folded)
    if driver is not None:
        with folded.fold.lock, contextlib.suppress(LedgerError, Gone):
            held = held_of(folded.fold)
            if held is not None and held.size >= basis:
                conn = cast("Connection", driver)  # as far as reading goes
                near = Narrowed(conn, folded.tables, held, basis)
                found = question(Asked(near.frame, near))
                if driver.version() == held.version:
                    return found
    with asked_of(folded, basis) as asked:
        return question(asked)


@contextlib.contextmanager
def asked_of(folded: Folded, basis: int) -> Iterator[Asked]:
    """The questions of a prefix, for as long as they are asked."""
    with narrowed(folded, basis) as found:
        if found is not None:
            yield Asked(found.frame, found)
            return
    with folded.facts_at(basis) as facts:
        yield Asked(facts, None)
