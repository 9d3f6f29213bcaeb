"""Files of whatever format into a ledger: good records kept, bad ones told, nothing lost.

Here lives the run over a file, the same for every format: what becomes of each record, in batches
of one append, and the report of refused ones. How a file is cut is in one file per format, which
`ledger.interchange.formats` lists; what a record becomes is in `.records`.

A batch that holds a bad record is undone; then those before it are entered, it is refused, and
what is left is tried again. So a refused record leaves no trace.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import attrs

from ledger.appending import Appender
from ledger.codec.canonical import jcs
from ledger.errors import InvalidImport, NotFound
from ledger.folding import Folded
from ledger.interchange.account import Imported, Tally
from ledger.interchange.formats import format_of
from ledger.interchange.items import REFUSALS, Item, Items, Options
from ledger.interchange.lines import MAX_LINE, Line
from ledger.interchange.outcomes import Outcome, refusal
from ledger.interchange.remarks import Bearers, changed_since, remarks
from ledger.interchange.shelf import without_claims
from ledger.interchange.source import Source
from ledger.ledger import Ledger
from ledger.model import events as ev
from ledger.model.fields import check_flag, check_told
from ledger.model.period import BoundsRule
from ledger.model.text import show
from ledger.projections.missing import Unheld
from ledger.receipt import Receipt
from ledger.recording.intake import Intake, Made
from ledger.store.collector import collector_paused
from ledger.store.transaction import writing

BATCH_LINES: Final = 500
BATCH_BYTES: Final = MAX_LINE

Tell = Callable[[Outcome], object]


class Witness(Protocol):
    """Who is told what an import entered, or found there, and what it refused."""

    def entered(self, receipts: Sequence[Receipt], /) -> None:
        """The receipts of one append."""

    def refused(self, item: Item, outcome: Outcome, /) -> None:
        """A place of the file, and why."""


Progress = Callable[[int, int | None], object]
"""Told after each batch how many bytes of the file were read, and how many there are, if known."""


def import_file(
    ledger: Ledger,
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the word that everybody types
    mapping: Mapping[str, Any] | str | Path | None = None,
    bounds: BoundsRule | None = None,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    bring_back: bool = False,
    report: BinaryIO | None = None,
    tell: Tell = lambda _: None,
    progress: Progress | None = None,
    witness: Witness | None = None,
    through: Folded | None = None,
) -> Imported:
    r"""Import a file, plain or gzip, or a folder; what is in the ledger already is skipped.

    `format` is one of `ledger.interchange.formats.FORMATS`; left out, the file's name and beginning
    say it. `tell` is called for each record, in order; `witness` of each append and each refusal;
    `progress` after each batch. `report` takes a JSON line for each refused record, with its bytes
    as `raw` in base64. `all_or_nothing` undoes everything if a record is refused; a `dry_run`
    undoes everything. An import that was interrupted goes on when it is run again; what was
    amended since is passed over, and with a warning what was struck out, unless `bring_back`.
    `through` is what several imports may share, `ledger.interchange.shelf.without_claims`, so that
    each does not go through the log anew.

    Raises:
        InvalidImport: the file or its mapping cannot be read, or its format is not known.
        StoreError: the database refused.

    Example:
        >>> file = Path("parties.jsonl")
        >>> _ = file.write_text('{"type": "party", "id": "az", "name": "Azerbaijan"}\n{}\n')
        >>> with Ledger.open(":memory:") as ledger:
        ...     print(import_file(ledger, file))
        parties.jsonl: 2 lines: 1 accepted (0 with a warning), 1 refused, 0 skipped
    """
    for value, kind, what in ((ledger, Ledger, "ledger"), (path, str | Path, "path")):
        if not isinstance(value, kind):
            raise InvalidImport(
                f"{show(value)} is no {what}. Write import_file(ledger, 'claims.jsonl').",
                field=what,
                given=value,
            )
    flags = {"dry_run": dry_run, "all_or_nothing": all_or_nothing, "bring_back": bring_back}
    for name, flag in flags.items():
        check_flag(flag, name)
    for name, told in (("tell", tell), ("progress", progress)):
        check_told(told, name)
    if report is not None and not hasattr(report, "write"):
        raise InvalidImport(
            f"report takes a file that is open to be written, in binary, not {show(report)}. Write "
            "report=open('refused.jsonl', 'xb').",
            field="report",
            given=report,
        )
    source = Source(Path(path))
    if bounds not in (None, "closed", "half_open"):
        raise InvalidImport(
            f"bounds={show(bounds)} is no rule. Write closed where the file's ends still count, "
            "half_open where they do not, or leave it out.",
            field="bounds",
            given=bounds,
        )
    how = format_of(source, format)
    tally, stored = Tally(), True
    with (
        contextlib.suppress(_Undone),
        _appenders(ledger, through, undoing=dry_run or all_or_nothing) as appenders,
    ):
        items = how.reader()(source, Options(mapping=mapping, bounds=bounds))
        run = _Run(
            appenders=iter(appenders),
            source=source,
            items=items,
            bring_back=bring_back,
            report=report,
            progress=progress,
            witness=witness,
        )
        for outcome in run.outcomes():
            tally.take(outcome)
            tell(outcome)
        if dry_run or (all_or_nothing and tally.refused):
            stored = False
            raise _Undone
    return tally.account(source.name, how.unit, stored=stored)


class _Undone(Exception):
    """Carries a run out of its transaction, which is rolled back."""


@contextlib.contextmanager
def _appenders(
    ledger: Ledger, through: Folded | None, *, undoing: bool
) -> Iterator[Sequence[Appender]]:
    """What to write with, the thrifty one first; `undoing`, inside one transaction."""
    whole = ledger.appender
    with contextlib.ExitStack() as held:
        if not undoing and type(whole) is not Appender:  # a Session's, or one that threads share
            yield (whole,)
            return
        if undoing:
            ledger.flush()  # what waits in a Session stays, whatever becomes of the file
            conn = held.enter_context(writing(whole.folded.bind))
            whole = _like(whole, Folded(conn, ledger.layout, ledger.origin))
            through = None
        yield _like(whole, through or held.enter_context(without_claims(whole.folded))), whole


def _like(appender: Appender, folded: Folded) -> Appender:
    """An appender with the same habits elsewhere."""
    return Appender(
        folded=folded,
        clock=appender.clock,
        recorder=appender.recorder,
        projections=appender.projections,
    )


@attrs.define(kw_only=True)
class _Run:
    """One pass over a file, with the first of some appenders that can."""

    _appenders: Iterator[Appender]
    _source: Source
    _items: Items
    _bring_back: bool
    _report: BinaryIO | None
    _progress: Progress | None
    _witness: Witness | None
    _appender: Appender = attrs.field(init=False)
    _bearers: Bearers | None = attrs.field(default=None, init=False)
    _changed: Mapping[ev.Event, str] | None = attrs.field(default=None, init=False)

    @_appender.default
    def _first(self) -> Appender:
        return next(self._appenders)

    def outcomes(self) -> Iterator[Outcome]:
        """What becomes of each record, in order."""
        with contextlib.closing(self._items):
            for batch in self._batches():
                with collector_paused():
                    told = tuple(self._finish(batch))
                yield from told
                if self._progress is not None:
                    self._progress(self._source.read, self._source.size)

    def _batches(self) -> Iterator[Sequence[Item]]:
        batch: list[Item] = []
        size = 0
        for item in self._items:
            alone = item.line.fault or any(one.alone for one in item.records)
            if batch and (
                alone or len(batch) == BATCH_LINES or size + len(item.line.raw) > BATCH_BYTES
            ):
                yield tuple(batch)
                batch.clear()
                size = 0
            batch.append(item)
            size += len(item.line.raw)
            if alone:
                yield tuple(batch)
                batch.clear()
                size = 0
        yield tuple(batch)

    def _finish(self, batch: Sequence[Item]) -> Iterator[Outcome]:
        entered = self._enter([item for item in batch if item.outcome is None])
        for item in batch:
            outcome = item.outcome or next(entered)
            if outcome.verdict == "refused" and self._witness is not None:
                self._witness.refused(item, outcome)
            if outcome.verdict == "refused" and self._report is not None:
                write_refusal(self._report, self._source.name, outcome, item.line)
            yield outcome

    def _enter(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Enter what can be entered of some items, in as few appends as that takes."""
        while items:
            attempt = _Attempt(items, self._bearers, self._changed, bring_back=self._bring_back)
            try:
                receipts = self._appender.append(attempt)
            except Unheld:
                self._appender = next(self._appenders)
            except REFUSALS as error:
                self._bearers, self._changed = attempt.known, attempt.changed
                if attempt.at == 0 or len(items) == 1:
                    bad = items[0]
                    types = {one.type for one in bad.records}
                    told = types.pop() if len(types) == 1 else ""
                    outcome = refusal(bad.line, error, bad.value)
                    if isinstance(error, NotFound) and error.struck_out and not self._bring_back:
                        outcome = _passed_over(outcome, error)
                    yield attrs.evolve(outcome, type=told)
                    items = items[1:]
                    continue
                # The items before the bad one are in order: it is tried again once they are in
                # the log. Where no item was bad by itself, the halves are tried.
                good = attempt.at if attempt.at < len(items) else len(items) // 2
                yield from self._enter(items[:good])
                items = items[good:]
            else:
                self._bearers, self._changed = attempt.learnt(), attempt.changed
                if self._witness is not None:
                    self._witness.entered(receipts)
                yield from attempt.outcomes(receipts)
                return


@attrs.define
class _Attempt:
    """The entry of some items; `at` is the one it has come to."""

    _items: Sequence[Item]
    known: Bearers | None
    changed: Mapping[ev.Event, str] | None
    _bring_back: bool = attrs.field(kw_only=True)
    at: int = attrs.field(default=0, init=False)
    _fresh: Bearers = attrs.field(factory=Bearers, init=False)
    _warnings: list[list[str]] = attrs.field(factory=list, init=False)

    def __call__(self, intake: Intake) -> list[Made]:
        """Enter the items; called again where another writer came first."""
        if self.known is None:
            self.known = Bearers.of(intake.facts)
        if not self._bring_back:
            if self.changed is None:
                self.changed = changed_since(intake.facts)
            intake.changed = self.changed
        self._fresh = Bearers(self.known)
        made: list[Made] = []
        self.at = 0
        self._warnings.clear()
        for item in self._items:
            told: list[str] = []
            for record in item.records:
                made.append(record.enter(intake))
                told += remarks(intake, record, made[-1], self._fresh)
            self._warnings.append([*dict.fromkeys(told)])  # of two claims in one line, once
            self.at += 1
        return made

    def learnt(self) -> Bearers | None:
        """The bearers of names, those of this attempt among them."""
        if self.known is not None:
            self.known.take(self._fresh)
        return self.known

    def outcomes(self, receipts: Sequence[Receipt]) -> Iterator[Outcome]:
        """What became of each item, by the receipts of its records."""
        left = iter(receipts)
        for item, warnings in zip(self._items, self._warnings, strict=True):
            own = list(itertools.islice(left, len(item.records)))
            already = all(one.stored == "already_stored" for one in own)
            if item.line.marked and not already:
                warnings.insert(0, "the byte order mark in front was dropped")
            yield Outcome(
                line=item.line.number,
                at=item.line.at,
                verdict="skipped" if already else "accepted",
                type=item.records[-1].type if item.records else "",
                id=own[-1].id if own else "",
                warnings=tuple(warnings),
                reason="already recorded" if already else "",
            )


def _passed_over(outcome: Outcome, error: NotFound) -> Outcome:
    """What names something that was struck out cannot be entered, and was perhaps part of it."""
    why = (
        f"it names {show(error.given)}, which was struck out since; --bring-back (bring_back=True) "
        "records that again"
    )
    return attrs.evolve(
        outcome, verdict="skipped", reason="what it names was struck out", warnings=(why,)
    )


def write_refusal(report: BinaryIO, name: str, outcome: Outcome, line: Line) -> None:
    """One JSON object, the bytes of the record in pieces: it may be longer than memory."""
    told = {
        "file": name,
        "line": outcome.line,
        "at": outcome.at,
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
