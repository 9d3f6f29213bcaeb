"""The floors of the house hold, and the check that says so bites."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "ledger", tmp_path / "ledger")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_points_down():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "room, line, contract",
    [
        ("errors.py", "from ledger.model import moment", "Imports point down the floors"),
        ("merkle/hashing.py", "import ledger.model", "Imports point down the floors"),
        ("projections/positions.py", "import ledger.codec", "Imports point down the floors"),
        ("store/append.py", "import ledger.ledger", "Imports point down the floors"),
        ("model/claim.py", "import sqlalchemy", "Words, trees, views and intake"),
        ("projections/positions.py", "import cattrs", "Words, trees, views and intake"),
    ],
)
def test_an_import_that_points_up_is_reported(copy, room, line, contract):
    with (copy / "ledger" / room).open("a") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [told for told in done.stdout.splitlines() if told.endswith("BROKEN")]
    assert any(told.startswith(contract) for told in broken), done.stdout


def test_a_circle_between_neighbours_is_reported(copy):
    model = copy / "ledger" / "model"
    with (model / "party.py").open("a") as file:
        file.write("\nimport ledger.model.claim\n")
    with (model / "claim.py").open("a") as file:
        file.write("\nimport ledger.model.party\n")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "No circles among neighbours BROKEN" in done.stdout


def test_a_room_without_a_floor_is_reported(copy):
    (copy / "ledger" / "helpers.py").write_text('"""No floor was given to this file."""\n')
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "ledger.helpers" in done.stdout
