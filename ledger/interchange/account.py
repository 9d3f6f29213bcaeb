"""The account of an import: how many records came in, were refused, were there already."""

from __future__ import annotations

from typing import Final

import attrs

from ledger.interchange.outcomes import Outcome
from ledger.projections.answer import Answer

KEPT: Final = 1_000
"""How many refused records an `Imported` lists; all of them are told and reported."""


@attrs.frozen(kw_only=True)
class Imported(Answer):
    """The account of an import: `accepted` + `refused` + `skipped` = `lines`.

    `lines` counts the file's records, which `unit` names: lines, rows, annotations. `stored` is
    False where it was a dry run, or undone because of a refusal. `refusals` are the first thousand.
    `struck_out` counts what an earlier version of the file held, where that was asked for;
    `not_struck_out` says why nothing could be.
    """

    file: str
    unit: str = "line"
    lines: int = 0
    accepted: int = 0
    warned: int = 0
    refused: int = 0
    skipped: int = 0
    struck_out: int = 0
    not_struck_out: str = ""
    stored: bool = True
    refusals: tuple[Outcome, ...] = ()

    def __str__(self) -> str:
        lines = f"1 {self.unit}" if self.lines == 1 else f"{self.lines:,} {self.unit}s"
        told = f"{self.file}: nothing in the file, {lines}"
        if self.lines:
            told = (
                f"{self.file}: {lines}: {self.accepted:,} accepted ({self.warned:,} with a "
                f"warning), {self.refused:,} refused, {self.skipped:,} skipped"
            )
        told += f", {self.struck_out:,} struck out" if self.struck_out else ""
        told += f", nothing struck out: {self.not_struck_out}" if self.not_struck_out else ""
        return told if self.stored or not self.lines else f"{told}; nothing was recorded"


@attrs.define
class Tally:
    """The account in the making."""

    lines: int = 0
    accepted: int = 0
    warned: int = 0
    refused: int = 0
    skipped: int = 0
    refusals: list[Outcome] = attrs.field(factory=list)

    def take(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.lines += 1
        self.accepted += outcome.verdict == "accepted"
        self.warned += bool(outcome.warnings)
        self.refused += outcome.verdict == "refused"
        self.skipped += outcome.verdict == "skipped"
        if outcome.verdict == "refused" and len(self.refusals) < KEPT:
            self.refusals.append(outcome)

    def account(self, file: str, unit: str, *, stored: bool) -> Imported:
        """The account of a file."""
        told = attrs.asdict(self, recurse=False) | {"refusals": tuple(self.refusals)}
        return Imported(file=file, unit=unit, stored=stored, **told)
