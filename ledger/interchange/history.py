"""The history of a file in git, as the record of what was known when.

Each version is imported as of the moment it was committed, so that replaying a date shows what the
file said then. It is a migration: the log must be empty or end before the first commit, and every
entry is marked for good, by the tool `git` and the commit as its correlation.
"""

from __future__ import annotations

import copy
import datetime as dt
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.importing import Imported, import_file
from ledger.ledger import Ledger
from ledger.model.text import show


@attrs.frozen(kw_only=True)
class Version:
    """A file as one commit left it; `committed` is the committer's time, in UTC."""

    commit: str
    committed: dt.datetime
    raw: bytes = attrs.field(repr=False)


def versions(path: Path) -> Iterator[Version]:
    """The versions of a file on the first-parent line of its repository, oldest first.

    Raises:
        InvalidImport: the file is in no git repository, or git is not installed.
    """
    folder, name = path.resolve().parent, path.name
    listed = _git(folder, "log", "--first-parent", "--reverse", "--format=%H %ct", "--", name)
    for line in listed.decode().splitlines():
        commit, seconds = line.split()
        there = _git(folder, "ls-tree", "--name-only", commit, "--", name)
        if there:  # else the commit took the file away
            yield Version(
                commit=commit,
                committed=dt.datetime.fromtimestamp(int(seconds), dt.UTC),
                raw=_git(folder, "show", f"{commit}:./{name}"),
            )


def import_history(
    ledger: Ledger, path: Path, **options: Any
) -> Iterator[tuple[Version, Imported]]:
    """Import each version of a file as of its commit; the options are those of `import_file`.

    Raises:
        InvalidImport: the log ends after a commit: record times never run backwards.
    """
    for version in versions(path):
        with ledger.as_of().facts() as facts:
            last = facts.last_recorded
        if last is not None and last > version.committed:
            raise InvalidImport(
                f"The log ends at {last:%Y-%m-%d %H:%M:%S} UTC, commit {version.commit[:10]} of "
                f"{show(path.name)} is of {version.committed:%Y-%m-%d %H:%M:%S}. Import the "
                "history into an empty ledger.",
                field="file",
                given=version.commit,
            )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path.name
            file.write_bytes(version.raw)
            with ledger.tagged(correlation=version.commit):
                yield version, import_file(_as_of(ledger, version), file, **options)


def _as_of(ledger: Ledger, version: Version) -> Ledger:
    """The same ledger, entering at the time of a commit."""
    then = copy.copy(ledger)
    then.appender = attrs.evolve(
        ledger.appender,
        clock=lambda: version.committed,
        recorder=attrs.evolve(ledger.appender.recorder, tool="git"),
    )
    return then


def _git(folder: Path, *words: str) -> bytes:
    try:
        return subprocess.run(  # noqa: S603 - the words are ours, the file's name an argument
            ["git", "-C", str(folder), *words],  # noqa: S607 - whichever git the user has
            check=True,
            capture_output=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", b"").decode("utf-8", "replace").strip() or str(error)
        raise InvalidImport(
            f"git cannot tell the history in {show(str(folder), 200)}: {told}. Give a file of a "
            "git repository.",
            field="file",
            given=str(folder),
        ) from error
