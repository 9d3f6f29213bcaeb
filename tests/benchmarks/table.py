"""The figures as Markdown, for a terminal and for docs/reference/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness import Line


def figure(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def lines(measured: Iterable[Line]) -> str:
    """One table; a ratio of 1 is as fast, as small or as light as the raw driver."""
    rows = [
        (
            one.job,
            one.size,
            f"{figure(one.ours)} {one.unit}",
            "" if one.raw is None else f"{figure(one.raw)} {one.unit}",
            "" if one.ratio is None else f"{one.ratio:.2g}",
        )
        for one in measured
    ]
    return markdown(("job", "how much", "ledger", "raw driver", "ratio"), rows)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as a Markdown table."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body])
