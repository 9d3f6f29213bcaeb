"""The command that imports a file: a line for each refusal and warning, then the account."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

from ledger.cli.options import DESK, Desk, Flag
from ledger.cli.output import as_json, say, tame, warn
from ledger.errors import InvalidImport
from ledger.interchange.jsonl import import_file
from ledger.interchange.outcomes import Outcome
from ledger.model.text import show


def import_(
    file: Path,
    /,
    *,
    report: Path | None = None,
    dry_run: Flag = False,
    all_or_nothing: Flag = False,
    quiet: Flag = False,
    where: Desk = DESK,
) -> int:
    """Import a JSON Lines file; the status is 1 if a line is refused.

    Example: `claims import claims.jsonl --report refused.jsonl`

    Good lines are recorded and bad ones told; a second run of the file records nothing twice.

    Args:
        file: The file, plain or gzip.
        report: Where to write refused lines, one JSON object each, with their bytes as base64.
        dry_run: Say what would become of the file, and record nothing.
        all_or_nothing: Record nothing if a line is refused.
        quiet: Do not print warnings.
    """

    def tell(outcome: Outcome) -> None:
        if outcome.verdict == "refused":
            warn(f"{file.name}: {tame(outcome)}")
        elif not quiet:
            for warning in outcome.warnings:
                warn(f"{file.name}: line {outcome.line} warning: {warning}")

    with where.ledger() as ledger, contextlib.ExitStack() as stack:
        keep = (file, where.expect_file())
        out = None if report is None else stack.enter_context(_writable(report, keep))
        account = import_file(
            ledger, file, dry_run=dry_run, all_or_nothing=all_or_nothing, report=out, tell=tell
        )
    if where.json:
        as_json(account.to_dict())
    else:
        say(str(tame(account)))
    return 1 if account.refused else 0


def _writable(path: Path, keep: tuple[Path | None, ...]) -> BinaryIO:
    try:
        if path.exists() and any(one and one.exists() and path.samefile(one) for one in keep):
            raise InvalidImport(
                f"{show(str(path), 200)} is the file itself, or the ledger: the report would "
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
