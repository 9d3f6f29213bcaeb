"""Commands that let a ledger out, and a whole log in again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO, cast

from ledger.cli.options import DESK, HERE, NOW, Desk, Flag, When, Where
from ledger.cli.output import answer
from ledger.errors import Invalid, InvalidView
from ledger.interchange.out.exporting import export, format_called
from ledger.interchange.out.losses import loss_report
from ledger.interchange.restoring import restore as restore_log


def export_(
    format: str,  # noqa: A002 - what is typed
    /,
    *,
    to: Path | None = None,
    base: str | None = None,
    losses: Flag = False,
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """Export the ledger in one of several formats.

    Example: `claims export nanopub --to claims.trig --said 2023-01-18`

    Formats: jsonl, log, parquet, prov, prov-n, prov-o, nanopub, annotations, schemaorg, cito,
    popolo, cloudevents. --losses lists what a format cannot carry.

    Args:
        format: The format.
        to: The file (.gz is compressed), or for parquet the folder; standard output if left out.
        base: The beginning of the addresses of records, such as https://claims.example/
        losses: List what the format would not carry, and write nothing.
    """
    chosen = format_called(format)
    if chosen.of_log and when.said is not None and not losses:
        raise InvalidView(
            f"{chosen.title}: the log is cut by what was known, not by what was said. Leave --said "
            "out, or type --known.",
            field="said",
            given=when.said,
        )
    if chosen.folder and to is None and not losses:
        raise Invalid(
            f"{chosen.title} are a folder of files. Type --to and the path of one.", field="to"
        )
    with where.ledger() as ledger:
        view = when.view(ledger)
        if losses:
            answer(loss_report(view, format), json=where.json)
            return
        target: Path | BinaryIO = to or cast("BinaryIO", sys.stdout.buffer)
        done = export(view, format, target, base=base)
    if to is not None:
        answer(done, json=where.json)


def restore(file: Path, /, *, where: Desk = DESK) -> None:
    """Restore a log that `claims export log` has written, into a ledger that has none.

    Example: `claims restore claims.log.jsonl --db copy.db`

    Args:
        file: The file, plain or gzip.
    """
    with where.ledger() as ledger:
        answer(restore_log(ledger, file), json=where.json)
