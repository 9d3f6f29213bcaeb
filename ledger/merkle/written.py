"""Proofs as texts: what is handed out with an entry, and what a witness is asked with.

Each ends with a checkpoint, perhaps a signed one, so that a proof and what it leads to stay
together. How proofs are made and checked is in `proofs`.

```
c2sp.org/tlog-proof@v1              old 300                          what was cosigned already
index 200                           HVe4Ognf7GB4e//qLKuV4Jrx3e..     hashes, the lowest first
JIDhAaJMwqUsHr7a+lye0iTba..
                                                                     an empty line
claims.example/ledger               claims.example/ledger            the checkpoint
600                                 600
/xYXVsCze3C9BFqQu9Oogq7eM..         /xYXVsCze3C9BFqQu9Oogq7eM..
```
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final, Self

import attrs

from ledger.errors import InconsistentCheckpoint, InvalidProof, ProofRejected
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.hashing import EMPTY_ROOT, HASH_BYTES, leaf_hash
from ledger.merkle.note import decoded
from ledger.merkle.proofs import verify_consistency, verify_inclusion

_HEAD: Final = "c2sp.org/tlog-proof@v1"
_MOST_HASHES: Final = 126
"""No proof is longer: a tree of less than 2**63 leaves has 63 levels, and twice that is ample."""

_MOST_CHARACTERS: Final = 1_000_000
_NUMBER: Final = re.compile(r"(?:index|old) (0|[1-9][0-9]{0,18})")


@attrs.frozen(kw_only=True)
class InclusionProof:
    """That an entry stands at `index` of the log that a checkpoint speaks of.

    Printed, it is the file that `parse` reads. `hashes` are 32 bytes each, the lowest first.

    Follows C2SP tlog-proof.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    def __str__(self) -> str:
        return f"{_HEAD}\nindex {self.index}\n{_lines(self.hashes)}\n{self.checkpoint}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such a file; nothing is verified.

        Raises:
            InvalidProof: it is none.
            InvalidCheckpoint: its end is no checkpoint.
        """
        lines, checkpoint = _parted(text)
        if lines[:1] != [_HEAD]:
            raise InvalidProof(
                f"A proof begins with the line {_HEAD!r}. Give the file as it was handed out.",
                field="text",
                given=text[:100],
            )
        # What a log adds for its own use; ours adds nothing and reads nothing there.
        rest = lines[2:] if lines[1:2] and lines[1].startswith("extra ") else lines[1:]
        index = _number(rest, "index")
        return cls(index=index, hashes=_hashes(rest[1:]), checkpoint=checkpoint)

    def verify(self, entry: bytes) -> None:
        """Check that these bytes are the entry there. Who signed the checkpoint is not looked at.

        Raises:
            ProofRejected: they are not.
        """
        verify_inclusion(
            leaf=leaf_hash(entry),
            index=self.index,
            size=self.checkpoint.size,
            proof=self.hashes,
            root=self.checkpoint.root,
        )


@attrs.frozen(kw_only=True)
class GrowthProof:
    """That the log a checkpoint speaks of begins with the first `old` entries it once had.

    Printed, it is the text that `parse` reads, and what a witness is sent. From an empty log, `old`
    0, there is nothing to prove and are no hashes.

    Follows C2SP tlog-witness, add-checkpoint.
    """

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    def __str__(self) -> str:
        return f"old {self.old}\n{_lines(self.hashes)}\n{self.checkpoint}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such a text; nothing is verified.

        Raises:
            InvalidProof: it is none.
            InvalidCheckpoint: its end is no checkpoint.
        """
        lines, checkpoint = _parted(text)
        return cls(old=_number(lines, "old"), hashes=_hashes(lines[1:]), checkpoint=checkpoint)

    def verify(self, kept: Checkpoint) -> None:
        """Check that the checkpoint continues one that was kept.

        Raises:
            InconsistentCheckpoint: they are of two logs, or the proof is from another size.
            ProofRejected: it does not continue it.
        """
        if (kept.origin, kept.size) != (self.checkpoint.origin, self.old):
            raise InconsistentCheckpoint(
                f"The proof leads from {self.old} entries of {self.checkpoint.origin!r}, the "
                f"checkpoint kept counts {kept.size} of {kept.origin!r}. Ask for a proof from "
                "there."
            )
        if kept.size == 0:
            if kept.root != EMPTY_ROOT:
                raise ProofRejected(
                    f"The checkpoint kept counts no entries, and says that their root is "
                    f"{kept.root.hex()}: that of an empty log is {EMPTY_ROOT.hex()}. Give "
                    "the checkpoint as it was published."
                )
            return
        verify_consistency(
            old_size=kept.size,
            old_root=kept.root,
            new_size=self.checkpoint.size,
            new_root=self.checkpoint.root,
            proof=self.hashes,
        )


def _lines(hashes: tuple[bytes, ...]) -> str:
    return "".join(f"{b64encode(one).decode()}\n" for one in hashes)


def _parted(text: str) -> tuple[list[str], Checkpoint]:
    above, empty, below = text[: _MOST_CHARACTERS + 1].partition("\n\n")
    if not empty or len(text) > _MOST_CHARACTERS:
        raise InvalidProof(
            "A proof ends with an empty line and a checkpoint. Give the whole file.",
            field="text",
            given=text[:100],
        )
    return above.split("\n"), Checkpoint.parse(below)


def _number(lines: list[str], word: str) -> int:
    found = _NUMBER.fullmatch(lines[0]) if lines else None
    if found is None or not lines[0].startswith(word):
        raise InvalidProof(
            f"A proof says {word!r} and a number before its hashes, not "
            f"{(lines[0] if lines else '')[:60]!r}.",
            field=word,
            given=lines[0][:60] if lines else "",
        )
    return int(found[1])


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > _MOST_HASHES:
        raise InvalidProof(f"No proof has {len(lines)} hashes.", field="hashes", given=len(lines))
    return tuple(map(_hash, lines))


def _hash(line: str) -> bytes:
    found = decoded(line)
    if len(found) != HASH_BYTES:
        raise InvalidProof(
            f"A line of a proof is a hash of {HASH_BYTES} bytes in base64, not {line[:60]!r}.",
            field="hashes",
            given=line[:60],
        )
    return found
