"""Checkpoints and the verification of a whole log: what an auditor asks for.

Proofs and bundles for those who do not have the database are made in `ledger.proving`. It, and what
reads a whole log, are imported when they are asked for: a program that records pays nothing for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import attrs
from sqlalchemy import Connection

from ledger.errors import Invalid
from ledger.folding import Folded
from ledger.merkle.checkpoint import Checkpoint
from ledger.model.fields import check_flag, check_told
from ledger.model.text import show
from ledger.projecting import Checked
from ledger.projections.answer import Answer
from ledger.projections.provenance import Trace
from ledger.receipt import is_ahead, later_than
from ledger.store import read

if TYPE_CHECKING:
    from ledger.signing import CheckpointSigner
    from ledger.signing.policy import Signed

Progress = Callable[[int, int], None]


@attrs.frozen(kw_only=True)
class Verification(Answer):
    """The result of a verification that found nothing wrong: the log's size, root, and checkpoint.

    Events before `since` were not read again. `erased` counts the slots emptied by erasures;
    `views` are the projections that were compared with a replay. `waiting` counts the events after
    the checkpoint, or is None without one. `signed` says who signed the checkpoint, if
    `claims verify` was given a key. `clock` is what the clock here says, if the last entry is
    dated later than that: one of the two is wrong.
    """

    origin: str
    size: int
    root: str
    known_at: dt.datetime | None
    checkpoint: int | None
    signed: Signed | None = None
    since: int = 0
    erased: int = 0
    views: tuple[Checked, ...] = ()
    clock: dt.datetime | None = None

    derived: ClassVar[tuple[str, ...]] = ("waiting",)

    @property
    def waiting(self) -> int | None:
        """How many events came after the checkpoint."""
        return None if self.checkpoint is None else self.size - self.checkpoint

    def __str__(self) -> str:
        held = "" if self.checkpoint is None else f", continues the checkpoint at {self.checkpoint}"
        if self.waiting:
            held += f" ({self.waiting} event{'' if self.waiting == 1 else 's'} after it)"
        held += f", {self.signed}" if self.signed else ""
        slots = "1 slot" if self.erased == 1 else f"{self.erased} slots"
        gone = f", {slots} lawfully erased" if self.erased else ""
        if self.since:
            held += f", looked at from {self.since} on"
        events = "1 event" if self.size == 1 else f"{self.size} events"
        lines = [f"ok: {events} of {self.origin}, root {self.root}{gone}{held}"]
        if self.known_at is not None and self.clock is not None:
            lines.append(later_than(self.known_at, self.clock))
        return "\n".join([*lines, *map(str, self.views)])


def checkpoint(folded: Folded, size: int | None, signer: CheckpointSigner | None) -> Checkpoint:
    """The root over the first entries of a log, signed if somebody is there to sign.

    Raises:
        Invalid: who is there signs no checkpoints.
    """
    from ledger.proving.keeping import trunk  # noqa: PLC0415 - loaded by whoever asks for it

    if signer is not None:
        _check_signer(signer)
    with trunk(folded) as standing:
        found = standing.at(size).checkpoint
        if signer is None:
            return found
        return signer.sign(found, lambda old, new: standing.at(new).growth(old).hashes)


def _check_signer(signer: object) -> None:
    from ledger.signing.heads import CheckpointSigner  # noqa: PLC0415 - loaded by who made one

    if not isinstance(signer, CheckpointSigner):
        raise Invalid(
            f"{show(signer)} signs no checkpoints. Write signer=CheckpointSigner(memory, key), of "
            "ledger.signing.",
            field="signer",
            given=signer,
        )


def verify(
    conn: Connection,
    folded: Folded,
    kept: Checkpoint | None,
    progress: Progress | None,
    *,
    since: Checkpoint | None = None,
    processes: int = 1,
    contents: bool = True,
    now: dt.datetime,
) -> Verification:
    """Check every stored byte, and that the log continues a checkpoint."""
    from ledger.proving.proof import Trunk, check_continued, check_root  # noqa: PLC0415 - loaded by whoever asks for it
    from ledger.store import audit  # noqa: PLC0415 - loaded by whoever asks for it
    from ledger.store.spread import Spread  # noqa: PLC0415 - loaded by whoever asks for it

    check_flag(contents, "contents")
    check_told(progress, "progress")
    known = [one for one in (kept, since) if one is not None]
    found = audit.audit(
        conn,
        folded.tables,
        folded.origin,
        since=0 if since is None else since.size,
        roots_at=[one.size for one in known],
        spread=Spread.of(folded.host, folded.layout, folded.origin, processes),
        contents=contents,
        progress=progress,
    )
    for one in known:
        check_continued(one, found.origin, found.size)
        root = found.roots.get(one.size)
        check_root(one, Trunk.of(conn, folded).tree.root(one.size) if root is None else root)
    return Verification(
        origin=folded.origin,
        size=found.size,
        root=found.root.hex(),
        known_at=found.known_at,
        checkpoint=None if kept is None else kept.size,
        since=0 if since is None else since.size,
        erased=found.erased,
        clock=now if is_ahead(found.known_at, now) else None,
    )


def proved(conn: Connection, folded: Folded, trace: Trace) -> Trace:
    """A trace with its leaf, the root over its basis, and the way between them."""
    from ledger.store import tree  # noqa: PLC0415 - loaded by whoever asks for it

    head = read.head(conn, folded.tables, folded.origin)
    held = tree.tree(conn, folded.tables, head.log_id if head else -1, trace.basis)
    (leaf,) = held.nodes(0, trace.sequence, trace.sequence + 1)
    proof = held.inclusion_proof(trace.sequence, trace.basis)
    return attrs.evolve(
        trace,
        leaf_hash=leaf.hex(),
        size=trace.basis,
        root=held.root().hex(),
        proof=tuple(one.hex() for one in proof),
    )
