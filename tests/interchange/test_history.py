from __future__ import annotations

import datetime as dt
import itertools
import subprocess

import pytest

from ledger import Ledger, Party, Proposition
from ledger.errors import InvalidImport
from ledger.interchange.history import import_history, versions

ROWS = "claimant,act,proposition,stance\n"


def _git(folder, *words, at="2022-01-01T00:00:00Z"):
    named = ["-c", "user.name=A desk", "-c", "user.email=desk@example.org"]
    env = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at, "PATH": "/usr/bin:/bin"}
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True, env=env)


def _commit(table, text, at):
    table.write_bytes(text.encode())
    _git(table.parent, "add", table.name)
    _git(table.parent, "commit", "-q", "-m", "votes", at=at)


@pytest.fixture
def history(tmp_path):
    """A table that was committed three times, the last time without a change of its cells."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "-q")
    table = folder / "votes.csv"
    for day, text in (
        ("2022-09-09T15:46:36Z", ROWS + "ada,assert,bill,supports\n"),
        ("2022-10-20T17:11:24Z", ROWS + "ada,assert,bill,opposes\n"),
        ("2022-12-19T20:55:15Z", ROWS + "ada,assert,bill,opposes\r\n"),
    ):
        _commit(table, text, day)
    return table


@pytest.fixture
def ledger():
    now = [dt.datetime(2022, 1, 1, tzinfo=dt.UTC)]
    with Ledger.open(":memory:", clock=lambda: now[0]) as opened:
        opened.register(Party("ada", name="Ada"))
        opened.register(Proposition("bill", text="The bill is good"))
        now[0] = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        yield opened


def test_each_version_is_known_from_its_commit_on(ledger, history):
    accounts = [account for _, account in import_history(ledger, history)]
    assert [(one.accepted, one.skipped) for one in accounts] == [(1, 0), (1, 0), (0, 1)]
    for known, stances in (
        ("2022-09-09T15:46:35Z", set()),
        ("2022-09-09T15:46:36Z", {"supports"}),
        ("2022-10-20T17:11:24Z", {"supports", "opposes"}),
    ):
        assert {row.stance for row in ledger.as_of(known=known).claims()} == stances
    last = list(ledger.events())[-1]
    assert last.recorder.tool == "git"
    assert last.correlation == list(versions(history))[1].commit
    ledger.verify()


def test_a_log_that_ends_later_takes_no_history(ledger, history):
    ledger.register(Party("bea", name="Bea"))
    with pytest.raises(InvalidImport, match="Import the history into an empty ledger"):
        list(import_history(ledger, history))


def test_a_history_that_was_interrupted_goes_on_and_adds_nothing_twice(ledger, history):
    assert len(list(itertools.islice(import_history(ledger, history), 2))) == 2
    counts = [(one.accepted, one.skipped) for _, one in import_history(ledger, history)]
    assert counts == [(0, 1), (0, 1)]
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2023-02-01T00:00:00Z")
    counts = [(one.accepted, one.skipped) for _, one in import_history(ledger, history)]
    assert counts == [(0, 1), (0, 1), (1, 0)]


def test_a_commit_dated_before_the_one_it_follows_is_known_as_of_that_one(ledger, history):
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2022-09-10T00:00:00Z")
    assert [one.accepted for _, one in import_history(ledger, history)] == [1, 1, 0, 1]
    *_, before, last = ledger.events()
    assert last.recorded >= before.recorded
    assert (last.event.act, f"{last.recorded:%Y-%m-%d}") == ("deny", "2022-10-20")


def test_a_file_that_was_never_committed_is_told(ledger, history):
    alone = history.with_name("alone.csv")
    alone.write_text(ROWS)
    with pytest.raises(InvalidImport, match=r"git holds no version of 'alone\.csv'"):
        list(import_history(ledger, alone))


def test_a_file_outside_of_any_repository_has_no_history(tmp_path):
    with pytest.raises(InvalidImport, match="git repository"):
        list(versions(tmp_path / "votes.csv"))
