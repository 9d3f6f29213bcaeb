"""A ledger that leaves, with something in every field; and the way to the tests' own helpers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.testing import lachin

ROOT = str(Path(__file__).parents[3])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)


@pytest.fixture
def corridor():
    """The example data, with a withdrawal, an amendment, a correction and a merge."""
    with Ledger.open(":memory:") as ledger:
        lachin.load(ledger)
        yield ledger
