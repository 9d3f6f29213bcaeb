"""The command that imports a file: a line for each refusal and warning, then the account."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from ledger.cli.options import DESK, Desk, Flag
from ledger.cli.output import as_json, say, tame, warn
from ledger.errors import InvalidImport
from ledger.interchange import Outcome, import_file
from ledger.interchange.account import Imported
from ledger.interchange.history import import_history
from ledger.interchange.importing import Progress as Told
from ledger.interchange.source import is_irreplaceable
from ledger.model.period import BoundsRule
from ledger.model.text import show

SHOWN = 20
"""How many refusals are printed, each on a line."""

Named = Literal["jsonl", "csv", "brat", "actors", "popolo", "prov", "annotations", "schemaorg"]


def import_(
    file: Path,
    /,
    *,
    format_: Annotated[Named | None, Parameter(name="--format")] = None,
    mapping: Path | None = None,
    bounds: BoundsRule | None = None,
    report: Path | None = None,
    dry_run: Flag = False,
    all_or_nothing: Flag = False,
    bring_back: Flag = False,
    history: Flag = False,
    strike_out_vanished: Flag = False,
    quiet: Flag = False,
    where: Desk = DESK,
) -> int:
    """Import a file or a folder; the status is 1 if a record is refused.

    Example: `claims import claims.jsonl --report refused.jsonl`

    Good records are stored and bad ones reported. A second run stores nothing twice, and finishes
    a run that was interrupted.

    Args:
        file: The file, plain or gzip; or a folder of brat files.
        format_: Its format, if it is not recognised by name and contents.
        mapping: A TOML file that says what columns, types or names of the file mean.
        bounds: Whether an end in the file is the last day that counts, or the first that does not.
        report: Where to write refused records, one JSON object each, with their bytes as base64;
            the first 20 are printed.
        dry_run: Check everything, record nothing.
        all_or_nothing: Record nothing if a record is refused; with --history, nothing of a version.
        bring_back: Record again what was struck out or amended since, instead of skipping it.
        history: Import each version of the file in git as of its commit, into an empty ledger or
            after those of an earlier run.
        strike_out_vanished: With --history, strike out what the next version no longer holds.
        quiet: Do not print warnings.
    """
    if strike_out_vanished and not history:
        raise InvalidImport(
            "Only of a history can it be told what vanished. Type --history too.",
            field="strike_out_vanished",
            given=True,
        )
    if bring_back and history:
        raise InvalidImport(
            "A history is recorded as it was; what vanished in it and returned is brought back "
            "with --strike-out-vanished. Leave --bring-back out.",
            field="bring_back",
            given=True,
        )
    refusals = 0

    def tell(outcome: Outcome) -> None:
        nonlocal refusals
        if outcome.verdict == "refused":
            refusals += 1
            if refusals <= SHOWN:
                warn(f"{file.name}: {tame(outcome)}")
        elif not quiet:
            for warning in outcome.warnings:
                warn(f"{file.name}: {outcome.where} warning: {warning}")

    with where.ledger() as ledger, contextlib.ExitStack() as stack:
        keep = (file, mapping, where.expect_file())
        options: dict[str, Any] = {
            "format": format_,
            "mapping": mapping,
            "bounds": bounds,
            "dry_run": dry_run,
            "all_or_nothing": all_or_nothing,
            "report": None if report is None else stack.enter_context(_writable(report, keep)),
            "tell": tell,
            "progress": stack.enter_context(_bar(file.name)),
        }
        stack.callback(lambda: _tell_of_more(file.name, refusals - SHOWN, report))
        if not history:
            account = import_file(ledger, file, bring_back=bring_back, **options)
            return _told(where, account, str(account))
        refused = 0
        options["strike_out_vanished"] = strike_out_vanished
        for version, account in import_history(ledger, file, **options):
            then = f"{version.committed:%Y-%m-%d %H:%M}Z {version.commit[:10]}"
            refused |= _told(where, account, f"{then} {account}")
    return refused


def _tell_of_more(name: str, many: int, report: Path | None) -> None:
    """How many refusals were not printed, and where they are."""
    if many > 0:
        where = "--report FILE writes down each" if report is None else f"{report} holds each"
        warn(f"{name}: {many:,} more refused: {where}.")


def _told(where: Desk, account: Imported, line: str) -> int:
    if where.json:
        as_json(account.to_dict())
    else:
        say(str(tame(line)))
    return 1 if account.refused else 0


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Told | None]:
    """A bar on standard error that shows how much of the file was read; none where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    console = Console(stderr=True)
    with Progress(
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(str(tame(name)).replace("[", "\\["), total=None)
        yield lambda read, size: bar.update(task, completed=read, total=size)


def _writable(path: Path, keep: tuple[Path | None, ...]) -> BinaryIO:
    try:
        if is_irreplaceable(path) or (
            path.exists() and any(one and one.exists() and path.samefile(one) for one in keep)
        ):
            raise InvalidImport(
                f"{show(str(path), 200)} is the file itself, a ledger's or a key: the report would "
                "overwrite it. Give --report another path.",
                field="report",
                given=str(path),
            )
        return path.open("wb")
    except OSError as error:
        raise InvalidImport(
            f"{show(str(path), 200)} cannot be written: {error.strerror}. Give --report another "
            "path.",
            field="report",
            given=str(path),
        ) from error
