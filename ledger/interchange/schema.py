"""The JSON Schema of a line of JSON Lines (draft 2020-12), made from the shapes that are read.

`python -m ledger.interchange.schema` prints it; docs/reference/jsonl.schema.json is what it prints.
What a schema cannot say (that an id is known, that a day is one, that words stand in a text) is
told by the importer alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.interchange import shapes
from ledger.model.attribution import LINK_KINDS
from ledger.model.claim import CAPACITIES, FACTUALITIES, STANCES
from ledger.model.offsets import UNITS
from ledger.model.proposition import PROPOSITION_KINDS
from ledger.model.quotation import MODES

Schema = dict[str, Any]
_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_WORDS: Final[Schema] = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": _TEXT, "minItems": 1}]
}
_QUOTE: Final[Schema] = {
    "anyOf": [
        *_WORDS["anyOf"],
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "exact": _WORDS,
                "ranges": {
                    "type": "array",
                    "items": {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 0},
                        "minItems": 2,
                        "maxItems": 2,
                    },
                },
                "unit": {"enum": list(UNITS)},
                "mode": {"enum": list(MODES)},
                "prefix": _TEXT,
                "suffix": _TEXT,
                "parts": {"type": "array", "items": _TEXT},
                "renderings": {"type": "array", "items": {"$ref": "#/$defs/rendering"}},
            },
        },
    ]
}
_DEFS: Final[Mapping[str, Schema]] = {
    "quote": _QUOTE,
    "rendering": {
        "type": "object",
        "additionalProperties": False,
        "required": ["text"],
        "properties": {
            "text": _TEXT,
            "language": _TEXT,
            "original": {"type": "boolean"},
            "by": _TEXT,
        },
    },
}
_CLOSED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("claim", "stance"): STANCES,
    ("claim", "factuality"): FACTUALITIES,
    ("claim", "capacity"): CAPACITIES,
    ("withdrawal", "capacity"): CAPACITIES,
    ("proposition", "kind"): PROPOSITION_KINDS,
    ("name", "bounds"): ("closed", "half_open"),
    ("membership", "bounds"): ("closed", "half_open"),
}


def _link() -> Schema:
    link = {
        "type": "object",
        "additionalProperties": False,
        "required": ["agent"],
        "properties": {
            "agent": _TEXT,
            "edge": {"enum": list(LINK_KINDS)},
            "kind": {"enum": list(LINK_KINDS)},
            "role": _nullable(_TEXT),
            "words": _nullable({"$ref": "#/$defs/quote"}),
            "cue": _nullable({"$ref": "#/$defs/quote"}),
        },
    }
    chain = {"type": "array", "items": link}
    return {"anyOf": [chain, {"type": "array", "items": chain, "minItems": 1}]}


def _names() -> Schema:
    name = _object(shapes.NAME, ("name",), "name")
    return {"anyOf": [_TEXT, {"type": "array", "items": {"anyOf": [_TEXT, name]}}]}


_SHAPES: Final[Mapping[Callable[..., Any], Callable[[], Schema]]] = {
    shapes.text: lambda: _TEXT,
    shapes.date: lambda: {"type": "string", "description": "EDTF (ISO 8601-2)"},
    shapes.texts: lambda: _TEXTS,
    shapes.flag: lambda: {"type": "boolean"},
    shapes.whole: lambda: {"type": "integer"},
    shapes.number: lambda: {"type": ["number", "string"]},
    shapes.free: lambda: {"type": "object"},
    shapes.names: _names,
    shapes.chains: _link,
    shapes.quote: lambda: {"$ref": "#/$defs/quote"},
    shapes.quote_in_text: lambda: {"$ref": "#/$defs/quote"},
}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(fields: Mapping[str, Any], needs: tuple[str, ...], type_: str) -> Schema:
    found: dict[str, Schema] = {}
    for name, shape in fields.items():
        closed = _CLOSED.get((type_, name))
        one = {"enum": list(closed)} if closed else _SHAPES[shape]()
        found[name] = one if name in needs else _nullable(one)
    return {"type": "object", "required": list(needs), "properties": found}


def schema() -> Schema:
    """The schema of one line.

    Example:
        >>> schema()["$defs"]["topic"]["required"]
        ['type', 'id', 'label']
    """
    lines: dict[str, Schema] = {}
    for type_, form in shapes.FORMS.items():
        line = _object(form.fields, form.needs, type_)
        line["required"].insert(0, "type")
        line["properties"] = {"type": {"const": type_}, **line["properties"]}
        line["additionalProperties"] = type_ == "claim"  # foreign fields go under extra
        lines[type_] = line
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of claimledger JSON Lines",
        "type": "object",
        "required": ["type"],
        "oneOf": [{"$ref": f"#/$defs/{type_}"} for type_ in lines],
        "$defs": {**lines, **_DEFS},
    }


def written() -> str:
    """The schema as it is published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(written(), end="")  # noqa: T201 - that is what it is for
