"""The asynchronous door: the same ledger and the same views, awaited.

Nothing is written twice: each method hands that of `Ledger` or `View` of the same name to
`run_sync`, which runs it where it may wait without holding up the event loop (`ledger.aio.places`).
"""

import importlib
import importlib.util

from ledger.errors import MissingExtra

try:
    importlib.import_module("greenlet")  # SQLAlchemy 2.0 would miss it later only
    from ledger.aio.cursor import AsyncCursor
    from ledger.aio.ledger import AsyncLedger
    from ledger.aio.view import AsyncView
except ImportError as error:
    if importlib.util.find_spec("greenlet") is not None:
        raise
    raise MissingExtra("async", needs="greenlet", purpose="The asynchronous ledger") from error

__all__ = ["AsyncCursor", "AsyncLedger", "AsyncView"]
