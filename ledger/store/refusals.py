"""The driver's errors, told as the ledger's own.

Here lives one mapping from SQLite's result names and PostgreSQL's SQLSTATEs to sentences. What a
refusal *means* for an append (a taken id, a moved stream) is decided where it is written, in
`on_sqlite` and `on_postgres`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

import attrs
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.errors import ForeignDatabase, LedgerError, StoreError

NO_NUMBER: Final = "22P02"
"""PostgreSQL's SQLSTATE for a text that is none of the type that it was taken for."""

_LOCKED: Final = (
    "Another connection held the database's write lock for too long. Nothing was written; "
    "end the other transaction and try again."
)
_CANCELLED: Final = (
    "The statement was cancelled: it took longer than the server's statement_timeout allows, or "
    "somebody cancelled it. Nothing was written; try again, with a longer statement_timeout where "
    "one is set."
)
_READ_ONLY: Final = (
    "The database is read-only here, so nothing was written. Open it with the right to write, "
    "or from a server that is no replica; a file on a medium that nobody can write, and beside "
    "which no file that ends in -wal lies, is read with sqlite:///file:PATH?immutable=1&uri=true"
)
_CANNOT_READ: Final = (
    "The database cannot be read here: SQLite has to make a file beside it, and may not write "
    "there. Give it the right to; or, where no file that ends in -wal lies beside it and nobody "
    "writes to it, read it with sqlite:///file:PATH?immutable=1&uri=true"
)
_FULL: Final = "The disk is full, so nothing was written. Make room and try again."
_IO: Final = (
    "The disk refused to read or write: it may be full, or failing. Nothing was written; look at "
    "the disk, make room, and try again."
)
_LOST: Final = "The connection to the database was lost before the commit. Nothing was written."
_LOST_READING: Final = "The connection to the database was lost. Ask again."
_UNKNOWN: Final = (
    "The connection to the database was lost during the commit: the records may be stored or not. "
    "Record them again with the same ids; what is stored already will not be stored twice."
)
_UNSURE: Final = (
    "The disk refused to read or write during the commit: the records may be stored or not. Look "
    "at the disk, then record them again with the same ids; what is stored already will not be "
    "stored twice."
)
_NO_CONNECTION: Final = (
    "No connection of the engine's pool became free in time. Nothing was written; close the "
    "connections that are not used any more, or make the engine with a larger pool_size or "
    "pool_timeout."
)
_RACE: Final = (
    "Another transaction got in between and this one must be run again. Nothing was written."
)
_STARTING: Final = (
    "The server takes no connections now: it is starting, stopping or recovering. Nothing was "
    "written; try again in a moment."
)
_POOLER: Final = (
    "A prepared statement was lost or taken, as it is behind a pooler that hands every transaction "
    "to another connection (such as pgbouncer in transaction mode). Nothing was written. Put "
    "?prepare_threshold=none behind the database URL; on an engine of your own, write "
    "create_engine(url, connect_args={'prepare_threshold': None}), or with asyncpg "
    "connect_args={'statement_cache_size': 0, 'prepared_statement_cache_size': 0}."
)
_NO_SCHEMA: Final = (
    "None of the schemas in the search_path is there, so no table can be made. Nothing was "
    "written. Name one, as Layout(schema='claims'), or at the command line --schema claims; or "
    "make one of those in: SHOW search_path"
)
_FORBIDDEN: Final = "The database role lacks a right that this needs"

_BY_SQLITE_NAME: Final = {
    "SQLITE_BUSY_SNAPSHOT": _RACE,
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": _IO,
    "SQLITE_CANTOPEN": (
        "SQLite cannot open the database file. Check that its directory exists and may be written."
    ),
}
_BY_SQLSTATE: Final = {
    "55P03": _LOCKED,
    "57014": _CANCELLED,
    "40": _RACE,
    "25006": _READ_ONLY,
    "53100": _FULL,
    "08": _LOST,
    "57P": _LOST,
    "57P03": _STARTING,
    "3F000": _NO_SCHEMA,
    "26000": _POOLER,
    "42P05": _POOLER,
}

_PASSING: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "08", "57P")
"""How the codes begin of a lock that is held, and of a server that is lost, stops or starts."""


def code_of(cause: BaseException | None) -> str:
    """SQLite's name for an error of the driver's, or PostgreSQL's SQLSTATE; empty for any other."""
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""


def _sentence(cause: BaseException | None, *, lost: bool) -> str:
    """The longest matching beginning of the driver's code wins."""
    code = code_of(cause)
    if code == "42501":
        return f"{_FORBIDDEN}: {cause}"
    if code.startswith("SQLITE_CORRUPT"):
        return (
            f"The database file is damaged or cut short: {cause}. Restore it from a copy, and "
            "compare that with a checkpoint: claims verify --checkpoint FILE"
        )
    known = {**_BY_SQLITE_NAME, **_BY_SQLSTATE}
    for beginning in sorted(known, key=len, reverse=True):
        if code.startswith(beginning):
            return known[beginning]
    if lost:
        return _LOST
    if code == "42P01" or "no such table" in str(cause):
        return (
            f"The database lacks a table: {cause}. If there is _cell or _link in its name, "
            "type: claims index --again; else somebody took it away: restore it from a copy."
        )
    if code == "" and "connection" in str(cause):
        return unreachable(cause).message
    return f"The database refused: {cause}"


def refusal(
    error: DBAPIError | sqlite3.Error | PoolTimeout,
    *,
    committing: bool = False,
    reading: bool = False,
) -> LedgerError:
    """The error to raise `from` the driver's; `stored` is "unknown" for a lost commit.

    Example:
        >>> refusal(sqlite3.OperationalError("disk I/O error")).message
        'The database refused: disk I/O error'
    """
    if isinstance(error, PoolTimeout):
        return StoreError(_NO_CONNECTION)
    cause = driver_error(error)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if getattr(cause, "sqlite_errorname", "") == "SQLITE_NOTADB":
        return ForeignDatabase("The file is no SQLite database. Type another path.")
    sentence = _sentence(cause, lost=lost)
    if committing and (lost or sentence is _LOST):
        return StoreError(_UNKNOWN, stored="unknown")
    if committing and sentence is _IO:
        # What the disk did take of a write-ahead log may be found valid by the next to open it.
        return StoreError(_UNSURE, stored="unknown")
    if reading and sentence is _LOST:
        return StoreError(_LOST_READING)
    if reading and sentence is _READ_ONLY and isinstance(cause, sqlite3.Error):
        return StoreError(_CANNOT_READ)
    return StoreError(sentence)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell the driver's errors, as SQLAlchemy wraps them, as the ledger's own."""
    try:
        yield
    except DBAPIError as error:
        raise refusal(error) from error.orig


def unreachable(cause: BaseException | None) -> StoreError:
    """The error of a server that does not answer."""
    return StoreError(
        f"The server could not be reached: {cause}. Check host, port and database in the URL."
    )


def passes(error: StoreError) -> bool:
    """Whether the same question may be answered later: the server was away, or a lock was held.

    Example:
        >>> passes(refusal(sqlite3.OperationalError("disk I/O error")))
        False
    """
    cause = error.__cause__
    code = code_of(cause)
    if isinstance(cause, OSError) or code.startswith(_PASSING):
        return True
    if error.message in {_LOST, _LOST_READING, _LOCKED}:
        return True
    # psycopg's name for what is no fault of the question.
    return type(cause).__module__.startswith("psycopg") and any(
        cls.__name__ == "OperationalError" for cls in type(cause).__mro__
    )


def driver_error(error: DBAPIError | sqlite3.Error | PoolTimeout) -> BaseException | None:
    """The driver's own error, which SQLAlchemy may have wrapped."""
    return error.orig if isinstance(error, DBAPIError) else error


@attrs.frozen(kw_only=True)
class Diagnosis:
    """What PostgreSQL says about a refusal, empty where it says nothing."""

    sqlstate: str
    constraint: str
    message: str
    detail: str


def diagnosis(error: DBAPIError) -> Diagnosis:
    """PostgreSQL's own words about an error, whichever driver they came through."""
    cause = error.orig
    told = getattr(cause, "diag", None)  # psycopg
    if told is not None:
        return Diagnosis(
            sqlstate=told.sqlstate or "",
            constraint=told.constraint_name or "",
            message=told.message_primary or "",
            detail=told.message_detail or "",
        )
    told = getattr(cause, "__cause__", None)  # asyncpg
    return Diagnosis(
        sqlstate=getattr(told, "sqlstate", None) or "",
        constraint=getattr(told, "constraint_name", None) or "",
        message=getattr(told, "message", None) or "",
        detail=getattr(told, "detail", None) or "",
    )
