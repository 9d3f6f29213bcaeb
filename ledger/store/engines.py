"""From a path or a URL to an Engine whose database may be ours.

Here lives how our own engines are set up, and the refusal of files that belong to others. An
Engine that a host made is used as it is; transactions are begun in `transaction`, tables made in
`schema`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shlex
import sqlite3
import stat
import time
import weakref
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, StaticPool

from ledger.errors import ForeignDatabase, MissingExtra, StoreError
from ledger.model.text import show
from ledger.store.layout import Layout

APPLICATION_ID: Final = 0x4C656467
"""What marks an SQLite file as made by us: "Ledg" in ASCII."""

BUSY_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.005
_PAGE_SIZE: Final = 8192
_THRESHOLD: Final = "prepare_threshold"
_HEADER: Final = b"SQLite format 3\x00"
_MEMORY: Final = (None, "", ":memory:")
_HALF_A_URL: Final = re.compile(r"(sqlite|postgres(ql)?)(\+\w+)?:")
_PASSWORD: Final = re.compile(r"//.*@")


_ours: Final[weakref.WeakSet[Engine]] = weakref.WeakSet()
_inherited: Final[list[Pool]] = []


def _forked() -> None:
    """In a forked child: open new connections. The parent's are neither used nor closed here."""
    for engine in _ours:
        _inherited.append(engine.pool)
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


_OF_ASYNCIO: Final = ("aiosqlite", "asyncpg", "psycopg_async")


def engine_for(
    target: str | os.PathLike[str], *, layout: Layout | None = None, beside: bool = False
) -> Engine:
    """An Engine for a path, for ":memory:", or for an SQLite or PostgreSQL URL.

    SQLite files that a ledger made get 8 KiB pages and write-ahead logging; all get a sync at every
    commit, and ten seconds of patience with other writers. With `beside` a file may hold another
    application's tables, and no ledger yet.

    Raises:
        ForeignDatabase: The file is no SQLite database, or holds another application's tables.
        StoreError: The directory is missing, or the target is neither engine's.
        MissingExtra: PostgreSQL's driver is not installed.

    Example:
        >>> engine_for(":memory:").dialect.name
        'sqlite'
    """
    url = _url(target)
    driver = url.drivername.partition("+")[2]
    if driver in _OF_ASYNCIO:
        raise StoreError(
            f"{driver} is a driver of asyncio. Write await AsyncLedger.open(...), or leave "
            f"'+{driver}' out of the URL."
        )
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url, layout or Layout(), beside=beside)
        case "postgresql":
            return _postgresql(url)
        case other:
            raise StoreError(
                f"A ledger is kept in SQLite or PostgreSQL; {other} is neither. "
                "Type a file path, or a URL that begins with postgresql://"
            )


def _url(target: str | os.PathLike[str]) -> URL:
    text = os.fspath(target)
    if "\0" in text:
        raise StoreError(f"{text!r} holds a NUL, which no path can. Type the path of a file.")
    if "://" not in text:
        if isinstance(target, str) and _HALF_A_URL.match(text):  # a Path is never a URL
            place = text.partition(":")[2]
            raise StoreError(
                f"{text!r} is half a URL: that of a file begins with sqlite:///, that of a server "
                f"with postgresql://. Type the whole of it, or the path alone: {shlex.quote(place)}"
            )
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        url.get_backend_name()
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise StoreError(
            f"{_PASSWORD.sub('//...@', text)!r} is no database URL. Type a file path, or say postgresql://user@host/name"
        ) from error
    # Heroku and others still hand out the short form, which SQLAlchemy dropped.
    url = url.set(drivername="postgresql") if url.drivername == "postgres" else url
    if url.get_backend_name() == "sqlite" and url.host:
        path = f"{url.host}/{url.database}" if url.database else url.host
        raise StoreError(
            f"{text!r} names a server, and SQLite has none. Type sqlite:///{path} with three "
            f"slashes, or the path alone: {shlex.quote(path)}"
        )
    return url


def shown(url: URL) -> str:
    """A URL as somebody would type it, without its password; str() escapes the colons of a path.

    Example:
        >>> shown(engine_for(":memory:").url)
        'sqlite:///:memory:'
    """
    if url.get_backend_name() == "sqlite" and url.database and not (url.host or url.query):
        return f"{url.drivername}:///{url.database}"
    return str(url)


def is_in_memory(engine: Engine) -> bool:
    """Whether an engine's database is SQLite's and in no file.

    Example:
        >>> is_in_memory(engine_for(":memory:"))
        True
    """
    url = engine.url
    named = url.database in (*_MEMORY, "file::memory:") or "mode=memory" in str(url)
    return url.get_backend_name() == "sqlite" and named


def _postgresql(url: URL) -> Engine:
    if importlib.util.find_spec("psycopg") is None:
        raise MissingExtra("postgres", needs="psycopg", purpose="A PostgreSQL ledger")
    # A database of SQL_ASCII, as one of LANG=C is, would give psycopg bytes for texts.
    how = {"client_encoding": "utf8", **_prepared(url)}
    engine = create_engine(url.set(drivername="postgresql+psycopg"), connect_args=how)
    event.listen(engine, "connect", _tell_dates_as_iso)
    if how.get(_THRESHOLD, 0) is not None:  # behind a pooler it would be set for others, too
        event.listen(engine, "connect", _be_patient)
    _ours.add(engine)
    return engine


def _prepared(url: URL) -> dict[str, str | int | None]:
    """After how often psycopg prepares a statement, where the URL says so; never, for a pooler."""
    given = url.query.get(_THRESHOLD)
    if given is None:
        return {}
    if given == "none":
        return {_THRESHOLD: None}
    if isinstance(given, str) and re.fullmatch("[0-9]{1,9}", given):
        return {_THRESHOLD: int(given)}
    raise StoreError(
        f"{_THRESHOLD}={show(given)} in the database URL is no number. Type ?{_THRESHOLD}=none, "
        f"for a pooler in transaction mode, or say ?{_THRESHOLD}=5."
    )


def _tell_dates_as_iso(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Whatever style a server or a role shows dates in, psycopg reads no other."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("SET DateStyle TO ISO")
    connection.commit()


def _be_patient(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Wait no longer for a lock than on SQLite, unless URL, role or database say how long."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false) "
            "WHERE current_setting('lock_timeout') = '0'",
            (f"{int(BUSY_SECONDS * 1000)}ms",),
        )
    connection.commit()


def _sqlite(url: URL, layout: Layout, *, beside: bool) -> Engine:
    if url.database in _MEMORY:
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        place = Path((url.database or "").removeprefix("file:"))
        _refuse_foreign(place, layout, beside=beside)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _set_up)
        _ours.add(engine)
    return engine


def _set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Set the pragmas; those that shape a file come before its first page is written."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA page_count")
        if new := cursor.fetchone() == (0,):
            cursor.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
        cursor.execute("PRAGMA application_id")
        marked = cursor.fetchone() == (APPLICATION_ID,)
        if new or marked:  # how a host journals its file is its own affair
            _journal_ahead(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        # What is erased is overwritten, and so is what page splits leave behind from the start.
        cursor.execute("PRAGMA secure_delete = ON")


def _journal_ahead(cursor: DBAPICursor) -> None:
    """Turn on write-ahead logging; SQLite does not wait here for others who open the file, too."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_STEP_SECONDS)
        else:
            return


def mark(conn: Connection) -> None:
    """Mark a file that holds nothing yet as made by us, with the tables that come into it.

    One that another application marked stays its own.
    """
    if conn.engine in _ours and conn.dialect.name == "sqlite":
        with contextlib.closing(conn.connection.cursor()) as cursor:
            cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
            empty = cursor.fetchone() is None
            cursor.execute("PRAGMA application_id")
            if empty and cursor.fetchone() == (0,):
                cursor.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _refuse_foreign(path: Path, layout: Layout, *, beside: bool) -> None:
    try:
        header = first_bytes(path, 100)
    except IsADirectoryError:
        raise StoreError(
            f"{path} is a directory. Type the path of a file, say {path / 'claims.db'}"
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.is_dir():
            return
        raise StoreError(
            f"There is no directory {path.parent}, so {path.name} cannot be made in it. "
            f"Type: mkdir -p {path.parent}"
        ) from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read: {error.strerror}. Give a path that you may read; whose its "
            f"folder is, tells: ls -ld {path.parent}"
        ) from error
    if header and not header.startswith(_HEADER):
        raise ForeignDatabase(
            f"{path} is no SQLite database. Type the path of a ledger, or of a file that is not "
            "there yet."
        )
    if header and int.from_bytes(header[68:72], "big") != APPLICATION_ID and not beside:
        _refuse_tables(path, layout)


def first_bytes(path: Path, many: int) -> bytes:
    """The first bytes of a file that may be a database in use; no lock on it is dropped.

    Whoever closes a file drops all locks that the process has on it
    (sqlite.org/howtocorrupt.html, 2.2), so one that is open here is read where it is open.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    file = path.stat()
    if stat.S_ISREG(file.st_mode):
        for number in _open_files():
            with contextlib.suppress(OSError):  # closed by now, or open for writing alone
                if os.path.samestat(file, os.fstat(number)):
                    return os.pread(number, many, 0)
    with path.open("rb") as opened:
        return opened.read(many)


def _open_files() -> list[int]:
    """The descriptors of this process, where the system tells."""
    try:
        return [int(one.name) for one in Path("/dev/fd").iterdir()]
    except (OSError, ValueError):
        return []


def _marked_and_tables(path: Path, mode: str = "ro") -> tuple[int, list[str]]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True)
        ) as connection:
            (marked,) = connection.execute("PRAGMA application_id").fetchone()
            rows = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
            return marked, [name for (name,) in rows]
    except sqlite3.OperationalError as error:
        # Somebody was cut off inside a transaction; whoever may write takes it back by reading.
        if mode == "ro" and error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK:
            return _marked_and_tables(path, "rw")
        raise


def _refuse_tables(path: Path, layout: Layout) -> None:
    try:
        marked, tables = _marked_and_tables(path)
    except sqlite3.DatabaseError as error:
        raise ForeignDatabase(f"{path} cannot be read as an SQLite database: {error}.") from error
    if marked == APPLICATION_ID:
        return
    names = [name for name in tables if not name.startswith("sqlite_")]
    if names and layout.table("log") not in names:
        seen = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004
        raise ForeignDatabase(
            f"{path} belongs to another application: it holds {seen}, and no "
            f"{layout.table('log')}. Type another path; or, to keep a ledger beside those tables, "
            f"type once: claims init --beside {shlex.quote(str(path))}, "
            "or in Python: ledger.store.schema.upgrade(engine, layout)"
        )
