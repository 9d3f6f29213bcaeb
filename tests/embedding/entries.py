"""What the tests of asynchronous ledgers enter: a board, a proposition, and what the board says."""

from __future__ import annotations

from typing import Any

import pytest

from ledger import Party, Proposition

FIRST: list[Any] = [
    Party("board", name="Water Board"),
    Proposition("bridge-open", text="The lower bridge is open"),
]

cancelled_while_it_connects = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
"""aiosqlite lets go, without closing it, of a connection whose task was cancelled while it waited.

Python 3.13 tells of that.
"""


def said(id_, **fields):
    return {
        "id": id_,
        "claimant": "board",
        "act": "assert",
        "proposition": "bridge-open",
        "uttered": "2024-03-12",
        **fields,
    }
