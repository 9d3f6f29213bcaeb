"""Lists of claims: filtered, in order of saying, with withdrawn ones shown and marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Literal, Self

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.claim import STANCES, check_act, is_opposite, one_of
from ledger.model.moment import Edtf, Knob, Span, surely_before, surely_reached
from ledger.projections import naming
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased, erased
from ledger.projections.positions import certainty, taken_back, withdrawals
from ledger.projections.rollup import reach
from ledger.projections.saying import bounds
from ledger.projections.scope import Scope


@attrs.frozen(kw_only=True)
class ClaimLine(Answer):
    """One claim in a list, as the view has it: amended, corrected, perhaps withdrawn.

    `opposite` says that its act is about a proposition that was merged into this one as its
    negation.
    """

    id: str
    claimant: tuple[str, ...]
    act: str
    stance: str
    proposition: str
    factuality: str
    said: Bounds
    certainty: Literal["certain", "possible"]
    uttered: Edtf | None
    about: Edtf | None
    document: str
    utterance: str
    quote: str
    mode: str
    withdrawn: bool
    corrected: bool
    recorded: dt.datetime
    sequence: int
    erased: tuple[Erased, ...] = ()
    opposite: bool = False

    def __str__(self) -> str:
        who = " or ".join(self.claimant) or "(nobody named)"
        what = f"the opposite of {self.proposition}" if self.opposite else self.proposition
        marks = [
            mark
            for mark, on in (
                ("possible", self.certainty == "possible"),
                ("withdrawn", self.withdrawn),
                ("corrected", self.corrected),
                *((f"{', '.join(one.slots)} erased", True) for one in self.erased),
            )
            if on
        ]
        tail = f" [{', '.join(marks)}]" if marks else ""
        return f"{self.id} {who} {self.act} {what} ({self.stance}), {self.said}{tail}"


@attrs.frozen(kw_only=True)
class Claims(Answer):
    """The claims of a view, in order of saying.

    `lost` are claims of which erasure has removed whose they were, or on what; they are listed
    whatever the filters.
    """

    rows: tuple[ClaimLine, ...]
    incomplete: int
    lost: tuple[Erased, ...] = ()
    said: Knob
    basis: int

    def __iter__(self) -> Iterator[ClaimLine]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the claims."""
        return tuple(row.id for row in self.rows)

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.rows, *self.lost))) or "(no claims)"


@attrs.frozen(kw_only=True)
class Filters(Scope):
    """What a list of claims is narrowed to; ids are the ledger's own, None is everything.

    `party` is whom a claim reaches, `claimant` who made it. `about` may overlap, `published` is
    surely out by then.
    """

    claimant: str | None = None
    document: str | None = None
    utterance: str | None = None
    act: str | None = None
    stance: str | None = None
    certainty: str | None = None
    about: Edtf | None = None
    published: dt.date | None = None

    def __attrs_post_init__(self) -> None:
        """A word that no claim can have is a slip, and not an empty list."""
        if self.act is not None:
            check_act(self.act)
        if self.stance is not None:
            one_of(self.stance, STANCES, "stance")
        if self.certainty is not None:
            one_of(self.certainty, ("certain", "possible"), "certainty")

    def found(self, facts: Facts) -> Self:
        """The same by the ledger's ids, where they were a host's.

        Raises:
            NotFound: there is no such party, proposition, topic or document.
        """
        named = super().found(facts)
        if self.document is not None:
            named = attrs.evolve(named, document=naming.find(facts, "document", self.document))
        if self.claimant is not None:
            named = attrs.evolve(named, claimant=naming.find(facts, "party", self.claimant))
        if self.utterance is not None:
            naming.check("utterance", self.utterance)
            known = facts.id_of("utterance", self.utterance) or self.utterance
            named = attrs.evolve(named, utterance=known)
        return named

    @property
    def narrow(self) -> bool:
        """Whether whom or what is named, so that not all claims need be looked at."""
        named = (self.claimant, self.document, self.utterance)
        return super().narrow or any(one is not None for one in named)


def claims(facts: Facts, said: Knob, wanted: Filters) -> Claims:
    """The claims said by a date for sure or perhaps, that pass the filters."""
    passed = passing(facts, said, wanted)
    return Claims(
        rows=tuple(claim_line(facts, id_, said, state, wanted.party) for id_, state in passed),
        incomplete=facts.lost_claims,
        lost=_lost(facts),
        said=said,
        basis=facts.size,
    )


def passing(
    facts: Facts, said: Knob, wanted: Filters
) -> list[tuple[str, Literal["certain", "possible"]]]:
    """The ledger ids of those that pass, in order of saying, each with whether it was said."""
    keep = _keep(facts, wanted)
    rows = []
    for id_, claim in facts.of_type(ev.ClaimRecorded):
        if facts.act(id_) is None or not keep(id_, claim):
            continue
        state = certainty(facts, id_, said)
        if state != "not_yet" and wanted.certainty in (None, state):
            rows.append((bounds(facts, id_).sort_key(), facts.public(id_), id_, state))
    rows.sort(key=lambda row: row[:2])
    return [(id_, state) for _, _, id_, state in rows]


def _keep(facts: Facts, wanted: Filters) -> Callable[[str, ev.ClaimRecorded], bool]:
    on, party = wanted.propositions(facts), wanted.shown_party(facts)
    claimant = facts.canonical(wanted.claimant) if wanted.claimant else None

    def keep(id_: str, claim: ev.ClaimRecorded) -> bool:
        return (
            (on is None or facts.canonical(claim.proposition) in on)
            and wanted.document in (None, claim.document)
            and wanted.utterance in (None, claim.utterance)
            and wanted.act in (None, claim.act)
            and wanted.stance in (None, facts.stance(claim))
            and (claimant is None or claimant in facts.claimants(claim))
            and (party is None or party in reach(facts, id_))
            and _about_overlaps(claim.about, wanted.about)
            and _published_by(facts, claim.document, wanted.published)
        )

    return keep


def _about_overlaps(about: Edtf | None, wanted: Edtf | None) -> bool:
    if about is None or wanted is None:
        return wanted is None
    return any(_may_meet(one, other) for one in about.spans for other in wanted.spans)


def _lost(facts: Facts) -> tuple[Erased, ...]:
    """What was erased of claims that are in no position for it, or of their propositions."""
    return tuple(
        attrs.evolve(gone, record=facts.public(claim))
        for claim, cause in facts.lost_with_cause()
        for gone in erased(facts, cause)
    )


def _may_meet(one: Span, other: Span) -> bool:
    for (_, last), (first, _) in ((one, other), (other, one)):
        if first is not None and last is not None and surely_before(last, first):
            return False
    return True


def _published_by(facts: Facts, document: str | None, by: dt.date | None) -> bool:
    if by is None:
        return True
    event = facts.get(document, ev.DocumentRegistered)
    latest = event.published.latest if event and event.published else None
    return latest is not None and surely_reached(latest, Knob.parse(by))


def claim_line(
    facts: Facts,
    id_: str,
    said: Knob,
    state: Literal["certain", "possible"],
    party: str | None = None,
) -> ClaimLine:
    """One claim as a line of a list; withdrawn for all who may have made it, or the party asked."""
    claim = facts.effective[id_]
    assert isinstance(claim, ev.ClaimRecorded)  # noqa: S101 - the caller listed claims
    stored = facts.stored[id_]
    return ClaimLine(
        id=facts.public(id_),
        claimant=tuple(map(facts.public, facts.claimants(claim))),
        act=claim.act,
        stance=facts.stance(claim),
        proposition=facts.public(facts.canonical(claim.proposition)),
        factuality=claim.factuality,
        said=bounds(facts, id_),
        certainty=state,
        uttered=claim.uttered,
        about=claim.about,
        document=facts.public(claim.document),
        utterance=claim.utterance_key or "",
        quote=claim.quote.exact if claim.quote else "",
        mode=claim.quote.mode if claim.quote else "",
        withdrawn=taken_back(facts, id_, said)
        if party is None
        else withdrawals(facts, id_, facts.canonical(party), said) == "yes",
        corrected=id_ in facts.corrected_by,
        recorded=stored.recorded,
        sequence=stored.sequence,
        erased=erased(facts, id_),
        opposite=is_opposite(claim.act, claim.stance, facts.stance(claim)),
    )
