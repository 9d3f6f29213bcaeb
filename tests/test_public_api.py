"""The public names and their signatures are those of `public_api.txt`.

A change of the interface shows as a change of that file, so that nobody makes one unaware.
`make api` rewrites it.
"""

from __future__ import annotations

import enum
import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import attrs

import ledger

SNAPSHOT = Path(__file__).with_name("public_api.txt")


def test_the_public_interface_is_the_recorded_one():
    assert SNAPSHOT.exists(), "tests/public_api.txt is missing. Type: make api"
    assert drawn().splitlines() == SNAPSHOT.read_text().splitlines(), (
        "The public interface has changed. If that is meant, type: make api"
    )


def test_the_public_names_are_sorted_and_named_once():
    names = list(ledger.__all__)
    assert names == sorted(set(names))


def test_every_public_name_is_described():
    bare = [
        name
        for name in ledger.__all__
        if callable(found := getattr(ledger, name)) and not inspect.getdoc(found)
    ]
    assert bare == []


def drawn() -> str:
    """The public interface as text, one name or member a line."""
    return "\n".join(line for name in ledger.__all__ for line in _lines(name)) + "\n"


def _lines(name: str) -> Iterator[str]:
    found = getattr(ledger, name)
    if not isinstance(found, type):
        yield f"{name}{_signature(found) if inspect.isroutine(found) else f' = {_text(found)}'}"
        return
    bases = ", ".join(base.__name__ for base in found.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(found, enum.Enum):
        yield from (f"    {member.name} = {member.value!r}" for member in found)
        return
    yield f"    {_signature(found)}"
    if attrs.has(found):
        yield from (f"    .{field.name}" for field in attrs.fields(found) if field.name[0] != "_")
    fields = {field.name for field in attrs.fields(found)} if attrs.has(found) else set()
    for member, value in sorted(_own(found).items()):
        if not member.startswith("_") and member not in fields:
            yield f"    .{member}{_member(value)}"


def _own(found: type) -> dict[str, object]:
    """What a class has of its own, and by a base that stands for nothing but a part of it."""
    parts = [found, *(base for base in found.__bases__ if inspect.isabstract(base))]
    return {name: value for part in reversed(parts) for name, value in vars(part).items()}


def _member(value: object) -> str:
    match value:
        case property():
            returned = inspect.signature(value.fget).return_annotation if value.fget else "?"
            return f" -> {_text(returned)}"
        case classmethod() | staticmethod():
            return _signature(value.__func__)
        case _ if inspect.isroutine(value):
            return _signature(value)
        case _:
            return ""


def _signature(found: object) -> str:
    try:
        signature = inspect.signature(typing.cast("typing.Any", found))
    except (TypeError, ValueError):
        return "(...)"
    return _text(str(signature))


def _text(found: object) -> str:
    """One spelling on every Python: without quotes around annotations, paths or addresses."""
    text = found if isinstance(found, str) else repr(found)
    text = re.sub(r"(?<=[:>] )'([^']*)'", r"\1", text)
    return re.sub(r" at 0x[0-9a-f]+", "", text)


if __name__ == "__main__":
    SNAPSHOT.write_text(drawn())
    print(f"{SNAPSHOT.name}: {len(ledger.__all__)} public names")  # noqa: T201 - a command
