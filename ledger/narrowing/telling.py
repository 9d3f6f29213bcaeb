"""What all claims on a proposition tell every party that they reach, for columns.

Nearly all claims are plain; `ledger.projections.plain` says which. Those are read from their rows,
without an event being made; the others are asked of the facts that bear on them, and so is a cell
in which order does not follow from days alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

import attrs

from ledger.codec.entry import Row
from ledger.codec.peek import Peek, peek
from ledger.errors import CodecError
from ledger.model.bounds import Bounds
from ledger.model.moment import Bound
from ledger.narrowing.acts import Narrowed
from ledger.projections.rollup import ways_up
from ledger.projections.steps import NEVER, Steps, Told, asked, days_of, steps_of, told_on
from ledger.store import cells, read

_CLAIM: Final = peek(
    "claim_recorded",
    *("chains", "capacity", "proposition", "stance", "uttered", "utterance", "document"),
)
_DOCUMENT: Final = peek("document_registered", "published")


class _Worded(NamedTuple):
    """A claim, as far as its stance on the shown proposition needs it."""

    proposition: str
    stance: str


@attrs.define
class Telling:
    """What is told of every proposition of a prefix, one after the other.

    `touched` are the sequences of what something touches, `shared` the numbers of occasions of
    which several acts are known. Of the documents that were met `published` are the last days, and
    `odd` those that are not plain.
    """

    near: Narrowed
    touched: set[int]
    shared: set[int]
    published: dict[str, Bound | None] = attrs.field(factory=dict)
    odd: set[str] = attrs.field(factory=set)

    @classmethod
    def of(cls, near: Narrowed) -> Telling:
        """What is told of the propositions of a narrowed prefix."""
        return cls(near, near.targets(cells.TOUCH), near.targets(cells.UTTERANCE, several=True))

    def each(self) -> Iterator[tuple[str, dict[str, Steps]]]:
        """The shown propositions, each with the steps of every party."""
        for proposition, claims in self.near.claims_by_proposition():
            yield proposition, self._steps(proposition, claims)

    def _steps(self, proposition: str, claims: set[int]) -> dict[str, Steps]:
        found: dict[str, list[Told]] = {}
        plain = self._plain(proposition, claims)
        for told in plain.values():
            for party, one in told:
                found.setdefault(party, []).append(one)
        rest = claims - plain.keys()
        if rest or self.near.beyond:  # which may have moved a claim here
            with self.near.with_claims(rest) as facts:
                on = facts.claims_on(proposition)
                these = (id_ for id_ in on if facts.stored[id_].sequence not in plain)
                for party, one in told_on(facts, these):
                    found.setdefault(party, []).append(one)

        def intricate(party: str, told: Sequence[Told]) -> Steps:
            with self.near.with_claims({one.sequence for one in told}) as facts:
                return asked(facts, party, proposition, told)

        return steps_of(found, intricate)

    def _plain(self, proposition: str, claims: set[int]) -> dict[int, list[tuple[str, Told]]]:
        """What the plain ones of some claims on a proposition tell, by their sequences."""
        if self.near.beyond:  # what came later may touch any of them
            return {}
        near = self.near
        rows = read.rows_at(near.conn, near.tables, near.records.log_id, claims - self.touched)
        values = [(row, told) for row in rows if (told := _peeked(_CLAIM, row)) is not None]
        self._meet({told[-1] for _, told in values if told[-1] is not None})
        found = ((row.seq, self._told(row, told, proposition)) for row, told in values)
        return {sequence: told for sequence, told in found if told is not None}

    def _meet(self, documents: set[str]) -> None:
        """Read those of some documents that were not met before."""
        near = self.near
        new = documents - self.published.keys() - self.odd
        for row in read.rows_by_id(near.conn, near.tables, near.records.log_id, new):
            told = _peeked(_DOCUMENT, row)
            if told is not None and row.seq not in self.touched:
                self.published[row.id] = told[0].latest if told[0] else None
        self.odd |= new - self.published.keys()

    def _told(
        self, row: Row, values: tuple[Any, ...], proposition: str
    ) -> list[tuple[str, Told]] | None:
        """What a plain claim tells each party; None if it is not plain."""
        chains, capacity, on, stance, uttered, utterance, document = values
        if len(chains) != 1 or document in self.odd:
            return None
        if utterance is not None and cells.number_of(utterance) in self.shared:
            return None
        frame = self.near.frame
        if frame.canonical(on) != proposition:
            return []
        bounds = Bounds.of(uttered, self.published.get(document), row.known_at)
        if bounds.empty():
            return None
        days, shown = days_of(bounds), frame.stance(cast("Any", _Worded(on, stance)))
        reached = ways_up(frame, chains[0], bounds, capacity)
        return [
            (party, Told(row.id, row.seq, days, shown, way.certain, NEVER, days.plain, None))
            for party, way in reached.items()
        ]


def _peeked(peek: Peek, row: Row) -> tuple[Any, ...] | None:
    """Some fields of a row; None where it is of another type, something is gone, or is no event."""
    if not peek.fits(row.entry):
        return None
    try:
        return peek.read(*(row.slot(name) for name in peek.slots))
    except CodecError:
        return None  # it is told of by whoever opens the event
