"""`claims import --history`: a file of git, version by version."""

from __future__ import annotations

import json
import subprocess

import pytest


@pytest.fixture
def parties(tmp_path):
    """A file of parties that was committed twice."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*words, at="2022-01-01T00:00:00Z"):
        named = ["-c", "user.name=A desk", "-c", "user.email=desk@example.org"]
        env = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at, "PATH": "/usr/bin:/bin"}
        subprocess.run(
            ["git", *named, *words], cwd=folder, check=True, capture_output=True, env=env
        )

    git("init", "-q")
    file = folder / "parties.jsonl"
    lines = ""
    for day, name in (("2022-09-09T15:46:36Z", "Ada"), ("2022-10-20T17:11:24Z", "Bea")):
        lines += json.dumps({"type": "party", "id": name.lower(), "name": name}) + "\n"
        file.write_text(lines)
        git("add", "parties.jsonl")
        git("commit", "-q", "-m", name, at=day)
    return file


def test_each_version_is_a_line_and_known_from_its_commit_on(good, parties):
    good("init")
    first, second = good("import", str(parties), "--history").out.splitlines()
    assert first.startswith("2022-09-09 15:46Z ")
    assert first.endswith("1 line: 1 accepted (0 with a warning), 0 refused, 0 skipped")
    assert "2 lines: 1 accepted" in second
    told = [line.split(" by ")[0] for line in good("log").out.splitlines()]
    assert told == [
        "#0 2022-09-09 15:46:36Z party_registered ada",
        "#1 2022-10-20 17:11:24Z party_registered bea",
    ]


def test_a_dry_run_of_a_history_is_refused(good, refused, parties):
    good("init")
    assert "cannot be a dry run" in refused("import", str(parties), "--history", "--dry-run")


def test_a_file_without_a_history_is_refused(good, refused, tmp_path):
    good("init")
    file = tmp_path / "alone.jsonl"
    file.write_text("{}\n")
    assert "git cannot tell the history" in refused("import", str(file), "--history")
