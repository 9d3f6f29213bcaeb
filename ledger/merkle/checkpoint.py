"""The checkpoint: which log, how many leaves, which root, as a text that can leave the house.

The text is the body of a C2SP tlog-checkpoint, which may be signed as a `note`. Signing and
checking who signed are in `ledger.signing`.

```
claims.example/ledger                           origin
600                                             size, in leaves
/xYXVsCze3C9BFqQu9Oogq7eMBNJl/+EG/VYrJRR3Rc=    root, base64
                                                an empty line and signatures, if it was signed
```
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final, Self

import attrs

from ledger.errors import InvalidCheckpoint, InvalidNote
from ledger.merkle.hashing import HASH_BYTES, SIZE_LIMIT
from ledger.merkle.note import Signature, decoded, parse_signatures

_CONTROL: Final = re.compile(r"[\x00-\x1f\ud800-\udfff]")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@attrs.frozen
class Checkpoint:
    """The head of one log at one size: `size` leaves, whose tree has this 32-byte `root`.

    Printed, it is the text that `parse` reads, with whatever `signatures` stand below. Two are
    equal if they say the same, whoever signed.

    Raises:
        InvalidCheckpoint: an empty origin or one of several lines, a size or root no tree has.

    Example:
        >>> from ledger.merkle.hashing import EMPTY_ROOT
        >>> print(Checkpoint("claims.example/ledger", 0, EMPTY_ROOT))
        claims.example/ledger
        0
        47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

    Follows C2SP tlog-checkpoint.
    """

    origin: str
    size: int
    root: bytes
    signatures: tuple[Signature, ...] = attrs.field(default=(), eq=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        given: tuple[object, ...] = (self.origin, self.size, self.root)
        match given:
            case (str(), int(), bytes()):
                pass
            case _:
                raise InvalidCheckpoint(
                    "A checkpoint is an origin (text), a size (a number) and a root (bytes). A "
                    "text is read by Checkpoint.parse(text).",
                    field="origin",
                    given=given,
                )
        if not self.origin or _CONTROL.search(self.origin):
            raise InvalidCheckpoint(
                f"The origin {self.origin!r} must be one line of text, such as "
                "'claims.example/ledger'.",
                field="origin",
                given=self.origin,
            )
        if not 0 <= self.size < SIZE_LIMIT:
            raise InvalidCheckpoint(
                f"No tree has {self.size} leaves.", field="size", given=self.size
            )
        if len(self.root) != HASH_BYTES:
            raise InvalidCheckpoint(
                f"A root is {HASH_BYTES} bytes, given were {len(self.root)}.",
                field="root",
                given=self.root,
            )

    def body(self) -> str:
        """The three lines that a signature covers, each with its line end."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    def __str__(self) -> str:
        signed = "".join(f"\n{one}" for one in self.signatures)
        return self.body() + signed if signed else self.body().removesuffix("\n")

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read a checkpoint, bare or as a signed note.

        Signatures are kept and NOT verified: what this returns is what the text says, whoever
        wrote it. Lines that other logs add after the root are left aside, and with them the
        signatures, which cover them.

        Raises:
            InvalidCheckpoint: the text is no checkpoint; `field` says which part is not.

        Example:
            >>> text = "claims.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
            >>> Checkpoint.parse(text + "\n— claims.example c2lnbmVk\n").size
            0
        """
        given: object = text
        if not isinstance(given, str):
            raise InvalidCheckpoint(
                f"A checkpoint is read from text, not from {type(given).__name__}. Write "
                "Checkpoint.parse(Path('checkpoint.txt').read_text()).",
                field="text",
                given=given,
            )
        body, empty, below = text.rstrip("\n").partition("\n\n")
        signatures = _read_signatures(below) if empty else ()
        match body.split("\n"):
            case [origin, size, root, *others]:
                signed = () if others else signatures
                return cls(origin, _read_size(size), _read_root(root), signatures=signed)
            case lines:
                raise InvalidCheckpoint(
                    "A checkpoint is three lines: origin, size and root; here "
                    f"{'is one' if len(lines) == 1 else 'are two'}. Give the whole text.",
                    field="text",
                    given=text,
                )


def as_checkpoint(given: Checkpoint | str) -> Checkpoint:
    """A checkpoint, perhaps handed in as its text.

    Raises:
        InvalidCheckpoint: it is neither.
    """
    return given if isinstance(given, Checkpoint) else Checkpoint.parse(given)


def _read_signatures(below: str) -> tuple[Signature, ...]:
    try:
        return parse_signatures(below)
    except InvalidNote as error:
        raise InvalidCheckpoint(error.message, field=error.field, given=error.given) from None


def _read_size(line: str) -> int:
    if not _SIZE.fullmatch(line):
        raise InvalidCheckpoint(
            f"The size of a checkpoint, its second line, is a plain number, not {line!r}.",
            field="size",
            given=line,
        )
    return int(line)


def _read_root(line: str) -> bytes:
    root = decoded(line)
    if len(root) != HASH_BYTES:
        raise InvalidCheckpoint(
            f"The root of a checkpoint, its third line, is {HASH_BYTES} bytes in base64, not "
            f"{line!r}.",
            field="root",
            given=line,
        )
    return root
