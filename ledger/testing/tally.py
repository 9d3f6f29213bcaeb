"""The tail counter: what a reader saw, held against what writers were told is stored.

Here lives the counting alone. Who writes, who reads, in which processes: that is the caller's. A
log passes where every tally of it is `clean`; `tests/proof` counts every write path in this way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs


@attrs.frozen(kw_only=True)
class Tally:
    """What one reader of a log saw of it.

    `missed` were stored and never seen, `twice` seen again, `foreign` seen though nobody was told
    that they are stored (an append that was rolled back). `disordered` came at a sequence that is
    not above the one before, `holes` are sequences that were left out, and `overtaken` are
    events that stand before an earlier one of the same writer.
    """

    stored: int
    seen: int
    missed: int
    twice: int
    foreign: int
    disordered: int
    holes: int
    overtaken: int

    @property
    def clean(self) -> bool:
        """Whether each event was seen exactly once, in order, without a hole."""
        return not any(attrs.astuple(self)[2:])

    def __str__(self) -> str:
        faults = attrs.asdict(self, filter=lambda field, many: bool(many) and field.name in _FAULTS)
        told = ", ".join(f"{many:,} {name}" for name, many in faults.items())
        return f"{self.seen:,} seen of {self.stored:,} stored: {told or 'none missed, no hole'}"


_FAULTS = ("missed", "twice", "foreign", "disordered", "holes", "overtaken")


def tally(seen: Sequence[tuple[int, str]], stored: Iterable[Sequence[str]]) -> Tally:
    """Count what a reader saw: pairs of a sequence, from 0, and a name of the event.

    `stored` holds one row of names for each writer, in the order in which it wrote them.

    Example:
        >>> str(tally([(0, "a"), (1, "x"), (2, "b")], [["a", "b"], ["x"]]))
        '3 seen of 3 stored: none missed, no hole'
        >>> str(tally([(0, "a"), (2, "b")], [["a", "b"], ["x"]]))
        '2 seen of 3 stored: 1 missed, 1 holes'
    """
    by_writer = [list(names) for names in stored]
    wanted = {name for names in by_writer for name in names}
    often = Counter(name for _, name in seen)
    place = {name: at for at, (_, name) in enumerate(seen)}
    sequences = [sequence for sequence, _ in seen]
    last = max(sequences, default=-1)
    return Tally(
        stored=len(wanted),
        seen=len(seen),
        missed=len(wanted - often.keys()),
        twice=sum(many - 1 for many in often.values()),
        foreign=len(often.keys() - wanted),
        disordered=sum(after <= before for before, after in pairwise(sequences)),
        holes=last + 1 - len(set(sequences)),
        overtaken=sum(
            place[after] < place[before]
            for names in by_writer
            for before, after in pairwise(name for name in names if name in place)
        ),
    )
