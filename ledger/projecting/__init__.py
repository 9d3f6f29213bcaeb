"""Projections: views of a host's own, and the built-in table of claims, kept up with the log.

Here lives who moves a view along the log, and how; what an event *means* to the ledger's own
questions is in `ledger.projections`, the statements on cursors are in `ledger.store`.

```
projection   the value that a host makes           registry     which of them are registered
projections  what a host types                     claims       the built-in one
inlining     inside an append                      running      batch by batch, by an owner
conducting   begin, own, run, switch               owning       one at a time
building     tables and pointers                   effects      outside the database
looking      how far, what is served               mending      parked events, builds of old
failing      whose failure it was                  parking      what is noted of it
checking     against a fresh replay                waking       by the next commit
telling      to those who watch
```
"""

from ledger.projecting.cells import cells
from ledger.projecting.checking import Checked
from ledger.projecting.claims import claims
from ledger.projecting.looking import ProjectionStatus, Served
from ledger.projecting.projection import Page, Projection
from ledger.projecting.projections import Projections
from ledger.projecting.registry import Outcome
from ledger.store.cursors import Parked

__all__ = [
    "Checked",
    "Outcome",
    "Page",
    "Parked",
    "Projection",
    "ProjectionStatus",
    "Projections",
    "Served",
    "cells",
    "claims",
]
