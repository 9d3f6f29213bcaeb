"""What a ledger attests to others: checkpoints, proofs, bundles.

How they are made is in `ledger.proving`, which is imported by whoever asks for it; the log's own
verification is asked of the ledger itself.
"""

from __future__ import annotations

import abc
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ledger import auditing
from ledger.errors import Invalid, InvalidBundle, InvalidCheckpoint
from ledger.folding import Folded
from ledger.handed import Id, id_of
from ledger.merkle.checkpoint import Checkpoint
from ledger.model.text import show

if TYPE_CHECKING:
    from ledger.merkle.written import GrowthProof
    from ledger.proving import Bundled, Proof
    from ledger.signing import CheckpointSigner


class Attesting(abc.ABC):
    """The methods of a ledger that make checkpoints, proofs and bundles."""

    _folded: Folded

    def checkpoint(
        self, size: int | None = None, *, signer: CheckpointSigner | None = None
    ) -> Checkpoint:
        """The checkpoint of the first `size` entries (default: all), to be kept elsewhere.

        Raises:
            UnknownEvent: the log is not that long.
            SignerRefused: the signer has signed another history of the log.
            Invalid: `signer` is no CheckpointSigner, but for example a key.
        """
        return auditing.checkpoint(self._folded, size, signer)

    def prove(self, claim: Id | int, *, checkpoint: Checkpoint | str | None = None) -> Proof:
        """Prove that the log holds a claim (or the entry at a sequence number).

        The proof leads to the given checkpoint, or to the end of the log.

        Raises:
            UnknownClaim: there is no such claim.
            UnknownEvent: the checkpoint does not count it yet.
            RootMismatch: the checkpoint is of other entries.
        """
        from ledger.proving.keeping import trunk  # noqa: PLC0415 - loaded by whoever asks for it
        from ledger.proving.proof import sequence_of  # noqa: PLC0415 - loaded by whoever asks for it

        given = read_checkpoint(checkpoint)
        sequence = sequence_of(self._folded, claim if isinstance(claim, int) else id_of(claim))
        with trunk(self._folded, given) as standing:
            return standing.proof(sequence)

    def prove_growth(
        self, old: Checkpoint | str | int, new: Checkpoint | str | int | None = None
    ) -> GrowthProof:
        """Prove that the log at a newer checkpoint, or at its end, continues an older checkpoint.

        Raises:
            RootMismatch: it does not.
            InconsistentCheckpoint: they are of two logs, or the log has fewer entries.
            Invalid: the newer one was handed in first.
            InvalidCheckpoint: one of them is no checkpoint.
        """
        from ledger.proving.keeping import trunk  # noqa: PLC0415 - loaded by whoever asks for it

        earlier = old if isinstance(old, int) else read_checkpoint(old)
        if earlier is None:
            raise InvalidCheckpoint(
                "None is no older checkpoint. Hand over its text, or its size.", field="old"
            )
        size, later = (new, None) if isinstance(new, int) else (None, read_checkpoint(new))
        if isinstance(earlier, Checkpoint) and later is not None and earlier.size > later.size:
            raise Invalid(
                f"The first checkpoint counts {earlier.size} entries, the second {later.size}: the "
                "older one goes first. Write prove_growth(older, newer).",
                field="old",
                given=earlier.size,
            )
        with trunk(self._folded, later) as standing:
            return standing.at(size).growth(earlier)

    def bundle(
        self,
        path: str | os.PathLike[str],
        *,
        claim: Id | None = None,
        party: Id | None = None,
        checkpoint: Checkpoint | str | None = None,
        since: Checkpoint | str | None = None,
        withhold: Iterable[str] = (),
    ) -> Bundled:
        """Write a claim, a party's claims or the whole log with proofs, for `verify_bundle`.

        It is a folder, or a zip if the path ends with `.zip`. `since` adds the proof that the log
        continues an older checkpoint; `withhold` leaves out slots, of all entries ("words") or of
        one ("12:who").

        Raises:
            UnknownClaim: there is no such claim.
            UnknownEvent: something that belongs to the bundle is newer than the checkpoint.
            InvalidBundle: the path exists already or cannot be written, or something of the whole
                log was erased after the checkpoint.
        """
        from ledger.proving.keeping import trunk  # noqa: PLC0415 - loaded by whoever asks for it
        from ledger.proving.writing import Withheld, belonging, write  # noqa: PLC0415 - loaded by whoever asks for it

        if claim is not None and party is not None:
            raise Invalid("A bundle is of a claim or of a party: give one of them.", field="claim")
        if not isinstance(path, (str, os.PathLike)):
            raise InvalidBundle(
                f"{show(path)} is no path. Write bundle('weir.bundle'), or '....zip' for one file.",
                field="path",
                given=path,
            )
        given, before = read_checkpoint(checkpoint), read_checkpoint(since)
        withheld = Withheld.parse(withhold)
        about: dict[str, str] = {}
        sequences: tuple[int, ...] | None = None
        with trunk(self._folded, given) as standing:
            if claim is not None or party is not None:
                with self._folded.fold.lock:  # what belongs to it at the moment of the checkpoint
                    facts = self._folded.fold.at_head(standing.conn)
                    about, sequences = belonging(
                        facts,
                        claim=None if claim is None else id_of(claim),
                        party=None if party is None else id_of(party),
                    )
            return write(
                Path(path),
                standing,
                about=about,
                sequences=sequences,
                since=before,
                withheld=withheld,
            )


@overload
def read_checkpoint(given: Checkpoint | str) -> Checkpoint: ...
@overload
def read_checkpoint(given: Checkpoint | str | None) -> Checkpoint | None: ...
def read_checkpoint(given: Checkpoint | str | None) -> Checkpoint | None:
    """A checkpoint, perhaps handed in as its text.

    Raises:
        InvalidCheckpoint: it is neither.
    """
    if not isinstance(given, str | Checkpoint | None):
        raise InvalidCheckpoint(
            f"{show(given)} is no checkpoint. Hand over its text, as Path('checkpoint.txt')"
            ".read_text(), or what ledger.checkpoint() gave.",
            field="checkpoint",
            given=given,
        )
    return Checkpoint.parse(given) if isinstance(given, str) else given
