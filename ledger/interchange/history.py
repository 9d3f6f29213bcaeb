"""The history of a file in git, as the record of what was known when.

Each version is imported as of the moment it was committed, so that replaying a date shows what the
file had said by then; what a later version changed or left out stays beside it, or is struck out
if that is asked for. It is a migration: the log must be empty or end before the first commit, and
every entry is marked for good, by the tool `git` and the commit as its correlation.
"""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import itertools
import os
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from ledger.appending import utc_now
from ledger.errors import InvalidImport
from ledger.interchange.account import Imported
from ledger.interchange.importing import import_file, write_refusal
from ledger.interchange.lines import Line
from ledger.interchange.outcomes import Outcome
from ledger.interchange.shelf import without_claims
from ledger.interchange.vanished import Rows, Standing, strike_out
from ledger.ledger import Ledger
from ledger.model.text import show

TOOL: Final = "git"
"""The tool that the recorder of every entry names."""

_READING: Final[tuple[str, ...]] = ("format", "mapping", "bounds", "bring_back", "through")
"""The options of an import that say how a file is read, and not who is told."""

_UNREADABLE: Final = "version"
"""The unit of an account of a version that could not be read at all."""

_A_FILE: Final = b"100"
"""How git's mode of a file begins; that of a folder, a link or another repository does not."""

_Commit = tuple[str, dt.datetime]


@attrs.frozen(kw_only=True)
class Version:
    """A file as one commit left it; `committed` is the committer's time, in UTC."""

    commit: str
    committed: dt.datetime
    raw: bytes = attrs.field(repr=False)


def import_history(
    ledger: Ledger, path: Path, *, strike_out_vanished: bool = False, **options: Any
) -> Iterator[tuple[Version, Imported]]:
    """Import each version of a file as of its commit; the options are those of `import_file`.

    With `strike_out_vanished` what the next version does not hold any more is struck out as of
    that, but for parties and what else others may name: in a register, what is gone was wrong or
    is over. Where a claim, a membership or a relation of a version is refused, or a row cannot be
    read, nothing is struck out by it, unless it was refused word for word in all that came before.
    A version that cannot be read at all, or holds no record, strikes nothing out either.

    A history whose import was interrupted, or that has grown since, goes on at the version that
    came last. A commit whose time is before another's that precedes it is known as of that one.

    Raises:
        InvalidImport: the log ends after the first commit, with something else than this history;
            or there is no commit, or one of a time that is to come; or a dry run was asked for; or
            the file is in no git repository, or git is not installed.
    """
    if options.get("dry_run"):
        raise InvalidImport(
            "A history cannot be a dry run: each version is checked against the one before, which "
            "is in no ledger then. Import it into a ledger in a new file, and look at that.",
            field="dry_run",
            given=True,
        )
    path = Path(os.path.realpath(path))  # a link that leads to itself is left to git to refuse
    commits = _commits(path)
    _check_past(commits)
    latest = itertools.accumulate((committed for _, committed in commits), max)
    known = {commit: time for (commit, _), time in zip(commits, latest, strict=True)}
    options["bring_back"] = strike_out_vanished  # a row may vanish and return
    with without_claims(ledger.appender.folded) as options["through"]:
        way = _Way(ledger, path, options, known)
        left = way.left(commits)
        there = commits[: len(commits) - len(left)]  # the first that is left may be half there
        standing = way.standing(there) if strike_out_vanished else Standing()
        for commit, committed in left:
            version, rows = _version(path, commit, committed), Rows()
            account = way.enter(version, rows)
            if strike_out_vanished:
                account = way.without_what_vanished(version, rows, account, standing)
            yield version, account


@attrs.frozen
class _Way:
    """How the versions of one file are imported."""

    ledger: Ledger
    path: Path
    options: Mapping[str, Any]
    known: Mapping[str, dt.datetime]

    def left(self, commits: Sequence[_Commit]) -> Sequence[_Commit]:
        """The commits that are not in the ledger yet, and the last one that is: it may be half."""
        if not commits:
            raise InvalidImport(
                f"git holds no version of {show(self.path.name)}. Commit it first, or import it "
                "without its history.",
                field="file",
                given=str(self.path),
            )
        with self.ledger.as_of().facts() as facts:
            last = facts.stored[facts.at[-1]] if facts.at else None
        if last is None:
            return commits
        names = [name for name, _ in commits]
        ours = last.correlation if last.recorder.tool == TOOL else None
        left = commits[names.index(ours) :] if ours in names else ()
        if left and self._is_there(*left[0]):
            return left
        commit, committed = commits[0]
        if last.recorded <= committed:
            return commits
        other = ", with the history of another file" if left else ""
        raise InvalidImport(
            f"The log ends at {last.recorded:%Y-%m-%d %H:%M:%S} UTC{other}, commit {commit[:10]} "
            f"of {show(self.path.name)} is of {committed:%Y-%m-%d %H:%M:%S}. Import the history "
            "into an empty ledger.",
            field="file",
            given=commit,
        )

    def _is_there(self, commit: str, committed: dt.datetime) -> bool:
        """Whether a version is what was entered as of its commit: one commit has several files."""
        account = self._read(_version(self.path, commit, committed), Rows(), dry_run=True)
        return bool(account.skipped or not account.accepted)

    def standing(self, there: Sequence[_Commit]) -> Standing:
        """What the versions hold that were imported before, by going through them once more."""

        def through(commits: Iterable[_Commit]) -> tuple[Standing, Rows]:
            standing, rows = Standing(), Rows()
            for commit, committed in commits:
                rows = Rows()
                version = _version(self.path, commit, committed)
                if not self._why_not_told(self._read(version, rows, dry_run=True), rows):
                    standing.gone(rows)
            return standing, rows

        found, last = through(there[-1:])
        return found if last.ids and not last.turned_down else through(there)[0]

    def without_what_vanished(
        self, version: Version, rows: Rows, account: Imported, standing: Standing
    ) -> Imported:
        """Strike out what stood before and a version does not hold; the account with that."""
        why = self._why_not_told(account, rows)
        gone, why = ((), why) if why else standing.gone(rows)
        many = self._strike_out(version, gone)
        account = attrs.evolve(account, struck_out=many, not_struck_out=why)
        if not (many and rows.turned_down):
            return account
        rows = Rows()  # perhaps something was refused for what is gone now
        again = self._read(version, rows)
        standing.gone(rows)
        return attrs.evolve(
            account,
            accepted=account.accepted + again.accepted,
            refused=again.refused,
            refusals=again.refusals,
        )

    def _why_not_told(self, account: Imported, rows: Rows) -> str:
        """Why a version does not say what stands; nothing where it does."""
        if account.unit == _UNREADABLE:
            return "the version cannot be read"
        if not rows.ids and not rows.turned_down:
            return "the version holds no record"
        undone = self.options.get("all_or_nothing") and account.refused
        return "nothing of the version was recorded" if undone else ""

    def _read(self, version: Version, rows: Rows, **more: Any) -> Imported:
        """Import a version in silence, or look what would come of it."""
        silent = {name: self.options[name] for name in _READING if name in self.options}
        return attrs.evolve(self, options={**silent, **more}).enter(version, rows)

    def enter(self, version: Version, rows: Rows) -> Imported:
        """Import a version; one that cannot be read at all is refused, and others go on."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / self.path.name
            file.write_bytes(version.raw)
            if self.path.suffix == ".ann":
                with contextlib.suppress(InvalidImport):  # there was none in that commit
                    text = _shown(self.path.with_suffix(".txt"), version.commit)
                    file.with_suffix(".txt").write_bytes(text)
            try:
                with self.ledger.tagged(correlation=version.commit):
                    then = self._as_of(version)
                    return import_file(then, file, witness=rows, **self.options)
            except InvalidImport as error:
                told = InvalidImport(
                    f"In the version of commit {version.commit[:10]}: {error.message}",
                    field=error.field,
                    given=error.given,
                )
                unknown = error.field == "format" and not self.options.get("format")
                if error.field == "file" or unknown:
                    return self._refused(version, told)
                raise told from error

    def _refused(self, version: Version, error: InvalidImport) -> Imported:
        """The account of a version of which nothing could be read."""
        line = Line(number=0, raw=version.raw, at=self.path.name)
        why = Outcome(line=0, at=line.at, verdict="refused", reason=error.message)
        if (tell := self.options.get("tell")) is not None:
            tell(why)
        if (report := self.options.get("report")) is not None:
            write_refusal(report, self.path.name, why, line)
        return Imported(file=self.path.name, unit=_UNREADABLE, lines=1, refused=1, refusals=(why,))

    def _strike_out(self, version: Version, gone: Collection[str]) -> int:
        reason = f"not in {self.path.name} any more, by commit {version.commit[:10]}"
        with self.ledger.tagged(correlation=version.commit):
            return strike_out(self._as_of(version).appender, gone, reason=reason)

    def _as_of(self, version: Version) -> Ledger:
        """The same ledger, entering at the time from which on a version is known."""
        then = copy.copy(self.ledger)
        then.appender = attrs.evolve(
            self.ledger.appender,
            clock=lambda: self.known[version.commit],
            recorder=attrs.evolve(self.ledger.appender.recorder, tool=TOOL),
        )
        return then


def _commits(path: Path) -> list[_Commit]:
    """The commits of the first-parent line that left a version of a file, oldest first."""
    folder, name = path.parent, path.name
    if path.is_dir():
        raise InvalidImport(
            f"{show(name)} is a folder, and a history is that of one file. Give one of the files "
            "in it.",
            field="file",
            given=str(path),
        )
    shown = ("--first-parent", "--reverse", "--no-show-signature", "--format=%H %ct")
    listed = _git(folder, "log", *shown, "--", name)
    found: list[_Commit] = []
    for line in listed.decode().splitlines():
        commit, seconds = line.split()
        if _git(folder, "ls-tree", commit, "--", name).startswith(_A_FILE):  # else it is gone
            found.append((commit, _moment(commit, int(seconds))))
    _check_whole(folder, name, found[:1])
    return found


def _check_whole(folder: Path, name: str, first: Sequence[_Commit]) -> None:
    """Refuse a history whose first commit is only where a shallow clone was cut off."""
    shallow = folder / _git(folder, "rev-parse", "--git-path", "shallow").decode().strip()
    cut = shallow.read_text().split() if shallow.is_file() else ()
    for commit, _ in first:
        if commit in cut:
            raise InvalidImport(
                f"The repository is a shallow clone, cut off at commit {commit[:10]}: what "
                f"{show(name)} was before is not in it. Fetch the rest: git fetch --unshallow.",
                field="file",
                given=commit,
            )


def _check_past(commits: Sequence[_Commit]) -> None:
    """Refuse a commit of a time to come: all that is ever recorded behind it would be of then."""
    now = utc_now()
    for commit, committed in commits:
        if committed > now:
            raise InvalidImport(
                f"Commit {commit[:10]} is dated {committed:%Y-%m-%d %H:%M:%S} UTC, and it is "
                f"{now:%Y-%m-%d %H:%M:%S} UTC now. Date it anew: "
                "GIT_COMMITTER_DATE=now git commit --amend --no-edit, or in a rebase.",
                field="file",
                given=commit,
            )


def _moment(commit: str, seconds: int) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidImport(
            f"Commit {commit[:10]} is dated {seconds:,} seconds after 1970, behind the last year "
            "that the ledger can write. Give it another date.",
            field="file",
            given=commit,
        ) from error


def _version(path: Path, commit: str, committed: dt.datetime) -> Version:
    return Version(commit=commit, committed=committed, raw=_shown(path, commit))


def _shown(path: Path, commit: str) -> bytes:
    return _git(path.parent, "show", f"{commit}:./{path.name}")


def _git(folder: Path, *words: str) -> bytes:
    try:
        return subprocess.run(  # noqa: S603 - the words are ours, the file's name an argument
            ["git", "-C", str(folder), "--literal-pathspecs", *words],  # noqa: S607 - whichever git the user has
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
