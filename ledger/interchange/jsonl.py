"""JSON Lines into a ledger: good lines kept, bad ones told and given back, nothing lost.

Here lives the run over a file: what becomes of each line, in batches of one append, and the report
of refused lines. How lines are cut is in `ledger.interchange.lines`, what they may hold in
`.shapes`, what they become in `.records`. The format is documented in docs/reference/jsonl.md.

A batch that holds a bad line is undone; then the lines before that one are entered, the line is
refused, and what is left is tried again. So a refused line leaves no trace.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from ledger.appending import Appender
from ledger.codec.canonical import jcs, parse
from ledger.errors import (
    CodecError,
    Conflict,
    Invalid,
    NotFound,
)
from ledger.folding import Folded
from ledger.interchange.lines import MAX_LINE, Line, lines, opened
from ledger.interchange.outcomes import Outcome, refusal
from ledger.interchange.records import ALONE, Record, record_of
from ledger.interchange.remarks import Bearers, remarks
from ledger.ledger import Ledger
from ledger.projections.answer import Answer
from ledger.recording.intake import Intake, Made
from ledger.store.transaction import writing

BATCH_LINES: Final = 500
BATCH_BYTES: Final = MAX_LINE
KEPT: Final = 1_000
"""How many refused lines an `Imported` lists; all of them are told and reported."""

_REFUSALS: Final = (Invalid, NotFound, Conflict, CodecError)
"""What is wrong with a line; anything else is wrong with the database, and ends the run."""


@attrs.frozen(kw_only=True)
class Imported(Answer):
    """The account of an import: `accepted` + `refused` + `skipped` = `lines`.

    `stored` is False where it was a dry run, or undone because of a refused line. `refusals` are
    the first thousand.
    """

    file: str
    lines: int = 0
    accepted: int = 0
    warned: int = 0
    refused: int = 0
    skipped: int = 0
    stored: bool = True
    refusals: tuple[Outcome, ...] = ()

    def __str__(self) -> str:
        if not self.lines:
            return f"{self.file}: nothing in the file, 0 lines"
        lines = "1 line" if self.lines == 1 else f"{self.lines:,} lines"
        told = (
            f"{self.file}: {lines}: {self.accepted:,} accepted ({self.warned:,} with a warning), "
            f"{self.refused:,} refused, {self.skipped:,} skipped"
        )
        return told if self.stored else f"{told}; nothing was recorded"

    def after(self, outcome: Outcome) -> Imported:
        """The account with one more line."""
        refusals = self.refusals
        if outcome.verdict == "refused" and len(refusals) < KEPT:
            refusals = (*refusals, outcome)
        return attrs.evolve(
            self,
            lines=self.lines + 1,
            accepted=self.accepted + (outcome.verdict == "accepted"),
            warned=self.warned + bool(outcome.warnings),
            refused=self.refused + (outcome.verdict == "refused"),
            skipped=self.skipped + (outcome.verdict == "skipped"),
            refusals=refusals,
        )


def import_file(
    ledger: Ledger,
    path: Path,
    *,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    report: BinaryIO | None = None,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> Imported:
    r"""Import a JSON Lines file, plain or gzip; what is in the ledger already is skipped.

    `tell` is called for each line, in order. `report` takes a JSON line for each refused one, with
    its bytes as `raw` in base64. `all_or_nothing` undoes everything if a line is refused; a
    `dry_run` undoes everything.

    Raises:
        InvalidImport: the file cannot be read, or is no JSON Lines file.
        StoreError: the database refused.

    Example:
        >>> file = Path("parties.jsonl")
        >>> _ = file.write_text('{"type": "party", "id": "az", "name": "Azerbaijan"}\n{}\n')
        >>> with Ledger.open(":memory:") as ledger:
        ...     print(import_file(ledger, file))
        parties.jsonl: 2 lines: 1 accepted (0 with a warning), 1 refused, 0 skipped
    """
    account = Imported(file=path.name)
    undoing = dry_run or all_or_nothing
    with (
        opened(path) as file,
        contextlib.suppress(_Undone),
        _appender(ledger, undoing=undoing) as appender,
    ):
        for outcome in _Run(appender, file, path.name, report).outcomes():
            account = account.after(outcome)
            tell(outcome)
        if dry_run or (all_or_nothing and account.refused):
            account = attrs.evolve(account, stored=False)
            raise _Undone
    return account


class _Undone(Exception):
    """Carries a run out of its transaction, which is rolled back."""


@contextlib.contextmanager
def _appender(ledger: Ledger, *, undoing: bool) -> Iterator[Appender]:
    """The ledger's appender; or one like it, inside a transaction that may yet be rolled back."""
    appender = ledger.appender
    if not undoing:
        yield appender
        return
    with writing(appender.folded.bind) as conn:
        inside = Folded(conn, ledger.layout, ledger.origin)
        yield Appender(
            folded=inside,
            clock=appender.clock,
            recorder=appender.recorder,
            projections=appender.projections,
        )


@attrs.frozen
class _Item:
    """A line that is waiting for its batch: a record, or what is known of it already."""

    line: Line
    record: Record | None = None
    value: object = None
    outcome: Outcome | None = None


class _Run:
    """One pass over a file."""

    def __init__(
        self, appender: Appender, file: BinaryIO, name: str, report: BinaryIO | None
    ) -> None:
        self._appender = appender
        self._file = file
        self._name = name
        self._report = report
        self._bearers: Bearers | None = None

    def outcomes(self) -> Iterator[Outcome]:
        """What becomes of each line, in order."""
        batch: list[_Item] = []
        size = 0
        for line in lines(self._file):
            item = _read(line)
            alone = line.fault or (item.record is not None and item.record.type in ALONE)
            size += len(line.raw)
            if batch and (alone or len(batch) == BATCH_LINES or size > BATCH_BYTES):
                yield from self._finish(batch)
                batch.clear()
                size = len(line.raw)
            batch.append(item)
            if alone:
                yield from self._finish(batch)
                batch.clear()
                size = 0
        yield from self._finish(batch)

    def _finish(self, batch: Sequence[_Item]) -> Iterator[Outcome]:
        entered = self._enter([item for item in batch if item.record is not None])
        for item in batch:
            outcome = item.outcome or entered[item.line.number]
            if outcome.verdict == "refused" and self._report is not None:
                _write(self._report, self._name, outcome, item.line)
            yield outcome

    def _enter(self, items: Sequence[_Item]) -> dict[int, Outcome]:
        """Enter what can be entered of some lines, in as few appends as that takes."""
        told: dict[int, Outcome] = {}
        while items:
            attempt = _Attempt(items, self._bearers)
            try:
                receipts = self._appender.append(attempt)
            except _REFUSALS as error:
                if attempt.at == 0 or len(items) == 1:
                    bad = items[0]
                    told[bad.line.number] = refusal(bad.line, error, bad.value)
                    items = items[1:]
                    continue
                # The lines before the bad one are in order: it is tried again once they are in
                # the log. Where no line was bad by itself, the halves are tried.
                good = attempt.at if attempt.at < len(items) else len(items) // 2
                told |= self._enter(items[:good])
                items = items[good:]
            else:
                self._bearers = attempt.learnt()
                for item, receipt, warnings in zip(items, receipts, attempt.warnings, strict=True):
                    already = receipt.stored == "already_stored"
                    told[item.line.number] = Outcome(
                        line=item.line.number,
                        verdict="skipped" if already else "accepted",
                        type=item.record.type if item.record else "",
                        id=receipt.id,
                        warnings=warnings if already else (*_marked(item.line), *warnings),
                        reason="already recorded" if already else "",
                    )
                break
        return told


class _Attempt:
    """The entry of some lines; `at` is the one it has come to."""

    def __init__(self, items: Sequence[_Item], known: Bearers | None) -> None:
        self._items = items
        self._known = known
        self._fresh = Bearers()
        self.at = 0
        self.warnings: list[tuple[str, ...]] = []

    def __call__(self, intake: Intake) -> list[Made]:
        """Enter the lines; called again where another writer came first."""
        if self._known is None:
            self._known = Bearers.of(intake.facts)
        self._fresh = Bearers(self._known)
        made: list[Made] = []
        self.at = 0
        self.warnings.clear()
        for item in self._items:
            assert item.record is not None  # noqa: S101 - only records are entered
            made.append(item.record.enter(intake))
            self.warnings.append(remarks(intake, item.record, made[-1], self._fresh))
            self.at += 1
        return made

    def learnt(self) -> Bearers | None:
        """The bearers of names, those of this attempt among them."""
        if self._known is not None:
            self._known.take(self._fresh)
        return self._known


def _read(line: Line) -> _Item:
    if line.blank:
        return _Item(line, outcome=Outcome(line=line.number, verdict="skipped", reason="blank"))
    value: object = None
    try:
        value = parse(line.text().rstrip("\r\n"))
        return _Item(line, record_of(value), value)
    except _REFUSALS as error:
        return _Item(line, outcome=refusal(line, error, value))


def _marked(line: Line) -> tuple[str, ...]:
    return ("the byte order mark in front was dropped",) if line.marked else ()


def _write(report: BinaryIO, name: str, outcome: Outcome, line: Line) -> None:
    """One JSON object, the bytes of the line in pieces: it may be longer than memory."""
    told = {
        "file": name,
        "line": outcome.line,
        "field": outcome.field,
        "value": outcome.value,
        "reason": outcome.reason,
    }
    report.write(jcs(told)[:-1] + b',"raw":"')
    left = line.raw
    for piece in line.rest:
        whole = len(left) - len(left) % 3  # base64 takes three bytes at a time
        report.write(base64.b64encode(left[:whole]))
        left = left[whole:] + piece
    report.write(base64.b64encode(left) + b'"}\n')
