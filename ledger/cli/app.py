"""The commands put together, and what happens when one is refused."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from ledger.cli import acts, asking, auditing, entering, importing
from ledger.cli.output import safe, unbreakable, warn
from ledger.errors import LedgerError

_STATUS_OF_USAGE = 2
_STATUS_OF_INTERRUPT = 130


def assembled() -> App:
    """The commands, with help for a terminal or for a plain file."""
    app = App(
        name="claims",
        help="A ledger of who claimed what, when, through whom, and where it is written.",
        version=_version,
        help_formatter="default" if sys.stdout.isatty() else "plain",
    )
    for group in (
        *(entering.party_app, entering.document_app, entering.topic_app),
        *(entering.proposition_app, entering.occurrence_app, auditing.schema_app),
    ):
        app.command(group)
    for command in (
        *(auditing.demo, auditing.init),
        *(entering.name, entering.member),
        *(acts.record, acts.withdraw, acts.correct, acts.amend, entering.relate),
        *(asking.position, asking.positions, asking.timeline, asking.claims, asking.trace),
        *(asking.contradictions, asking.divergences, asking.replay, asking.diff),
        *(auditing.log, auditing.verify, auditing.checkpoint),
    ):
        app.command(command)
    app.command(importing.import_, name="import")
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
        done = assembled()(
            argv, exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except LedgerError as error:
        warn(f"claims: {error}")
        return 1
    except CycloptsError as error:
        warn(f"claims: {_one_line(str(error))} Type: claims --help")
        return _STATUS_OF_USAGE
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _STATUS_OF_INTERRUPT
    return done if isinstance(done, int) else 0


def _one_line(text: str) -> str:
    return safe(" ".join(text.split()))
