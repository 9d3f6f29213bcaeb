"""How a goal and what came of it are told: one line each, with whether it was met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from tests.benchmarks.harness import figure, markdown

HEAD: Final = ("job", "goal", "ledger", "against", "ratio", "met", "beside")


@attrs.frozen(kw_only=True)
class Verdict:
    """What was measured and the goal for it: a ratio that is reached, or, `at_most`, not passed."""

    job: str
    ours: str
    other: str
    ratio: float
    goal: float | None = None
    at_most: bool = False
    beside: str = ""

    @property
    def met(self) -> str:
        """Whether the goal was met, and by what part of it."""
        if self.goal is None:
            return ""
        reached = self.ratio <= self.goal if self.at_most else self.ratio >= self.goal
        return f"{'yes' if reached else '**no**'}, {self.ratio / self.goal:.2f} of it"

    def cells(self) -> Sequence[str]:
        """The line as a table shows it."""
        sign = "≤" if self.at_most else "≥"
        goal = "" if self.goal is None else f"{sign} {self.goal:g}"
        return self.job, goal, self.ours, self.other, f"{self.ratio:.2f}", self.met, self.beside


def faster(
    job: str,
    many: int,
    took: tuple[float, float],
    goal: float | None,
    *,
    beside: str = "",
    against: str = "",
) -> Verdict:
    """A line in events a second; `took` is in seconds, ours and the other's, for `many` each."""
    ours, other = (many / seconds for seconds in took)
    return Verdict(
        job=job,
        ours=f"{figure(ours)}/s",
        other=f"{figure(other)}/s{against and ' ' + against}",
        ratio=ours / other,
        goal=goal,
        beside=beside,
    )


def least(
    job: str,
    ours: float,
    other: float,
    unit: str,
    goal: float | None,
    *,
    beside: str = "",
    against: str = "",
) -> Verdict:
    """A line of something to be kept small."""
    return Verdict(
        job=job,
        ours=f"{figure(ours)} {unit}",
        other=f"{figure(other)} {unit}{against and ' ' + against}",
        ratio=ours / other,
        goal=goal,
        at_most=True,
        beside=beside,
    )


def rows(lines: Iterable[Verdict]) -> Iterator[str]:
    """The lines of a table in Markdown, each as soon as it is known."""
    for number, line in enumerate(lines):
        *head, row = markdown(HEAD, [line.cells()]).splitlines()
        if not number:
            yield from head
        yield row
