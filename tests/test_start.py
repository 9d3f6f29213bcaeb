"""What an import loads, and that the front door, which fetches each name late, is as any other."""

from __future__ import annotations

import ast
import importlib
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import ledger

SELDOM = (
    "alembic",
    "cattrs",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "urllib.request",
)


def loaded(code):
    """The modules that a fresh process has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(ledger.__file__).parents[1],
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_alone_loads_nothing():
    found = loaded("import ledger")
    assert not found & {"attrs", "sqlalchemy", *SELDOM}
    assert [name for name in found if name.startswith("ledger.")] == []


def test_the_nouns_load_no_database():
    assert "sqlalchemy" not in loaded("from ledger import Party, Claim, Document, Position")


def test_a_ledger_loads_what_every_ledger_needs():
    assert not loaded("from ledger import Ledger") & set(SELDOM)


def test_a_claim_in_a_new_file_needs_no_more(tmp_path):
    code = f"""
from ledger import Ledger, Party, Proposition
for _ in range(2):
    with Ledger.open({str(tmp_path / "claims.db")!r}) as opened:
        opened.register_all([Party("az", name="Azerbaijan"), Proposition("p", text="It rains")])
        opened.record(claimant="az", act="assert", proposition="p", uttered="2023-01-18")
        print(opened.position("az", "p"))
"""
    assert not loaded(code) & set(SELDOM)


def test_a_command_loads_no_other_command():
    found = loaded("from ledger.cli import main; main(['position', '--help'])")
    others = {"ledger.cli.importing", "ledger.interchange", "ledger.signing", "ledger.proving"}
    assert not found & {*others, *SELDOM}
    assert "ledger.cli.asking" in found


def test_every_name_is_fetched_from_the_room_where_type_checkers_find_it():
    tree = ast.parse(Path(ledger.__file__).read_text("utf-8"))
    (checked,) = (
        one for one in tree.body if isinstance(one, ast.If) and "not" not in ast.dump(one)
    )
    seen = {
        str(line.module).removeprefix("ledger."): tuple(one.name for one in line.names)
        for line in checked.body
        if isinstance(line, ast.ImportFrom)
    }
    assert seen == ledger._ROOMS
    assert sorted(name for names in seen.values() for name in names) == ledger.__all__
    for room, names in seen.items():
        for name in names:
            assert getattr(ledger, name) is getattr(importlib.import_module(f"ledger.{room}"), name)


def test_all_names_are_listed_and_come_with_a_star():
    assert dir(ledger) == sorted(ledger.__all__)
    given: dict[str, object] = {}
    exec("from ledger import *", given)  # noqa: S102 - what a notebook types
    assert set(given) - {"__builtins__"} == set(ledger.__all__)


def test_a_name_that_is_not_there_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="module 'ledger' has no attribute 'Leger'"):
        ledger.Leger  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Leger'"):
        from ledger import Leger  # type: ignore[attr-defined]  # noqa: F401, PLC0415
    assert not hasattr(ledger, "__path_of_nothing__")


def test_rooms_are_imported_by_their_names():
    assert "ledger.errors" in loaded("from ledger import errors\nassert errors.LedgerError")
    assert "ledger.errors" in loaded("import ledger\nassert ledger.errors.LedgerError")
    assert "ledger.store.schema" in loaded("import ledger.store.schema\nledger.store.schema.check")


def test_what_is_made_of_a_name_is_pickled_by_its_room():
    party = ledger.Party("az", name="Azerbaijan")
    assert pickle.loads(pickle.dumps(party)) == party  # noqa: S301 - our own
    assert ledger.Party.__module__ == "ledger.model.party"


def test_threads_may_ask_for_the_first_name_at_once():
    code = """
import threading, ledger
found = []
waiting = threading.Barrier(4)
def ask():
    waiting.wait()
    found.append((ledger.Ledger, ledger.View, ledger.Receipt))
threads = [threading.Thread(target=ask) for _ in range(4)]
[one.start() for one in threads]
[one.join() for one in threads]
assert len(found) == 4 and len(set(found)) == 1
"""
    assert "ledger.view" in loaded(code)
