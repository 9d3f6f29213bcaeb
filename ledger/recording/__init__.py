"""From what a host hands in to events: ids resolved, everything checked, nothing written yet.

Pure: it reads the folded facts and makes events. Who appends them, and under which lock, is
`ledger.appending`.
"""
