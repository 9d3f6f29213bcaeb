"""What a fault did: a line of the published table; and where faults are tried.

Every fault is a function that takes a `Place` and how often, and gives what was `Seen`, or fails.
The tests call it a few times, `run.py` many times.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import attrs

from ledger import Ledger
from ledger.errors import StoreError
from tests.faults.checks import Notes
from tests.faults.world import set_up, shortly

_NUMBERS: Final = itertools.count()


@attrs.frozen(kw_only=True)
class Seen:
    """One fault: how often, how many acknowledged steps were looked for, what callers were told.

    `told` counts what was raised. Whatever was lost, doubled or halved would have been an error,
    but where the fault itself takes acknowledged steps away: then `lost` says which may go.
    """

    fault: str
    engine: str
    times: int
    acknowledged: int
    lost: str = "0"
    already: int = 0
    told: Counter[str] = attrs.field(factory=Counter)

    @classmethod
    def of(cls, fault: str, engine: str, times: int, notes: Iterable[Notes]) -> Seen:
        """The sum of what several lots of writers noted."""
        lots = list(notes)
        return cls(
            fault=fault,
            engine=engine,
            times=times,
            acknowledged=sum(len(lot.acknowledged) for lot in lots),
            already=sum(lot.already for lot in lots),
            told=sum((lot.told for lot in lots), Counter()),
        )

    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        told = "; ".join(f"{what} ({many:,})" for what, many in self.told.most_common())
        return (
            *(self.fault, self.engine, f"{self.times:,}", f"{self.acknowledged:,}", self.lost),
            *(f"{self.already:,}", told or "-"),
        )


@attrs.frozen(kw_only=True)
class Place:
    """Where a fault is tried: `fresh` makes a new database, `folder` is for all that is written."""

    engine: str
    fresh: Callable[[], str]
    folder: Path
    chance: random.Random = attrs.field(factory=lambda: random.Random(20230223))

    def database(self) -> str:
        """The URL of a new database, in which is registered what the writers speak of."""
        url = self.fresh()
        with Ledger.open(url) as ledger:
            set_up(ledger)
        return url

    def path(self, kind: str) -> Path:
        """A path of that kind that nothing stands at."""
        return self.folder / f"{next(_NUMBERS)}.{kind}"


def sqlite(folder: Path) -> Place:
    """New files in a folder."""
    return Place(
        engine="SQLite",
        fresh=lambda: f"sqlite:///{folder / f'{next(_NUMBERS)}.db'}",
        folder=folder,
    )


def refusal(error: StoreError) -> str:
    """What was told, in short, of a fault that surely stored nothing."""
    assert error.stored == "no", error
    return f"{type(error).__name__}: {shortly(error)}, stored: no"


def lots(times: int, each: int) -> Iterator[int]:
    """`times` in lots of `each`: a database is used for one lot, so that checks stay short."""
    while times > 0:
        yield min(times, each)
        times -= each
