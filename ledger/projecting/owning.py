"""Who moves a build: one process at a time, and what becomes of one that is late.

An owner is noted in the cursor's row with a beat and a fence, a number that grows with each owner.
On PostgreSQL it also holds an advisory lock in a session of its own: the server lets go of it when
the process dies, so the next one need not wait for the beat to grow old.

```
PostgreSQL   the lock is free: take over at once       the lock is held: it runs elsewhere
SQLite       the beat is older than `patience`, or there is no owner: take over
either       a batch carries its fence: that of a stale owner is refused, rows and all
```
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Iterator

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ledger.projecting.registry import Site
from ledger.store import cursors
from ledger.store.cursors import Build
from ledger.store.refusals import told
from ledger.store.transaction import writing
from ledger.store.ways import connected


def me() -> str:
    """This process and thread, as a cursor names its owner."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


@contextlib.contextmanager
def owning(site: Site, key: Build) -> Iterator[int | None]:
    """Own a cursor inside, and get the fence to move it with; None while it runs elsewhere."""
    with _session_lock(site, key) as lock:
        fence = None if lock is False else _take(site, key, sure=lock is True)
        try:
            yield fence
        finally:
            if fence is not None:
                # The database may be gone: then the beat grows old, or the session's lock falls.
                with contextlib.suppress(Exception), writing(site.bind) as conn:
                    cursors.release(conn, site.tables, key, fence)


def _take(site: Site, key: Build, *, sure: bool) -> int | None:
    now = site.clock()
    with writing(site.bind) as conn:
        return cursors.take(
            conn,
            site.tables,
            key,
            owner=me(),
            now=now,
            stale=None if sure else now - site.patience,
        )


@contextlib.contextmanager
def _session_lock(site: Site, key: Build) -> Iterator[bool | None]:
    """Whether the session's lock was taken; None where there is no such lock to take."""
    engine = site.bind
    if not isinstance(engine, Engine) or engine.dialect.name != "postgresql":
        yield None
        return
    with _beside(engine) as conn:
        with told():
            number = _number(f"{cursors.table_number(conn, site.tables)} {key.log_id} {key}")
            locked = cursors.lock_session(conn, number)
        if not locked:
            yield False
            return
        try:
            yield True
        finally:
            try:
                cursors.unlock_session(conn, number)
            except DBAPIError:
                conn.invalidate()


@contextlib.contextmanager
def _beside(engine: Engine) -> Iterator[Connection]:
    """A connection that the engine's pool does not count: the work may need all that it has."""
    beside = Engine(engine.pool.recreate(), engine.dialect, engine.url)
    try:
        with told():
            conn = connected(beside).execution_options(isolation_level="AUTOCOMMIT")
        with conn:
            yield conn
    finally:
        beside.dispose()


def _number(words: str) -> int:
    digest = hashlib.sha256(f"claimledger {words}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
