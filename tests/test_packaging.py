"""The wheel: what it holds, and that it records a claim with the core dependencies alone."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[1]

RECORD_ONE_CLAIM = """
from ledger import Document, Ledger, Party, Proposition

with Ledger.open("claims.db") as ledger:
    ledger.register(Party("acme", name="Acme", kind="organisation"))
    ledger.register(Party("paper", name="The Paper", kind="publisher"))
    ledger.register(Proposition("bridge-safe", text="The bridge is safe."))
    article = ledger.register(
        Document("article", publisher="paper", published="2024-05-02",
                 text="Acme said the bridge is safe.")
    )
    ledger.record(
        claimant="acme", act="assert", stance="supports", proposition="bridge-safe",
        uttered="2024-05-01", document=article, quote="the bridge is safe", via=["paper"],
    )
    print(ledger.position("acme", "bridge-safe"))
    ledger.verify(ledger.checkpoint())
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder)
    (made,) = folder.glob("claimledger-*.whl")
    return made


@pytest.fixture(scope="module")
def bare_python(wheel, tmp_path_factory):
    """The interpreter of an environment with the wheel and its core dependencies, as locked."""
    folder = tmp_path_factory.mktemp("bare")
    constraints = folder / "constraints.txt"
    locked = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[\w.-]+==[^\\\n]+", locked, flags=re.MULTILINE)
    constraints.write_text("\n".join(pins) + "\n")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--constraint", constraints, wheel)
    return python


def test_the_wheel_holds_the_package_its_types_and_its_migrations(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "ledger/py.typed" in names
    assert "ledger/migrations/env.py" in names
    assert any(re.fullmatch(r"ledger/migrations/versions/ledger_0001_\w+\.py", n) for n in names)
    fresh = {f"ledger/migrations/fresh/{path.name}" for path in ROOT.glob("migrations/fresh/*.sql")}
    assert len(fresh) == 2
    assert fresh <= names
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ledger").rglob("*.py")}
    assert sources <= names


def test_the_wheel_holds_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"ledger", "claimledger"}
    assert [name for name in names if name.endswith(".pyc") or "__pycache__" in name] == []


def test_only_the_core_dependencies_are_needed_without_an_extra(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        header = HeaderParser().parsestr(archive.read(metadata).decode())
    needs = header.get_all("Requires-Dist", [])
    core = {re.split(r"[^\w-]", need)[0] for need in needs if "extra ==" not in need}
    assert core == {"attrs", "cattrs", "sqlalchemy", "alembic", "msgspec"}


def test_a_bare_install_records_a_claim(bare_python, tmp_path):
    told = run(bare_python, "-W", "error", "-c", RECORD_ONE_CLAIM, cwd=tmp_path)
    assert "supports" in told
    assert (tmp_path / "claims.db").stat().st_size > 0


def test_the_command_of_a_bare_install_names_the_extra_it_needs(bare_python, tmp_path):
    done = subprocess.run(
        [bare_python.with_name("claims"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "claimledger[cli]" in done.stderr
