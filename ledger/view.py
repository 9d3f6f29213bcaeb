"""The view: a ledger as of two dates, what had been said by then and what was known by then.

A view only asks. It carries its basis, the number of events it is computed from, so that any
answer can be had again exactly. What the questions mean is in `ledger.projections`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Literal, TypeVar

import attrs

from ledger import auditing, paging
from ledger.codec.entry import Row
from ledger.errors import InvalidView
from ledger.folding import Folded
from ledger.merkle.checkpoint import Checkpoint
from ledger.model import events as ev
from ledger.model.moment import Edtf, Knob
from ledger.model.text import show
from ledger.narrowing import Asked, ask, columns, plain
from ledger.narrowing.columns import Columns, Progress
from ledger.projections import (
    accounts,
    catalogue,
    explaining,
    listing,
    naming,
    perspectives,
    provenance,
    resting,
    silence,
    standing,
    versions,
)
from ledger.projections.effective import Facts
from ledger.projections.perspectives import Contradiction, Divergence, Positions
from ledger.projections.policies import Policy, named_again
from ledger.projections.scope import Scope
from ledger.projections.timeline import Timeline

Day = str | dt.date
T = TypeVar("T")


def day_of(value: Day | None, name: str) -> dt.date | None:
    """A plain day, for what is asked for a day."""
    if value is None:
        return None
    knob = Knob.parse(value, name=name)
    if knob.day is None:
        raise InvalidView(
            f"{name}= is for a day, such as {name}='2023-02-22', not {show(value)}.",
            field=name,
            given=value,
        )
    return knob.day


@attrs.frozen(kw_only=True, eq=False)
class View:
    """A read-only view of a ledger as of two dates; made by `Ledger.as_of` and `Ledger.replay`.

    `said` is the date by which claims had been said; `basis` is the number of events that were
    known. A view is `settled` once the log has gone past its `known`: then no later event
    but an erasure changes it.
    """

    said: Knob
    known: Knob | int | None
    basis: int
    settled: bool
    _folded: Folded = attrs.field(repr=False)

    def facts(self) -> AbstractContextManager[Facts]:
        """The folded events of the basis, to be used inside the context."""
        return self._folded.facts_at(self.basis)

    def _ask(self, question: Callable[[Asked], T]) -> T:
        return ask(self._folded, self.basis, self.said, question)

    def __str__(self) -> str:
        known = "the last event" if self.known is None else str(self.known)
        events = "1 event" if self.basis == 1 else f"{self.basis} events"
        return f"said by {self.said}, known by {known} ({events})"

    # -- positions --------------------------------------------------------------------------

    def position(
        self, party: str, proposition: str, *, policy: str | Policy = "latest"
    ) -> standing.Position:
        """Where a party stands on a proposition.

        `policy` says which claims count: `latest` (all), `own_level_first`,
        `highest_authority_first`, or a function from candidates to those that do.

        Raises:
            UnknownParty: no such party in this view; near matches are named.
            UnknownProposition: no such proposition; if it is a topic, the message says so.
        """
        quick = plain.position(self._folded, self.basis, (party, proposition), self.said, policy)
        if isinstance(quick, standing.Position):
            return quick
        return self._ask(lambda asked: asked.position(party, proposition, policy, quick))

    def explain(
        self,
        party: str | standing.Position,
        proposition: str | None = None,
        *,
        policy: str | Policy = "latest",
    ) -> explaining.Explanation:
        """Explain a position step by step: every claim, kept or dropped, and why.

        Takes a party and a proposition, or a position that this view gave.

        Raises:
            InvalidView: the position is another view's, or no proposition was named.
        """
        if isinstance(party, standing.Position):
            if (party.said, party.basis) != (self.said, self.basis):
                raise InvalidView(
                    f"That position is of another view: said by {party.said}, {party.basis} "
                    f"events; this one is {self}. Ask ledger.explain(position).",
                    field="position",
                    given=party.sentence(),
                )
            if policy == "latest":
                policy = named_again(party.policy)
            proposition = party.proposition
            party = party.party
        if proposition is None:
            raise InvalidView(
                "Say what is to be explained: explain(position), or explain(party, proposition).",
                field="proposition",
                given=proposition,
            )
        who, what = party, proposition
        return self._ask(lambda asked: asked.explain(who, what, policy))

    def positions(
        self,
        *,
        topic: str | None = None,
        party: str | None = None,
        proposition: str | None = None,
        policy: str | Policy = "latest",
    ) -> Positions:
        """Every position on a topic or a proposition, or of a party; silent ones are left out."""
        scope = Scope(party=party, topic=topic, proposition=proposition)
        if not scope.narrow:
            raise InvalidView(
                "Say whose positions, or on what: positions(topic=...), positions(proposition=...) "
                "or positions(party=...). Everybody's on everything: columns()."
            )
        return self._ask(lambda asked: asked.positions(scope, policy))

    def timeline(self, party: str, topic: str, *, policy: str | Policy = "latest") -> Timeline:
        """A party's claims on a topic (or one proposition) over time: runs and turns."""
        return self._ask(lambda asked: asked.timeline(party, topic, policy))

    def columns(self, *, progress: Progress | None = None) -> Columns:
        """Everybody's positions on every proposition and day, kept in memory.

        Making it takes long; then each day is answered in milliseconds. `progress` is called with
        the number of propositions done.

        Example:
            >>> from ledger import Ledger
            >>> from ledger.testing import lachin
            >>> with Ledger.open(":memory:") as ledger:
            ...     lachin.load(ledger)
            ...     held = ledger.as_of().columns()
            >>> [(one.proposition, one.status) for one in held.at("2023-02-22", party="az")]
            [('protest', 'held'), ('unlawful', 'possible')]
        """
        return columns.columns_of(self._folded, self.basis, progress)

    def contradictions(
        self, *, party: str | None = None, topic: str | None = None, proposition: str | None = None
    ) -> tuple[Contradiction, ...]:
        """Pairs of parties of which one supports and one opposes a proposition.

        `party` selects the pairs in which it is one of the two.
        """
        scope = Scope(party=party, topic=topic, proposition=proposition)
        if scope.narrow:
            return self._ask(lambda asked: asked.contradictions(scope))
        with self.facts() as facts:
            return perspectives.contradictions(facts, self.said)

    def divergences(
        self, *, party: str | None = None, topic: str | None = None, proposition: str | None = None
    ) -> tuple[Divergence, ...]:
        """Pairs of claims that describe one occurrence differently, without denial.

        `party` selects the pairs in which it made one claim; `topic` and `proposition` those in
        which at least one claim is on it.
        """
        scope = Scope(party=party, topic=topic, proposition=proposition)
        if scope.narrow:
            return self._ask(lambda asked: asked.divergences(scope))
        with self.facts() as facts:
            return perspectives.divergences(facts, self.said)

    def perspectives(self, occurrence: str) -> accounts.Accounts:
        """How the parties describe an occurrence, side by side, in their own words."""
        return self._ask(lambda asked: asked.accounts(occurrence))

    def silences(self, topic: str) -> silence.Silences:
        """The parties silent on propositions of a topic on which others spoke, and since when."""
        return self._ask(lambda asked: asked.silences(topic))

    # -- claims -----------------------------------------------------------------------------

    def claims(
        self,
        *,
        party: str | None = None,
        claimant: str | None = None,
        proposition: str | None = None,
        topic: str | None = None,
        document: str | None = None,
        utterance: str | None = None,
        act: str | None = None,
        stance: str | None = None,
        certainty: Literal["certain", "possible"] | None = None,
        about: str | None = None,
        published: Day | None = None,
    ) -> listing.Claims:
        """The claims said by the view's date, certain and possible, withdrawn ones marked.

        `party` selects claims that reach it, `claimant` those that it made, `about` (EDTF) those
        that may speak of that time, `published` those whose document was surely out by that day.
        """
        wanted = listing.Filters(
            party=party,
            claimant=claimant,
            proposition=proposition,
            topic=topic,
            document=document,
            utterance=utterance,
            act=act,
            stance=stance,
            certainty=certainty,
            about=None if about is None else Edtf.parse(about, field="about"),
            published=day_of(published, "published"),
        )
        if wanted.narrow:
            return self._ask(lambda asked: asked.claims(wanted))
        with self.facts() as facts:
            return listing.claims(facts, self.said, wanted.found(facts))

    def trace(self, claim: str, *, document_text: str | None = None) -> provenance.Trace:
        """Trace a claim to its words: chain, quotation, document, every event, and the proof.

        `document_text` is the text of a document that was registered without it, to show the
        words in their context.

        Raises:
            UnknownClaim: no such claim in this view; near matches are named.
            InvalidDocument: `document_text` is another document's, or the claim is in none.
        """
        found = self._ask(lambda asked: asked.trace(claim, document_text))
        with self._folded.reading() as conn:
            return auditing.proved(conn, self._folded, found)

    def resting_on(self, document: str) -> resting.RestingOn:
        """The claims of a document, and the positions that would change without it.

        Raises:
            UnknownDocument: no such document in this view; near matches are named.
        """
        return self._ask(lambda asked: asked.resting_on(document))

    def attributed_to(self, party: str) -> resting.AttributedTo:
        """All claims in which a party has a role: its own, those that reach it, those it reports.

        Raises:
            UnknownParty: no such party in this view; near matches are named.
        """
        return self._ask(lambda asked: asked.attributed_to(party))

    def evidence(self, party: str, proposition: str) -> resting.PositionTrace:
        """A position, with the trace of each claim that bears on it.

        Raises:
            UnknownParty: no such party in this view; near matches are named.
            UnknownProposition: no such proposition in this view.
        """
        return self._ask(lambda asked: asked.evidence(party, proposition))

    def check_quotes(
        self, document: str | None = None, *, texts: Mapping[str, str] | None = None
    ) -> versions.QuoteChecks:
        """Check whether each quotation is in its document, and in later versions of it.

        `texts` gives, by id, the texts of documents that were registered without them. Without
        `document`, all documents are checked.

        Raises:
            UnknownDocument: no such document in this view; near matches are named.
            InvalidDocument: a text is not that of its document.
        """
        if texts is not None and not isinstance(texts, Mapping):
            raise InvalidView(
                f"texts= takes a text for each document, as {{'gazette-7': '...'}}, not "
                f"{show(texts)}.",
                field="texts",
                given=texts,
            )
        if document is not None:
            return self._ask(lambda asked: asked.check_quotes(document, texts or {}))
        with self.facts() as facts:
            given = {
                naming.find(facts, "document", id_): text for id_, text in (texts or {}).items()
            }
            return versions.check_quotes(facts, None, given)

    # -- names and lists --------------------------------------------------------------------

    def resolve(self, name: str, *, on: Day | None = None) -> str:
        """The id of the one party that an id or name denotes on a day; on any day without one.

        Raises:
            UnknownName: no party has that name then; near matches are named.
            AmbiguousName: several parties have it then, or one only possibly.
        """
        return self._ask(lambda asked: naming.resolve(asked.records, name, day_of(on, "on")))

    def denoted(self, name: str, *, on: Day | None = None) -> tuple[naming.Denoted, ...]:
        """The parties that a name denotes on a day, surely or possibly; best rank only."""
        return self._ask(lambda asked: naming.denoted(asked.records, name, day_of(on, "on")))

    def memberships(self, party: str, *, on: Day | None = None) -> tuple[catalogue.Belonging, ...]:
        """What a party belongs to on a day, or at any time."""
        day = day_of(on, "on")
        return self._ask(lambda asked: catalogue.memberships(*asked.about(party), day))

    def names(self, party: str, *, on: Day | None = None) -> tuple[catalogue.NameLine, ...]:
        """What a party is called on a day, or at any time: names and metonyms, with periods."""
        day = day_of(on, "on")
        return self._ask(lambda asked: catalogue.names(*asked.about(party), day))

    def parties(self) -> tuple[catalogue.PartyLine, ...]:
        """The parties of this view."""
        return self._ask(lambda asked: catalogue.parties(asked.records))

    def topics(self) -> tuple[catalogue.TopicLine, ...]:
        """The topics of this view."""
        return self._ask(lambda asked: catalogue.topics(asked.records))

    def propositions(self, *, topic: str | None = None) -> tuple[catalogue.PropositionLine, ...]:
        """The propositions of this view, or of one topic and those inside it."""
        if topic is None:
            return self._ask(lambda asked: catalogue.propositions(asked.records))
        return self._ask(lambda asked: catalogue.propositions_of(*asked.about(topic, "topic")))

    def document(self, document: str) -> catalogue.DocumentLine:
        """One document of this view.

        Raises:
            UnknownDocument: no such document in this view; near matches are named.
        """
        return self._ask(lambda asked: asked.document(document))

    def documents(self) -> tuple[catalogue.DocumentLine, ...]:
        """The documents of this view."""
        return self._ask(lambda asked: asked.documents())

    # -- the log ----------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._folded.origin

    def events(self) -> Iterator[ev.StoredEvent]:
        """The events up to the view's basis, in order, in constant memory; `said` has no effect."""
        return paging.events(self._folded, limit=self.basis)

    def entries(self) -> Iterator[Row]:
        """The same events' entries and slots as stored, in order, in constant memory."""
        return paging.entries(self._folded, until=self.basis)

    def checkpoint(self) -> Checkpoint:
        """The checkpoint over the events up to the view's basis, unsigned."""
        return auditing.checkpoint(self._folded, self.basis, None)


def ask_of(view: View, question: Callable[[Asked], T]) -> T:
    """The answer to a question that no method of a view asks."""
    return view._ask(question)  # noqa: SLF001 - a View's, in its own room
