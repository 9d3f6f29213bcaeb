"""What the tests of tampering share: a ledger in a database, an attacker, and an auditor."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import pytest

from ledger import Ledger, Topic
from ledger.cli import main
from ledger.projecting import claims

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.erasing.conftest import WHY, filled  # noqa: E402 - once the folder can be found
from tests.tampering.forging import Forger  # noqa: E402


@attrs.frozen
class Told:
    """What an auditor was told, with which exit status."""

    status: int
    out: str
    err: str


@pytest.fixture(params=["sqlite-file", "postgres"])
def url(request, tmp_path):
    """The URL of an empty database, of which there is a file or a server."""
    if request.param == "sqlite-file":
        return f"sqlite:///{tmp_path / 'claims.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def ledger(url, clock):
    """Her world, the erasures of the paper's text (#11) and of c2's words (#12), and two topics.

    0 and 1 are her party and a name of it, 7 the document, 8 and 9 the claims c1 and c2, 10 an
    amendment of c1; 13 and 14 are the topics.
    """
    with Ledger.open(url, clock=clock) as opened:
        opened.projections.add(claims(opened.layout))
        filled(opened)
        opened.erase("paper-7", **WHY)
        opened.erase("c2", **WHY)
        opened.register_all([Topic("one", label="One"), Topic("two", label="Two")])
        yield opened


@pytest.fixture
def forger(url, ledger):
    """The attacker."""
    hand = Forger(url)
    yield hand
    hand.engine.dispose()


@pytest.fixture
def verify(url, ledger, capsys, tmp_path):
    """`verify("--views")` by the command, as whoever audits types it."""

    def run(*options, kept=None):
        if kept is not None:
            (tmp_path / "kept.txt").write_text(str(kept))
            options = (*options, "--checkpoint", str(tmp_path / "kept.txt"))
        capsys.readouterr()
        status = main(["verify", "--db", url, "--origin", "default", *options])
        printed = capsys.readouterr()
        return Told(status, printed.out, printed.err)

    return run
