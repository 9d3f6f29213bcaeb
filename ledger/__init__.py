"""An event-sourced ledger of attributed claims: who said what, when, in which document.

Begin with `Ledger.open("claims.db")`. The other names are what you enter and what you get back.
Each name is loaded when it is first used: `import ledger` loads no module, and `Party` alone loads
no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ledger.auditing import Verification
    from ledger.erasing import Erasure
    from ledger.errors import LedgerError
    from ledger.ledger import Ledger
    from ledger.merkle.checkpoint import Checkpoint
    from ledger.model.attribution import Link
    from ledger.model.claim import Claim, Relation
    from ledger.model.document import Document
    from ledger.model.events import Recorder, StoredEvent
    from ledger.model.moment import Edtf, Knob
    from ledger.model.party import Membership, Name, Party
    from ledger.model.period import Period
    from ledger.model.proposition import Occurrence, Proposition, Topic
    from ledger.model.quotation import Quotation
    from ledger.model.rendering import Rendering
    from ledger.projecting import Projection
    from ledger.projections.difference import Difference
    from ledger.projections.erased import Erased
    from ledger.projections.listing import Claims
    from ledger.projections.perspectives import Contradiction, Divergence, Positions
    from ledger.projections.provenance import Trace
    from ledger.projections.resting import AttributedTo, PositionTrace, RestingOn
    from ledger.projections.standing import Position
    from ledger.projections.timeline import Timeline
    from ledger.projections.versions import QuoteChecks
    from ledger.receipt import Receipt
    from ledger.store.layout import Layout
    from ledger.view import View

__all__ = [
    "AttributedTo",
    "Checkpoint",
    "Claim",
    "Claims",
    "Contradiction",
    "Difference",
    "Divergence",
    "Document",
    "Edtf",
    "Erased",
    "Erasure",
    "Knob",
    "Layout",
    "Ledger",
    "LedgerError",
    "Link",
    "Membership",
    "Name",
    "Occurrence",
    "Party",
    "Period",
    "Position",
    "PositionTrace",
    "Positions",
    "Projection",
    "Proposition",
    "Quotation",
    "QuoteChecks",
    "Receipt",
    "Recorder",
    "Relation",
    "Rendering",
    "RestingOn",
    "StoredEvent",
    "Timeline",
    "Topic",
    "Trace",
    "Verification",
    "View",
]

_ROOMS: Final = {
    "auditing": ("Verification",),
    "erasing": ("Erasure",),
    "errors": ("LedgerError",),
    "ledger": ("Ledger",),
    "merkle.checkpoint": ("Checkpoint",),
    "model.attribution": ("Link",),
    "model.claim": ("Claim", "Relation"),
    "model.document": ("Document",),
    "model.events": ("Recorder", "StoredEvent"),
    "model.moment": ("Edtf", "Knob"),
    "model.party": ("Membership", "Name", "Party"),
    "model.period": ("Period",),
    "model.proposition": ("Occurrence", "Proposition", "Topic"),
    "model.quotation": ("Quotation",),
    "model.rendering": ("Rendering",),
    "projecting": ("Projection",),
    "projections.difference": ("Difference",),
    "projections.erased": ("Erased",),
    "projections.listing": ("Claims",),
    "projections.perspectives": ("Contradiction", "Divergence", "Positions"),
    "projections.provenance": ("Trace",),
    "projections.resting": ("AttributedTo", "PositionTrace", "RestingOn"),
    "projections.standing": ("Position",),
    "projections.timeline": ("Timeline",),
    "projections.versions": ("QuoteChecks",),
    "receipt": ("Receipt",),
    "store.layout": ("Layout",),
    "view": ("View",),
}
"""Where each name lives, as type checkers read it above."""

if not TYPE_CHECKING:  # to them a name that is not there shall be a mistake

    def __getattr__(name: str) -> Any:
        for room, names in _ROOMS.items():
            if name in names:
                found = globals()[name] = getattr(import_module(f"ledger.{room}"), name)
                return found
        if name == "errors":  # the one room that is named by itself: except ledger.errors.NotFound
            return import_module("ledger.errors")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*__all__]
