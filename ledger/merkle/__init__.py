"""The tree of hashes over a log: roots, proofs and checkpoints, from bytes to bytes.

Nothing here knows an event, a database or a key. What is hashed is decided in `ledger.codec.entry`,
where the hashes are kept in `ledger.store`.
"""
