"""The proof of one entry, and that a log has grown: made from the database's tree.

The texts that are handed out are in `ledger.merkle.written`; whole bundles are in `writing`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import attrs
from sqlalchemy import Connection

from ledger.codec.entry import SLOTS, Row
from ledger.errors import (
    InconsistentCheckpoint,
    RootMismatch,
    UnknownEvent,
)
from ledger.folding import Folded
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tree import Tree
from ledger.merkle.written import GrowthProof, InclusionProof
from ledger.narrowing import of_claim
from ledger.projections import naming
from ledger.store import read, tree


@attrs.frozen(kw_only=True)
class Proof:
    """An entry with its proof: `entry` is its exact bytes, `slots` its contents, each salted.

    Printed, it is the proof only: a C2SP tlog-proof, which other tools check against the entry.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     topic = ledger.register(Topic("weirs", label="Weirs"))
        ...     proof = ledger.prove(0)
        >>> proof.verify()
        >>> print(str(proof).splitlines()[1])
        index 0
    """

    sequence: int
    entry: bytes
    slots: Mapping[str, bytes] = attrs.field(repr=False)
    inclusion: InclusionProof

    @property
    def checkpoint(self) -> Checkpoint:
        """What the proof leads to."""
        return self.inclusion.checkpoint

    def verify(self) -> None:
        """Check the entry against the checkpoint of the proof.

        Raises:
            ProofRejected: the proof does not lead there.
        """
        self.inclusion.verify(self.entry)

    def __str__(self) -> str:
        return str(self.inclusion).removesuffix("\n")


@attrs.frozen(kw_only=True)
class Trunk:
    """A log as it stands on one connection: its number, its tree, a checkpoint it is proved by."""

    conn: Connection
    folded: Folded
    log_id: int
    tree: Tree
    _given: Checkpoint | None = None

    @classmethod
    def of(cls, conn: Connection, folded: Folded) -> Trunk:
        """The log up to its end."""
        head = read.head(conn, folded.tables, folded.origin)
        log_id, size = (-1, 0) if head is None else (head.log_id, head.size)
        held = tree.tree(conn, folded.tables, log_id, size)
        return cls(conn=conn, folded=folded, log_id=log_id, tree=held)

    def upto(self, given: Checkpoint | None) -> Trunk:
        """The log up to a checkpoint of it; as it is without one.

        Raises:
            InconsistentCheckpoint: the checkpoint is of another log, or counts more.
            RootMismatch: the log is not the one that the checkpoint speaks of.
        """
        if given is None:
            return self
        check_continued(given, self.folded.origin, self.tree.size)
        check_root(given, self.tree.root(given.size))
        return attrs.evolve(self, given=given)

    def at(self, size: int | None) -> Trunk:
        """The log up to a size; as it is without one.

        Raises:
            UnknownEvent: the log is not that long.
        """
        if size is None:
            return self
        if type(size) is not int or not 0 <= size <= self.tree.size:
            day = " For the end of a day: ledger.as_of(known='2024-03-14').checkpoint()."
            raise UnknownEvent(
                f"There is no checkpoint at size {size!r}: the log holds {self.tree.size} events."
                f"{'' if type(size) is int else day}",
                given=str(size),
            )
        return attrs.evolve(self, given=Checkpoint(self.folded.origin, size, self.tree.root(size)))

    @functools.cached_property
    def checkpoint(self) -> Checkpoint:
        """What proofs lead to."""
        size = self.tree.size
        return self._given or Checkpoint(self.folded.origin, size, self.tree.root())

    def rows(self, after: int = -1) -> list[Row]:
        """The next page of rows up to the checkpoint."""
        stop = min(after + 1 + read.PAGE, self.checkpoint.size)
        tables = self.folded.tables
        return [*read.rows(self.conn, tables, self.log_id, after=after, until=stop)]

    def proof(self, sequence: int) -> Proof:
        """The proof of the entry at a sequence.

        Raises:
            UnknownEvent: the checkpoint counts no such entry.
            MissingEntry: the database holds it no more.
        """
        if not 0 <= sequence < self.checkpoint.size:
            raise UnknownEvent(
                f"There is no entry at sequence {sequence} among the {self.checkpoint.size} that "
                "the checkpoint counts. Take a newer one.",
                given=str(sequence),
            )
        tables = self.folded.tables
        found = read.rows(self.conn, tables, self.log_id, after=sequence - 1, until=sequence + 1)
        row = next(found, None)
        if row is None:
            raise read.missing_entry(sequence, size=self.tree.size)
        return Proof(
            sequence=sequence,
            entry=row.entry.encode(),
            slots={name: slot for name in SLOTS if (slot := row.slot(name)) is not None},
            inclusion=InclusionProof(
                index=sequence,
                hashes=self.tree.inclusion_proof(sequence, self.checkpoint.size),
                checkpoint=self.checkpoint,
            ),
        )

    def growth(self, old: Checkpoint | int) -> GrowthProof:
        """The proof that the checkpoint continues an older one, or an older size.

        Raises:
            InconsistentCheckpoint: the older one is of another log, or counts more.
            RootMismatch: the log is not the one that the older one speaks of.
        """
        size = old if isinstance(old, int) else old.size
        if isinstance(old, Checkpoint):
            check_continued(old, self.checkpoint.origin, self.checkpoint.size)
            check_root(old, self.tree.root(old.size))
        elif not 0 <= old <= self.checkpoint.size:
            raise UnknownEvent(
                f"The log never held {old} entries on its way to {self.checkpoint.size}.",
                given=str(old),
            )
        hashes = self.tree.consistency_proof(size, self.checkpoint.size) if size else ()
        return GrowthProof(old=size, hashes=hashes, checkpoint=self.checkpoint)


def sequence_of(folded: Folded, claim: str | int) -> int:
    """The sequence of a claim by its id, or of any entry by its sequence.

    Raises:
        UnknownClaim: there is no such claim; near ones are named.
        Invalid: it is neither an id nor a sequence.
    """
    if isinstance(claim, bool):  # to Python a number, but nobody counts with it
        naming.check("claim", claim)
    if isinstance(claim, int):
        return claim
    naming.check("claim", claim)
    with of_claim(folded, claim) as facts:
        stored = facts.stored.get(claim)
        id_ = stored.id if stored is not None else naming.find(facts, "claim", claim)
        return facts.stored[id_].sequence


def check_continued(kept: Checkpoint, origin: str, size: int) -> None:
    """Refuse a checkpoint of another log, or of a longer one.

    Raises:
        InconsistentCheckpoint: it is one.
    """
    if kept.origin != origin:
        raise InconsistentCheckpoint(
            f"The checkpoint is of log {kept.origin!r}, this is {origin!r}: compare a log "
            "with its own checkpoints."
        )
    if kept.size > size:
        raise InconsistentCheckpoint(
            f"The checkpoint counts {kept.size} events, the log holds {size}: its end was "
            "cut off, or an older backup was restored.",
            sequence=size,
        )


def check_root(kept: Checkpoint, root: bytes) -> None:
    """Refuse a checkpoint that speaks of other entries.

    Raises:
        RootMismatch: it does.
    """
    if kept.root != root:
        raise RootMismatch(
            f"The first {kept.size} events have root {root.hex()}, the checkpoint says "
            f"{kept.root.hex()}: the log was rewritten since."
        )
