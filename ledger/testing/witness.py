"""A witness for tests: it keeps what it has seen in memory, and answers over HTTP on this machine.

It follows C2SP tlog-witness closely enough to stand in for a real one. It is none: what it has seen
is gone with the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import attrs

from ledger.errors import Invalid, SignatureRejected, TamperEvidence
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.note import VerifierKey
from ledger.merkle.written import GrowthProof
from ledger.signing import Cosigner, Policy, Witness

_MOST_BYTES: Final = 1_000_000


@attrs.define
class LocalWitness:
    """A witness that knows some logs by their keys; `answer` is what it says to a request.

    Example:
        >>> from ledger.signing import Ed25519Signer
        >>> key = Ed25519Signer.generate("weir.example/claims").verifier_key
        >>> witness = LocalWitness("north.example/w", [key], clock=lambda: 1_700_000_000)
        >>> witness.answer("old 0")
        (400, 'A proof ends with an empty line and a checkpoint. Give the whole file.')
    """

    name: str
    logs: Iterable[VerifierKey]
    clock: Callable[[], float]
    seed: bytes = attrs.field(factory=lambda: os.urandom(32), repr=False)
    seen: dict[str, Checkpoint] = attrs.field(factory=dict)
    _turn: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def cosigner(self) -> Cosigner:
        """Its key."""
        return Cosigner(name=self.name, seed=self.seed)

    def answer(self, asked: str) -> tuple[int, str]:
        """The HTTP status and the body for an add-checkpoint request."""
        try:
            growth = GrowthProof.parse(asked)
        except Invalid as error:
            return 400, error.message
        checkpoint = growth.checkpoint
        keys = tuple(key for key in self.logs if key.name == checkpoint.origin)
        if not keys:
            return 404, "unknown log"
        try:
            Policy(logs=keys).check(checkpoint)
        except SignatureRejected as error:
            return 403, error.message
        with self._turn:
            return self._judged(growth)

    def _judged(self, growth: GrowthProof) -> tuple[int, str]:
        checkpoint = growth.checkpoint
        last = self.seen.get(checkpoint.origin)
        size = 0 if last is None else last.size
        if growth.old > checkpoint.size:
            return 400, "the old size is greater than the new one"
        if growth.old != size:
            return 409, f"{size}\n"
        if last is not None and last.size == checkpoint.size and last.root != checkpoint.root:
            return 409, f"{size}\n"
        try:
            if last is not None and last.size:
                growth.verify(last)
        except TamperEvidence as error:
            return 422, error.message
        self.seen[checkpoint.origin] = checkpoint
        return 200, f"{self.cosigner.cosign(checkpoint, int(self.clock()))}\n"


@contextlib.contextmanager
def served(witness: LocalWitness) -> Iterator[Witness]:
    """A witness on a port of this machine, as it is asked by a log."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), _MOST_BYTES)
            asked = self.rfile.read(length).decode("utf-8", "replace")
            known = self.path == "/add-checkpoint"
            status, body = witness.answer(asked) if known else (404, "unknown path")
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield Witness(url=url, key=witness.cosigner.verifier_key)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
