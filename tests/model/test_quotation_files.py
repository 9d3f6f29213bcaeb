"""Quotations of the shared files: the hostile ones, line by line, and the seed article's."""

from __future__ import annotations

import json

import pytest

from ledger.errors import InvalidQuotation
from ledger.model.quotation import Quotation, anchored

HOSTILE = {  # line: words of the refusal; None is accepted. 12 and 19 may be warnings; we refuse.
    5: None,
    6: "reads 'is safe'",
    7: "It stands at 32..39 (1 earlier)",
    8: "It stands at 70..76 (1 earlier); were the offsets counted in UTF-16 units",
    9: "counted in bytes",
    10: "(1 later); were the offsets counted on the text without its leading blank",
    11: None,
    12: "79..94, 96..111",
    13: None,
    14: "Unicode normal form",
    15: None,
    16: "white space",
    17: "quotation marks",
    18: None,
    19: "must rise",
    20: "must not overlap",
    21: "is empty",
    22: "which has 112 code points",
    23: "The prefix 'was never ' does not stand before",
    24: "line ends",
    25: "U+00AD",
    26: "must not overlap",
}
NUMBERS = {
    13: "must be a whole number, got 32.0",
    14: "must be a whole number, got 32.5",
    15: "below 0",
    16: "got True",
    17: "got '32'",
    18: "beyond the end of any text",
}


def outcomes(path):
    """What becomes of each quotation of a hostile file, by line: None, or the refusal."""
    text = ""
    found: dict[int, str | None] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record["type"] == "document":
            text = text or record["text"]
        elif "quote" in record:
            try:
                anchored(Quotation.of(record["quote"]), text, document="d1")
                found[number] = None
            except InvalidQuotation as error:
                found[number] = str(error)
    return found


def test_every_hostile_quotation_meets_its_verdict_and_its_cause(shared):
    found = outcomes(shared("data/hostile/quotes.jsonl"))
    assert found.keys() == HOSTILE.keys()
    for line, words in HOSTILE.items():
        assert found[line] is None if words is None else words in (found[line] or ""), line


def test_hostile_numbers_are_refused_as_offsets(shared):
    found = outcomes(shared("data/hostile/numbers.jsonl"))
    for line, words in NUMBERS.items():
        assert words in (found[line] or ""), line


def spans(node):
    """Every span in the annotation, wherever it hangs."""
    if isinstance(node, dict):
        if {"start", "end", "exact"} <= node.keys():
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from spans(inner)


def test_every_span_of_the_seed_article_stands_where_it_says(shared):
    text = shared("data/seed/article.txt").read_bytes().decode()
    annotation = json.loads(shared("data/seed/claims.json").read_bytes())
    found = list(spans({key: annotation[key] for key in ("document", "claims")}))
    assert len(found) > 100
    for span in found:
        quotation = Quotation(exact=span["exact"], ranges=[(span["start"], span["end"])])
        assert anchored(quotation, text, document="seed") == quotation


def test_the_claims_of_the_seed_article_anchor_with_all_their_pieces(shared):
    text = shared("data/seed/article.txt").read_bytes().decode()
    claims = json.loads(shared("data/seed/claims.json").read_bytes())["claims"]
    for claim in claims:
        quotation = Quotation.of(
            {
                "exact": [part["exact"] for part in claim["content"]],
                "ranges": [(part["start"], part["end"]) for part in claim["content"]],
                "mode": claim["mode"],
            }
        )
        assert len(anchored(quotation, text, document="seed").pieces) == len(claim["content"])


def test_the_seed_article_read_with_its_leading_blank_stripped_is_recognised(shared):
    text = shared("data/seed/article.txt").read_bytes().decode()
    claims = json.loads(shared("data/seed/claims.json").read_bytes())["claims"]
    part = claims[0]["content"][0]
    stripped = Quotation(exact=part["exact"], ranges=[(part["start"] - 1, part["end"] - 1)])
    with pytest.raises(InvalidQuotation, match="without its leading blank"):
        anchored(stripped, text, document="seed")
