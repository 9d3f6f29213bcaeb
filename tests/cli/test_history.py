"""`claims import --history`: a file of git, version by version."""

from __future__ import annotations

import json
import subprocess

import pytest


@pytest.fixture
def parties(tmp_path):
    """A file of parties that was committed twice."""
    return committed(
        tmp_path,
        ("2022-09-09T15:46:36Z", [party("ada")]),
        ("2022-10-20T17:11:24Z", [party("ada"), party("bea")]),
    )


def party(id_):
    return {"type": "party", "id": id_, "name": id_.title()}


def committed(tmp_path, *versions):
    """A file of JSON Lines with a history."""
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
    for day, records in versions:
        file.write_text("".join(json.dumps(one) + "\n" for one in records))
        git("add", "parties.jsonl")
        git("commit", "-q", "-m", day, at=day)
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


def test_a_link_that_leads_to_itself_is_refused(good, refused, tmp_path):
    good("init")
    (tmp_path / "loop").symlink_to("loop")
    assert "git" in refused("import", "loop", "--history")


def test_a_file_without_a_history_is_refused(good, refused, tmp_path):
    good("init")
    file = tmp_path / "alone.jsonl"
    file.write_text("{}\n")
    assert "git cannot tell the history" in refused("import", str(file), "--history")


def test_what_vanished_is_struck_out_where_that_is_asked_for(good, tmp_path):
    seat = {"type": "membership", "member": "ada", "organisation": "bea"}
    nouns = [party("ada"), party("bea")]
    file = committed(
        tmp_path, ("2022-09-09T15:46:36Z", [*nouns, seat]), ("2022-10-20T17:11:24Z", nouns)
    )
    good("init")
    lines = good("import", str(file), "--history", "--strike-out-vanished").out.splitlines()
    assert [line.endswith(", 1 struck out") for line in lines] == [False, True]
    assert good("log").out.splitlines()[-1].startswith("#3 2022-10-20 17:11:24Z record_amended")


def test_without_a_history_nothing_can_vanish(good, refused, parties, tmp_path):
    good("init")
    (report := tmp_path / "report.jsonl").write_text("kept")
    told = refused("import", str(parties), "--strike-out-vanished", "--report", str(report))
    assert report.read_text() == "kept"
    assert "Type --history too" in told


def test_a_history_brings_nothing_back_by_an_option_of_a_single_file(good, refused, parties):
    good("init")
    assert "Leave --bring-back out" in refused("import", str(parties), "--history", "--bring-back")
