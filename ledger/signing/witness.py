"""Witnesses: somebody else's machines that sign a checkpoint only if the log has grown by it.

Here lives the asking side of C2SP tlog-witness, and the form of a cosignature (tlog-cosignature).
A witness sees origin, size, root and hashes, and nothing of what the log holds.

```
POST <url>/add-checkpoint    old 300, the proof from there, the signed checkpoint
200                          its cosignature, a line to be put below the checkpoint
409 600                      it has seen 600 entries: ask again from there
```
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from ledger.errors import InvalidNote, WitnessRefused
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.note import COSIGNATURE, Signature, VerifierKey, parse_signatures
from ledger.merkle.written import GrowthProof
from ledger.model.text import show
from ledger.signing import ed25519
from ledger.signing.heads import Prove

TIME_BYTES: Final = 8
"""A cosignature begins with its time."""

UNANSWERED: Final = (OSError, ValueError, HTTPException)
"""What asking fails with, whatever the other side says or its address is."""

_MOST_BYTES: Final = 100_000
_SECONDS: Final = 10.0


@attrs.frozen(kw_only=True)
class Witness:
    """A witness: where it can be asked, if it can, and the key that it answers with."""

    url: str
    key: VerifierKey

    def cosign(
        self, checkpoint: Checkpoint, prove: Prove, *, old: int = 0, timeout: float = _SECONDS
    ) -> Signature:
        """Its cosignature over a signed checkpoint, which was verified.

        `old` is the size that it is believed to have seen; where it says otherwise, it is asked
        again from there.

        Raises:
            WitnessRefused: it did not cosign; the message says why, `status` what it answered.
            MissingExtra: `cryptography` is not installed.
        """
        status, answer = self._ask(checkpoint, prove, old, timeout)
        seen = answer.strip()[:19]
        known = status == HTTPStatus.CONFLICT and seen.isascii() and seen.isdigit()
        if known and int(seen) <= checkpoint.size:
            status, answer = self._ask(checkpoint, prove, int(seen), timeout)
        if status != HTTPStatus.OK:
            raise self._refused(status, answer, checkpoint)
        return self._cosignature(answer, checkpoint)

    def _ask(
        self, checkpoint: Checkpoint, prove: Prove, old: int, timeout: float
    ) -> tuple[int, str]:
        hashes = tuple(prove(old, checkpoint.size)) if 0 < old < checkpoint.size else ()
        asked = str(GrowthProof(old=old, hashes=hashes, checkpoint=checkpoint))
        url = f"{self.url.rstrip('/')}/add-checkpoint"
        if not is_address(self.url):
            raise WitnessRefused(
                "A witness is asked at an address such as https://witness.example/north, not "
                f"{show(self.url)}.",
                witness=self.key.name,
                status=0,
            )
        request = urllib.request.Request(url, data=asked.encode(), method="POST")  # noqa: S310
        try:
            return _answer(request, timeout)
        except UNANSWERED as error:
            raise WitnessRefused(
                f"The witness {self.key.name!r} could not be asked at {self.url}: {error}. Ask it "
                "again later; the checkpoint stands without it.",
                witness=self.key.name,
                status=0,
            ) from error

    def _cosignature(self, answer: str, checkpoint: Checkpoint) -> Signature:
        try:
            signatures = parse_signatures(answer)
        except InvalidNote:
            signatures = ()
        for one in signatures:
            if self.key.names(one) and len(one.blob) > TIME_BYTES:
                message = cosigned_text(checkpoint, cosigned_time(one))
                if ed25519.verifies(self.key.key, one.blob[TIME_BYTES:], message):
                    return one
        raise WitnessRefused(
            f"What the witness {self.key.name!r} answered holds no cosignature of its key "
            f"{self.key.key_id.hex()} over this checkpoint. Ask its keeper for the key it signs "
            "with.",
            witness=self.key.name,
            status=HTTPStatus.OK,
        )

    def _refused(self, status: int, answer: str, checkpoint: Checkpoint) -> WitnessRefused:
        match status:
            case HTTPStatus.CONFLICT:
                why = (
                    f"it has seen {answer.strip()[:20]} entries of {checkpoint.origin}, or a size "
                    f"for which {checkpoint.size} do not follow: was an older copy of the database "
                    "put back? Compare it with the last checkpoint that was published"
                )
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                why = (
                    "the log does not continue what it has seen: it was rewritten. Compare it with "
                    "the last checkpoint that was published"
                )
            case HTTPStatus.NOT_FOUND:
                why = f"it does not know the log {checkpoint.origin!r}. Ask its keeper to add it"
            case HTTPStatus.FORBIDDEN:
                why = "it knows none of the keys that signed. Ask its keeper to add the new one"
            case _:
                why = f"it answered {status}: {answer.strip()[:200]!r}"
        return WitnessRefused(
            f"The witness {self.key.name!r} did not cosign: {why}.",
            witness=self.key.name,
            status=status,
        )


@attrs.frozen(kw_only=True)
class Cosigner:
    """The signing half of a witness: an Ed25519 key that signs a time with each checkpoint."""

    name: str
    seed: bytes = attrs.field(repr=False)

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half."""
        public = ed25519.public_bytes(ed25519.private_key(self.seed))
        return VerifierKey(self.name, COSIGNATURE, public)

    def cosign(self, checkpoint: Checkpoint, time: int) -> Signature:
        """The line to put below a checkpoint, at a time in seconds since 1970."""
        signed = ed25519.private_key(self.seed).sign(cosigned_text(checkpoint, time))
        blob = time.to_bytes(TIME_BYTES, "big") + signed
        return Signature(self.name, self.verifier_key.key_id, blob)


def cosigned(
    checkpoint: Checkpoint, witnesses: Iterable[Witness], prove: Prove
) -> tuple[Checkpoint, tuple[WitnessRefused, ...]]:
    """A signed checkpoint with the cosignatures of those who gave one, and what the others said."""
    found: list[Signature] = []
    refused: list[WitnessRefused] = []
    for witness in witnesses:
        try:
            found.append(witness.cosign(checkpoint, prove))
        except WitnessRefused as error:
            refused.append(error)
    signed = attrs.evolve(checkpoint, signatures=(*checkpoint.signatures, *found))
    return signed, tuple(refused)


def cosigned_text(checkpoint: Checkpoint, time: int) -> bytes:
    """What a witness signs."""
    return f"cosignature/v1\ntime {time}\n{checkpoint.body()}".encode()


def cosigned_time(signature: Signature) -> int:
    """When a witness signed, in seconds since 1970, as it says."""
    return int.from_bytes(signature.blob[:TIME_BYTES], "big")


def is_address(url: str) -> bool:
    """Whether somebody can be asked there: http or https, a host, and a port that there is.

    Example:
        >>> is_address("https://witness.example:8080/north"), is_address("https://witness.example:x")
        (True, False)
    """
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").encode("idna"), parts.port  # raise where they are none
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    return plain and parts.scheme in ("http", "https") and bool(host)


def _answer(request: urllib.request.Request, timeout: float) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=timeout) as got:  # noqa: S310 - seen to be HTTP
            return got.status, _text(got)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _text(error)


def _text(got: Any) -> str:
    found: bytes = got.read(_MOST_BYTES)
    return found.decode("utf-8", "replace")
