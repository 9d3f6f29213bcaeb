"""Which failures are an event's own, and which are the moment's.

A moment's failure (a lost connection, a lock, a full disk) passes: it ends the run, and the next
one begins where this one stood. An event's own failure would come back for ever: it is retried,
then parked or waited for.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError

from ledger.errors import StoreError

_SQLITE: Final = tuple(
    f"SQLITE_{word}"
    for word in (
        *("BUSY", "LOCKED", "FULL", "IOERR", "READONLY", "CANTOPEN", "NOMEM", "INTERRUPT"),
        *("CORRUPT", "NOTADB"),
    )
)
_POSTGRES: Final = ("08", "25006", "40", "53", "55P03", "57", "58")


def momentary(error: BaseException) -> bool:
    """Whether the same event may well be taken in a moment.

    Example:
        >>> momentary(ZeroDivisionError()), momentary(MemoryError())
        (False, True)
    """
    if not isinstance(error, DBAPIError):
        return isinstance(error, StoreError | MemoryError)
    name = getattr(error.orig, "sqlite_errorname", None) or ""
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or name.startswith(_SQLITE) or state.startswith(_POSTGRES)
