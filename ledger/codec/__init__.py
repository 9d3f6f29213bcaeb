"""Events as bytes and back: canonical JSON, entries and slots, the converter, the upcasts.

Where the bytes are kept is `ledger.store`; how they are hashed into a tree is `ledger.merkle`.
"""
