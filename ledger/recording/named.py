"""What an id names, and what names a record: which one is meant, and whether it can go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.errors import UnknownEvent
from ledger.model import events as ev
from ledger.model.text import show
from ledger.projections.indexing import KEYED, entries
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


def _names(event: ev.Event) -> set[str]:
    found = {id_ for relation, id_ in entries(event) if relation != "names_of"}
    match event:
        case ev.ClaimRecorded():
            return {*found, *event.addressees, *event.mentions}
        case ev.ClaimCorrected():
            return {*found, event.document}
        case _:
            return found
