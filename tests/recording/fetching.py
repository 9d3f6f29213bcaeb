"""A ledger that does not fold its log, and what it said to each thing that was handed in."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from ledger import Document, Ledger, LedgerError, Receipt
from ledger.narrowing import thrifty
from ledger.projecting import cells
from ledger.projections.effective import Facts
from tests.projections.naive_fold import Op
from tests.projections.worlds import Clock, Teller

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
SUGGESTED = re.compile(r"(?<=is in this view\.).*", re.DOTALL)
"""Near ids are looked for among what is held, so another fold has others."""

SAID: dict[str, Any] = {"claimant": "envoy", "proposition": "open"}


class Told:
    """A ledger, what it said to each thing that was handed in, and how it is made new again."""

    def __init__(self, ledger: Ledger, clock: Clock, *, fetching: bool) -> None:
        self.ledger, self.fetching = ledger, fetching
        if fetching:
            ledger.projections.add(cells(ledger.layout))
            ledger.projections.ready()
        self.teller = Teller(ledger, clock)

    def anew(self) -> None:
        """As a process that has just begun."""
        fold = self.ledger._folded.fold
        fold.forget()
        fold.kept = fold.unfolded = None

    def folded(self) -> bool:
        """Whether the whole log was folded since; it is forgotten now."""
        fold = self.ledger._folded.fold
        found = bool(fold.facts.size)
        fold.forget()
        return found

    def tell(self, op: Op) -> object:
        """What came of it, in words that do not tell one ledger from another."""
        if self.fetching:
            self.folded()
        try:
            told = self._hand_in(op)
        except LedgerError as error:
            return type(error), self._plain(error.message)
        if not isinstance(told, Receipt):
            return type(told)
        self.teller.ids.setdefault(op.id, told.ledger_id)
        self.teller.first.setdefault(told.ledger_id, op.id)
        return told.stored, told.sequences, told.version, told.size, told.recorded

    def _hand_in(self, op: Op) -> object:
        fields = dict(op.fields)
        match op.kind:
            case "revise":
                return self.ledger.register(Document(op.id, text=op.id, **fields))
            case "erase":
                target = self.teller.ids.get(fields["target"], fields["target"])
                slots = fields["slots"]
                return self.ledger.erase(target, slots=slots, reason="asked", authority="desk")
            case _:
                return self.teller._hand_in(op, fields)

    def _plain(self, message: str) -> str:
        first = self.teller.first
        return SUGGESTED.sub("", UUID.sub(lambda id_: first.get(id_[0], "?"), message))

    def log(self) -> list[tuple[object, ...]]:
        """The log with its ids told as what they are of."""
        rows: list[tuple[object, ...]] = []
        for one in self.ledger.events():
            self.teller.first.setdefault(one.id, f"#{one.sequence}")
            names = self._plain(one.id), self._plain(one.stream), self._plain(repr(one.event))
            rows.append((one.type, one.stream_v, *names))
        return rows


def told_in(url: str, *, fetching: bool) -> Told:
    clock = Clock()
    return Told(Ledger.open(url, clock=clock), clock, fetching=fetching)


@contextlib.contextmanager
def fetched(told: Told) -> Iterator[Facts]:
    """What a ledger has that does not fold its log."""
    near = thrifty(told.ledger._folded)
    assert near is not None
    with near.connected() as conn, near.fold.lock:
        yield near.fold.at_head(conn)
