"""A fold that holds the records that are no acts, and of acts and documents what was asked for.

Here lives `Near`, which entries are checked against where a log is too long to be held. It is
`Facts` in which what is missed is fetched from a `Source`, with all that bears on it, and laid in
as if it had been there all along. What would need all acts at once is refused by `Unheld`: whoever
meets that goes on with `Facts`. Where a source finds things is in `ledger.narrowing`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, Protocol, TypeVar

from ledger.model import events as ev
from ledger.projections.changing import changed_by
from ledger.projections.effective import Facts
from ledger.projections.indexing import OF_THE_FRAME, entries, host_ids
from ledger.projections.missing import Fetched, Unheld

T = TypeVar("T")

_HELD: Final = frozenset(
    {"joint_of", "members_of", "memberships_of", "merge_of", "merged_into", "names_of"}
    | {"occurrences_of", "propositions_in", "topics_in"}
)
_FETCHED: Final = frozenset(
    {"relations_from", "relations_to", "revision_of", "revisions_of", "withdrawals_of"}
)
_UTTERED: Final = "acts_of_utterance"
FETCHED_KINDS: Final = frozenset({"claim", "document", "utterance"})
"""The kinds of ids of which there are as many as there are claims."""


class Source(Protocol):
    """Where events are that are not held: each answer comes with all that bears on it, in order.

    That is what changes it, what it changes, its utterance, what it names, and whatever a host
    knew by the same id.
    """

    def of_ids(self, ids: Collection[str]) -> Iterable[ev.StoredEvent]:
        """The events with some ids."""

    def of_key(self, kind: str, key: str) -> Iterable[ev.StoredEvent]:
        """What a host knows by an id of its own, or knew."""

    def of_utterance(self, utterance: str) -> Iterable[ev.StoredEvent]:
        """The acts of an utterance."""

    def lately(self, kind: str) -> Iterable[str]:
        """What a host calls the last claims or documents, for whoever mistyped an id."""


class Near(Facts):
    """The facts of `size` events, of which those that are no acts are given.

    Events that come later are applied as to any `Facts`, and can be taken back.
    """

    def __init__(
        self,
        records: Iterable[ev.StoredEvent],
        source: Source,
        *,
        size: int,
        last_recorded: dt.datetime,
    ) -> None:
        super().__init__()
        self._source = source
        self._asked: set[tuple[str, str]] = set()
        self._fetching = False
        self._last = last_recorded
        missing = functools.partial(self._fetch, "id")
        self.stored, self.effective = Fetched(missing), Fetched(missing)
        self._laid_in(records)
        self.size = self.floor = size
        self.last_recorded = last_recorded

    # -- folding ----------------------------------------------------------------------------

    def apply(self, stored: ev.StoredEvent) -> None:
        """Take the next event of the log, once what was there first is here."""
        if not self._fetching:
            self._meet(stored)
        version = self._streams.get(stored.stream, -1)
        super().apply(stored)
        self._streams[stored.stream] = max(version, stored.stream_v)

    def take_back(self, many: int = 1) -> list[ev.StoredEvent]:
        """Forget the last events; what was given or fetched stays."""
        taken = super().take_back(many)
        if self.size == self.floor:
            self.last_recorded = self._last
        return taken

    def _meet(self, stored: ev.StoredEvent) -> None:
        """Fetch what was there first: earlier changes of a record, whoever else has its id."""
        if (target := changed_by(stored)) is not None:
            self._fetch("id", target)
        for kind, key in host_ids(stored.event):
            self.id_of(kind, key)

    def _laid_in(self, events: Iterable[ev.StoredEvent]) -> None:
        """Apply older events beneath those that may be taken back."""
        behind, before = self.at, (self.size, self.last_recorded, self._keys.journal)
        self.at, self._fetching = list[str](), True
        self._keys.journal = deque[Any](maxlen=1)  # what was there first is never taken back
        try:
            for stored in events:
                if not dict.__contains__(self.stored, stored.id):
                    self.apply(stored)
        finally:
            self.at += behind
            self.size, self.last_recorded, self._keys.journal = before
            self._fetching = False

    def _fetch(self, kind: str, id_: str) -> None:
        """Fetch what an id is of, unless that was done."""
        if self._fetching or (kind, id_) in self._asked:
            return
        if kind == "id" and dict.__contains__(self.stored, id_):
            return
        if kind == "id":
            found = self._source.of_ids([id_])
        elif kind == _UTTERED:
            found = self._source.of_utterance(id_)
        else:
            found = self._source.of_key(kind, id_)
        self._laid_in(found)
        self._asked.add((kind, id_))  # not before: whoever is cut off has learnt nothing

    def _add_to_index(self, id_: str, event: ev.Event) -> None:
        super()._add_to_index(id_, event)
        self._unsorted.update(entries(event))  # later events may be here already

    # -- finding ----------------------------------------------------------------------------

    def changes_of(self, id_: str) -> tuple[str, ...]:
        """The amendments and corrections of a record, live or not, in recorded order."""
        self._fetch("id", id_)
        return super().changes_of(id_)

    def indexed(self, relation: str, id_: str) -> tuple[str, ...]:
        """As `Facts.indexed`, of what can be fetched for one id.

        Raises:
            Unheld: it would take all acts of a party, a proposition or a document.
        """
        if relation in _FETCHED:
            self._fetch("id", id_)
        elif relation == _UTTERED:
            self._fetch(_UTTERED, id_)
        elif relation not in _HELD:
            raise Unheld(f"{relation} is not held")
        return super().indexed(relation, id_)

    def of_type(self, cls: type[T]) -> Iterator[tuple[str, T]]:
        """As `Facts.of_type`, of records that are no acts."""
        if cls not in OF_THE_FRAME:
            raise Unheld(f"{cls.__name__} are not held")
        return super().of_type(cls)

    def id_of(self, kind: str, key: str) -> str | None:
        """The ledger's id for a host's id."""
        if kind in FETCHED_KINDS:
            self._fetch(kind, key)
        return super().id_of(kind, key)

    def one_bears(self, kind: str, key: str) -> bool:
        """Whether a host surely gave an id to one record, or one act, only."""
        self.id_of(kind, key)
        return super().one_bears(kind, key)

    def keys(self, kind: str) -> tuple[str, ...]:
        """Host ids of a kind: of acts and documents the last ones, and what was fetched."""
        return (*super().keys(kind), *self._source.lately(kind))

    def stream_version(self, stream: str) -> int:
        """The version of a stream's last event, -1 where there is no such stream."""
        self._fetch("id", stream)
        return super().stream_version(stream)
