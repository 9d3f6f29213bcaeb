"""What an id names, and what names a record: which one is meant, and whether it can go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.errors import UnknownEvent
from ledger.model import events as ev
from ledger.model.text import show
from ledger.projections.indexing import KEYED
from ledger.projections.naming import check
from ledger.recording.intake import Intake


def any_record(intake: Intake, given: str) -> str:
    """The event that any id names: a host's id of one kind, or the ledger's own.

    Raises:
        Invalid: it is no text.
        UnknownEvent: nothing has that id, or records of several kinds do.
    """
    check("record", given)
    facts = intake.facts
    found = {
        kind: id_
        for kind in dict.fromkeys(KEYED.values())
        if (id_ := facts.id_of(kind, given)) is not None
    }
    if len(found) > 1:
        raise UnknownEvent(
            f"{show(given)} names a {' and a '.join(found)}. Use the ledger's own id: "
            f"{', '.join(f'{kind} {id_}' for kind, id_ in found.items())}.",
            given=given,
            near=tuple(found.values()),
        )
    if found:
        return next(iter(found.values()))
    if given in facts.stored:
        return given
    raise UnknownEvent(
        f"Nothing in the log has the id {show(given)}. `claims log` lists what there is.",
        given=given,
    )


NAMED: Final = (
    *(ev.PartyRegistered, ev.TopicDefined, ev.PropositionDefined, ev.OccurrenceDescribed),
    ev.DocumentRegistered,
)
"""What other records name; the others are named by nothing."""


def naming(intake: Intake, id_: str) -> Iterator[str]:
    """The live records that name a party, topic, proposition, occurrence or document.

    Names fall with their party, relations and withdrawals with their claim; nothing names others.
    """
    if not isinstance(intake.original(id_), NAMED):
        return
    for other, event in tuple(intake.facts.effective.items()):
        if other != id_ and id_ in _names(event):
            yield other


def _names(event: ev.Event) -> set[str | None]:
    match event:
        case ev.PartyRegistered():
            return set(event.members)
        case ev.MembershipRecorded():
            return {event.member, event.organisation}
        case ev.PartiesMerged() | ev.PropositionsMerged():
            return {event.kept, event.merged}
        case ev.TopicDefined():
            return {event.part_of}
        case ev.PropositionDefined():
            return set(event.topics)
        case ev.OccurrenceDescribed():
            return set(event.propositions)
        case ev.DocumentRegistered():
            return {event.publisher}
        case ev.DocumentRevised():
            return {event.document, event.revises}
        case ev.ClaimRecorded() | ev.ClaimWithdrawn():
            found = {link.agent for chain in event.chains for link in chain}
            if isinstance(event, ev.ClaimRecorded):
                found |= {*event.addressees, *event.mentions, event.proposition}
            return {*found, event.document}
        case ev.ClaimCorrected():
            return {event.document}
        case _:
            return set()
