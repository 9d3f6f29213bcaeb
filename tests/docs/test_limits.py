"""The page of limits tells the truth: what it allows is taken, one more is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import Claim, Document, Edtf, Ledger, LedgerError, Link, Party, Proposition, Quotation
from ledger.model.rendering import Rendering

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "limits.md").read_text("utf-8")


def claim(**more: Any) -> Claim:
    return Claim(claimant="p", act="assert", proposition="q", **more)


def document(**more: Any) -> Document:
    return Document("d", publisher="p", **{"text": "It is so.", **more})


def deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels - 1):
        found = [found]
    return {"levels": found}


def one_of(signs: int) -> str:
    """A set of dates of so many signs, of days and years."""
    days = next(days for days in range(5) if (signs - 1 - 11 * days) % 5 == 0)
    return "[" + ",".join(["2020-01-01"] * days + ["2020"] * ((signs - 1 - 11 * days) // 5)) + "]"


def entered(given: Claim) -> None:
    with Ledger.open(":memory:") as ledger:
        ledger.register_all([Party("p", name="P"), Proposition("q", text="Q")])
        ledger.record_all([given])


LONG: dict[str, list[Callable[[int], object]]] = {
    "an id that you give": [lambda many: Party("i" * many, name="P")],
    "a name, a label, a role": [lambda many: Party("p", name="n" * many)],
    "the title or the address of a document": [
        lambda many: document(title="t" * many),
        lambda many: document(url="https://" + "u" * (many - 8)),
    ],
    "the text of a proposition; the conditions and the basis of a claim": [
        lambda many: Proposition("q", text="q" * many),
        lambda many: claim(conditions="c" * many),
        lambda many: claim(basis="b" * many),
    ],
    "a language tag": [lambda many: claim(language="l" * many)],
    "a quotation, its rendering, a note, a reason": [
        lambda many: Quotation(exact="w" * many),
        lambda many: Rendering(text="w" * many, language="en"),
        lambda many: claim(note="n" * many),
    ],
    "what stands before or after a quotation": [
        lambda many: Quotation(exact="w", prefix="p" * many)
    ],
    "the ranges of a quotation": [
        lambda many: Quotation(exact="w", ranges=[(2 * n, 2 * n + 1) for n in range(many)])
    ],
    "the text of a document": [lambda many: document(text="t" * many)],
    "the links of a chain": [
        lambda many: Claim(chain=[Link("p", "says")] * many, act="assert", proposition="q")
    ],
    "a date": [lambda many: Edtf.parse(one_of(many))],
    "whole numbers in `extra`": [lambda number: entered(claim(extra={"number": number}))],
    "lists and objects inside each other in `extra`": [
        lambda many: entered(claim(extra=deep(many)))
    ],
}


def limit_of(what: str) -> int:
    found = re.search(rf"^\| {re.escape(what)} \| ([\d,]+)", PAGE, re.MULTILINE)
    assert found is not None, f"{what} is not on the page"
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("what", LONG)
def test_what_the_page_allows_is_taken_and_one_more_is_refused(
    what: str,
) -> None:
    limit = limit_of(what)
    for make in LONG[what]:
        make(limit)
        with pytest.raises(LedgerError):
            make(limit + 1)
