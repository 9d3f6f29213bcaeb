"""Histories of several files in one repository, of several versions at one moment, of many."""

from __future__ import annotations

import datetime as dt
import subprocess

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party, Proposition
from ledger.errors import InvalidImport
from ledger.interchange import import_file
from ledger.interchange.history import import_history
from ledger.store import schema

ROWS = "id,claimant,act,proposition\n"


def versions(path):
    with Ledger.open(":memory:") as ledger:
        return [version for version, _ in import_history(ledger, path)]


class Repository:
    """A folder under git; `commit` writes files and commits them at a moment."""

    def __init__(self, folder):
        self.folder = folder
        self._git("init", "-q")

    def commit(self, at, **tables):
        for name, claims in tables.items():
            rows = "".join(f"{id_},ada,assert,bill\n" for id_ in claims.split())
            (self.folder / f"{name}.csv").write_text(ROWS + rows)
        self._git("add", ".")
        self._git("commit", "-q", "-m", "votes", at=at)

    def commit_text(self, at, table, text):
        table.write_text(text)
        self._git("add", table.name)
        self._git("commit", "-q", "-m", "votes", at=at)

    def put_in_place_of(self, table, other):
        """Commit a folder, a link or another repository under the name of a table."""
        (self.folder / table).unlink()
        if other == "folder":
            (self.folder / table).mkdir()
            (self.folder / table / "rows").write_text(ROWS)
            self._git("add", table)
        elif other == "link":
            (self.folder / table).symlink_to("elsewhere.csv")
            self._git("add", table)
        else:
            self._git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{table}")
        self._git("commit", "-q", "-m", "no table", at="2022-02-10T00:00:00Z")
        self._git("rm", "-rq", "--cached", table)
        if other == "folder":
            (self.folder / table / "rows").unlink()
            (self.folder / table).rmdir()
        elif other == "link":
            (self.folder / table).unlink()

    def set(self, name, value):
        self._git("config", name, value)

    def sign(self):
        """Put a signature, of nobody's, into the last commit."""
        told = self._git("cat-file", "commit", "HEAD").decode()
        signature = "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n"
        signed = told.replace("\n\n", f"\n{signature}\n", 1).encode()
        commit = self._git("hash-object", "-t", "commit", "-w", "--stdin", given=signed)
        self._git("update-ref", "HEAD", commit.decode().strip())

    def cloned(self, folder, *words):
        self._git("clone", "-q", *words, f"file://{self.folder}", str(folder))
        return folder

    def _git(self, *words, at="2022-01-01T00:00:00Z", given=None):
        named = ["-c", "user.name=A desk", "-c", "user.email=desk@example.org"]
        env = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at, "PATH": "/usr/bin:/bin"}
        command = ["git", *named, *words]
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, env=env, input=given
        ).stdout


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder)


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", clock=lambda: dt.datetime(2022, 1, 1, tzinfo=dt.UTC)) as opened:
        opened.register(Party("ada", name="Ada"))
        opened.register(Proposition("bill", text="The bill is good"))
        yield opened


def claims(ledger, known=None):
    return {row.id for row in ledger.as_of(known=known).claims()}


def test_what_was_committed_within_a_second_is_entered_once(ledger, repository):
    for told in ("c1 c2", "c1", "c1 c3"):  # as a rebase dates them
        repository.commit("2022-02-01T00:00:00Z", votes=told)
    table = repository.folder / "votes.csv"
    struck = [one.struck_out for _, one in import_history(ledger, table, strike_out_vanished=True)]
    size = ledger.checkpoint().size
    again = [one.accepted for _, one in import_history(ledger, table, strike_out_vanished=True)]
    assert (struck, again) == ([0, 1, 0], [0])
    assert (ledger.checkpoint().size, claims(ledger)) == (size, {"c1", "c3"})


@pytest.mark.parametrize("strike_out", [False, True])
def test_a_history_does_not_go_on_where_that_of_another_file_ended(ledger, repository, strike_out):
    repository.commit("2022-02-01T00:00:00Z", votes="c1", speeches="c2")
    repository.commit("2022-03-01T00:00:00Z", votes="c1 c3", speeches="c4")
    votes, speeches = (repository.folder / f"{name}.csv" for name in ("votes", "speeches"))
    list(import_history(ledger, votes))
    with pytest.raises(InvalidImport, match="with the history of another file"):
        list(import_history(ledger, speeches, strike_out_vanished=strike_out))
    assert claims(ledger) == {"c1", "c3"}
    assert [one.skipped for _, one in import_history(ledger, votes)] == [2]


def test_the_histories_of_two_files_that_came_with_one_commit_are_taken_together(
    ledger, repository
):
    repository.commit("2022-02-01T00:00:00Z", votes="c1", speeches="c2")
    for name in ("votes", "speeches"):
        list(import_history(ledger, repository.folder / f"{name}.csv"))
    assert claims(ledger) == {"c1", "c2"}


def test_what_was_entered_by_hand_under_the_name_of_a_commit_is_no_history(repository):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    table = repository.folder / "votes.csv"
    (only,) = versions(table)
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("ada", name="Ada"))
        ledger.register(Proposition("bill", text="The bill is good"))
        with ledger.tagged(correlation=only.commit):
            import_file(ledger, table)
        with pytest.raises(InvalidImport, match="Import the history into an empty ledger"):
            list(import_history(ledger, table))


def test_a_history_goes_on_in_the_midst_of_a_version(ledger, repository, monkeypatch):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    repository.commit("2022-03-01T00:00:00Z", votes="c1 c2 c3")
    table = repository.folder / "votes.csv"

    def stop_at_c2(outcome):
        if outcome.id == "c2":
            raise KeyboardInterrupt

    monkeypatch.setattr("ledger.interchange.importing.BATCH_LINES", 1)
    with pytest.raises(KeyboardInterrupt):
        list(import_history(ledger, table, tell=stop_at_c2))
    assert claims(ledger) == {"c1", "c2"}
    ((_, account),) = import_history(ledger, table)
    assert (account.skipped, account.accepted) == (2, 1)
    assert claims(ledger) == {"c1", "c2", "c3"}


def test_a_history_goes_on_behind_a_version_of_which_nothing_was_accepted(ledger, repository):
    """What it struck out is of it, and so the log ends with it."""
    table = repository.folder / "votes.csv"
    no_claim, told = "c0,ada,assrt,bill\n", []
    for at, rows in (("02", "c1,ada,assert,bill\n"), ("03", ""), ("04", "c2,ada,assert,bill\n")):
        repository.commit_text(f"2022-{at}-01T00:00:00Z", table, ROWS + no_claim + rows)
        told = [one for _, one in import_history(ledger, table, strike_out_vanished=True)]
        assert told[-1].refused == 1
    assert [(one.accepted, one.struck_out) for one in told] == [(0, 0), (1, 0)]
    assert claims(ledger, known="2022-03-02") == set()
    assert claims(ledger) == {"c2"}


def test_a_folder_has_no_history(repository):
    (repository.folder / "articles").mkdir()
    with pytest.raises(InvalidImport, match="'articles' is a folder"):
        versions(repository.folder / "articles")


def test_a_commit_behind_the_last_year_is_told(repository):
    repository.commit("@253402300800 +0000", votes="c1")
    with pytest.raises(InvalidImport, match=r"is dated 253,402,300,800 seconds after 1970"):
        versions(repository.folder / "votes.csv")


def test_a_version_asks_no_more_of_the_log_for_all_that_came_before(repository, tmp_path):
    for day in range(1, 25):
        repository.commit(f"2022-02-{day:02}T00:00:00Z", votes=f"c{day}")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'claims.db'}")
    schema.upgrade(engine)
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    ledger = Ledger(engine, clock=lambda: dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    ledger.register_all([Party("ada", name="Ada"), Proposition("bill", text="The bill is good")])
    counts = []
    for _ in import_history(ledger, repository.folder / "votes.csv", strike_out_vanished=True):
        counts.append(len(asked))
        asked.clear()
    assert counts[-1] <= counts[4]
    engine.dispose()


def test_a_shallow_clone_that_was_cut_off_behind_a_version_is_told(repository, tmp_path):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    repository.commit("2022-03-01T00:00:00Z", votes="c1 c2")
    cut = repository.cloned(tmp_path / "cut", "--depth", "1")
    with pytest.raises(InvalidImport, match="git fetch --unshallow"):
        versions(cut / "votes.csv")
    whole = repository.cloned(tmp_path / "whole")
    assert len(versions(whole / "votes.csv")) == 2


def test_a_file_that_is_younger_than_the_cut_of_a_clone_has_its_history(repository, tmp_path):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    repository.commit("2022-03-01T00:00:00Z", votes="c1 c3")
    repository.commit("2022-03-02T00:00:00Z", speeches="c2")
    cut = repository.cloned(tmp_path / "cut", "--depth", "2")
    assert len(versions(cut / "speeches.csv")) == 1


@pytest.mark.parametrize("other", ["folder", "link", "repository"])
def test_what_is_no_file_is_no_version_of_one(ledger, repository, other):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    repository.put_in_place_of("votes.csv", other)
    repository.commit("2022-03-01T00:00:00Z", votes="c1 c2")
    told = [
        (version.committed.month, account.accepted, account.refused)
        for version, account in import_history(ledger, repository.folder / "votes.csv")
    ]
    assert told == [(2, 1, 0), (3, 1, 0)]


def test_a_link_has_the_history_of_the_file_that_it_leads_to(ledger, repository, tmp_path):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    link = tmp_path / "link.csv"
    link.symlink_to(repository.folder / "votes.csv")
    assert [account.accepted for _, account in import_history(ledger, link)] == [1]
    assert len(versions(link)) == 1


def test_a_commit_of_a_time_to_come_is_told_and_nothing_is_recorded(ledger, repository):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    repository.commit("2098-03-01T00:00:00Z", votes="c1 c2")
    with pytest.raises(InvalidImport, match=r"is dated 2098-03-01 .* Date it anew"):
        list(import_history(ledger, repository.folder / "votes.csv"))
    assert not claims(ledger)


def test_a_version_is_not_known_before_those_that_it_follows(ledger, repository):
    repository.commit("2022-02-01T00:00:00Z", votes="c1 c2")
    repository.commit("2022-02-20T00:00:00Z", votes="c2")  # in which nothing is new
    repository.commit("2022-02-10T00:00:00Z", votes="c2 c3")
    told = [one.committed.day for one, _ in import_history(ledger, repository.folder / "votes.csv")]
    assert told == [1, 20, 10]
    assert claims(ledger, "2022-02-19") == {"c1", "c2"}
    assert claims(ledger, "2022-02-20") == {"c1", "c2", "c3"}


def test_a_git_that_shows_signatures_tells_the_same_history(repository):
    repository.commit("2022-02-01T00:00:00Z", votes="c1")
    repository.sign()
    repository.set("log.showSignature", "true")
    assert len(versions(repository.folder / "votes.csv")) == 1


def test_what_was_struck_out_by_hand_stays_so_by_a_history_that_strikes_nothing_out(
    ledger, repository
):
    ledger.record(id="c1", claimant="ada", act="assert", proposition="bill")
    ledger.amend("c1", strike_out=True, reason="she never said so")
    repository.commit("2022-02-01T00:00:00Z", votes="c1 c2")
    list(import_history(ledger, repository.folder / "votes.csv"))
    assert claims(ledger) == {"c2"}
