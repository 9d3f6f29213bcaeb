"""The words of the ledger: times, parties, documents, claims and the events that record them."""
