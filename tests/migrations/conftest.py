"""What the tests of migrations share: an engine of a database in which there is nothing yet."""

from __future__ import annotations

import pytest

from ledger.store import engines


@pytest.fixture
def engine(database):
    """An engine as a ledger's own, on an empty database."""
    made = engines.engine_for(database)
    yield made
    made.dispose()
