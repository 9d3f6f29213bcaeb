"""The log as people read it: one line an event."""

from __future__ import annotations

import datetime as dt

import attrs

from ledger.model import events as ev
from ledger.projections.answer import Answer


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

    def __str__(self) -> str:
        when = self.recorded.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return f"#{self.sequence} {when} {self.type} {self.summary} by {self.recorder}"


def log_line(stored: ev.StoredEvent) -> LogLine:
    """An event as a line."""
    return LogLine(
        sequence=stored.sequence,
        id=stored.id,
        type=stored.type,
        recorded=stored.recorded,
        recorder=stored.recorder.name or stored.recorder.id,
        correlation=stored.correlation,
        summary=_summary(stored.event),
        erased=stored.erased,
    )


def _summary(event: ev.Event | ev.Erased) -> str:
    match event:
        case ev.Erased():
            return f"(erased: {', '.join(event.slots)})"
        case ev.PartyNamed():
            return repr(event.name)
        case ev.MembershipRecorded():
            return f"{event.role or 'member'} ({event.period})"
        case ev.ClaimRecorded():
            return f"{event.key or '(no id)'} {event.act} ({event.stance})"
        case ev.ClaimsRelated():
            return event.relation
        case ev.ClaimWithdrawn():
            return f"{len(event.claims)} claims"
        case ev.ClaimCorrected():
            return "never said" if event.never_said else ", ".join(sorted(event.changes))
        case ev.RecordAmended():
            what = "struck out" if event.strike_out else ", ".join(sorted(event.changes))
            return f"{what}: {event.reason}"
        case ev.ContentErased():
            return ", ".join(event.slots)
        case ev.PartiesMerged() | ev.PropositionsMerged():
            return event.reason or "merged"
        case _:
            return event.key
