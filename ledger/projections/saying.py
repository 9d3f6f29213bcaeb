"""When an act of saying happened, as far as the prefix tells: bounds, shared and lent.

Three things bound an act beside its own date (model.md, 3): the publication of its document, its
own recording, and the acts that refer back to it. Acts of one utterance share their bounds.
Whether it counts as said by a date is `Bounds.said_by`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.claim import REFERRING_BACK
from ledger.model.moment import Bound, surely_before
from ledger.projections.effective import Facts


def own_bounds(facts: Facts, id_: str) -> Bounds:
    """The bounds of one act by itself: its date, its document's publication, its recording."""
    act, recorded = facts.effective.get(id_), facts.stored[id_].recorded
    if not isinstance(act, ev.ClaimRecorded | ev.ClaimWithdrawn):
        return Bounds.of(None, recorded)
    document = facts.get(act.document, ev.DocumentRegistered)
    published = document.published.latest if document and document.published else None
    found = Bounds.of(act.uttered, published, recorded)
    # A publication before the utterance comes of an undo: it contradicts, so it bounds nothing.
    return Bounds.of(act.uttered, recorded) if found.empty() else found


def mates(facts: Facts, id_: str) -> tuple[str, ...]:
    """The acts of the same utterance, itself included."""
    act = facts.act(id_)
    utterance = act.utterance if act else None
    return (id_,) if utterance is None else acts_of(facts, utterance)


def acts_of(facts: Facts, utterance: str) -> tuple[str, ...]:
    """The acts of an utterance."""

    def found() -> tuple[str, ...]:
        acts = facts.indexed("acts_of_utterance", utterance)
        return tuple(mate for mate in acts if facts.act(mate) is not None)

    return facts.memo("mates", utterance, found)


def one_occasion(facts: Facts, id_: str) -> tuple[Bounds, bool]:
    """The bounds that an utterance's acts share, and whether they agree at all.

    Acts of one utterance that share no day each keep their own.
    """
    together = mates(facts, id_)
    if len(together) == 1:
        return own_bounds(facts, id_), True

    def found() -> tuple[Bounds, bool]:
        first, *others = (own_bounds(facts, mate) for mate in together)
        shared = first.meet(*others)
        return shared, not shared.empty()

    shared, agree = facts.memo("shared_bounds", together[0], found)
    return (shared, True) if agree else (own_bounds(facts, id_), False)


def reports(facts: Facts, id_: str) -> tuple[str, ...]:
    """The acts that share the bounds of an act: those of its utterance, if they agree."""
    return mates(facts, id_) if one_occasion(facts, id_)[1] else (id_,)


def referrers(facts: Facts, id_: str) -> Iterator[str]:
    """The live acts that refer back to an act: withdrawals, and claims related so."""
    for withdrawal in facts.indexed("withdrawals_of", id_):
        if facts.act(withdrawal) is not None:
            yield withdrawal
    for relation in facts.indexed("relations_to", id_):
        edge = facts.effective[relation]
        if (
            isinstance(edge, ev.ClaimsRelated)
            and edge.relation in REFERRING_BACK
            and facts.act(edge.claim) is not None
        ):
            yield edge.claim


def refers_back_to(facts: Facts, id_: str) -> Iterator[str]:
    """The live acts that an act refers back to."""
    act = facts.act(id_)
    if isinstance(act, ev.ClaimWithdrawn):
        yield from (claim for claim in act.claims if facts.act(claim) is not None)
    for relation in facts.indexed("relations_from", id_):
        edge = facts.effective[relation]
        if (
            isinstance(edge, ev.ClaimsRelated)
            and edge.relation in REFERRING_BACK
            and facts.act(edge.target) is not None
        ):
            yield edge.target


def bounds(facts: Facts, id_: str) -> Bounds:
    """When an act was said, with all that its utterance and what refers back to it lend it."""

    def found() -> Bounds:
        together = reports(facts, id_)
        if len(together) == 1:
            return _bounds(facts, id_)
        return facts.memo("lent_bounds", together[0], lambda: _bounds(facts, id_))

    return facts.memo("bounds", id_, found)


def _bounds(facts: Facts, id_: str) -> Bounds:
    found, _ = one_occasion(facts, id_)
    if not any(True for mate in reports(facts, id_) for _ in referrers(facts, mate)):
        return found  # as nearly always
    # An end before the start comes of a later change: it contradicts, so it lends nothing.
    return found.with_highs(
        end for end in _lent(facts, id_) if not any(surely_before(end, low) for low in found.lows)
    )


def _lent(facts: Facts, id_: str) -> frozenset[Bound]:
    """The ends that an act is lent by all that refers back to its occasion, however far.

    Who refers back last is worked out first: from each act of a thread to its end, it would take
    the square of its length.
    """
    known: dict[str, frozenset[Bound]] = facts.memo("lent", "", dict)
    for one in reversed(_referring(facts, id_, known)):
        if one not in known:
            _, *later = _referring(facts, one, known)
            ends = (one_occasion(facts, act)[0].highs for act in later)
            behind = (known.get(act, frozenset()) for act in later)
            known[one] = frozenset[Bound]().union(*ends, *behind)
    return known[id_]


def _referring(facts: Facts, id_: str, known: Collection[str]) -> list[str]:
    """An act, then what refers back to its occasion, as far as to those that are known."""
    found, seen = [id_], {id_}
    for here in found:
        for mate in () if here in known else reports(facts, here):
            further = [later for later in referrers(facts, mate) if later not in seen]
            seen.update(further)
            found += further
    return found


def back_from(facts: Facts, *ids: str) -> Iterator[str]:
    """Live acts, and all that they or reports of their occasions refer back to, however far."""
    seen = {*ids}
    queue = [id_ for id_ in ids if facts.act(id_) is not None]
    while queue:
        here = queue.pop()
        yield here
        for mate in mates(facts, here):
            found = [earlier for earlier in refers_back_to(facts, mate) if earlier not in seen]
            seen.update(found)
            queue.extend(found)


def refers_back(facts: Facts, later: str, earlier: str) -> bool:
    """Whether an act refers back to another, or to another report of its utterance."""
    targets = set(refers_back_to(facts, later))
    return bool(targets) and any(mate in targets for mate in mates(facts, earlier))


def same_occasion(facts: Facts, one: str, other: str) -> bool:
    """Whether two acts are of one utterance."""
    a, b = facts.act(one), facts.act(other)
    return one == other or (
        a is not None and b is not None and a.utterance is not None and a.utterance == b.utterance
    )


def precedes(facts: Facts, earlier: str, later: str) -> bool:
    """Whether an act surely came before another (model.md, 5, step 5)."""
    if same_occasion(facts, earlier, later):
        return False
    if refers_back(facts, later, earlier):
        return True
    return not refers_back(facts, earlier, later) and bounds(facts, earlier).precedes(
        bounds(facts, later)
    )
