"""A pool of processes that all record, and what a fork does to an engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import Ledger

ROOT = Path(__file__).parents[2]


def run(folder, *command):
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def claims(url):
    with Ledger.open(url) as ledger:
        assert ledger.verify().size == len(list(ledger.events()))
        return sorted(ledger.claims().ids)


def test_the_pages_pool_loses_nothing_and_may_be_run_again(tmp_path, url, page):
    (tmp_path / "record.py").write_text(page("workers.md"))
    for told in ("40 stored, 0 already stored\n", "0 stored, 40 already stored\n"):
        done = run(tmp_path, "record.py", url, "40")
        assert (done.stdout, done.returncode) == (told, 0), done.stderr
    assert claims(url) == sorted(f"C{number}" for number in range(40))


def test_the_script_of_the_page_runs_in_a_process_of_its_own(tmp_path, page):
    (tmp_path / "script.py").write_text(page("script.md"))
    for told in (
        "C1 (stored at #2)\nC1 (already stored at #2)\n",
        "C1 (already stored at #2)\n" * 2,
    ):
        done = run(tmp_path, "script.py")
        assert (done.stdout, done.returncode) == (told, 0), done.stderr


FORKS = """
import os, sys
import sqlalchemy as sa
from ledger import Ledger, Party, Proposition

url, kind = sys.argv[1:]
engine = None
if kind == "the ledger's engine":
    ledger = Ledger.open(url)
else:
    from ledger.store import schema
    engine = sa.create_engine(url)
    schema.upgrade(engine)
    ledger = Ledger(engine)
ledger.register_all([Party("porter", name="The Porter"), Proposition("arrived", text="It arrived")])

def say(mark):
    for number in range(8):
        ledger.record(id=f"{mark}{number}", claimant="porter", act="assert", proposition="arrived")
        assert f"{mark}{number}" in ledger.claims().ids

children = []
for mark in "abc":
    child = os.fork()
    if child:
        children.append(child)
        continue
    status = 1
    try:
        if engine is not None:
            engine.dispose(close=False)
        say(mark)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)
say("p")
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
say("q")
ledger.close() if engine is None else engine.dispose()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kind", ["the ledger's engine", "a host's engine, let go of in the child"])
def test_forked_workers_and_their_parent_write_side_by_side(tmp_path, url, kind):
    done = run(tmp_path, "-W", "ignore::DeprecationWarning", "-c", FORKS, url, kind)
    assert done.returncode == 0, done.stderr
    assert claims(url) == sorted(f"{mark}{number}" for mark in "abcpq" for number in range(8))


IN_MEMORY = """
import os
from ledger import Ledger, Party

ledger = Ledger.open(":memory:")
ledger.register(Party("both", name="Both"))
child = os.fork()
ledger.register(Party("parent" if child else "child", name="One"))
told = [one.id for one in ledger.as_of().parties()]
if not child:
    os._exit(0 if told == ["both", "child"] else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert told == ["both", "parent"], told
ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_ledger_in_memory_goes_two_ways_after_a_fork(tmp_path):
    done = run(tmp_path, "-W", "ignore::DeprecationWarning", "-c", IN_MEMORY)
    assert done.returncode == 0, done.stderr


ASKED_BEFORE = """
import os, sys
from ledger import Ledger, Party, Proposition
from ledger.narrowing import plain
from ledger.projecting import cells

def stances(ledger):
    return {ledger.position("mill", "shut").stance for _ in range(3)}

ledger, other = Ledger.open(sys.argv[1]), Ledger.open(sys.argv[1])
for one in (ledger, other):
    one.projections.add(cells(one.layout))
ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023-01-01")
assert stances(ledger) == {"supports"}
other.record(id="C2", claimant="mill", act="deny", proposition="shut", uttered="2023-02-01")
other.close()
child = os.fork()
if not child:
    good = stances(ledger) == {"opposes"}
    view = ledger.as_of()
    cell = ("mill", "shut")
    kept = plain.position(view._folded, view.basis, cell, view.said, "latest") is not None
    os._exit(0 if good and kept else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert stances(ledger) == {"opposes"}
ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_sees_what_was_committed_before_it_asked_anew(tmp_path):
    path = f"{tmp_path / 'claims.db'}"
    done = run(tmp_path, "-W", "ignore::DeprecationWarning", "-c", ASKED_BEFORE, path)
    assert done.returncode == 0, done.stderr
