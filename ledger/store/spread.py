"""An audit by several processes: each takes a stretch of the log, and gives back what it found.

Here lives who does what. What is looked at in a stretch is in `audit`. A helper, `helping`, is a
Python of its own that opens the database itself and is spoken to over its input and output:

```
->  {"url":..,"prefix":..,"schema":..,"origin":..,"log":1}     once
->  0 8192                                                      a stretch
<-  {"tiles":..,"leaves":..,"known_at":..,"holes":..}           or {"error":..,"message":..}
```
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import queue
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
from sqlalchemy import URL, Engine
from sqlalchemy.pool import StaticPool

from ledger import errors
from ledger.errors import Invalid, StoreError, TamperEvidence
from ledger.merkle.hashing import HASH_BYTES
from ledger.store.layout import Layout

STRETCH: Final = 1 << 13
"""How many events a helper looks at in one go: whole tiles."""

_CHILD: Final = "from ledger.store.helping import serve; serve()"


@attrs.frozen(kw_only=True)
class Part:
    """A stretch that is in order: the roots of its tiles, the leaves behind, its last instant.

    `holes` is what `Holes.told` says of it.
    """

    tiles: Sequence[bytes]
    leaves: Sequence[bytes]
    known_at: dt.datetime | None
    holes: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Spread:
    """Helpers for the log of an engine; `processes` of them work at once."""

    url: URL
    layout: Layout
    origin: str
    processes: int

    @classmethod
    def of(cls, host: object, layout: Layout, origin: str, processes: int) -> Spread | None:
        """The helpers, None where one process is enough.

        Raises:
            Invalid: less than one is asked for, or others cannot open the database.
        """
        if isinstance(processes, bool) or processes < 1:
            raise Invalid(
                f"A log is verified by one process or more, not by {processes}.",
                field="processes",
                given=processes,
            )
        if processes == 1:
            return None
        if not isinstance(host, Engine) or isinstance(host.pool, StaticPool):
            raise Invalid(
                "Other processes see neither a database in memory nor what a host's connection "
                "sees. Verify with one process, or with a ledger on a file's or server's engine.",
                field="processes",
                given=processes,
            )
        return cls(url=host.url, layout=layout, origin=origin, processes=processes)

    def parts(
        self, log_id: int, start: int, stop: int, done: Callable[[int], object]
    ) -> tuple[Sequence[Part], Exception | None]:
        """Every stretch between two sequences, in order; `done` is told of each that is done.

        They end before the first bad one, of which the error is given too: the `TamperEvidence` of
        what it holds, or a `StoreError` where a helper ended before it was done.
        """
        stretches = [(at, min(at + STRETCH, stop)) for at in range(start, stop, STRETCH)]
        found: list[Part | Exception | None] = [None] * len(stretches)
        waiting = iter(range(len(stretches)))
        told: queue.Queue[int] = queue.Queue()
        taking, failed = threading.Lock(), threading.Event()

        def work() -> None:
            # A helper that cannot be started, or to which nothing can be said, leaves its part out.
            with contextlib.suppress(OSError), self._helper(log_id) as ask:
                while not failed.is_set():
                    with taking:
                        index = next(waiting, None)
                    if index is None:
                        return
                    found[index] = got = ask(*stretches[index])
                    if isinstance(got, Exception):
                        failed.set()
                    told.put(stretches[index][1] - stretches[index][0])

        threads = [threading.Thread(target=work) for _ in range(self.processes)]
        for thread in threads:
            thread.start()
        try:
            _watch(threads, told, done)
        finally:
            failed.set()
            for thread in threads:
                thread.join()
        return _whole(found)

    @contextlib.contextmanager
    def _helper(self, log_id: int) -> Iterator[Callable[[int, int], Part | Exception]]:
        """A helper that can be asked about one stretch after the other."""
        begin = {
            "url": self.url.render_as_string(hide_password=False),
            "prefix": self.layout.prefix,
            "schema": self.layout.schema,
            "origin": self.origin,
            "log": log_id,
        }
        with subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        ) as child:

            def ask(start: int, stop: int) -> Part | Exception:
                try:
                    _say(child, f"{start} {stop}")
                    line = child.stdout.readline() if child.stdout else ""
                except OSError:
                    line = ""
                return _heard(line)

            try:
                _say(child, json.dumps(begin))
                yield ask
            finally:
                child.kill()


def _watch(
    threads: Sequence[threading.Thread], told: queue.Queue[int], done: Callable[[int], object]
) -> None:
    while any(thread.is_alive() for thread in threads) or not told.empty():
        with contextlib.suppress(queue.Empty):
            done(told.get(timeout=0.05))


def _whole(
    found: Sequence[Part | Exception | None],
) -> tuple[Sequence[Part], Exception | None]:
    parts: list[Part] = []
    for one in found:
        if not isinstance(one, Part):
            return parts, one or _ended()
        parts.append(one)
    return parts, None


def _say(child: subprocess.Popen[str], line: str) -> None:
    if child.stdin is not None:
        child.stdin.write(f"{line}\n")
        child.stdin.flush()


def _heard(line: str) -> Part | Exception:
    try:
        told = json.loads(line)
    except ValueError:
        return _ended()
    if "error" in told:
        kind = getattr(errors, told["error"], None)
        if isinstance(kind, type) and issubclass(kind, TamperEvidence):
            found: TamperEvidence = kind(told["message"], sequence=told["sequence"])
            return found
        return StoreError(told["message"])
    known = told["known_at"]
    return Part(
        tiles=_parted(told["tiles"]),
        leaves=_parted(told["leaves"]),
        known_at=None if known is None else dt.datetime.fromisoformat(known),
        holes=told["holes"],
    )


def _parted(text: str) -> list[bytes]:
    data = b64decode(text)
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def _ended() -> StoreError:
    return StoreError(
        "A process that helped to verify ended before it was done. Verify again with one process."
    )
