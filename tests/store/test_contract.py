"""The shipped contract, on SQLite in memory, SQLite in a file, and PostgreSQL."""

from __future__ import annotations

from ledger.testing.contract import StoreContract


class TestStore(StoreContract):
    """`engine` is in conftest."""
