"""The formats that can be imported, and how a file is told to be of one.

Each format is one file beside this one, loaded when it is needed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Final, cast

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.items import Reader
from ledger.interchange.source import Source, unreadable
from ledger.model.text import did_you_mean, near, show


@attrs.frozen(kw_only=True)
class Format:
    """A format: the file that reads it, what its records are called, how its files end."""

    module: str
    unit: str
    title: str
    suffixes: tuple[str, ...] = ()
    marks: str = ""

    def reader(self) -> Reader:
        """The function that reads it."""
        found = importlib.import_module(f"ledger.interchange.{self.module}")
        return cast("Reader", found.read)


FORMATS: Final[Mapping[str, Format]] = {
    "jsonl": Format(
        module="jsonl", unit="line", title="JSON Lines", suffixes=(".jsonl", ".ndjson")
    ),
    "csv": Format(module="tables", unit="row", title="CSV or TSV", suffixes=(".csv", ".tsv")),
    "brat": Format(module="brat", unit="annotation", title="brat stand-off", suffixes=(".ann",)),
    "actors": Format(
        module="actors", unit="code", title="Actor dictionary", suffixes=(".actors.txt",)
    ),
    "popolo": Format(
        module="popolo",
        unit="record",
        title="Popolo",
        marks=r'"(persons|people|organi[sz]ations|memberships)"\s*:\s*\[',
    ),
    "prov": Format(
        module="provjson",
        unit="statement",
        title="PROV-JSON",
        suffixes=(".provn.json", ".prov.json"),
        marks=r'"(prov:[a-z]\w+|wasAttributedTo|actedOnBehalfOf|wasDerivedFrom|hadMember)"\s*:',
    ),
    "annotations": Format(
        module="annotations",
        unit="annotation",
        title="Web Annotation",
        marks=r"https?://www\.w3\.org/ns/anno|\"(oa:)?Annotation\"",
    ),
    "schemaorg": Format(
        module="schemaorg",
        unit="object",
        title="schema.org JSON-LD",
        marks=r'https?://schema\.org|"@type"\s*:\s*"(Claim|ClaimReview|Quotation)"',
    ),
}
"""Every format, by the name that is typed; in the order in which beginnings are compared."""

_A_LOG: Final = b'{"format":"claimledger-log/'
_JSON: Final = (".json", ".jsonld")
_ACTORS: Final = re.compile(r"(?<![a-z])actors?(?![a-z])")
"""What is in the name of a text that is an actor dictionary: actors_COL.txt, actor_dict_ar.txt."""
_OTHERS: Final = (".yaml", ".yml", ".xml", ".html", ".htm", ".rdf", ".ttl", ".trig")
"""How files end that hold no JSON Lines, of which each line would be refused."""


def format_of(source: Source, named: str | None) -> Format:
    """The format that was named, or that a file's name and beginning tell.

    Raises:
        InvalidImport: there is no such format, no such file, or nothing tells which it is.
    """
    if not source.path.exists():
        raise unreadable(source.path, FileNotFoundError(2, "No such file or directory"))
    if named is not None:
        if named not in FORMATS:
            raise InvalidImport(
                f"There is no format {show(named)}.{did_you_mean(near(named, FORMATS))} "
                f"Write one of {', '.join(FORMATS)}.",
                field="format",
                given=named,
            )
        return FORMATS[named]
    if source.path.is_dir():
        return FORMATS["brat"]
    if source.start().startswith(_A_LOG):
        raise InvalidImport(
            f"{show(source.name, 200)} is a whole log, as `claims export log` writes it. Type: "
            f"claims restore {show(str(source.path), 200)}",
            field="file",
            given=source.name,
        )
    name = source.name.lower().removesuffix(".gz")
    for one in FORMATS.values():
        if name.endswith(one.suffixes):
            return one
    if name.endswith(_JSON):
        return _by_beginning(source)
    if name.endswith(_OTHERS):
        raise InvalidImport(
            f"{show(source.name, 200)} is of no format that is imported. Write its records as JSON "
            "Lines, or as CSV with a mapping: docs/reference/imports.md. If it is one of these for "
            f"all its name, name its format, one of {', '.join(FORMATS)}.",
            field="format",
            given=source.name,
        )
    dated = "actors" in name.split(".")[1:]  # x.actors.140901.txt
    called = name.endswith(".txt") and _ACTORS.search(name)
    return FORMATS["actors" if dated or called else "jsonl"]


def _by_beginning(source: Source) -> Format:
    start = source.start().decode("utf-8", "replace")
    for one in FORMATS.values():
        if one.marks and re.search(one.marks, start):
            return one
    listed = ", ".join(name for name, one in FORMATS.items() if one.marks)
    raise InvalidImport(
        f"{show(source.name, 200)} does not say in which words it is written. If it is one of "
        f"{listed}, name its format; JSON Lines, one object a line, end in .jsonl. Write the "
        "records of any other JSON as JSON Lines, or as CSV with a mapping.",
        field="format",
        given=source.name,
    )
