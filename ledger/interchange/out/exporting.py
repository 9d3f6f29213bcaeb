"""The formats a view leaves in, and the writing of a file: whole, or not at all.

Each format is one file beside this one, loaded when it is needed. What a format cannot carry is in
`.losses`.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import inspect
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from uuid import uuid4

import attrs

from ledger.comparing import check_view
from ledger.errors import Invalid
from ledger.interchange.out.iris import Iris
from ledger.interchange.source import is_irreplaceable
from ledger.model.text import did_you_mean, near, show
from ledger.projections.answer import Answer
from ledger.view import View


@attrs.frozen(kw_only=True)
class Format:
    """A format: who writes it, what one of its records is called, how its files end.

    `of_log` formats hold the events that a view knows, whatever was said when. A `folder` of files
    is written where one file would not do.
    """

    module: str
    title: str
    unit: str
    suffix: str
    writer: str = "write"
    of_log: bool = False
    folder: bool = False


FORMATS: Final[Mapping[str, Format]] = {
    "jsonl": Format(
        module="jsonl", title="JSON Lines, to be imported again", unit="line", suffix=".jsonl"
    ),
    "log": Format(
        module="log",
        title="the log itself, to be restored with every hash",
        unit="line",
        suffix=".log.jsonl",
        of_log=True,
    ),
    "parquet": Format(module="arrow", title="Parquet tables", unit="row", suffix="", folder=True),
    "prov": Format(module="prov", title="PROV-JSON", unit="statement", suffix=".prov.json"),
    "prov-n": Format(
        module="prov", title="PROV-N", unit="statement", suffix=".provn", writer="write_provn"
    ),
    "prov-o": Format(
        module="prov",
        title="PROV-O in Turtle",
        unit="statement",
        suffix=".prov.ttl",
        writer="write_turtle",
    ),
    "nanopub": Format(
        module="nanopub", title="nanopublications in TriG", unit="nanopublication", suffix=".trig"
    ),
    "annotations": Format(
        module="annotations",
        title="Web Annotations in JSON-LD",
        unit="annotation",
        suffix=".annotations.jsonld",
    ),
    "schemaorg": Format(
        module="schemaorg", title="schema.org JSON-LD", unit="object", suffix=".schemaorg.jsonld"
    ),
    "cito": Format(
        module="cito", title="CiTO relations in Turtle", unit="relation", suffix=".cito.ttl"
    ),
    "popolo": Format(module="popolo", title="Popolo JSON", unit="object", suffix=".popolo.json"),
    "cloudevents": Format(
        module="cloudevents",
        title="CloudEvents in JSON, a line each",
        unit="event",
        suffix=".cloudevents.jsonl",
        of_log=True,
    ),
}
"""Every format, by the name that is typed."""


@attrs.frozen(kw_only=True)
class Exported(Answer):
    """What was written: the format, how many of its records, where, and of how many events."""

    format: str
    records: int
    unit: str
    target: str
    basis: int

    def __str__(self) -> str:
        units = self.unit if self.records == 1 else f"{self.unit}s"
        where = f" to {self.target}" if self.target else ""
        return f"{self.records:,} {units} written{where}: {FORMATS[self.format].title}"


def format_called(name: str) -> Format:
    """The format of a name.

    Raises:
        Invalid: there is none; near names are told.
    """
    if name not in FORMATS:
        raise Invalid(
            f"There is no format {show(name)}.{did_you_mean(near(str(name), FORMATS))} There are "
            f"{', '.join(FORMATS)}.",
            field="format",
            given=name,
        )
    return FORMATS[name]


def export(
    view: View,
    format: str,  # noqa: A002 - the word for it
    target: str | Path | BinaryIO,
    *,
    base: str | None = None,
) -> Exported:
    """Write a view in a format, to a path or to an open binary file.

    A path that ends with .gz is packed. At a path the file stands only once it is whole; one that
    was there is replaced, unless it is a database or a key. What is no file, such as a pipe, is
    written to as it is. `base` is what the addresses of records begin with, an absolute IRI of
    yours; without it they are made of the name of the log.

    Raises:
        InvalidView: it is no view.
        Invalid: there is no such format, the base is no base, the folder is not empty, or the path
            is a ledger's or cannot be written.
        MissingExtra: the format needs a library that is not installed.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     print(export(ledger.as_of(), "jsonl", "dam.jsonl"))
        1 line written to dam.jsonl: JSON Lines, to be imported again
    """
    check_view(view, "export(ledger.as_of(), 'jsonl', 'claims.jsonl')")
    chosen = format_called(format)
    if isinstance(target, str):
        target = Path(target)
    iris = Iris.of(base, view.origin)
    write: Any = getattr(importlib.import_module(f"{__package__}.{chosen.module}"), chosen.writer)
    more = {"iris": iris} if "iris" in inspect.signature(write).parameters else {}
    place = (
        contextlib.nullcontext(target) if not isinstance(target, Path) else _part(chosen, target)
    )
    with place as file:
        if chosen.folder and not isinstance(file, Path):
            raise Invalid(
                f"{chosen.title} are a folder of files. Give the path of one.",
                field="target",
                given=str(target),
            )
        records = write(view, file, **more)
    return Exported(
        format=format,
        records=records,
        unit=chosen.unit,
        target=str(target) if isinstance(target, Path) else "",
        basis=view.basis,
    )


@contextlib.contextmanager
def _part(chosen: Format, target: Path) -> Iterator[Path | BinaryIO]:
    """What is written in place of the target, and takes its place once it is whole."""
    place = Path(os.path.realpath(target))  # a link stays one
    part = place.with_name(f"{place.name}.{uuid4().hex[:8]}.part")
    try:
        if is_irreplaceable(place):
            raise Invalid(
                f"{show(str(target), 200)} belongs to an SQLite database, or is a key that signs, "
                "which would be gone. Give another path.",
                field="target",
                given=str(target),
            )
        if chosen.folder:
            if place.exists() and (not place.is_dir() or any(place.iterdir())):
                raise Invalid(
                    f"{show(str(target), 200)} is there already and not an empty folder. Give "
                    "another path, or remove it.",
                    field="target",
                    given=str(target),
                )
            part.mkdir()
            yield part
            if place.exists():
                place.rmdir()
        elif target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as file:
                yield from _packed(file, target)
            return
        else:
            with part.open("wb") as file:
                yield from _packed(file, place)
                file.flush()
                os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise Invalid(
            f"{show(str(target), 200)} cannot be written: {error.strerror or error}. Give another "
            "path.",
            field="target",
            given=str(target),
        ) from error
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def _packed(file: BinaryIO, target: Path) -> Iterator[BinaryIO]:
    if target.suffix != ".gz":
        yield file
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        yield cast("BinaryIO", packed)
