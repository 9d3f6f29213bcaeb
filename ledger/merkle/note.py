"""The signed note: a text, and below it who signed it, each on a line of its own.

Here lives the form of C2SP signed-note alone: what is under a signature, whose key it names. Keys
that sign and the checking of signatures are in `ledger.signing`; the text that a log has signed is
in `checkpoint`.

```
claims.example/ledger                              the text, each line with its line end
600
/xYXVsCze3C9BFqQu9Oogq7eMBNJl/+EG/VYrJRR3Rc=
                                                   an empty line
— claims.example/ledger ftmtFnQk4UnHccHr0hOp..     a key's name; its id and signature, base64
```
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Final, Self

import attrs

from ledger.errors import InvalidKey, InvalidNote

ED25519: Final = 1
"""The kind of a key that signs the text of a note as it stands (C2SP signed-note)."""

COSIGNATURE: Final = 4
"""The kind of a witness's Ed25519 key, which signs a time with the text (C2SP tlog-cosignature)."""

MOST_SIGNATURES: Final = 100
_KEY_ID_BYTES: Final = 4
_ED25519_BYTES: Final = 32
_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_KEY: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


@attrs.frozen
class Signature:
    r"""One line below a note: a key's name, its 4-byte id, and what it signed with.

    Example:
        >>> print(Signature("claims.example", b"\x00\x00\x00\x01", b"signed"))
        — claims.example AAAAAXNpZ25lZA==
    """

    name: str
    key_id: bytes
    blob: bytes

    def __str__(self) -> str:
        return f"— {self.name} {b64encode(self.key_id + self.blob).decode()}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read one line.

        Raises:
            InvalidNote: it is no signature.
        """
        found = _LINE.fullmatch(line)
        data = decoded(found[2]) if found else b""
        if found is None or len(data) <= _KEY_ID_BYTES:
            raise InvalidNote(
                "Below the empty line of a note only signatures may stand, each on a line that "
                "begins with a dash (U+2014) and a space, a key's name and base64.",
                field="signatures",
                given=line,
            )
        return cls(found[1], data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def parse_signatures(below: str) -> tuple[Signature, ...]:
    """Read what stands below the empty line of a note.

    Raises:
        InvalidNote: it is anything else than signatures.
    """
    lines = below.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise InvalidNote(
            f"There are {len(lines)} lines below the empty line of a note, where at most "
            f"{MOST_SIGNATURES} signatures may stand.",
            field="signatures",
            given=len(lines),
        )
    return tuple(map(Signature.parse, lines))


@attrs.frozen
class VerifierKey:
    """The public half of a key, as it is handed to those who shall check: name, kind, bytes.

    Printed, it is the one line that `parse` reads. It has to reach a checker by another way than
    what it checks.

    Raises:
        InvalidKey: no key can have that name, or the bytes are none of its kind.

    Example:
        >>> key = VerifierKey("claims.example", ED25519, bytes(32))
        >>> print(key)
        claims.example+7c38d9ee+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        >>> VerifierKey.parse(str(key)) == key
        True

    Follows C2SP signed-note.
    """

    name: str
    kind: int
    key: bytes

    def __attrs_post_init__(self) -> None:
        if not self.name or re.search(r"[\s+\x00-\x1f\ud800-\udfff]", self.name):
            raise InvalidKey(
                f"A key cannot be called {self.name!r}: its name is that of the log, without "
                "spaces and plus signs. Type one such as weir.example/claims.",
                field="name",
                given=self.name,
            )
        short = self.kind in {ED25519, COSIGNATURE} and len(self.key) != _ED25519_BYTES
        if short or not self.key or not 0 < self.kind < 256:  # noqa: PLR2004 - one byte
            raise InvalidKey(
                f"The key {self.name!r} is of kind {self.kind} and has {len(self.key)} bytes: no "
                "such key is known.",
                field="key",
                given=self.name,
            )

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names this key."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.key
        return sha256(named).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        packed = b64encode(bytes([self.kind]) + self.key).decode()
        return f"{self.name}+{self.key_id.hex()}+{packed}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a verifier key.

        Raises:
            InvalidKey: it is none.
        """
        found = _KEY.fullmatch(line.strip())
        data = decoded(found[3]) if found else b""
        if found is not None and len(data) > 1:
            key = cls(found[1], data[0], data[1:])
            if key.key_id.hex() == found[2]:
                return key
        raise InvalidKey(
            f"{line[:100]!r} is no verifier key: that is one line NAME+ID+BASE64, as claims key "
            "show prints it. Copy the whole line.",
            field="key",
            given=line[:100],
        )

    def names(self, signature: Signature) -> bool:
        """Whether a signature says that it was made with this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)


def decoded(text: str) -> bytes:
    """The bytes in base64, none where it is written in another than the one right way."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if b64encode(data).decode() == text else b""
