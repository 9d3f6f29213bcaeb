"""Which failures are an event's own, and which are the moment's.

A moment's failure (a lost connection, a lock, a full disk) passes: it ends the run, and the next
one begins where this one stood. An event's own failure would come back for ever: it is retried,
then parked or waited for.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from ledger.errors import StoreError
from ledger.store.refusals import code_of

_SQLITE: Final = (
    *("BUSY", "LOCKED", "FULL", "IOERR", "READONLY", "CANTOPEN", "NOMEM", "INTERRUPT"),
    *("CORRUPT", "NOTADB"),
)
_PASSING: Final = (
    *(f"SQLITE_{word}" for word in _SQLITE),
    *("08", "25006", "40", "53", "55P03", "57", "58"),
)
"""How the codes begin of what passes, on either engine."""


def momentary(error: BaseException) -> bool:
    """Whether the same event may well be taken in a moment.

    Example:
        >>> momentary(ZeroDivisionError()), momentary(MemoryError())
        (False, True)
    """
    if not isinstance(error, DBAPIError):
        return isinstance(error, StoreError | MemoryError)
    return error.connection_invalidated or code_of(error.orig).startswith(_PASSING)
