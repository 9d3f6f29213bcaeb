"""The published JSON Schema is the shapes that are read, and what is read is valid by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.interchange import schema, shapes
from tests.interchange import renderings

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "jsonl.schema.json"


def test_the_published_schema_is_made_of_todays_shapes():
    assert PUBLISHED.read_text("utf-8") == schema.written(), (
        "Type: python -m ledger.interchange.schema > docs/reference/jsonl.schema.json"
    )


def test_every_type_and_field_of_a_line_is_in_it():
    told = schema.schema()["$defs"]
    for type_, form in shapes.FORMS.items():
        assert told[type_]["properties"].keys() == {"type", *form.fields}
        assert told[type_]["required"] == ["type", *form.needs]


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema", reason="the validator comes with the exports")
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    return jsonschema.Draft202012Validator(schema.schema())


def test_the_seed_article_is_valid_line_by_line(validator, shared):
    folder = shared("data/seed")
    seed = json.loads((folder / "claims.json").read_text("utf-8"))
    for line in renderings.lines(seed, "the text"):
        assert validator.is_valid(line), (line, next(validator.iter_errors(line)).message)


@pytest.mark.parametrize(
    "line",
    [
        {"type": "party", "id": "x"},
        {"type": "partty", "id": "x", "name": "X"},
        {"type": "party", "id": "x", "name": "X", "colour": "red"},
        {"type": "claim", "proposition": "p", "act": "assert", "stance": "pro"},
        {"type": "claim", "proposition": "p", "act": "assert", "quote": {"ranges": [[1]]}},
        {"type": "claim", "proposition": "p", "act": "assert", "chain": [{"edge": "says"}]},
        {"type": "name", "party": "x", "name": "X", "bounds": "open"},
    ],
)
def test_what_an_import_refuses_by_its_shape_is_not_valid(validator, line):
    assert not validator.is_valid(line)
