"""Every name that is part of the interface stands in its page of the reference.

Each test collects what its page leaves out and compares that with nothing; the last test takes a
line away from each page and sees it missed, so that none of them can be passed by an empty list.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from cyclopts import App

import ledger
from ledger import Layout, aio, consuming, errors, otel, projecting, proving, signing
from ledger.cli.app import assembled
from ledger.codec.converter import TYPES, VERSIONS
from ledger.store.tables import tables_for
from ledger.testing import lachin, strategies, tally

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def own(room: ModuleType) -> list[str]:
    """The public functions and classes that a module defines itself."""
    return [
        name
        for name, found in vars(room).items()
        if getattr(found, "__module__", "") == room.__name__ and not name.startswith("_")
    ]


ROOMS: dict[str, list[str]] = {
    "ledger.projecting": [name for name in projecting.__all__ if name not in ledger.__all__],
    "ledger.proving": proving.__all__,
    "ledger.signing": signing.__all__,
    "ledger.aio": aio.__all__,
    "ledger.consuming": own(consuming),
    "ledger.loading": ["Loaded"],
    "ledger.otel": own(otel),
    "ledger.observing": ["use", "Observer", "Span", "Metric"],
    "ledger.django": ["atomic"],
    "ledger.testing.contract": ["StoreContract"],
    "ledger.testing.strategies": own(strategies),
    "ledger.testing.lachin": own(lachin),
    "ledger.testing.demonstration": ["Clock"],
    "ledger.testing.tally": own(tally),
}
"""What a host imports from elsewhere than `ledger`."""
SHARED = "What all commands share"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of the same level or a higher one."""
    found = re.search(rf"^(#+) {re.escape(heading)}$\n", text, re.MULTILINE)
    if found is None:
        return ""
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", unfenced(rest), re.MULTILINE)
    return rest[: end.start()] if end else rest


def unfenced(text: str) -> str:
    """The text with every fence blanked, at its length: a comment in a fence is no heading."""
    return re.sub(r"^```.*?^```$", lambda m: " " * len(m[0]), text, flags=re.DOTALL | re.MULTILINE)


def left_out(text: str, names: Iterable[str]) -> list[str]:
    """The names that stand nowhere in the text as words of their own."""
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]


def names_left_out(text: str) -> list[str]:
    return left_out(text, (f"ledger.{name}" for name in ledger.__all__)) + left_out(
        text, (f"{room}.{name}" for room, names in ROOMS.items() for name in names)
    )


def errors_left_out(text: str) -> list[str]:
    families = {one.__name__ for one in errors.LedgerError.__subclasses__()}
    classes = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    return [name for name in sorted(families) if not section(text, name)] + left_out(
        text, (f"| `{name}` |" for name in sorted(classes - families - {"LedgerError"}))
    )


def events_left_out(text: str) -> list[str]:
    return [
        name
        for name, event in TYPES.items()
        if f"Class `{event.__name__}`, version {VERSIONS[name]}." not in section(text, name)
    ]


def fields_left_out(text: str) -> list[str]:
    return [
        f"{name}.{field}"
        for name, event in TYPES.items()
        for field in inspect.get_annotations(event)
        if f"`{field}`" not in section(text, name)
    ]


def columns_left_out(text: str) -> list[str]:
    tables = tables_for(Layout()).metadata.tables.values()
    return [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if f"| `{column.name}` |" not in section(text, table.name)
    ]


def columns_made_up(text: str) -> list[str]:
    return [
        f"{table.name}.{written}"
        for table in tables_for(Layout()).metadata.tables.values()
        for written in re.findall(r"^\| `(\w+)` \|", section(text, table.name), re.MULTILINE)
        if written not in table.columns
    ]


def commands(app: App, *path: str) -> Iterator[tuple[str, App]]:
    """Every command with the words that call it; of a group, the commands inside."""
    for name in (one for one in app if not one.startswith("-")):
        inner = app[name]
        if inner.default_command is None:
            yield from commands(inner, *path, name)
        else:
            yield " ".join(("claims", *path, name)), inner


def commands_left_out(text: str) -> list[str]:
    return [
        name
        for name, _ in commands(assembled())
        if not re.search(rf"^\$ (.*; )?{name}\b", section(text, name), re.MULTILINE)
    ]


def options_left_out(text: str) -> list[str]:
    shared = "\n".join(re.findall(r"^`--.*$", section(text, SHARED), re.MULTILINE))
    return [
        f"{name} {option}"
        for name, command in commands(assembled())
        for option in left_out(unfenced(section(text, name)) + shared, options(command))
    ]


def options(command: App) -> Iterator[str]:
    for argument in command.assemble_argument_collection():
        yield from (name for name in argument.names if name.startswith("--"))


def commands_made_up(text: str) -> list[str]:
    known = {name for name, _ in commands(assembled())}
    return [
        found
        for found in re.findall(r"^### (claims .*)$", text, re.MULTILINE)
        if found not in known
    ]


def test_every_public_name_is_on_the_page_of_the_api():
    assert names_left_out(page("api")) == []


def test_every_error_is_on_the_page_of_errors():
    assert errors_left_out(page("errors")) == []


def test_every_error_on_the_page_of_errors_can_be_imported():
    written = re.findall(r"^\| `(\w+)` \|", page("errors"), re.MULTILINE)
    assert [name for name in written if not hasattr(errors, name)] == []


def test_every_event_is_on_the_page_of_events_with_its_class_and_version():
    assert events_left_out(page("events")) == []


def test_every_field_of_an_event_stands_in_the_section_of_that_event():
    assert fields_left_out(page("events")) == []


def test_every_column_stands_in_the_section_of_its_table_and_no_other_does():
    assert columns_left_out(page("tables")) == []
    assert columns_made_up(page("tables")) == []


def test_every_command_has_a_section_with_an_example_and_no_other_does():
    assert commands_left_out(page("cli")) == []
    assert commands_made_up(page("cli")) == []


def test_every_option_stands_in_the_section_of_its_command_or_among_the_shared_ones():
    assert options_left_out(page("cli")) == []


@pytest.mark.parametrize(
    "name, check, taken, missed",
    [
        ("api", names_left_out, ".. autoclass:: ledger.Period", "ledger.Period"),
        ("api", names_left_out, "ledger.consuming.Cursor()", "ledger.consuming.Cursor"),
        ("errors", errors_left_out, "| `InvalidMerge` |", "| `InvalidMerge` |"),
        ("errors", errors_left_out, "## SchemaError", "SchemaError"),
        ("events", events_left_out, "Class `PartyNamed`, version 1.", "party_named"),
        ("events", fields_left_out, "`metonym`, ", "party_named.metonym"),
        ("tables", columns_left_out, "| `leaf_hash` |", "ledger_event.leaf_hash"),
        ("cli", commands_left_out, "$ claims trace", "claims trace"),
        ("cli", commands_left_out, "### claims party add", "claims party add"),
        ("cli", options_left_out, "`--roster`", "claims member --roster"),
        ("cli", options_left_out, "`--known`", "claims position --known"),
    ],
)
def test_what_is_taken_off_a_page_is_missed(name, check, taken, missed):
    text = page(name)
    assert taken in text
    assert missed not in check(text)
    assert missed in check(text.replace(taken, ""))
