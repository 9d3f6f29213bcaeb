"""The commands put together, and what happens when one is refused."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from cyclopts import App, CycloptsError
from cyclopts.exceptions import (
    MissingArgumentError,
    UnknownCommandError,
    UnusedCliTokensError,
)

from ledger.cli.options import ASK, CHECK, ENTER, UNDO
from ledger.cli.output import unbreakable, warn
from ledger.cli.spoken import spoken
from ledger.errors import LedgerError
from ledger.model.text import show

_STATUS_OF_USAGE = 2
_LONG = re.compile(r'"([^"]{60})[^"]{20,}"')

_PLACES: Final = (
    (ENTER, "entering", "party_app topic_app proposition_app occurrence_app document_app"),
    (ENTER, "entering", "name member relate"),
    (ENTER, "acts", "record"),
    (ENTER, "importing", "import_"),
    (UNDO, "acts", "withdraw correct amend"),
    (UNDO, "entering", "merge"),
    (UNDO, "erasing", "erase"),
    (ASK, "asking", "position positions timeline claims trace"),
    (ASK, "asking", "contradictions divergences replay diff"),
    (ASK, "reasons", "explain perspectives silences"),
    (CHECK, "schema", "init schema_app"),
    (CHECK, "auditing", "log verify demo"),
    (CHECK, "attesting", "checkpoint prove bundle key_app"),
    (CHECK, "exporting", "export_ restore"),
    (CHECK, "erasing", "vacuum"),
    (CHECK, "asking", "check_quotes"),
    (CHECK, "indexing", "index"),
)
"""The group in the help, the module, and what it calls its commands."""
_COMMANDS: Final = {
    attribute.removesuffix("_app").strip("_").replace("_", "-"): (module, attribute, group)
    for group, module, attributes in _PLACES
    for attribute in attributes.split()
}


def assembled(argv: Sequence[str] = ()) -> App:
    """The commands, with help for a terminal or for a plain file.

    Where `argv` begins with the name of one, that one alone: to load them all takes as long as to
    load the ledger.
    """
    app = App(
        name="claims",
        help="A ledger of who claimed what, when, on whose behalf, and in which document.",
        version=_version,
        suppress_keyboard_interrupt=False,
        help_formatter="default" if sys.stdout.isatty() else "plain",
    )
    wanted: Iterable[str] = argv[:1] if argv and argv[0] in _COMMANDS else _COMMANDS
    for name in wanted:
        module, attribute, group = _COMMANDS[name]
        command = getattr(importlib.import_module(f"ledger.cli.{module}"), attribute)
        if isinstance(command, App):
            app.command(command)
        else:
            app.command(command, name=name, group=group)
    return app


def _version() -> str:
    try:
        return importlib.metadata.version("claimledger")
    except importlib.metadata.PackageNotFoundError:  # a checkout that was never installed
        return "unknown"


def run(argv: Sequence[str]) -> int:
    """Run one command and give its exit status; a refusal is one sentence on standard error."""
    unbreakable()
    try:
        done = assembled(argv)(
            argv, exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except LedgerError as error:
        warn(f"claims: {spoken(str(error))}")
        return 1
    except CycloptsError as error:
        warn(f"claims: {_wrong(error)} Type: {_help(error)}")
        return _STATUS_OF_USAGE
    except BrokenPipeError:  # whoever read us has seen enough
        _let_go_of_output()
        return 0
    except SystemExit as error:  # what rich makes of that, for the help
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return 0
    except OSError as error:
        warn(f"claims: {_unwritten(error)}")
        return 1
    return done if isinstance(done, int) else 0


def _let_go_of_output() -> None:
    """What is still buffered is not tried again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritten(error: OSError) -> str:
    """What could not be written: a file of its own, or what we print."""
    if error.filename:
        return f"{error.filename} cannot be written: {error.strerror}. Type another path."
    _let_go_of_output()
    return f"The output cannot be written: {error.strerror}. What was recorded stays."


def _wrong(error: CycloptsError) -> str:
    """What is wrong with the command line."""
    if isinstance(error, MissingArgumentError) and error.argument and not error.keyword:
        return f"{error.argument.name} is missing."
    if isinstance(error, UnusedCliTokensError):
        return f"Too much was typed: {', '.join(map(show, error.unused_tokens or ()))}."
    token = (error.unused_tokens or ("",))[0]
    if isinstance(error, UnknownCommandError) and token.startswith("-"):
        behind = "comes behind its command: claims verify --db claims.db"
        return f"An option such as {show(token)} {behind}."
    return _LONG.sub(r'"\1..."', str(error))


def _help(error: CycloptsError) -> str:
    return " ".join(("claims", *(error.command_chain or ()), "--help"))
