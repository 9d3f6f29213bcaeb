"""The decision of a position, from claims that are collected and ordered (model.md, 5, step 6).

Here lives what is decided, and which claims it rests on; what is collected, and in which order, is
`.positions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import attrs

from ledger.model import events as ev
from ledger.projections.rollup import Path
from ledger.projections.runs import Run

T = TypeVar("T")
Status = Literal["held", "conflicted", "withdrawn", "possible", "undeclared", "silent"]


@attrs.frozen
class Counted:
    """A claim that reaches the party, with what the decision needs to know of it."""

    id: str
    claim: ev.ClaimRecorded
    stance: str
    path: Path
    said: bool
    certain: bool
    withdrawn: bool
    possibly_withdrawn: bool


def decide(
    frontier: Sequence[Counted], possible: Sequence[Counted], aside: Sequence[Counted]
) -> tuple[Status, str | None, str | None]:
    """Status, stance, and why it is conflicted."""
    standing = [one for one in frontier if not one.withdrawn]
    stances = distinct(one.stance for one in standing)
    if frontier and not standing:
        return "withdrawn", None, None
    if len(stances) == 1:
        return "held", stances[0], None
    if stances:
        return "conflicted", None, _why_conflicted(standing)
    if possible:
        return "possible", None, None
    return ("undeclared" if aside else "silent"), None, None


def _why_conflicted(standing: Sequence[Counted]) -> str:
    """One utterance told both ways by one document, by several, or an order nobody knows."""
    if len({one.claim.utterance or one.id for one in standing}) > 1:
        return "order_unknown"
    told: dict[str, set[str]] = {}
    for one in standing:
        told.setdefault(one.claim.document or one.id, set()).add(one.stance)
    both = any(len(stances) > 1 for stances in told.values())
    return "said_both" if both else "reports_disagree"


def current_run(
    status: Status,
    stance: str | None,
    *,
    frontier: Sequence[Counted],
    runs: Sequence[Run],
    certain: Mapping[str, Counted],
    aside: list[Counted],
) -> list[Counted]:
    """The claims of the current run; all of the frontier that stands where it conflicts."""
    if status == "undeclared":
        return aside
    if status == "conflicted":
        return [one for one in frontier if not one.withdrawn]
    held = [run for run in runs if stance in (None, run.stance)]
    if not held or status not in ("held", "withdrawn"):
        return []
    return [certain[id_] for id_ in held[-1].ledger_ids]


def distinct(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, in the order of its first place."""
    return tuple(dict.fromkeys(values))
