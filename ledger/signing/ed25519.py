"""Ed25519, as `cryptography` computes it: the one place that imports it (RFC 8032)."""

from __future__ import annotations

from typing import Any

from ledger.errors import MissingExtra


def private_key(seed: bytes) -> Any:
    """The key that signs, from its 32 bytes.

    Raises:
        MissingExtra: `cryptography` is not installed.
    """
    return _module("To sign").Ed25519PrivateKey.from_private_bytes(seed)


def public_bytes(key: Any) -> bytes:
    """The 32 bytes of the public half of a private key."""
    found: bytes = key.public_key().public_bytes_raw()
    return found


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature over a message was made with the private half of this key.

    Raises:
        MissingExtra: `cryptography` is not installed.
    """
    module = _module("To check a signature")
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra

    try:
        module.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _module(purpose: str) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("sign", needs="cryptography", purpose=purpose) from error
    return ed25519
