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
from ledger.store.engines import is_in_memory
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
        if type(processes) is not int or processes < 1:
            raise Invalid(
                f"A log is verified by one process or more, not by {processes!r}.",
                field="processes",
                given=processes,
            )
        if processes == 1:
            return None
        if not isinstance(host, Engine) or isinstance(host.pool, StaticPool) or is_in_memory(host):
            raise Invalid(
                "Other processes see neither a database in memory nor what a host's connection "
                "sees. Verify with one process, or with a ledger on a file's or server's engine.",
                field="processes",
                given=processes,
            )
        return cls(url=host.url, layout=layout, origin=origin, processes=processes)

    def parts(
        self,
        log_id: int,
        start: int,
        stop: int,
        own: Callable[[int, int], Part],
        progress: Callable[[int, int], object] | None,
    ) -> tuple[Sequence[Part], Exception | None]:
        """Every stretch between two sequences, in order; it is told how far one is.

        This process looks at stretches too, by its `own`, so it has a helper less than processes.
        They end before the first bad one, of which the error is given too: the `TamperEvidence` of
        what it holds, or a `StoreError` where a helper ended before it was done.
        """
        shares = _Shares([(at, min(at + STRETCH, stop)) for at in range(start, stop, STRETCH)])
        done = start

        def tell(many: int) -> None:
            nonlocal done
            done += many
            if progress is not None:
                progress(done, stop)

        def help_(index: int) -> None:
            # A helper that cannot be started, or to which nothing can be said, leaves its part out.
            with contextlib.suppress(OSError), self._helper(log_id) as ask:
                for many in shares.work(ask, index):
                    shares.told.put(many)

        mine = shares.next()
        # Each has its first one before any is at work: who never begins has left something out.
        firsts = [
            one
            for _ in range(min(self.processes, len(shares.stretches)) - 1)
            if (one := shares.next()) is not None
        ]
        threads = [threading.Thread(target=help_, args=(one,)) for one in firsts]
        for thread in threads:
            thread.start()
        try:
            for many in shares.work(_caught(own), mine):
                tell(many)
                shares.tell(tell)
            while any(thread.is_alive() for thread in threads) or not shares.told.empty():
                shares.tell(tell, patience=0.05)
        finally:
            shares.ended.set()
            for thread in threads:
                thread.join()
        return _whole(shares.found)

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


@attrs.define
class _Shares:
    """The stretches of a log, and what those who share them have found."""

    stretches: Sequence[tuple[int, int]]
    found: list[Part | Exception | None] = attrs.field(init=False)
    told: queue.Queue[int] = attrs.field(factory=queue.Queue, init=False)
    ended: threading.Event = attrs.field(factory=threading.Event, init=False)
    _waiting: Iterator[int] = attrs.field(init=False)
    _taking: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self.found = [None] * len(self.stretches)
        self._waiting = iter(range(len(self.stretches)))

    def next(self) -> int | None:
        """The stretch that is looked at next; None after the last, or after a bad one."""
        with self._taking:
            return None if self.ended.is_set() else next(self._waiting, None)

    def work(self, ask: Callable[[int, int], Part | Exception], index: int | None) -> Iterator[int]:
        """Ask about a stretch, and then about others; of each, how many events it had."""
        while index is not None:
            start, stop = self.stretches[index]
            self.found[index] = got = ask(start, stop)
            if isinstance(got, Exception):
                self.ended.set()
            yield stop - start
            index = self.next()

    def tell(self, tell: Callable[[int], object], patience: float | None = None) -> None:
        """Tell what helpers have done, all that is known or that comes soon."""
        with contextlib.suppress(queue.Empty):
            while True:
                tell(self.told.get(block=patience is not None, timeout=patience))


def _caught(own: Callable[[int, int], Part]) -> Callable[[int, int], Part | Exception]:
    def ask(start: int, stop: int) -> Part | Exception:
        try:
            return own(start, stop)
        except TamperEvidence as error:
            return error

    return ask


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
