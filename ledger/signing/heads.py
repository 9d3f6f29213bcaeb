"""What a signer may sign: the log as it signed it last, grown; never less, never another.

Here lives the memory of a signer, which must lie outside the database: whoever puts back an older
copy of the database must not put the memory back with it. Keys are in `keys`.

```
last signed   14 entries, root A
asked for     20 entries, root B, proof that they begin with the 14    -> kept, then signed
              12 entries                                               -> refused: a rollback
              20 entries, and no such proof                            -> refused: a fork
```
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import attrs

from ledger.errors import (
    InvalidCheckpoint,
    InvalidKey,
    ProofRejected,
    SignerRefused,
    UnknownEvent,
)
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.proofs import verify_consistency
from ledger.signing.keys import Signer, signed_by

Prove: TypeAlias = Callable[[int, int], Sequence[bytes]]
"""Gives the proof that the log at its second size continues the log at its first.

From size 0 it is empty. An UnknownEvent says that the log is not that long.
"""

_MOST_BYTES: Final = 1_000_000


class Memory(Protocol):
    """Where a signer keeps what it signed last, outside of the database."""

    def held(self) -> AbstractContextManager[Checkpoint | None]:
        """The last checkpoint, None at first; nobody else may change it inside the context."""

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep a newer one, for good, before it is signed; called inside the context."""


@attrs.define
class FileMemory:
    """A memory in a file, which holds the last signed checkpoint as its text.

    Keep it on another machine or disk than the database, and out of backups that are restored with
    it. A symlink is followed, and stays one.
    """

    path: Path = attrs.field(converter=Path)

    @contextlib.contextmanager
    def held(self) -> Iterator[Checkpoint | None]:
        """The last checkpoint, None where there is no file yet; others wait meanwhile.

        Raises:
            InvalidCheckpoint: the file holds something else, or is a symlink to nothing.
        """
        place = self._place()
        self._read(place)  # beside what is no memory, no lock is left
        with _locked(place.with_name(place.name + ".lock")):
            yield self._read(place)

    def _place(self) -> Path:
        """Where the memory lies: that of a link is the file that it leads to."""
        if self.path.is_symlink() and not self.path.exists():
            raise InvalidCheckpoint(
                f"{str(self.path)!r}, which remembers what was signed last, is a link to "
                f"{str(self.path.readlink())!r}, where nothing is: perhaps its disk is not there. "
                "Bring it back, or give the path of the file itself if nothing was signed yet.",
                field="memory",
                given=str(self.path),
            )
        return self.path.resolve()

    def _read(self, place: Path) -> Checkpoint | None:
        try:
            with place.open("rb") as file:
                return Checkpoint.parse(file.read(_MOST_BYTES).decode())
        except FileNotFoundError:
            return None
        except (InvalidCheckpoint, UnicodeDecodeError) as error:
            raise InvalidCheckpoint(
                f"{str(self.path)!r}, which remembers what was signed last, is damaged. Put back "
                "the last checkpoint that was published, as its text; do not delete the file.",
                field="memory",
                given=str(self.path),
            ) from error

    def keep(self, checkpoint: Checkpoint) -> None:
        """Replace the file at once and for good."""
        place = self._place()
        with tempfile.NamedTemporaryFile(
            "w", dir=place.parent, prefix=f".{place.name}.", encoding="utf-8", delete=False
        ) as file:
            file.write(f"{checkpoint}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(place)
        if os.name == "posix":
            folder = os.open(place.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@attrs.frozen(init=False)
class CheckpointSigner:
    """Signs a log's checkpoints, each only if it continues the last one in the signer's memory.

    Several keys all sign: use two while you change keys.

    Raises:
        InvalidKey: no key is given.

    Example:
        >>> from ledger.signing.keys import Ed25519Signer
        >>> key = Ed25519Signer.generate("weir.example/claims")
        >>> signer = CheckpointSigner(FileMemory("weir.signed"), key)
    """

    memory: Memory
    signers: tuple[Signer, ...]

    def __init__(self, memory: Memory, *signers: Signer) -> None:
        if not signers:
            raise InvalidKey(
                "Nobody signs: give the memory and at least one key, as "
                "CheckpointSigner(FileMemory(path), key).",
                field="signers",
            )
        self.__attrs_init__(memory, signers)

    def sign(self, checkpoint: Checkpoint, prove: Prove) -> Checkpoint:
        """The checkpoint with a signature of each key; it is remembered before it is signed.

        Raises:
            SignerRefused: what was signed last is not what this continues.
            InvalidKey: a key bears another name than the log.
        """
        for signer in self.signers:
            _check_name(signer, checkpoint)
        with self.memory.held() as last:
            if last is not None:
                _check_history(last, checkpoint, prove)
            if last != checkpoint:
                self.memory.keep(checkpoint)
            signatures = tuple(signed_by(one, checkpoint.body()) for one in self.signers)
        return attrs.evolve(checkpoint, signatures=checkpoint.signatures + signatures)


def _check_name(signer: Signer, checkpoint: Checkpoint) -> None:
    name = signer.verifier_key.name
    if name != checkpoint.origin:
        raise InvalidKey(
            f"The key is called {name!r}, the log {checkpoint.origin!r}: a log's key bears its "
            f"name. Type: claims key new FILE --name {checkpoint.origin}",
            field="name",
            given=name,
        )


def _check_history(last: Checkpoint, checkpoint: Checkpoint, prove: Prove) -> None:
    if last.origin != checkpoint.origin:
        raise SignerRefused(
            f"The signer's memory is of the log {last.origin!r}, not of {checkpoint.origin!r}. "
            "Give each log a memory of its own.",
            signed=last.size,
            given=checkpoint.size,
        )
    if checkpoint.size < last.size and _continues(checkpoint, last, prove):
        raise SignerRefused(
            f"The signer has signed {last.size} entries of {last.origin}, and is asked to sign "
            f"{checkpoint.size}, an older size: the log still holds all that was signed, and a "
            f"signer does not go back. Nothing was signed; ask for the size {last.size} or a "
            "later one, or for none.",
            signed=last.size,
            given=checkpoint.size,
        )
    if checkpoint.size < last.size:
        raise SignerRefused(
            f"The signer has signed {last.size} entries of {last.origin}, and is asked to sign "
            f"{checkpoint.size}: an older copy of the database was put back, or its end was cut "
            "off. Put back a copy that holds all of them. If there is none, begin a log under "
            "another name with another key, and publish why.",
            signed=last.size,
            given=checkpoint.size,
        )
    if last.size and not _continues(last, checkpoint, prove):
        raise SignerRefused(
            f"The first {last.size} entries of {last.origin} are not those that the signer has "
            "signed: the log was rewritten, or went on from an older copy. Keep both, and compare "
            "the database with the last good copy: claims verify --checkpoint takes the signer's "
            "memory.",
            signed=last.size,
            given=checkpoint.size,
        )


def _continues(last: Checkpoint, checkpoint: Checkpoint, prove: Prove) -> bool:
    try:
        proof = prove(last.size, checkpoint.size)
        if last.size:
            verify_consistency(
                old_size=last.size,
                old_root=last.root,
                new_size=checkpoint.size,
                new_root=checkpoint.root,
                proof=proof,
            )
    except (ProofRejected, UnknownEvent):
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    @contextlib.contextmanager
    def _locked(path: Path) -> Iterator[None]:
        with path.open("ab") as file:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    @contextlib.contextmanager
    def _locked(path: Path) -> Iterator[None]:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
