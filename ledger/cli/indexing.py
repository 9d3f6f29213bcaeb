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
    """Make tables with which questions are answered without reading the whole log.

    Worth it from some ten thousand claims on. The answers are the same. Commands that record keep
    the tables up to date. Run it again after a program has written that does not, and after an
    upgrade.

    Example: `claims index`

    Args:
        again: Make them anew, if `claims verify --views` found a difference.
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
