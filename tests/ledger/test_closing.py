"""What a ledger opened is closed with it."""

from __future__ import annotations

import gc
import sys
import warnings

import pytest

from ledger import Ledger, Party


@pytest.mark.skipif(sys.version_info < (3, 13), reason="sqlite3 warns of it since 3.13")
@pytest.mark.parametrize("place", ["sqlite://", "sqlite:///{}/claims.db"])
def test_no_connection_is_left_open(tmp_path, place):
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        with Ledger.open(place.format(tmp_path)) as ledger:
            ledger.register(Party("board", name="Water board"))
            next(iter(ledger.events()))
            assert ledger.verify().size == 1
            next(ledger.follow())
        del ledger
        gc.collect()
    assert [str(one.message) for one in told] == []
