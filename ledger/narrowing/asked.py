"""The questions of a view that can be narrowed, asked of what bears on them or of the folded log.

Here lives which acts a question needs. What it means is in `ledger.projections`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

from sqlalchemy import Connection

from ledger.errors import LedgerError, NotFound
from ledger.folding import Folded
from ledger.model import events as ev
from ledger.model.moment import Knob
from ledger.narrowing.acts import Narrowed, narrowed
from ledger.narrowing.driver import Driver, Gone
from ledger.narrowing.heading import moment
from ledger.narrowing.plain import (
    Touched,
    claims_of,
    fence,
    position_of,
    quick,
    up_to_date,
)
from ledger.narrowing.records import Records, around, beside, held_of
from ledger.projections import (
    accounts,
    catalogue,
    difference,
    explaining,
    listing,
    naming,
    perspectives,
    positions,
    provenance,
    resting,
    scope,
    silence,
    standing,
    timeline,
    versions,
)
from ledger.projections.accounts import Accounts
from ledger.projections.effective import Facts
from ledger.projections.plain import PlainClaim, plain_position
from ledger.projections.policies import Policy
from ledger.projections.timeline import Timeline
from ledger.store.held import Held

T = TypeVar("T")


class Asked:
    """The questions of one view: narrowed where that can be done, else of the folded log.

    Whatever is asked about is named by its host's id, or by the ledger's own.
    """

    def __init__(self, records: Facts, narrowed: Narrowed | None, said: Knob) -> None:
        self.records = records
        self._narrowed = narrowed
        self._said = said

    def about(self, record: str, kind: str = "party") -> tuple[Facts, str]:
        """The records that are no acts, and the ledger's id of one of them."""
        return self.records, naming.find(self.records, kind, record)

    def position(
        self,
        party: str,
        proposition: str,
        policy: str | Policy = "latest",
        touched: Touched | None = None,
    ) -> standing.Position:
        """Where a party stands on a proposition, whose claims may have been looked for before."""
        who, what = naming.cell(self.records, party, proposition)
        near = self._narrowed
        if near is not None and policy == "latest" and touched is None:
            plain = position_of(near, who, what, self._said)
            if plain is not None:
                return plain
        on_it = None if touched is None or near is None else near.with_claims({*touched.claims})
        with on_it or self._about(who, [what]) as facts:
            found = positions.position(facts, who, what, self._said, policy)
        # Of a silent party its last word on the topic is told: on what stands beside this.
        if found.status != "silent" or self._narrowed is None:
            return found
        if not (others := beside(self.records, self.records.canonical(what))):
            return found
        with self._about(who, [what, *others]) as facts:
            return positions.position(facts, who, what, self._said, policy)

    def explain(
        self, party: str, proposition: str, policy: str | Policy = "latest"
    ) -> explaining.Explanation:
        """The steps to a position, with every claim kept or dropped."""
        who, what = naming.cell(self.records, party, proposition)
        others = beside(self.records, self.records.canonical(what))
        with self._about(None, [what, *others]) as facts:
            return explaining.explain(facts, who, what, self._said, policy)

    def positions(
        self, given: scope.Scope, policy: str | Policy = "latest"
    ) -> perspectives.Positions:
        """Where everybody, or a party, stands on what a scope names."""
        named = given.found(self.records)
        party, on = named.shown_party(self.records), named.propositions(self.records)
        near = self._narrowed
        if near is not None and party is not None and policy == "latest":
            claims = claims_of(near, party, on)
            if claims is not None:
                return self._positions_of(near, party, on, claims)
        with self._about(named.party, on) as facts:
            return perspectives.positions_within(facts, named, self._said, policy)

    def _positions_of(
        self,
        near: Narrowed,
        party: str,
        on: Collection[str] | None,
        claims: Mapping[str, Sequence[PlainClaim] | None],
    ) -> perspectives.Positions:
        """Where a party stands, by plain claims where nothing else bears on it."""
        frame, said, basis = near.frame, self._said, near.basis
        found: dict[str, standing.Position | None] = {
            what: plain_position(frame, (party, what), told, said, basis)
            for what, told in claims.items()
            if told is not None
        }
        if others := claims.keys() - found.keys():
            with near.with_claims(near.in_cells([party], others)) as facts:
                found |= {one: positions.unless_silent(facts, party, one, said) for one in others}
        return perspectives.of_one_party(frame, found, on, said, basis)

    def timeline(self, party: str, topic: str, policy: str | Policy = "latest") -> Timeline:
        """A party's words over time on a topic or a proposition."""
        records = self.records
        who = naming.find(records, "party", party)
        naming.check("topic", topic)
        known = records.effective.get(records.id_of("proposition", topic) or topic)
        single = isinstance(known, ev.PropositionDefined) and not records.id_of("topic", topic)
        on = naming.find(records, "proposition" if single else "topic", topic)
        several = [records.canonical(on)] if single else scope.propositions_of(records, on)
        with self._about(who, {*several, *around(records, several)}) as facts:
            return timeline.timeline(facts, who, on, self._said, policy)

    def accounts(self, occurrence: str) -> Accounts:
        """Who describes an occurrence how."""
        which = naming.find(self.records, "occurrence", occurrence)
        event = self.records.get(which, ev.OccurrenceDescribed)
        with self._about(None, event.propositions if event else ()) as facts:
            return accounts.accounts(facts, which, self._said)

    def silences(self, topic: str) -> silence.Silences:
        """Who is silent on a topic on which others spoke."""
        on = naming.find(self.records, "topic", topic)
        with self._about(None, scope.propositions_of(self.records, on)) as facts:
            return silence.silences(facts, on, self._said)

    def evidence(self, party: str, proposition: str) -> resting.PositionTrace:
        """A position, with each claim that bears on it traced back to its words."""
        who = naming.find(self.records, "party", party)
        what = naming.find(self.records, "proposition", proposition)
        others = beside(self.records, self.records.canonical(what))
        with self._about(who, [what, *others]) as facts:
            return resting.evidence(facts, who, what, self._said)

    def trace(self, claim: str, document_text: str | None = None) -> provenance.Trace:
        """A claim back to its words, without its proof."""
        with self._with(lambda near: near.known_as("claim", claim)) as facts:
            return provenance.trace(facts, provenance.find(facts, claim), document_text)

    def claims(self, wanted: listing.Filters) -> listing.Claims:
        """The claims that pass the filters, which name something."""
        if wanted.document is not None or wanted.utterance is not None:
            with self._carried(wanted.document, wanted.utterance) as facts:
                return listing.claims(facts, self._said, wanted.found(facts))
        named = wanted.found(self.records)
        on = named.propositions(self.records)
        with self._about(named.party or named.claimant, on, gone=True) as facts:
            return listing.claims(facts, self._said, named)

    def shown(self, given: scope.Scope) -> difference.Shown:
        """What is compared of a view: claims and positions of a scope."""
        named = given.found(self.records)
        with self._about(named.party, named.propositions(self.records)) as facts:
            return difference.shown(facts, self._said, named)

    def looked_up(self, lacking: difference.Lacking) -> difference.Shown:
        """What is shown of some claims and cells that another view shows."""
        cells = lacking.found(self.records).values()
        who, on = {party for party, _ in cells}, {what for _, what in cells}
        with self._with(lambda near: {*lacking.claims, *near.in_cells(who, on)}) as facts:
            return difference.looked_up(facts, self._said, lacking)

    def contradictions(self, given: scope.Scope) -> tuple[perspectives.Contradiction, ...]:
        """Pairs of parties that hold against each other, within a scope."""
        named = given.found(self.records)
        on = self._spoken_on(named)
        with self._about(None, on) as facts:
            one = named.shown_party(facts)
            return perspectives.contradictions(facts, self._said, one=one, on=on)

    def divergences(self, given: scope.Scope) -> tuple[perspectives.Divergence, ...]:
        """Pairs of claims that tell one occurrence in different ways, within a scope."""
        named = given.found(self.records)
        told = perspectives.told_beside(self.records, self._spoken_on(named))
        with self._about(None, told) as facts:
            return perspectives.divergences(facts, self._said, named)

    def _spoken_on(self, named: scope.Scope) -> tuple[str, ...]:
        """The propositions of a scope; of a party alone those on which it spoke itself."""
        on = named.propositions(self.records)
        if on is not None:
            return on
        with self._about(named.party, None) as facts:
            return perspectives.spoken_on(facts, named.party or "")

    def document(self, document: str) -> catalogue.DocumentLine:
        """One document."""
        with self._with(lambda near: near.known_as("document", document)) as facts:
            return catalogue.document(facts, naming.find(facts, "document", document))

    def documents(self) -> tuple[catalogue.DocumentLine, ...]:
        """The documents."""
        with self._with(lambda near: near.of_type("document_registered")) as facts:
            return catalogue.documents(facts)

    def check_quotes(self, document: str, texts: Mapping[str, str]) -> versions.QuoteChecks:
        """Whether the quotations of a document stand in it, and in later versions of it."""
        with self._with(lambda near: near.carried_by([document, *texts])) as facts:
            one = naming.find(facts, "document", document)
            given = {naming.find(facts, "document", id_): text for id_, text in texts.items()}
            return versions.check_quotes(facts, one, given)

    def resting_on(self, document: str) -> resting.RestingOn:
        """Everything that rests on a document, and which positions would fall with it."""
        with self._with(lambda near: near.carried_by([document])) as facts:
            named = naming.find(facts, "document", document)
            if self._narrowed is None:
                return resting.resting_on(facts, named, self._said)
            touched = resting.touched_by(facts, named)
        # Where a party stands without the document, is told by all that it said on the same.
        on = {what for _, what in touched}
        on |= {other for what in on for other in beside(self.records, what)}
        parties = {party for party, _ in touched}
        with self._with(
            lambda near: near.carried_by([document]) | near.in_cells(parties, on)
        ) as facts:
            return resting.resting_on(facts, named, self._said)

    def attributed_to(self, party: str) -> resting.AttributedTo:
        """Everything in which a party has a part."""
        who = naming.find(self.records, "party", party)
        with self._with(lambda near: near.in_cells([who], None) | near.naming(who)) as facts:
            return resting.attributed_to(facts, who, self._said)

    def missing(self, error: NotFound) -> NotFound:
        """The same error, which tells where an act or a document goes by the id that was given."""
        near = self._narrowed
        if near is None or not isinstance(error.given, str):
            return error
        known = near.known_as("claim", error.given) | near.known_as("document", error.given)
        with near.with_claims(known) as facts:
            return naming.sought(facts, error)

    def _about(
        self, party: str | None, propositions: Iterable[str] | None, *, gone: bool = False
    ) -> contextlib.AbstractContextManager[Facts]:
        """The facts that bear on a party (on all) and some propositions (all, where it is None).

        With `gone` those too of which something was erased.
        """
        parties = None if party is None else (party,)

        def found(near: Narrowed) -> set[int]:
            claims = near.in_cells(parties, propositions)
            return claims | near.gone() if gone else claims

        return self._with(found)

    def _carried(
        self, document: str | None, utterance: str | None
    ) -> contextlib.AbstractContextManager[Facts]:
        """The facts of the acts in a document, or of an utterance where none is named."""

        def found(near: Narrowed) -> set[int]:
            acts = (
                near.uttered(utterance or "") if document is None else near.carried_by([document])
            )
            return acts | near.gone()

        return self._with(found)

    def _with(
        self, sequences: Callable[[Narrowed], set[int]]
    ) -> contextlib.AbstractContextManager[Facts]:
        """The facts that bear on some acts, found where questions are narrowed."""
        if self._narrowed is None:
            return contextlib.nullcontext(self.records)
        return self._narrowed.with_claims(sequences(self._narrowed))


def ask(folded: Folded, basis: int, said: Knob, question: Callable[[Asked], T]) -> T:
    """The answer to a question about a prefix, of what was said by a date.

    Asked of the driver first, where what is kept is of the log as it is: nothing is committed
    meanwhile, or it is asked once more, inside a transaction.
    """
    driver = quick(folded)
    if driver is not None:
        with folded.fold.lock, contextlib.suppress(LedgerError, Gone):
            held = held_of(folded.fold)
            if held is not None and held.size >= basis and up_to_date(driver, folded, held):
                found = question(_asked_of_kept(driver, folded, held, basis, said))
                if driver.version() == held.version:
                    return found
    elif held_of(folded.fold) is not None:
        told = folded.at_once(lambda conn: _between_two_looks(conn, folded, basis, said, question))
        if told is not None:
            return told
    with asked_of(folded, basis, said) as asked:
        try:
            return question(asked)
        except NotFound as error:
            missing = asked.missing(error)
    raise _by_now(folded, basis, said, missing) from None


def _between_two_looks(
    conn: Held, folded: Folded, basis: int, said: Knob, question: Callable[[Asked], T]
) -> T | None:
    """The answer by what is kept, if that holds before and after; None if it does not."""
    with folded.fold.lock:
        held = held_of(folded.fold)
        if held is None or held.size < basis or (whose := fence(conn, folded, held)) is None:
            return None
        found = question(_asked_of_kept(conn, folded, held, basis, said))
        return found if fence(conn, folded, held) == whose else None


def _asked_of_kept(
    conn: Driver | Held, folded: Folded, held: Records, basis: int, said: Knob
) -> Asked:
    """The questions of a prefix by what is kept, which somebody has seen to hold."""
    near = Narrowed(cast("Connection", conn), folded.tables, held, basis)  # as far as reading goes
    return Asked(near.frame, near, said)


def _by_now(folded: Folded, basis: int, said: Knob, error: NotFound) -> NotFound:
    """The error for what a prefix does not know; where the log does by now, since when."""
    with moment(folded) as log:
        size = log.size
    if size <= basis:
        return error
    with asked_of(folded, size, said) as asked:
        return naming.later(asked.records, error, basis)


@contextlib.contextmanager
def asked_of(folded: Folded, basis: int, said: Knob) -> Iterator[Asked]:
    """The questions of a prefix, for as long as they are asked."""
    with narrowed(folded, basis) as found:
        if found is not None:
            yield Asked(found.frame, found, said)
            return
    with folded.facts_at(basis) as facts:
        yield Asked(facts, None, said)
