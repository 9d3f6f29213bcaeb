"""A signature on a single entry, as OpenSSH makes and checks them on files.

Here lives the form (OpenSSH, PROTOCOL.sshsig). A checkpoint says that a log has not changed; this
says who vouches for one entry of it, and needs nothing but `ssh-keygen` to be checked:

```
ssh-keygen -Y verify -f allowed -I weir.example/claims -n claimledger -s c1.json.sig < c1.json
```
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode, b64encode
from hashlib import sha512
from typing import Final

from ledger.errors import SignatureRejected
from ledger.merkle.note import ED25519, VerifierKey
from ledger.signing import ed25519
from ledger.signing.keys import Signer

NAMESPACE: Final = "claimledger"
"""What keeps a signature on an entry from being taken for one on anything else."""

_MAGIC: Final = b"SSHSIG"
_VERSION: Final = struct.pack(">I", 1)
_KIND: Final = b"ssh-ed25519"
_HASH: Final = b"sha512"
_WIDTH: Final = 70
_ARMOUR: Final = re.compile(
    r"-----BEGIN SSH SIGNATURE-----\s([A-Za-z0-9+/=\s]{1,4000})-----END SSH SIGNATURE-----\s*"
)


def ssh_signature(signer: Signer, data: bytes) -> str:
    """The signature of an Ed25519 key over these bytes, as the text of a `.sig` file.

    Example:
        >>> from ledger.signing import Ed25519Signer
        >>> signer = Ed25519Signer.generate("weir.example/claims")
        >>> text = ssh_signature(signer, b"an entry")
        >>> text.splitlines()[0]
        '-----BEGIN SSH SIGNATURE-----'
        >>> verify_ssh_signature(signer.verifier_key, text, b"an entry")
    """
    signature = _packed(_KIND) + _packed(signer.sign(_signed(data)))
    blob = _before(signer.verifier_key) + _packed(signature)
    lines = b64encode(blob).decode()
    wrapped = "\n".join(lines[at : at + _WIDTH] for at in range(0, len(lines), _WIDTH))
    return f"-----BEGIN SSH SIGNATURE-----\n{wrapped}\n-----END SSH SIGNATURE-----\n"


def verify_ssh_signature(key: VerifierKey, text: str, data: bytes) -> None:
    """Check such a text against the bytes, and against the key that is expected.

    Raises:
        SignatureRejected: it is none, or by another key, or over other bytes.
        MissingExtra: `cryptography` is not installed.
    """
    found = _ARMOUR.fullmatch(text)
    try:
        blob = b64decode("".join(found[1].split()), validate=True) if found else b""
    except ValueError:
        blob = b""
    head = _before(key)
    signature = _packed(_KIND) + struct.pack(">I", 64)
    wanted = head + struct.pack(">I", len(signature) + 64) + signature
    right = len(blob) == len(wanted) + 64 and blob.startswith(wanted)
    if not right or not ed25519.verifies(key.key, blob[-64:], _signed(data)):
        raise SignatureRejected(
            f"The signature is not by {key.name}+{key.key_id.hex()} over this entry: one of the "
            "three is another."
        )


def allowed_signer(key: VerifierKey) -> str:
    """The line of a file of allowed signers by which `ssh-keygen` knows a key."""
    return f'{key.name} namespaces="{NAMESPACE}" ssh-ed25519 {b64encode(_public(key)).decode()}'


def _before(key: VerifierKey) -> bytes:
    """Everything in a signature but the signature."""
    if key.kind != ED25519:
        raise SignatureRejected(f"The key {key.name!r} is no Ed25519 key of a log.")
    named = _packed(NAMESPACE.encode()) + _packed(b"") + _packed(_HASH)
    return _MAGIC + _VERSION + _packed(_public(key)) + named


def _public(key: VerifierKey) -> bytes:
    return _packed(_KIND) + _packed(key.key)


def _signed(data: bytes) -> bytes:
    named = _packed(NAMESPACE.encode()) + _packed(b"") + _packed(_HASH)
    return _MAGIC + named + _packed(sha512(data).digest())


def _packed(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part
