"""Checkpoints, proofs and the verification of a whole log: what an auditor asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs
from sqlalchemy import Connection

from ledger.errors import InconsistentCheckpoint, RootMismatch, UnknownEvent
from ledger.folding import Folded
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.frontier import root_of
from ledger.merkle.proofs import inclusion_proof
from ledger.projecting import Checked
from ledger.projections.answer import Answer
from ledger.projections.provenance import Trace
from ledger.store import audit, read

Progress = Callable[[int, int], None]


@attrs.frozen(kw_only=True)
class Verification(Answer):
    """What a clean audit found: the log's size and root, and the checkpoint it was held against.

    `erased` counts the slots that are empty because an erasure says so; `views` are the views that
    were compared with a replay.
    """

    origin: str
    size: int
    root: str
    known_at: dt.datetime | None
    checkpoint: int | None
    erased: int = 0
    views: tuple[Checked, ...] = ()

    def __str__(self) -> str:
        held = "" if self.checkpoint is None else f", continues the checkpoint at {self.checkpoint}"
        slots = "1 slot" if self.erased == 1 else f"{self.erased} slots"
        gone = f", {slots} lawfully erased" if self.erased else ""
        lines = [f"ok: {self.size} events of {self.origin}, root {self.root}{gone}{held}"]
        return "\n".join([*lines, *map(str, self.views)])


def checkpoint(conn: Connection, folded: Folded, size: int | None) -> Checkpoint:
    """The root over the first entries of a log."""
    head = read.head(conn, folded.tables, folded.origin)
    held = 0 if head is None else head.size
    wanted = held if size is None else size
    if not 0 <= wanted <= held:
        raise UnknownEvent(
            f"There is no checkpoint at size {wanted}: the log holds {held} events.",
            given=str(wanted),
        )
    leaves = () if head is None else read.leaf_hashes(conn, folded.tables, head.log_id, 0, wanted)
    return Checkpoint(folded.origin, wanted, root_of(leaves))


def verify(
    conn: Connection, folded: Folded, kept: Checkpoint | None, progress: Progress | None
) -> Verification:
    """Check every stored byte, and that the log continues a checkpoint."""
    found = audit.audit(
        conn,
        folded.tables,
        folded.origin,
        roots_at=() if kept is None else (kept.size,),
        progress=progress,
    )
    if kept is not None:
        _compare(kept, found)
    return Verification(
        origin=folded.origin,
        size=found.size,
        root=found.root.hex(),
        known_at=found.known_at,
        checkpoint=None if kept is None else kept.size,
        erased=found.erased,
    )


def _compare(kept: Checkpoint, found: audit.Audited) -> None:
    if kept.origin != found.origin:
        raise InconsistentCheckpoint(
            f"The checkpoint is of log {kept.origin!r}, this is {found.origin!r}: compare a log "
            "with its own checkpoints."
        )
    if kept.size > found.size:
        raise InconsistentCheckpoint(
            f"The checkpoint counts {kept.size} events, the log holds {found.size}: its end was "
            "cut off, or an older backup was restored.",
            sequence=found.size,
        )
    if found.roots[kept.size] != kept.root:
        raise RootMismatch(
            f"The first {kept.size} events have root {found.roots[kept.size].hex()}, the "
            f"checkpoint says {kept.root.hex()}: the log was rewritten since."
        )


def proved(conn: Connection, folded: Folded, trace: Trace) -> Trace:
    """A trace with its leaf, the root over its basis, and the way between them."""
    log = folded.log_id(conn)
    found = () if log is None else read.leaf_hashes(conn, folded.tables, log, 0, trace.basis)
    leaves = list(found)
    proof = inclusion_proof(lambda a, b: leaves[a:b], trace.sequence, trace.basis)
    return attrs.evolve(
        trace,
        leaf_hash=leaves[trace.sequence].hex(),
        size=trace.basis,
        root=root_of(leaves).hex(),
        proof=tuple(one.hex() for one in proof),
    )
