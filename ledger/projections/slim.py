"""A fold that holds no claims and no documents, for checking many new records in little memory.

Here lives `Slim`, which answers what is asked of single records, and refuses, by `Unheld`, what
would need all claims at once: whoever meets that goes on with `Facts`. Where the records go
meanwhile is a `Shelf`, which knows the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

from ledger.model import events as ev
from ledger.projections import changing
from ledger.projections.effective import Facts
from ledger.projections.indexing import keys_of
from ledger.projections.missing import Found, Unheld
from ledger.projections.near import FETCHED_KINDS

T = TypeVar("T")

SHELVED: Final = (ev.ClaimRecorded, ev.DocumentRegistered)
"""The records that are as many as there are lines; of all others a ledger has far fewer."""

_UNHELD: Final = frozenset({"claims_on", "acts_naming", "acts_in", "documents_of"})


class Shelf(Protocol):
    """Where records are kept: their ids by a host's id, the acts of an utterance, the events."""

    def clear(self) -> None:
        """Forget everything."""

    def put(self, kind: str, key: str, id_: str) -> None:
        """Keep a record's id; what was there before under that kind and key is replaced."""

    def id_of(self, kind: str, key: str) -> str | None:
        """The id that was put there last."""

    def keys(self, kind: str) -> Iterator[str]:
        """Keys of a kind, or as many as it takes to find a near one."""

    def add_act(self, utterance: str, id_: str) -> None:
        """Keep that an act is of an utterance."""

    def acts_of(self, utterance: str) -> tuple[str, ...]:
        """The acts that were added to an utterance, in order."""

    def hold(self, stored: ev.StoredEvent) -> None:
        """Hold an event for a while, since it will be asked for soon."""

    def let_go(self, id_: str) -> None:
        """Hold an event no longer."""

    def event(self, id_: str, before: int) -> ev.StoredEvent | None:
        """A stored event whose sequence is before a size, from the log."""


class Slim(Facts):
    """The folded prefix of a log without its claims and documents, for intake.

    Example:
        >>> from ledger.model.events import ClaimRecorded
        >>> list(Slim(None).of_type(ClaimRecorded))
        Traceback (most recent call last):
        ledger.projections.missing.Unheld: claims are not held
    """

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._shelf = shelf
        self.stored = _Stored(self, shelf)
        self.effective = _Effective(self)

    def apply(self, stored: ev.StoredEvent) -> None:
        """Take the next event of the log; a claim or a document goes to the shelf."""
        event = stored.event
        if not isinstance(event, SHELVED) or stored.stream != stored.id:
            if isinstance(event, ev.ContentErased):
                self._shelf.let_go(event.target)  # the log has less of it than is held
            super().apply(stored)
            return
        self.size = stored.sequence + 1
        self.last_recorded = stored.recorded
        self._memo.clear()
        if isinstance(event, ev.DocumentRegistered):
            self._shelf.hold(stored)  # its claims come next
        self._put(stored.id, event)

    def _put(self, id_: str, event: ev.Event) -> None:
        """Note on the shelf how a record can be found, as `Facts` keeps its indexes."""
        for entry in keys_of(event):
            former = self.id_of(*entry)
            if former is None or former not in self.effective:
                self._keys.pop(entry, None)
                self._shelf.put(*entry, id_)
        if isinstance(event, ev.ClaimRecorded):
            if event.utterance is not None:
                self._shelf.add_act(event.utterance, id_)
            named = event.utterance_key
            if named and self.id_of("utterance", named) is None:
                self._shelf.put("utterance", named, event.utterance or id_)

    def take_back(self, many: int = 1) -> list[ev.StoredEvent]:
        """Refuse: what a shelf was given is not taken back. A fold begins anew instead."""
        if many:
            raise Unheld("events are not taken back")
        return []

    def _key(self, entry: tuple[str, str], id_: str) -> None:
        there = self._shelf.id_of(*entry)
        if there is None or (entry[0] != "utterance" and there not in self.effective):
            super()._key(entry, id_)

    # -- finding ----------------------------------------------------------------------------

    def indexed(self, relation: str, id_: str) -> tuple[str, ...]:
        """As `Facts.indexed`, of the records that are held."""
        if relation in _UNHELD:
            raise Unheld(f"{relation} is not held")
        found = super().indexed(relation, id_)
        if relation == "acts_of_utterance" and (more := self._shelf.acts_of(id_)):
            acts = ((one, self.effective.get(one)) for one in more)
            live = [one for one, act in acts if getattr(act, "utterance", None) == id_]
            found = tuple(sorted({*found, *live}, key=self._sequence))
        return found

    def of_type(self, cls: type[T]) -> Iterator[tuple[str, T]]:
        """As `Facts.of_type`, of types that are held."""
        if cls in SHELVED:
            raise Unheld("claims are not held")
        return super().of_type(cls)

    def id_of(self, kind: str, key: str) -> str | None:
        """The ledger's id for a host's id."""
        return super().id_of(kind, key) or self._shelf.id_of(kind, key)

    def one_bears(self, kind: str, key: str) -> bool:
        """As `Facts.one_bears`; the shelf tells of its records which came last alone."""
        return kind not in FETCHED_KINDS and super().one_bears(kind, key)

    def keys(self, kind: str) -> tuple[str, ...]:
        """Host ids of a kind; of claims and documents not all."""
        return (*super().keys(kind), *self._shelf.keys(kind))

    def stream_version(self, stream: str) -> int:
        """The version of a stream's last event, -1 where there is no such stream."""
        held = super().stream_version(stream)
        return held if held >= 0 or stream not in self.stored else 0


class _Stored(Found[ev.StoredEvent]):
    """The events of the records that are held; any other is asked of the shelf."""

    def __init__(self, facts: Slim, shelf: Shelf) -> None:
        super().__init__()
        self._facts = facts
        self._shelf = shelf

    def __missing__(self, id_: str) -> ev.StoredEvent:
        found = self._shelf.event(id_, self._facts.size)
        if found is None:
            raise KeyError(id_)
        return found


class _Effective(Found[ev.Event]):
    """The effective form of the records that are held; of any other it is computed when asked."""

    def __init__(self, facts: Slim) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, id_: str) -> ev.Event:
        stored = self._facts.stored
        if dict.__contains__(stored, id_) or id_ not in stored:
            raise KeyError(id_)
        event = changing.evaluate(self._facts, id_).event
        if event is None:
            raise KeyError(id_)
        return event
