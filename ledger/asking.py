"""The questions that are asked of now, and the log as it stands and grows.

Each question is that of the view of this moment; reading and waiting is in `ledger.following`.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import attrs

from ledger import comparing, following, paging
from ledger.consuming import Cursor
from ledger.errors import InvalidView
from ledger.folding import Folded
from ledger.handed import Id, id_of, plain_fields
from ledger.model.events import StoredEvent
from ledger.model.text import did_you_mean, near, show
from ledger.paging import Types
from ledger.projections import (
    accounts,
    difference,
    explaining,
    listing,
    provenance,
    resting,
    silence,
    standing,
    versions,
)
from ledger.projections.logbook import LogLine
from ledger.projections.perspectives import Contradiction, Divergence, Positions
from ledger.projections.policies import Policy
from ledger.projections.scope import Scope
from ledger.projections.timeline import Timeline
from ledger.store.follow import Stop
from ledger.view import View


class Asking(abc.ABC):
    """What a ledger answers of now; `as_of` gives the same questions for other dates."""

    _folded: Folded

    @abc.abstractmethod
    def as_of(self) -> View:
        """The view of this moment."""

    def position(
        self, party: Id, proposition: Id, *, policy: str | Policy = "latest"
    ) -> standing.Position:
        """Where a party stands on a proposition now; `View.position` for another date."""
        return self.as_of().position(id_of(party), id_of(proposition), policy=policy)

    def explain(
        self,
        party: Id | standing.Position,
        proposition: Id | None = None,
        *,
        policy: str | Policy = "latest",
    ) -> explaining.Explanation:
        """Explain where a party stands now, or a position of any view, step by step.

        Raises:
            InvalidView: the position is another ledger's, or no proposition was named.
        """
        view = self.as_of()
        if not isinstance(party, standing.Position):
            named = None if proposition is None else id_of(proposition)
            return view.explain(id_of(party), named, policy=policy)
        if party.basis > view.basis:
            raise InvalidView(
                f"That position rests on {party.basis} events, and this log has {view.basis}: it "
                "is another ledger's.",
                field="position",
                given=party.sentence(),
            )
        return attrs.evolve(view, said=party.said, basis=party.basis).explain(party, policy=policy)

    def positions(
        self,
        *,
        topic: Id | None = None,
        party: Id | None = None,
        proposition: Id | None = None,
        policy: str | Policy = "latest",
    ) -> Positions:
        """Every position on a topic or a proposition, or of a party, now."""
        wanted = plain_fields({"topic": topic, "party": party, "proposition": proposition})
        return self.as_of().positions(**wanted, policy=policy)

    def claims(self, /, **filters: Any) -> listing.Claims:
        """The claims of now; the filters are those of `View.claims`.

        Raises:
            InvalidView: there is no such filter.
        """
        _check_filters(filters)
        return self.as_of().claims(**plain_fields(filters))

    def timeline(self, party: Id, topic: Id, *, policy: str | Policy = "latest") -> Timeline:
        """A party's claims on a topic (or one proposition) over time: runs and turns."""
        return self.as_of().timeline(id_of(party), id_of(topic), policy=policy)

    def contradictions(
        self, *, party: Id | None = None, topic: Id | None = None, proposition: Id | None = None
    ) -> tuple[Contradiction, ...]:
        """Pairs of parties of which one supports and one opposes a proposition now."""
        wanted = plain_fields({"party": party, "topic": topic, "proposition": proposition})
        return self.as_of().contradictions(**wanted)

    def divergences(
        self, *, party: Id | None = None, topic: Id | None = None, proposition: Id | None = None
    ) -> tuple[Divergence, ...]:
        """Pairs of claims that describe one occurrence differently, without denial."""
        wanted = plain_fields({"party": party, "topic": topic, "proposition": proposition})
        return self.as_of().divergences(**wanted)

    def perspectives(self, occurrence: Id) -> accounts.Accounts:
        """How the parties describe an occurrence, side by side."""
        return self.as_of().perspectives(id_of(occurrence))

    def silences(self, topic: Id) -> silence.Silences:
        """The parties that said nothing on propositions of a topic on which others spoke."""
        return self.as_of().silences(id_of(topic))

    def trace(self, claim: Id, *, document_text: str | None = None) -> provenance.Trace:
        """Trace a claim to its words, its document, its log entry and the proof of that entry."""
        return self.as_of().trace(id_of(claim), document_text=document_text)

    def resting_on(self, document: Id) -> resting.RestingOn:
        """The claims of a document, and the positions that would change without it."""
        return self.as_of().resting_on(id_of(document))

    def attributed_to(self, party: Id) -> resting.AttributedTo:
        """All claims in which a party has a role now."""
        return self.as_of().attributed_to(id_of(party))

    def evidence(self, party: Id, proposition: Id) -> resting.PositionTrace:
        """A position of now, with the trace of each claim that bears on it."""
        return self.as_of().evidence(id_of(party), id_of(proposition))

    def check_quotes(
        self, document: Id | None = None, *, texts: Mapping[str, str] | None = None
    ) -> versions.QuoteChecks:
        """Check whether each quotation is in its document, and in later versions of it."""
        one = None if document is None else id_of(document)
        return self.as_of().check_quotes(one, texts=texts)

    def diff(
        self,
        before: View,
        after: View,
        *,
        party: Id | None = None,
        topic: Id | None = None,
        proposition: Id | None = None,
    ) -> difference.Difference:
        """What changed between two views: claims that came or went, positions that differ.

        `party` selects claims that reach it and its positions, `topic` and `proposition` those on
        it, in either view.

        Raises:
            NotFound: neither view knows the party, topic or proposition.
        """
        scope = Scope(**plain_fields({"party": party, "topic": topic, "proposition": proposition}))
        return comparing.diff(before, after, scope)

    # -- the log ----------------------------------------------------------------------------

    def events(
        self,
        *,
        after: int = -1,
        stream: str | None = None,
        types: Types | None = None,
        limit: int | None = None,
    ) -> Iterator[StoredEvent]:
        """The events after the sequence number `after`, in order, in constant memory.

        `stream` and `types` (names or classes of events) leave out others.

        Raises:
            UnknownEventType: one of the types does not exist.
        """
        return paging.events(self._folded, after=after, stream=stream, types=types, limit=limit)

    def follow(
        self,
        *,
        after: int = -1,
        stream: str | None = None,
        types: Types | None = None,
        stop: Stop | None = None,
        poll: float = 1.0,
        idle: Callable[[int], object] | None = None,
        name: str = "follow",
    ) -> Generator[StoredEvent, None, None]:
        """The events after `after`, then each as it is committed: once, in order, without end.

        A commit in any process wakes it; it also looks every `poll` seconds. It ends when `stop` is
        set, or `stop()` is true. `idle` is called with a sequence number each time everything up to
        it has been read. Metrics report its lag under `name`.

        Raises:
            StoreError: the ledger is bound to a host's connection or session.
            MissingEntry: the log ends before `after`: it was restored from an older copy, or cut.
        """
        follower = following.Follower.of(
            self._folded,
            after=after,
            stream=stream,
            types=types,
            stop=stop,
            poll=poll,
            idle=idle,
            name=name,
        )
        return following.followed(follower)

    def wait_for(self, sequence: int, *, timeout: float = 10.0, poll: float = 1.0) -> bool:
        """Wait until this database has the event at a sequence number (a replica may be late).

        Raises:
            TimedOut: it did not within `timeout` seconds.
        """
        return following.wait_for(self._folded, sequence, timeout=timeout, poll=poll)

    def cursor(self, name: str) -> Cursor:
        """How far a consumer of yours has read, stored in this database under its name.

        Raises:
            InvalidCursor: the name cannot be used.
        """
        return Cursor(self._folded, name)

    def log(self, *, after: int = -1, limit: int | None = None) -> Iterator[LogLine]:
        """The log, one line for each event, in constant memory."""
        return paging.lines(self._folded, after=after, limit=limit)


def _check_filters(given: Mapping[str, Any]) -> None:
    known = tuple(field.name for field in attrs.fields(listing.Filters))
    for name in given:
        if name not in known:
            raise InvalidView(
                f"Claims are not filtered by {show(name)}.{did_you_mean(near(name, known))} "
                f"The filters are {', '.join(known)}.",
                field=name,
                given=given[name],
            )
