"""The library's own views of a log: made by a command, and kept up by every one after it."""

from __future__ import annotations

from typing import Final

from ledger.cli.options import HERE, Flag, Where
from ledger.cli.output import answer, progress
from ledger.errors import ProjectionFailed
from ledger.projecting import cells
from ledger.projecting.former import former

_BATCH: Final = 50_000


def index(*, again: Flag = False, where: Where = HERE) -> None:
    """Keep tables by which questions are answered without reading the whole log.

    Worth it from some ten thousand claims on: questions about somebody or something then read what
    bears on them, at any known-date, with the same answers. Every command keeps the tables up; type
    it again after a program wrote that does not, and after an upgrade.

    Example: `claims index`

    Args:
        again: Make them anew, where `claims verify --views` found them changed.
    """
    with where.ledger() as ledger:
        for one in former(ledger.layout):
            ledger.projections.add(one, mode="deferred")
        ledger.projections.add(cells(ledger.layout), replace=True)
        # What an earlier call put out of use: whoever read it then has long read on.
        ledger.projections.prune("cells")
        make = ledger.projections.rebuild if again else ledger.projections.run
        outcome = make("cells", batch=_BATCH, progress=progress())
        if outcome.status == "failing":
            raise ProjectionFailed(
                f"The tables wait at sequence {outcome.position} for an event that they cannot "
                "take; questions read the whole log as before. Type: claims verify",
                projection="cells",
                sequence=outcome.position,
            )
    answer(outcome, json=where.json)
