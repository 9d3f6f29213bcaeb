"""The log as people read it: one line an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from ledger.model import events as ev
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import Erased, erased_of_event


@attrs.frozen(kw_only=True)
class LogLine(Answer):
    """One event of the log: its sequence, type, ids, recorder, and what it says in a word."""

    sequence: int
    id: str
    type: str
    recorded: dt.datetime
    recorder: str
    correlation: str | None
    summary: str
    erased: tuple[str, ...]
    erasures: tuple[Erased, ...] = ()

    def __str__(self) -> str:
        when = self.recorded.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        gone = f" [{', '.join(self.erased)} erased]" if self.erased else ""
        return f"#{self.sequence} {when} {self.type} {self.summary} by {self.recorder}{gone}"


def log_lines(
    page: Iterable[ev.StoredEvent],
    named: Iterable[ev.StoredEvent],
    erasures: Iterable[ev.StoredEvent],
) -> Iterator[LogLine]:
    """Events as lines, by the records that they name and by erasures of the log."""
    facts = Facts()  # of which the events are asked for, and nothing that they come to
    facts.stored = {one.id: one for one in (*named, *page)}
    for one in erasures:
        if isinstance(one.event, ev.ContentErased):
            facts.erasures.setdefault(one.event.target, {})[one.sequence] = one
    return (_line(facts, one) for one in page)


def names(stored: ev.StoredEvent) -> tuple[str, ...]:
    """The records whose ids stand in the line of an event."""
    match stored.event:
        case ev.PartyNamed() as event:
            return (event.party,)
        case ev.MembershipRecorded() as event:
            return (event.member, event.organisation)
        case ev.DocumentRevised() as event:
            return (event.document, event.revises)
        case ev.ClaimRecorded() as event:
            return (event.proposition,)
        case ev.ClaimsRelated() as event:
            return (event.claim, event.target)
        case ev.ClaimWithdrawn() as event:
            return event.claims
        case ev.ClaimCorrected() | ev.RecordAmended() | ev.ContentErased() as event:
            return (event.target,)
        case ev.PartiesMerged() | ev.PropositionsMerged() as event:
            return (event.merged, event.kept)
        case _:
            return ()


def _line(facts: Facts, stored: ev.StoredEvent) -> LogLine:
    return LogLine(
        sequence=stored.sequence,
        id=stored.id,
        type=stored.type,
        recorded=stored.recorded,
        recorder=stored.recorder.name or stored.recorder.id,
        correlation=stored.correlation,
        summary=_summary(facts, stored),
        erased=stored.erased,
        erasures=tuple(erased_of_event(facts, stored.id)),
    )


def _summary(facts: Facts, stored: ev.StoredEvent) -> str:
    public = facts.public
    match stored.event:
        case ev.Remains() as event:
            return f"(erased: {', '.join(event.slots)})"
        case ev.PartyNamed() as event:
            return f"{public(event.party)} {event.name!r}"
        case ev.MembershipRecorded() as event:
            role = f" as {event.role}" if event.role else ""
            return f"{public(event.member)} in {public(event.organisation)}{role} ({event.period})"
        case ev.DocumentRevised() as event:
            return f"{public(event.document)} revises {public(event.revises)}"
        case ev.ClaimRecorded() as event:
            on = public(event.proposition)
            return f"{public(stored.id)} {event.act} {on} ({event.stance})"
        case ev.ClaimsRelated() as event:
            return f"{public(event.claim)} {event.relation} {public(event.target)}"
        case ev.ClaimWithdrawn() as event:
            return ", ".join(map(public, event.claims))
        case ev.ClaimCorrected() as event:
            return f"{public(event.target)}: {changed(event)}"
        case ev.RecordAmended() as event:
            return f"{public(event.target)}: {changed(event)}{because(stored)}"
        case ev.ContentErased() as event:
            slots = ", ".join(event.slots)
            return (
                f"{public(event.target)}: {slots}, because {event.reason}, by the authority of "
                f"{event.authority}"
            )
        case ev.PartiesMerged() | ev.PropositionsMerged() as event:
            return f"{public(event.merged)} into {public(event.kept)}"
        case event:
            return event.key


def because(stored: ev.StoredEvent) -> str:
    """Why a record was amended, where that was not erased."""
    reason = getattr(stored.event, "reason", "")
    return f", because {reason}" if reason else ""


def changed(event: ev.Change) -> str:
    """What a change changes, by the words a host uses."""
    if isinstance(event, ev.ClaimCorrected) and event.never_said:
        return "never said"
    if isinstance(event, ev.RecordAmended) and event.strike_out:
        return "struck out"
    fields = {_SPOKEN.get(field, field) for field in event.changes}
    return ", ".join(sorted(fields)) or "changed"


_SPOKEN: Final = {
    "chains": "claimant",
    "link_words": "claimant",
    "utterance_key": "utterance",
}
