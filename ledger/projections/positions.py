"""The position of a party on a proposition: collect, collapse, order, decide (model.md, 5).

The steps below carry the numbers of the contract. When an act was said is `.saying`, whom it
reaches `.rollup`, the list of turns `.runs`. Policies other than `latest` come later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Bound, Knob, surely_before
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.rollup import Path, may_reach, reach
from ledger.projections.runs import Run, Turn, in_order, runs_of
from ledger.projections.saying import bounds, precedes

Status = Literal["held", "conflicted", "withdrawn", "possible", "undeclared", "silent"]
Certainty = Literal["certain", "possible"]


@attrs.frozen(kw_only=True)
class Evidence(Answer):
    """One claim that bears on a position: what it says, where it stands, how it got here."""

    claim: str
    claimant: tuple[str, ...]
    act: str
    stance: str
    factuality: str
    said: Bounds
    certainty: Certainty
    withdrawn: bool
    document: str
    utterance: str
    path: tuple[str, ...]
    quote: str
    conditions: str | None
    ledger_id: str = attrs.field(repr=False)

    @property
    def own(self) -> bool:
        """Whether the party made the claim itself."""
        return len(self.path) == 1

    def __str__(self) -> str:
        mark = ", withdrawn" if self.withdrawn else ""
        way = "" if self.own else f", via {' > '.join(self.path)}"
        only = f", on condition: {self.conditions}" if self.conditions else ""
        quote = f" “{self.quote}”" if self.quote else ""
        return f"{self.claim} {self.act} ({self.stance}), {self.said}{way}{mark}{only}{quote}"


@attrs.frozen(kw_only=True)
class Position(Answer):
    """Where one party stands on one proposition, in one view.

    `status` is held, conflicted, withdrawn, possible, undeclared or silent. `because` says why a
    position is conflicted. Acts, factuality, conditions, evidence and dates are those of the
    current run; `possible` are claims that may have been said by then, never decisive. `basis`
    is the number of events the answer was computed from.
    """

    party: str
    proposition: str
    status: Status
    stance: str | None = None
    because: str | None = None
    acts: tuple[str, ...] = ()
    factuality: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    utterances: int = 0
    first_stated: Bounds | None = None
    last_stated: Bounds | None = None
    lapsed: bool = False
    contested_by: tuple[str, ...] = ()
    possible: tuple[Evidence, ...] = ()
    possibly_withdrawn: tuple[str, ...] = ()
    set_aside: tuple[Evidence, ...] = ()
    runs: tuple[Run, ...] = ()
    turns: tuple[Turn, ...] = ()
    last_word_on_topic: Bounds | None = None
    incomplete: int = 0
    said: Knob
    basis: int

    @property
    def own(self) -> bool:
        """Whether any of the evidence is the party's own saying."""
        return any(one.own for one in self.evidence)

    def short(self) -> str:
        """The status in a word or two, for a table cell."""
        match self.status:
            case "held":
                acts = "/".join(self.acts)
                how = "" if self.own else "*"
                return f"{self.stance}{how} ({acts})" + (" lapsed" if self.lapsed else "")
            case "conflicted":
                return f"conflicted ({self.because})"
            case "possible":
                return f"possibly {'/'.join(dict.fromkeys(e.stance for e in self.possible))}"
            case _:
                return self.status

    def __str__(self) -> str:
        head = f"{self.party} on {self.proposition}: {self.short().replace('*', '')}"
        if self.status == "silent":
            spoke = self.last_word_on_topic
            return head + (f" (last word on the topic: {spoke})" if spoke else "")
        lines = [head]
        lines += [f"  {one}" for one in self.evidence]
        lines += [f"  possible: {one}" for one in self.possible]
        lines += [f"  no stance: {one}" for one in self.set_aside if not self.evidence]
        lines += [f"  contested by {claim}" for claim in self.contested_by]
        lines += [f"  {claim} is possibly withdrawn" for claim in self.possibly_withdrawn]
        lines += [f"  {turn}" for turn in self.turns]
        return "\n".join(lines)


@attrs.frozen
class _Counted:
    """A claim that reaches the party, with what the decision needs to know of it."""

    id: str
    claim: ev.ClaimRecorded
    stance: str
    path: Path
    certain: bool
    withdrawn: bool
    possibly_withdrawn: bool


def certainty(facts: Facts, id_: str, said: Knob) -> Literal["certain", "possible", "not_yet"]:
    """Whether an act was said by a date."""
    return bounds(facts, id_).said_by(said)


def withdrawals(facts: Facts, id_: str, party: str, said: Knob) -> Literal["no", "possible", "yes"]:
    """Whether a claim was taken back for a party by a date (model.md, 4).

    A withdrawal acts on the utterance: on every report of it with the same proposition and
    stance; and for each party that the withdrawal itself reaches.
    """
    found: Literal["no", "possible", "yes"] = "no"
    for twin in twins(facts, id_):
        for withdrawal in facts.indexed("withdrawals_of", twin):
            path = reach(facts, withdrawal).get(party)
            state = certainty(facts, withdrawal, said) if path else "not_yet"
            if path is None or state == "not_yet":
                continue
            if state == "certain" and path.certain:
                return "yes"
            found = "possible"
    return found


def twins(facts: Facts, id_: str) -> tuple[str, ...]:
    """The reports of one utterance that say the same of the same."""
    claim = facts.get(id_, ev.ClaimRecorded)
    if claim is None or claim.utterance is None:
        return (id_,)
    shown = facts.canonical(claim.proposition)
    return tuple(
        mate
        for mate in facts.indexed("acts_of_utterance", claim.utterance)
        if isinstance(other := facts.act(mate), ev.ClaimRecorded)
        and facts.canonical(other.proposition) == shown
        and facts.stance(other) == facts.stance(claim)
    )


def position(facts: Facts, party: str, proposition: str, said: Knob) -> Position:
    """The position of a party on a proposition, by their ledger ids (model.md, 5, steps 1 to 7)."""
    who, what = facts.canonical(party), facts.canonical(proposition)
    collected = _collect(facts, who, what, said)
    aside = _in_order(facts, (one for one in collected if one.stance == "undeclared"))
    taking = [one for one in collected if one.stance != "undeclared"]
    certain = {one.id: one for one in taking if one.certain}
    possible = _in_order(facts, (one for one in taking if not one.certain))
    order = in_order(facts, list(certain))
    frontier = [  # a circle that an undo left is cut where the list cuts it
        certain[id_]
        for place, id_ in enumerate(order)
        if not any(precedes(facts, id_, other) for other in reversed(order[place + 1 :]))
    ]
    status, stance, because = _decide(frontier, possible, aside)
    runs, turns = runs_of(facts, order, {id_: one.stance for id_, one in certain.items()})
    current = _current(status, stance, frontier=frontier, runs=runs, certain=certain, aside=aside)
    return Position(
        party=facts.public(who),
        proposition=facts.public(what),
        status=status,
        stance=stance,
        because=because,
        acts=_distinct(one.claim.act for one in current),
        factuality=_distinct(one.claim.factuality for one in current),
        conditions=_distinct(one.claim.conditions for one in current if one.claim.conditions),
        evidence=_shown(facts, current) if status != "undeclared" else (),
        utterances=len({one.claim.utterance or one.id for one in current}),
        first_stated=bounds(facts, current[0].id) if current else None,
        last_stated=bounds(facts, current[-1].id) if current else None,
        lapsed=_lapsed(current, said),
        contested_by=_contested(facts, [*frontier, *current], said),
        possible=_shown(facts, possible),
        possibly_withdrawn=tuple(
            facts.public(id_) for id_ in order if certain[id_].possibly_withdrawn
        ),
        set_aside=_shown(facts, aside),
        runs=runs,
        turns=turns,
        last_word_on_topic=_last_word(facts, who, what, said) if status == "silent" else None,
        incomplete=facts.lost_claims,
        said=said,
        basis=facts.size,
    )


def _collect(facts: Facts, party: str, proposition: str, said: Knob) -> list[_Counted]:
    """Step 2: the effective claims that reach the party, said by the date for sure or perhaps."""
    found = []
    worth_a_look = may_reach(facts, party)
    for id_ in filter(worth_a_look.__contains__, facts.claims_on(proposition)):
        path = reach(facts, id_).get(party)
        claim = facts.get(id_, ev.ClaimRecorded)
        state = certainty(facts, id_, said) if path else "not_yet"
        if path is None or claim is None or state == "not_yet":
            continue
        taken = withdrawals(facts, id_, party, said)
        found.append(
            _Counted(
                id=id_,
                claim=claim,
                stance=facts.stance(claim),
                path=path,
                certain=state == "certain" and path.certain,
                withdrawn=taken == "yes",
                possibly_withdrawn=taken == "possible",
            )
        )
    return found


def _in_order(facts: Facts, claims: Iterable[_Counted]) -> list[_Counted]:
    by_id = {one.id: one for one in claims}
    return [by_id[id_] for id_ in in_order(facts, list(by_id))]


def _decide(
    frontier: Sequence[_Counted], possible: Sequence[_Counted], aside: Sequence[_Counted]
) -> tuple[Status, str | None, str | None]:
    """Step 6: status, stance, and why it is conflicted."""
    standing = [one for one in frontier if not one.withdrawn]
    stances = _distinct(one.stance for one in standing)
    if frontier and not standing:
        return "withdrawn", None, None
    if len(stances) == 1:
        return "held", stances[0], None
    if stances:
        return "conflicted", None, _why_conflicted(standing)
    if possible:
        return "possible", None, None
    return ("undeclared" if aside else "silent"), None, None


def _why_conflicted(standing: Sequence[_Counted]) -> str:
    """One utterance told both ways by one document, by several, or an order nobody knows."""
    if len({one.claim.utterance or one.id for one in standing}) > 1:
        return "order_unknown"
    told: dict[str, set[str]] = {}
    for one in standing:
        told.setdefault(one.claim.document or one.id, set()).add(one.stance)
    both = any(len(stances) > 1 for stances in told.values())
    return "said_both" if both else "reports_disagree"


def _current(
    status: Status,
    stance: str | None,
    *,
    frontier: Sequence[_Counted],
    runs: Sequence[Run],
    certain: dict[str, _Counted],
    aside: list[_Counted],
) -> list[_Counted]:
    """Step 7: the claims of the current run; all of the frontier's runs where it conflicts."""
    if status == "undeclared":
        return aside
    if status == "conflicted":
        return [one for one in frontier if not one.withdrawn]
    held = [run for run in runs if stance in (None, run.stance)]
    if not held or status not in ("held", "withdrawn"):
        return []
    return [certain[id_] for id_ in held[-1].ledger_ids]


def _distinct(values: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))  # type: ignore[call-overload]  # any iterable of texts


def _shown(facts: Facts, claims: Sequence[_Counted]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            claim=facts.public(one.id),
            claimant=tuple(map(facts.public, facts.claimants(one.claim))),
            act=one.claim.act,
            stance=one.stance,
            factuality=one.claim.factuality,
            said=bounds(facts, one.id),
            certainty="certain" if one.certain else "possible",
            withdrawn=one.withdrawn,
            document=facts.public(one.claim.document),
            utterance=one.claim.utterance_key or "",
            path=tuple(map(facts.public, one.path.parties)),
            quote=one.claim.quote.exact if one.claim.quote else "",
            conditions=one.claim.conditions,
            ledger_id=one.id,
        )
        for one in claims
    )


def _lapsed(current: Sequence[_Counted], said: Knob) -> bool:
    """Past the expiry of all that stands, the position stays, marked."""
    standing = [one.claim.expires for one in current if not one.withdrawn]
    ends = [expires.latest if expires else None for expires in standing]
    return bool(ends) and all(end is not None and is_past(end, said) for end in ends)


def is_past(end: Bound, said: Knob) -> bool:
    """Whether an expiry is surely over at a date."""
    if isinstance(end, dt.datetime):
        return end < said.end()
    return surely_before(end, said.at)


def _contested(facts: Facts, claims: Sequence[_Counted], said: Knob) -> tuple[str, ...]:
    """Claims that deny that these words were said."""
    found = []
    for one in claims:
        for relation in facts.indexed("relations_to", one.id):
            edge = facts.effective[relation]
            if (
                isinstance(edge, ev.ClaimsRelated)
                and edge.relation == "denies_attribution"
                and facts.act(edge.claim) is not None
                and certainty(facts, edge.claim, said) == "certain"
                and not _taken_back(facts, edge.claim, said)
            ):
                found.append(facts.public(edge.claim))
    return tuple(sorted(set(found)))


def _taken_back(facts: Facts, claim: str, said: Knob) -> bool:
    """Whether everybody who may have made a claim surely took it back."""
    act = facts.act(claim)
    by = facts.claimants(act) if act else ()
    return bool(by) and all(withdrawals(facts, claim, party, said) == "yes" for party in by)


def _last_word(facts: Facts, party: str, proposition: str, said: Knob) -> Bounds | None:
    """The date of the party's last word on any proposition of the topics."""
    event = facts.get(proposition, ev.PropositionDefined)
    topics = set(event.topics) if event else set()
    latest: Bounds | None = None
    for id_ in may_reach(facts, party):
        claim = facts.get(id_, ev.ClaimRecorded)
        about = facts.get(claim.proposition, ev.PropositionDefined) if claim else None
        if not about or topics.isdisjoint(about.topics) or party not in reach(facts, id_):
            continue
        if certainty(facts, id_, said) == "certain":
            when = bounds(facts, id_)
            if latest is None or when.sort_key() > latest.sort_key():
                latest = when
    return latest
