"""Keys that sign checkpoints: the protocol, and one that is kept in a file.

Here lives what makes a signature. What may be signed is decided in `heads`; how a checker asks for
signatures, in `policy`. The file holds the one line that Go's sumdb/note writes as well:

```
PRIVATE+KEY+weir.example/claims+8a1cbb5a+AYt..      name, id, base64 of the kind and 32 bytes
```
"""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, Final, Protocol, Self, runtime_checkable

import attrs

from ledger.errors import InvalidKey
from ledger.merkle.note import ED25519, Signature, VerifierKey
from ledger.signing import ed25519

_PRIVATE: Final = re.compile(r"PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_SEED_BYTES: Final = 32
_MOST_BYTES: Final = 4_096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@runtime_checkable
class Signer(Protocol):
    """What signs the text of a checkpoint: a file, an agent, a device of yours."""

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half; its name is the name of the log."""

    def sign(self, message: bytes) -> bytes:
        """The signature over these bytes, as the kind of the key wants it."""


def signed_by(signer: Signer, text: str) -> Signature:
    """The line that a signer puts below a text."""
    key = signer.verifier_key
    return Signature(key.name, key.key_id, signer.sign(text.encode()))


@attrs.frozen(kw_only=True)
class Ed25519Signer:
    """An Ed25519 key under the name of a log, made anew or read from a file.

    Example:
        >>> signer = Ed25519Signer.generate("weir.example/claims")
        >>> str(signer.verifier_key).startswith("weir.example/claims+")
        True
    """

    verifier_key: VerifierKey
    _seed: bytes = attrs.field(repr=False)
    _key: Any = attrs.field(repr=False, eq=False)

    @classmethod
    def generate(cls, name: str) -> Self:
        """A new key.

        Raises:
            InvalidKey: no key can have that name.
            MissingExtra: `cryptography` is not installed.
        """
        return cls.from_seed(name, os.urandom(_SEED_BYTES))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """The key with these 32 secret bytes.

        Raises:
            InvalidKey: there are more or fewer, or no key can have that name.
            MissingExtra: `cryptography` is not installed.
        """
        if len(seed) != _SEED_BYTES:
            raise InvalidKey(
                f"An Ed25519 key is made of {_SEED_BYTES} secret bytes, not {len(seed)}.",
                field="seed",
            )
        key = ed25519.private_key(seed)
        public = VerifierKey(name, ED25519, ed25519.public_bytes(key))
        return cls(verifier_key=public, seed=seed, key=key)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """The key in a file that `save` or `claims key new` made.

        Raises:
            InvalidKey: it holds none, or others than its owner may read it.
            MissingExtra: `cryptography` is not installed.
        """
        written = _private_text(Path(path))
        found = _PRIVATE.fullmatch(written.strip())
        try:
            data = b64decode(found[3], validate=True) if found else b""
        except ValueError:
            data = b""
        if found is not None and data[:1] == bytes([ED25519]) and len(data) == _SEED_BYTES + 1:
            signer = cls.from_seed(found[1], data[1:])
            if signer.verifier_key.key_id.hex() == found[2]:
                return signer
        raise InvalidKey(
            f"{str(path)!r} holds no signing key, or a damaged one. Give the file that claims key "
            "new made, or make another: claims key new FILE",
            field="key",
            given=str(path),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the key into a new file that only its owner may read and write.

        Raises:
            InvalidKey: there is such a file already; it is left as it is.
        """
        packed = b64encode(bytes([ED25519]) + self._seed).decode()
        key = self.verifier_key
        line = f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{packed}\n"
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise InvalidKey(
                f"{str(path)!r} is there already, and a key that was overwritten is lost. Give "
                "another path.",
                field="path",
                given=str(path),
            ) from None
        with os.fdopen(file, "w", encoding="utf-8") as made:
            made.write(line)
            made.flush()
            os.fsync(made.fileno())

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over these bytes (RFC 8032)."""
        signature: bytes = self._key.sign(message)
        return signature


def _private_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            written = file.read(_MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidKey(
            f"{str(path)!r} holds no key that can be read. Give the file that claims key new made.",
            field="key",
            given=str(path),
        ) from error
    if os.name == "posix" and mode & _OTHERS:
        raise InvalidKey(
            f"Others than its owner may read or write {str(path)!r} (mode {mode:o}): whoever did "
            f"can sign as you. Type: chmod 600 {path}",
            field="key",
            given=str(path),
        )
    return written
