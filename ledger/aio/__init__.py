"""The asynchronous door: the same ledger and the same views, awaited.

Nothing is written twice: each method hands that of `Ledger` or `View` of the same name to
`run_sync`, which runs it where it may wait without holding up the event loop (`ledger.aio.places`).
"""

from ledger.aio.cursor import AsyncCursor
from ledger.aio.ledger import AsyncLedger
from ledger.aio.view import AsyncView

__all__ = ["AsyncCursor", "AsyncLedger", "AsyncView"]
