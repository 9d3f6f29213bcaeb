"""The occasion of an act, checked: not later than its document, not earlier than what it names.

Whether reports of one utterance share a time, and what that is, is told in `projections.saying`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from ledger.errors import InvalidClaim, InvalidRelation
from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Edtf, surely_before
from ledger.model.text import show
from ledger.projections.effective import Facts
from ledger.projections.saying import (
    acts_of,
    back_from,
    bounds,
    one_occasion,
    own_bounds,
    referrers,
    refers_back_to,
)
from ledger.recording.intake import Intake


def times_of(intake: Intake, act: ev.Act, recorded: dt.datetime) -> Bounds:
    """The bounds of an act by its own date, its document's and its recording."""
    document = intake.get(act.document, ev.DocumentRegistered)
    published = document.published.latest if document and document.published else None
    return Bounds.of(act.uttered, published, recorded)


def check_times(
    intake: Intake,
    uttered: Edtf | None,
    document: str | None,
    recorded: dt.datetime | None = None,
) -> None:
    """Refuse words surely uttered after their publication or their recording, if not now."""
    if uttered is None or uttered.earliest is None:
        return
    published = intake.get(document, ev.DocumentRegistered)
    latest = published.published.latest if published and published.published else None
    if latest is not None and surely_before(latest, uttered.earliest):
        raise InvalidClaim(
            f"Uttered {uttered} is after {published.published if published else ''}, when "
            f"document {show(intake.public(document))} was published. An utterance is never later "
            "than the document that carries it: correct uttered=, or name the right document.",
            field="uttered",
            given=str(uttered),
        )
    if surely_before(recorded or intake.now, uttered.earliest):
        when = f"{recorded or intake.now:%Y-%m-%d %H:%M} UTC"
        now = f"it was recorded at {when}" if recorded else f"it is {when} now"
        raise InvalidClaim(
            f"Uttered {uttered} lies in the future: {now}. "
            "Record what was said once it has been said; what it speaks of goes into about=.",
            field="uttered",
            given=str(uttered),
        )


def check_refers_back(
    intake: Intake,
    later: str | None,
    utterance: str | None,
    earlier: Sequence[str],
    when: Bounds,
    *,
    name: str,
) -> None:
    """Refuse an act surely earlier than what it refers back to, or one that closes a circle.

    What counts is the occasion: all the reports of an utterance, and what they refer back to;
    inside one utterance there is no order. `later` is None for an act that is yet to come;
    `name` is what it is called.
    """
    facts = intake.facts
    for target in earlier:
        together = _is_of(intake.new_act(target) or facts.act(target), utterance)
        behind = _straight_back if together else _back_from
        for here in behind(intake, target):
            act = intake.new_act(here) or facts.act(here)
            if here == later or (not together and _is_of(act, utterance)):
                raise InvalidRelation(
                    f"{name} would refer back to itself in a circle through "
                    f"{show(intake.public(target))}. Leave one of the relations out.",
                    field="target",
                    given=intake.public(target),
                )
            # What refers back lends ends alone, and this asks for starts.
            new = intake.new_act(here) is not None
            if not together and when.precedes(
                said(intake, here) if new else one_occasion(facts, here)[0]
            ):
                raise InvalidRelation(
                    f"{name} ({when}) is earlier than {show(intake.public(here))} "
                    f"({said(intake, here)}), which it refers back to. Correct uttered=, or turn "
                    "the relation round.",
                    field="uttered",
                    given=str(when),
                )


def said(intake: Intake, id_: str) -> Bounds:
    """The bounds of an act, of this append or of the log."""
    new = intake.new_act(id_)
    return bounds(intake.facts, id_) if new is None else times_of(intake, new, intake.now)


def _back_from(intake: Intake, id_: str) -> Iterator[str]:
    """An act, and all that it refers back to, however far, by this append and by the log."""
    seen, queue = {id_}, [id_]
    while queue:
        here = queue.pop()
        for one in [here] if intake.new_act(here) else back_from(intake.facts, here):
            yield one
            further = [target for target in intake.behind(one) if target not in seen]
            seen.update(further)
            queue += further


def _straight_back(intake: Intake, id_: str) -> Iterator[str]:
    """An act, and all that it refers back to by itself, not by other reports of its occasion."""
    seen, queue = {id_}, [id_]
    while queue:
        here = queue.pop()
        yield here
        stored = () if intake.new_act(here) else refers_back_to(intake.facts, here)
        further = {*stored, *intake.behind(here)} - seen
        seen |= further
        queue += further


def _is_of(act: ev.Act | None, utterance: str | None) -> bool:
    return act is not None and utterance is not None and act.utterance == utterance


def check_order(intake: Intake, id_: str | None, act: ev.Act, when: Bounds) -> None:
    """Refuse an act surely earlier than what it names, or later than a namer.

    What other reports of its utterance name, or are named by, counts too where they share one
    time. `id_` is None for an act that is yet to come.
    """
    facts, utterance = intake.facts, act.utterance
    if isinstance(act, ev.ClaimWithdrawn):
        new, named = "The withdrawal", act.claims
    else:
        new, named = show(act.key) if act.key else "The claim", ()
    name = show(facts.public(id_)) if id_ else new
    tied = [one for one in _tied(facts, utterance) if one != id_]
    if not (id_ or named or tied):
        return

    def inside(other: str) -> bool:
        return other == id_ or _is_of(facts.act(other), utterance)

    shared = None
    if utterance is not None and (named or tied):
        shared = _shared(facts, id_, utterance, when)
    occasion = when if id_ or shared is None else shared
    check_refers_back(intake, id_, utterance, named, occasion, name=name)
    for one in (*([id_] if id_ else []), *(tied if shared is not None else [])):
        told = name if one == id_ else f"{name}, of one utterance with {show(facts.public(one))},"
        targets = refers_back_to(facts, one)
        behind = [it for it in targets if one == id_ or not inside(it)]
        check_refers_back(intake, id_, utterance, behind, when, name=told)
        for later in referrers(facts, one):
            if not inside(later) and bounds(facts, later).precedes(when):
                raise InvalidRelation(
                    f"{told} ({when}) would be later than {show(facts.public(later))} "
                    f"({bounds(facts, later)}), which refers back to it. Give another uttered=, or "
                    "amend that one first.",
                    field="uttered",
                    given=str(when),
                )


def _tied(facts: Facts, utterance: str | None) -> tuple[str, ...]:
    """The acts of an utterance that may refer back to one, or that one may refer back to."""
    if utterance is None:
        return ()

    def is_tied(one: str) -> bool:
        return bool(
            facts.indexed("relations_to", one)
            or facts.indexed("relations_from", one)
            or facts.indexed("withdrawals_of", one)
            or isinstance(facts.effective[one], ev.ClaimWithdrawn)
        )

    def found() -> tuple[str, ...]:
        acts = facts.indexed("acts_of_utterance", utterance)
        return tuple(one for one in acts if is_tied(one) and facts.act(one) is not None)

    return facts.memo("tied", utterance, found)


def _shared(facts: Facts, id_: str | None, utterance: str, when: Bounds) -> Bounds | None:
    """The time that an act shares with the others of its utterance; None where there is none."""

    def found() -> dict[str, Bounds]:
        return {one: own_bounds(facts, one) for one in acts_of(facts, utterance)}

    own = facts.memo("own_bounds", utterance, found)
    times = {time for one, time in own.items() if one != id_}
    shared = when.meet(*times)
    return None if not times or shared.empty() else shared
