"""Which records are one with which: the live merges that can be, followed to their end.

Here lives what a merge comes to beside the others (model.md, 2). Where records are kept and found
is `.effective`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from ledger.model import events as ev

T = TypeVar("T")
Merge = ev.PartiesMerged | ev.PropositionsMerged

Kept = dict[str, tuple[str, bool]]
"""Into which record each merged one went, and whether it says the opposite of that."""


class Merged(Protocol):
    """Where live records are found, by id and by type."""

    @property
    def effective(self) -> Mapping[str, ev.Event]:
        """The effective form of the live records by id."""

    def of_type(self, cls: type[T]) -> Iterator[tuple[str, T]]:
        """All live records of a type, in recorded order."""

    def indexed(self, relation: str, id_: str) -> Iterable[str]:
        """The ids of the live records found under (relation, id)."""

    def canonical(self, id_: str) -> str:
        """The id that is shown for a party or proposition."""


def merged_into(facts: Merged) -> Kept:
    """What the live merges come to, the earlier ones first."""
    kept: Kept = {}
    merges: list[tuple[str, Merge]] = [*facts.of_type(ev.PartiesMerged)]
    merges += facts.of_type(ev.PropositionsMerged)
    for _, merge in merges:
        if _can_be(facts, kept, merge):
            negates = isinstance(merge, ev.PropositionsMerged) and merge.negated
            kept[merge.merged] = (merge.kept, negates)
    return kept


def followed(kept: Kept, id_: str) -> tuple[str, bool]:
    """The kept id, and whether the way there negates."""
    negated = False
    while id_ in kept:
        id_, negates = kept[id_]
        negated ^= negates
    return id_, negated


def group(facts: Merged, shown: str) -> tuple[str, ...]:
    """All ids that are one with a shown id, which comes first."""
    found: dict[str, None] = {}
    queue = [shown]
    while queue:
        here = queue.pop()
        if here not in found:
            found[here] = None
            for merge in facts.indexed("merged_into", here):
                event = facts.effective[merge]
                if isinstance(event, Merge) and facts.canonical(event.merged) == shown:
                    queue.append(event.merged)
    return tuple(found)


def _can_be(facts: Merged, kept: Kept, merge: Merge) -> bool:
    """Whether the earlier live merges, and what became of the two, leave room for a merge."""
    into, merged = (facts.effective.get(id_) for id_ in (merge.kept, merge.merged))
    if into is None or merged is None or merge.merged in kept:
        return False
    kinds = {one.kind for one in (into, merged) if isinstance(one, ev.PropositionDefined)}
    return len(kinds) <= 1 and followed(kept, merge.kept)[0] != merge.merged
