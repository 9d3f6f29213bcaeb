"""Time stamps: somebody else's word for when a checkpoint was there (RFC 3161).

Here lives the asking and the checking; both are done by `rfc3161-client`, the extra `stamp`. What
is sent is the SHA-512 hash of a checkpoint's text, and a token comes back that anybody can check
with the authority's root certificate, long after the key that signed the checkpoint is gone.
"""

from __future__ import annotations

import datetime as dt
import urllib.request
from http import HTTPStatus
from typing import Any, Final

from ledger.errors import MissingExtra, SignatureRejected, WitnessRefused
from ledger.merkle.checkpoint import Checkpoint
from ledger.model.text import show
from ledger.signing.witness import UNANSWERED, is_address

_SECONDS: Final = 10.0
_MOST_BYTES: Final = 100_000
_GRANTED: Final = (0, 1)
_STATUS: Final = {2: "rejected", 3: "waiting", 4: "revocation warned of", 5: "revoked"}
"""PKIStatus, of which only the granted ones come with a token (RFC 3161, 2.4.2)."""


def stamped(checkpoint: Checkpoint, url: str, *, timeout: float = _SECONDS) -> bytes:
    """The token of a time stamping authority over a checkpoint, to be kept beside it.

    It covers origin, size and root, not the signatures. It was not verified: `check_stamp` does.

    Raises:
        WitnessRefused: the authority could not be asked, or gave none.
        MissingExtra: `rfc3161-client` is not installed.
    """
    client = _client("To ask for a time stamp")
    builder = client.TimestampRequestBuilder().data(checkpoint.body().encode())
    asked = builder.hash_algorithm(client.HashAlgorithm.SHA512).build()
    if not is_address(url):
        raise _refused(url, "that is no address such as https://stamps.example/")
    headers = {"Content-Type": "application/timestamp-query"}
    request = urllib.request.Request(url, asked.as_bytes(), headers)  # noqa: S310 - seen to be HTTP
    try:
        with urllib.request.urlopen(request, timeout=timeout) as got:  # noqa: S310
            token: bytes = got.read(_MOST_BYTES)
        found = client.decode_timestamp_response(token)
    except UNANSWERED as error:
        raise _refused(url, str(error)) from error
    if found.status not in _GRANTED:
        told = " ".join([_STATUS.get(found.status, "unknown"), *map(show, found.status_string)])
        raise _refused(url, f"it answered with status {found.status}, {told}", HTTPStatus.OK)
    if not found.time_stamp_token():
        raise _refused(url, "it answered that it grants one, and sent none", HTTPStatus.OK)
    return token


def check_stamp(checkpoint: Checkpoint, token: bytes, roots: bytes) -> dt.datetime:
    """When an authority saw a checkpoint, by its token; `roots` are certificates as PEM.

    Raises:
        SignatureRejected: the token is of another checkpoint, or leads to none of the roots.
        MissingExtra: `rfc3161-client` is not installed.
    """
    client = _client("To check a time stamp")
    from cryptography import x509  # noqa: PLC0415 - comes with the extra

    try:
        found = client.decode_timestamp_response(token)
        builder = client.VerifierBuilder()
        for root in x509.load_pem_x509_certificates(roots):
            builder = builder.add_root_certificate(root)
        builder.build().verify_message(found, checkpoint.body().encode())
    except (ValueError, client.VerificationError) as error:
        raise SignatureRejected(
            f"The time stamp is none of this checkpoint by a trusted authority: {error}. Keep the "
            "token with the checkpoint that it was asked for, and give the authority's root "
            "certificate."
        ) from error
    seen: dt.datetime = found.tst_info.gen_time
    return seen


def _refused(url: str, why: str, status: int = 0) -> WitnessRefused:
    return WitnessRefused(
        f"The time stamping authority at {url} gave no time stamp: {why}. Ask it again later; the "
        "checkpoint stands without it.",
        witness=url,
        status=status,
    )


def _client(purpose: str) -> Any:
    try:
        import rfc3161_client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("stamp", needs="rfc3161-client", purpose=purpose) from error
    return rfc3161_client
