"""Proofs of a log for those who do not have it: made from the database, checked without one.

The tree's hashes are in `ledger.merkle`, signatures in `ledger.signing`. Here an entry meets its
proof: alone (`proof`), or with others and what they say in a bundle (`writing`, `bundle`).
"""

from ledger.proving.bundle import CheckedBundle, CheckedEntry, verify_bundle
from ledger.proving.proof import Proof
from ledger.proving.writing import Bundled

__all__ = ["Bundled", "CheckedBundle", "CheckedEntry", "Proof", "verify_bundle"]
