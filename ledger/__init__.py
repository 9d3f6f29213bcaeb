"""An event-sourced ledger of attributed claims: who said what, when, in which document.

`Ledger.open("claims.db")` is the way in; everything else here is what goes into it or comes out.
"""

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
