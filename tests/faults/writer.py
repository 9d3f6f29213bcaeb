"""A writer: a process of its own, which may be killed at any moment.

It says its steps one after the other and notes down each acknowledgement, on the disk, before it
takes the next. A writer that comes back goes on with the step that was not acknowledged: the same
ids, the same content. Started by `fork` from a process that has everything imported, so that a kill
hits the work and not the imports.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any, Final

import attrs
import msgspec

from ledger import Ledger
from ledger.appending import utc_now
from ledger.errors import StoreError
from tests.faults.checks import Notes
from tests.faults.world import Step, shortly

NURSERY: Final = mp.get_context("forkserver")
NURSERY.set_forkserver_preload(["pytest", "tests.faults.run", "alembic.command", "psycopg"])
GAVE_UP: Final = 3
"""The exit code of a writer that has no patience left."""

LONGEST: Final = 300.0
"""No process here lives longer, in seconds: not even when the one that was to kill it is gone."""

_IN_LEDGER: Final = f"{os.sep}ledger{os.sep}"


@attrs.frozen(kw_only=True)
class Writer:
    """Who writes what where; `notes` is the file of its acknowledgements.

    `until` is the number of the last step, None for ever. A `patient` writer notes what it was told
    when a step failed, and tries again for as many seconds. `pause` is between steps. `dies_at` is
    the line of the ledger's code, counted as they are run from the first step on, before which it
    kills itself; `added` adds views to its ledger.
    """

    url: str
    notes: Path
    mode: str
    writer: int = 0
    until: int | None = None
    patient: float = 0
    pause: float = 0
    dies_at: int | None = None
    clock: Callable[[], Any] | None = None
    prepare: Callable[[], None] | None = None
    added: Callable[[Ledger], None] | None = None

    def start(self) -> BaseProcess:
        """A new process that does it."""
        process = NURSERY.Process(target=self.work, daemon=True)
        process.start()
        return process

    def finish(self, timeout: float = 60) -> None:
        """Do it in a process of its own, to the end."""
        process = self.start()
        process.join(timeout)
        assert process.exitcode == 0, f"a writer ended with {process.exitcode}"

    def work(self) -> None:
        """Say one step after the other."""
        number = len(Notes.read([self.notes]).acknowledged)
        out = os.open(self.notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        _note(out, began=number)
        if self.prepare is not None:
            self.prepare()
        with self._open(out) as ledger:
            if self.added is not None:
                self.added(ledger)
            if self.dies_at is not None:
                ledger.as_of().parties()
                sys.settrace(dying_at(self.dies_at))
            end = time.monotonic() + LONGEST
            while time.monotonic() < end and number != self.until:
                self._enter(ledger, Step(self.mode, self.writer, number), out)
                number += 1
                time.sleep(self.pause)

    def _open(self, out: int) -> Ledger:
        give_up = time.monotonic() + self.patient
        while True:
            try:
                return Ledger.open(self.url, clock=self.clock or utc_now)
            except StoreError as error:
                _note(
                    out,
                    opening=True,
                    error=f"{type(error).__name__}: {shortly(error)}",
                    stored=error.stored,
                )
                if time.monotonic() > give_up:
                    sys.exit(GAVE_UP)
                time.sleep(0.05)

    def _enter(self, ledger: Ledger, step: Step, out: int) -> None:
        give_up = time.monotonic() + self.patient
        while True:
            try:
                sequences, already = step.enter(ledger)
            except StoreError as error:
                _note(
                    out,
                    step=step.name,
                    error=f"{type(error).__name__}: {shortly(error)}",
                    stored=error.stored,
                )
                if time.monotonic() > give_up:
                    sys.exit(GAVE_UP)
                time.sleep(0.05)
            else:
                _note(out, step=step.name, sequences=sequences, already=already)
                return


def _note(out: int, **note: object) -> None:
    os.write(out, msgspec.json.encode(note) + b"\n")
    os.fsync(out)


def dying_at(line: int) -> Callable[[FrameType, str, Any], Any]:
    """A trace function that kills this process before so many lines of the ledger's code."""
    left = line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if _IN_LEDGER not in frame.f_code.co_filename:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace
