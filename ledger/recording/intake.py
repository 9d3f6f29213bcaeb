"""One append in the making: the facts, the events made so far, and how they are found.

Events of one append may name each other (a party and its names, two claims of a new utterance),
so everything is looked up here first and in the facts second.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from ledger.errors import AlreadyRecorded, Invalid, WrongExpectedVersion
from ledger.model import events as ev
from ledger.model.claim import REFERRING_BACK
from ledger.model.text import show
from ledger.projections import naming
from ledger.projections.effective import Facts
from ledger.projections.indexing import KEYED
from ledger.recording.ids import new_id

T = TypeVar("T")


@attrs.frozen
class Made:
    """What came of one thing handed in: its id, its events, or the event that was there already."""

    id: str
    public: str
    events: tuple[str, ...]
    already: str | None = None


class Intake:
    """The events of one append, checked against the facts and against each other.

    `ids` are those that an earlier try gave, by place: where another append came first, the same
    entry gets them again. So a record takes as many places where it is there already as where it
    is new; those that come after it would else get other ids than were told.

    `changed` are records that read otherwise since, by what they said at first: where it is given,
    they are not entered a second time, as an import must not undo what was corrected.
    """

    def __init__(
        self, facts: Facts, *, now: dt.datetime, ids: dict[int, str] | None = None
    ) -> None:
        self.changed: Mapping[ev.Event, str] | None = None
        self.facts = facts
        self.now = now
        self._ids = {} if ids is None else ids
        self._place = 0
        self.new: list[ev.NewEvent] = []
        self._events: dict[str, ev.Event] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._versions: dict[str, int] = {}
        self._streams: dict[str, str] = {}
        self._joins: dict[ev.Event, str] = {}
        self._standing: dict[tuple[str, str], dict[ev.Event, str]] = {}
        self._behind: dict[str, list[str]] = {}

    # -- finding ----------------------------------------------------------------------------

    def find(self, kind: str, given: str) -> str:
        """The ledger id of a record by any of its ids, shown ids of merged ones as they are."""
        if isinstance(given, str) and (id_ := self._keys.get((kind, given))) is not None:
            return id_
        return naming.find(self.facts, kind, given)

    def taken(self, kind: str, key: str | None, event: ev.Event | None = None) -> str | None:
        """The ledger id that has a host id already; struck-out records give theirs back.

        But where they are not to come back, a struck-out `event` keeps it for itself.
        """
        if key is None:
            return None
        id_ = self._keys.get((kind, key)) or self.facts.id_of(kind, key)
        if id_ is None or self.get(id_, object) is not None or self._erased(id_):
            return id_
        kept_out = self.changed is not None and self.original(id_) == event
        return id_ if kept_out else None

    def kept_out(self, kind: str, key: str) -> str | None:
        """The struck-out record of a host's id, where such are not to come back."""
        id_ = None if self.changed is None else self.facts.id_of(kind, key)
        return id_ if id_ is not None and self.get(id_, object) is None else None

    def once(self, event: ev.Event) -> str | None:
        """The record that said the very same at first, where such are not entered again."""
        return None if self.changed is None else self.changed.get(event)

    def _erased(self, id_: str | None) -> bool:
        stored = self.facts.stored.get(id_ or "")
        return stored is not None and isinstance(stored.event, ev.Remains)

    def get(self, id_: str | None, cls: type[T]) -> T | None:
        """The effective record of a ledger id, of this append or of the facts."""
        if id_ in self._events:
            event = self._events[id_]
            return event if isinstance(event, cls) else None
        return self.facts.get(id_, cls)

    def new_act(self, id_: str) -> ev.Act | None:
        """A claim or withdrawal of this append, of which the facts know nothing yet."""
        event = self._events.get(id_)
        return event if isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn) else None

    def behind(self, id_: str) -> Sequence[str]:
        """What a claim refers back to, or a document revises, by events of this append."""
        return self._behind.get(id_, ())

    def original(self, id_: str) -> Any:
        """A record as it was first entered, before any change."""
        return self._events[id_] if id_ in self._events else self.facts.stored[id_].event

    def utterance(self, key: str | None) -> str | None:
        """The ledger's id for an utterance that a host named; a new one where it is new."""
        if key is None:
            return None
        if ("utterance", key) not in self._keys:
            new = self._new_id()
            self._keys["utterance", key] = self.facts.id_of("utterance", key) or new
        return self._keys["utterance", key]

    def public(self, id_: str | None) -> str:
        """The id to show."""
        event = self._events.get(id_ or "")
        return getattr(event, "key", None) or self.facts.public(id_)

    # -- making -----------------------------------------------------------------------------

    def add(self, event: ev.Event, *, stream: str | None = None) -> str:
        """Take an event into the append, in a stream of its own or behind another's."""
        id_ = self._new_id()
        if stream is None:
            stream, self._versions[id_] = id_, -1
        elif stream not in self._versions:
            self._versions[stream] = self.facts.stream_version(stream)
        self._versions[stream] += 1
        new = ev.NewEvent(id=id_, stream=stream, stream_v=self._versions[stream], event=event)
        self.new.append(new)
        self._events[id_] = event
        self._streams[id_] = stream
        if isinstance(event, ev.PartyNamed | ev.MembershipRecorded | ev.ClaimsRelated):
            self._joins.setdefault(event, id_)
        if isinstance(event, ev.ClaimsRelated) and event.relation in REFERRING_BACK:
            self._behind.setdefault(event.claim, []).append(event.target)
        if isinstance(event, ev.DocumentRevised):
            self._behind.setdefault(event.document, []).append(event.revises)
        kind, key = KEYED.get(type(event)), getattr(event, "key", None)
        if kind is not None and key is not None:
            self._keys[kind, key] = id_
        return id_

    def _new_id(self) -> str:
        if self._place not in self._ids:
            self._ids[self._place] = new_id(self.now)
        self._place += 1
        return self._ids[self._place - 1]

    def expect(self, id_: str, version: int | None) -> None:
        """Refuse to go on unless the stream of a record is at a version; None is any.

        Raises:
            Invalid: `version` is no whole number.
            WrongExpectedVersion: it is at another one.
        """
        if isinstance(version, bool) or not isinstance(version, int | None):
            raise Invalid(
                f"expected={show(version)} is no version. Give a whole number, from "
                "receipt.version, or leave it out.",
                field="expected",
                given=version,
            )
        actual = self.facts.stream_version(self.stream_of(id_))
        if version is not None and version != actual:
            raise WrongExpectedVersion(
                f"{show(self.public(id_))} was expected at version {version}, but it is at "
                f"version {actual}: somebody changed it. Look at it again and decide anew.",
                stream=self.stream_of(id_),
                expected=version,
                actual=actual,
            )

    def stream_of(self, id_: str) -> str:
        """The stream that an event is in."""
        found = self._streams.get(id_)
        return self.facts.stored[id_].stream if found is None else found

    def alike(self, relation: str, id_: str, event: ev.Event) -> str | None:
        """The live record that says the very same: a party's name or membership, a relation.

        There may be thousands of them, so they are looked through once.
        """
        standing = self._standing.get((relation, id_))
        if standing is None:
            standing = dict[ev.Event, str]()
            for one in self.facts.indexed(relation, id_):
                if (found := self.get(one, object)) is not None:
                    standing.setdefault(cast("ev.Event", found), one)
            self._standing[relation, id_] = standing
        there = standing.get(event) or self._joins.get(event)
        return there or self.once(event)

    def made(self, id_: str, events: Sequence[str] = ()) -> Made:
        """The account of a record that was made."""
        return Made(id_, self.public(id_), (id_, *events))

    def already(self, id_: str, *, events: int = 1) -> Made:
        """The account of a record that was there, word for word, in so many events."""
        self._place += events
        return Made(id_, self.public(id_), (), already=id_)

    def same_or_refuse(self, kind: str, key: str, id_: str, *, same: bool, events: int = 1) -> Made:
        """The same record again is no news; another one under a taken id is refused."""
        if same:
            return self.already(id_, events=events)
        stored = self.facts.stored.get(id_)
        where = f" at sequence {stored.sequence}" if stored else " in this append"
        if stored is not None and any(slot != "by" for slot in stored.erased):
            raise AlreadyRecorded(
                f"The {kind} id {show(key)} is taken by a record{where} that was erased in part: "
                "what is gone does not come back. Choose another id if this is another record.",
                given=key,
                sequence=stored.sequence,
            )
        raise AlreadyRecorded(
            f"The {kind} id {show(key)} is taken by a record with other content{where}. Use "
            "ledger.amend(id, reason=..., ...) if the entry was wrong, or choose another id.",
            given=key,
            sequence=stored.sequence if stored else -1,
        )
