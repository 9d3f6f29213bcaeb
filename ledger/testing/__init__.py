"""What shows and tests a ledger: example data of our own, and the demonstration."""
